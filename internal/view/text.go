package view

import (
	"fmt"
	"io"
	"strings"

	"b2form/internal/visible"
)

// TextUI speaks to people.
type TextUI struct {
	Out          io.Writer // results
	Err          io.Writer // progress, warnings, errors
	Style        Style     // of Out and Err
	ShowHints    bool      // say what to run next
	Quiet        bool      // make no remarks, and tell of no progress
	HideProgress bool      // tell of no progress
	// CompactWarnings shows warnings that come without errors by their summaries only.
	CompactWarnings bool
	// Verbose shows in full what else is folded: many objects alike, and lists that have
	// a name.
	Verbose bool
	// Fold puts a long part of the results into a part of a log that can be unfolded; nil: nothing can.
	Fold func(header, text string) string
}

// Note writes a remark beside the results.
func (t TextUI) Note(text string) {
	if !t.Quiet {
		fmt.Fprintln(t.Err, Wrap(visible.EscapeLines(text), t.Style.ErrWidth))
	}
}

// wrapPainted breaks one line to a width, and paints each part.
func (t TextUI) wrapPainted(text string, width int, inks ...sgr) string {
	lines := wrapLine(text, width, "  ")
	for i, l := range lines {
		indent := l[:len(l)-len(strings.TrimLeft(l, " "))]
		lines[i] = indent + t.Style.paint(l[len(indent):], inks...)
	}
	return strings.Join(lines, "\n")
}

// State says nothing: who asked knows which.
func (t TextUI) State(string) {}

// Hint writes what to run next, where hints are wanted.
func (t TextUI) Hint(text string) {
	if t.ShowHints {
		fmt.Fprintln(t.Err, "\n"+Wrap(visible.EscapeLines(text), t.Style.ErrWidth))
	}
}
