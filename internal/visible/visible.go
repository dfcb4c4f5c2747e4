// Package visible writes texts that others can choose (names, paths, addresses,
// messages) so that they show what they are and do nothing: no terminal obeys them,
// and no CI system takes them for a command.
package visible

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// EscapeLine is s in one line: control characters, what changes the direction or the
// order of text, U+2028, U+2029 and other characters without a shape are written as
// \n, \t or \u202e, a byte that is no UTF-8 as \xff, and EscapeMark as the backslash
// that it stands for. What stands for a command in the middle of a line, "##[" and
// "##vso[", is broken with \u0023. All else stays, a backslash too; so Text(Text(s))
// is Text(s).
func EscapeLine(s string) string { return escapeRunes(s, "", escapeRune) }

// EscapeLines is EscapeLine for what has lines of its own: line feeds and tabs stay. No line
// begins as a command does, after whatever blanks.
func EscapeLines(s string) string {
	return atStart.ReplaceAllStringFunc(escapeRunes(s, "\n\t", escapeRune), func(begin string) string {
		word := strings.TrimLeftFunc(begin, unicode.IsSpace)
		return begin[:len(begin)-len(word)] + escapeRune(rune(word[0])) + word[1:]
	})
}

// EscapeTextAtLineStart is EscapeLine for what a line of output begins with.
func EscapeTextAtLineStart(s string) string { return EscapeLines(EscapeLine(s)) }

// EscapeInvisibleInHCL is s between the quotes of an HCL string whose own characters are escaped
// already; reading it gives s again, as far as it is UTF-8.
func EscapeInvisibleInHCL(s string) string {
	return escapeRunes(strings.ToValidUTF8(s, "\uFFFD"), "", escapeRune)
}

// EscapeInvisibleInJSON is the same JSON, with its strings written as Text writes them.
func EscapeInvisibleInJSON(text []byte) []byte {
	if plainPrefixLength(text) == len(text) {
		return text
	}
	return []byte(escapeRunes(string(text), "\n\t", func(r rune) string {
		if r <= 0xffff {
			return escapeRune(r)
		}
		high, low := utf16.EncodeRune(r)
		return escapeRune(high) + escapeRune(low)
	}))
}

// ReplaceInvisibleKeepingOffsets is EscapeLines with placeholders of the same number of bytes, for a text into which
// offsets point. Its lines stand behind something.
func ReplaceInvisibleKeepingOffsets(s string) string {
	if needsNoEscape(s) {
		return s
	}
	var b strings.Builder
	for rest := s; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		if r == utf8.RuneError && size == 1 || isInvisible(r) && r != '\n' && r != '\t' {
			b.WriteString("??????"[:size])
		} else {
			b.WriteString(rest[:size])
		}
		rest = rest[size:]
	}
	if !strings.Contains(b.String(), "##") {
		return b.String()
	}
	return ciCommandAnywhere.ReplaceAllStringFunc(b.String(), func(begin string) string { return "# " + begin[2:] })
}

// HasCICommand reports whether a CI system would take a line of s for a command.
func HasCICommand(s string) bool { return atStart.MatchString(s) || ciCommandAnywhere.MatchString(s) }

// EscapeTruncated is EscapeLine without what is beyond limit characters.
func EscapeTruncated(s string, maxRunes int) string {
	if len(s) <= maxRunes { // no shorter in characters than that
		return EscapeLine(s)
	}
	n := 0
	for i := range s {
		if n == maxRunes {
			return EscapeLine(s[:i]) + "…"
		}
		n++
	}
	return EscapeLine(s)
}

// What begins a command: of GitHub Actions ("::name", with blanks before it; "##[",
// anywhere), Azure Pipelines and TeamCity ("##vso[", "##teamcity["), and what folds a
// GitLab log ("section_start", "section_end"). A carriage return begins a line too.
var (
	ciCommandAnywhere = regexp.MustCompile(`(?i)##(?:vso|teamcity)?\[`)
	atStart           = regexp.MustCompile(`(?i)(?:^|[\n\r])[\s\p{Z}]*(?:::|section_)`)
)

func escapeRunes(s, kept string, escaped func(rune) string) string {
	if needsNoEscape(s) {
		return s
	}
	var b strings.Builder
	for rest := s; rest != ""; {
		plain := plainPrefixLength(rest)
		b.WriteString(rest[:plain])
		rest = rest[plain:]
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case size == 0:
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, rest[0])
		case r == EscapeMark:
			b.WriteByte('\\')
		case isInvisible(r) && !strings.ContainsRune(kept, r):
			b.WriteString(escaped(r))
		default:
			b.WriteString(rest[:size])
		}
		rest = rest[size:]
	}
	if !strings.Contains(b.String(), "##") {
		return b.String()
	}
	return ciCommandAnywhere.ReplaceAllStringFunc(b.String(), func(begin string) string {
		return "#" + escapeRune('#') + begin[2:]
	})
}

// needsNoEscape is true for nearly everything that is ever written.
func needsNoEscape(s string) bool { return plainPrefixLength(s) == len(s) }

// plainPrefixLength is how much of the beginning stays as it is, whatever follows.
func plainPrefixLength[T string | []byte](s T) int {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '#' {
			return i
		}
	}
	return len(s)
}

// EscapeMark stands for the backslash of an escape: it is before the digits of what a value cannot hold.
const EscapeMark = '\uFDD0'

// isInvisible reports whether a character has no shape of its own. The two joiners
// belong to the spelling of words in many languages, and to emoji.
func isInvisible(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return r != nonJoiner && r != joiner && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

func escapeRune(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}
