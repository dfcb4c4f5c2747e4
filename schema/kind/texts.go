package kind

import (
	"strings"

	"github.com/agext/levenshtein"
	"github.com/zclconf/go-cty/cty"
)

// StringValues makes values of texts.
func StringValues(ss ...string) []cty.Value {
	out := make([]cty.Value, len(ss))
	for i, s := range ss {
		out[i] = cty.StringVal(s)
	}
	return out
}

// LowerCase is the Normal of a text in which case means nothing.
func LowerCase(v cty.Value) cty.Value { return cty.StringVal(strings.ToLower(v.AsString())) }

// StringsIn lists the elements of a collection of texts but those that are null; nil
// where it is null or not wholly known.
func StringsIn(v cty.Value) []string {
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

// NearestName is the name most like what was written, whatever the case, with fewer
// than within letters to change; the first of several; "" where there is none.
func NearestName(written string, names []string, within int) string {
	best, least := "", within
	for _, name := range names {
		d := levenshtein.Distance(strings.ToLower(written), strings.ToLower(name), nil)
		if d < least {
			best, least = name, d
		}
	}
	return best
}
