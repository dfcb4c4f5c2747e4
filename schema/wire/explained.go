package wire

import (
	"errors"
	"fmt"
)

// An ExplainedError carries its own words for people, where a verb knows more
// than B2's reply says.
type ExplainedError struct {
	Summary string // "Bucket is not empty"
	Detail  string // what is wrong and what to do; whole sentences
	Cause   error
}

func (e *ExplainedError) Error() string { return e.Summary + ": " + e.Detail }

// Unwrap gives the refusal itself.
func (e *ExplainedError) Unwrap() error { return e.Cause }

// Explainedf is an ExplainedError without a cause; the format is that of its detail.
func Explainedf(summary, format string, args ...any) *ExplainedError {
	return &ExplainedError{Summary: summary, Detail: fmt.Sprintf(format, args...)}
}

// UntrueReply is the error of a reply that B2 never gives; the text is its summary.
func UntrueReply(format string, args ...any) *ExplainedError {
	return &ExplainedError{Summary: fmt.Sprintf(format, args...), Detail: "Something other than B2 answers (B2_ENDPOINT), or a proxy " +
		"changes its answers (HTTPS_PROXY). Run again, and report this if it stays."}
}

// AppendToExplainedDetail is an error with one more sentence in each detail, as far as it has some.
func AppendToExplainedDetail(err error, sentence string) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, AppendToExplainedDetail(e, sentence))
		}
		return errors.Join(all...)
	}
	if e, ok := err.(*ExplainedError); ok {
		longer := *e
		longer.Detail += " " + sentence
		return &longer
	}
	return err
}

// WithoutMessage is an error without what B2 said in words, which may repeat the
// values that were sent. Status, code and advice stay.
func WithoutMessage(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, WithoutMessage(e))
		}
		return errors.Join(all...)
	}
	if _, ok := errors.AsType[*ExplainedError](err); ok {
		return err // words of our own
	}
	refused, ok := errors.AsType[*Error](err)
	if !ok || refused.Status == 0 {
		return err
	}
	silent := *refused
	silent.Message, silent.MessageWithheld = "", refused.MessageWithheld || refused.Message != ""
	return &silent
}
