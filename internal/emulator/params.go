package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// params are the members of a request, or of one object inside it. A method
// asks for the members it knows and at the end for what went wrong: the first
// wrong type, the first missing member or, if that is refused, a member nobody
// asked for. A JSON null counts as absent everywhere.
type params struct {
	values   map[string]any // numbers are json.Number
	path     string         // "lifecycleRules[0]."
	query    bool           // values came from a URL's query: all are strings
	asked    map[string]bool
	children []*params
	problem  *error // shared with the children
}

func newParams(values map[string]any, path string, problem *error) *params {
	return &params{values: values, path: path, asked: map[string]bool{}, problem: problem}
}

// parseBody reads a request's JSON body. No body is an empty object.
func parseBody(body []byte) (*params, error) {
	var values map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	err := d.Decode(&values)
	if err == nil {
		if _, rest := d.Token(); rest != io.EOF {
			err = errors.New("the body goes on after its JSON object")
		}
	}
	if err != nil && len(bytes.TrimSpace(body)) > 0 {
		return nil, refuse(400, "bad_json", "the request body is not a JSON object")
	}
	return newParams(values, "", new(error)), nil
}

// parseQuery reads the members of a GET request: numbers and booleans in plain
// text, lists of strings joined by commas, objects as JSON.
func parseQuery(q url.Values) *params {
	values := make(map[string]any, len(q))
	for name, all := range q {
		values[name] = all[len(all)-1]
	}
	p := newParams(values, "", new(error))
	p.query = true
	return p
}

// finish gives the first problem the method's questions met.
func (p *params) finish(refuseUnknown bool) error {
	if *p.problem != nil {
		return *p.problem
	}
	if !refuseUnknown {
		return nil
	}
	return p.unknown()
}

func (p *params) unknown() error {
	for _, name := range sortedKeys(p.values) {
		if !p.asked[name] {
			return badRequest("unknown field %s%s", p.path, name)
		}
	}
	for _, c := range p.children {
		if len(c.asked) == 0 {
			continue // the method stopped before it; its own error says why
		}
		if err := c.unknown(); err != nil {
			return err
		}
	}
	return nil
}

func (p *params) fail(err error) {
	if *p.problem == nil {
		*p.problem = err
	}
}

func (p *params) wrongType(name, want string) {
	p.fail(refuse(400, "bad_json", "field %s%s must be %s", p.path, name, want))
}

// value gives a member that is present and not null.
func (p *params) value(name string) (value any, isSet bool) {
	p.asked[name] = true
	v := p.values[name]
	return v, v != nil
}

// readIsSet reports whether the member is present and not null.
func (p *params) readIsSet(name string) bool {
	_, ok := p.value(name)
	return ok
}

// isNull reports whether the member is there and null.
func (p *params) isNull(name string) bool {
	v, there := p.values[name]
	return there && v == nil
}

// require records a problem if the member is absent.
func (p *params) require(name string) {
	if !p.readIsSet(name) {
		p.fail(badRequest("required field %s%s is missing", p.path, name))
	}
}

func (p *params) text(name string) string {
	v, ok := p.value(name)
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		p.wrongType(name, "a string")
	}
	return s
}

func (p *params) requiredText(name string) string {
	p.require(name)
	return p.text(name)
}

// integer gives the number and whether there is one.
func (p *params) integer(name string) (number int64, isSet bool) {
	v, ok := p.value(name)
	if !ok {
		return 0, false
	}
	digits := ""
	switch v := v.(type) {
	case json.Number:
		digits = v.String()
	case string:
		if p.query {
			digits = v
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		p.wrongType(name, "an integer")
		return 0, false
	}
	return n, true
}

// flag gives the boolean and whether there is one.
func (p *params) flag(name string) (value, ok bool) {
	v, ok := p.value(name)
	if !ok {
		return false, false
	}
	if b, isBool := v.(bool); isBool {
		return b, true
	}
	if s, isText := v.(string); isText && p.query && (s == "true" || s == "false") {
		return s == "true", true
	}
	p.wrongType(name, "true or false")
	return false, false
}

// texts gives a list of strings, not nil, and whether there is one.
func (p *params) texts(name string) (values []string, isSet bool) {
	v, ok := p.value(name)
	if !ok {
		return nil, false
	}
	if s, isText := v.(string); isText && p.query && !strings.HasPrefix(s, "[") {
		return strings.Split(s, ","), true
	}
	list, ok := p.decodeQueryJSON(v).([]any)
	texts := make([]string, 0, len(list))
	for _, item := range list {
		s, isText := item.(string)
		ok = ok && isText
		texts = append(texts, s)
	}
	if !ok {
		p.wrongType(name, "a list of strings")
		return nil, false
	}
	return texts, true
}

// pairs gives an object of strings, not nil, and whether there is one.
func (p *params) pairs(name string) (values map[string]string, isSet bool) {
	v, ok := p.value(name)
	if !ok {
		return nil, false
	}
	object, ok := p.decodeQueryJSON(v).(map[string]any)
	pairs := make(map[string]string, len(object))
	for key, item := range object {
		s, isText := item.(string)
		ok = ok && isText
		pairs[key] = s
	}
	if !ok {
		p.wrongType(name, "an object of strings")
		return nil, false
	}
	return pairs, true
}

// object gives the members of an object, or nil if there is none.
func (p *params) object(name string) *params {
	v, ok := p.value(name)
	if !ok {
		return nil
	}
	object, ok := p.decodeQueryJSON(v).(map[string]any)
	if !ok {
		p.wrongType(name, "an object")
		return nil
	}
	return p.child(object, name+".")
}

// objects gives the elements of a list of objects and whether there is one.
func (p *params) objects(name string) (elements []*params, isSet bool) {
	v, ok := p.value(name)
	if !ok {
		return nil, false
	}
	list, ok := p.decodeQueryJSON(v).([]any)
	all := make([]*params, 0, len(list))
	for i, item := range list {
		object, isObject := item.(map[string]any)
		ok = ok && isObject
		all = append(all, p.child(object, fmt.Sprintf("%s[%d].", name, i)))
	}
	if !ok {
		p.wrongType(name, "a list of objects")
		return nil, false
	}
	return all, true
}

func (p *params) child(values map[string]any, path string) *params {
	c := newParams(values, p.path+path, p.problem)
	p.children = append(p.children, c)
	return c
}

// decodeQueryJSON decodes the JSON text that a query carries for a list or object.
func (p *params) decodeQueryJSON(v any) any {
	s, isText := v.(string)
	if !p.query || !isText {
		return v
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var out any
	if d.Decode(&out) != nil {
		return nil
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
