// Package view shows plans, progress, results and diagnostics to people and to
// programs. TextUI and JSONUI have the same methods, so that no
// command is without the other.
//
// Rules that hold throughout: results go to Out, progress and diagnostics of
// text to Err; no value of a secret attribute is ever looked at;
// colour repeats what the text says and never carries a meaning alone.
package view

import "strings"

// A Style says what the screen can do.
type Style struct {
	Color bool
	// Width is how many columns Out has, ErrWidth those of Err. 0: what is written there is
	// read by programs too, and no line is broken.
	Width, ErrWidth int
}

// An sgr is an SGR parameter of ECMA-48, as terminals understand it.
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

// paintBySign paints the symbol of an action, or a text in its colour.
func (s Style) paintBySign(sign, text string) string {
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
