package schema

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/parse"
)

// locate finds the smallest written piece that a path into the attributes leads
// to; name asks for the last step's name instead of its value.
func (w *bodyArgs) locate(path cty.Path, ofName bool) hcl.Range {
	if len(path) == 0 {
		return w.headerRange
	}
	step, ok := path[0].(cty.GetAttrStep)
	if !ok {
		return w.headerRange
	}
	arg := w.find(step.Name)
	switch {
	case arg == nil:
		return w.headerRange
	case arg.expr != nil:
		return locateIn(arg.expr, path[1:], ofName)
	case !arg.attr.Many:
		return arg.blocks[0].locate(path[1:], ofName)
	case len(path) > 1:
		if i, ok := indexOfStep(path[1]); ok && i < len(arg.blocks) {
			return arg.blocks[i].locate(path[2:], ofName)
		}
	}
	return arg.place
}

// locateIn follows a path into what an expression literally spells out.
func locateIn(e hcl.Expression, path cty.Path, ofName bool) hcl.Range {
	if len(path) == 0 {
		return e.Range()
	}
	e = unwrapParensAndConditional(e)
	if i, ok := indexOfStep(path[0]); ok {
		list, diags := hcl.ExprList(e)
		switch {
		case !diags.HasErrors() && i < len(list):
			return locateIn(list[i], path[1:], ofName)
		case diags.HasErrors() && isJSONFile(e.Range().Filename):
			return locateIn(e, path[1:], ofName) // a list of one, written without the list
		}
		return e.Range()
	}
	key, ok := attrNameOrKey(path[0])
	if !ok {
		return e.Range()
	}
	pairs, diags := hcl.ExprMap(e)
	if diags.HasErrors() {
		return locateElement(e, key)
	}
	for _, p := range pairs {
		if v, diags := parse.Constant(p.Key); !diags.HasErrors() && isKnownString(v) && strings.EqualFold(v.AsString(), key) {
			if ofName && len(path) == 1 {
				return p.Key.Range()
			}
			return locateIn(p.Value, path[1:], ofName)
		}
	}
	return e.Range()
}

// unwrapParensAndConditional is the expression without parentheses, and of a conditional the one
// side that can hold something.
func unwrapParensAndConditional(e hcl.Expression) hcl.Expression {
	switch e := e.(type) {
	case interface{ UnwrapExpression() hcl.Expression }:
		return unwrapParensAndConditional(e.UnwrapExpression())
	case *hclsyntax.ParenthesesExpr:
		return unwrapParensAndConditional(e.Expression)
	case *hclsyntax.ConditionalExpr:
		switch yes, no := unwrapParensAndConditional(e.TrueResult), unwrapParensAndConditional(e.FalseResult); {
		case isNullOrEmptyCollectionLiteral(yes):
			return no
		case isNullOrEmptyCollectionLiteral(no):
			return yes
		}
	}
	return e
}

// isNullOrEmptyCollectionLiteral: null, [] or {}.
func isNullOrEmptyCollectionLiteral(e hcl.Expression) bool {
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		return e.Val.IsNull()
	case *hclsyntax.TupleConsExpr:
		return len(e.Exprs) == 0
	case *hclsyntax.ObjectConsExpr:
		return len(e.Items) == 0
	}
	return false
}

// locateElement finds the element of a list literal that a set holds as a text.
func locateElement(e hcl.Expression, text string) hcl.Range {
	list, diags := hcl.ExprList(e)
	if diags.HasErrors() {
		return e.Range()
	}
	for _, item := range list {
		if v, diags := parse.Constant(item); !diags.HasErrors() && isKnownString(v) && v.AsString() == text {
			return item.Range()
		}
	}
	return e.Range()
}

func isKnownString(v cty.Value) bool {
	return !v.IsMarked() && v.Type() == cty.String && v.IsKnown() && !v.IsNull()
}

func indexOfStep(step cty.PathStep) (i int, ok bool) {
	s, ok := step.(cty.IndexStep)
	if !ok || s.Key.Type() != cty.Number || !s.Key.IsKnown() || s.Key.IsNull() {
		return 0, false
	}
	n, _ := s.Key.AsBigFloat().Int64()
	return int(n), n >= 0
}

func attrNameOrKey(step cty.PathStep) (key string, ok bool) {
	switch s := step.(type) {
	case cty.GetAttrStep:
		return s.Name, true
	case cty.IndexStep:
		if isKnownString(s.Key) {
			return s.Key.AsString(), true
		}
	}
	return "", false
}
