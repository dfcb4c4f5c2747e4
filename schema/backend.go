package schema

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/syntax"
)

// LoadSettings evaluates nothing but the b2form block, for commands that work on
// the state alone: mistakes in resources, and variables that the block does not
// use, are not in their way. A folder without configuration has no settings.
// Diagnostics are errors only.
func LoadSettings(o Options) (*config.Config, hcl.Diagnostics) {
	l := newRootModule(o)
	if files, err := ListConfigDirFiles(l.Dir); err == nil && len(files.ConfigFiles) == 0 {
		return l.config, nil
	}
	if l.readConfigFiles() {
		l.declareOnly("variable", "locals", "b2form")
		l.keepOnlyUsedBySettings()
		l.assignVariables()
		l.resolveAndOrderNodes()
		l.evaluateNodes()
		l.evaluateSettings()
	}
	return l.config, slices.DeleteFunc(l.report.sortedDiags(), func(d *hcl.Diagnostic) bool { return d.Severity != hcl.DiagError })
}

// declareOnly is declare for some types of blocks.
func (l *module) declareOnly(types ...string) {
	schema := l.fileSchema()
	for _, f := range l.configBodies {
		content, _, _ := f.body.PartialContent(schema)
		for _, b := range content.Blocks {
			if slices.Contains(types, b.Type) {
				l.declareTopLevelBlock(b)
			}
		}
	}
}

// keepOnlyUsedBySettings drops what the b2form block does not use. Variables stay
// declared, since they may have been given a value, but nobody asks for one.
func (l *module) keepOnlyUsedBySettings() {
	used := map[*node]bool{}
	if l.settings != nil {
		for _, e := range settingsExpressions(l.settings) {
			l.markUsedNodes(e.Variables(), used)
		}
	}
	for _, v := range l.variables {
		v.node.notEvaluated = v.node.notEvaluated || !used[v.node]
	}
	l.nodes = slices.DeleteFunc(l.nodes, func(n *node) bool { return !used[n] })
}

func (l *module) markUsedNodes(ts []hcl.Traversal, used map[*node]bool) {
	for _, t := range ts {
		if len(t) < 2 {
			continue
		}
		var n *node
		switch name := addr.RootOrAttrName(t[1]); t.RootName() {
		case "var":
			if v := l.variables[name]; v != nil {
				n = v.node
			}
		case "local":
			n = l.locals[name]
		}
		if n == nil || used[n] {
			continue
		}
		used[n] = true
		if n.localExpr != nil {
			l.markUsedNodes(n.localExpr.Variables(), used)
		}
	}
}

// settingsExpressions are the expressions of the b2form block.
func settingsExpressions(b *hcl.Block) []hcl.Expression {
	content, _, _ := b.Body.PartialContent(syntax.FindFixedBlock(b.Type).OptionalBodySchema())
	bodies := []hcl.Attributes{content.Attributes}
	for _, inner := range content.Blocks {
		attrs, _ := inner.Body.JustAttributes()
		bodies = append(bodies, attrs)
	}
	var out []hcl.Expression
	for _, attrs := range bodies {
		for a := range maps.Values(attrs) {
			out = append(out, a.Expr)
		}
	}
	return out
}

// evaluateBackend reads where the state is kept.
func (l *module) evaluateBackend(blocks hcl.Blocks) {
	if len(blocks) == 0 {
		return
	}
	b := blocks[0]
	for _, extra := range blocks[1:] {
		l.errorAt(extra.DefRange, "Duplicate backend", fmt.Sprintf("The state is kept in one place; there is a backend block already at "+
			"%s. Remove one of them.", b.DefRange))
	}
	forms := syntax.FindFixedBlock("b2form").NestedForms(b.Type)
	d := syntax.FindFixedBlock("b2form").FindNestedForm(b.Type, b.Labels[0])
	if d == nil {
		typ := b.Labels[0]
		l.errorAt(b.LabelRanges[0], "Unknown backend", fmt.Sprintf("There is no backend %q: the state is kept in a file (\"local\"), in a "+
			"bucket (\"b2\"), behind a server of Terraform's protocol, such as GitLab (\"http\"), or in a database (\"postgres\").%s", typ,
			words.DidYouMean(typ, "", syntax.FormLabels(forms))))
		return
	}
	l.config.Settings.Backend = l.readBackend(b, d)
}

// readBackend evaluates the arguments of a backend block.
func (l *module) readBackend(b *hcl.Block, d *syntax.BlockSpec) config.Backend {
	out, known, usesVariables := map[string]string{}, true, false
	content, _ := l.readContent(b, d)
	for _, arg := range d.Arguments {
		name := arg.Name
		if text, err := strconv.Unquote(arg.Default); err == nil {
			out[name] = text
		}
		a := content.Attributes[name]
		if a == nil || !l.checkNoResourceRefs(a) {
			continue
		}
		v, ok := l.evalSetting(a, cty.String, "a string")
		known, usesVariables = known && ok, usesVariables || len(a.Expr.Variables()) > 0
		switch {
		case !ok:
		case v.IsNull() && !arg.Required:
		case v.IsNull() || v.AsString() == "" || strings.HasPrefix(v.AsString(), "/") && name == "prefix":
			l.errorAt(a.Expr.Range(), "Invalid backend", invalidBackendArgumentDetail(name))
		default:
			out[name] = v.AsString()
		}
	}
	if prefix, ok := out["prefix"]; ok && !strings.HasSuffix(prefix, "/") {
		out["prefix"] += "/"
	}
	return config.Backend{Type: b.Labels[0], Arguments: out, UsesVariables: known && usesVariables, Range: b.DefRange}
}

func invalidBackendArgumentDetail(argName string) string {
	switch argName {
	case "bucket":
		return "bucket needs the name of the bucket that holds the state."
	case "prefix":
		return "prefix is what the names of the state's objects begin with, as \"team/web/\": it is not empty and does not begin with a " +
			"slash."
	case "path":
		return "path needs the name of a file, relative to the configuration's folder."
	}
	return argName + " is empty. Give it a value, or leave it out."
}

// checkNoResourceRefs reports an argument that depends on resources: the state must be found
// before anything is known of them.
func (l *module) checkNoResourceRefs(a *hcl.Attribute) (ok bool) {
	for _, t := range a.Expr.Variables() {
		if l.kinds[t.RootName()] != nil {
			l.errorAt(t.SourceRange(), "Invalid backend", "A backend cannot depend on resources: the state is read before them. Write "+
				"the name itself, or use a variable for both.")
			return false
		}
	}
	return true
}
