package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/ctymarks"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// An output is one output block.
type output struct {
	config *config.Output
	expr   hcl.Expression
	refs   refs

	preconditions []*condition
}

func (l *module) declareOutput(b *hcl.Block) {
	if !l.checkLabel(b) {
		return
	}
	name := b.Labels[0]
	if first, has := l.outputRanges[name]; has {
		l.reportDuplicate("output."+name, b.DefRange, first)
		return
	}
	l.outputRanges[name] = b.DefRange
	d := syntax.FindFixedBlock(b.Type)
	content, _ := l.readContent(b, d)
	a := content.Attributes["value"]
	if a == nil {
		return
	}
	o := &output{config: &config.Output{Name: name, Range: b.DefRange}, expr: a.Expr}
	l.evalConstant(content.Attributes["description"], &o.config.Description)
	l.evalConstant(content.Attributes["sensitive"], &o.config.Sensitive)
	o.preconditions = l.readConditions(precondition, content.Blocks, d)
	l.outputs = append(l.outputs, o)
}

// resolveOutputReferences resolves the references of the outputs.
func (l *module) resolveOutputReferences() {
	for _, o := range l.outputs {
		o.refs = l.resolve(o.expr.Variables(), allowedRefs{computed: true})
		l.refuseSecrets(o.preconditions, nil)
		for _, c := range o.preconditions {
			c.refs = l.resolve(c.variables(), allowedRefs{computed: true})
		}
	}
}

// evaluateOutputs tries every output once, so that its errors show now.
func (l *module) evaluateOutputs() {
	for _, o := range l.outputs {
		o.checkPreconditions(l.staticScope)
		v := l.staticScope.eval(o.expr, l.staticScope.context(o.refs, l.baseContext))
		_, marks := v.UnmarkDeep()
		for m := range marks {
			if r, ok := m.(refMark); ok {
				o.config.Needs = append(o.config.Needs, r.addr)
			}
		}
		slices.SortFunc(o.config.Needs, addr.Addr.Compare)
		if marks.Has(kind.Sensitive) && !o.config.Sensitive {
			l.errorAt(o.expr.Range(), "Sensitive output", "The value comes from a sensitive variable, or holds a secret. Add sensitive "+
				"= true to the output, or use nonsensitive() where that is harmless.")
		}
		o.config.Value = l.outputEvaluator(o)
		l.config.Outputs = append(l.config.Outputs, o.config)
	}
	slices.SortFunc(l.config.Outputs, func(a, b *config.Output) int { return strings.Compare(a.Name, b.Name) })
}

// outputEvaluator is the Value of an output. Marks tell what is
// sensitive and what a missing value was to be made from.
func (l *module) outputEvaluator(o *output) func(config.LiveLookup) (cty.Value, hcl.Diagnostics) {
	return func(live config.LiveLookup) (cty.Value, hcl.Diagnostics) {
		s, end := l.newScopeAfterLoad(live)
		defer end()
		o.checkPreconditions(s)
		v := s.eval(o.expr, s.context(o.refs, l.baseContext))
		return dropLoaderMarks(v), s.report.sortedDiags()
	}
}

// checkPreconditions reports what does not hold, as far as that is known.
func (o *output) checkPreconditions(s *scope) {
	for _, c := range o.preconditions {
		if d, _ := c.failureReportingSecrets(s, s.context(c.refs, s.module.baseContext)); d != nil {
			address := strings.TrimPrefix(s.module.addressPrefix+".output."+o.config.Name, ".")
			d.Summary, d.Extra = preconditionFailed, config.UserMessageExtra{Instance: address}
			d.Detail += fmt.Sprintf("\n\nThis is a precondition of %s.", address)
			s.report.add(d)
		}
	}
}

// dropLoaderMarks takes every mark off that is the loader's own business.
func dropLoaderMarks(v cty.Value) cty.Value {
	out, err := v.WrangleMarksDeep(func(mark any, _ cty.Path) (ctymarks.WrangleAction, error) {
		if _, computed := mark.(kind.ComputedMark); computed || mark == kind.Sensitive {
			return ctymarks.WrangleKeep, nil
		}
		return ctymarks.WrangleDrop, nil
	})
	if err != nil {
		return cty.DynamicVal.Mark(kind.Sensitive)
	}
	return out
}
