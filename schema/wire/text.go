package wire

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"
)

// escapeMark stands for the backslash of an escape. It is a character that Unicode keeps for use inside of
// programs, so that no text of anybody has it, and what is written shows it as a backslash.
const escapeMark = "\uFDD0"

var escapeSequences = regexp.MustCompile("(?:" + escapeMark + "u[0-9a-f]{4})+")

// EscapeNonNFC is a text of B2's as values hold it. B2 compares texts byte by byte, but every text of a
// configuration is in Unicode's normal form C, into which values bring whatever they are given. Where a text is
// in another form, the characters that may be lost are escaped, each UTF-16 code unit as in JSON, so that it
// equals no text of a configuration and no other one of B2's. s is UTF-8.
func EscapeNonNFC(s string) string {
	if norm.NFC.IsNormalString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if one := string(r); norm.NFC.IsNormalString(one) && norm.NFC.PropertiesString(one).BoundaryBefore() {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, escapeMark+"u%04x", unit)
		}
	}
	return b.String()
}

// UnescapeText is the text that [EscapeNonNFC] was given.
func UnescapeText(s string) string {
	if !HasNonNFCEscapes(s) {
		return s
	}
	return escapeSequences.ReplaceAllStringFunc(s, func(run string) string {
		var units []uint16
		for _, digits := range strings.Split(run, escapeMark+"u")[1:] {
			unit, _ := strconv.ParseUint(digits, 16, 16) // they are such digits
			units = append(units, uint16(unit))
		}
		return string(utf16.Decode(units))
	})
}

// HasNonNFCEscapes reports whether a text, as values hold it, is not in normal form C.
func HasNonNFCEscapes(s string) bool { return strings.Contains(s, escapeMark) }

// QuoteB2Text is a text as B2 answers it, between quotes as Go has them, with the escapes that values hold.
func QuoteB2Text(s string) string { return QuoteText(EscapeNonNFC(s), strconv.Quote) }

// QuoteText is a text, as values hold it, as quote writes texts between quotes, and each escape with one backslash.
func QuoteText(s string, quote func(string) string) string {
	parts := strings.Split(s, escapeMark)
	for i, part := range parts {
		quoted := quote(part)
		parts[i] = quoted[1 : len(quoted)-1]
	}
	return `"` + strings.Join(parts, `\`) + `"`
}
