package view

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// KindPage writes the reference page of a kind in Markdown, from its
// descriptor alone.
func KindPage(k *kind.Kind) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n```hcl\n%s```\n\n", k.Name, k.Doc, k.Example)
	fmt.Fprintf(&b, "Identity: %s. In the official Terraform provider: `%s`. Reading needs %s, writing `%s`,\ndestroying `%s`.\n\n",
		identityAttrsText(k), k.Terraform.Type, backtickedListOrDash(k.ReadCapabilities), k.WriteCapability, k.DeleteCapability)
	b.WriteString("## Arguments\n\n| name | type | left out | change | setting needs | |\n|---|---|---|---|---|---|\n")
	for _, a := range k.SettableAttrs() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", a.Name, attrTypeName(a), attrOmissionEffect(a), changeEffect(k, a),
			backtickedListOrDash(allCapabilitiesToSetAttr(k, a)), escapeCell(attrDescription(a)))
	}
	for _, a := range k.SettableAttrs() {
		writeMemberSections(&b, a, a.Name)
	}
	fmt.Fprintf(&b, "\nEvery resource also takes `%s`, `precondition` and `postcondition`: [any resource](../%s).\n",
		strings.Join(syntax.MetaArgumentNames(), "`, `"),
		pagePath(syntax.ResourceBlock()))
	if k.YieldsSecret() {
		b.WriteString(deliverySection())
	}
	for _, a := range k.SettableAttrs() {
		if a.GuidePage != "" {
			fmt.Fprintf(&b, "\nMore about `%s`: [%s](../%s.md).\n", a.Name, a.GuidePage, a.GuidePage)
		}
	}
	if len(k.Constraints) > 0 {
		writeConstraints(&b, k)
	}
	b.WriteString("\n## Computed\n\nThey may stand in outputs, checks, deliveries and postconditions, nowhere else.\n\n| name | type | " +
		"|\n|---|---|---|\n")
	for _, a := range k.ComputedAttrs() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", a.Name, attrTypeName(a), escapeCell(a.Doc))
	}
	return b.String()
}

// writeConstraints is the section about what is demanded of a configuration.
func writeConstraints(b *strings.Builder, k *kind.Kind) {
	b.WriteString("\n## What is checked\n\n`validate` checks these offline, each at its line, and so does every plan. Where B2 may take " +
		"it after all, it is a warning.\n\n" +
		"| argument | what is demanded | source |\n|---|---|---|\n")
	for _, l := range k.Constraints {
		about, says, source := "the "+k.Name, l.Rule, l.Source.Name
		if l.Attr != "" {
			about = "`" + l.Attr + "`"
		}
		if l.Warns {
			says += " (a warning)"
		}
		if l.Source.URL != "" {
			source = fmt.Sprintf("[%s](%s)", l.Source.Name, l.Source.URL)
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", about, escapeCell(says), source)
	}
}

// deliverySection is the section about where the secret of an object goes.
func deliverySection() string {
	var b strings.Builder
	forms := syntax.ResourceBlock().NestedForms("deliver")
	b.WriteString("\n## Where the secret goes\n\n" + wrapParagraphs(forms[0].CommonDoc) + "| block | | arguments |\n|---|---|---|\n")
	for _, f := range forms {
		var names []string
		for _, a := range f.Arguments {
			names = append(names, "`"+a.Name+"`")
		}
		fmt.Fprintf(&b, "| [`%s`](../%s) | %s | %s |\n", f.HeaderText(), pagePath(f), firstSentence(f.Doc), strings.Join(names, ", "))
	}
	return b.String()
}

// writeMemberSections is a section for a nested object, and one for each that is nested in it.
func writeMemberSections(b *strings.Builder, a *kind.Attr, path string) {
	if a.Object == nil {
		return
	}
	fmt.Fprintf(b, "\n### %s\n\n| name | type | left out | |\n|---|---|---|---|\n", path)
	for i := range a.Object {
		m := &a.Object[i]
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", m.Name, attrTypeName(m), attrOmissionEffect(m), escapeCell(attrDescription(m)))
	}
	for i := range a.Object {
		writeMemberSections(b, &a.Object[i], path+"."+a.Object[i].Name)
	}
}

func attrTypeName(a *kind.Attr) string {
	if a.Object == nil {
		return a.Type.FriendlyNameForConstraint()
	}
	switch {
	case a.Computed && a.Many:
		return "list of objects"
	case a.Many:
		return "list of objects, or blocks"
	}
	return "object, or a block"
}

func attrOmissionEffect(a *kind.Attr) string {
	switch {
	case a.Required:
		return "required"
	case a.KeepLive:
		return "left alone"
	case a.Default == cty.NilVal || kind.IsNullOrEmptyCollection(a.Default):
		return "none"
	}
	return "`" + literalFormatter{}.format(a.Default, 0) + "`"
}

func changeEffect(k *kind.Kind, a *kind.Attr) string {
	switch {
	case a.Immutable && k.Replaceable:
		return "replaces"
	case a.Immutable:
		return "refused"
	case k.Content != nil && (a.Name == k.Content.TextAttr || a.Name == k.Content.SourceAttr):
		return "in place"
	case a.WirePath == "":
		return "–"
	case k.Update == nil:
		return "replaces"
	}
	return "in place"
}

// allCapabilitiesToSetAttr lists the capabilities that it takes to set an attribute. What is not
// sent is needed when it takes effect.
func allCapabilitiesToSetAttr(k *kind.Kind, a *kind.Attr) []string {
	switch {
	case a.WriteCapability == "":
		return []string{k.WriteCapability}
	case a.WirePath == "":
		return []string{a.WriteCapability}
	}
	return []string{k.WriteCapability, a.WriteCapability}
}

// attrDescription adds to the attribute's text what else its descriptor knows.
func attrDescription(a *kind.Attr) string {
	doc := a.Doc
	if a.ReadCapability != "" {
		doc += " Hidden from keys without `" + a.ReadCapability + "`."
	}
	if a.TerraformName != "" {
		doc += " In the official provider: `" + a.TerraformName + "`."
	}
	return doc
}

func escapeCell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
