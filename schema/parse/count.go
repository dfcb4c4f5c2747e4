package parse

import (
	"errors"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// A countedExpr spends steps each time it is evaluated. Others that look at
// the syntax see parentheses.
type countedExpr struct {
	*hclsyntax.ParenthesesExpr
	budget               *Budget
	steps                int64
	countsResult         bool // what it evaluates to counts too
	countsResultAsNumber bool // what it evaluates to is taken for a number
}

// UnwrapExpression lets what reads syntax see through it.
func (c *countedExpr) UnwrapExpression() hcl.Expression { return c.Expression }

// Value implements [hclsyntax.Expression].
func (c *countedExpr) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if c.budget.stepsLeft.Add(-c.steps) < 0 {
		c.budget.NewExceededError(c.SrcRange)
		panic(exceededPanic{c.budget})
	}
	v, diags := c.Expression.Value(ctx)
	if c.countsResult && !diags.HasErrors() {
		c.budget.MustSpendValue(v, "")
	}
	if c.countsResultAsNumber && !diags.HasErrors() {
		if n, err := convert.Convert(v, cty.Number); err == nil {
			c.budget.MustSpendValue(n, "")
		}
	}
	if c.budget.stepsLeft.Load() < 0 { // a function went over it
		c.budget.NewExceededError(c.SrcRange)
	}
	return v, diags
}

// wrapCounted has the parts of what was parsed counted, where evaluating it can take more
// than its size: bodies of loops, and what is put together in templates and handed to
// functions. Values that conditions choose from are converted, so they count too, and so
// do keys: numbers become texts.
func (b *Budget) wrapCounted(of hclsyntax.Expression) {
	if b == nil || of == nil || needsNoCounting(of) {
		return
	}
	hclsyntax.VisitAll(of, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.ForExpr:
			n.KeyExpr, n.CondExpr = b.countedLoopPart(n.KeyExpr), b.countedLoopPart(n.CondExpr)
			n.CollExpr, n.ValExpr = b.withResultCounted(n.CollExpr), b.countedLoopPart(n.ValExpr)
		case *hclsyntax.TemplateExpr:
			for i, part := range n.Parts {
				if _, literal := part.(*hclsyntax.LiteralValueExpr); !literal {
					n.Parts[i] = b.newCountedExpr(part, 0, true)
				}
			}
		case *hclsyntax.FunctionCallExpr:
			for i, arg := range n.Args {
				n.Args[i] = b.withResultCounted(arg)
			}
		case *hclsyntax.ConditionalExpr:
			n.TrueResult, n.FalseResult = b.withResultCounted(n.TrueResult), b.withResultCounted(n.FalseResult)
		case *hclsyntax.BinaryOpExpr:
			n.LHS, n.RHS = b.withResultCounted(n.LHS), b.withResultCounted(n.RHS)
			if n.Op == hclsyntax.OpDivide || n.Op == hclsyntax.OpModulo {
				n.Op = withZeroDivisorError(n.Op)
			}
			if n.Op == hclsyntax.OpLogicalAnd || n.Op == hclsyntax.OpLogicalOr {
				n.Op = withNullOperandError(n.Op, cty.BoolVal(n.Op == hclsyntax.OpLogicalOr))
			}
			if n.Op.Type == cty.Number {
				n.LHS, n.RHS = b.countNumberConversion(n.LHS), b.countNumberConversion(n.RHS)
			}
		case *hclsyntax.IndexExpr:
			n.Key = b.withResultCounted(n.Key)
		case *hclsyntax.ObjectConsKeyExpr:
			n.Wrapped = b.withResultCounted(n.Wrapped)
		}
		return nil
	})
}

// wrapBodyCounted has all expressions of a body counted.
func (b *Budget) wrapBodyCounted(body *hclsyntax.Body) {
	for _, a := range body.Attributes {
		b.wrapCounted(a.Expr)
	}
	for _, inner := range body.Blocks {
		b.wrapBodyCounted(inner.Body)
	}
}

// needsNoCounting reports whether nothing of an expression needs to be counted: most are words,
// texts, references, and lists of them.
func needsNoCounting(e hclsyntax.Expression) bool {
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr, *hclsyntax.ScopeTraversalExpr:
		return true
	case *hclsyntax.TemplateExpr:
		return e.IsStringLiteral()
	case *hclsyntax.FunctionCallExpr:
		return len(e.Args) == 0
	case *hclsyntax.TupleConsExpr:
		return !slices.ContainsFunc(e.Exprs, func(one hclsyntax.Expression) bool { return !needsNoCounting(one) })
	case *hclsyntax.ObjectConsExpr:
		return !slices.ContainsFunc(e.Items, func(i hclsyntax.ObjectConsItem) bool {
			return !needsNoCounting(i.KeyExpr) || !needsNoCounting(i.ValueExpr)
		})
	case *hclsyntax.ObjectConsKeyExpr:
		return needsNoCounting(e.Wrapped)
	}
	return false
}

func (b *Budget) countedLoopPart(e hclsyntax.Expression) hclsyntax.Expression {
	if e == nil {
		return nil
	}
	return b.newCountedExpr(e, stepsPerRound, mayMakeUncountedValue(e))
}

func (b *Budget) withResultCounted(e hclsyntax.Expression) hclsyntax.Expression {
	if !mayMakeUncountedValue(e) {
		return e
	}
	return b.newCountedExpr(e, 0, true)
}

func (b *Budget) countNumberConversion(e hclsyntax.Expression) hclsyntax.Expression {
	if _, literal := e.(*hclsyntax.LiteralValueExpr); literal {
		return e
	}
	return &countedExpr{ParenthesesExpr: wrapInParentheses(e), budget: b, countsResultAsNumber: true}
}

func (b *Budget) newCountedExpr(e hclsyntax.Expression, steps int64, countsResult bool) hclsyntax.Expression {
	return &countedExpr{ParenthesesExpr: wrapInParentheses(e), budget: b, steps: steps, countsResult: countsResult}
}

func wrapInParentheses(e hclsyntax.Expression) *hclsyntax.ParenthesesExpr {
	return &hclsyntax.ParenthesesExpr{Expression: e, SrcRange: e.Range()}
}

// withZeroDivisorError is division or modulo that refuses to divide by zero: the library's results are an infinite
// number and the dividend.
func withZeroDivisorError(op *hclsyntax.Operation) *hclsyntax.Operation {
	return &hclsyntax.Operation{Type: op.Type, Impl: function.New(&function.Spec{Params: op.Impl.Params(),
		Type:         function.StaticReturnType(op.Type),
		RefineResult: func(b *cty.RefinementBuilder) *cty.RefinementBuilder { return b.NotNull() },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if divisor, _ := args[1].Unmark(); divisor.IsKnown() && divisor.RawEquals(cty.Zero) {
				return cty.NilVal, errors.New("division by zero")
			}
			return op.Impl.Call(args)
		},
	})}
}

// withNullOperandError is && or ||, to which null is an error, unless what stands before it is the deciding value: the
// library's && takes null for false.
func withNullOperandError(op *hclsyntax.Operation, deciding cty.Value) *hclsyntax.Operation {
	decide := op.ShortCircuit
	return &hclsyntax.Operation{Type: op.Type, Impl: op.Impl,
		ShortCircuit: func(lhs, rhs cty.Value, lhsDiags, rhsDiags hcl.Diagnostics) (cty.Value, hcl.Diagnostics) {
			if (lhs.IsNull() || rhs.IsNull()) && !lhs.RawEquals(deciding) {
				return cty.NilVal, nil
			}
			return decide(lhs, rhs, lhsDiags, rhsDiags)
		}}
}
