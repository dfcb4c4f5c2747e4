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
		if got := scrub.RemoveSecretKeepParts("a "+spelled+" b", key); !strings.Contains(got, scrub.Placeholder) ||
			!strings.HasPrefix(got, "a ") ||
			!strings.HasSuffix(got, " b") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Of a secret in base64 no edge stays, wherever it stands in a longer text.
func TestBase64Edges(t *testing.T) {
	for before := range 4 {
		for after := range 4 {
			whole := strings.Repeat("b", before) + key + strings.Repeat("a", after)
			for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
				said := "Basic " + encoding.EncodeToString([]byte(whole)) + " b"
				if got := scrub.RemoveSecretKeepParts(said, key); got != "Basic (sensitive value) b" {
					t.Errorf("%d, %d: %s", before, after, got)
				}
			}
		}
	}
}

// A key that nobody knows yet is found by its form.
func TestApplicationKeys(t *testing.T) {
	const fresh = "K004MintedCanaryMintedCanary/+1"
	for _, form := range []string{fresh, url.QueryEscape(fresh), strings.ReplaceAll(fresh, "/", `\/`)} {
		if got := scrub.RemoveApplicationKeys("key=" + form + "."); got != "key=(sensitive value)." {
			t.Errorf("RemoveApplicationKeys(%q) = %q", form, got)
		}
	}
	if text := "K004 is no key, and BK12 none"; scrub.RemoveApplicationKeys(text) != text {
		t.Error("what is no key is taken for one")
	}
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"see " + key + "!":        "see (sensitive value)!",
		"see " + key[:10] + "...": "(left out, since it holds a piece of the secret)",
		"see " + key[:5]:          "see " + key[:5],
	} {
		if got := scrub.RemoveSecretOrWithholdText(text, key); got != want {
			t.Errorf("Text(%q) = %q", text, got)
		}
	}
	for _, short := range []string{"", "a", "ab", "abcdefg"} { // of what is no key nothing breaks
		if got := scrub.RemoveSecretOrWithholdText("x "+short, short); got != strings.TrimSuffix("x "+short, short)+
			map[bool]string{true: "", false: scrub.Placeholder}[short == ""] {
			t.Errorf("Text with %q = %q", short, got)
		}
	}
}
