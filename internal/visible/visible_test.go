package visible_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/visible"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"photos/2024 – Änderung\\n.env": "photos/2024 – Änderung\\n.env",
		"a\nb\r\tc":                     `a\nb\r\tc`,
		"\x1b[8m\x7f\u009b31m":          `\u001b[8m\u007f\u009b31m`,
		"\u202egnp.exe":                 `\u202egnp.exe`,
		"a\u2028b\u2029c":               `a\u2028b\u2029c`,
		"\U000e0041":                    `\U000e0041`,
		"\xff\xc3":                      `\xff\xc3`,
		"می\u200cخواهم 👩\u200d🚀":        "می\u200cخواهم 👩\u200d🚀",
		"x ##[error] ##vso[a] ##TeamCity[b] # ## [c]": `x #\u0023[error] #\u0023vso[a] #\u0023TeamCity[b] # ## [c]`,
		"::x": "::x",
	} {
		got := visible.EscapeLine(in)
		if got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
		if again := visible.EscapeLine(got); again != got {
			t.Errorf("Text(%q) = %q", got, again)
		}
	}
}

func TestLines(t *testing.T) {
	for in, want := range map[string]string{
		"a\n\tb\r":                "a\n\tb\\r",
		"::x":                     `\u003a:x`,
		"a\n \u00a0::x\n::y ::z":  "a\n \u00a0\\u003a:x\n\\u003a:y ::z",
		"section_start:1:a\na::b": `\u0073ection_start:1:a` + "\na::b",
	} {
		if got := visible.EscapeLines(in); got != want {
			t.Errorf("Lines(%q) = %q, want %q", in, got, want)
		}
		if !visible.HasCICommand(in) && in[0] != 'a' || visible.HasCICommand(want) {
			t.Errorf("HoldsCommand is wrong of %q", in)
		}
	}
	if got, want := visible.EscapeTextAtLineStart("::a\n::b"), `\u003a:a\n::b`; got != want {
		t.Errorf("Start gives %q, want %q", got, want)
	}
}

func TestCut(t *testing.T) {
	for in, want := range map[string]string{"abc": "abc", "äöü": "äöü", "äöüß": "äöü…", "a\nbc": `a\nb…`} {
		if got := visible.EscapeTruncated(in, 3); got != want {
			t.Errorf("Cut(%q, 3) = %q, want %q", in, got, want)
		}
	}
}

func FuzzSameMeaning(f *testing.F) {
	f.Add("a\u202e\n\x1b##[x]")
	f.Add(`\U000e0001`)
	f.Add("##vso[\U000e0001\xff")
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "\uFFFD")
		text, err := json.Marshal(map[string]string{s: s})
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]string
		if err := json.Unmarshal(visible.EscapeInvisibleInJSON(text), &back); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(map[string]string{s: s}, back); d != "" {
			t.Errorf("JSON changed its value:\n%s", d)
		}
		if masked := visible.ReplaceInvisibleKeepingOffsets(s); len(masked) != len(s) || !utf8.ValidString(masked) {
			t.Errorf("Masked(%q) = %q", s, masked)
		}
		plain := strings.NewReplacer(`\`, "", `"`, "", "$", "", "%", "").Replace(s)
		e, diags := hclsyntax.ParseExpression([]byte(`"`+visible.EscapeInvisibleInHCL(plain)+`"`), "", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if v, _ := e.Value(nil); !v.RawEquals(cty.StringVal(plain)) { // both are normalized
			t.Errorf("%q became %q", plain, v.AsString())
		}
	})
}
