package view

import (
	"fmt"
	"time"

	"b2form/apply"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/plan"
)

// actionWords are the words of one action while it runs, in the past and in trouble.
type actionWords struct{ running, done, failed string }

func actionWordsFor(a plan.Action) actionWords {
	switch a {
	case plan.Create, plan.Replace, plan.Rotate:
		return actionWords{"creating", "Creation complete", "Creation failed"}
	case plan.Update:
		return actionWords{"modifying", "Modifications complete", "Modification failed"}
	case plan.Delete:
		return actionWords{"destroying", "Destruction complete", "Destruction failed"}
	case plan.Forget:
		return actionWords{"forgetting", "Forgotten", "Forgetting failed"}
	}
	return actionWords{"importing", "Import complete", "Import failed"}
}

// Event tells of a step's progress in one line.
func (t TextUI) Event(e apply.Event) { t.progress(EventText(e)) }

// Still says that a step is under way; e.Took is how long.
func (t TextUI) Still(e apply.Event) { t.progress(stillText(e)) }

func (t TextUI) progress(text string) {
	if !t.Quiet && !t.HideProgress {
		fmt.Fprintln(t.Err, t.wrapPainted(text, t.Style.ErrWidth, bold))
	}
}

// EventText tells of a step's progress in one line, without colours.
func EventText(e apply.Event) string {
	v := actionWordsFor(e.Action)
	addr := e.Addr.String() + ": "
	switch e.Stage {
	case apply.Started:
		id := e.RemoteID
		if e.Action == plan.Create || e.Action == plan.Rotate {
			id = ""
		}
		return addr + words.CapitalizeUnlessName(v.running) + "..." + idAndNameSuffix(id, e.DeletedName)
	case apply.Emptying:
		return addr + "Emptying... " + words.Count(e.FilesRemoved, "file version removed", "file versions removed")
	case apply.Delivered:
		return addr + "Secret delivered to " + visible.EscapeLine(e.Destination)
	case apply.KeyNotYetAccepted:
		return addr + "Waiting until B2 accepts the new key..." + idSuffix(e.RemoteID)
	case apply.VerifyEnded:
		if e.Err != nil {
			return addr + "B2 does not accept the new key after " + wholeSeconds(e.Elapsed) + idSuffix(e.RemoteID)
		}
		return addr + "B2 accepts the new key after " + wholeSeconds(e.Elapsed) + idSuffix(e.RemoteID)
	case apply.Failed:
		return addr + v.failed + " after " + wholeSeconds(e.Elapsed)
	}
	id := e.RemoteID
	if e.Action == plan.Delete || e.Action == plan.Forget {
		id = ""
	}
	return addr + v.done + " after " + wholeSeconds(e.Elapsed) + idSuffix(id)
}

func stillText(e apply.Event) string {
	if e.Stage == apply.KeyNotYetAccepted {
		return e.Addr.String() + ": Still waiting until B2 accepts the new key..." + idSuffix(e.RemoteID) + " [" + wholeSeconds(e.Elapsed) +
			" elapsed]"
	}
	return e.Addr.String() + ": Still " + actionWordsFor(e.Action).running + "..." + idAndNameSuffix(e.RemoteID, e.DeletedName) + " [" +
		wholeSeconds(e.Elapsed) + " elapsed]"
}

// idAndNameSuffix is idSuffix of what is deleted: an ID says little to people.
func idAndNameSuffix(id, name string) string {
	if name == "" {
		return idSuffix(id)
	}
	return " [id=" + id + ", name=" + quoteHCL(name) + "]"
}

func idSuffix(id string) string {
	if id == "" {
		return ""
	}
	return " [id=" + visible.EscapeLine(id) + "]"
}

// wholeSeconds writes a duration as people read it: "0s", "1m20s".
func wholeSeconds(d time.Duration) string { return d.Truncate(time.Second).String() }

// Done writes the closing line of a run that changed something or tried to.
func (t TextUI) Done(r *apply.Result, m PlanPurpose) {
	ink := green
	if r.Incomplete() {
		ink = red
	}
	fmt.Fprintln(t.Out, "\n"+t.wrapPainted(DoneSummary(r, m), t.Style.Width, bold, ink))
}

// DoneSummary is the closing line of a run.
func DoneSummary(r *apply.Result, m PlanPurpose) string {
	n := r.Counts
	word, text := words.CapitalizeUnlessName(m.ApplyingCommandName()), fmt.Sprintf("%d added, %d changed, %d destroyed", n.Add, n.Change,
		n.Destroy)
	if n.Import > 0 {
		text = fmt.Sprintf("%d imported, %s", n.Import, text)
	}
	if n.Forget > 0 {
		text += fmt.Sprintf(", %d forgotten", n.Forget)
	}
	if m == Destroying {
		text = fmt.Sprintf("%d destroyed", n.Destroy)
	}
	if r.Incomplete() {
		return word + " incomplete. Resources: " + text + undoneText(r) + "."
	}
	return word + " complete! Resources: " + text + "."
}

func undoneText(r *apply.Result) string {
	failed := 0
	for _, c := range r.BegunChanges {
		if c.Err != nil {
			failed++
		}
	}
	text := ""
	if failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	if n := len(r.Skipped); n > 0 {
		text += fmt.Sprintf(", %d not begun", n)
	}
	if n := len(r.PartlySkipped); n > 0 {
		text += fmt.Sprintf(", %d not finished", n)
	}
	return text
}
