package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/internal/words"
	"b2form/schema/syntax"
)

// missingArgument is the summary of what is said of a required argument, also by kinds.
const missingArgument = "Missing required argument"

// contentOf reads a block by its description and reports what does not belong
// there. complete is false where something required is missing.
func (l *module) contentOf(b *hcl.Block, d *syntax.Block) (content *hcl.BodyContent, complete bool) {
	l.checkNames(b.Body, d)
	content, _, diags := b.Body.PartialContent(d.BodySchema())
	l.add(diags...)
	complete = !diags.HasErrors()
	for i := range d.Arguments {
		a := &d.Arguments[i]
		if !a.Required || content.Attributes[a.Name] != nil {
			continue
		}
		complete = false
		if misspelt := slices.ContainsFunc(items(b.Body), func(it item) bool { return unknownFor(it.name, d) == a.Name }); !misspelt {
			what, _, _ := strings.Cut(strings.ReplaceAll(a.Doc, "`", "")+" ", ". ")
			l.errorAt(b.DefRange, missingArgument,
				fmt.Sprintf("The argument %q is required: %s.", a.Name, strings.ToLower(what[:1])+strings.TrimSpace(what[1:])))
		}
	}
	return content, complete
}

// unknownFor is the name that was meant by one that a block does not know; "": none is
// known to be.
func unknownFor(name string, d *syntax.Block) string {
	if d.OtherArguments != "" || d.Argument(name) != nil || d.Nested(name) != nil {
		return ""
	}
	return words.Nearest(name, d.Names())
}

// otherAttributes are the arguments of a block that its description does not name.
func otherAttributes(body hcl.Body, d *syntax.Block) hcl.Attributes {
	attrs, _ := body.JustAttributes() // what is none was reported by checkNames
	for i := range d.Arguments {
		delete(attrs, d.Arguments[i].Name)
	}
	return attrs
}

// checkNames reports every name in a body that its description does not know.
func (l *module) checkNames(body hcl.Body, d *syntax.Block) {
	_, native := body.(*hclsyntax.Body)
	for _, it := range items(body) {
		arg, nested := d.Argument(it.name), d.Nested(it.name)
		switch {
		case arg != nil && it.block:
			l.errorAt(it.at, "Unsupported block type", argumentNotBlock(it.name))
		case arg != nil:
		case nested != nil && native && !it.block:
			l.errorAt(it.at, "Unsupported argument", blockNotArgument(it.name, nested))
		case nested != nil:
		default:
			l.reportUnknownArgument(it, d)
		}
	}
}

// reportUnknownArgument reports a name that is neither an argument nor a nested block, unless
// the block takes any name.
func (l *module) reportUnknownArgument(it item, d *syntax.Block) {
	hint := d.Hint(it.name)
	switch {
	case d.OtherArguments != "" && !it.block:
	case hint != nil:
		l.errorAt(it.at, hint.Summary, hint.Advice)
	case it.block && d.OtherArguments != "":
		l.errorAt(it.at, "Unsupported block type", argumentNotBlock(it.name))
	case it.block:
		l.errorAt(it.at, "Unsupported block type", notExpected("Blocks of type", it.name, d.Names()))
	default:
		l.errorAt(it.at, "Unsupported argument", notExpected("An argument named", it.name, d.Names()))
	}
}

func argumentNotBlock(name string) string {
	return fmt.Sprintf("%s is an argument, not a block: write %s = … with an equals sign.", name, name)
}

func blockNotArgument(name string, forms []*syntax.Block) string {
	return fmt.Sprintf("%s is a block: write %s { … } without an equals sign.", name, forms[0].Header())
}

func notExpected(what, name string, known []string) string {
	verb := "is"
	if what == "Blocks of type" {
		verb = "are"
	}
	return fmt.Sprintf("%s %q %s not expected here.%s", what, name, verb, words.DidYouMean(name, "", known))
}
