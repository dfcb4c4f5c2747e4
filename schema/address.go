package schema

import (
	"math/big"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
	"b2form/schema/parse"
)

// nativeAddressExpr is an address as an expression. In JSON it is a text that holds one.
func nativeAddressExpr(e hcl.Expression) hcl.Expression {
	at := e.Range()
	if !isJSONFile(at.Filename) {
		return e
	}
	v, diags := parse.Constant(e)
	if diags.HasErrors() || !isKnownString(v) {
		return e // what is wrong is said where it is read
	}
	at.Start.Byte, at.Start.Column = at.Start.Byte+1, at.Start.Column+1 // behind the quote
	if parsed, diags := parse.Expression([]byte(v.AsString()), at.Filename, at.Start, nil); !diags.HasErrors() {
		return parsed
	}
	return e
}

// nonConstantInstanceKeys are the instance keys of an address that are no constants, at whatever
// step: in module.site[each.key].bucket.logs[each.value] there are two.
func nonConstantInstanceKeys(e hcl.Expression) []hcl.Expression {
	switch e := e.(type) {
	case *hclsyntax.RelativeTraversalExpr:
		return nonConstantInstanceKeys(e.Source)
	case *hclsyntax.IndexExpr:
		return append(nonConstantInstanceKeys(e.Collection), e.Key)
	}
	return nil
}

// evalAddress is an address with its keys evaluated; ok is false where an error was
// reported. What it leads to is for the caller to judge.
func (l *module) evalAddress(e hcl.Expression, ctx *hcl.EvalContext) (t hcl.Traversal, ok bool) {
	switch e := e.(type) {
	case *hclsyntax.RelativeTraversalExpr:
		t, ok = l.evalAddress(e.Source, ctx)
		return append(t, e.Traversal...), ok
	case *hclsyntax.IndexExpr:
		if t, ok = l.evalAddress(e.Collection, ctx); !ok {
			return nil, false
		}
		key, ok := l.evalInstanceKey(e.Key, ctx)
		return append(t, hcl.TraverseIndex{Key: key, SrcRange: e.Key.Range()}), ok
	}
	t, diags := hcl.AbsTraversalForExpr(e)
	if diags.HasErrors() {
		l.errorAt(e.Range(), "Invalid address", "An address is written as bucket.photos or module.site.bucket.photos, with instance keys "+
			"in brackets.")
		return nil, false
	}
	return append(hcl.Traversal{}, t...), true // which are not the expression's own then
}

// evalInstanceKey evaluates one instance key.
func (l *module) evalInstanceKey(e hcl.Expression, ctx *hcl.EvalContext) (key cty.Value, ok bool) {
	v, marks := l.staticScope.eval(e, ctx).Unmark()
	why := ""
	switch {
	case marks.Has(kind.Sensitive):
		why = "An address is shown in plans, so no key in it can come from a sensitive value. Use nonsensitive() where that is harmless."
	case !v.IsKnown():
		l.reportUnknownUnlessPending(l.report, e.Range(), marks)
		return v, false
	case v.IsNull() || v.Type() != cty.String && v.Type() != cty.Number:
		why = "What stands in brackets in an address is a key of for_each, which is a string, or a number of count."
	case v.Type() == cty.Number:
		if n, accuracy := v.AsBigFloat().Int64(); accuracy != big.Exact || n < 0 {
			why = "A number in brackets in an address is a whole one, from 0 on."
		}
	}
	if why != "" {
		l.errorAt(e.Range(), "Invalid address", why)
	}
	return v, why == ""
}
