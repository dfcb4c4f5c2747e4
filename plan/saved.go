package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// A Saved plan is all that its basis is a digest of. It can be stored and shown: in the place of
// what the plan hides stands something else.
type Saved struct {
	AccountID     string             `json:"account"`
	Realm         string             `json:"realm"`
	Changes       []SavedChange      `json:"changes,omitempty"`
	OutputChanges []SavedOutput      `json:"outputs,omitempty"`
	Steps         []Step             `json:"steps,omitempty"`
	Records       []addr.StateEntry  `json:"records,omitempty"`
	Moves         []EntryMove        `json:"moves,omitempty"`
	MovedIntents  []EntryMove        `json:"moved_intents,omitempty"`
	Undelivered   []addr.Addr        `json:"undelivered,omitempty"`
	LeftOut       []addr.Addr        `json:"left_out,omitempty"`
	Protection    []ProtectionChange `json:"protection,omitempty"`
	Exceptions    []SavedException   `json:"exceptions,omitempty"`  // of all that is declared; by address and policy
	HiddenHash    string             `json:"hidden_hash,omitempty"` // SlowHashIfSalted of what is hidden; "": nothing is
}

// A SavedException is a resource for which a policy does not hold.
type SavedException struct {
	Addr addr.Addr `json:"address"`
	config.Exception
}

// A SavedChange is a Change in the form that is hashed and stored.
type SavedChange struct {
	Addr                   addr.Addr             `json:"address"`
	MovedFrom              string                `json:"moved_from,omitempty"`
	Action                 Action                `json:"action"`
	Import                 bool                  `json:"import,omitempty"`
	ImportedSiblings       []NamedObject         `json:"imported_siblings,omitempty"`
	Identity               string                `json:"identity,omitempty"`
	RemoteID               string                `json:"id,omitempty"`
	LiveName               string                `json:"live_name,omitempty"`
	Before                 json.RawMessage       `json:"before"`
	UnreadableBefore       []string              `json:"unknown_before,omitempty"` // attributes of Before that nobody could read
	After                  json.RawMessage       `json:"after"`
	UnknownAfter           []string              `json:"unknown_after,omitempty"`
	Fields                 []string              `json:"fields,omitempty"`
	IgnoredFieldsMadeAnew  []string              `json:"fields_made_anew,omitempty"`
	Sensitive              []string              `json:"sensitive,omitempty"`
	Reason                 string                `json:"reason,omitempty"`
	Hazards                []kind.Hazard         `json:"hazards,omitempty"`
	DeliverTo              []string              `json:"deliver_to,omitempty"`
	DeliveryDigest         string                `json:"delivery,omitempty"`
	ProgramLimits          []string              `json:"programs,omitempty"`        // how the programs of DeliverTo are run, in words
	PreventDestroy         bool                  `json:"prevent_destroy,omitempty"` // of what is made: Records tell it of what stays
	ForceDestroy           bool                  `json:"force,omitempty"`
	LiveDrift              DriftStatus           `json:"changed_outside,omitempty"`
	ConfigDrift            DriftStatus           `json:"edited,omitempty"`
	FurtherDeletes         []NamedObject         `json:"leftovers,omitempty"`
	FurtherDeletesBefore   []json.RawMessage     `json:"leftovers_before,omitempty"` // each as it is live
	MaybeForeignDeletes    []NamedObject         `json:"maybe_foreign,omitempty"`
	FurtherForgets         []NamedObject         `json:"forgotten,omitempty"`
	Retiring               []addr.RetiringObject `json:"retiring,omitempty"`
	Overlapping            []NamedObject         `json:"overlapping,omitempty"`
	Overlap                string                `json:"overlap,omitempty"`
	ReferencedNamesWithIDs []string              `json:"name_ids,omitempty"` // "bucket photos = 8d625e…"
}

// Basis is that of the plan.
func (s *Saved) Basis() (string, error) {
	h := newPlanHasher(s)
	for i := range s.Changes {
		h.add(&s.Changes[i])
	}
	h.addAllButChanges(s)
	return h.sum(), h.err
}

// PlanForDisplay is the plan as it was shown. It cannot be carried out: what was hidden is not in it. An error
// says what no plan has.
func (s *Saved) PlanForDisplay(kinds []*kind.Kind) (*Plan, error) {
	p := &Plan{Steps: s.Steps, Records: s.Records, Moves: s.Moves, MovedIntents: s.MovedIntents, Undelivered: s.Undelivered,
		LeftOut: s.LeftOut, ProtectionChanges: s.Protection,
		Salted: s.HiddenHash != "", SavedForm: s, Changes: slices.Grow([]Change(nil), len(s.Changes))}
	values := valueReader{map[*kind.Kind]objectTypes{}, map[*kind.Attr]decodedText{}}
	for i := range s.Changes {
		c, err := s.Changes[i].shownChange(kinds, values)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Changes[i].Addr, err)
		}
		p.Changes = append(p.Changes, *c)
	}
	for i := range s.OutputChanges {
		c, err := s.OutputChanges[i].shownChange()
		if err != nil {
			return nil, err
		}
		p.OutputChanges = append(p.OutputChanges, c)
	}
	for i := range p.Steps {
		if err := checkStep(p, i); err != nil {
			return nil, fmt.Errorf("step %d: %w", i, err)
		}
	}
	var err error
	p.Basis, err = s.Basis()
	return p, err
}

func checkStep(p *Plan, i int) error {
	s := &p.Steps[i]
	switch {
	case s.Change < 0 || s.Change >= len(p.Changes):
		return fmt.Errorf("there is no change %d", s.Change)
	case !slices.Contains([]Op{OpCreate, OpVerify, OpUpdate, OpDelete, OpForget}, s.Op):
		return fmt.Errorf("there is no op %q", s.Op)
	case slices.ContainsFunc(s.Needs, func(n int) bool { return n < 0 || n >= i }):
		return errors.New("it needs a step that does not stand before it")
	}
	k := p.Changes[s.Change].Kind
	if err := checkFields(k, s.Fields); err != nil {
		return err
	}
	if s.Member != "" && (len(s.Fields) != 1 || k.FindAttr(s.Fields[0]).Link.MemberSetFirst != s.Member) {
		return fmt.Errorf("no step sets %q alone", s.Member)
	}
	return nil
}

func checkFields(k *kind.Kind, names []string) error {
	for _, name := range names {
		if k.FindAttr(name) == nil {
			return fmt.Errorf("a %s has no attribute %q", k.Name, name)
		}
	}
	return nil
}

// shownChange is the change as it was shown.
func (s *SavedChange) shownChange(kinds []*kind.Kind, values valueReader) (*Change, error) {
	k := kind.FindKind(kinds, s.Addr.Kind)
	if k == nil {
		return nil, fmt.Errorf("there is no kind %q", s.Addr.Kind)
	}
	c := &Change{
		Addr: s.Addr, Kind: k, Action: s.Action, Import: s.Import, ImportedSiblings: s.ImportedSiblings, Identity: s.Identity,
		RemoteID: s.RemoteID,
		LiveName: s.LiveName, Fields: s.Fields, IgnoredFieldsMadeAnew: s.IgnoredFieldsMadeAnew, Sensitive: s.Sensitive, Reason: s.Reason,
		Hazards:   slices.Clone(s.Hazards),
		DeliverTo: s.DeliverTo, ForceDestroy: s.ForceDestroy, LiveDrift: s.LiveDrift, ConfigDrift: s.ConfigDrift,
		FurtherDeletes:      s.FurtherDeletes,
		MaybeForeignDeletes: s.MaybeForeignDeletes,
		FurtherForgets:      s.FurtherForgets,
		Retiring:            s.Retiring,
		Overlapping:         s.Overlapping,
	}
	names := slices.Concat(s.Fields, s.IgnoredFieldsMadeAnew, s.UnreadableBefore, s.UnknownAfter)
	errs := []error{checkFields(k, names), s.checkEnumValues()}
	var err error
	if s.MovedFrom != "" {
		c.MovedFrom, err = addr.Parse(s.MovedFrom)
		errs = append(errs, err)
	}
	if s.Overlap != "" {
		if c.Overlap, err = time.ParseDuration(s.Overlap); err != nil {
			errs = append(errs, fmt.Errorf("%q is no duration", s.Overlap))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	types := values.typesOf(k)
	if c.Before, err = values.object(s.Before, k, types.live, s.UnreadableBefore); err != nil {
		return nil, err
	}
	if c.After, err = values.object(s.After, k, types.config, s.UnknownAfter); err != nil {
		return nil, err
	}
	if createsOrUpdates(c) && c.After.IsNull() || c.Action != Create && c.Action != Forget && c.Before.IsNull() {
		return nil, fmt.Errorf("nothing says what is to be %sd", s.Action)
	}
	return c, nil
}

// checkEnumValues refuses what is no word of a plan.
func (s *SavedChange) checkEnumValues() error {
	if !slices.Contains([]Action{NoOp, Create, Update, Replace, Rotate, Delete, Forget, Refresh}, s.Action) {
		return fmt.Errorf("there is no action %q", s.Action)
	}
	for _, d := range []DriftStatus{s.LiveDrift, s.ConfigDrift} {
		if !slices.Contains([]DriftStatus{DriftUnknown, Unchanged, Changed, Gone}, d) {
			return fmt.Errorf("there is no drift %q", d)
		}
	}
	for _, h := range s.Hazards {
		if !slices.Contains(kind.HazardKinds(), h.Kind) {
			return fmt.Errorf("there is no hazard %q", h.Kind)
		}
	}
	return nil
}

// A valueReader reads values. It makes the types of a kind once, and remembers what it read of an attribute last, since
// many objects share it.
type valueReader struct {
	types       map[*kind.Kind]objectTypes
	lastDecoded map[*kind.Attr]decodedText
}

type objectTypes struct{ live, config cty.Type }

type decodedText struct {
	text  json.RawMessage
	value cty.Value
}

func (r valueReader) typesOf(k *kind.Kind) objectTypes {
	t, ok := r.types[k]
	if !ok {
		t = objectTypes{k.LiveType(), k.ConfigType()}
		r.types[k] = t
	}
	return t
}

func (r valueReader) read(a *kind.Attr, t cty.Type, text json.RawMessage) (cty.Value, error) {
	if t == cty.String {
		var s string
		err := json.Unmarshal(text, &s)
		return cty.StringVal(s), err
	}
	if last := r.lastDecoded[a]; last.text != nil && bytes.Equal(last.text, text) {
		return last.value, nil
	}
	v, err := ctyjson.Unmarshal(text, t)
	r.lastDecoded[a] = decodedText{text, v}
	return v, err
}

// object reads an object of a type. Attributes that are left out are null.
func (r valueReader) object(text json.RawMessage, k *kind.Kind, t cty.Type, unknown []string) (cty.Value, error) {
	if string(text) == "null" {
		return cty.NullVal(t), nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return cty.NilVal, errors.New("in the place of attributes stands something else")
	}
	all := r.typesOf(k).live.AttributeTypes()
	members := make(map[string]cty.Value, len(all))
	for i := range k.Attrs {
		a := &k.Attrs[i]
		v, given := raw[a.Name]
		delete(raw, a.Name)
		switch {
		case slices.Contains(unknown, a.Name):
			members[a.Name] = cty.UnknownVal(all[a.Name])
		case given && string(v) != "null":
			var err error
			if members[a.Name], err = r.read(a, all[a.Name], v); err != nil {
				return cty.NilVal, fmt.Errorf("the value of %s cannot be read", a.Name)
			}
		case t.HasAttribute(a.Name):
			members[a.Name] = cty.NullVal(all[a.Name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		return cty.NilVal, fmt.Errorf("there is no attribute %q", name)
	}
	return cty.ObjectVal(members), nil
}
