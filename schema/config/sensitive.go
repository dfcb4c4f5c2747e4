package config

import (
	"slices"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// MarkSecretsAndSensitive marks what must not be shown of a value of an attribute: all of it, where the attribute is a
// secret or listed as sensitive, else its secret members.
func MarkSecretsAndSensitive(a *kind.Attr, v cty.Value, sensitive []string) cty.Value {
	if a.Secret || slices.Contains(sensitive, a.Name) {
		return v.Mark(kind.Sensitive)
	}
	return a.ReplaceNestedSecrets(v, func(_ *kind.Attr, v cty.Value) cty.Value { return v.Mark(kind.Sensitive) })
}

// A ValueVisitor makes a T of each part of a value, from the innermost ones outwards.
type ValueVisitor[T any] interface {
	// Sensitive makes one of what must not be shown, with all that is in it.
	Sensitive(cty.Value) T
	Unknown() T
	// Plain makes one of a string, number or bool, or of null.
	Plain(cty.Value) T
	// Members makes one of an object or map. The names are sorted.
	Members(names []string, parts []T) T
	// Elements makes one of a list, set or tuple.
	Elements(parts []T) T
}

// VisitValue takes a value apart, by its marks and by what of it is known.
func VisitValue[T any](v cty.Value, visitor ValueVisitor[T]) T {
	v, marks := v.Unmark()
	t := v.Type()
	switch {
	case marks.Has(kind.Sensitive):
		return visitor.Sensitive(v)
	case !v.IsKnown():
		return visitor.Unknown()
	case v.IsNull() || t.IsPrimitiveType():
		return visitor.Plain(v)
	}
	hasNames := t.IsObjectType() || t.IsMapType()
	parts := make([]T, 0, v.LengthInt())
	var names []string
	for it := v.ElementIterator(); it.Next(); {
		key, e := it.Element()
		if hasNames {
			names = append(names, key.AsString())
		}
		parts = append(parts, VisitValue(e, visitor))
	}
	if hasNames {
		return visitor.Members(names, parts)
	}
	return visitor.Elements(parts)
}
