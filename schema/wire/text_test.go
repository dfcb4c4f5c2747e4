package wire_test

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/unicode/norm"

	"b2form/schema/wire"
)

// TestEscapeText keeps texts apart that only their normal form tells apart.
func TestEscapeText(t *testing.T) {
	for name, text := range map[string]string{
		"plain": "logs/", "composed": "caf\u00e9/", "decomposed": "cafe\u0301/", "a singleton": "\u212bngstr\u00f6m",
		"order of marks": "a\u0315\u0300", "Hangul": "\u1112\u1161\u11ab", "mark first": "\u0301x", "marks only": "\u0344",
		"beyond 16 bits": "\U0001d15e", "beyond 16 bits, mark": "e\U0001d165\u0301", "empty": "",
		"many marks": "x" + strings.Repeat("\u0323", 40), "backslash": `e\u0301`,
	} {
		t.Run(name, func(t *testing.T) {
			held := wire.EscapeNonNFC(text)
			if got := cty.StringVal(held).AsString(); got != held {
				t.Errorf("a value makes %+q of %+q", got, held)
			}
			if got := wire.UnescapeText(held); got != text {
				t.Errorf("%+q comes back as %+q", text, got)
			}
			normal := norm.NFC.IsNormalString(text)
			if normal != (held == text) || normal == wire.HasNonNFCEscapes(held) {
				t.Errorf("%+q is held as %+q", text, held)
			}
		})
	}
	if got, want := wire.QuoteText(wire.EscapeNonNFC("cafe\u0301\n\"\\ufdd0"), strconv.Quote), `"cafe\u0301\n\"\\ufdd0"`; got != want {
		t.Errorf("quoted as %s, want %s", got, want)
	}
}

func FuzzEscapeText(f *testing.F) {
	f.Add("cafe\u0301/\u212b\U0001d15e")
	f.Fuzz(func(t *testing.T, text string) {
		held := wire.EscapeNonNFC(text)
		if wire.HasNonNFCEscapes(text) || !utf8.ValidString(text) {
			return
		}
		if got := cty.StringVal(held).AsString(); got != held {
			t.Errorf("a value makes %+q of %+q", got, held)
		}
		if got := wire.UnescapeText(held); got != text {
			t.Errorf("%+q comes back as %+q", text, got)
		}
	})
}
