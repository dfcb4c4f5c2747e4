package emulator

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// A refusal is an error reply. Its body is the service's error object; see
// "Native API Error Handling" in the documentation.
type refusal struct {
	status        int
	code, message string
	// asksForBasicAuth asks for Basic credentials, as only b2_authorize_account does.
	asksForBasicAuth bool
	retryAfter       int
}

func (e *refusal) Error() string { return fmt.Sprintf("%d %s: %s", e.status, e.code, e.message) }

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) *refusal {
	return refuse(400, "bad_request", format, args...)
}

// unauthorized says that the token is good and its key may not do this. The
// service gives no reason.
func unauthorized() *refusal { return refuse(401, "unauthorized", "") }

// accessDenied says that a lock or a key of the customer's stands in the way.
// b2_delete_file_version says it with status 401.
func accessDenied() *refusal { return refuse(403, "access_denied", "Access Denied") }

func (e *refusal) body() []byte {
	var w jsonPrinter
	w.begin("", '{')
	w.text("code", e.code)
	w.text("message", e.message)
	w.number("status", int64(e.status))
	w.end('}')
	return w.out
}

// A jsonPrinter writes one JSON document in the service's layout: two spaces of
// indentation and members in alphabetical order, which is the caller's duty.
// A member inside an array has the name "".
type jsonPrinter struct {
	out       []byte
	depth     int
	hasMember bool // the innermost object or array has a member
}

// beginMember writes what goes before a member's value.
func (w *jsonPrinter) beginMember(name string) {
	if w.hasMember {
		w.out = append(w.out, ',')
	}
	w.hasMember = true
	if w.depth > 0 {
		w.newLine()
	}
	if name != "" {
		w.quote(name)
		w.out = append(w.out, ": "...)
	}
}

func (w *jsonPrinter) newLine() {
	w.out = append(w.out, '\n')
	for range w.depth {
		w.out = append(w.out, "  "...)
	}
}

// begin opens an object or array; end closes it.
func (w *jsonPrinter) begin(name string, bracket byte) {
	w.beginMember(name)
	w.out = append(w.out, bracket)
	w.depth++
	w.hasMember = false
}

func (w *jsonPrinter) end(bracket byte) {
	w.depth--
	if w.hasMember {
		w.newLine()
	}
	w.out = append(w.out, bracket)
	w.hasMember = true
}

func (w *jsonPrinter) text(name, value string) {
	w.beginMember(name)
	w.quote(value)
}

// textOrNull prints null for "".
func (w *jsonPrinter) textOrNull(name, value string) {
	if value == "" {
		w.null(name)
		return
	}
	w.text(name, value)
}

func (w *jsonPrinter) number(name string, value int64) {
	w.beginMember(name)
	w.out = strconv.AppendInt(w.out, value, 10)
}

// numberOrNull prints null for 0.
func (w *jsonPrinter) numberOrNull(name string, value int64) {
	if value == 0 {
		w.null(name)
		return
	}
	w.number(name, value)
}

func (w *jsonPrinter) flag(name string, value bool) {
	w.beginMember(name)
	w.out = strconv.AppendBool(w.out, value)
}

func (w *jsonPrinter) null(name string) {
	w.beginMember(name)
	w.out = append(w.out, "null"...)
}

func (w *jsonPrinter) texts(name string, values []string) {
	w.begin(name, '[')
	for _, v := range values {
		w.text("", v)
	}
	w.end(']')
}

// textsOrNull prints null for nil.
func (w *jsonPrinter) textsOrNull(name string, values []string) {
	if values == nil {
		w.null(name)
		return
	}
	w.texts(name, values)
}

func (w *jsonPrinter) pairs(name string, values map[string]string) {
	w.begin(name, '{')
	for _, k := range sortedKeys(values) {
		w.beginMember("")
		w.quote(k)
		w.out = append(w.out, ": "...)
		w.quote(values[k])
	}
	w.end('}')
}

const hexDigits = "0123456789abcdef"

// quote writes a JSON string, escaping no more than JSON demands. Bytes that
// are not UTF-8 become U+FFFD.
func (w *jsonPrinter) quote(s string) {
	b := append(w.out, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(b, s[start:i]...)
				b = append(b, "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	w.out = append(b, '"')
}
