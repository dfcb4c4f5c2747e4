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

// readContent reads a block by its description and reports what does not belong
// there. complete is false where something required is missing.
func (l *module) readContent(b *hcl.Block, d *syntax.BlockSpec) (content *hcl.BodyContent, hasRequired bool) {
	l.checkNamesAgainstSpec(b.Body, d)
	content, _, diags := b.Body.PartialContent(d.OptionalBodySchema())
	l.add(diags...)
	hasRequired = !diags.HasErrors()
	for i := range d.Arguments {
		a := &d.Arguments[i]
		if !a.Required || content.Attributes[a.Name] != nil {
			continue
		}
		hasRequired = false
		isMeant := func(it bodyItem) bool { return findNameIfMisnamed(it.name, d) == a.Name }
		if !slices.ContainsFunc(bodyItems(b.Body), isMeant) {
			what, _, _ := strings.Cut(strings.ReplaceAll(a.Doc, "`", "")+" ", ". ")
			l.errorAt(b.DefRange, missingArgument,
				fmt.Sprintf("The argument %q is required: %s.", a.Name, strings.ToLower(what[:1])+strings.TrimSpace(what[1:])))
		}
	}
	return content, hasRequired
}

// findNameIfMisnamed is the name that was meant by one that a block does not know; "": none is
// known to be.
func findNameIfMisnamed(name string, d *syntax.BlockSpec) string {
	if d.OtherArgumentsDoc != "" || d.FindArgument(name) != nil || d.NestedForms(name) != nil {
		return ""
	}
	return words.FindSimilar(name, d.AllowedNames())
}

// otherAttributes are the arguments of a block that its description does not name. It reports those
// that stand there twice, which only the parser of native syntax does itself.
func (l *module) otherAttributes(body hcl.Body, d *syntax.BlockSpec) hcl.Attributes {
	attrs, diags := body.JustAttributes() // what is none was reported by checkNamesAgainstSpec
	for _, fault := range diags {
		if fault.Summary == "Duplicate attribute definition" {
			fault.Summary = "Duplicate argument" // as it is called of the arguments that the description names
			l.add(fault)
		}
	}
	for i := range d.Arguments {
		delete(attrs, d.Arguments[i].Name)
	}
	return attrs
}

// checkNamesAgainstSpec reports every name in a body that its description does not know.
func (l *module) checkNamesAgainstSpec(body hcl.Body, d *syntax.BlockSpec) {
	_, native := body.(*hclsyntax.Body)
	for _, it := range bodyItems(body) {
		arg, nested := d.FindArgument(it.name), d.NestedForms(it.name)
		switch {
		case arg != nil && it.isNativeBlock:
			l.errorAt(it.nameRange, "Unsupported block type", argumentNotBlockDetail(it.name))
		case arg != nil:
		case nested != nil && native && !it.isNativeBlock:
			l.errorAt(it.nameRange, "Unsupported argument", blockNotArgumentDetail(it.name, nested))
		case nested != nil:
		default:
			l.reportNameOutsideSpec(it, d)
		}
	}
}

// reportNameOutsideSpec reports a name that is neither an argument nor a nested block, unless
// the block takes any name.
func (l *module) reportNameOutsideSpec(it bodyItem, d *syntax.BlockSpec) {
	hint := d.FindHint(it.name)
	switch {
	case d.OtherArgumentsDoc != "" && !it.isNativeBlock:
	case hint != nil:
		l.errorAt(it.nameRange, hint.Summary, hint.Advice)
	case it.isNativeBlock && d.OtherArgumentsDoc != "":
		l.errorAt(it.nameRange, "Unsupported block type", argumentNotBlockDetail(it.name))
	case it.isNativeBlock:
		l.errorAt(it.nameRange, "Unsupported block type", notExpectedDetail("Blocks of type", it.name, d.AllowedNames()))
	default:
		l.errorAt(it.nameRange, "Unsupported argument", notExpectedDetail("An argument named", it.name, d.AllowedNames()))
	}
}

func argumentNotBlockDetail(name string) string {
	return fmt.Sprintf("%s is an argument, not a block: write %s = … with an equals sign.", name, name)
}

func blockNotArgumentDetail(name string, forms []*syntax.BlockSpec) string {
	return fmt.Sprintf("%s is a block: write %s { … } without an equals sign.", name, forms[0].HeaderText())
}

func notExpectedDetail(what, name string, known []string) string {
	verb := "is"
	if what == "Blocks of type" {
		verb = "are"
	}
	return fmt.Sprintf("%s %q %s not expected here.%s", what, name, verb, words.DidYouMean(name, "", known))
}
