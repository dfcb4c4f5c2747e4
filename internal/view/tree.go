package view

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/plan"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// A valueTree is a value as Terraform's JSON shows it: what is known and not sensitive, and
// beside it, in the same shape, what is not known and what is sensitive. nil: nothing is.
type valueTree struct{ value, unknown, sensitive json.RawMessage }

func (t valueTree) unknownOrFalse() json.RawMessage   { return orElse(t.unknown, "{}") }
func (t valueTree) sensitiveOrFalse() json.RawMessage { return orElse(t.sensitive, "{}") }

func orElse(text json.RawMessage, none string) json.RawMessage {
	if text == nil {
		return json.RawMessage(none)
	}
	return text
}

// treeOf takes a value apart by its marks.
func treeOf(v cty.Value) valueTree {
	if v == cty.NilVal {
		return valueTree{}
	}
	v, marks := v.Unmark()
	var t valueTree
	if !v.IsKnown() {
		t.unknown = json.RawMessage("true")
	}
	switch {
	case marks.Has(kind.Sensitive):
		t.sensitive = json.RawMessage("true")
		return t
	case !v.IsKnown() || v.IsNull():
		return t
	case v.Type() == cty.String:
		t.value, _ = json.Marshal(v.AsString()) // a string has JSON
		return t
	case v.Type().IsPrimitiveType():
		if v.Type() != cty.Number || !hasTooManyDigits(v) {
			t.value, _ = ctyjson.Marshal(v, v.Type()) // it is known
		}
		return t
	case v.Type().IsObjectType() || v.Type().IsMapType():
		var w objectTreeWriter
		for it := v.ElementIterator(); it.Next(); {
			key, e := it.Element()
			w.add(key.AsString(), treeOf(e))
		}
		return w.tree()
	}
	return listTree(v)
}

// An objectTreeWriter writes the tree of an object, member by member.
type objectTreeWriter struct{ value, unknown, sensitive []byte }

func (w *objectTreeWriter) add(name string, t valueTree) {
	key, _ := json.Marshal(name) // a string has JSON
	if string(t.unknown) != "true" {
		w.value = appendMember(w.value, key, orElse(t.value, "null"))
	}
	if t.unknown != nil {
		w.unknown = appendMember(w.unknown, key, t.unknown)
	}
	if t.sensitive != nil {
		w.sensitive = appendMember(w.sensitive, key, t.sensitive)
	}
}

func appendMember(object, key, value []byte) []byte {
	begin := byte(',')
	if len(object) == 0 {
		begin = '{'
	}
	object = append(append(object, begin), key...)
	return append(append(object, ':'), value...)
}

func (w *objectTreeWriter) tree() valueTree {
	t := valueTree{value: json.RawMessage("{}")}
	if w.value != nil {
		t.value = append(w.value, '}')
	}
	if w.unknown != nil {
		t.unknown = append(w.unknown, '}')
	}
	if w.sensitive != nil {
		t.sensitive = append(w.sensitive, '}')
	}
	return t
}

func listTree(v cty.Value) valueTree {
	values, unknown, hidden := []byte("["), []byte("["), []byte("[")
	isUnknown, isHidden := false, false
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		t := treeOf(e)
		if len(values) > 1 {
			values, unknown, hidden = append(values, ','), append(unknown, ','), append(hidden, ',')
		}
		values = append(values, orElse(t.value, "null")...)
		unknown, hidden = append(unknown, orElse(t.unknown, "false")...), append(hidden, orElse(t.sensitive, "false")...)
		isUnknown, isHidden = isUnknown || t.unknown != nil, isHidden || t.sensitive != nil
	}
	t := valueTree{value: append(values, ']')}
	if isUnknown {
		t.unknown = append(unknown, ']')
	}
	if isHidden {
		t.sensitive = append(hidden, ']')
	}
	return t
}

// objectTree is an object of a kind. Secrets and what is listed as sensitive are left out of
// the value.
func objectTree(k *kind.Kind, object cty.Value, sensitive []string) valueTree {
	if object == cty.NilVal || object.IsNull() {
		return valueTree{}
	}
	var w objectTreeWriter
	for i := range k.Attrs {
		a := &k.Attrs[i]
		if object.Type().HasAttribute(a.Name) {
			w.add(a.Name, treeOf(config.MarkSensitive(a, object.GetAttr(a.Name), sensitive)))
		}
	}
	return w.tree()
}

// plannedTree is what a change makes of its object: what B2 makes is not known yet, but
// where the object stays.
func plannedTree(c *plan.Change) valueTree {
	switch {
	case c.Action == plan.Delete || c.Action == plan.Forget:
		return valueTree{}
	case c.After.IsNull(): // only the state is told something
		return objectTree(c.Kind, c.Before, c.Sensitive)
	}
	stays := c.Action == plan.Update || c.Action == plan.NoOp
	var w objectTreeWriter
	for i := range c.Kind.Attrs {
		a := &c.Kind.Attrs[i]
		v := cty.UnknownVal(a.ValueType())
		switch {
		case c.After.Type().HasAttribute(a.Name):
			v = c.After.GetAttr(a.Name)
		case stays && (c.Action == plan.NoOp || a.Name == c.Kind.IDAttr || a.FromAccount != nil):
			v = attrOrNull(c.Before, a)
		}
		w.add(a.Name, treeOf(config.MarkSensitive(a, v, c.Sensitive)))
	}
	return w.tree()
}

// A moduleTree is resources below the modules that they stand in, as Terraform's JSON has it.
type moduleTree struct {
	Address   string           `json:"address,omitempty"`
	Resources []moduleResource `json:"resources,omitempty"`
	Children  []*moduleTree    `json:"child_modules,omitempty"`
}

type moduleResource struct {
	resourceIdentity
	SchemaVersion int             `json:"schema_version"`
	Values        json.RawMessage `json:"values"`
	Sensitive     json.RawMessage `json:"sensitive_values"`
}

// add adds a resource. They come sorted by address.
func (m *moduleTree) add(o shownObject) {
	r := moduleResource{resourceIdentity: newResourceIdentity(o.Addr), Values: o.Values, Sensitive: orElse(o.Sensitive, "{}")}
	r.Module = ""
	at := m.at(o.Addr.Module)
	at.Resources = append(at.Resources, r)
}

// at finds the module with a path, and makes it where it is not there.
func (m *moduleTree) at(path string) *moduleTree {
	if path == m.Address {
		return m
	}
	next := m.Address
	if next != "" {
		next += "."
	}
	next += firstModule(strings.TrimPrefix(strings.TrimPrefix(path, m.Address), "."))
	for _, c := range slices.Backward(m.Children) { // most often it is the last
		if c.Address == next {
			return c.at(path)
		}
	}
	m.Children = append(m.Children, &moduleTree{Address: next})
	return m.Children[len(m.Children)-1].at(path)
}

// firstModule is the first step of a path: module.site["a.b"].
func firstModule(path string) string {
	quoted, dots := false, 0
	for i := 0; i < len(path); i++ {
		switch {
		case quoted && path[i] == '\\':
			i++
		case path[i] == '"':
			quoted = !quoted
		case path[i] == '.' && !quoted:
			if dots++; dots == 2 {
				return path[:i]
			}
		}
	}
	return path
}
