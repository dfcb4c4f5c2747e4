package view

import (
	"encoding/json"
	"fmt"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// A LanguageDocument is the language as data for other programs.
type LanguageDocument struct {
	FormatVersion string              `json:"format_version"` // "1.2"; a new first number may take something away
	Kinds         []LanguageKind      `json:"kinds"`
	ResourceMeta  *syntax.BlockSpec   `json:"resource"` // what every resource takes beside the attributes of its kind
	Blocks        []*syntax.BlockSpec `json:"blocks"`   // of the top level, beside those of the kinds
}

// A LanguageKind is one kind of resource.
type LanguageKind struct {
	Name             string               `json:"name"`
	Doc              string               `json:"doc"`
	Example          string               `json:"example"`
	IdentityAttr     string               `json:"identity"`         // the attribute that is unique in a configuration
	ParentAttr       string               `json:"within,omitempty"` // or else in what this attribute names
	IDAttr           string               `json:"id"`               // the attribute that holds B2's ID
	TerraformType    string               `json:"provider"`         // the resource type in the official Terraform provider
	AllowsDeliver    bool                 `json:"delivers"`         // may hold deliver blocks
	ReadCapabilities []string             `json:"reads"`            // capabilities that reading needs
	WriteCapability  string               `json:"writes"`           // the capability that creating and updating need
	DeleteCapability string               `json:"destroys"`         // the capability that destroying needs
	Attributes       []LanguageAttr       `json:"attributes"`       // in the order in which plans show them
	MetaArguments    []string             `json:"meta"`             // arguments that every resource takes
	Constraints      []LanguageConstraint `json:"limits"`
}

// A LanguageConstraint is one thing that is demanded of a configuration of a kind.
type LanguageConstraint struct {
	Attribute      string `json:"attribute,omitempty"` // dots for members; left out: the resource as a whole
	Rule           string `json:"says"`
	Source         string `json:"source"`
	URL            string `json:"url,omitempty"`
	Counterexample string `json:"example,omitempty"` // arguments that do not keep to it
	Warning        bool   `json:"warning,omitempty"` // it is no error
}

// A LanguageAttr is one attribute of a kind or of a nested object.
type LanguageAttr struct {
	Name      string          `json:"name"`
	Doc       string          `json:"doc"`
	Type      json.RawMessage `json:"type"` // as Terraform writes types: "string", ["set","string"]
	Required  bool            `json:"required,omitempty"`
	Computed  bool            `json:"computed,omitempty"`
	Sensitive bool            `json:"sensitive,omitempty"`
	Default   json.RawMessage `json:"default,omitempty"`
	KeepLive  bool            `json:"left_alone,omitempty"` // left out, B2's value stays as it is
	// of a settable attribute: "in place", "replaces", "refused", or "–" for what B2 never sees
	ChangeEffect      string         `json:"change,omitempty"`
	ReadCapability    string         `json:"capability,omitempty"` // without it the live value is hidden
	WriteCapabilities []string       `json:"needs,omitempty"`      // of an attribute of a kind: capabilities that setting it takes
	RefKind           string         `json:"references,omitempty"` // the kind whose objects it names
	TerraformName     string         `json:"provider,omitempty"`   // its name in the official provider, where it differs
	Repeated          bool           `json:"repeated,omitempty"`   // a list of objects
	Members           []LanguageAttr `json:"members,omitempty"`    // of the object or of each one
}

// NewLanguageDocument reads the descriptors.
func NewLanguageDocument(kinds []*kind.Kind) LanguageDocument {
	l := LanguageDocument{FormatVersion: "1.2", Kinds: make([]LanguageKind, len(kinds)), ResourceMeta: syntax.ResourceBlock(),
		Blocks: syntax.NonResourceBlocks(kinds)}
	for i, k := range kinds {
		l.Kinds[i] = LanguageKind{
			Name: k.Name, Doc: k.Doc, Example: k.Example, IdentityAttr: k.IdentityAttr, ParentAttr: k.ScopeAttr(), IDAttr: k.IDAttr,
			TerraformType: k.Terraform.Type,
			AllowsDeliver: k.YieldsSecret(), ReadCapabilities: k.ReadCapabilities, WriteCapability: k.WriteCapability,
			DeleteCapability: k.DeleteCapability,
			MetaArguments:    syntax.MetaArgumentNames(),
			Attributes: languageAttrs(k.Attrs, func(a *kind.Attr) string {
				if a.Computed {
					return ""
				}
				return changeEffect(k, a)
			}),
			Constraints: make([]LanguageConstraint, len(k.Constraints)),
		}
		for j := range k.Attrs {
			if a := &k.Attrs[j]; !a.Computed {
				l.Kinds[i].Attributes[j].WriteCapabilities = allCapabilitiesToSetAttr(k, a)
			}
		}
		for j, c := range k.Constraints {
			l.Kinds[i].Constraints[j] = LanguageConstraint{c.Attr, c.Rule, c.Source.Name, c.Source.URL, c.Counterexample, c.Warns}
		}
	}
	return l
}

func languageAttrs(attrs []kind.Attr, effectOf func(*kind.Attr) string) []LanguageAttr {
	out := make([]LanguageAttr, len(attrs))
	for i := range attrs {
		a := &attrs[i]
		out[i] = LanguageAttr{
			Name: a.Name, Doc: a.Doc, Type: typeJSON(a.ValueType()), Required: a.Required, Computed: a.Computed,
			Sensitive: a.Secret, KeepLive: a.KeepLive, ChangeEffect: effectOf(a), ReadCapability: a.ReadCapability, RefKind: a.Link.RefKind,
			TerraformName: a.TerraformName, Repeated: a.Many,
		}
		if a.Default != cty.NilVal {
			out[i].Default = valueJSON(a.Default)
		}
		if a.Object != nil {
			out[i].Members = languageAttrs(a.Object, func(*kind.Attr) string { return "" })
		}
	}
	return out
}

func typeJSON(t cty.Type) json.RawMessage {
	b, err := ctyjson.MarshalType(t)
	if err != nil {
		panic(fmt.Sprintf("type %#v of a descriptor: %v", t, err)) // descriptors hold no capsule types
	}
	return b
}

func valueJSON(v cty.Value) json.RawMessage {
	b, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		panic(fmt.Sprintf("default %#v of a descriptor: %v", v, err)) // descriptors hold known values
	}
	return b
}
