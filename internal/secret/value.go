// Package secret holds values that must not leak, and brings them to the places
// that may hold them.
package secret

import (
	"fmt"
	"log/slog"

	"b2form/internal/scrub"
)

const redacted = scrub.Placeholder

// A Value is a secret. Every way of printing or encoding it gives a
// placeholder; only Reveal gives the text.
type Value struct{ text *string }

// New wraps a secret.
func New(text string) Value { return Value{&text} }

// Reveal gives the secret itself; "" for the zero Value.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// IsZero reports whether there is no secret.
func (v Value) IsZero() bool { return v.text == nil }

// String gives a placeholder.
func (v Value) String() string { return redacted }

// Format gives a placeholder for every verb, also %#v and %+v.
func (v Value) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// LogValue gives a placeholder.
func (v Value) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText gives a placeholder, in JSON too.
func (v Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }
