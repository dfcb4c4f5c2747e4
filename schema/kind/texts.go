package kind

import (
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/wire"
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

// FormatValue shows a value in one line, as HCL. Attributes of objects that are null are left out.
func FormatValue(v cty.Value) string {
	switch {
	case !v.IsWhollyKnown():
		return "(hidden)"
	case IsNullOrEmptyCollection(v):
		return "none"
	}
	return formatInLine(v)
}

func formatInLine(v cty.Value) string {
	t := v.Type()
	switch {
	case !v.IsNull() && t == cty.String:
		return wire.QuoteText(v.AsString(), func(s string) string { return string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes()) })
	case v.IsNull() || t.IsPrimitiveType():
		return string(hclwrite.TokensForValue(v).Bytes())
	}
	hasNames := t.IsObjectType() || t.IsMapType()
	var parts []string
	for it := v.ElementIterator(); it.Next(); {
		switch key, e := it.Element(); {
		case t.IsObjectType() && e.IsNull():
		case hasNames && hclsyntax.ValidIdentifier(key.AsString()):
			parts = append(parts, key.AsString()+" = "+formatInLine(e))
		case hasNames:
			parts = append(parts, formatInLine(key)+" = "+formatInLine(e))
		default:
			parts = append(parts, formatInLine(e))
		}
	}
	switch text := strings.Join(parts, ", "); {
	case !hasNames:
		return "[" + text + "]"
	case text == "":
		return "{}"
	default:
		return "{ " + text + " }"
	}
}
