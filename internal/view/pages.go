package view

import (
	"fmt"
	"slices"
	"strings"

	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// A ReferencePage is one page of the language's reference, in Markdown.
type ReferencePage struct {
	Name string // what it is about, as a user names it: bucket, variable, data
	Path string // below docs
	Text string
	// Examples are the configurations on it; each stands for itself.
	Examples []string
}

// ReferencePages writes the reference of the language from the descriptors: the overview,
// a page for each kind, and one for each type of block.
func ReferencePages(kinds []*kind.Kind) []ReferencePage {
	pages := []ReferencePage{overviewPage(kinds)}
	for _, k := range kinds {
		pages = append(pages, ReferencePage{Name: k.Name, Path: "kinds/" + k.Name + ".md", Text: KindPage(k),
			Examples: []string{k.Example}})
	}
	for _, forms := range blocksByPage(kinds) {
		pages = append(pages, blockPage(forms))
	}
	return pages
}

// blocksByPage are the forms of each type of block that has a page: those of the
// top level, what every resource takes, and deliver.
func blocksByPage(kinds []*kind.Kind) [][]*syntax.BlockSpec {
	types := [][]*syntax.BlockSpec{{syntax.ResourceBlock()}, syntax.ResourceBlock().NestedForms("deliver")}
	for _, b := range syntax.NonResourceBlocks(kinds) {
		i := slices.IndexFunc(types, func(forms []*syntax.BlockSpec) bool { return forms[0].Type == b.Type })
		if i < 0 {
			types = append(types, nil)
			i = len(types) - 1
		}
		types[i] = append(types[i], b)
	}
	return types
}

// pagePath is where the page of a block is, below docs.
func pagePath(b *syntax.BlockSpec) string { return "blocks/" + b.Type + ".md" }

func blockPage(forms []*syntax.BlockSpec) ReferencePage {
	first := forms[0]
	p := ReferencePage{Name: first.Type, Path: pagePath(first)}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", first.Type)
	if first.FormLabel == "" {
		p.writeSection(&b, first, "##")
	} else {
		b.WriteString(wrapParagraphs(first.CommonDoc))
		shared := !slices.ContainsFunc(forms, func(f *syntax.BlockSpec) bool { return f.Example != first.Example })
		if shared {
			p.writeExample(&b, first.Example)
		}
		if first.TerraformNote != "" {
			b.WriteString(wrapParagraphs("From Terraform: " + first.TerraformNote))
		}
		for _, f := range forms {
			one := *f
			one.TerraformNote = ""
			if shared {
				one.Example = ""
			}
			fmt.Fprintf(&b, "## %s\n\n", f.HeaderText())
			p.writeSection(&b, &one, "###")
		}
	}
	p.Text = strings.TrimRight(b.String(), "\n") + "\n"
	return p
}

// writeSection writes everything about one block. depth is the mark of the headings
// below it.
func (p *ReferencePage) writeSection(b *strings.Builder, d *syntax.BlockSpec, headingMark string) {
	b.WriteString(wrapParagraphs(d.Doc))
	p.writeExample(b, d.Example)
	if d.RootOnlyReason != "" {
		b.WriteString(wrapParagraphs("It stands in the configuration's own files, not in those of modules. " + d.RootOnlyReason))
	}
	if d.TerraformNote != "" {
		b.WriteString(wrapParagraphs("From Terraform: " + d.TerraformNote))
	}
	if len(d.Arguments) > 0 && headingMark == "##" {
		b.WriteString(headingMark + " Arguments\n\n")
	}
	b.WriteString(argumentTable(d))
	types := map[string]bool{}
	for _, n := range d.Blocks {
		if n.Type == "deliver" { // has a page of its own
			if !types[n.Type] {
				b.WriteString(wrapParagraphs("A kind whose objects have a secret also takes [deliver](deliver.md) blocks."))
			}
			types[n.Type] = true
			continue
		}
		fmt.Fprintf(b, "%s %s\n\n", headingMark, n.HeaderText())
		if n.CommonDoc != "" && !types[n.Type] {
			b.WriteString(wrapParagraphs(n.CommonDoc))
		}
		types[n.Type] = true
		p.writeSection(b, &n, headingMark+"#")
	}
}

func (p *ReferencePage) writeExample(b *strings.Builder, text string) {
	if text == "" {
		return
	}
	p.Examples = append(p.Examples, text)
	for i, f := range syntax.ExampleFiles(text) {
		if i > 0 {
			fmt.Fprintf(b, "`%s`:\n\n", f.Name)
		}
		fmt.Fprintf(b, "```hcl\n%s```\n\n", f.Text)
	}
}

func argumentTable(d *syntax.BlockSpec) string {
	var b strings.Builder
	if len(d.Arguments) > 0 {
		b.WriteString("| name | type | left out | may refer to | |\n|---|---|---|---|---|\n")
	}
	for i := range d.Arguments {
		a := &d.Arguments[i]
		doc := a.Doc
		if len(a.Choices) > 0 && !strings.Contains(doc, "`"+a.Choices[0]+"`") {
			doc += " One of `" + strings.Join(a.Choices, "`, `") + "`."
		}
		if a.TerraformNote != "" {
			doc += " From Terraform: " + a.TerraformNote
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", a.Name, a.Type.Description(), requiredOrDefaultText(a),
			a.MayReferTo.Description(),
			escapeCell(doc))
	}
	if d.OtherArgumentsDoc != "" {
		rest := "Any other argument"
		if len(d.Arguments) == 0 {
			rest = "Each argument"
		} else {
			b.WriteString("\n")
		}
		b.WriteString(rest + " is " + d.OtherArgumentsDoc + ".\n")
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

func requiredOrDefaultText(a *syntax.ArgumentSpec) string {
	switch {
	case a.Required:
		return "required"
	case a.Default != "":
		return "`" + a.Default + "`"
	}
	return "nothing"
}

// pageLineWidth is how long the lines of a page are.
const pageLineWidth = 140

// wrapParagraphs breaks paragraphs into lines and ends with an empty one.
func wrapParagraphs(text string) string {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		b.WriteString(strings.Join(wrapLine(strings.Join(strings.Fields(paragraph), " "), pageLineWidth, ""), "\n") + "\n\n")
	}
	return b.String()
}
