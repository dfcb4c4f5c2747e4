package kind

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tidwall/gjson"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/wire"
)

// A objectDecoder is what the live objects of one kind in one snapshot share: how they
// are read, and what was read before. Most objects of an account have most of
// their lists and nested objects in common, so each text is decoded once.
type objectDecoder struct {
	kind              *Kind
	lookupName        nameLookup
	expectedAccountID string       // whose objects they must be; "": not known
	sourceMembers     []string     // top-level members of the JSON that attributes are read from
	attrSources       []attrSource // by the attribute's index

	mu            sync.Mutex
	memberValues  []gjson.Result            // of the object that is being read; by the index in members
	decodedByText []map[attrJSON]*cty.Value // by the attribute's index
}

// An attrSource says where an attribute is found.
type attrSource struct {
	fixed             *cty.Value // the same for every object
	absentValue       *cty.Value
	memberIndex       int
	path              string // below member: "" or dotted
	singleMemberIndex int    // member of SingleValueReadPath; -1: none
}

// A attrJSON is a piece of JSON by which its value is found again, and whether it stands for a list of one.
type attrJSON struct {
	valueJSON  string
	wrapInList bool
}

// maxDecodedTexts is how many texts of one attribute are remembered.
const maxDecodedTexts = 1000

func newObjectDecoder(k *Kind, names nameLookup, account *wire.Account) *objectDecoder {
	r := &objectDecoder{kind: k, lookupName: names,
		attrSources: make([]attrSource, len(k.Attrs)), decodedByText: make([]map[attrJSON]*cty.Value, len(k.Attrs))}
	if account != nil {
		r.expectedAccountID = account.ID
	}
	for i := range k.Attrs {
		a := &k.Attrs[i]
		null := cty.NullVal(a.ValueType())
		s := attrSource{absentValue: &null, singleMemberIndex: -1}
		path := a.livePath()
		switch fixed := cty.UnknownVal(a.ValueType()); {
		case a.FromAccount != nil && account != nil:
			fixed = a.FromAccount(account)
			s.fixed = &fixed
		case a.FromAccount != nil, a.Secret && a.Computed:
			s.fixed = &fixed
		case path == "":
			s.fixed = &null
		default:
			var member string
			member, s.path, _ = strings.Cut(path, ".")
			s.memberIndex = r.ensureMember(member)
			if a.Type.IsPrimitiveType() && a.Object == nil {
				null = a.liveValueIfAbsent()
			}
			if a.Encoding.SingleValueReadPath != "" {
				s.singleMemberIndex = r.ensureMember(a.Encoding.SingleValueReadPath)
			}
		}
		r.attrSources[i] = s
		r.decodedByText[i] = map[attrJSON]*cty.Value{}
	}
	r.memberValues = make([]gjson.Result, len(r.sourceMembers))
	return r
}

func (r *objectDecoder) ensureMember(name string) (index int) {
	for i, m := range r.sourceMembers {
		if m == name {
			return i
		}
	}
	r.sourceMembers = append(r.sourceMembers, name)
	return len(r.sourceMembers) - 1
}

// clearDecoded is called when names have changed.
func (r *objectDecoder) clearDecoded() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.decodedByText {
		clear(m)
	}
}

// decode reads one live object, which is valid JSON: every attribute of the kind
// by its wire path. What B2 hides from the credentials is unknown; what is absent
// is null, except that an absent list, set or map is empty. An ID without a known
// name stands as "(deleted bucket ID)". Values come normalised. An error names the
// attribute.
func (r *objectDecoder) decode(raw wire.RawJSON) (Values, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.memberValues)
	whole := gjson.Parse(string(raw))
	if !whole.IsObject() {
		return Values{}, fmt.Errorf("not a JSON object: %w", unexpectedValueError("an object", json.RawMessage(raw)))
	}
	whole.ForEach(func(name, value gjson.Result) bool {
		for i, m := range r.sourceMembers {
			if m == name.Str {
				r.memberValues[i] = value
				break
			}
		}
		return true
	})
	out := r.kind.newValues()
	for i := range r.attrSources {
		v, err := r.decodeAttr(i)
		if err != nil {
			return Values{}, fmt.Errorf("%s: %w", r.kind.Attrs[i].Name, err)
		}
		out.list[i] = v
	}
	return out, nil
}

func (r *objectDecoder) decodeAttr(i int) (*cty.Value, error) {
	a, s := &r.kind.Attrs[i], &r.attrSources[i]
	if s.fixed != nil {
		return s.fixed, nil
	}
	part := r.memberValues[s.memberIndex]
	if s.path == "" && a.Object == nil {
		switch {
		case part.Type == gjson.Null && a.Type.IsPrimitiveType():
			return s.absentValue, nil
		case part.Type == gjson.String && a.Type == cty.String && hasNoEscapes(part):
			v := a.normalize(cty.StringVal(wire.EscapeNonNFC(valueDecoder{r.lookupName}.nameOrDeletedText(a, part.Str))))
			return &v, nil
		}
	}
	t := attrJSON{valueJSON: part.Raw}
	if part.Type == gjson.Null && s.singleMemberIndex >= 0 && r.memberValues[s.singleMemberIndex].Type != gjson.Null {
		t = attrJSON{r.memberValues[s.singleMemberIndex].Raw, true}
	}
	if v, ok := r.decodedByText[i][t]; ok {
		return v, nil
	}
	v, err := r.decodeUncached(a, s, t)
	if err != nil {
		return nil, err
	}
	if len(r.decodedByText[i]) < maxDecodedTexts {
		t.valueJSON = strings.Clone(t.valueJSON) // a part would hold the whole
		r.decodedByText[i][t] = v
	}
	return v, nil
}

// hasNoEscapes reports whether a string is the bytes between its quotes.
func hasNoEscapes(s gjson.Result) bool { return len(s.Raw) == len(s.Str)+2 && utf8.ValidString(s.Str) }

// decodeUncached decodes what has not been seen before.
func (r *objectDecoder) decodeUncached(a *Attr, s *attrSource, t attrJSON) (*cty.Value, error) {
	var found any
	if t.valueJSON != "" {
		if err := json.Unmarshal([]byte(t.valueJSON), &found); err != nil { // it is JSON, but no such number can be held
			return nil, unexpectedValueError("a smaller number", json.RawMessage(t.valueJSON))
		}
	}
	member, path := r.sourceMembers[s.memberIndex], s.path
	if t.wrapInList {
		member, path = r.sourceMembers[s.singleMemberIndex], ""
	}
	whole := member
	if path != "" {
		whole += "." + path
	}
	if t.wrapInList && found != nil {
		found = []any{found}
	}
	v, err := valueDecoder{r.lookupName}.decodePath(a, map[string]any{member: found}, whole)
	if err != nil {
		return nil, err
	}
	return &v, nil
}
