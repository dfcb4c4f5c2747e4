package functions

import (
	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// tryFunctions are those of the library, but for the marks: these say why a value is not known, and the library's lose them.
// In policies from elsewhere every result has the marks of all that the expressions refer to: that an expression succeeds
// tells something of the values in it, and who asks often enough has been told a whole value.
func tryFunctions(inPolicyDir bool) map[string]function.Function {
	return map[string]function.Function{"try": withReferenceMarks(tryfunc.TryFunc, inPolicyDir),
		"can": withReferenceMarks(tryfunc.CanFunc, inPolicyDir)}
}

// withReferenceMarks gives an unknown result of a function of expressions the marks of what these refer to. With always,
// it gives them to every result, and those of that in which a reference finds nothing, too.
func withReferenceMarks(f function.Function, always bool) function.Function {
	return function.New(&function.Spec{
		Params: f.Params(), VarParam: f.VarParam(), Type: f.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := f.Call(args)
			if err != nil || !always && (v.IsMarked() || v.IsWhollyKnown()) {
				return v, err
			}
			for _, a := range args {
				closure := customdecode.ExpressionClosureFromVal(a)
				for _, t := range closure.Expression.Variables() {
					of, diags := t.TraverseAbs(closure.EvalContext)
					for n := len(t) - 1; always && diags.HasErrors() && n > 0; n-- {
						of, diags = t[:n].TraverseAbs(closure.EvalContext)
					}
					if !diags.HasErrors() {
						_, marks := of.UnmarkDeep()
						v = v.WithMarks(marks)
					}
				}
			}
			return v, nil
		},
	})
}
