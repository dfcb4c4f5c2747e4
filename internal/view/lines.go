package view

import (
	"strings"

	"b2form/internal/visible"
)

// A line is one line of a block's body, or a nested structure with lines of its
// own. The zero line is blank.
type line struct {
	sign  string // "+", "-", "~" or "": unchanged
	name  string // left of the equals sign; "": text stands alone
	value string // right of the equals sign
	mark  string // what is remarked beside it, without its "#"

	open  string // "{" or "[": kids follow
	block bool   // name { ... } instead of name = { ... }
	end   string // after the closing bracket: "," or " -> null"
	kids  []line
}

// comment is a line that only remarks.
func comment(text string) line { return line{value: "# " + visible.Text(text)} }

// A printer writes lines with Terraform's indentation: per depth four columns,
// the sign in the last but one of them.
type printer struct {
	strings.Builder
	style   Style
	verbose bool
}

func (p *printer) lines(ls []line, depth int) {
	width := 0
	for _, l := range ls {
		if l.name != "" && !l.block {
			width = max(width, columns(l.name))
		}
	}
	for _, l := range ls {
		if l.name == "" && l.value == "" && l.open == "" {
			p.WriteByte('\n')
			continue
		}
		p.line(l, depth, width)
	}
}

func (p *printer) line(l line, depth, width int) {
	text := ""
	switch {
	case l.block:
		text = l.name + " "
	case l.name != "":
		text = pad(l.name, width) + " = "
	}
	below := columns(text)
	text += l.value + l.open
	if l.mark != "" {
		text += " # " + visible.Text(l.mark)
	}
	p.put(l.sign, text, depth, below, strings.HasPrefix(l.value, "# "))
	if l.open == "" {
		return
	}
	p.lines(l.kids, depth+1)
	closing := map[string]string{"{": "}", "[": "]"}[l.open]
	p.put("", closing+l.end, depth, 0, false)
}

// put writes one line behind a sign, broken to the screen: what it goes on with is
// indented by below, or is a comment too.
func (p *printer) put(sign, text string, depth, below int, remark bool) {
	indent := strings.Repeat(" ", 4*depth+4)
	rest := indent + strings.Repeat(" ", min(below+2, 24))
	switch {
	case remark:
		rest = indent + "# "
	case below > 0 && below <= 24:
		rest = indent + strings.Repeat(" ", below)
	}
	lines := wrapLine(indent+text, p.style.Width, rest)
	column := pad(strings.Repeat(" ", max(0, 3-columns(sign)))+sign, 3)
	p.WriteString(strings.Repeat("    ", depth) + p.style.symbol(sign, column) + " " + lines[0][len(indent):] + "\n")
	for _, l := range lines[1:] {
		p.WriteString(l + "\n")
	}
}

// say writes a text that may take several lines, each painted: the first begins with
// mark, the others with more.
func (p *printer) say(mark, text, more string, inks ...sgr) {
	indent := mark[:len(mark)-len(strings.TrimLeft(mark, " "))]
	for _, l := range wrapLine(mark+text, p.style.Width, more) {
		p.WriteString(indent + p.style.paint(l[len(indent):], inks...) + "\n")
	}
}
