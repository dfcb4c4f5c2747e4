package schema

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
	"b2form/schema/parse"
)

// What is not known in a value has a cause, which its marks tell: an attribute that B2 makes (kind.ComputedMark), one that the
// credentials may not read (unreadableMark), or something that a later evaluation knows (unknownYetMark). Without any of them the
// expression itself is at fault, as one that calls a function with null.

// An unknownYetMark marks what is unknown only in this evaluation: a variable without a value, data that was not read, and what an
// earlier error leaves open.
type unknownYetMark struct{}

// unknownYetValue is a value of which nothing is known yet.
func unknownYetValue(t cty.Type) cty.Value { return cty.UnknownVal(t).Mark(unknownYetMark{}) }

// isUnknownCause reports whether a mark tells why a value is not known.
func isUnknownCause(mark any) bool {
	switch mark.(type) {
	case kind.ComputedMark, unreadableMark, unknownYetMark:
		return true
	}
	return false
}

func hasUnknownCause(marks cty.ValueMarks) bool {
	for m := range marks {
		if isUnknownCause(m) {
			return true
		}
	}
	return false
}

// hasUnexplainedUnknown reports whether a part of a value is not known without a cause.
func hasUnexplainedUnknown(v cty.Value) bool {
	if v.IsMarked() {
		plain, marks := v.Unmark()
		if hasUnknownCause(marks) {
			return false
		}
		v = plain
	}
	switch {
	case !v.IsKnown():
		return true
	case v.IsNull() || !v.CanIterateElements():
		return false
	}
	for it := v.ElementIterator(); it.Next(); {
		if _, e := it.Element(); hasUnexplainedUnknown(e) {
			return true
		}
	}
	return false
}

// unknownCauses are those among marks that are a cause. One that a later evaluation ends comes before all others: whole resources hold
// attributes that are not known and that nobody asked for.
func unknownCauses(marks cty.ValueMarks) cty.ValueMarks {
	out := cty.ValueMarks{}
	for m := range marks {
		if m == (unknownYetMark{}) {
			return cty.NewValueMarks(m)
		}
		if isUnknownCause(m) {
			out[m] = struct{}{}
		}
	}
	return out
}

// unknownCausesIn are the causes for which something that the expression refers to is not known.
func unknownCausesIn(e hcl.Expression, ctx *hcl.EvalContext) cty.ValueMarks {
	out := cty.ValueMarks{}
	for _, t := range e.Variables() {
		for ; len(t) > 0; t = t[:len(t)-1] {
			v, diags := t.TraverseAbs(ctx)
			if diags.HasErrors() {
				continue // a shorter one may lead to something
			}
			_, marks := v.UnmarkDeep()
			maps.Copy(out, marks)
			break
		}
	}
	return unknownCauses(out)
}

// markUnknownCauses gives a value of the expression the causes for which it is not known, where a function has lost them; or says that the
// expression itself is at fault.
func markUnknownCauses(e hcl.Expression, ctx *hcl.EvalContext, v cty.Value) (cty.Value, *hcl.Diagnostic) {
	if !slices.ContainsFunc(parse.ValuesExceptObjectRefs(e, v), hasUnexplainedUnknown) {
		return v, nil
	}
	if marks := unknownCausesIn(e, ctx); len(marks) > 0 {
		return v.WithMarks(marks), nil
	}
	return v, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: unknownSummary, Detail: unknownDetail,
		Subject: e.Range().Ptr(), Expression: e, EvalContext: ctx, Extra: unknownValueExtra{}}
}

// unknownValueExtra is the Extra of a diagnostic that says nothing new where an earlier error can be the reason.
type unknownValueExtra struct{}

const (
	unknownSummary = "Value cannot be worked out"
	unknownDetail  = "This has no value, although all that it refers to is known. Give it one."
)
