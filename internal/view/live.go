package view

import (
	"io"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/visible"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/kind"
)

// A RecordedObject is an object that the state records.
type RecordedObject struct {
	Addr           addr.Addr
	Kind           *kind.Kind
	ID             string                // its remote ID
	LiveValue      cty.Value             // every attribute; null: it is not there, or out of sight
	SensitiveAttrs []string              // attributes that are not shown
	Retiring       []addr.RetiringObject // its predecessors that live on
}

// RecordedObjects writes objects as blocks with all that is live in them.
func (t TextUI) RecordedObjects(list []RecordedObject) {
	out := &linePrinter{style: t.Style, verbose: t.Verbose}
	for i := range list {
		if i > 0 {
			out.WriteByte('\n')
		}
		out.printLiveObject(&list[i])
	}
	io.WriteString(t.Out, out.String())
}

func (p *linePrinter) printLiveObject(o *RecordedObject) {
	p.printPainted("# ", o.Addr.String()+":", "# ", bold)
	for _, old := range o.Retiring {
		p.printPainted("# (", nameAndIDText(plan.NamedObject{ID: old.ID, Name: old.Name})+" lives on until "+untilText(old, o.Addr)+")",
			"#  ")
	}
	if o.LiveValue.IsNull() {
		p.printPainted("# (", "not live: the "+o.Kind.Name+" of the ID "+visible.EscapeLine(o.ID)+
			" is gone, or these credentials do not show it)", "#  ")
		return
	}
	p.WriteString(o.Addr.Kind + " " + quoteHCL(o.Addr.Label) + " {\n")
	c := &plan.Change{Kind: o.Kind, Action: plan.NoOp, Before: o.LiveValue, After: o.LiveValue,
		Sensitive: slices.Sorted(slices.Values(o.SensitiveAttrs))}
	v := newChangeRenderer(c, p.verbose)
	v.showComputedOfUnchanged = true
	p.printLines(v.bodyLines(), 0)
	p.WriteString("}\n")
}
