package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"b2form/schema/kind"
)

// readFile decodes a state file; an absent one is an empty state.
func readFile(path string) (*State, error) {
	data, err := readAll(path)
	if err != nil {
		return nil, err
	}
	if data == nil {
		return &State{}, nil
	}
	return Parse(path, data)
}

// Parse reads what Encode wrote; name is what messages call it. Every error is
// an *Error.
func Parse(name string, data []byte) (*State, error) {
	d := decoder{path: name, data: data, json: json.NewDecoder(bytes.NewReader(data))}
	d.json.DisallowUnknownFields()
	s, err := d.state()
	if err == nil {
		s.sort()
		err = s.check()
	}
	var known *Error
	switch {
	case errors.As(err, &known):
		return nil, known
	case err != nil:
		return nil, d.damaged(err)
	}
	return s, nil
}

// check finds what no run of b2form would have written.
func (s *State) check() error {
	for i := 1; i < len(s.Entries); i++ {
		if a := s.Entries[i].Addr; a == s.Entries[i-1].Addr {
			return fmt.Errorf("%s stands twice under \"entries\"", a)
		}
	}
	for i := 1; i < len(s.Open); i++ {
		if k := s.Open[i].key(); k == s.Open[i-1].key() {
			return fmt.Errorf("%s stands twice under \"open\"", k.Addr)
		}
	}
	return nil
}

// A decoder reads a state file member by member, which keeps memory low and
// errors placed.
type decoder struct {
	path string
	data []byte
	json *json.Decoder
	at   int64 // where the value that is being read starts
}

func (d *decoder) state() (*State, error) {
	s, version := &State{}, 0
	if err := d.delim('{'); err != nil {
		return nil, err
	}
	for d.json.More() {
		d.mark()
		member, err := d.json.Token()
		if err != nil {
			return nil, err
		}
		if err := d.member(member, s, &version); err != nil {
			return nil, err
		}
	}
	if err := d.delim('}'); err != nil {
		return nil, err
	}
	if version == 0 {
		return nil, errors.New("it has no \"version\", so b2form did not write it")
	}
	d.mark()
	if _, err := d.json.Token(); err != io.EOF {
		return nil, errors.New("something follows the end of the state")
	}
	return s, nil
}

func (d *decoder) member(member json.Token, s *State, version *int) error {
	switch member {
	case "version":
		if err := d.value(version); err != nil {
			return err
		}
		if *version > formatVersion {
			return newer(d.path, *version)
		}
		return nil
	case "account_id":
		return d.value(&s.AccountID)
	case "realm":
		return d.value(&s.Realm)
	case "entries":
		// Growing by doubling would copy every entry several times.
		s.Entries = make([]kind.Entry, 0, bytes.Count(d.data, []byte(`"address"`)))
		return d.list(func() error {
			e, err := d.entry()
			s.Entries = append(s.Entries, e)
			return err
		})
	case "open":
		return d.list(func() error {
			i, err := d.intent()
			s.Open = append(s.Open, i)
			return err
		})
	}
	return fmt.Errorf("%q is not known here", member)
}

func (d *decoder) entry() (kind.Entry, error) {
	var e struct {
		kind.Entry
		Addr addr `json:"address"`
	}
	if err := d.value(&e); err != nil {
		return kind.Entry{}, err
	}
	e.Entry.Addr = kind.Addr(e.Addr)
	if e.Addr.Kind == "" || e.Identity == "" || e.ID == "" {
		return kind.Entry{}, errors.New(`an entry lacks "address", "identity" or "id"`)
	}
	return e.Entry, nil
}

func (d *decoder) intent() (i Intent, err error) {
	err = d.value(&i)
	if err == nil && (i.Addr.Kind == "" || i.Identity == "") {
		err = errors.New(`an open create lacks "address" or "identity"`)
	}
	return i, err
}

func (d *decoder) value(v any) error {
	d.mark()
	return d.json.Decode(v)
}

func (d *decoder) list(element func() error) error {
	if err := d.delim('['); err != nil {
		return err
	}
	for d.json.More() {
		if err := element(); err != nil {
			return err
		}
	}
	return d.delim(']')
}

func (d *decoder) delim(want json.Delim) error {
	d.mark()
	t, err := d.json.Token()
	if err == nil && t != want {
		err = fmt.Errorf("%q was expected", want.String())
	}
	return err
}

// mark remembers where the next token starts.
func (d *decoder) mark() {
	d.at = d.json.InputOffset()
	for d.at < int64(len(d.data)) && strings.IndexByte(" \t\r\n,:", d.data[d.at]) >= 0 {
		d.at++
	}
}

// damaged says what is wrong and where.
func (d *decoder) damaged(err error) *Error {
	at, what := d.at, strings.TrimPrefix(err.Error(), "json: ")
	var mismatch *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		at, what = int64(len(d.data)), "the file ends too early"
	case errors.As(err, &syntax):
		what = "what stands there is not JSON"
	case errors.As(err, &mismatch):
		what = fmt.Sprintf("a JSON %s stands where a %s belongs", mismatch.Value, mismatch.Type.Kind())
	}
	if conflict := bytes.Index(d.data, []byte("\n<<<<<<< ")); conflict >= 0 {
		at, what = int64(conflict)+1, "it holds the marks of a merge conflict"
	}
	before := d.data[:at]
	line := bytes.Count(before, []byte{'\n'}) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return damaged(d.path, line, column, what)
}
