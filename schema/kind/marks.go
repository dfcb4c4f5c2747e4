package kind

import (
	"errors"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// Marks travel with values through every expression.
type mark string

// Sensitive marks a value that is redacted wherever it would be shown.
const Sensitive = mark("sensitive")

// Hidden stands for a sensitive value in messages.
const Hidden = "(sensitive value)"

// A ComputedMark marks a value that B2 makes, so that its use in an argument is
// an error whether or not the value happens to be known.
type ComputedMark struct {
	Addr Addr
	Attr string
}

// ComputedIn lists the computed attributes that v was made from, sorted.
func ComputedIn(v cty.Value) []ComputedMark {
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

// Discreet is an error without what B2 said in words, which may repeat the
// values that were sent. Status, code and advice stay.
func Discreet(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, Discreet(e))
		}
		return errors.Join(all...)
	}
	if _, ok := errors.AsType[*Explained](err); ok {
		return err // words of our own
	}
	refused, ok := errors.AsType[*Error](err)
	if !ok || refused.Status == 0 {
		return err
	}
	silent := *refused
	silent.Message = ""
	return &silent
}
