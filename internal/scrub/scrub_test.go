package scrub_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	"b2form/internal/scrub"
)

const key = `K004/9r+hp'MfU"c<p>S&7%uY=kg3FC`

func TestSpellings(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	for name, spelled := range map[string]string{
		"plain": key, "percent": url.QueryEscape(key), "path": url.PathEscape(key), "hex": hex.EncodeToString([]byte(key)),
		"base64": b64([]byte(key)), "credentials": b64([]byte("0040123456789ab0000000001:" + key)), "longer": b64([]byte("x" + key + "y")),
		"shell": strings.ReplaceAll(key, "'", `'\''`), "JSON": `K004/9r+hp'MfU\"c\u003cp\u003eS\u00267%uY=kg3FC`,
	} {
		if got := scrub.RemoveWholeSecret("a "+spelled+" b", key); !strings.Contains(got, scrub.Placeholder) ||
			!strings.HasPrefix(got, "a ") ||
			!strings.HasSuffix(got, " b") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"see " + key + "!":        "see (sensitive value)!",
		"see " + key[:10] + "...": "(left out, since it holds a piece of the secret)",
		"see " + key[:5]:          "see " + key[:5],
	} {
		if got := scrub.RemoveSecret(text, key); got != want {
			t.Errorf("Text(%q) = %q", text, got)
		}
	}
	for _, short := range []string{"", "a", "ab", "abcdefg"} { // of what is no key nothing breaks
		if got := scrub.RemoveSecret("x "+short, short); got != strings.TrimSuffix("x "+short, short)+
			map[bool]string{true: "", false: scrub.Placeholder}[short == ""] {
			t.Errorf("Text with %q = %q", short, got)
		}
	}
}
