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

func TestDidYouMean(t *testing.T) {
	names := []string{"keys", "keep_all_versions", "keep_only_last_version", "Keep_prior_versions", "sha1", "sha256", "base64decode",
		"base64encode", "base64gzip", "base64sha256", "base64sha512", "base64more"}
	for _, test := range []struct{ written, want string }{
		{"keep", ` Did you mean "-Keep_prior_versions", "-keep_all_versions" or "-keep_only_last_version"?`},
		{"keep_only", ` Did you mean "-keep_only_last_version"?`},
		{"kees", ` Did you mean "-keys"?`},
		{"key", ` Did you mean "-keys"?`},
		{"sha", ` Did you mean "-sha1"?`},
		{"base64", ""}, // too many begin so
		{"ba", ""},     // nearly any could
		{"keep_last_version", ` Did you mean "-keep_only_last_version"?`},
		{"the_versions_of_all", ` Did you mean "-Keep_prior_versions" or "-keep_all_versions"?`},
		{"all_of_it", ""}, // a short word says too little
		{"other", ""},
	} {
		if got := words.DidYouMean(test.written, "-", names); got != test.want {
			t.Errorf("DidYouMean(%q) = %s, want %s", test.written, got, test.want)
		}
	}
}
