// Package view shows plans, progress, results and diagnostics to people and to
// programs. Text and JSON have the same methods, so that no
// command is without the other.
//
// Rules that hold throughout: results go to Out, progress and diagnostics of
// text to Err; no value of a secret attribute is ever looked at;
// colour repeats what the text says and never carries a meaning alone.
package view

import (
	"strings"
	"unicode/utf8"
)

// A Style says what the screen can do.
type Style struct {
	Color bool
	Width int // columns; 0: unknown
}

// columns is the width that running text is wrapped to.
func (s Style) columns() int {
	if s.Width < 40 {
		return 78
	}
	return s.Width
}

// A sgr is an SGR parameter of ECMA-48, as terminals understand it.
type sgr string

const (
	bold      sgr = "1"
	underline sgr = "4"
	red       sgr = "31"
	green     sgr = "32"
	yellow    sgr = "33"
	cyan      sgr = "36"
)

// paint puts text in the given inks; without colour it is unchanged.
func (s Style) paint(text string, inks ...sgr) string {
	if !s.Color || text == "" {
		return text
	}
	codes := make([]string, len(inks))
	for i, k := range inks {
		codes[i] = string(k)
	}
	return "\x1b[" + strings.Join(codes, ";") + "m" + text + "\x1b[0m"
}

// symbol paints the symbol of an action, or a text in its colour.
func (s Style) symbol(sign, text string) string {
	switch strings.TrimSpace(sign) {
	case "+":
		return s.paint(text, green)
	case "-", ".", "!":
		return s.paint(text, red)
	case "~":
		return s.paint(text, yellow)
	case "+/-":
		return s.paint("+", green) + "/" + s.paint("-", red) + strings.TrimPrefix(text, "+/-")
	}
	return text
}

// wrap breaks text into lines of at most width columns. Lines that begin with a
// space are taken as they are: they show code.
func wrap(text string, width int) []string {
	var out []string
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if strings.HasPrefix(line, " ") {
			out = append(out, line)
			continue
		}
		out = append(out, wrapLine(line, width)...)
	}
	return out
}

func wrapLine(line string, width int) []string {
	var out []string
	var b strings.Builder
	used := 0
	for _, word := range strings.Fields(line) {
		n := utf8.RuneCountInString(word)
		switch {
		case used == 0:
		case used+1+n > width:
			out = append(out, b.String())
			b.Reset()
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	return append(out, b.String())
}

// plural writes "1 file" and "2 files".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return itoa(n) + " " + many
}
