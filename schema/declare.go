package schema

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/schema/addr"
	"b2form/schema/kind"
	"b2form/schema/parse"
	"b2form/schema/syntax"
)

// A bodyItem is one thing written in a body: an argument or a nested block.
type bodyItem struct {
	name          string
	nameRange     hcl.Range // of the name
	isNativeBlock bool      // written as a block; JSON cannot tell
	body          hcl.Body  // of a block; nil in JSON
	label         string    // of a block: its first label
}

// bodyItems lists what stands directly in a body, in order.
func bodyItems(body hcl.Body) []bodyItem {
	var out []bodyItem
	if native, ok := body.(*hclsyntax.Body); ok {
		out = make([]bodyItem, 0, len(native.Attributes)+len(native.Blocks))
		for _, a := range native.Attributes {
			out = append(out, bodyItem{name: a.Name, nameRange: a.NameRange})
		}
		for _, b := range native.Blocks {
			it := bodyItem{name: b.Type, nameRange: b.TypeRange, isNativeBlock: true, body: b.Body}
			if len(b.Labels) > 0 {
				it.label = b.Labels[0]
			}
			out = append(out, it)
		}
	} else {
		attrs, _ := body.JustAttributes()
		for _, a := range attrs {
			out = append(out, bodyItem{name: a.Name, nameRange: a.NameRange})
		}
	}
	slices.SortFunc(out, func(a, b bodyItem) int { return compareRanges(a.nameRange, b.nameRange) })
	return out
}

// editorSchemaMember is where editors look for the JSON Schema of a file in JSON syntax. It says nothing else.
const editorSchemaMember = "$schema"

// topLevelItems are what stands in a file.
func topLevelItems(file hcl.Body) []bodyItem {
	return slices.DeleteFunc(bodyItems(file), func(it bodyItem) bool { return it.name == editorSchemaMember })
}

// fileSchema describes the top level of a configuration file.
func (l *module) fileSchema() *hcl.BodySchema {
	if l.shared.fileSchema != nil {
		return l.shared.fileSchema
	}
	s := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
		{Type: "resource", LabelNames: []string{"type", "name"}}, // Terraform's
	}}
	for _, b := range syntax.NonResourceBlocks(l.Kinds) {
		if !slices.ContainsFunc(s.Blocks, func(h hcl.BlockHeaderSchema) bool { return h.Type == b.Type }) {
			s.Blocks = append(s.Blocks, b.HeaderSchema())
		}
	}
	for _, name := range l.sortedKindNames() {
		s.Blocks = append(s.Blocks, hcl.BlockHeaderSchema{Type: name, LabelNames: []string{"name"}})
	}
	l.shared.fileSchema = s
	return s
}

func (l *module) sortedKindNames() []string { return slices.Sorted(maps.Keys(l.kinds)) }

// declareBlocks turns the blocks of every file into declarations.
func (l *module) declareBlocks() {
	schema := l.fileSchema()
	for _, f := range l.configBodies {
		content, _, diags := f.body.PartialContent(schema)
		l.add(diags...)
		l.checkTopLevel(f.body, schema)
		blocks := slices.Clone(content.Blocks)
		slices.SortStableFunc(blocks, func(a, b *hcl.Block) int { return compareRanges(a.DefRange, b.DefRange) })
		for _, b := range blocks {
			l.declareTopLevelBlock(b)
		}
	}
	l.configBodies = nil
}

// checkTopLevel reports what does not belong at the top of a file.
func (l *module) checkTopLevel(body hcl.Body, schema *hcl.BodySchema) {
	var known []string
	for _, b := range schema.Blocks {
		known = append(known, b.Type)
	}
	_, native := body.(*hclsyntax.Body)
	for _, it := range topLevelItems(body) {
		if slices.Contains(known, it.name) && (it.isNativeBlock || !native) {
			continue
		}
		if i := slices.IndexFunc(syntax.TerraformBlockHints(), func(h syntax.Hint) bool { return h.Name == it.name }); i >= 0 {
			h := syntax.TerraformBlockHints()[i]
			l.errorAt(it.nameRange, h.Summary, h.Advice)
			continue
		}
		if !it.isNativeBlock && native {
			l.errorAt(it.nameRange, "Unsupported argument", fmt.Sprintf(
				"An argument named %q is not expected at the top level of a file. Named values go into a locals block.", it.name))
			continue
		}
		l.errorAt(it.nameRange, "Unsupported block type", notExpectedDetail("Blocks of type", it.name, known))
	}
}

func (l *module) declareTopLevelBlock(b *hcl.Block) {
	if d := syntax.FindFixedBlock(b.Type); d != nil && d.RootOnlyReason != "" && l.caller != nil {
		l.errorAt(b.DefRange, "Block in a module", fmt.Sprintf("A block of type %q stands in the configuration's own files, not in a "+
			"module. %s", b.Type, d.RootOnlyReason))
		return
	}
	switch b.Type {
	case "locals":
		l.declareLocals(b)
	case "variable":
		l.declareVariable(b)
	case "check":
		l.declareCheck(b)
	case "policy":
		l.declarePolicy(b, false)
	case "output":
		l.declareOutput(b)
	case "module":
		l.declareModule(b)
	case "data":
		l.declareData(b)
	case "import":
		l.imports = append(l.imports, b)
	case "moved":
		l.moved = append(l.moved, b)
	case "removed":
		l.removed = append(l.removed, b)
	case "b2form":
		if l.settings != nil {
			l.errorAt(b.DefRange, "Duplicate b2form block",
				fmt.Sprintf("There is a b2form block already at %s; put the settings into one.", l.settings.DefRange))
			return
		}
		l.settings = b
	case "resource":
		l.reportTerraformResource(b)
	default:
		l.declareResource(b)
	}
}

// checkLabel reports a label that no reference could name.
func (l *module) checkLabel(b *hcl.Block) (valid bool) {
	return l.checkValidName(b.Labels[0], b.LabelRanges[0])
}

func (l *module) checkValidName(name string, at hcl.Range) (valid bool) {
	if parse.IsASCIIName(name) || hclsyntax.ValidIdentifier(name) {
		return true
	}
	l.errorAt(at, "Invalid name", fmt.Sprintf(
		"%q cannot be used as a name: a name starts with a letter or underscore and holds letters, digits, underscores and dashes.", name))
	return false
}

// registerCheckOrPolicyName reports a check or policy whose name another has; else the name is taken.
func (l *module) registerCheckOrPolicyName(name string, at hcl.Range) (duplicate bool) {
	first, taken := l.checkAndPolicyRanges[name]
	if taken {
		l.reportDuplicate(name, at, first)
		return true
	}
	l.checkAndPolicyRanges[name] = at
	return false
}

// reportDuplicate reports the second declaration of a name.
func (l *module) reportDuplicate(what string, at, first hcl.Range) {
	detail := fmt.Sprintf("%s is declared already at %s. Names must be unique; rename or remove one.", what, first)
	for _, place := range []hcl.Range{at, first} {
		if name, _, _ := strings.Cut(filepath.Base(place.Filename), ".b2.hcl"); name == "override" || strings.HasSuffix(name, "_override") {
			detail = fmt.Sprintf("%s is declared already at %s. b2form has no override files: change the block itself, or use a variable.",
				what, first)
		}
	}
	l.errorAt(at, "Duplicate declaration", detail)
}

func (l *module) declareLocals(b *hcl.Block) {
	d := syntax.FindFixedBlock(b.Type)
	l.checkNamesAgainstSpec(b.Body, d)
	attrs := l.otherAttributes(b.Body, d)
	list := slices.Collect(maps.Values(attrs))
	slices.SortFunc(list, func(a, b *hcl.Attribute) int { return compareRanges(a.NameRange, b.NameRange) })
	for _, a := range list {
		if first := l.locals[a.Name]; first != nil {
			l.reportDuplicate("local."+a.Name, a.NameRange, first.place)
			continue
		}
		n := &node{name: "local." + a.Name, place: a.NameRange, localExpr: a.Expr}
		l.locals[a.Name] = n
		l.nodes = append(l.nodes, n)
	}
}

func (l *module) declareResource(b *hcl.Block) {
	if !l.checkLabel(b) {
		return
	}
	addr := addr.Addr{Module: l.addressPrefix, Kind: b.Type, Label: b.Labels[0]}
	name := blockName{b.Type, b.Labels[0]}
	if first := l.blocks[name]; first != nil {
		l.reportDuplicate(addr.String(), b.DefRange, first.node.place)
		return
	}
	r := &block{addr: addr, kind: l.kinds[b.Type], metaArgs: noMetaArgs}
	if outlined, native := b.Body.(*hclsyntax.Body); native {
		r.end = outlined.SrcRange.End
	} else {
		r.jsonBody = jsonBody{b.Body}
	}
	r.node = &node{name: addr.String(), place: b.DefRange, block: r}
	l.blocks[name] = r
	l.nodes = append(l.nodes, r.node)
	if l.declareScanned(r) {
		return
	}
	body := l.bodyOf(r)
	l.readMetaArguments(r, body)
	l.checkNamesAgainstKind(body, r.kind, r.kind.Attrs, true)
	if r.mayHaveDeferredLinks = mayHoldAnyAttr(body, r.kind.Attrs, (*kind.Attr).IsDeferredLink); !r.mayHaveDeferredLinks {
		r.referencesToResolve = referencesInBody(body, r.kind.Attrs, nil)
	}
}

// declareScanned declares a block that says nothing but attributes of its kind, none of them evaluated
// last, and deliveries; false: it says more, or something that has to be reported.
func (l *module) declareScanned(r *block) (declared bool) {
	if r.jsonBody != nil {
		return false
	}
	src, at := l.fileSourceOf(r)
	found := &l.shared.scanBuffer
	if !parse.ScanBlock(src, at, found) {
		return false
	}
	var deliverRanges []hcl.Range
	var references []hcl.Traversal
	argsWithReferences := 0
	for _, it := range found.Items {
		a := r.kind.FindAttr(string(it.Name))
		switch isDelivery := string(it.Name) == "deliver" && it.IsBlock; {
		case isDelivery && it.LabelCount == 1 && r.kind.YieldsSecret():
			deliverRanges = append(deliverRanges, it.BlockRange)
		case it.IsBlock, a == nil, a.Computed, a.IsDeferredLink():
			return false
		}
		if len(it.References) > 0 {
			references = it.References
			argsWithReferences++
		}
	}
	if argsWithReferences > 1 {
		references = referencesInAttrOrder(found.Items, r.kind.Attrs)
	}
	r.nativeDeliverRanges, r.referencesToResolve = deliverRanges, references
	return true
}

// referencesInAttrOrder are the references of arguments in the order in which those of a tree are found.
func referencesInAttrOrder(items []parse.ScannedItem, attrs []kind.Attr) (references []hcl.Traversal) {
	for i := range attrs {
		for _, it := range items {
			if string(it.Name) == attrs[i].Name {
				references = append(references, it.References...)
			}
		}
	}
	return references
}
