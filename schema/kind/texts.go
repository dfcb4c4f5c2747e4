package kind

import (
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// StringValues makes values of texts.
func StringValues(ss ...string) []cty.Value {
	out := make([]cty.Value, len(ss))
	for i, s := range ss {
		out[i] = cty.StringVal(s)
	}
	return out
}

// LowerCase is the Normalize of a text in which case means nothing.
func LowerCase(v cty.Value) cty.Value { return cty.StringVal(strings.ToLower(v.AsString())) }

// StringsIfWhollyKnown lists the elements of a collection of texts but those that are null; nil
// where it is null or not wholly known.
func StringsIfWhollyKnown(v cty.Value) []string {
	if v.IsNull() || !v.IsWhollyKnown() {
		return nil
	}
	out := make([]string, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		if _, e := it.Element(); !e.IsNull() {
			out = append(out, e.AsString())
		}
	}
	return out
}

// EmptyIfNull is a known text; "" where it is null, as in a live object that does not tell it.
func EmptyIfNull(v cty.Value) string {
	if v.IsNull() {
		return ""
	}
	return v.AsString()
}

// IsNullOrEmptyCollection reports whether a value says nothing: null, or an empty collection.
func IsNullOrEmptyCollection(v cty.Value) bool {
	return v.IsNull() || v.IsKnown() && v.Type().IsCollectionType() && v.LengthInt() == 0
}

// FormatValue shows a value in one line.
func FormatValue(v cty.Value) string {
	switch {
	case !v.IsWhollyKnown():
		return "(hidden)"
	case IsNullOrEmptyCollection(v):
		return "none"
	}
	b, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return "(" + v.Type().FriendlyName() + ")"
	}
	return string(b)
}
