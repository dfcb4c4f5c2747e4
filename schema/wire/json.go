package wire

// A RawJSON is the text of one JSON value. Unlike a json.RawMessage it can be taken
// apart without being copied: the objects of an account are read by the ten
// thousand, and each is looked into more than once.
type RawJSON string

// UnmarshalJSON takes the text as it is.
func (j *RawJSON) UnmarshalJSON(text []byte) error {
	*j = RawJSON(text)
	return nil
}

// MarshalJSON gives the text as it is.
func (j RawJSON) MarshalJSON() ([]byte, error) { return []byte(j), nil }
