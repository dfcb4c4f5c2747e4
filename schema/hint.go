package schema

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/kind"
)

// findWholeResourceHint says of a diagnostic about a whole resource, where a part of it
// must be meant, how to name one; "" of any other.
func findWholeResourceHint(d *hcl.Diagnostic) string {
	if d.Expression == nil || d.EvalContext == nil {
		return ""
	}
	t, diags := hcl.AbsTraversalForExpr(d.Expression)
	if diags.HasErrors() {
		return ""
	}
	v, diags := t.TraverseAbs(d.EvalContext)
	v, marks := v.Unmark()
	if diags.HasErrors() || !markedAsResource(marks) || !v.Type().IsObjectType() || !v.Type().HasAttribute("name") {
		return ""
	}
	return fmt.Sprintf(" That is a whole resource; write %s.name for its name.", traversalText(t))
}

// findSplatHint says of m[*].name, where m is a map, how to go through its values.
func findSplatHint(e hcl.Expression, d *hcl.Diagnostic) string {
	node, native := e.(hclsyntax.Node)
	if !native || d.Subject == nil || d.EvalContext == nil {
		return ""
	}
	hint := ""
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		splat, ok := n.(*hclsyntax.SplatExpr)
		if !ok || !splat.Range().Overlaps(*d.Subject) {
			return nil
		}
		t, diags := hcl.AbsTraversalForExpr(splat.Source)
		if diags.HasErrors() {
			return nil
		}
		if v, diags := t.TraverseAbs(d.EvalContext); !diags.HasErrors() && v.Type().IsMapType() {
			hint = fmt.Sprintf(" A map is no list: write values(%s)[*] to go through its values.", traversalText(t))
		}
		return nil
	})
	return hint
}

func markedAsResource(marks cty.ValueMarks) bool {
	for m := range marks {
		if _, ok := m.(refMark); ok {
			return true
		}
	}
	return false
}

// suggestNearestFunction makes the suggestion for an unknown function the same each time: HCL's is any of
// those that are nearest.
func suggestNearestFunction(d *hcl.Diagnostic) {
	call, unknown := hcl.DiagnosticExtra[hclsyntax.FunctionCallUnknownDiagExtra](d)
	if !unknown || call.CalledFunctionNamespace() != "" {
		return
	}
	var names []string
	for ctx := d.EvalContext; ctx != nil; ctx = ctx.Parent() {
		names = slices.AppendSeq(names, maps.Keys(ctx.Functions))
	}
	d.Detail = fmt.Sprintf("There is no function named %q.%s", call.CalledFunctionName(),
		words.DidYouMean(call.CalledFunctionName(), "", names))
}

// Where no name is like the one that is missing, a message lists so many, if they are no longer.
const (
	maxNamesListed   = 10
	maxNameListBytes = 500
)

// findNameHint suggests a name where a member or an instance has another, or lists those that there are.
func findNameHint(e hcl.Expression, d *hcl.Diagnostic) string {
	if d.Subject == nil || d.EvalContext == nil {
		return ""
	}
	for _, t := range e.Variables() {
		for i, step := range t[1:] {
			if step.SourceRange() != *d.Subject {
				continue
			}
			v, diags := t[:i+1].TraverseAbs(d.EvalContext)
			v, marks := v.Unmark()
			if diags.HasErrors() || marks.Has(kind.Sensitive) || !v.IsKnown() || v.IsNull() {
				return ""
			}
			names := memberNames(v)
			if near := words.DidYouMean(traverserName(step), "", names); near != "" || len(names) == 0 {
				return near
			}
			if list := words.JoinAtMost(slices.Sorted(slices.Values(names)), maxNamesListed); len(list) <= maxNameListBytes {
				return " It has " + list + "."
			}
			return ""
		}
	}
	return ""
}

// traverserName is the name in a step of a reference, as an attribute or in brackets.
func traverserName(step hcl.Traverser) string {
	if index, ok := step.(hcl.TraverseIndex); ok && isKnownString(index.Key) {
		return index.Key.AsString()
	}
	return addr.RootOrAttrName(step)
}

// memberNames lists the names of an object's members, or the keys of a map.
func memberNames(v cty.Value) []string {
	var out []string
	switch t := v.Type(); {
	case t.IsObjectType():
		for name := range t.AttributeTypes() {
			out = append(out, name)
		}
	case t.IsMapType():
		for it := v.ElementIterator(); it.Next() && len(out) < 1000; {
			key, _ := it.Element()
			out = append(out, key.AsString())
		}
	}
	return out
}
