package kind

// An Explained error carries its own words for people, where a verb knows more
// than B2's reply says.
type Explained struct {
	Summary string // "Bucket is not empty"
	Detail  string // what is wrong and what to do; whole sentences
	Cause   error
}

func (e *Explained) Error() string { return e.Summary + ": " + e.Detail }

// Unwrap gives the refusal itself.
func (e *Explained) Unwrap() error { return e.Cause }
