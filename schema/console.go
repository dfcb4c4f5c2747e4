package schema

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"b2form/schema/config"
)

// evaluator is the Eval of the configuration: one expression, with everything
// in reach that an output may use.
func (l *module) evaluator() func(source, name string, live config.LiveLookup) (cty.Value, hcl.Diagnostics) {
	return func(source, name string, live config.LiveLookup) (cty.Value, hcl.Diagnostics) {
		expr, diags := hclsyntax.ParseExpression([]byte(source), name, hcl.InitialPos)
		if diags.HasErrors() {
			return cty.DynamicVal, diags
		}
		once := *l
		once.report = newReport()
		rs := once.resolve(expr.Variables(), use{computed: true})
		if once.failed {
			return cty.DynamicVal, once.sorted()
		}
		s := newScope(&once, once.report, live)
		root := l.root.NewChild()
		root.Functions = map[string]function.Function{"type": typeFunction()}
		v := s.eval(expr, s.context(rs, root))
		return keepPublic(v), once.sorted()
	}
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
