package emulator

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"time"
	"unicode/utf8"
)

// An xmlPrinter writes one of S3's XML documents. Names of elements are the
// caller's and are not escaped.
type xmlPrinter struct{ out []byte }

const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

func (w *xmlPrinter) declare() {
	w.out = append(w.out, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"...)
}

// beginDocument opens the document of a successful reply.
func (w *xmlPrinter) beginDocument(name string) {
	w.declare()
	w.out = append(w.out, '<')
	w.out = append(w.out, name...)
	w.out = append(w.out, ` xmlns="`+s3Namespace+`">`...)
}

func (w *xmlPrinter) begin(name string) {
	w.out = append(w.out, '<')
	w.out = append(w.out, name...)
	w.out = append(w.out, '>')
}

func (w *xmlPrinter) end(name string) {
	w.out = append(w.out, '<', '/')
	w.out = append(w.out, name...)
	w.out = append(w.out, '>')
}

func (w *xmlPrinter) text(name, value string) {
	w.begin(name)
	w.escape(value)
	w.end(name)
}

// textIf leaves out an element that would be empty.
func (w *xmlPrinter) textIf(name, value string) {
	if value != "" {
		w.text(name, value)
	}
}

func (w *xmlPrinter) texts(name string, values []string) {
	for _, v := range values {
		w.text(name, v)
	}
}

func (w *xmlPrinter) number(name string, n int64) {
	w.begin(name)
	w.out = strconv.AppendInt(w.out, n, 10)
	w.end(name)
}

func (w *xmlPrinter) flag(name string, b bool) {
	w.begin(name)
	w.out = strconv.AppendBool(w.out, b)
	w.end(name)
}

const s3Time = "2006-01-02T15:04:05.000Z"

func (w *xmlPrinter) time(name string, millis int64) {
	w.begin(name)
	w.out = time.UnixMilli(millis).UTC().AppendFormat(w.out, s3Time)
	w.end(name)
}

// escape writes text. What XML cannot say at all becomes U+FFFD.
func (w *xmlPrinter) escape(s string) {
	start := 0
	for i, r := range s {
		var with string
		switch {
		case r == '&':
			with = "&amp;"
		case r == '<':
			with = "&lt;"
		case r == '>':
			with = "&gt;"
		case r == '"':
			with = "&quot;"
		case r == '\r':
			with = "&#13;"
		case r < 0x20 && r != '\t' && r != '\n', r == 0xFFFE, r == 0xFFFF, r == utf8.RuneError:
			with = "\uFFFD"
		default:
			continue
		}
		w.out = append(w.out, s[start:i]...)
		w.out = append(w.out, with...)
		_, size := utf8.DecodeRuneInString(s[i:])
		start = i + size
	}
	w.out = append(w.out, s[start:]...)
}

// readXML reads a document whose root has that name, with or without S3's
// namespace.
func readXML(body []byte, rootName string, out any) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if err != nil {
			return s3Malformed()
		}
		start, isStart := token.(xml.StartElement)
		if !isStart {
			continue
		}
		if start.Name.Local != rootName || d.DecodeElement(out, &start) != nil {
			return s3Malformed()
		}
		return checkNothingFollows(d)
	}
}

// checkNothingFollows lets nothing but white space and comments follow a document.
func checkNothingFollows(d *xml.Decoder) error {
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if _, isStart := token.(xml.StartElement); err != nil || isStart {
			return s3Malformed()
		}
	}
}
