package view

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/kind"
)

// A valueTree is a value as Terraform's JSON shows it: what is known and not sensitive, and
// beside it, in the same shape, what is not known and what is sensitive. nil: nothing is.
type valueTree struct{ value, unknown, sensitive any }

func (t valueTree) unknownOrFalse() any   { return t.unknownOr(jsonFields{}) }
func (t valueTree) sensitiveOrFalse() any { return t.sensitiveOr(jsonFields{}) }

func (t valueTree) unknownOr(none any) any {
	if t.unknown == nil {
		return none
	}
	return t.unknown
}

func (t valueTree) sensitiveOr(none any) any {
	if t.sensitive == nil {
		return none
	}
	return t.sensitive
}

// treeOf takes a value apart by its marks.
func treeOf(v cty.Value) valueTree {
	v, marks := v.Unmark()
	var t valueTree
	if marks.Has(kind.Sensitive) {
		if !v.IsKnown() {
			t.unknown = true
		}
		t.sensitive = true
		return t
	}
	switch {
	case !v.IsKnown():
		return valueTree{unknown: true}
	case v.IsNull():
		return t
	case v.Type().IsPrimitiveType():
		b, err := ctyjson.Marshal(v, v.Type())
		if err == nil && (v.Type() != cty.Number || !hasTooManyDigits(v)) {
			t.value = json.RawMessage(b)
		}
		return t
	case v.Type().IsObjectType() || v.Type().IsMapType():
		return mapTree(v)
	}
	return listTree(v)
}

func mapTree(v cty.Value) valueTree {
	values, unknown, hidden := jsonFields{}, jsonFields{}, jsonFields{}
	for it := v.ElementIterator(); it.Next(); {
		key, e := it.Element()
		values.addTree(key.AsString(), treeOf(e), unknown, hidden)
	}
	return newMapTree(values, unknown, hidden)
}

// addTree adds one member to the three trees.
func (values jsonFields) addTree(name string, t valueTree, unknown, hidden jsonFields) {
	if t.unknown != nil {
		unknown[name] = t.unknown
	}
	if t.sensitive != nil {
		hidden[name] = t.sensitive
	}
	if t.unknown != true {
		values[name] = t.value
	}
}

func newMapTree(values, unknown, hidden jsonFields) valueTree {
	t := valueTree{value: values}
	if len(unknown) > 0 {
		t.unknown = unknown
	}
	if len(hidden) > 0 {
		t.sensitive = hidden
	}
	return t
}

func listTree(v cty.Value) valueTree {
	values, unknown, hidden := []any{}, []any{}, []any{}
	isUnknown, isHidden := false, false
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		t := treeOf(e)
		values = append(values, t.value)
		unknown, hidden = append(unknown, t.unknownOr(false)), append(hidden, t.sensitiveOr(false))
		isUnknown, isHidden = isUnknown || t.unknown != nil, isHidden || t.sensitive != nil
	}
	t := valueTree{value: values}
	if isUnknown {
		t.unknown = unknown
	}
	if isHidden {
		t.sensitive = hidden
	}
	return t
}

// objectTree is an object of a kind. Secrets and what is listed as sensitive are left out of
// the value.
func objectTree(k *kind.Kind, object cty.Value, sensitive []string) valueTree {
	if object == cty.NilVal || object.IsNull() {
		return valueTree{}
	}
	values, unknown, hidden := jsonFields{}, jsonFields{}, jsonFields{}
	for i := range k.Attrs {
		a := &k.Attrs[i]
		if object.Type().HasAttribute(a.Name) {
			values.addTree(a.Name, attrTree(a, object.GetAttr(a.Name), sensitive), unknown, hidden)
		}
	}
	return newMapTree(values, unknown, hidden)
}

// attrTree is one attribute of an object.
func attrTree(a *kind.Attr, v cty.Value, sensitive []string) valueTree {
	v = a.ReplaceSecrets(v, func(_ *kind.Attr, v cty.Value) cty.Value { return v.Mark(kind.Sensitive) })
	if a.Secret || slices.Contains(sensitive, a.Name) {
		v = v.Mark(kind.Sensitive)
	}
	return treeOf(v)
}

// plannedTree is what a change makes of its object: what B2 makes is not known yet, but
// where the object stays.
func plannedTree(c *plan.Change) valueTree {
	if c.Action == plan.Delete || c.Action == plan.Forget || c.After == cty.NilVal || c.After.IsNull() {
		return valueTree{}
	}
	stays := c.Action == plan.Update || c.Action == plan.NoOp
	values, unknown, hidden := jsonFields{}, jsonFields{}, jsonFields{}
	for i := range c.Kind.Attrs {
		a := &c.Kind.Attrs[i]
		v := cty.UnknownVal(a.ValueType())
		switch {
		case c.After.Type().HasAttribute(a.Name):
			v = c.After.GetAttr(a.Name)
		case stays && (c.Action == plan.NoOp || a.Name == c.Kind.IDAttr || a.FromAccount != nil):
			v = attrOrNull(c.Before, a)
		}
		values.addTree(a.Name, attrTree(a, v, c.Sensitive), unknown, hidden)
	}
	return newMapTree(values, unknown, hidden)
}

// A moduleTree is resources below the modules that they stand in, as Terraform's JSON has it.
type moduleTree struct {
	address   string
	resources []jsonFields
	children  []*moduleTree
}

// add adds a resource. They come sorted by address.
func (m *moduleTree) add(a addr.Addr, t valueTree) {
	one := resourceJSON(a)
	delete(one, "module_address")
	one["schema_version"], one["values"], one["sensitive_values"] = 0, t.value, t.sensitiveOrFalse()
	m.at(a.Module).resources = append(m.at(a.Module).resources, one)
}

// at finds the module with a path, and makes it where it is not there.
func (m *moduleTree) at(path string) *moduleTree {
	if path == m.address {
		return m
	}
	next := m.address
	if next != "" {
		next += "."
	}
	next += firstModule(strings.TrimPrefix(strings.TrimPrefix(path, m.address), "."))
	for _, c := range slices.Backward(m.children) { // most often it is the last
		if c.address == next {
			return c.at(path)
		}
	}
	m.children = append(m.children, &moduleTree{address: next})
	return m.children[len(m.children)-1].at(path)
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

func (m *moduleTree) json() jsonFields {
	out := jsonFields{}
	if m.address != "" {
		out["address"] = m.address
	}
	if len(m.resources) > 0 {
		out["resources"] = m.resources
	}
	var children []jsonFields
	for _, c := range m.children {
		children = append(children, c.json())
	}
	if len(children) > 0 {
		out["child_modules"] = children
	}
	return out
}
