package parse

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// A counted expression spends steps each time it is evaluated. Others that look at
// the syntax see parentheses.
type counted struct {
	*hclsyntax.ParenthesesExpr
	budget *Budget
	steps  int64
	weighs bool // what it evaluates to counts too
	number bool // what it evaluates to is taken for a number
}

// UnwrapExpression lets what reads syntax see through it.
func (c *counted) UnwrapExpression() hcl.Expression { return c.Expression }

// Value implements [hclsyntax.Expression].
func (c *counted) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if c.budget.left.Add(-c.steps) < 0 {
		c.budget.Exceeded(c.SrcRange)
		panic(exceeded{c.budget})
	}
	v, diags := c.Expression.Value(ctx)
	if c.weighs && !diags.HasErrors() {
		c.budget.Weigh(v, "")
	}
	if c.number && !diags.HasErrors() {
		if n, err := convert.Convert(v, cty.Number); err == nil {
			c.budget.Weigh(n, "")
		}
	}
	if c.budget.left.Load() < 0 { // a function went over it
		c.budget.Exceeded(c.SrcRange)
	}
	return v, diags
}

// count has the parts of what was parsed counted, where evaluating it can take more
// than its size: bodies of loops, and what is put together in templates and handed to
// functions. Values that conditions choose from are converted, so they count too, and so
// do keys: numbers become texts.
func (b *Budget) count(of hclsyntax.Expression) {
	if b == nil || of == nil || plain(of) {
		return
	}
	hclsyntax.VisitAll(of, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.ForExpr:
			n.KeyExpr, n.CondExpr = b.round(n.KeyExpr), b.round(n.CondExpr)
			n.CollExpr, n.ValExpr = b.weighed(n.CollExpr), b.round(n.ValExpr)
		case *hclsyntax.TemplateExpr:
			for i, part := range n.Parts {
				if _, literal := part.(*hclsyntax.LiteralValueExpr); !literal {
					n.Parts[i] = b.counted(part, 0, true)
				}
			}
		case *hclsyntax.FunctionCallExpr:
			for i, arg := range n.Args {
				n.Args[i] = b.weighed(arg)
			}
		case *hclsyntax.ConditionalExpr:
			n.TrueResult, n.FalseResult = b.weighed(n.TrueResult), b.weighed(n.FalseResult)
		case *hclsyntax.BinaryOpExpr:
			n.LHS, n.RHS = b.weighed(n.LHS), b.weighed(n.RHS)
			if n.Op.Type == cty.Number {
				n.LHS, n.RHS = b.number(n.LHS), b.number(n.RHS)
			}
		case *hclsyntax.IndexExpr:
			n.Key = b.weighed(n.Key)
		case *hclsyntax.ObjectConsKeyExpr:
			n.Wrapped = b.weighed(n.Wrapped)
		}
		return nil
	})
}

// countBody has all expressions of a body counted.
func (b *Budget) countBody(body *hclsyntax.Body) {
	for _, a := range body.Attributes {
		b.count(a.Expr)
	}
	for _, inner := range body.Blocks {
		b.countBody(inner.Body)
	}
}

// plain reports whether nothing of an expression needs to be counted: most are words,
// texts, references, and lists of them.
func plain(e hclsyntax.Expression) bool {
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr, *hclsyntax.ScopeTraversalExpr:
		return true
	case *hclsyntax.TemplateExpr:
		return e.IsStringLiteral()
	case *hclsyntax.FunctionCallExpr:
		return len(e.Args) == 0
	case *hclsyntax.TupleConsExpr:
		return !slices.ContainsFunc(e.Exprs, func(one hclsyntax.Expression) bool { return !plain(one) })
	case *hclsyntax.ObjectConsExpr:
		return !slices.ContainsFunc(e.Items, func(i hclsyntax.ObjectConsItem) bool { return !plain(i.KeyExpr) || !plain(i.ValueExpr) })
	case *hclsyntax.ObjectConsKeyExpr:
		return plain(e.Wrapped)
	}
	return false
}

func (b *Budget) round(e hclsyntax.Expression) hclsyntax.Expression {
	if e == nil {
		return nil
	}
	return b.counted(e, perRound, makes(e))
}

func (b *Budget) weighed(e hclsyntax.Expression) hclsyntax.Expression {
	if !makes(e) {
		return e
	}
	return b.counted(e, 0, true)
}

func (b *Budget) number(e hclsyntax.Expression) hclsyntax.Expression {
	if _, literal := e.(*hclsyntax.LiteralValueExpr); literal {
		return e
	}
	return &counted{ParenthesesExpr: inParentheses(e), budget: b, number: true}
}

func (b *Budget) counted(e hclsyntax.Expression, steps int64, weighs bool) hclsyntax.Expression {
	return &counted{ParenthesesExpr: inParentheses(e), budget: b, steps: steps, weighs: weighs}
}

func inParentheses(e hclsyntax.Expression) *hclsyntax.ParenthesesExpr {
	return &hclsyntax.ParenthesesExpr{Expression: e, SrcRange: e.Range()}
}
