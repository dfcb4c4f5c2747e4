package kind

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// ValidateKinds checks the descriptors themselves, so that a bad one fails the
// tests and not a user. The error names the kind and attribute.
func ValidateKinds(kinds []*Kind) error {
	seen := map[string]bool{}
	for _, k := range kinds {
		if seen[k.Name] {
			return fmt.Errorf("kind %s is listed twice", k.Name)
		}
		if of := k.ParentKind(); of != "" && !seen[of] {
			return fmt.Errorf("kind %s: %s, of which it is a part, must stand before it", k.Name, of)
		}
		seen[k.Name] = true
		if k.Doc == "" || k.Example == "" || k.Plural == "" || k.Terraform.Type == "" {
			return fmt.Errorf("kind %s: Doc, Example, Plural and Terraform.Type are needed", k.Name)
		}
		if k.List == nil || k.Create == nil || k.Delete == nil {
			return fmt.Errorf("kind %s: List, Create and Delete are needed", k.Name)
		}
		id, identity := k.FindAttr(k.IDAttr), k.FindAttr(k.IdentityAttr)
		if id == nil || !id.Computed || identity == nil || !identity.Required || identity.Type != cty.String {
			return fmt.Errorf("kind %s: IDAttr must name a computed attribute and IdentityAttr a required string", k.Name)
		}
		if within := k.FindAttr(k.ScopeAttr()); k.ScopeAttr() != "" && (within == nil || !within.Required || within.Link.RefKind == "") {
			return fmt.Errorf("kind %s: Parent.Attr must name a required reference", k.Name)
		}
		if err := validateAttrs(k.Attrs); err != nil {
			return fmt.Errorf("kind %s: %w", k.Name, err)
		}
		for _, l := range k.Constraints {
			if l.Rule == "" || l.Source.Name == "" || l.Attr != "" && k.attrAtPath(l.Attr) == nil {
				return fmt.Errorf("kind %s: the limit %q of %q lacks words or a source, or is about nothing", k.Name, l.Rule, l.Attr)
			}
		}
	}
	return nil
}

func validateAttrs(attrs []Attr) error {
	names, wires := map[string]bool{}, map[string]bool{}
	for i := range attrs {
		a := &attrs[i]
		if names[a.Name] || a.WirePath != "" && wires[a.WirePath] {
			return fmt.Errorf("%s: its name or wire name is used twice", a.Name)
		}
		names[a.Name], wires[a.WirePath] = true, true
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
	case a.Encoding.AsMap && (!a.Many || len(a.Object) != 2 || a.Object[0].Type != cty.String || a.Object[1].Object != nil):
		return fmt.Errorf("AsMap is for many objects of two leaves, the first of them a string")
	case a.Link.IsRemoteID != nil && a.Link.RefKind == "":
		return fmt.Errorf("IsRemoteID needs RefKind")
	case a.Computed && (a.Required || a.Default != cty.NilVal || a.KeepLive):
		return fmt.Errorf("a computed attribute cannot be required or have a default")
	case a.KeepLive && a.Default != cty.NilVal:
		return fmt.Errorf("KeepLive and Default exclude each other")
	case a.Default != cty.NilVal && !a.Default.Type().Equals(a.ValueType()):
		return fmt.Errorf("the default is %s, the attribute %s", a.Default.Type().FriendlyName(), a.ValueType().FriendlyName())
	case !a.Computed && a.Object == nil && a.Type != cty.Bool && len(a.Samples) == 0:
		return fmt.Errorf("samples are needed: documentation and random configurations use them")
	}
	for i := range a.Object {
		if m := &a.Object[i]; m.FromAccount != nil || m.Encoding.SingleValueReadPath != "" || m.livePath() == "" && a.livePath() != "" {
			return fmt.Errorf("%s: a member is read from its own path in the object", m.Name)
		}
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

// attrAtPath finds the attribute that a limit is about; nil: there is none.
func (k *Kind) attrAtPath(path string) *Attr {
	attrs := k.Attrs
	var found *Attr
	for name := range strings.SplitSeq(path, ".") {
		found = nil
		for i := range attrs {
			if attrs[i].Name == name {
				found = &attrs[i]
			}
		}
		if found == nil {
			return nil
		}
		attrs = found.Object
	}
	return found
}
