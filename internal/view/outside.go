package view

import (
	"strings"

	"b2form/internal/visible"
	"b2form/plan"
	"b2form/schema/addr"
)

// printOutsideChanges says which of the objects that the plan is about changed outside of b2form; nothing where
// none did.
func (p *linePrinter) printOutsideChanges(made *plan.Plan, m PlanPurpose) {
	var texts []string
	for i := range made.Changes {
		if text := OutsideChangeText(&made.Changes[i], m); text != "" {
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 {
		return
	}
	paragraph := func(text string) { p.WriteString(Wrap(text, p.style.Width) + "\n\n") }
	p.WriteString(p.style.paint("Note:", bold, cyan) + p.style.paint(" Objects have changed outside of b2form", bold) + "\n\n")
	paragraph("b2form detected the following changes made outside of b2form since the last \"b2form apply\" which may have affected " +
		"this plan:")
	for _, text := range texts {
		p.printPainted("  # ", text, "  # ", bold)
	}
	p.WriteByte('\n')
	if m != Refreshing {
		paragraph("Unless you have made equivalent changes to your configuration, or ignored the relevant attributes using " +
			"ignore_changes, the following plan may include actions to undo or respond to these changes.")
		return
	}
	p.WriteString(Wrap("This is a refresh-only plan, so b2form will not take any actions to undo these. If you were expecting these "+
		"changes then you can apply this plan to record them in the state without changing any real object.", p.style.Width) + "\n")
}

// OutsideChangeText is what happened to the object of a change outside of b2form; "": nothing that the plan
// depends on.
func OutsideChangeText(c *plan.Change, m PlanPurpose) string {
	name := c.Addr.String()
	switch {
	case c.LiveDrift == plan.Gone && c.Import:
		return name + " was deleted and made anew, with the ID " + quoteHCL(c.RemoteID)
	case c.LiveDrift == plan.Gone && c.Reason != "" && m == Refreshing:
		return name + " is gone: " + visible.EscapeLine(c.Reason)
	case c.LiveDrift == plan.Gone:
		return name + " has been deleted"
	case c.LiveDrift == plan.Changed && c.ConfigDrift == plan.Changed && m != Refreshing:
		return name + " has changed, and so has its configuration"
	case c.LiveDrift == plan.Changed && c.ConfigDrift == plan.Unchanged && len(c.Fields) > 0:
		return name + " has changed: " + strings.Join(c.Fields, ", ")
	case c.LiveDrift == plan.Changed:
		return name + " has changed"
	case m == Refreshing && c.MovedFrom != (addr.Addr{}):
		return movedHeading(c)
	}
	return ""
}

// emitOutsideChanges writes a line for each object that changed outside of b2form.
func (j JSONUI) emitOutsideChanges(p *plan.Plan, m PlanPurpose) {
	for i := range p.Changes {
		c := &p.Changes[i]
		action, changed := outsideAction(c)
		if OutsideChangeText(c, m) == "" || !changed {
			continue
		}
		change := jsonFields{"resource": newResourceJSON(c.Addr), "action": action}
		if c.LiveDrift == plan.Gone && c.Reason != "" {
			change["reason"] = c.Reason
		}
		j.emit("info", c.Addr.String()+": Drift detected ("+string(action)+")", "resource_drift", jsonFields{"change": change})
	}
}

// outsideAction is what happened to the object of a change outside of b2form, as an action; changed is false where
// nothing did, or nobody knows.
func outsideAction(c *plan.Change) (action plan.Action, changed bool) {
	switch c.LiveDrift {
	case plan.Changed:
		return plan.Update, true
	case plan.Gone:
		return plan.Delete, true
	}
	return "", false
}
