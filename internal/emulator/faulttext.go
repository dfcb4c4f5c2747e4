package emulator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A fault can be written as one line of text:
//
//	FAULT  = METHOD ":" ITEM { "," ITEM }
//	METHOD = the name of a call, as in b2_create_key or PutObject, or "*" for any
//	ITEM   = "nth=" N | "count=" N | "count=always"           which requests
//	       | "after" | "late=" N                              what they do
//	       | "status=" N | "code=" TEXT | "message=" TEXT     what they get
//	       | "retry_after=" SECONDS | "expired" | "cap"
//	       | "drop" | "hang" | "delay=" DURATION
//
// FaultItems says what each item is. TEXT ends at a comma, which a backslash
// before it makes part of the text, as it does a backslash.

// A FaultItem is what may stand in the text of a fault. A name in capitals stands for a value.
type FaultItem struct{ Text, Doc string }

// FaultItems are all items.
func FaultItems() []FaultItem {
	return []FaultItem{
		{"nth=N", "the first request hit is the N-th of METHOD (default: 1)"},
		{"count=N", "so many in a row (default: 1); count=always: all from then on"},
		{"status=N", "the reply is an error of this status, 400 to 599"},
		{"code=TEXT", "its code (default: what B2 says with such a status)"},
		{"message=TEXT", "its message; a comma in it needs a backslash before it"},
		{"retry_after=N", "its Retry-After header, in seconds"},
		{"expired", "short for status=401 and code=expired_auth_token"},
		{"cap", "short for status=403 and code=transaction_cap_exceeded"},
		{"drop", "the connection breaks without a reply"},
		{"hang", "no reply comes until the client gives up"},
		{"delay=DURATION", "the request waits; alone, it is then answered as usual"},
		{"after", "the request takes effect all the same"},
		{"late=N", "the request takes effect after N further requests"},
	}
}

// allFurtherRequests is Fault.Count when all requests fail.
const allFurtherRequests = -1

// maxDelay bounds the delay that a fault's text may ask for.
const maxDelay = maxHang

// codeByStatus are the service's error codes for a status that came without one.
var codeByStatus = map[int]string{
	400: "bad_request", 401: "unauthorized", 403: "access_denied", 404: "not_found",
	405: "method_not_allowed", 408: "request_timeout", 409: "conflict",
	416: "range_not_satisfiable", 429: "too_many_requests", 500: "internal_error",
	503: "service_unavailable",
}

// ParseFault reads the text of a fault, as in
// "b2_create_key:nth=2,after,status=503,retry_after=1". See docs/emulator.md
// for the grammar. The error says which item is wrong.
func ParseFault(text string) (Fault, error) {
	method, items, ok := strings.Cut(text, ":")
	if !ok || method != "*" && methods[method].run == nil && !isS3Operation(method) {
		return Fault{}, fmt.Errorf("fault %q: begin with the name of a call, or *, and a colon, as in b2_create_key:status=503", text)
	}
	f := Fault{Nth: 1, Count: 1, DelayOnly: true}
	if method != "*" {
		f.Method = method
	}
	for _, item := range splitItems(items) {
		if err := f.set(item); err != nil {
			return Fault{}, fmt.Errorf("fault %q: %w", text, err)
		}
	}
	return f, f.checkAndFillCode(text)
}

// checkAndFillCode settles what the items together mean.
func (f *Fault) checkAndFillCode(text string) error {
	f.DelayOnly = f.DelayOnly && f.Status == 0
	switch {
	case f.DelayOnly && f.Delay == 0:
		return fmt.Errorf("fault %q: say what happens: status=N, expired, cap, drop, hang or delay=DURATION", text)
	case f.DelayOnly && (f.TakesEffect || f.LateByRequests > 0):
		return fmt.Errorf("fault %q: after and late need a status, drop or hang", text)
	case f.TakesEffect && f.LateByRequests > 0:
		return fmt.Errorf("fault %q: choose after or late", text)
	case f.Status == 0 && (f.Code != "" || f.Message != "" || f.RetryAfter != 0):
		return fmt.Errorf("fault %q: code, message and retry_after need a status", text)
	case f.Hang && f.Status != 0:
		return fmt.Errorf("fault %q: choose hang or a status", text)
	}
	if f.Status != 0 && f.Code == "" {
		f.Code = codeByStatus[f.Status]
	}
	if f.Status != 0 && f.Code == "" {
		return fmt.Errorf("fault %q: status %d has no usual code; add code=TEXT", text, f.Status)
	}
	return nil
}

// set takes one item.
func (f *Fault) set(item string) error {
	name, value, hasValue := strings.Cut(item, "=")
	words := map[string]func(){
		"after":   func() { f.TakesEffect = true },
		"drop":    func() { f.DelayOnly = false },
		"hang":    func() { f.Hang, f.DelayOnly = true, false },
		"expired": func() { f.Status, f.Code = http.StatusUnauthorized, "expired_auth_token" },
		"cap":     func() { f.Status, f.Code = http.StatusForbidden, "transaction_cap_exceeded" },
	}
	if set, ok := words[name]; ok && !hasValue {
		set()
		return nil
	}
	if _, err := strconv.Atoi(item); err == nil {
		return fmt.Errorf("%q is no item; a status is written status=%s", item, item)
	}
	if !hasValue || value == "" {
		return unknownItemError(item)
	}
	switch name {
	case "nth":
		return readNumber(&f.Nth, item, value, 1, 1_000_000)
	case "count":
		if value == "always" {
			f.Count = allFurtherRequests
			return nil
		}
		return readNumber(&f.Count, item, value, 1, 1_000_000)
	case "late":
		return readNumber(&f.LateByRequests, item, value, 1, 1_000_000)
	case "status":
		return readNumber(&f.Status, item, value, 400, 599)
	case "retry_after":
		return readNumber(&f.RetryAfter, item, value, 1, 86_400)
	case "code":
		f.Code = value
	case "message":
		f.Message = value
	case "delay":
		d, err := time.ParseDuration(value)
		if err != nil || d <= 0 || d > maxDelay {
			return fmt.Errorf("%q must be a duration up to %s, as in delay=500ms", item, maxDelay)
		}
		f.Delay = d
	default:
		return unknownItemError(item)
	}
	return nil
}

// unknownItemError says what a fault may have instead.
func unknownItemError(item string) error {
	var known []string
	for _, i := range FaultItems() {
		known = append(known, i.Text)
	}
	return fmt.Errorf("%q is no item; they are %s", item, strings.Join(known, ", "))
}

func readNumber(to *int, item, value string, least, most int) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		return fmt.Errorf("%q must be a number from %d to %d", item, least, most)
	}
	*to = n
	return nil
}

// splitItems splits at commas and takes the backslashes out.
func splitItems(text string) (items []string) {
	var item strings.Builder
	escaped := false
	for _, r := range text {
		switch {
		case !escaped && r == '\\':
			escaped = true
			continue
		case !escaped && r == ',':
			items = append(items, item.String())
			item.Reset()
		default:
			item.WriteRune(r)
		}
		escaped = false
	}
	return append(items, item.String())
}

// String gives the text that ParseFault reads.
func (f Fault) String() string {
	method := f.Method
	if method == "" {
		method = "*"
	}
	var items []string
	add := func(is bool, format string, args ...any) {
		if is {
			items = append(items, fmt.Sprintf(format, args...))
		}
	}
	escape := strings.NewReplacer(`\`, `\\`, `,`, `\,`).Replace
	add(f.Nth > 1, "nth=%d", f.Nth)
	add(f.Count > 1, "count=%d", f.Count)
	add(f.Count < 0, "count=always")
	add(f.TakesEffect, "after")
	add(f.LateByRequests > 0, "late=%d", f.LateByRequests)
	add(f.Delay > 0, "delay=%s", f.Delay)
	add(f.Hang, "hang")
	add(!f.Hang && !f.DelayOnly && f.Status == 0, "drop")
	add(f.Status != 0, "status=%d", f.Status)
	add(f.Code != "", "code=%s", escape(f.Code))
	add(f.Message != "", "message=%s", escape(f.Message))
	add(f.RetryAfter > 0, "retry_after=%d", f.RetryAfter)
	return method + ":" + strings.Join(items, ",")
}
