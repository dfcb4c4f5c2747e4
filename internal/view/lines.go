package view

import (
	"strings"

	"b2form/internal/visible"
	"b2form/internal/words"
)

// A lineTree is one line of a block's body, or a nested structure with lines of its
// own. The zero line is blank.
type lineTree struct {
	sign   string // "+", "-", "~" or "": unchanged
	name   string // left of the equals sign; "": value stands alone
	value  string // right of the equals sign
	remark string // what is remarked beside it, without its "#"

	openBracket  string // "{" or "[": kids follow
	isBlock      bool   // name { ... } instead of name = { ... }
	afterClosing string // after the closing bracket: "," or " -> null"
	children     []lineTree
}

// commentLine is a line that only remarks.
func commentLine(text string) lineTree { return lineTree{value: "# " + visible.EscapeLine(text)} }

// hiddenCountLines say how many parts are not shown since they stay as they are; nothing of none.
func hiddenCountLines(n int, part string) []lineTree {
	if n == 0 {
		return nil
	}
	return []lineTree{commentLine("(" + words.Count(n, "unchanged "+part, "unchanged "+part+"s") + " hidden)")}
}

// A linePrinter writes lines with Terraform's indentation: per depth four columns,
// the sign in the last but one of them.
type linePrinter struct {
	strings.Builder
	style   Style
	verbose bool
	// asDiff puts each sign into the first column, where programs that colour differences look for it.
	asDiff bool
}

func (p *linePrinter) printLines(ls []lineTree, depth int) {
	width := 0
	for _, l := range ls {
		if l.name != "" && !l.isBlock {
			width = max(width, displayWidth(l.name))
		}
	}
	for _, l := range ls {
		if l.name == "" && l.value == "" && l.openBracket == "" {
			p.WriteByte('\n')
			continue
		}
		p.printLine(l, depth, width)
	}
}

func (p *linePrinter) printLine(l lineTree, depth, width int) {
	text := ""
	switch {
	case l.isBlock:
		text = l.name + " "
	case l.name != "":
		text = padRight(l.name, width) + " = "
	}
	below := displayWidth(text)
	text += l.value + l.openBracket
	if l.remark != "" {
		text += " # " + visible.EscapeLine(l.remark)
	}
	p.printWrapped(l.sign, text, depth, below, strings.HasPrefix(l.value, "# "))
	if l.openBracket == "" {
		return
	}
	p.printLines(l.children, depth+1)
	closing := map[string]string{"{": "}", "[": "]"}[l.openBracket]
	p.printWrapped("", closing+l.afterClosing, depth, 0, false)
}

// printWrapped writes one line behind a sign, broken to the screen: what it goes on with is
// indented by below, or is a comment too.
func (p *linePrinter) printWrapped(sign, text string, depth, hangColumns int, isComment bool) {
	indent := strings.Repeat(" ", 4*depth+4)
	rest := indent + strings.Repeat(" ", min(hangColumns+2, 24))
	switch {
	case isComment:
		rest = indent + "# "
	case hangColumns > 0 && hangColumns <= 24:
		rest = indent + strings.Repeat(" ", hangColumns)
	}
	lines := wrapLine(indent+text, p.style.Width, rest)
	p.printSigned(sign, strings.Repeat("    ", depth), lines[0][len(indent):])
	for _, l := range lines[1:] {
		p.WriteString(l + "\n")
	}
}

// printSigned writes one line behind its sign.
func (p *linePrinter) printSigned(sign, indent, text string) {
	column := padRight(strings.Repeat(" ", max(0, 3-displayWidth(sign)))+sign, 3)
	if p.asDiff {
		p.WriteString(diffSign(sign) + indent + "   " + text + "\n")
		return
	}
	p.WriteString(indent + p.style.paintBySign(sign, column) + " " + text + "\n")
}

// printPainted writes a text that may take several lines, each painted: the first begins with
// mark, the others with more.
func (p *linePrinter) printPainted(firstPrefix, text, continuationPrefix string, inks ...sgr) {
	indent := firstPrefix[:len(firstPrefix)-len(strings.TrimLeft(firstPrefix, " "))]
	for _, l := range wrapLine(firstPrefix+text, p.style.Width, continuationPrefix) {
		p.WriteString(indent + p.style.paint(l[len(indent):], inks...) + "\n")
	}
}
