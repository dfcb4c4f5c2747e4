package schema

import (
	"fmt"
	"slices"
	"strings"

	"b2form/schema/kind"
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
	return kind.NearestName(written, names, min(4, len(written)/2+2))
}

// listed joins names for a sentence: "a, b and c".
func listed(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
