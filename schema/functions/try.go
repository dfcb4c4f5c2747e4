package functions

import (
	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// tryFunctions are those of the library, but for the marks: these say why a value
// is not known, and the library's lose them.
func tryFunctions() map[string]function.Function {
	return map[string]function.Function{"try": withMarksForUnknownResult(tryfunc.TryFunc),
		"can": withMarksForUnknownResult(tryfunc.CanFunc)}
}

// withMarksForUnknownResult gives an unknown result of a function of expressions the marks of what
// these refer to.
func withMarksForUnknownResult(f function.Function) function.Function {
	return function.New(&function.Spec{
		Params: f.Params(), VarParam: f.VarParam(), Type: f.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := f.Call(args)
			if err != nil || v.IsMarked() || v.IsWhollyKnown() {
				return v, err
			}
			for _, a := range args {
				closure := customdecode.ExpressionClosureFromVal(a)
				for _, t := range closure.Expression.Variables() {
					if of, diags := t.TraverseAbs(closure.EvalContext); !diags.HasErrors() {
						_, marks := of.UnmarkDeep()
						v = v.WithMarks(marks)
					}
				}
			}
			return v, nil
		},
	})
}
