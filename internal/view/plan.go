package view

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema/addr"
)

// A PlanPurpose is what a plan is shown for; it only chooses words.
type PlanPurpose int

// The modes.
const (
	Planning PlanPurpose = iota
	Destroying
	Rotating
	Refreshing
)

// ApplyingCommandName is the command that carries such a plan out: "apply".
func (m PlanPurpose) ApplyingCommandName() string {
	switch m {
	case Destroying:
		return "destroy"
	case Rotating:
		return "rotate"
	}
	return "apply"
}

// ApplyingCommandWithFlags is what is typed for that behind "b2form".
func (m PlanPurpose) ApplyingCommandWithFlags() string {
	if m == Refreshing {
		return "apply -refresh-only"
	}
	return m.ApplyingCommandName()
}

// Plan writes the plan as people read it: symbols in use, one block per change,
// summary line. It needs no server and no terminal.
func (t TextUI) Plan(p *plan.Plan, m PlanPurpose) {
	out := &linePrinter{style: t.Style, verbose: t.Verbose}
	out.printOutsideChanges(p, m)
	switch {
	case !p.HasNoResourceChanges() && m != Refreshing:
		changes := &linePrinter{style: t.Style, verbose: t.Verbose}
		t.writeChanges(changes, p)
		text := changes.String()
		if t.Fold != nil {
			text = t.Fold("Changes", text)
		}
		out.WriteString(text)
		out.WriteString("\n" + summaryLine(p.Counts(), t.Style) + "\n")
	case !p.IsApplyable():
		out.WriteString(noChangesText(m, len(p.LeftOut) > 0, t.Style))
	}
	out.printOutputsSection(p)
	out.printProtectionSection(p)
	io.WriteString(t.Out, out.String())
}

// PlanDigest writes what the plan that was shown can be approved by.
func (t TextUI) PlanDigest(d plan.Digest) { fmt.Fprintf(t.Out, "\nDigest: %s\n", d) }

func noChangesText(m PlanPurpose, anyLeftOut bool, s Style) string {
	none := s.paint("No changes.", bold, green)
	switch m {
	case Destroying:
		if anyLeftOut {
			return none + " No objects are destroyed.\n\n" + Wrap("What the state lists is left out.", s.Width) + "\n"
		}
		return none + " No objects need to be destroyed.\n\n" + Wrap("b2form owns nothing here: the state lists no object.", s.Width) + "\n"
	case Rotating:
		return none + " No key is due, and no overlap has ended.\n"
	case Refreshing:
		return s.paint("No changes. Your infrastructure still matches the configuration.", bold, green) + "\n\n" +
			Wrap("b2form has checked that the real objects still match the result of your most recent changes, and found no differences.",
				s.Width) + "\n"
	}
	return s.paint("No changes. Your infrastructure matches the configuration.", bold, green) + "\n\n" +
		Wrap("b2form has compared your real infrastructure against your configuration and found no differences, so no changes are needed.",
			s.Width) + "\n"
}

func (t TextUI) writeChanges(out *linePrinter, p *plan.Plan) {
	if legend := legend(p.Changes, t.Style); legend != "" {
		out.WriteString("Actions are indicated with the following symbols:\n" + legend + "\n")
	}
	out.WriteString("b2form will perform the following actions:\n")
	alike := findSimilarCreates(p.Changes)
	for i := range p.Changes {
		f := alike[i]
		if f == nil || t.Verbose || f.shown < shownAlike {
			out.WriteByte('\n')
			out.printChange(&p.Changes[i])
		}
		if f != nil && !t.Verbose {
			out.countAndPrintFolded(f, p.Changes[i].Addr)
		}
	}
}

// legend explains the symbols that the plan uses, in a fixed order.
func legend(changes []plan.Change, s Style) string {
	used, keepsOld := map[plan.Action]bool{}, false
	for i := range changes {
		used[changes[i].Action] = true
		keepsOld = keepsOld || len(changes[i].Overlapping) > 0
	}
	rotate := "create successor"
	if keepsOld {
		rotate += " and keep the old one for a while"
	}
	words := []struct {
		action plan.Action
		word   string
	}{
		{plan.Create, "create"},
		{plan.Delete, "destroy"},
		{plan.Update, "update in-place"},
		{plan.Replace, "create replacement and then destroy"},
		{plan.Rotate, rotate},
		{plan.Forget, "forget"},
	}
	var b strings.Builder
	for _, w := range words {
		if used[w.action] {
			sign := w.action.Symbol()
			b.WriteString(s.paintBySign(sign, fmt.Sprintf("%3s", sign)) + " " + w.word + "\n")
		}
	}
	return b.String()
}

func (p *linePrinter) printChange(c *plan.Change) {
	p.printPainted("  # ", changeHeading(c), "  # ", bold)
	for _, remark := range changeRemarks(c) {
		p.printPainted("  # (", visible.EscapeLine(remark)+")", "  #  ")
	}
	for _, h := range c.Hazards {
		text := string(h.Kind)
		if h.Detail != "" {
			text += ": " + visible.EscapeLine(h.Detail)
		}
		p.printPainted("  ! ", text, "    ", bold, red)
	}
	p.printBlock(c)
}

// printBlock writes the block of a change; nothing where no attribute is told of.
func (p *linePrinter) printBlock(c *plan.Change) {
	if c.Action == plan.Forget || c.Action == plan.NoOp && len(c.Imports()) == 0 {
		return
	}
	p.printSigned(c.Action.Symbol(), "", fmt.Sprintf("%s %s {", c.Addr.Kind, quoteHCL(c.Addr.Label)))
	p.printLines(newChangeRenderer(c, p.verbose).bodyLines(), 1)
	p.WriteString("    }\n")
}

// changeRemarks are why a change is made, and what goes with it.
func changeRemarks(c *plan.Change) (remarks []string) {
	remark := func(text string) { remarks = append(remarks, text) }
	if c.Reason != "" && c.Reason != asRequested {
		remark("because " + c.Reason)
	}
	moved := c.MovedFrom != (addr.Addr{})
	if moved && changeHeading(c) != movedHeading(c) {
		remark("moved from " + c.MovedFrom.String())
	}
	if c.Import && c.Action != plan.NoOp {
		remark("imported from " + quoteHCL(c.RemoteID))
	}
	if c.Action == plan.Update && c.Kind.Content != nil {
		remark("as a new version; those before it stay until a rule of the bucket deletes them")
	}
	if (c.Action == plan.Delete || c.Action == plan.Replace) && c.Kind.Destroy.LeftBehindText != "" && !c.ForceDestroy {
		remark(c.Kind.Destroy.LeftBehindText)
	}
	if c.Action == plan.Replace && c.LiveName != "" && c.LiveName != c.Identity { // else the block says it
		remark("then destroys " + nameAndIDText(plan.NamedObject{ID: c.RemoteID, Name: c.LiveName}))
	}
	for _, o := range c.Imports() {
		if len(c.ImportedSiblings) == 0 {
			break
		}
		role := "a predecessor or successor of " + quoteHCL(c.LiveName)
		if o.ID == c.RemoteID {
			role = "the current one"
		}
		remark("imports " + nameAndIDText(o) + ", as " + role)
	}
	for _, old := range c.FurtherDeletes {
		if c.DestroysUnlisted() && old.ID == c.RemoteID {
			remark("destroys " + nameAndIDText(old) + ", if it is there")
			continue
		}
		origin := "which belongs to " + c.Addr.String() + " too" // left by an interrupted run, or a predecessor that programs may use
		if slices.Contains(c.ImportedSiblings, old) {
			origin = "which it takes over"
		}
		remark("also destroys " + nameAndIDText(old) + ", " + origin)
	}
	for _, o := range c.LeavesInB2() {
		remark(nameAndIDText(o) + " stays in B2, and nobody manages it")
	}
	for _, old := range c.Overlapping {
		remark(nameAndIDText(old) + " lives on for " + words.ExactDuration(c.Overlap) + "; a later run destroys it")
	}
	for _, old := range c.Retiring {
		remark(nameAndIDText(plan.NamedObject{ID: old.ID, Name: old.Name}) + " lives on until " + untilText(old, c.Addr))
	}
	return remarks
}

// nameAndIDText shows a live object by its name and its ID.
func nameAndIDText(o plan.NamedObject) string {
	return quoteHCL(o.Name) + ", ID " + visible.EscapeLine(o.ID)
}

const asRequested = "as requested"

func changeHeading(c *plan.Change) string {
	name := c.Addr.String()
	switch c.Action {
	case plan.Create:
		return name + " will be created"
	case plan.Update:
		return name + " will be updated in-place"
	case plan.Delete:
		return name + " will be destroyed"
	case plan.Forget:
		if c.DestroysUnlisted() {
			return name + " will be destroyed by its ID and removed from the state"
		}
		if len(c.FurtherDeletes) > 0 {
			return name + " will be removed from the state; what else belongs to it will be destroyed"
		}
		return name + " will be removed from the state; nothing is destroyed"
	case plan.NoOp:
		if len(c.Imports()) > 0 {
			return name + " will be imported"
		}
		if c.MovedFrom != (addr.Addr{}) && len(c.FurtherDeletes) == 0 {
			return movedHeading(c)
		}
		return name + " stays; what else belongs to it will be destroyed"
	}
	what := " must be replaced"
	switch {
	case c.Action == plan.Rotate && c.Reason == asRequested:
		what = " will be rotated, as requested"
	case c.Action == plan.Rotate:
		what = " will be rotated"
	case c.Reason == asRequested:
		what = " will be replaced, as requested"
	}
	return name + what
}

func movedHeading(c *plan.Change) string {
	return c.MovedFrom.String() + " has moved to " + c.Addr.String()
}

// PlanSummary is the line that people and CI tools look for.
func PlanSummary(n plan.Counts) string { return summaryLine(n, Style{}) }

// summaryLine is the line that people and CI tools look for.
func summaryLine(n plan.Counts, s Style) string {
	text := s.paint("Plan:", bold) + " "
	if n.Import > 0 {
		text += fmt.Sprintf("%d to import, ", n.Import)
	}
	text += fmt.Sprintf("%d to add, %d to change, %d to destroy", n.Add, n.Change, n.Destroy)
	if n.Forget > 0 {
		text += fmt.Sprintf(", %d to forget", n.Forget)
	}
	return text + "."
}
