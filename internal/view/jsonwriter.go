package view

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"b2form/internal/visible"
)

// A jsonEncoder writes a JSON document part by part, so that a large one is nowhere in memory as a whole, and what is
// JSON already is not read again. Strings are written as in [visible.EscapeJSON]. Flush gives the first error of
// what it writes to.
type jsonEncoder struct {
	*bufio.Writer
	isFirst bool // nothing stands yet in the object or list that was begun last
}

func newJSONEncoder(out io.Writer) *jsonEncoder {
	return &jsonEncoder{Writer: bufio.NewWriterSize(out, 1<<16)}
}

// begin opens an object or a list.
func (w *jsonEncoder) begin(bracket byte) {
	_ = w.WriteByte(bracket)
	w.isFirst = true
}

// end closes it.
func (w *jsonEncoder) end(bracket byte) {
	_ = w.WriteByte(bracket)
	w.isFirst = false
}

// next begins the next element of a list.
func (w *jsonEncoder) next() {
	if !w.isFirst {
		_ = w.WriteByte(',')
	}
	w.isFirst = false
}

// object writes an object of what members adds.
func (w *jsonEncoder) object(members func()) {
	w.begin('{')
	members()
	w.end('}')
}

// list writes n elements.
func (w *jsonEncoder) list(n int, element func(i int)) {
	w.begin('[')
	for i := range n {
		w.next()
		element(i)
	}
	w.end(']')
}

// name begins the next member of an object.
func (w *jsonEncoder) name(name string) {
	w.next()
	w.rawJSON(append(appendJSONString(w.AvailableBuffer(), name), ':'))
}

func (w *jsonEncoder) member(name string, v any) {
	w.name(name)
	w.value(v)
}

// members adds those of an object that has some.
func (w *jsonEncoder) members(object any) {
	w.next()
	text := mustMarshal(object)
	w.rawJSON(text[1 : len(text)-1])
}

func (w *jsonEncoder) value(v any) {
	text, isJSON := v.(json.RawMessage)
	switch {
	case !isJSON:
		text = mustMarshal(v)
	case text == nil:
		text = json.RawMessage("null")
	}
	w.rawJSON(text)
}

// rawJSON writes JSON; no string begins in it that does not end there.
func (w *jsonEncoder) rawJSON(text []byte) { _, _ = w.Write(visible.EscapeInvisibleInJSON(text)) }

// mustMarshal is the JSON of what always has one.
func mustMarshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("view: %T cannot be written as JSON: %v", v, err))
	}
	return text
}

// appendJSONString adds a JSON string.
func appendJSONString(to []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return append(to, mustMarshal(s)...)
		}
	}
	return append(append(append(to, '"'), s...), '"')
}
