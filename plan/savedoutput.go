package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/schema/config"
	"b2form/schema/kind"
)

// A SavedOutput is an OutputChange in the form that is hashed and stored.
type SavedOutput struct {
	Name      string      `json:"name"`
	Action    Action      `json:"action"`
	Sensitive bool        `json:"sensitive,omitempty"`
	Before    *SavedValue `json:"before,omitempty"` // nil: there is none, or nobody knows it
	After     *SavedValue `json:"after,omitempty"`
	// MadeFrom are the computed attributes that an After of which not all is known is made from: "bucket.photos.id". Sorted.
	MadeFrom []string `json:"made_from,omitempty"`
}

// A SavedValue is a value of any type as far as it is known and may be shown: one of its members.
type SavedValue struct {
	Unknown   bool                   `json:"unknown,omitempty"`
	Sensitive bool                   `json:"sensitive,omitempty"`
	Plain     json.RawMessage        `json:"value,omitempty"` // a string, number or bool, or null
	Elements  []*SavedValue          `json:"elements,omitzero"`
	Members   map[string]*SavedValue `json:"members,omitzero"`
}

func (h *hiddenValues) savedOutput(c *OutputChange) (SavedOutput, error) {
	var err error
	saved := func(v cty.Value) *SavedValue {
		if v == cty.NilVal {
			return nil
		}
		if c.Sensitive {
			v = v.Mark(kind.Sensitive)
		}
		return config.VisitValue(v, savedValueVisitor{h, &err})
	}
	o := SavedOutput{Name: c.Name, Action: c.Action, Sensitive: c.Sensitive, Before: saved(c.Before), After: saved(c.After)}
	if c.After != cty.NilVal {
		if plain, _ := c.After.UnmarkDeep(); !plain.IsWhollyKnown() {
			for _, m := range kind.ComputedMarksIn(c.After) {
				o.MadeFrom = append(o.MadeFrom, m.Addr.String()+"."+m.Attr)
			}
		}
	}
	return o, err
}

// A savedValueVisitor keeps what is sensitive with the hidden values.
type savedValueVisitor struct {
	hidden *hiddenValues
	err    *error
}

func (s savedValueVisitor) text(v cty.Value) json.RawMessage {
	text, err := canonicalJSON(v)
	*s.err = errors.Join(*s.err, err)
	return text
}

func (s savedValueVisitor) Sensitive(v cty.Value) *SavedValue {
	v, _ = v.UnmarkDeep()
	known, err := unknownAsNull(v)
	*s.err = errors.Join(*s.err, err)
	s.hidden.textsToHash = append(s.hidden.textsToHash, string(s.text(known)))
	return &SavedValue{Sensitive: true}
}

func (savedValueVisitor) Unknown() *SavedValue { return &SavedValue{Unknown: true} }

func (s savedValueVisitor) Plain(v cty.Value) *SavedValue { return &SavedValue{Plain: s.text(v)} }

func (savedValueVisitor) Members(names []string, parts []*SavedValue) *SavedValue {
	s := &SavedValue{Members: make(map[string]*SavedValue, len(names))}
	for i, name := range names {
		s.Members[name] = parts[i]
	}
	return s
}

func (savedValueVisitor) Elements(parts []*SavedValue) *SavedValue {
	return &SavedValue{Elements: parts}
}

// shownChange is the change as it was shown.
func (s *SavedOutput) shownChange() (c OutputChange, err error) {
	if !slices.Contains([]Action{Create, Update, Delete}, s.Action) {
		return c, fmt.Errorf("there is no action %q of an output", s.Action)
	}
	c = OutputChange{Name: s.Name, Action: s.Action, Sensitive: s.Sensitive}
	var errs [2]error
	c.Before, errs[0] = s.Before.shownValue()
	c.After, errs[1] = s.After.shownValue()
	if s.Action != Delete && c.After == cty.NilVal {
		return c, fmt.Errorf("output %s has no value", s.Name)
	}
	return c, errors.Join(errs[:]...)
}

// shownValue is what was saved, with something unknown in the place of what is not known or not shown.
func (s *SavedValue) shownValue() (cty.Value, error) {
	switch {
	case s == nil:
		return cty.NilVal, nil
	case s.Sensitive:
		return cty.DynamicVal.Mark(kind.Sensitive), nil
	case s.Unknown:
		return cty.DynamicVal, nil
	case s.Plain != nil:
		return parsePlainValue(s.Plain)
	case s.Members != nil:
		members := make(map[string]cty.Value, len(s.Members))
		for name, m := range s.Members {
			v, err := m.requiredValue()
			if err != nil {
				return cty.NilVal, err
			}
			members[name] = v
		}
		return cty.ObjectVal(members), nil
	case s.Elements != nil:
		elements := make([]cty.Value, len(s.Elements))
		for i, e := range s.Elements {
			v, err := e.requiredValue()
			if err != nil {
				return cty.NilVal, err
			}
			elements[i] = v
		}
		return cty.TupleVal(elements), nil
	}
	return cty.NilVal, fmt.Errorf("a value of an output is missing")
}

// requiredValue is a value inside of another one.
func (s *SavedValue) requiredValue() (cty.Value, error) {
	if s == nil {
		return cty.NilVal, fmt.Errorf("a value inside of an output's value is missing")
	}
	return s.shownValue()
}

// parsePlainValue reads a string, a number, a bool or null.
func parsePlainValue(text json.RawMessage) (cty.Value, error) {
	t, err := ctyjson.ImpliedType(text)
	if err != nil {
		return cty.NilVal, err
	}
	if t != cty.DynamicPseudoType && !t.IsPrimitiveType() {
		return cty.NilVal, fmt.Errorf("a value of an output is no plain value")
	}
	return ctyjson.Unmarshal(text, t)
}
