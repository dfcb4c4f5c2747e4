package view

import (
	"fmt"
	"io"
	"time"

	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema/addr"
)

// Rotations writes one paragraph per rotating object: since when it lives, when
// it will be renewed, and which of its predecessors still live.
func (t TextUI) Rotations(p *plan.Plan, now time.Time) {
	out := &linePrinter{style: t.Style}
	for _, r := range p.RotatingObjects {
		out.WriteString(t.Style.paint(r.Addr.String(), bold) + "  " + visible.EscapeLine(r.LiveName) + "\n")
		out.WriteString("  id   " + visible.EscapeLine(r.RemoteID) + "\n")
		if !r.MadeAt.IsZero() {
			out.WriteString("  made " + words.ReadableTime(r.MadeAt) + "\n")
		}
		out.WriteString("  due  " + dueText(r, now) + "\n")
		for _, old := range r.Retiring {
			out.WriteString("  old  " + nameAndIDText(plan.NamedObject{ID: old.ID, Name: old.Name}) + ", works until " +
				untilText(old, r.Addr) +
				"\n")
		}
		out.WriteByte('\n')
	}
	if len(p.RotatingObjects) == 0 {
		out.WriteString("No live object rotates: no key has a rotate block, or none is made yet.\n")
	}
	io.WriteString(t.Out, Wrap(out.String(), t.Style.Width)+"\n\n")
}

// untilText says until when an object of the address lives that has a successor.
func untilText(old addr.RetiringObject, addr addr.Addr) string {
	if old.KeptUntilRenewal {
		return addr.String() + " is renewed, as nobody knows whether its successor was delivered"
	}
	return words.ReadableTime(old.KeepUntil)
}

func dueText(r plan.RotatingObject, now time.Time) string {
	switch {
	case r.Due.IsZero():
		return "never"
	case r.UnscheduledReason != "":
		return "now, because " + visible.EscapeLine(r.UnscheduledReason)
	case r.IsDue(now):
		return "now"
	}
	const day = 24 * time.Hour
	left, unit := r.Due.Sub(now), time.Minute
	switch {
	case left > 2*day:
		unit = day
	case left > 2*time.Hour:
		unit = time.Hour
	}
	return fmt.Sprintf("%s, in %s", words.ReadableTime(r.Due), words.ExactDuration(left.Truncate(unit)))
}

// Rotations writes one line per rotating object.
func (j JSONUI) Rotations(p *plan.Plan, now time.Time) {
	for _, r := range p.RotatingObjects {
		retiring := make([]jsonFields, len(r.Retiring))
		for i, old := range r.Retiring {
			retiring[i] = jsonFields{"id": old.ID, "name": old.Name}
			if !old.KeptUntilRenewal {
				retiring[i]["until"] = old.KeepUntil
			}
		}
		rotation := jsonFields{
			"resource": newResourceJSON(r.Addr), "name": r.LiveName, "id": r.RemoteID, "is_due": r.IsDue(now), "retiring": retiring,
		}
		if !r.MadeAt.IsZero() {
			rotation["made"] = r.MadeAt
		}
		if !r.Due.IsZero() {
			rotation["due"] = r.Due
		}
		if r.UnscheduledReason != "" {
			rotation["reason"] = r.UnscheduledReason
		}
		j.emit("info", r.Addr.String()+": Due "+dueText(r, now), "rotation", jsonFields{"rotation": rotation})
	}
}
