package view

import (
	_ "embed"
	"fmt"
	"strings"
	"text/template"

	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// overviewText is the prose of the overview. What names arguments in it comes
// from the descriptors.
//
//go:embed overview.md.tmpl
var overviewText string

// overviewExample is the configuration at the beginning of the overview.
//
//go:embed whole.b2.hcl
var overviewExample string

// A tableRow is one line of a table.
type tableRow []string

func overviewPage(kinds []*kind.Kind) ReferencePage {
	data := struct {
		Whole, Meta           string
		Kinds, Blocks, Pasted []tableRow
	}{
		Whole: overviewExample, Kinds: kindRows(kinds), Blocks: blockRows(kinds), Pasted: terraformRows(kinds),
		Meta: "`" + strings.Join(syntax.MetaArgumentNames(), "`, `") + "`",
	}
	var b strings.Builder
	t := template.Must(template.New("overview").Funcs(template.FuncMap{"table": tableRows}).Parse(overviewText))
	if err := t.Execute(&b, data); err != nil {
		panic(fmt.Sprintf("the overview of the language: %v", err)) // the template is part of the program
	}
	return ReferencePage{Name: "language", Path: "language.md", Text: b.String(), Examples: []string{overviewExample}}
}

// tableRows writes the rows of a table below a header that is written already.
func tableRows(rows []tableRow) string {
	var b strings.Builder
	for i, r := range rows {
		if i > 0 {
			b.WriteByte('\n')
		}
		cells := make([]string, len(r))
		for i, c := range r {
			cells[i] = escapeCell(c)
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |")
	}
	return b.String()
}

func kindRows(kinds []*kind.Kind) []tableRow {
	var out []tableRow
	for _, k := range kinds {
		out = append(out, tableRow{fmt.Sprintf("[`%s \"NAME\"`](kinds/%s.md)", k.Name, k.Name), firstSentence(k.Doc), identityAttrsText(k)})
	}
	return out
}

// identityAttrsText is what finds the live object.
func identityAttrsText(k *kind.Kind) string {
	if k.ScopeAttr() != "" {
		return "`" + k.ScopeAttr() + "` and `" + k.IdentityAttr + "`"
	}
	return "`" + k.IdentityAttr + "`"
}

func blockRows(kinds []*kind.Kind) []tableRow {
	var out []tableRow
	for _, forms := range blocksByPage(kinds) {
		b := forms[0]
		header, doc := b.HeaderText(), b.Doc
		if b.FormLabel != "" {
			header, doc = b.Type+` "`+strings.Join(syntax.FormLabels(forms), `", "`)+`"`, b.CommonDoc
		}
		if b == syntax.ResourceBlock() {
			header = "any resource"
		}
		out = append(out, tableRow{fmt.Sprintf("[`%s`](%s)", header, pagePath(b)), firstSentence(doc)})
	}
	return out
}

// firstSentence is the text up to its first full stop.
func firstSentence(text string) string {
	for i := range len(text) {
		if text[i] == '.' && (i+1 == len(text) || text[i+1] == ' ' || text[i+1] == '\n') {
			return text[:i+1]
		}
	}
	return text
}

// terraformRows says what becomes of what people bring along from Terraform.
func terraformRows(kinds []*kind.Kind) []tableRow {
	var out []tableRow
	for _, k := range kinds {
		out = append(out, tableRow{fmt.Sprintf("`resource \"%s\" \"x\"`", k.Terraform.Type), fmt.Sprintf("`%s \"x\"`", k.Name)})
		out = append(out, terraformNameRows(k.Attrs, k.Name)...)
		for _, p := range k.Terraform.Hints {
			out = append(out, tableRow{fmt.Sprintf("`%s` in %s", p.Name, k.Name), p.Advice})
		}
	}
	out = append(out, tableRow{"`data \"b2_bucket\" \"x\"`", "`data \"bucket\" \"x\"`"},
		tableRow{"`data \"b2_account_info\" \"x\"`", "`data \"account\" \"x\"`"})
	for _, h := range syntax.TerraformBlockHints() {
		out = append(out, tableRow{"`" + h.Name + " { }`", h.Advice})
	}
	for _, b := range append(syntax.FixedTopLevelBlocks(), syntax.ResourceBlock()) {
		for _, h := range b.Hints {
			if !strings.HasPrefix(h.Summary, "Terraform") {
				continue
			}
			out = append(out, tableRow{fmt.Sprintf("`%s` in %s", h.Name, b.Type), h.Advice})
		}
	}
	return out
}

// terraformNameRows lists the attributes that have another name there.
func terraformNameRows(attrs []kind.Attr, parentName string) []tableRow {
	var out []tableRow
	for i := range attrs {
		if a := &attrs[i]; a.TerraformName != "" && !a.Computed {
			out = append(out, tableRow{fmt.Sprintf("`%s` in %s", a.TerraformName, parentName), "`" + a.Name + "`"})
		}
		out = append(out, terraformNameRows(attrs[i].Object, attrs[i].Name)...)
	}
	return out
}
