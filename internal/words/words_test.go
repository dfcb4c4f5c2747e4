package words_test

import (
	"testing"

	"b2form/internal/words"
)

func TestSome(t *testing.T) {
	for _, test := range []struct {
		names []string
		want  string
	}{
		{nil, ""},
		{[]string{"a"}, "a"},
		{[]string{"a", "b"}, "a and b"},
		{[]string{"a", "b", "c"}, "a, b and 1 more"},
		{[]string{"a", "b", "c", "d"}, "a, b and 2 more"},
	} {
		if got := words.JoinAtMost(test.names, 2); got != test.want {
			t.Errorf("words.Some(%q, 2) = %q, want %q", test.names, got, test.want)
		}
	}
}
