package view

import "io"

// Text is the face for people.
type Text struct {
	Out   io.Writer // results
	Err   io.Writer // progress, warnings, errors
	Style Style     // of Out and Err
	Hints bool      // say what to run next
}
