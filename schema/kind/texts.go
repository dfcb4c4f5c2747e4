package kind

import (
	"strings"

	"github.com/agext/levenshtein"
	"github.com/zclconf/go-cty/cty"
)

// Texts makes values of texts.
func Texts(ss ...string) []cty.Value {
	out := make([]cty.Value, len(ss))
	for i, s := range ss {
		out[i] = cty.StringVal(s)
	}
	return out
}

// Nearest is the name most like what was written, whatever the case, with fewer
// than within letters to change; the first of several; "" where there is none.
func Nearest(written string, names []string, within int) string {
	best, least := "", within
	for _, name := range names {
		d := levenshtein.Distance(strings.ToLower(written), strings.ToLower(name), nil)
		if d < least {
			best, least = name, d
		}
	}
	return best
}
