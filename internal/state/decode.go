package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tidwall/gjson"

	"b2form/schema/addr"
	"b2form/schema/wire"
)

// readStateFileOrEmpty decodes a state file; an absent one is an empty state.
func readStateFileOrEmpty(path string) (*State, error) {
	data, err := readRegularFileOrNil(path)
	if err != nil {
		return nil, err
	}
	if data == nil {
		return &State{}, nil
	}
	return Parse(path, data)
}

// byteOrderMark is what some editors on Windows put before a text.
const byteOrderMark = "\ufeff"

// Parse reads what Encode wrote; name is what messages call it. Every error is
// an *Error.
func Parse(name string, data []byte) (*State, error) {
	d := decoder{path: name, data: strings.TrimPrefix(string(data), byteOrderMark)}
	s, err := d.decodeState()
	if err == nil {
		s.sort()
		err = s.checkNoDuplicates()
	}
	if err == nil {
		err = s.checkObjectsUnique(name)
	}
	var known *Error
	switch {
	case err != nil && isTerraformState(d.data):
		return nil, terraformStateError(name)
	case errors.As(err, &known):
		return nil, known
	case err != nil:
		return nil, d.damagedError(err)
	}
	return s, nil
}

// isTerraformState reports whether Terraform wrote a state file.
func isTerraformState(data string) bool {
	whole := gjson.Parse(data)
	return wire.FindTooDeep(data, wire.MostNested) < 0 && gjson.Valid(data) && whole.Get("lineage").Exists() && whole.Get("serial").Exists()
}

// checkNoDuplicates finds what no run of b2form would have written.
func (s *State) checkNoDuplicates() error {
	for i := 1; i < len(s.Entries); i++ {
		if a := s.Entries[i].Addr; a == s.Entries[i-1].Addr {
			return fmt.Errorf("%s stands twice under \"entries\"", a)
		}
	}
	for i := 1; i < len(s.OpenIntents); i++ {
		if k := s.OpenIntents[i].key(); k == s.OpenIntents[i-1].key() {
			return fmt.Errorf("%s stands twice under \"open\"", k.Addr)
		}
	}
	return nil
}

func checkEntryComplete(e *addr.StateEntry) error {
	if e.Addr.Kind == "" || e.Identity == "" || e.ID == "" {
		return errors.New(`an entry lacks "address", "identity" or "id"`)
	}
	if !e.DriftDigests.IsWellFormed() {
		return fmt.Errorf("the digests of %s have %d characters, which none have", e.Addr, len(e.DriftDigests))
	}
	for _, old := range e.Retiring {
		if old.ID == "" {
			return fmt.Errorf(`what %s lists under "retiring" lacks "id"`, e.Addr)
		}
	}
	return nil
}

// checkObjectsUnique refuses a state that names one object twice: whichever of the addresses
// is wrong, what is done for it would be done to the object of the other one. path is
// what messages call the state.
func (s *State) checkObjectsUnique(path string) error {
	// Objects of two kinds may share an ID: a bucket and its notification rules.
	type object struct{ kind, id string }
	holders := make(map[object]*addr.StateEntry, len(s.Entries))
	for i := range s.Entries {
		e := &s.Entries[i]
		for id := range e.IDs() {
			o := object{e.Addr.Kind, id}
			if other := holders[o]; other != nil {
				return duplicateObjectError(path, o.kind, o.id, other, e)
			}
			holders[o] = e
		}
	}
	return nil
}

// A decoder reads a state file. Checking the whole and then picking out members
// takes a third of the time that encoding/json takes.
type decoder struct {
	path, data string
	offset     int // where what is being read starts
}

func (d *decoder) decodeState() (*State, error) {
	if wire.FindTooDeep(d.data, wire.MostNested) >= 0 || !gjson.Valid(d.data) {
		return nil, d.syntaxError()
	}
	s, version := &State{}, 0
	whole := gjson.Parse(d.data)
	d.offset = whole.Index
	if !whole.IsObject() {
		return nil, errors.New(`"{" was expected`)
	}
	seen := map[string]bool{}
	err := d.forEachMemberOrElement(whole, func(member, v gjson.Result) error {
		if seen[member.Str] {
			return repeatedMemberError(member.Str)
		}
		seen[member.Str] = true
		return d.decodeMember(member, v, s, &version)
	})
	if err == nil && version < 1 {
		err = errors.New("it has no \"version\", or one that never was, so b2form did not write it")
	}
	return s, err
}

// syntaxError says where the file stops to be JSON.
func (d *decoder) syntaxError() error {
	if at := wire.FindTooDeep(d.data, wire.MostNested); at >= 0 {
		d.offset = at
		return fmt.Errorf("more than %d values stand inside of each other", wire.MostNested)
	}
	from := json.NewDecoder(strings.NewReader(d.data))
	var whole json.RawMessage
	err := from.Decode(&whole)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		d.offset = int(syntax.Offset) - 1
		return errors.New("what stands there is not JSON")
	}
	if err != nil {
		d.offset = len(d.data)
		return errors.New("the file ends too early")
	}
	d.offset = int(from.InputOffset())
	return errors.New("something follows the end of the state")
}

// forEachMemberOrElement calls f with the members of an object or the elements of a list, until
// one is wrong.
func (d *decoder) forEachMemberOrElement(of gjson.Result, f func(member, v gjson.Result) error) (err error) {
	of.ForEach(func(member, v gjson.Result) bool {
		d.offset = v.Index
		err = f(member, v)
		return err == nil
	})
	return err
}

func (d *decoder) decodeMember(member, v gjson.Result, s *State, version *int) error {
	switch member.Str {
	case "version":
		if err := decodeStrict(v, version); err != nil {
			return err
		}
		if *version > formatVersion {
			return newerVersionError(d.path, *version)
		}
		return nil
	case "account_id":
		return decodeStrict(v, &s.AccountID)
	case "realm":
		err := decodeStrict(v, &s.Realm)
		s.Realm = realmWithoutLoopbackPort(s.Realm)
		return err
	case "applied":
		return decodeStrict(v, &s.Applied)
	case "entries":
		if !v.IsArray() {
			return errors.New(`"[" was expected`)
		}
		// Growing by doubling would copy every entry several times.
		s.Entries = make([]addr.StateEntry, 0, strings.Count(v.Raw, `"address"`))
		return d.forEachMemberOrElement(v, func(_, v gjson.Result) error {
			e, err := decodeEntry(v)
			s.Entries = append(s.Entries, e)
			return err
		})
	case "open":
		if !v.IsArray() {
			return errors.New(`"[" was expected`)
		}
		return d.forEachMemberOrElement(v, func(_, v gjson.Result) error {
			i, err := decodeIntent(v)
			s.OpenIntents = append(s.OpenIntents, i)
			return err
		})
	}
	d.offset = member.Index
	return fmt.Errorf("%q is not known here", member.Str)
}

func decodeEntry(v gjson.Result) (addr.StateEntry, error) {
	e, ok := decodeEntryFast(v)
	if !ok {
		var any struct {
			addr.StateEntry
			Addr fastDecodedAddr `json:"address"`
		}
		if err := decodeStrict(v, &any); err != nil {
			return addr.StateEntry{}, err
		}
		e, e.Addr = any.StateEntry, addr.Addr(any.Addr)
	}
	return e, checkEntryComplete(&e)
}

// decodeEntryFast reads an entry that has only the members of most. Where ok is false
// it may still be a good one.
func decodeEntryFast(v gjson.Result) (e addr.StateEntry, ok bool) {
	ok = v.IsObject()
	v.ForEach(func(member, v gjson.Result) bool {
		switch {
		case member.Str == "delivered" && v.IsBool() && !e.Delivered:
			e.Delivered = v.Bool()
		case v.Type != gjson.String:
			ok = false
		case member.Str == "address" && e.Addr.Kind == "":
			e.Addr, ok = parseAddrFast(strings.Clone(v.Str))
		case member.Str == "identity" && e.Identity == "":
			e.Identity = strings.Clone(v.Str)
		case member.Str == "id" && e.ID == "":
			e.ID = strings.Clone(v.Str)
		case member.Str == "delivery" && e.DeliveryDigest == "":
			e.DeliveryDigest = strings.Clone(v.Str)
		case member.Str == "digests" && e.DriftDigests == "":
			e.DriftDigests = addr.DriftDigests(strings.Clone(v.Str))
		case member.Str == "created" && e.Created.IsZero():
			ok = e.Created.UnmarshalText([]byte(v.Str)) == nil
		case member.Str == "updated" && e.Updated.IsZero():
			ok = e.Updated.UnmarshalText([]byte(v.Str)) == nil
		default:
			ok = false
		}
		return ok
	})
	return e, ok
}

func decodeIntent(v gjson.Result) (i CreateIntent, err error) {
	err = decodeStrict(v, &i)
	if err == nil {
		err = i.checkComplete()
	}
	return i, err
}

func (i *CreateIntent) checkComplete() error {
	if i.Addr.Kind == "" || i.Identity == "" {
		return errors.New(`an open create lacks "address" or "identity"`)
	}
	return nil
}

// decodeStrict decodes a value that has no members but the known ones, each at most once.
func decodeStrict(v gjson.Result, into any) error {
	if name := findRepeatedMember(v); name != "" {
		return repeatedMemberError(name)
	}
	d := json.NewDecoder(strings.NewReader(v.Raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// findRepeatedMember finds a member that stands twice in one object, as a bad merge leaves it: only one
// would count. Members are taken in any case, as encoding/json does. "": there is none.
func findRepeatedMember(v gjson.Result) (name string) {
	if !v.IsObject() && !v.IsArray() {
		return ""
	}
	seen := map[string]bool{}
	v.ForEach(func(member, inner gjson.Result) bool {
		if lower := strings.ToLower(member.Str); v.IsObject() && seen[lower] {
			name = lower
		} else {
			seen[lower] = true
			name = findRepeatedMember(inner)
		}
		return name == ""
	})
	return name
}

func repeatedMemberError(member string) error { return fmt.Errorf("%q stands twice", member) }

// damagedError says what is wrong and where.
func (d *decoder) damagedError(err error) *Error {
	at, what := d.offset, strings.TrimPrefix(err.Error(), "json: ")
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		what = fmt.Sprintf("a JSON %s stands where a %s belongs", mismatch.Value, mismatch.Type.Kind())
	}
	if conflict := strings.Index(d.data, "\n<<<<<<< "); conflict >= 0 {
		return mergeConflictError(d.path, strings.Count(d.data[:conflict], "\n")+2)
	}
	before := d.data[:at]
	line := strings.Count(before, "\n") + 1
	column := len(before) - strings.LastIndexByte(before, '\n')
	return damagedFileError(d.path, line, column, what)
}
