package schema

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"b2form/schema/config"
	"b2form/schema/parse"
)

// evaluateText is the Eval of the configuration: one expression, with everything in reach
// that an output may use.
func (l *module) evaluateText(source, filename string, live config.LiveLookup) (cty.Value, hcl.Diagnostics) {
	expr, diags := parse.Expression([]byte(source), filename, hcl.InitialPos, l.shared.evalBudget)
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	return l.evaluateWith(expr, nil, live)
}

// evaluateWith is the EvalWith of the configuration.
func (l *module) evaluateWith(expr hcl.Expression, further map[string]cty.Value, live config.LiveLookup) (cty.Value, hcl.Diagnostics) {
	once := *l
	once.report = newReport()
	references := slices.DeleteFunc(slices.Clone(expr.Variables()), func(t hcl.Traversal) bool {
		_, known := further[t.RootName()]
		return known
	})
	rs := once.resolve(references, allowedRefs{computed: true})
	if once.hasErrors {
		return cty.DynamicVal, once.sortedDiags()
	}
	defer l.shared.evalBudget.GrantEvaluation()()
	s := newScope(&once, once.report, live)
	root := l.baseContext.NewChild()
	root.Variables = further
	root.Functions = map[string]function.Function{"type": typeFunction()}
	v := s.eval(expr, s.context(rs, root))
	return dropLoaderMarks(v), once.sortedDiags()
}

// referenceNames lists what expressions may refer to.
func (l *module) referenceNames() []string {
	out := []string{"path.cwd", "path.module", "path.root"}
	for name := range l.variables {
		out = append(out, "var."+name)
	}
	for name := range l.locals {
		out = append(out, "local."+name)
	}
	for name := range l.calls {
		out = append(out, "module."+name)
	}
	for a := range l.blocks {
		out = append(out, a.kind+"."+a.label)
	}
	out = slices.AppendSeq(out, maps.Keys(l.data))
	slices.Sort(out)
	return out
}

// typeFunction says which type a value has, as a type constraint.
func typeFunction() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true,
			AllowDynamicType: true, AllowMarked: true}},
		Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.StringVal(typeexpr.TypeString(args[0].Type())), nil
		},
	})
}
