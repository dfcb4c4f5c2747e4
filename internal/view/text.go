package view

import (
	"fmt"
	"io"

	"b2form/internal/visible"
)

// Text speaks to people.
type Text struct {
	Out   io.Writer // results
	Err   io.Writer // progress, warnings, errors
	Style Style     // of Out and Err
	Hints bool      // say what to run next
}

// Note writes a remark beside the results.
func (t Text) Note(text string) { fmt.Fprintln(t.Err, visible.Lines(text)) }

// Hint writes what to run next, where hints are wanted.
func (t Text) Hint(text string) {
	if t.Hints {
		fmt.Fprintln(t.Err, "\n"+visible.Lines(text))
	}
}
