package view

import (
	"strings"
	"unicode/utf8"

	"b2form/internal/visible"
)

// A line is one line of a block's body, or a nested structure with lines of its
// own. The zero line is blank.
type line struct {
	sign string // "+", "-", "~" or "": unchanged
	name string // left of the equals sign; "": text stands alone
	text string // right of the equals sign
	note string // a remark at the end, without its "#"

	open  string // "{" or "[": kids follow
	block bool   // name { ... } instead of name = { ... }
	end   string // after the closing bracket: "," or " -> null"
	kids  []line
}

// comment is a line that only remarks.
func comment(text string) line { return line{text: "# " + visible.Text(text)} }

// A printer writes lines with Terraform's indentation: per depth four columns,
// the sign in the last but one of them.
type printer struct {
	strings.Builder
	style Style
}

func (p *printer) indent(depth int, sign string) {
	column := pad(strings.Repeat(" ", max(0, 3-utf8.RuneCountInString(sign)))+sign, 3)
	p.WriteString(strings.Repeat("    ", depth) + p.style.symbol(sign, column) + " ")
}

func (p *printer) lines(ls []line, depth int) {
	width := 0
	for _, l := range ls {
		if l.name != "" && !l.block {
			width = max(width, utf8.RuneCountInString(l.name))
		}
	}
	for _, l := range ls {
		if l.name == "" && l.text == "" {
			p.WriteByte('\n')
			continue
		}
		p.line(l, depth, width)
	}
}

func (p *printer) line(l line, depth, width int) {
	p.indent(depth, l.sign)
	switch {
	case l.block:
		p.WriteString(l.name + " ")
	case l.name != "":
		p.WriteString(pad(l.name, width) + " = ")
	}
	if l.open == "" {
		p.WriteString(l.text)
	} else {
		p.WriteString(l.open)
	}
	if l.note != "" {
		p.WriteString(" # " + visible.Text(l.note))
	}
	p.WriteByte('\n')
	if l.open == "" {
		return
	}
	p.lines(l.kids, depth+1)
	closing := map[string]string{"{": "}", "[": "]"}[l.open]
	p.indent(depth, "")
	p.WriteString(closing + l.end + "\n")
}
