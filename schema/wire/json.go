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

// MostNested is how many values of a reply or a state may stand inside of each other: more than any
// has, and far less than overflows the stack.
const MostNested = 1000

// FindTooDeep is where the values of a JSON text stand inside of more than so many
// others, as an index of its bytes; -1: nowhere. Parsers that descend into them would
// overflow the stack.
func FindTooDeep[T ~string | ~[]byte](text T, most int) (offset int) {
	var open []byte // what closes each
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			if open = append(open, c+2); len(open) > most { // ] and } stand two behind them
				return i
			}
		case ']', '}':
			if len(open) > 0 && open[len(open)-1] == c {
				open = open[:len(open)-1]
			}
		}
	}
	return -1
}
