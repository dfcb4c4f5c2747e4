package kind

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
)

// Completed fills in what was left out, lets the kind derive attributes from one
// another, and brings every value into its normal form. v is of ConfigType and
// wholly known, except that attributes may be unknown where an error was
// reported already. The result is what plans compare and show.
func (k *Kind) Completed(v cty.Value) cty.Value {
	m := v.AsValueMap()
	fill(k.Attrs, m)
	if k.Complete != nil {
		k.Complete(m)
	}
	for i := range k.Attrs {
		if a := &k.Attrs[i]; !a.Computed {
			m[a.Name] = a.normal(m[a.Name])
		}
	}
	return cty.ObjectVal(m)
}

func fill(attrs []Attr, m map[string]cty.Value) {
	for i := range attrs {
		a := &attrs[i]
		v, ok := m[a.Name]
		if !ok {
			continue
		}
		if v.IsNull() && a.Default != cty.NilVal {
			v = a.Default
		}
		m[a.Name] = a.fillMembers(v)
	}
}

func (a *Attr) fillMembers(v cty.Value) cty.Value {
	if a.Object == nil || v.IsNull() || !v.IsKnown() {
		return v
	}
	if !a.Many {
		m := v.AsValueMap()
		fill(a.Object, m)
		for i := range a.Object {
			m[a.Object[i].Name] = a.Object[i].normal(m[a.Object[i].Name])
		}
		return cty.ObjectVal(m)
	}
	if v.LengthInt() == 0 {
		return v
	}
	one := *a
	one.Many = false
	out := make([]cty.Value, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		out = append(out, one.fillMembers(e))
	}
	return cty.ListVal(out)
}

// Problems judges a completed value: each attribute's own check, missing
// members of nested objects, and the kind's check of the whole.
func (k *Kind) Problems(v cty.Value) Problems {
	ps := problems(k.Attrs, v)
	if k.Check != nil && len(ps.errors()) == 0 {
		ps = append(ps, k.Check(v)...)
	}
	return ps
}

func (ps Problems) errors() Problems {
	var out Problems
	for _, p := range ps {
		if !p.Warning {
			out = append(out, p)
		}
	}
	return out
}

func problems(attrs []Attr, v cty.Value) Problems {
	var ps Problems
	for i := range attrs {
		a := &attrs[i]
		if a.Computed {
			continue
		}
		path := cty.GetAttrPath(a.Name)
		val := v.GetAttr(a.Name)
		if val.IsNull() {
			if a.Required {
				ps = append(ps, Errorf("Missing required argument", "The argument %q is required, but no definition was found.", a.Name).At(path)...)
			}
			continue
		}
		if val.IsKnown() {
			ps = append(ps, a.problems(val).At(path)...)
		}
	}
	return ps
}

func (a *Attr) problems(v cty.Value) Problems {
	var ps Problems
	switch {
	case a.Object == nil:
	case a.Many:
		i := 0
		for it := v.ElementIterator(); it.Next(); i++ {
			_, e := it.Element()
			if e.IsNull() {
				ps = append(ps, Errorf("Invalid element", "Element %d is null; leave it out instead.", i).At(cty.IndexIntPath(i))...)
				continue
			}
			ps = append(ps, problems(a.Object, e).At(cty.IndexIntPath(i))...)
		}
	default:
		ps = problems(a.Object, v)
	}
	if a.Check != nil && len(ps.errors()) == 0 {
		ps = append(ps, a.Check(v)...)
	}
	return ps
}

// ValidateKinds checks the descriptors themselves, so that a bad one fails the
// tests and not a user. The error names the kind and attribute.
func ValidateKinds(kinds []*Kind) error {
	seen := map[string]bool{}
	for _, k := range kinds {
		if seen[k.Name] {
			return fmt.Errorf("kind %s is listed twice", k.Name)
		}
		seen[k.Name] = true
		if k.Doc == "" || k.Example == "" || k.Plural == "" || k.Provider == "" {
			return fmt.Errorf("kind %s: Doc, Example, Plural and Provider are needed", k.Name)
		}
		if k.List == nil || k.Create == nil || k.Delete == nil {
			return fmt.Errorf("kind %s: List, Create and Delete are needed", k.Name)
		}
		id, identity := k.Attr(k.ID), k.Attr(k.Identity)
		if id == nil || !id.Computed || identity == nil || !identity.Required || identity.Type != cty.String {
			return fmt.Errorf("kind %s: ID must be a computed attribute and Identity a required string", k.Name)
		}
		if err := validateAttrs(k.Attrs); err != nil {
			return fmt.Errorf("kind %s: %w", k.Name, err)
		}
	}
	return nil
}

func validateAttrs(attrs []Attr) error {
	names, wires := map[string]bool{}, map[string]bool{}
	for i := range attrs {
		a := &attrs[i]
		if names[a.Name] || a.Wire != "" && wires[a.Wire] {
			return fmt.Errorf("%s: its name or wire name is used twice", a.Name)
		}
		names[a.Name], wires[a.Wire] = true, true
		if err := a.validate(); err != nil {
			return fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	return nil
}

func (a *Attr) validate() error {
	switch {
	case a.Name == "" || a.Doc == "":
		return fmt.Errorf("name and doc are needed")
	case a.Object == nil && a.Type == cty.NilType:
		return fmt.Errorf("a type is needed")
	case a.Object != nil && a.Type != cty.NilType:
		return fmt.Errorf("a nested object takes its type from its members")
	case a.Many && a.Object == nil:
		return fmt.Errorf("only a nested object can be Many; give a leaf a list type")
	case a.Computed && (a.Required || a.Default != cty.NilVal || a.Keep):
		return fmt.Errorf("a computed attribute cannot be required or have a default")
	case a.Keep && a.Default != cty.NilVal:
		return fmt.Errorf("Keep and Default exclude each other")
	case a.Default != cty.NilVal && !a.Default.Type().Equals(a.ValueType()):
		return fmt.Errorf("the default is %s, the attribute %s", a.Default.Type().FriendlyName(), a.ValueType().FriendlyName())
	case !a.Computed && a.Object == nil && a.Type != cty.Bool && len(a.Samples) == 0:
		return fmt.Errorf("samples are needed: documentation and random configurations use them")
	}
	for _, s := range a.Samples {
		if !s.Type().Equals(a.ValueType()) {
			return fmt.Errorf("sample %#v is not of the attribute's type", s)
		}
		if a.Check != nil && len(a.Check(s).errors()) > 0 {
			return fmt.Errorf("sample %#v does not pass the attribute's own check: %v", s, a.Check(s))
		}
	}
	return validateAttrs(a.Object)
}
