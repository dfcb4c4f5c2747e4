package kind

import (
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
)

// A mark travels with values through every expression.
type mark string

// Sensitive marks a value that is redacted wherever it would be shown.
const Sensitive = mark("sensitive")

// SensitiveText stands for a sensitive value in messages.
const SensitiveText = "(sensitive value)"

// A ComputedMark marks a value that B2 makes, so that its use in an argument is
// an error whether or not the value happens to be known.
type ComputedMark struct {
	Addr addr.Addr
	Attr string
}

// ComputedMarksIn lists the computed attributes that v was made from, sorted.
func ComputedMarksIn(v cty.Value) []ComputedMark {
	var out []ComputedMark
	_, marks := v.UnmarkDeep()
	for m := range marks {
		if c, ok := m.(ComputedMark); ok {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b ComputedMark) int {
		if c := a.Addr.Compare(b.Addr); c != 0 {
			return c
		}
		return strings.Compare(a.Attr, b.Attr)
	})
	return out
}
