package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/schema/kind"
)

// A SavedOutput is an OutputChange in the form that is hashed and stored.
type SavedOutput struct {
	Name      string      `json:"name"`
	Action    Action      `json:"action"`
	Sensitive bool        `json:"sensitive,omitempty"`
	Before    *SavedValue `json:"before,omitempty"` // nil: there is none, or nobody knows it
	After     *SavedValue `json:"after,omitempty"`
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
	s := SavedOutput{Name: c.Name, Action: c.Action, Sensitive: c.Sensitive}
	var errs [2]error
	s.Before, errs[0] = h.savedValue(c.Before, c.Sensitive)
	s.After, errs[1] = h.savedValue(c.After, c.Sensitive)
	return s, errors.Join(errs[:]...)
}

// savedValue keeps what is sensitive with the hidden values. nil: there is no value.
func (h *hiddenValues) savedValue(v cty.Value, sensitive bool) (*SavedValue, error) {
	if v == cty.NilVal {
		return nil, nil
	}
	v, marks := v.Unmark()
	switch t := v.Type(); {
	case sensitive || marks.Has(kind.Sensitive):
		v, _ = v.UnmarkDeep()
		known, err := withoutUnknown(v)
		if err != nil {
			return nil, err
		}
		text, err := canonicalJSON(known)
		h.texts = append(h.texts, string(text))
		return &SavedValue{Sensitive: true}, err
	case !v.IsKnown():
		return &SavedValue{Unknown: true}, nil
	case v.IsNull() || t.IsPrimitiveType():
		text, err := canonicalJSON(v)
		return &SavedValue{Plain: text}, err
	case t.IsObjectType() || t.IsMapType():
		return h.savedMembers(v)
	}
	return h.savedElements(v)
}

func (h *hiddenValues) savedMembers(v cty.Value) (*SavedValue, error) {
	s := &SavedValue{Members: map[string]*SavedValue{}}
	for it := v.ElementIterator(); it.Next(); {
		name, member := it.Element()
		saved, err := h.savedValue(member, false)
		if err != nil {
			return nil, err
		}
		s.Members[name.AsString()] = saved
	}
	return s, nil
}

func (h *hiddenValues) savedElements(v cty.Value) (*SavedValue, error) {
	s := &SavedValue{Elements: []*SavedValue{}}
	for it := v.ElementIterator(); it.Next(); {
		_, element := it.Element()
		saved, err := h.savedValue(element, false)
		if err != nil {
			return nil, err
		}
		s.Elements = append(s.Elements, saved)
	}
	return s, nil
}

// change is the change as it was shown.
func (s *SavedOutput) change() (c OutputChange, err error) {
	if !slices.Contains([]Action{Create, Update, Delete}, s.Action) {
		return c, fmt.Errorf("there is no action %q of an output", s.Action)
	}
	c = OutputChange{Name: s.Name, Action: s.Action, Sensitive: s.Sensitive}
	var errs [2]error
	c.Before, errs[0] = s.Before.value()
	c.After, errs[1] = s.After.value()
	if s.Action != Delete && c.After == cty.NilVal {
		return c, fmt.Errorf("output %s has no value", s.Name)
	}
	return c, errors.Join(errs[:]...)
}

// value is what was saved, with something unknown in the place of what is not known or not shown.
func (s *SavedValue) value() (cty.Value, error) {
	switch {
	case s == nil:
		return cty.NilVal, nil
	case s.Sensitive:
		return cty.DynamicVal.Mark(kind.Sensitive), nil
	case s.Unknown:
		return cty.DynamicVal, nil
	case s.Plain != nil:
		return plainValue(s.Plain)
	case s.Members != nil:
		members := make(map[string]cty.Value, len(s.Members))
		for name, m := range s.Members {
			v, err := m.nested()
			if err != nil {
				return cty.NilVal, err
			}
			members[name] = v
		}
		return cty.ObjectVal(members), nil
	case s.Elements != nil:
		elements := make([]cty.Value, len(s.Elements))
		for i, e := range s.Elements {
			v, err := e.nested()
			if err != nil {
				return cty.NilVal, err
			}
			elements[i] = v
		}
		return cty.TupleVal(elements), nil
	}
	return cty.NilVal, fmt.Errorf("a value of an output is missing")
}

// nested is a value inside of another one.
func (s *SavedValue) nested() (cty.Value, error) {
	if s == nil {
		return cty.NilVal, fmt.Errorf("a value inside of an output's value is missing")
	}
	return s.value()
}

// plainValue reads a string, a number, a bool or null.
func plainValue(text json.RawMessage) (cty.Value, error) {
	t, err := ctyjson.ImpliedType(text)
	if err != nil {
		return cty.NilVal, err
	}
	if t != cty.DynamicPseudoType && !t.IsPrimitiveType() {
		return cty.NilVal, fmt.Errorf("a value of an output is no plain value")
	}
	return ctyjson.Unmarshal(text, t)
}
