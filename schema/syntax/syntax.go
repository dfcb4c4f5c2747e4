// Package syntax describes the blocks of the language that are no kinds of
// resources: variable, output, module, b2form and so on, and what every resource
// takes beside the attributes of its kind.
//
// The descriptions are data. The loader decodes by them, and what programs,
// editors and readers are told of the language is made from them, so that an
// argument is named in one place.
package syntax

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// A BlockSpec describes one type of block, or one form of it. Its JSON is part of
// what `b2form schema -json` prints.
type BlockSpec struct {
	Type string `json:"type"` // "variable"
	// FormLabel is the first label where that decides what the block holds:
	// deliver "file". "": the block has no forms.
	FormLabel         string   `json:"form,omitempty"`
	FurtherLabelNames []string `json:"labels,omitempty"` // what its further labels are: "name"
	Doc               string   `json:"doc"`              // a paragraph or more, in Markdown
	// CommonDoc is what all forms of the block have in common; "" where it has none.
	CommonDoc string `json:"about,omitempty"`
	// TerraformNote is what who comes from Terraform should know, in whole sentences;
	// "" where nothing differs.
	TerraformNote string `json:"terraform,omitempty"`
	Example       string `json:"example,omitempty"` // a complete configuration; see [ExampleFiles]

	Arguments []ArgumentSpec `json:"arguments,omitempty"`
	Blocks    []BlockSpec    `json:"blocks,omitempty"` // nested, each form by itself
	// OtherArgumentsDoc says what an argument is that is not listed; "": there are no others.
	OtherArgumentsDoc string `json:"rest,omitempty"`

	// RootOnlyReason is why the block stands in the configuration's own files only, not in
	// those of modules, in a sentence; "": it stands in both.
	RootOnlyReason string `json:"root_only,omitempty"`
	AtMostOnce     bool   `json:"once,omitempty"`    // there is at most one
	MinCount       int    `json:"minimum,omitempty"` // how many there must be at least

	// Hints answer words that are none of this block's.
	Hints []Hint `json:"-"`
	// OwnNameByTerraformName says of attributes of data, by their names in the official Terraform
	// provider, what they are called here.
	OwnNameByTerraformName map[string]string `json:"-"`
}

// A Hint is what to write instead of a word that people bring along.
type Hint struct {
	Name    string
	Summary string // of the error
	Advice  string // what to do; whole sentences
}

// An ArgumentSpec describes one argument of a block.
type ArgumentSpec struct {
	Name       string       `json:"name"`
	Type       ArgumentType `json:"type"`
	MayReferTo RefScope     `json:"sees"`
	Required   bool         `json:"required,omitempty"`
	Default    string       `json:"default,omitempty"` // what leaving it out means, as it is written in HCL; "": nothing
	Choices    []string     `json:"choices,omitempty"` // all values, or elements of a list, that it can have; nil: many
	Doc        string       `json:"doc"`               // sentences, in Markdown
	// TerraformNote is what who comes from Terraform should know; "" where nothing
	// differs.
	TerraformNote string `json:"terraform,omitempty"`
}

// An ArgumentType is what an argument is.
type ArgumentType string

// The types of arguments.
const (
	Text           ArgumentType = "string"
	Bool           ArgumentType = "bool"
	Count          ArgumentType = "number"
	Share          ArgumentType = "number or share"
	Texts          ArgumentType = "list(string)"
	TextMap        ArgumentType = "map(string)"
	Any            ArgumentType = "any"
	Collection     ArgumentType = "collection"
	TypeConstraint ArgumentType = "type"
	Address        ArgumentType = "address"
	Addresses      ArgumentType = "list(address)"
	Name           ArgumentType = "name"
	Names          ArgumentType = "list(name)"
)

// Description says the type to a reader.
func (t ArgumentType) Description() string {
	switch t {
	case Count:
		return "whole number"
	case Share:
		return "whole number, or a share such as \"10%\""
	case Texts:
		return "list of string"
	case TextMap:
		return "map of string"
	case Any:
		return "any value"
	case Collection:
		return "map, or set of strings"
	case Addresses:
		return "list of addresses"
	case Name:
		return "name, without quotes"
	case Names:
		return "list of argument names"
	}
	return string(t)
}

// RefScope says what an argument's expression may refer to.
type RefScope string

// From nothing to everything.
const (
	Constant           RefScope = "constant" // nothing
	NotEvaluated       RefScope = "written"  // nothing: it is no expression
	VariablesAndLocals RefScope = "settings" // variables and local values
	AllButComputed     RefScope = "known"    // everything but computed attributes
	Instance           RefScope = "instance" // that, and each or count
	Everything         RefScope = "computed" // everything
	EverythingAndSelf  RefScope = "self"     // that, and self
	InstanceAndSelf    RefScope = "answer"   // what Instance sees, and self
	PolicyScope        RefScope = "judged"   // what a policy sees
)

// Description says it to a reader.
func (s RefScope) Description() string {
	switch s {
	case Constant:
		return "nothing: a constant"
	case NotEvaluated:
		return "nothing: it is read as it is written"
	case VariablesAndLocals:
		return "variables and local values"
	case AllButComputed:
		return "everything but computed attributes"
	case Instance:
		return "everything but computed attributes; each or count too"
	case Everything:
		return "everything, computed attributes too"
	case InstanceAndSelf:
		return "everything but computed attributes; each or count and self too"
	case PolicyScope:
		return "each, resources, account and path"
	}
	return "everything, and self"
}

// FindArgument finds an argument; nil: there is none of that name.
func (b *BlockSpec) FindArgument(name string) *ArgumentSpec {
	i := slices.IndexFunc(b.Arguments, func(a ArgumentSpec) bool { return a.Name == name })
	if i < 0 {
		return nil
	}
	return &b.Arguments[i]
}

// FindHint finds what to write instead of a word; nil: nothing is known of it.
func (b *BlockSpec) FindHint(name string) *Hint {
	i := slices.IndexFunc(b.Hints, func(h Hint) bool { return h.Name == name })
	if i < 0 {
		return nil
	}
	return &b.Hints[i]
}

// NestedForms lists the forms of a nested block; none: there is no such block.
func (b *BlockSpec) NestedForms(typ string) []*BlockSpec {
	return formsOfType(b.Blocks, typ)
}

// FindNestedForm finds one form of a nested block; nil: there is none.
func (b *BlockSpec) FindNestedForm(typ, form string) *BlockSpec {
	for _, n := range b.NestedForms(typ) {
		if n.FormLabel == form {
			return n
		}
	}
	return nil
}

func formsOfType(list []BlockSpec, typ string) []*BlockSpec {
	var out []*BlockSpec
	for i := range list {
		if list[i].Type == typ {
			out = append(out, &list[i])
		}
	}
	return out
}

// FormLabels lists the first labels that blocks of several forms can have.
func FormLabels(forms []*BlockSpec) []string {
	var out []string
	for _, f := range forms {
		out = append(out, f.FormLabel)
	}
	return out
}

// AllowedNames lists what may stand in the block: arguments, then types of nested
// blocks.
func (b *BlockSpec) AllowedNames() []string {
	var out []string
	for i := range b.Arguments {
		out = append(out, b.Arguments[i].Name)
	}
	for i := range b.Blocks {
		if !slices.Contains(out, b.Blocks[i].Type) {
			out = append(out, b.Blocks[i].Type)
		}
	}
	return out
}

// HeaderText is how a block of this type begins: deliver "file", variable "name".
func (b *BlockSpec) HeaderText() string {
	out := b.Type
	if b.FormLabel != "" {
		out += ` "` + b.FormLabel + `"`
	}
	for _, l := range b.FurtherLabelNames {
		out += ` "` + strings.ToUpper(l) + `"`
	}
	return out
}

// HeaderSchema describes the block's header to HCL.
func (b *BlockSpec) HeaderSchema() hcl.BlockHeaderSchema {
	h := hcl.BlockHeaderSchema{Type: b.Type}
	if b.FormLabel != "" {
		h.LabelNames = append(h.LabelNames, "type")
	}
	h.LabelNames = append(h.LabelNames, b.FurtherLabelNames...)
	return h
}

// OptionalBodySchema describes the block's body to HCL. Whoever reads it asks for what is
// required.
func (b *BlockSpec) OptionalBodySchema() *hcl.BodySchema {
	s := &hcl.BodySchema{Blocks: HeaderSchemas(b.Blocks)}
	for i := range b.Arguments {
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: b.Arguments[i].Name})
	}
	return s
}

// HeaderSchemas describes blocks to HCL, those of several forms once.
func HeaderSchemas(blocks []BlockSpec) []hcl.BlockHeaderSchema {
	var out []hcl.BlockHeaderSchema
	for i := range blocks {
		if !slices.ContainsFunc(out, func(h hcl.BlockHeaderSchema) bool { return h.Type == blocks[i].Type }) {
			out = append(out, blocks[i].HeaderSchema())
		}
	}
	return out
}

// An ExampleFile is one file of an example.
type ExampleFile struct{ Name, Text string }

// ExampleFiles takes an example apart: what follows a line "# FILE name" is another
// file than main.b2.hcl.
func ExampleFiles(example string) []ExampleFile {
	parts := strings.Split("\n"+example, "\n# FILE ")
	out := []ExampleFile{{Name: "main.b2.hcl", Text: strings.TrimPrefix(parts[0], "\n")}}
	if !strings.HasSuffix(out[0].Text, "\n") {
		out[0].Text += "\n"
	}
	for _, part := range parts[1:] {
		name, text, _ := strings.Cut(part, "\n")
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		out = append(out, ExampleFile{name, text})
	}
	return out
}
