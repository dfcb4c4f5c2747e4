package laws_test

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"b2form/schema/kind"
)

// A draft is a configuration that is being drawn: whatever the descriptors
// allow, so that an attribute is tried from the day on which it is described.
type draft struct {
	*rapid.T
	blocks []string
	names  map[string][]named // declared objects by kind
}

type named struct {
	label, name string
	shared      bool // others have the name
}

// keeper is in every configuration. Files are in it, since a bucket cannot go
// together with the blocks of its files: they hide them.
const keeper = `bucket "kept" {
  name          = "acme-kept"
  force_destroy = true
}
`

// drawConfig draws the blocks of a configuration, each a text of its own. What is
// declared is drawn first, so that blocks may refer to one another.
func drawConfig(t *rapid.T, kinds []*kind.Kind) []string {
	d := &draft{T: t, names: map[string][]named{}, blocks: []string{keeper}}
	for _, k := range kinds {
		for i := range rapid.IntRange(0, 3).Draw(t, k.Plural) {
			d.declare(k, i)
		}
	}
	for _, k := range kinds {
		for _, n := range d.names[k.Name] {
			d.block(k, n)
		}
	}
	return d.blocks
}

func (d *draft) declare(k *kind.Kind, i int) {
	n := named{label: fmt.Sprintf("l%d", i), name: fmt.Sprintf("acme-%s-%d", k.Name, i)}
	if whole := k.ParentKind(); whole != "" && k.ScopeAttr() == "" {
		if i >= len(d.names[whole]) {
			return
		}
		n.name = d.names[whole][i].name
	}
	if k.ParentKind() == "" && rapid.IntRange(0, 9).Draw(d.T, "another name") == 0 {
		n.name += "-b"
	}
	if others := d.names[k.Name]; k.NamesRepeat && len(others) > 0 && rapid.IntRange(0, 2).Draw(d.T, "shares a name") == 0 {
		n.name, n.shared = others[0].name, true
		others[0].shared = true
	}
	d.names[k.Name] = append(d.names[k.Name], n)
}

func (d *draft) block(k *kind.Kind, n named) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q {\n", k.Name, n.label)
	v := d.legal(k, n)
	for _, a := range k.SettableAttrs() {
		if val := v.GetAttr(a.Name); !val.IsNull() {
			b.WriteString(d.argument(a, val))
		}
	}
	if k.YieldsSecret() {
		b.WriteString(rapid.SampledFrom([]string{
			"", "deliver \"stdout\" {}\n",
			"deliver \"file\" {\n  path = \"" + n.label + ".env\"\n}\n",
			"deliver \"file\" {\n  path = \"" + n.label + ".json\"\n  format = \"json\"\n}\n",
		}).Draw(d.T, "deliver"))
	}
	d.blocks = append(d.blocks, b.String()+"}\n")
}

// legal draws until validation and the planner have nothing against the value.
func (d *draft) legal(k *kind.Kind, n named) cty.Value {
	name := n.name
	for range 50 {
		m := d.object(k.Attrs)
		if n.shared { // nothing that rotates is
			m["rotate"] = cty.NullVal(k.FindAttr("rotate").ValueType())
		}
		m[k.IdentityAttr] = cty.StringVal(name)
		if k.ScopeAttr() != "" {
			m[k.ScopeAttr()] = cty.StringVal("acme-kept")
			m[k.IdentityAttr] = cty.StringVal(name + "/" + rapid.SampledFrom(k.FindAttr(k.IdentityAttr).Samples).Draw(d.T,
				k.IdentityAttr).AsString())
		}
		for range len(m) { // leave out what is complained about
			v := cty.ObjectVal(m)
			bad, ok := complaint(k, v)
			if ok {
				return v
			}
			if a := k.FindAttr(bad); a == nil || a.Required {
				break
			}
			m[bad] = cty.NullVal(k.FindAttr(bad).ValueType())
		}
	}
	d.Skip("nothing legal was drawn")
	return cty.NilVal
}

// complaint names the attribute that is wrong first; ok is true where none is.
func complaint(k *kind.Kind, v cty.Value) (attr string, ok bool) {
	values, ps := k.NewCompleter().CompleteAndCheck(k.ValuesOf(v), false)
	done := values.ObjectWithoutUnset()
	if k.CheckChange != nil {
		ps = append(ps, k.CheckChange(cty.NullVal(k.LiveType()), done)...)
	}
	for _, p := range ps {
		if p.Warning {
			continue
		}
		if len(p.Path) > 0 {
			attr = p.Path[0].(cty.GetAttrStep).Name
		}
		return attr, false
	}
	return "", true
}

func (d *draft) object(attrs []kind.Attr) map[string]cty.Value {
	m := map[string]cty.Value{}
	for i := range attrs {
		if a := &attrs[i]; !a.Computed {
			m[a.Name] = d.attr(a)
		}
	}
	return m
}

func (d *draft) attr(a *kind.Attr) cty.Value {
	null := cty.NullVal(a.ValueType())
	switch {
	case !a.Required && rapid.Bool().Draw(d.T, a.Name+" is left out"):
		return null
	case a.Link.RefKind != "":
		return d.reference(a)
	case a.Many:
		var list []cty.Value
		for range rapid.IntRange(0, 2).Draw(d.T, a.Name+" elements") {
			list = append(list, cty.ObjectVal(d.object(a.Object)))
		}
		if list == nil {
			return cty.ListValEmpty(a.ValueType().ElementType())
		}
		return cty.ListVal(list)
	case a.Object != nil:
		return cty.ObjectVal(d.object(a.Object))
	case len(a.Samples) > 0:
		return rapid.SampledFrom(a.Samples).Draw(d.T, a.Name)
	}
	return cty.BoolVal(rapid.Bool().Draw(d.T, a.Name))
}

// reference picks declared names of the kind that the attribute refers to, or an
// ID where it takes those.
func (d *draft) reference(a *kind.Attr) cty.Value {
	if a.Link.IsRemoteID != nil && rapid.IntRange(0, 3).Draw(d.T, a.Name+" is an ID") == 0 {
		return rapid.SampledFrom(a.Samples).Draw(d.T, a.Name)
	}
	var picked []cty.Value
	for _, n := range d.names[a.Link.RefKind] {
		if rapid.Bool().Draw(d.T, a.Name+" has "+n.label) {
			picked = append(picked, cty.StringVal(n.name))
		}
	}
	switch {
	case picked == nil:
		return cty.NullVal(a.Type)
	case a.Type == cty.String:
		return picked[0]
	}
	return cty.ListVal(picked)
}

// argument writes an attribute: assigned, or as blocks where that is possible.
func (d *draft) argument(a *kind.Attr, v cty.Value) string {
	asBlocks := a.Object != nil && rapid.Bool().Draw(d.T, a.Name+" as blocks")
	switch {
	case asBlocks && a.Many:
		var b strings.Builder
		for _, e := range v.AsValueSlice() {
			b.WriteString(d.nested(a, e))
		}
		return b.String()
	case asBlocks:
		return d.nested(a, v)
	}
	return a.Name + " = " + d.expression(a, v) + "\n"
}

func (d *draft) nested(a *kind.Attr, v cty.Value) string {
	var b strings.Builder
	b.WriteString(a.Name + " {\n")
	for i := range a.Object {
		if m := v.GetAttr(a.Object[i].Name); !m.IsNull() {
			b.WriteString(d.argument(&a.Object[i], m))
		}
	}
	return b.String() + "}\n"
}

// expression writes a value, with references to what it names.
func (d *draft) expression(a *kind.Attr, v cty.Value) string {
	switch {
	case v.IsNull() || !a.HasRefs():
		return literal(v)
	case v.Type() == cty.String:
		return d.mention(a.Link.RefKind, v.AsString())
	case v.Type().IsObjectType():
		var b strings.Builder
		for i := range a.Object {
			m := &a.Object[i]
			b.WriteString(m.Name + " = " + d.expression(m, v.GetAttr(m.Name)) + "\n")
		}
		return "{\n" + b.String() + "}"
	}
	var list []string
	for _, e := range v.AsValueSlice() {
		list = append(list, d.expression(a, e))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// mention refers to a declared object by its block or by its name.
func (d *draft) mention(kind, name string) string {
	for _, n := range d.names[kind] {
		if n.name == name && (n.shared || rapid.Bool().Draw(d.T, "by block")) {
			return kind + "." + n.label
		}
	}
	return literal(cty.StringVal(name))
}

func literal(v cty.Value) string { return string(hclwrite.TokensForValue(v).Bytes()) }
