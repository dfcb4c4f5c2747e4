package view

import (
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/visible"
	"b2form/schema/kind"
)

const (
	afterApply = "(known after apply)"
	sensitive  = kind.SensitiveText
)

// A literalWriter writes values as HCL expressions.
type literalWriter struct {
	// unknown says what stands for a value that is not known; v keeps its marks.
	unknown func(v cty.Value) string
	// reveal shows what is marked as sensitive.
	reveal bool
	// typed writes what would be of another type otherwise as a call: toset(["a"]).
	typed bool
}

func itoa(n int) string { return strconv.Itoa(n) }

// write gives v as lines of HCL: one for what fits, more for the rest. Lines
// after the first are indented by depth steps of two, and one more for members.
func (l literalWriter) write(v cty.Value, depth int) string {
	switch {
	case v.HasMark(kind.Sensitive) && !l.reveal:
		return sensitive
	case !v.IsKnown():
		return visible.Text(l.unknown(v))
	}
	v, _ = v.Unmark()
	t := v.Type()
	if call := conversion(t); l.typed && call != "" && (v.IsNull() || !t.IsPrimitiveType()) {
		return call + "(" + l.plain(v, depth) + ")"
	}
	return l.plain(v, depth)
}

// conversion is the function that makes a value of the type; "": none does.
func conversion(t cty.Type) string {
	switch {
	case t.IsListType():
		return "tolist"
	case t.IsSetType():
		return "toset"
	case t.IsMapType():
		return "tomap"
	case t.IsPrimitiveType():
		return "to" + t.FriendlyName()
	}
	return ""
}

// plain writes a value that is known and has no marks.
func (l literalWriter) plain(v cty.Value, depth int) string {
	t := v.Type()
	switch {
	case v.IsNull():
		return "null"
	case t == cty.String:
		return quote(v.AsString())
	case t == cty.Number:
		return number(v)
	case t == cty.Bool:
		return strconv.FormatBool(v.True())
	case t.IsMapType() || t.IsObjectType():
		return l.members(v, depth)
	}
	return l.elements(v, depth)
}

// mostDigits is how many a number that is shown may have.
const mostDigits = 1000

// hasTooManyDigits reports whether writing a number out takes more than mostDigits, which can
// be more than there is memory: 1e999999999 is quickly written.
func hasTooManyDigits(v cty.Value) bool {
	exponent := v.AsBigFloat().MantExp(nil)
	return max(exponent, -exponent) > mostDigits*3 // ten bits are three digits
}

func number(v cty.Value) string {
	if hasTooManyDigits(v) {
		return "(a number of more than " + itoa(mostDigits) + " digits)"
	}
	return v.AsBigFloat().Text('f', -1)
}

// quote writes s as an HCL string.
func quote(s string) string {
	return visible.HCL(string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes()))
}

// mapKey writes the name of a map's element or an object's attribute.
func mapKey(s string) string {
	if hclsyntax.ValidIdentifier(s) {
		return s
	}
	return quote(s)
}

func (l literalWriter) members(v cty.Value, depth int) string {
	if v.LengthInt() == 0 {
		return "{}"
	}
	m := v.AsValueMap()
	names := make([]string, 0, len(m))
	width := 0
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	keys := make([]string, len(names))
	allPlain := true
	for _, name := range names {
		allPlain = allPlain && hclsyntax.ValidIdentifier(name)
	}
	for i, name := range names {
		keys[i] = name
		if !allPlain {
			keys[i] = quote(name)
		}
		width = max(width, utf8.RuneCountInString(keys[i]))
	}
	var b strings.Builder
	b.WriteString("{\n")
	for i, name := range names {
		b.WriteString(strings.Repeat("  ", depth+1) + pad(keys[i], width) + " = " + l.write(m[name], depth+1) + "\n")
	}
	b.WriteString(strings.Repeat("  ", depth) + "}")
	return b.String()
}

func (l literalWriter) elements(v cty.Value, depth int) string {
	if v.LengthInt() == 0 {
		return "[]"
	}
	parts := make([]string, 0, v.LengthInt())
	oneLine := true
	size := 0
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		s := l.write(e, depth+1)
		oneLine = oneLine && !strings.Contains(s, "\n")
		size += utf8.RuneCountInString(s) + 2
		parts = append(parts, s)
	}
	if oneLine && size <= 60 {
		return "[" + strings.Join(parts, ", ") + "]"
	}
	step := strings.Repeat("  ", depth+1)
	return "[\n" + step + strings.Join(parts, ",\n"+step) + ",\n" + strings.Repeat("  ", depth) + "]"
}

// pad fills s with spaces up to width.
func pad(s string, width int) string {
	if n := width - utf8.RuneCountInString(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}

// Literal writes a value as an HCL expression.
func Literal(v cty.Value) string {
	return literalWriter{unknown: func(cty.Value) string { return afterApply }}.write(v, 0)
}
