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
	code     = 'c' // the text as a whole, an expression or a body
	text     = 't' // the text as a whole, a template
	quote    = '"'
	heredoc  = '<'
	sequence = '$' // ${ or %{ in a template
)

// A level is what is open at a place.
type level struct {
	as         byte
	operators  int
	directives int    // if and for in a template whose end did not come yet
	marker     []byte // that ends a heredoc
}

// nesting goes through a text as HCL's scanner does, and only counts.
type nesting struct {
	src       []byte
	at        int
	levels    []level
	deep      int // levels and directives
	operators int
	long      bool // what was gone through last is a number with too many digits
}

// deepest is where a text nests too deeply, or has a number with too many digits, as an
// index of its bytes; -1: nowhere.
func deepest(src []byte, as byte) (at int, number bool) {
	n := nesting{src: src}
	n.open(as)
	for n.at < len(src) {
		before := n.at
		if top := n.top(); top.as == quote || top.as == heredoc || top.as == text {
			n.text(top)
		} else {
			n.code(top)
		}
		if n.deep > MostNested+1 || n.operators > mostOperators || n.long {
			return before, n.long
		}
	}
	return -1, false
}

func (n *nesting) top() *level { return &n.levels[len(n.levels)-1] }

func (n *nesting) open(as byte) *level {
	n.levels = append(n.levels, level{as: as})
	n.deep++
	return n.top()
}

func (n *nesting) close() {
	top := n.top()
	n.deep -= 1 + top.directives
	n.operators -= top.operators
	n.levels = n.levels[:len(n.levels)-1]
}

// reset begins with another expression of the same level.
func (n *nesting) reset(top *level) {
	n.operators -= top.operators
	top.operators = 0
}

// text goes on within a template.
func (n *nesting) text(top *level) {
	if top.as == heredoc && n.at > 0 && n.src[n.at-1] == '\n' && n.ends(top.marker) {
		n.close()
		return
	}
	for n.at < len(n.src) {
		c, rest := n.src[n.at], n.src[n.at+1:]
		n.at++
		switch {
		case c == '\\' && top.as == quote && len(rest) > 0:
			n.at++
		case c == '"' && top.as == quote:
			n.close()
			return
		case c == '\n' && top.as == heredoc:
			return
		case c != '$' && c != '%':
		case bytes.HasPrefix(rest, []byte{c, '{'}): // written as itself
			n.at += 2
		case bytes.HasPrefix(rest, []byte("{")):
			n.at++
			n.sequence(top, c)
			return
		}
	}
}

// sequence begins ${ or %{.
func (n *nesting) sequence(top *level, c byte) {
	if c == '%' {
		rest := bytes.TrimLeft(bytes.TrimPrefix(n.src[n.at:], []byte("~")), " \t")
		word := rest[:max(0, len(rest)-len(bytes.TrimLeftFunc(rest, unicode.IsLetter)))]
		switch string(word) {
		case "endif", "endfor":
			if top.directives > 0 {
				top.directives--
				n.deep--
			}
		case "else":
		default:
			top.directives++
			n.deep++
		}
	}
	n.open(sequence)
}

// ends reports whether the line that begins here ends a heredoc.
func (n *nesting) ends(marker []byte) bool {
	line, _, found := bytes.Cut(n.src[n.at:], []byte("\n"))
	if !found || !bytes.Equal(bytes.TrimSpace(line), marker) {
		return false
	}
	n.at += len(line)
	return true
}

// code goes on outside of templates.
func (n *nesting) code(top *level) {
	c, rest := n.src[n.at], n.src[n.at+1:]
	n.at++
	switch c {
	case '"':
		n.open(quote)
	case '#':
		n.skip("\n")
	case '[':
		n.operator(top)
		n.open(c)
	case '(', '{':
		n.open(c)
	case ')', ']':
		if top.as == '(' && c == ')' || top.as == '[' && c == ']' {
			n.close()
		}
	case '}':
		n.closeBrace()
	case ',':
		n.reset(top)
	case '\n':
		if top.as == '{' || top.as == code {
			n.reset(top)
		}
	case '/':
		switch {
		case bytes.HasPrefix(rest, []byte("/")):
			n.skip("\n")
		case bytes.HasPrefix(rest, []byte("*")):
			n.at++
			n.skip("*/")
			n.at = min(n.at+2, len(n.src))
		default:
			n.operator(top)
		}
	case '<':
		if marker, size := heredocMarker(rest); size > 0 {
			n.at += size
			n.open(heredoc).marker = marker
			return
		}
		n.operator(top)
	case '!', '?', '&', '|', '>', '=', '+', '-', '*', '%':
		n.operator(top)
	default:
		switch {
		case isDigit(c):
			n.number()
		case inWord(c):
			for n.at < len(n.src) && (inWord(n.src[n.at]) || n.src[n.at] == '-') {
				n.at++
			}
		}
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// inWord reports whether a byte may stand in a name, from the beginning on, or is a digit.
func inWord(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= utf8.RuneSelf
}

// number goes on behind a number of which the first digit was seen.
func (n *nesting) number() {
	parts := number.FindSubmatch(n.src[n.at-1:])
	n.at += len(parts[0]) - 1
	power, err := strconv.Atoi(string(parts[1]))
	n.long = len(parts[0]) > mostDigits || power > mostDigits || err != nil && len(parts[1]) > 0
}

var number = regexp.MustCompile(`^[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?([0-9]+))?`)

func (n *nesting) operator(top *level) {
	top.operators++
	n.operators++
}

// closeBrace ends a brace or a sequence, with what was left open in it.
func (n *nesting) closeBrace() {
	for i := len(n.levels) - 1; i > 0; i-- {
		switch n.levels[i].as {
		case '{', sequence:
			for len(n.levels) > i {
				n.close()
			}
			return
		case quote, heredoc, text:
			return
		}
	}
}

// skip goes on to before the end of a comment.
func (n *nesting) skip(end string) {
	i := bytes.Index(n.src[n.at:], []byte(end))
	if i < 0 {
		i = len(n.src) - n.at
	}
	n.at += i
}

// heredocMarker is the word behind the first < of a heredoc's beginning, and how many
// bytes that takes; 0: it is none.
func heredocMarker(rest []byte) (marker []byte, size int) {
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
