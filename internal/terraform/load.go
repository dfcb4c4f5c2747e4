package terraform

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/parse"
)

// Bounds: what is larger was not written by hand, and would take long.
const (
	mostBytes   = 64 << 20 // of a file
	mostModules = 1000
)

// A sourceFile is a file of configuration, in native syntax.
type sourceFile struct {
	dir, name     string
	source        Source
	nativeText    []byte
	originalLines []int // of a JSON file: by the lines of src, those that they were made from
	body          *hclsyntax.Body
}

// originalLine is the line of the file as it was read.
func (f *sourceFile) originalLine(r hcl.Range) int {
	if f.originalLines != nil && r.Start.Line <= len(f.originalLines) {
		return f.originalLines[r.Start.Line-1]
	}
	return r.Start.Line
}

func (f *sourceFile) place(r hcl.Range, what, why string) Place {
	return Place{File: path.Join(f.dir, f.name), Line: f.originalLine(r), Title: what, Remark: why}
}

func (f *sourceFile) nativeTextAt(r hcl.Range) string {
	return string(f.nativeText[r.Start.Byte:r.End.Byte])
}

func failf(summary, detail string, args ...any) error {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...)}}
}

// load reads a folder and the modules that it calls. callerDirs are the folders that call it.
func (m *migration) load(dir string, callerDirs []string) (*module, error) {
	if mod := m.modules[dir]; mod != nil {
		if slices.Contains(callerDirs, dir) {
			return nil, failf("Module in itself", "The module in the folder %q calls itself, perhaps through others. Terraform refuses "+
				"that too: break the circle.", dir)
		}
		return mod, nil
	}
	if len(m.modules) >= mostModules {
		return nil, failf("Too many modules", "More than %d folders are called as modules.", mostModules)
	}
	mod := &module{dir: dir, byReferenceName: map[string]*item{}, substitutes: map[string]*substituteVariable{},
		overrides: map[string]*item{}}
	m.modules[dir] = mod
	sources, err := m.ReadFiles(dir)
	if err != nil {
		return nil, err
	}
	var all hcl.Diagnostics
	for _, s := range sources {
		tofu := tofuNameFor(s.Name)
		switch {
		case tofu != "" && slices.ContainsFunc(sources, func(o Source) bool { return o.Name == tofu }):
			m.result.ChangedMeaning = append(m.result.ChangedMeaning, Place{path.Join(dir, s.Name), 0, "file", "OpenTofu reads " + tofu +
				" in its place, and so does migrate. If Terraform reads it, move " + tofu + " away and run this again."})
		case len(s.Text) > mostBytes:
			return nil, failf("File too large", "%s has more than %d MB.", path.Join(dir, s.Name), mostBytes>>20)
		case isTerragruntFile(s.Name):
			mod.terragruntFile = s.Name
		case isTfvarsFile(s.Name):
			mod.tfvarsFiles = append(mod.tfvarsFiles, s)
		case isOverride(s.Name):
			m.result.NotCarriedOver = append(m.result.NotCarriedOver, Place{path.Join(dir, s.Name), 0, "override file",
				"It changes blocks of other files. Write its arguments into those blocks."})
			f, diags := parseSource(dir, s)
			if all = append(all, diags...); !diags.HasErrors() {
				(&module{byReferenceName: mod.overrides}).addItems(f)
			}
		default:
			f, diags := parseSource(dir, s)
			if all = append(all, diags...); !diags.HasErrors() {
				mod.files = append(mod.files, f)
				mod.addItems(f)
			}
		}
	}
	if all.HasErrors() {
		return nil, all
	}
	for _, it := range mod.items {
		if err := m.loadCallee(it, append(slices.Clip(callerDirs), dir)); err != nil {
			return nil, err
		}
	}
	m.calleesFirst = append(m.calleesFirst, mod)
	return mod, nil
}

// tofuNameFor is the file that OpenTofu reads in place of one for Terraform; "": there can be none.
func tofuNameFor(name string) string {
	base, isJSON := strings.CutSuffix(name, ".json")
	base, isTerraform := strings.CutSuffix(base, ".tf")
	switch {
	case !isTerraform:
		return ""
	case isJSON:
		return base + ".tofu.json"
	}
	return base + ".tofu"
}

func isOverride(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	return base == "override" || strings.HasSuffix(base, "_override")
}

func parseSource(dir string, s Source) (*sourceFile, hcl.Diagnostics) {
	f := &sourceFile{dir: dir, name: s.Name, source: s, nativeText: s.Text}
	if strings.HasSuffix(s.Name, ".json") {
		var err error
		if f.nativeText, f.originalLines, err = jsonToNative(s.Text); err != nil {
			return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Invalid JSON configuration",
				Detail: fmt.Sprintf("%s: %s.", path.Join(dir, s.Name), err)}}
		}
	}
	file, diags := parse.Config(f.nativeText, path.Join(dir, s.Name), nil)
	if diags.HasErrors() {
		if f.originalLines != nil { // places in a text that nobody wrote
			for _, d := range diags {
				d.Subject, d.Context = nil, nil
			}
		}
		return nil, diags
	}
	f.body = file.Body.(*hclsyntax.Body) // what the native parser gives
	return f, nil
}

// addItems notes what a file declares.
func (mod *module) addItems(f *sourceFile) {
	for _, b := range f.body.Blocks {
		if b.Type == "locals" {
			for _, a := range attrsInSourceOrder(b.Body) {
				mod.add(&item{file: f, block: b, localAttr: a, referenceName: "local." + a.Name, refs: a.Expr.Variables()})
			}
			continue
		}
		it := &item{file: f, block: b, refs: bodyReferences(b.Body)}
		switch {
		case b.Type == "resource" && len(b.Labels) == 2:
			it.referenceName = b.Labels[0] + "." + b.Labels[1]
		case b.Type == "data" && len(b.Labels) == 2:
			it.referenceName = "data." + b.Labels[0] + "." + b.Labels[1]
		case b.Type == "variable" && len(b.Labels) == 1:
			it.referenceName = "var." + b.Labels[0]
		case (b.Type == "output" || b.Type == "module") && len(b.Labels) == 1:
			it.referenceName = b.Type + "." + b.Labels[0]
		}
		mod.add(it)
	}
}

func (mod *module) add(it *item) {
	it.module = mod
	mod.items = append(mod.items, it)
	if it.referenceName != "" {
		mod.byReferenceName[it.referenceName] = it
	}
}

// attrsInSourceOrder are the attributes of a body in the order in which they stand.
func attrsInSourceOrder(b *hclsyntax.Body) []*hclsyntax.Attribute {
	var out []*hclsyntax.Attribute
	for _, a := range b.Attributes {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *hclsyntax.Attribute) int { return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte })
	return out
}

// bodyReferences are the references in a body.
func bodyReferences(b *hclsyntax.Body) []hcl.Traversal {
	var out []hcl.Traversal
	for _, a := range attrsInSourceOrder(b) {
		out = append(out, a.Expr.Variables()...)
	}
	for _, nested := range b.Blocks {
		out = append(out, bodyReferences(nested.Body)...)
	}
	return out
}

// loadCallee reads the folder that a module block names, if it is one.
func (m *migration) loadCallee(it *item, callerDirs []string) error {
	if it.block.Type != "module" || it.referenceName == "" {
		return nil
	}
	source := literalText(it.block.Body.Attributes["source"])
	if !strings.HasPrefix(source, "./") && !strings.HasPrefix(source, "../") {
		return nil
	}
	callee, err := m.load(path.Join(it.module.dir, source), callerDirs)
	if err != nil {
		return err
	}
	it.callee = callee
	callee.callers = append(callee.callers, it)
	return nil
}

// literalText is the text that an attribute holds; "": it is none, or an expression.
func literalText(a *hclsyntax.Attribute) string {
	if a == nil {
		return ""
	}
	v, ok := nonNullLiteral(a.Expr)
	if !ok || v.Type() != cty.String {
		return ""
	}
	return v.AsString()
}

// nonNullLiteral is the value of an expression that refers to nothing and calls nothing.
func nonNullLiteral(e hclsyntax.Expression) (v cty.Value, found bool) {
	v, diags := e.Value(nil)
	if diags.HasErrors() || !v.IsKnown() || v.IsNull() {
		return cty.NilVal, false
	}
	return v, true
}

// findReferencedItem is the item that a reference leads to; nil: it leads to none of the module.
func (mod *module) findReferencedItem(t hcl.Traversal) *item {
	names := make([]string, 0, 3)
	for _, step := range t[:min(3, len(t))] {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			names = append(names, s.Name)
		case hcl.TraverseAttr:
			names = append(names, s.Name)
		}
	}
	want := 2
	if names[0] == "data" {
		want = 3
	}
	if len(names) < want {
		return nil
	}
	return mod.byReferenceName[strings.Join(names[:want], ".")]
}
