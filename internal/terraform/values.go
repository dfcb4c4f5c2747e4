package terraform

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/schema/parse"
)

// valuesReadByItself is the value file that b2form reads without being told.
const valuesReadByItself = "b2form.b2vars.hcl"

// valuesOfOwnName stands in for "b2form" in the name of a value file: b2form reads a file of that name by itself.
const valuesOfOwnName = "b2form_values"

// noteTerragrunt notes that values of variables are not carried over which no file of Terraform has.
func (m *migration) noteTerragrunt() {
	if m.root.terragruntFile == "" || !m.root.holdsB2 {
		return
	}
	m.result.HasUnsetVariables = true
	m.result.NotCarriedOver = append(m.result.NotCarriedOver, Place{m.root.terragruntFile, 0, "Terragrunt", "b2form does not read it. " +
		"Write the inputs that it gives, also by what it includes, into " + valuesReadByItself + ", and what it generates into the " +
		"files: else variables have other values than at the last apply. \"terragrunt state pull\" prints the state, if it is kept " +
		"elsewhere."})
}

// migrateTfvars writes a value file anew, without the values of variables that are not
// carried over.
func (m *migration) migrateTfvars(mod *module, s Source) {
	sourcePath := path.Join(mod.dir, s.Name)
	text := s.Text
	base := strings.TrimSuffix(s.Name, ".tfvars")
	if isJSON := strings.HasSuffix(s.Name, ".json"); isJSON {
		base = strings.TrimSuffix(s.Name, ".tfvars.json")
		var err error
		if text, err = jsonValuesToNative(s.Text); err != nil {
			m.result.NotCarriedOver = append(m.result.NotCarriedOver,
				Place{sourcePath, 0, "value file", fmt.Sprintf("It is not the JSON of values: %s.", err)})
			return
		}
	}
	switch base {
	case "terraform":
		base = "b2form"
	case "b2form":
		base = valuesOfOwnName
	}
	file, diags := parse.Config(text, sourcePath, nil)
	if diags.HasErrors() {
		line := 0
		if at := diags[0].Subject; at != nil {
			line = lineIfNative(*at, text, s)
		}
		m.result.NotCarriedOver = append(m.result.NotCarriedOver,
			Place{sourcePath, line, "value file", "Its syntax is wrong here; details are left out, since it " +
				"may hold secrets."})
		return
	}
	var edits []edit
	var sensitive []string
	kept := false
	for _, a := range attrsInSourceOrder(file.Body.(*hclsyntax.Body)) {
		if v := mod.byReferenceName["var."+a.Name]; v != nil && v.fate == carried {
			kept = true
			value, constant := nonNullLiteral(a.Expr)
			if constant && v.flow.toSecret {
				sensitive = append(sensitive, a.Name)
			}
			if constant && v.flow.toLink {
				if remark := m.literalIDRemark(value); remark != "" {
					m.result.ChangedMeaning = append(m.result.ChangedMeaning,
						Place{sourcePath, lineIfNative(a.SrcRange, text, s), v.referenceName, remark})
				}
			}
			continue
		}
		edits = append(edits, removalWithComments(text, a.SrcRange))
	}
	if kept {
		slices.Sort(sensitive)
		name := base + ".b2vars.hcl"
		m.result.Files = append(m.result.Files, File{path.Join(mod.dir, name), applyEdits(text, edits), s.Mode, sensitive, sourcePath})
		if base == valuesOfOwnName {
			m.result.ChangedMeaning = append(m.result.ChangedMeaning, Place{sourcePath, 0, "value file", "It is written as " + name +
				": b2form.b2vars.hcl would be read without -var-file."})
		}
	}
}

// isDeclaredSensitive reports whether Terraform shows or stores no value of a variable or an output.
func (it *item) isDeclaredSensitive() bool {
	if it.localAttr != nil || it.block.Type != "variable" && it.block.Type != "output" {
		return false
	}
	return isTrue(it.block.Body.Attributes["sensitive"]) || isTrue(it.block.Body.Attributes["ephemeral"])
}

// lineIfNative is the line of a place in a value file; 0: it was JSON, and its lines are others.
func lineIfNative(at hcl.Range, nativeText []byte, s Source) int {
	if string(nativeText) != string(s.Text) {
		return 0
	}
	return at.Start.Line
}

func removalWithComments(src []byte, at hcl.Range) edit {
	start, end := withComments(src, at.Start.Byte, at.End.Byte)
	return edit{start, end, ""}
}
