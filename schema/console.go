package schema

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// evaluator is the Eval of the configuration: one expression, with everything
// in reach that an output may use.
func (l *loader) evaluator() func(source, name string, live kind.Live) (cty.Value, hcl.Diagnostics) {
	return func(source, name string, live kind.Live) (cty.Value, hcl.Diagnostics) {
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
		v := s.eval(expr, s.context(rs, l.root))
		return keepPublic(v), once.sorted()
	}
}
