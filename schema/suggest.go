package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// didYouMean is ` Did you mean "name"?` for the name that is most like what was
// written, or "" where none is like it.
func didYouMean(written string, names []string) string {
	if s := nearest(written, names); s != "" {
		return fmt.Sprintf(" Did you mean %q?", s)
	}
	return ""
}

// nearest is the name most like what was written; "" where none is.
func nearest(written string, names []string) string {
	names = slices.Clone(names)
	slices.Sort(names)
	best, least := "", min(4, len(written)/2+2)
	for _, name := range names {
		d := levenshtein.Distance(strings.ToLower(written), strings.ToLower(name), nil)
		if d < least {
			best, least = name, d
		}
	}
	return best
}

// listed joins names for a sentence: "a, b and c".
func listed(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
