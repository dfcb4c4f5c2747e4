package parse

import (
	"bytes"
	"regexp"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// MostNested is how many brackets, templates, blocks or JSON values may stand inside
// of each other, and mostOperators how many operators, of which each may need those
// before it, may be open at one place. Far more of either overflow the stacks of
// HCL's parser and of its evaluation.
const (
	MostNested    = 250
	mostOperators = 10_000
)

// What a level of nesting is, beside the brackets ( [ and {.
const (
	code         = 'c' // the text as a whole, an expression or a body
	templateText = 't' // the text as a whole, a template
	quote        = '"'
	heredoc      = '<'
	sequence     = '$' // ${ or %{ in a template
)

// A nestingLevel is what is open at a place.
type nestingLevel struct {
	delimiter     byte
	operators     int
	directives    int    // if and for in a template whose end did not come yet
	heredocMarker []byte // that ends a heredoc
}

// nestingScanner goes through a text as HCL's scanner does, and only counts.
type nestingScanner struct {
	src           []byte
	offset        int
	levels        []nestingLevel
	depth         int // levels and directives
	openOperators int
	numberTooLong bool // what was gone through last is a number with too many digits
}

// findTooDeepOrLongNumber is where a text nests too deeply, or has a number with too many digits, as an
// index of its bytes; -1: nowhere.
func findTooDeepOrLongNumber(src []byte, as byte) (at int, numberTooLong bool) {
	n := nestingScanner{src: src}
	n.openLevel(as)
	for n.offset < len(src) {
		before := n.offset
		if top := n.top(); top.delimiter == quote || top.delimiter == heredoc || top.delimiter == templateText {
			n.scanTemplate(top)
		} else {
			n.scanCode(top)
		}
		if n.depth > MostNested+1 || n.openOperators > mostOperators || n.numberTooLong {
			return before, n.numberTooLong
		}
	}
	return -1, false
}

func (n *nestingScanner) top() *nestingLevel { return &n.levels[len(n.levels)-1] }

func (n *nestingScanner) openLevel(as byte) *nestingLevel {
	n.levels = append(n.levels, nestingLevel{delimiter: as})
	n.depth++
	return n.top()
}

func (n *nestingScanner) closeLevel() {
	top := n.top()
	n.depth -= 1 + top.directives
	n.openOperators -= top.operators
	n.levels = n.levels[:len(n.levels)-1]
}

// resetOperators begins with another expression of the same level.
func (n *nestingScanner) resetOperators(top *nestingLevel) {
	n.openOperators -= top.operators
	top.operators = 0
}

// scanTemplate goes on within a template.
func (n *nestingScanner) scanTemplate(top *nestingLevel) {
	if top.delimiter == heredoc && n.offset > 0 && n.src[n.offset-1] == '\n' && n.skipHeredocEnd(top.heredocMarker) {
		n.closeLevel()
		return
	}
	for n.offset < len(n.src) {
		c, rest := n.src[n.offset], n.src[n.offset+1:]
		n.offset++
		switch {
		case c == '\\' && top.delimiter == quote && len(rest) > 0:
			n.offset++
		case c == '"' && top.delimiter == quote:
			n.closeLevel()
			return
		case c == '\n' && top.delimiter == heredoc:
			return
		case c != '$' && c != '%':
		case bytes.HasPrefix(rest, []byte{c, '{'}): // written as itself
			n.offset += 2
		case bytes.HasPrefix(rest, []byte("{")):
			n.offset++
			n.openTemplateSequence(top, c)
			return
		}
	}
}

// openTemplateSequence begins ${ or %{.
func (n *nestingScanner) openTemplateSequence(top *nestingLevel, c byte) {
	if c == '%' {
		rest := bytes.TrimLeft(bytes.TrimPrefix(n.src[n.offset:], []byte("~")), " \t")
		word := rest[:max(0, len(rest)-len(bytes.TrimLeftFunc(rest, unicode.IsLetter)))]
		switch string(word) {
		case "endif", "endfor":
			if top.directives > 0 {
				top.directives--
				n.depth--
			}
		case "else":
		default:
			top.directives++
			n.depth++
		}
	}
	n.openLevel(sequence)
}

// skipHeredocEnd reports whether the line that begins here ends a heredoc.
func (n *nestingScanner) skipHeredocEnd(marker []byte) (skipped bool) {
	line, _, found := bytes.Cut(n.src[n.offset:], []byte("\n"))
	if !found || !bytes.Equal(bytes.TrimSpace(line), marker) {
		return false
	}
	n.offset += len(line)
	return true
}

// scanCode goes on outside of templates.
func (n *nestingScanner) scanCode(top *nestingLevel) {
	c, rest := n.src[n.offset], n.src[n.offset+1:]
	n.offset++
	switch c {
	case '"':
		n.openLevel(quote)
	case '#':
		n.skipComment("\n")
	case '[':
		n.countOperator(top)
		n.openLevel(c)
	case '(', '{':
		n.openLevel(c)
	case ')', ']':
		if top.delimiter == '(' && c == ')' || top.delimiter == '[' && c == ']' {
			n.closeLevel()
		}
	case '}':
		n.closeBrace()
	case ',':
		n.resetOperators(top)
	case '\n':
		if top.delimiter == '{' || top.delimiter == code {
			n.resetOperators(top)
		}
	case '/':
		switch {
		case bytes.HasPrefix(rest, []byte("/")):
			n.skipComment("\n")
		case bytes.HasPrefix(rest, []byte("*")):
			n.offset++
			n.skipComment("*/")
			n.offset = min(n.offset+2, len(n.src))
		default:
			n.countOperator(top)
		}
	case '<':
		if marker, size := parseHeredocMarker(rest); size > 0 {
			n.offset += size
			n.openLevel(heredoc).heredocMarker = marker
			return
		}
		n.countOperator(top)
	case '!', '?', '&', '|', '>', '=', '+', '-', '*', '%':
		n.countOperator(top)
	default:
		switch {
		case isDigit(c):
			n.scanNumber()
		case inWord(c):
			for n.offset < len(n.src) && (inWord(n.src[n.offset]) || n.src[n.offset] == '-') {
				n.offset++
			}
		}
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// inWord reports whether a byte may stand in a name, from the beginning on, or is a digit.
func inWord(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= utf8.RuneSelf
}

// scanNumber goes on behind a number of which the first digit was seen.
func (n *nestingScanner) scanNumber() {
	parts := number.FindSubmatch(n.src[n.offset-1:])
	n.offset += len(parts[0]) - 1
	power, err := strconv.Atoi(string(parts[1]))
	n.numberTooLong = len(parts[0]) > mostDigits || power > mostDigits || err != nil && len(parts[1]) > 0
}

var number = regexp.MustCompile(`^[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?([0-9]+))?`)

func (n *nestingScanner) countOperator(top *nestingLevel) {
	top.operators++
	n.openOperators++
}

// closeBrace ends a brace or a sequence, with what was left open in it.
func (n *nestingScanner) closeBrace() {
	for i := len(n.levels) - 1; i > 0; i-- {
		switch n.levels[i].delimiter {
		case '{', sequence:
			for len(n.levels) > i {
				n.closeLevel()
			}
			return
		case quote, heredoc, templateText:
			return
		}
	}
}

// skipComment goes on to before the end of a comment.
func (n *nestingScanner) skipComment(end string) {
	i := bytes.Index(n.src[n.offset:], []byte(end))
	if i < 0 {
		i = len(n.src) - n.offset
	}
	n.offset += i
}

// parseHeredocMarker is the word behind the first < of a heredoc's beginning, and how many
// bytes that takes; 0: it is none.
func parseHeredocMarker(rest []byte) (marker []byte, size int) {
	marker, ok := bytes.CutPrefix(rest, []byte("<"))
	marker = bytes.TrimPrefix(marker, []byte("-"))
	const longest = 1000 // bytes of a word; the texts that are gone through may have one line only
	marker, _, found := bytes.Cut(marker[:min(len(marker), longest)], []byte("\n"))
	size = bytes.IndexByte(rest[:min(len(rest), longest+4)], '\n') + 1
	marker = bytes.TrimSuffix(marker, []byte("\r"))
	if !ok || !found || len(marker) == 0 {
		return nil, 0
	}
	if !hclsyntax.ValidIdentifier(string(marker)) {
		return nil, 0
	}
	return marker, size
}
