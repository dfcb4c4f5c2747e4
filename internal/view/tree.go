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

func defaultIfNil(text json.RawMessage, none string) json.RawMessage {
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
	return config.VisitValue(v, treeVisitor{})
}

// A treeVisitor puts the trees of parts together.
type treeVisitor struct{}

var jsonTrue = json.RawMessage("true")

func (treeVisitor) Sensitive(v cty.Value) valueTree {
	t := valueTree{sensitive: jsonTrue}
	if !v.IsKnown() {
		t.unknown = jsonTrue
	}
	return t
}

func (treeVisitor) Unknown() valueTree { return valueTree{unknown: jsonTrue} }

func (treeVisitor) Plain(v cty.Value) valueTree {
	switch {
	case v.IsNull() || v.Type() == cty.Number && hasTooManyDigits(v):
		return valueTree{}
	case v.Type() == cty.String:
		return valueTree{value: appendJSONString(nil, v.AsString())}
	}
	text, _ := ctyjson.Marshal(v, v.Type()) // it is known
	return valueTree{value: text}
}

func (treeVisitor) Members(names []string, parts []valueTree) valueTree {
	var w objectTreeWriter
	for i, name := range names {
		w.add(name, parts[i])
	}
	return w.tree()
}

func (treeVisitor) Elements(parts []valueTree) valueTree {
	t := valueTree{value: listText(parts, "null", func(p *valueTree) json.RawMessage { return p.value })}
	if slices.ContainsFunc(parts, func(p valueTree) bool { return p.unknown != nil }) {
		t.unknown = listText(parts, "false", func(p *valueTree) json.RawMessage { return p.unknown })
	}
	if slices.ContainsFunc(parts, func(p valueTree) bool { return p.sensitive != nil }) {
		t.sensitive = listText(parts, "false", func(p *valueTree) json.RawMessage { return p.sensitive })
	}
	return t
}

// listText is a list of one member of each part, with none where a part has it not.
func listText(parts []valueTree, placeholder string, member func(*valueTree) json.RawMessage) json.RawMessage {
	size := len("[]")
	for i := range parts {
		size += len(member(&parts[i])) + len(placeholder)
	}
	text := append(make([]byte, 0, size), '[')
	for i := range parts {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, defaultIfNil(member(&parts[i]), placeholder)...)
	}
	return append(text, ']')
}

// An objectTreeWriter writes the tree of an object, member by member.
type objectTreeWriter struct{ value, unknown, sensitive []byte }

func (w *objectTreeWriter) add(name string, t valueTree) {
	if string(t.unknown) != "true" {
		w.value = appendMember(w.value, name, defaultIfNil(t.value, "null"))
	}
	if t.unknown != nil {
		w.unknown = appendMember(w.unknown, name, t.unknown)
	}
	if t.sensitive != nil {
		w.sensitive = appendMember(w.sensitive, name, t.sensitive)
	}
}

func appendMember(openObject []byte, name string, value []byte) []byte {
	begin := byte(',')
	if len(openObject) == 0 {
		begin = '{'
	}
	openObject = appendJSONString(append(openObject, begin), name)
	return append(append(openObject, ':'), value...)
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
			w.add(a.Name, treeOf(config.MarkSecretsAndSensitive(a, object.GetAttr(a.Name), sensitive)))
		}
	}
	return w.tree()
}

// plannedValuesTree is what a change makes of its object: what B2 makes is not known yet, but
// where the object stays.
func plannedValuesTree(c *plan.Change) valueTree {
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
		w.add(a.Name, treeOf(config.MarkSecretsAndSensitive(a, v, c.Sensitive)))
	}
	return w.tree()
}

// A moduleTree is resources below the modules that they stand in, as Terraform's JSON has it.
type moduleTree struct {
	address   string
	resources []shownObject
	children  []*moduleTree
}

func (m *moduleTree) write(w *jsonEncoder) {
	w.object(func() {
		if m.address != "" {
			w.member("address", m.address)
		}
		if len(m.resources) > 0 {
			w.name("resources")
			w.list(len(m.resources), func(i int) { m.resources[i].write(w) })
		}
		if len(m.children) > 0 {
			w.name("child_modules")
			w.list(len(m.children), func(i int) { m.children[i].write(w) })
		}
	})
}

// write writes a resource of a module, which names the module.
func (o *shownObject) write(w *jsonEncoder) {
	identity := newResourceAddressJSON(o.Addr)
	identity.Module = ""
	w.object(func() {
		w.members(identity)
		w.member("schema_version", 0)
		w.member("values", o.Values)
		w.member("sensitive_values", defaultIfNil(o.Sensitive, "{}"))
	})
}

// add adds a resource. They come sorted by address.
func (m *moduleTree) add(o shownObject) {
	at := m.ensureModule(o.Addr.Module)
	at.resources = append(at.resources, o)
}

// ensureModule finds the module with a path, and makes it where it is not there.
func (m *moduleTree) ensureModule(path string) *moduleTree {
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
			return c.ensureModule(path)
		}
	}
	m.children = append(m.children, &moduleTree{address: next})
	return m.children[len(m.children)-1].ensureModule(path)
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
