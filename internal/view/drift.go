package view

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"b2form/internal/audit"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema/addr"
)

// A DriftList is how an account differs from what b2form left.
type DriftList struct {
	Changes       []plan.Change
	Unseen        []addr.Addr // recorded objects that the credentials may not see
	Unmanaged     []audit.UnmanagedObject
	ManagedCounts []audit.ManagedCount // nil: nobody asked for what is not declared
}

// DriftCounts are how many objects differ in which way.
type DriftCounts struct {
	Differing int `json:"changed"`
	Gone      int `json:"gone"`
	Unmanaged int `json:"unmanaged"`
}

// Counts counts them.
func (d *DriftList) Counts() DriftCounts {
	n := DriftCounts{Unmanaged: len(d.Unmanaged)}
	for i := range d.Changes {
		if IsGone(&d.Changes[i]) {
			n.Gone++
		} else {
			n.Differing++
		}
	}
	return n
}

// Summary is that in a line.
func (n DriftCounts) Summary() string {
	if n == (DriftCounts{}) {
		return "No drift."
	}
	text := fmt.Sprintf("Drift: %d changed, %d gone", n.Differing, n.Gone)
	if n.Unmanaged > 0 {
		text += fmt.Sprintf(", %d not declared", n.Unmanaged)
	}
	return text + "."
}

// IsGone reports whether the object of a change was deleted outside of b2form, and none was made in its place.
func IsGone(c *plan.Change) bool { return c.LiveDrift == plan.Gone && !c.Import }

// DriftText says in which way an object differs.
func DriftText(c *plan.Change) string {
	fields := strings.Join(c.Fields, ", ")
	switch name := c.Addr.String(); {
	case c.LiveDrift == plan.Gone && c.Import && fields != "":
		return OutsideChangeText(c, Refreshing) + ", and differs: " + fields
	case c.LiveDrift == plan.Gone && c.Import:
		return OutsideChangeText(c, Refreshing)
	case c.LiveDrift == plan.Gone:
		return name + " is gone: " + visible.EscapeLine(c.Reason)
	case c.LiveDrift == plan.DriftUnknown:
		return name + " differs, and nobody can tell whether it or its configuration was changed: " + fields
	case c.ConfigDrift == plan.Changed:
		return name + " has changed, and so has its configuration: " + fields
	default:
		return name + " has changed: " + fields
	}
}

// UnmanagedText names an object that is not declared here.
func UnmanagedText(u audit.UnmanagedObject) string {
	return u.Kind.Name + " " + nameAndIDText(plan.NamedObject{ID: u.ID, Name: u.Name})
}

// ManagedCountText says how many objects of a kind are managed.
func ManagedCountText(c audit.ManagedCount) string {
	text := fmt.Sprintf("%d of %s managed, %d %%", c.Managed, words.Count(c.TotalWithoutIgnored, c.Kind.Name, c.Kind.Plural),
		CoveragePercent(c))
	if c.Ignored > 0 {
		text += fmt.Sprintf(", %d ignored", c.Ignored)
	}
	return text
}

// CoveragePercent is the share of what is managed, rounded down; 100 where there is nothing.
func CoveragePercent(c audit.ManagedCount) int {
	if c.TotalWithoutIgnored == 0 {
		return 100
	}
	return 100 * c.Managed / c.TotalWithoutIgnored
}

// Drift writes each object that differs, with what is declared and what is live, then what is not
// declared here.
func (t TextUI) Drift(d *DriftList) {
	out := &linePrinter{style: t.Style, verbose: t.Verbose}
	if len(d.Changes) > 0 {
		out.WriteString(Wrap("Objects are not as b2form left them. Each arrow points from what is declared to what is live.",
			t.Style.Width) + "\n\n")
	}
	for i := range d.Changes {
		c := &d.Changes[i]
		out.printPainted("  # ", DriftText(c), "  # ", bold)
		out.printBlock(c)
		out.WriteByte('\n')
	}
	if len(d.Unmanaged) > 0 {
		out.WriteString("Nothing here declares these objects:\n\n")
		for _, u := range d.Unmanaged {
			out.printPainted("  ", UnmanagedText(u), "    ", bold)
		}
		out.WriteByte('\n')
	}
	for _, c := range d.ManagedCounts {
		out.WriteString(ManagedCountText(c) + ".\n")
	}
	if d.ManagedCounts != nil {
		out.WriteByte('\n')
	}
	summary, isUnseen := d.Counts().Summary(), len(d.Unseen) > 0
	switch none := d.Counts() == (DriftCounts{}); {
	case none && isUnseen:
		summary = "No drift in what the credentials see."
	case none:
		summary = t.Style.paint(summary, bold, green) + " What the state records is as it is declared."
	}
	if isUnseen {
		summary += " Nobody looked at " + words.JoinAtMost(addr.Strings(d.Unseen), 5) + "."
	}
	io.WriteString(t.Out, out.String()+Wrap(summary, t.Style.Width)+"\n")
}

// DriftFormat is the version of the document that DriftList.JSON is.
const DriftFormat = "1.1"

// JSON is the document for programs. It holds no value that is secret or sensitive.
func (d *DriftList) JSON() ([]byte, error) {
	drift, strays, coverage := []jsonFields{}, []jsonFields{}, []jsonFields{}
	for i := range d.Changes {
		c := &d.Changes[i]
		sort := "changed"
		switch {
		case IsGone(c):
			sort = "gone"
		case c.LiveDrift == plan.DriftUnknown:
			sort = "unknown"
		}
		one := jsonFields{"address": c.Addr.String(), "kind": c.Kind.Name, "id": c.RemoteID, "name": c.LiveName, "drift": sort,
			"configuration_edited": c.ConfigDrift == plan.Changed, "reason": c.Reason, "fields": append([]string{}, c.Fields...)}
		if !IsGone(c) {
			one["declared"] = changedFieldValues(c, objectTree(c.Kind, c.Before, c.Sensitive))
			one["live"] = changedFieldValues(c, objectTree(c.Kind, c.After, c.Sensitive))
		}
		drift = append(drift, one)
	}
	for _, u := range d.Unmanaged {
		strays = append(strays, jsonFields{"kind": u.Kind.Name, "id": u.ID, "name": u.Name})
	}
	for _, c := range d.ManagedCounts {
		coverage = append(coverage, jsonFields{"kind": c.Kind.Name, "managed": c.Managed, "total": c.TotalWithoutIgnored,
			"ignored": c.Ignored,
			"percent": CoveragePercent(c)})
	}
	out := jsonFields{"format_version": DriftFormat, "drift": drift, "unseen": append([]string{}, addr.Strings(d.Unseen)...),
		"unmanaged": nil, "coverage": nil, "summary": d.Counts()}
	if d.ManagedCounts != nil {
		out["unmanaged"], out["coverage"] = strays, coverage
	}
	b, err := json.MarshalIndent(out, "", "  ")
	return visible.EscapeInvisibleInJSON(b), err
}

// changedFieldValues are the values of the attributes that differ; null where they are not shown.
func changedFieldValues(c *plan.Change, t valueTree) jsonFields {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(t.value, &values); err != nil {
		panic(fmt.Sprintf("view: a value that was written as JSON cannot be read: %v", err))
	}
	out := jsonFields{}
	for _, name := range c.Fields {
		out[name] = values[name]
	}
	return out
}
