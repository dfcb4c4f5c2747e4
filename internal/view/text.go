package view

import (
	"fmt"
	"io"
)

// Text speaks to people.
type Text struct {
	Out   io.Writer // results
	Err   io.Writer // progress, warnings, errors
	Style Style     // of Out and Err
	Hints bool      // say what to run next
}

// Note writes one line beside the results.
func (t Text) Note(text string) { fmt.Fprintln(t.Err, text) }

// Hint writes what to run next, where hints are wanted.
func (t Text) Hint(text string) {
	if t.Hints {
		fmt.Fprintln(t.Err, "\n"+text)
	}
}
