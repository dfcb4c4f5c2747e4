package view

import (
	"maps"
	"slices"
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

// A literalFormatter writes values as HCL expressions.
type literalFormatter struct {
	// unknownText says what stands for a value that is not known; v keeps its marks.
	unknownText func(v cty.Value) string
	// showSensitive shows what is marked as sensitive.
	showSensitive bool
	// withConversions writes what would be of another type otherwise as a call: toset(["a"]).
	withConversions bool
}

func itoa(n int) string { return strconv.Itoa(n) }

// format gives v as lines of HCL: one for what fits, more for the rest. Lines
// after the first are indented by depth steps of two, and one more for members.
func (l literalFormatter) format(v cty.Value, depth int) string {
	switch {
	case v.HasMark(kind.Sensitive) && !l.showSensitive:
		return sensitive
	case !v.IsKnown():
		return visible.EscapeLine(l.unknownText(v))
	}
	v, _ = v.Unmark()
	t := v.Type()
	if call := conversionFunction(t); l.withConversions && call != "" && (v.IsNull() || !t.IsPrimitiveType()) {
		return call + "(" + l.formatKnown(v, depth) + ")"
	}
	return l.formatKnown(v, depth)
}

// conversionFunction is the function that makes a value of the type; "": none does.
func conversionFunction(t cty.Type) string {
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

// formatKnown writes a value that is known and has no marks.
func (l literalFormatter) formatKnown(v cty.Value, depth int) string {
	t := v.Type()
	switch {
	case v.IsNull():
		return "null"
	case t == cty.String:
		return quoteHCL(v.AsString())
	case t == cty.Number:
		return formatNumber(v)
	case t == cty.Bool:
		return strconv.FormatBool(v.True())
	case t.IsMapType() || t.IsObjectType():
		return l.formatObject(v, depth)
	}
	return l.formatList(v, depth)
}

// mostDigits is how many a number that is shown may have.
const mostDigits = 1000

// hasTooManyDigits reports whether writing a number out takes more than mostDigits, which can
// be more than there is memory: 1e999999999 is quickly written.
func hasTooManyDigits(v cty.Value) bool {
	exponent := v.AsBigFloat().MantExp(nil)
	return max(exponent, -exponent) > mostDigits*3 // ten bits are three digits
}

func formatNumber(v cty.Value) string {
	if hasTooManyDigits(v) {
		return "(a number of more than " + itoa(mostDigits) + " digits)"
	}
	return v.AsBigFloat().Text('f', -1)
}

// quoteHCL writes s as an HCL string.
func quoteHCL(s string) string {
	if before, escape, found := strings.Cut(s, string(visible.EscapeMark)); found {
		return strings.TrimSuffix(quoteHCL(before), `"`) + `\` + strings.TrimPrefix(quoteHCL(escape), `"`)
	}
	return visible.EscapeInvisibleInHCL(string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes()))
}

// formatMapKey writes the name of a map's element or an object's attribute.
func formatMapKey(s string) string {
	if hclsyntax.ValidIdentifier(s) {
		return s
	}
	return quoteHCL(s)
}

func (l literalFormatter) formatObject(v cty.Value, depth int) string {
	if v.LengthInt() == 0 {
		return "{}"
	}
	m := v.AsValueMap()
	names, write, width := slices.Sorted(maps.Keys(m)), uniformKeyQuoter(m), 0
	for _, name := range names {
		width = max(width, utf8.RuneCountInString(write(name)))
	}
	var b strings.Builder
	b.WriteString("{\n")
	for _, name := range names {
		b.WriteString(strings.Repeat("  ", depth+1) + padRight(write(name), width) + " = " + l.format(m[name], depth+1) + "\n")
	}
	b.WriteString(strings.Repeat("  ", depth) + "}")
	return b.String()
}

func (l literalFormatter) formatList(v cty.Value, depth int) string {
	if v.LengthInt() == 0 {
		return "[]"
	}
	parts := make([]string, 0, v.LengthInt())
	oneLine := true
	size := 0
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		s := l.format(e, depth+1)
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

// padRight fills s with spaces up to width.
func padRight(s string, width int) string {
	if n := width - utf8.RuneCountInString(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}

// FormatHCLHidingSensitive writes a value as an HCL expression.
func FormatHCLHidingSensitive(v cty.Value) string {
	return literalFormatter{unknownText: func(cty.Value) string { return afterApply }}.format(v, 0)
}
