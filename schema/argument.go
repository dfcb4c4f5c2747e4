package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// bodyArgs is what one body says about the attributes of a descriptor.
type bodyArgs struct {
	headerRange hcl.Range // of the block's header
	body        hcl.Body
	args        []argument
	hasDynamic  bool // holds dynamic blocks, so it must be read again for each instance
}

// An argument is one attribute as it is written: assigned, or as nested blocks.
type argument struct {
	attr        *kind.Attr
	attrIndex   int // of attr in its descriptor
	place       hcl.Range
	expr        hcl.Expression
	blocks      []*bodyArgs
	perInstance bool // differs between the instances of a block
}

func (w *bodyArgs) find(name string) *argument {
	for i := range w.args {
		if w.args[i].attr.Name == name {
			return &w.args[i]
		}
	}
	return nil
}

// findAssignedContaining is the assigned argument within which a place lies; nil: none.
func (w *bodyArgs) findAssignedContaining(place hcl.Range) *argument {
	if w == nil {
		return nil
	}
	for i := range w.args {
		arg := &w.args[i]
		if arg.expr != nil && place.Overlaps(arg.expr.Range()) {
			return arg
		}
		for _, b := range arg.blocks {
			if found := b.findAssignedContaining(place); found != nil {
				return found
			}
		}
	}
	return nil
}

// An attrFilter picks the attributes of a block that are evaluated together; nil: all.
type attrFilter func(*kind.Attr) bool

func (p attrFilter) includesSettable(a *kind.Attr) bool { return !a.Computed && (p == nil || p(a)) }

// bodySchema is bodySchema, once for all attributes of a kind or a nested object.
func (s *sharedLoad) bodySchema(attrs []kind.Attr, p attrFilter) *hcl.BodySchema {
	if p != nil || len(attrs) == 0 {
		return bodySchema(attrs, p)
	}
	known := s.bodySchemas[&attrs[0]]
	if known == nil {
		known = bodySchema(attrs, p)
		s.bodySchemas[&attrs[0]] = known
	}
	return known
}

// bodySchema describes part of a body by its descriptor: what is nested may be
// assigned or written as blocks.
func bodySchema(attrs []kind.Attr, p attrFilter) *hcl.BodySchema {
	s := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "dynamic", LabelNames: []string{"type"}}}}
	for i := range attrs {
		a := &attrs[i]
		if !p.includesSettable(a) {
			continue
		}
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: a.Name})
		if a.Object != nil {
			s.Blocks = append(s.Blocks, hcl.BlockHeaderSchema{Type: a.Name})
		}
	}
	return s
}

func findAttr(attrs []kind.Attr, name string) *kind.Attr {
	for i := range attrs {
		if attrs[i].Name == name {
			return &attrs[i]
		}
	}
	return nil
}

// readArguments sorts the content of a part of a body by its descriptor.
func (l *module) readArguments(body hcl.Body, attrs []kind.Attr, p attrFilter, place hcl.Range) *bodyArgs {
	if native, ok := body.(*hclsyntax.Body); ok && !hasAttrBlocks(native, attrs) {
		return readAssigned(native, attrs, p, place)
	}
	content, _, diags := body.PartialContent(l.shared.bodySchema(attrs, p))
	l.explainIteratorErrors(diags)
	l.add(diags...)
	var nested map[string][]*hcl.Block
	for _, b := range content.Blocks {
		if nested == nil {
			nested = map[string][]*hcl.Block{}
		}
		nested[b.Type] = append(nested[b.Type], b)
	}
	w := &bodyArgs{headerRange: place, body: body, hasDynamic: len(nested["dynamic"]) > 0,
		args: make([]argument, 0, len(content.Attributes)+len(nested))}
	for i := range attrs {
		a := &attrs[i]
		assigned, blocks := content.Attributes[a.Name], nested[a.Name]
		if !p.includesSettable(a) || assigned == nil && len(blocks) == 0 {
			continue
		}
		written := blocks
		for _, b := range nested["dynamic"] {
			if b.Labels[0] == a.Name && assigned != nil { // an error even while it makes no block
				written = append(slices.Clip(written), b)
			}
		}
		l.checkWrittenOnce(a, assigned, written)
		arg := argument{attr: a, attrIndex: i}
		if assigned != nil {
			arg.place, arg.expr = assigned.Range, assigned.Expr
			arg.perInstance = refersToEachOrCount(assigned.Expr)
		} else {
			arg.place = blocks[0].DefRange
		}
		for _, b := range blocks {
			inner := l.readArguments(b.Body, a.Object, nil, b.DefRange)
			w.hasDynamic = w.hasDynamic || inner.hasDynamic
			arg.perInstance = arg.perInstance || slices.ContainsFunc(inner.args, func(x argument) bool { return x.perInstance })
			arg.blocks = append(arg.blocks, inner)
		}
		w.args = append(w.args, arg)
	}
	return w
}

// hasAttrBlocks reports whether attributes are written as blocks in a body.
func hasAttrBlocks(body *hclsyntax.Body, attrs []kind.Attr) bool {
	return slices.ContainsFunc(body.Blocks, func(b *hclsyntax.Block) bool {
		return b.Type == "dynamic" || findAttr(attrs, b.Type) != nil
	})
}

// readAssigned is readArguments of a body in which all attributes are assigned.
func readAssigned(body *hclsyntax.Body, attrs []kind.Attr, p attrFilter, place hcl.Range) *bodyArgs {
	w := &bodyArgs{headerRange: place, body: body, args: make([]argument, 0, len(body.Attributes))}
	for i := range attrs {
		if a := body.Attributes[attrs[i].Name]; a != nil && p.includesSettable(&attrs[i]) {
			w.args = append(w.args, argument{attr: &attrs[i], attrIndex: i, place: a.SrcRange, expr: a.Expr,
				perInstance: refersToEachOrCount(a.Expr)})
		}
	}
	return w
}

// explainIteratorErrors words the one error about a reference that reading a body has: the
// name of a dynamic block's iterator is not written as one.
func (l *module) explainIteratorErrors(diags hcl.Diagnostics) {
	for _, d := range diags {
		file := l.config.Files[d.Subject.Filename]
		if d.Summary != "Invalid expression" || file == nil || !d.Subject.CanSliceBytes(file.Bytes) {
			continue
		}
		name := strings.Trim(string(d.Subject.SliceBytes(file.Bytes)), `"`)
		if !hclsyntax.ValidIdentifier(name) {
			name = "rule"
		}
		d.Summary, d.Detail = "Invalid iterator", fmt.Sprintf("An iterator is a name. Write iterator = %s without quotes.", name)
	}
}

// checkWrittenOnce reports an attribute that is written in two ways, or twice.
func (l *module) checkWrittenOnce(a *kind.Attr, assigned *hcl.Attribute, blocks []*hcl.Block) {
	if assigned != nil && len(blocks) > 0 {
		l.errorAt(blocks[0].DefRange, "Argument and block at once", fmt.Sprintf(
			"%s is assigned at %s and written as a block here. Both mean the same; use one of them.", a.Name, assigned.NameRange))
	}
	if !a.Many && len(blocks) > 1 && blocks[1].Type != "dynamic" {
		l.errorAt(blocks[1].DefRange, "Duplicate block",
			fmt.Sprintf("There can be one %s block only; the first is at %s.", a.Name, blocks[0].DefRange))
	}
}

func refersToEachOrCount(e hcl.Expression) bool {
	return !isStringLiteral(e) && slices.ContainsFunc(e.Variables(), func(t hcl.Traversal) bool {
		return t.RootName() == "each" || t.RootName() == "count"
	})
}

// checkNamesAgainstKind reports every name in a body that its descriptor does not know.
func (l *module) checkNamesAgainstKind(body hcl.Body, k *kind.Kind, attrs []kind.Attr, top bool) {
	_, native := body.(*hclsyntax.Body)
	for _, it := range bodyItems(body) {
		a := findAttr(attrs, it.name)
		switch {
		case a != nil && a.Computed && terraformArgumentAdvice(k, attrs, it.name, top) != "":
			l.reportUnknownName(it, k, attrs, top)
		case a != nil && a.Computed:
			l.errorAt(it.nameRange, "Computed attribute", fmt.Sprintf("%s is made by B2 and cannot be set. Remove it.", it.name))
		case a != nil && it.isNativeBlock && a.Object == nil:
			l.errorAt(it.nameRange, "Unsupported block type", argumentNotBlockDetail(it.name))
		case a != nil && it.isNativeBlock:
			l.checkNamesAgainstKind(it.body, k, a.Object, false)
		case a != nil:
		case it.name == "dynamic" && it.isNativeBlock:
			l.checkDynamicBlock(it, k, attrs)
		case it.name == "dynamic" && !native:
		case top && l.checkMetaArgument(it, k, native):
		default:
			l.reportUnknownName(it, k, attrs, top)
		}
	}
	if !native {
		l.checkJSONBlockNames(body, k, attrs)
	}
}

// checkJSONBlockNames does the same for what JSON syntax writes as blocks.
func (l *module) checkJSONBlockNames(body hcl.Body, k *kind.Kind, attrs []kind.Attr) {
	content, _, _ := body.PartialContent(bodySchema(attrs, nil)) // its errors are reported when it is read
	for _, b := range content.Blocks {
		if b.Type != "dynamic" {
			l.checkNamesAgainstKind(b.Body, k, findAttr(attrs, b.Type).Object, false)
			continue
		}
		it := bodyItem{name: b.Type, nameRange: b.TypeRange, isNativeBlock: true, body: b.Body, label: b.Labels[0]}
		l.checkDynamicBlock(it, k, attrs)
	}
}

// checkMetaArgument judges what every resource understands; false: it is none of that.
func (l *module) checkMetaArgument(it bodyItem, k *kind.Kind, native bool) (isMeta bool) {
	d := syntax.ResourceBlock()
	arg, nested := d.FindArgument(it.name), d.NestedForms(it.name)
	switch {
	case arg == nil && nested == nil:
		return false
	case arg != nil && it.isNativeBlock:
		l.errorAt(it.nameRange, "Unsupported block type", argumentNotBlockDetail(it.name))
	case arg != nil:
	case it.name == "deliver" && !k.YieldsSecret():
		l.errorAt(it.nameRange, "Unsupported block type",
			fmt.Sprintf("A %s has no secret that could be delivered. Remove the deliver block.", k.Name))
	case native && !it.isNativeBlock:
		l.errorAt(it.nameRange, "Unsupported argument", blockNotArgumentDetail(it.name, nested))
	}
	return true
}

func (l *module) checkDynamicBlock(it bodyItem, k *kind.Kind, attrs []kind.Attr) {
	a := findAttr(attrs, it.label)
	if syntax.ResourceBlock().NestedForms(it.label) != nil {
		l.errorAt(it.nameRange, "Unsupported block type", fmt.Sprintf("Blocks of type %q are not made by dynamic: write each of them "+
			"out. Only nested blocks of what a %s itself is can be dynamic.", it.label, k.Name))
		return
	}
	switch {
	case it.label == "": // reported
		return
	case a != nil && a.Object == nil && !a.Computed:
		l.errorAt(it.nameRange, "Unsupported block type", argumentNotBlockDetail(it.label))
		return
	case a == nil || a.Computed:
		l.errorAt(it.nameRange, "Unsupported block type",
			fmt.Sprintf("Dynamic blocks of type %q are not expected here.%s", it.label,
				words.DidYouMean(it.label, "", nestedBlockNames(attrs))))
		return
	}
	content, _, _ := it.body.PartialContent(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "content"}}})
	for _, inner := range content.Blocks {
		l.checkNamesAgainstKind(inner.Body, k, a.Object, false)
	}
}

func nestedBlockNames(attrs []kind.Attr) []string {
	var out []string
	for i := range attrs {
		if attrs[i].Object != nil {
			out = append(out, attrs[i].Name)
		}
	}
	return out
}

func (l *module) reportUnknownName(it bodyItem, k *kind.Kind, attrs []kind.Attr, top bool) {
	if rewrite := terraformArgumentAdvice(k, attrs, it.name, top); rewrite != "" {
		l.errorAt(it.nameRange, "Terraform argument", rewrite)
		return
	}
	known := settableNames(attrs)
	if top {
		known = append(known, metaArgumentAndBlockNames(k)...)
	}
	if it.isNativeBlock {
		l.errorAt(it.nameRange, "Unsupported block type", notExpectedDetail("Blocks of type", it.name, known))
		return
	}
	detail := notExpectedDetail("An argument named", it.name, known)
	if !strings.HasSuffix(detail, "?") { // no other name is like it
		detail += fmt.Sprintf(" `b2form schema %s` shows all there are.", k.Name)
	}
	l.errorAt(it.nameRange, "Unsupported argument", detail)
}

// findAttrIfMisnamed is the attribute for which another name was written; nil: none is known to be.
func findAttrIfMisnamed(name string, attrs []kind.Attr) *kind.Attr {
	if findAttr(attrs, name) != nil {
		return nil
	}
	for i := range attrs {
		if attrs[i].TerraformName == name {
			return &attrs[i]
		}
	}
	return findAttr(attrs, words.FindSimilar(name, settableNames(attrs)))
}

// isMisnamed reports whether the argument at path is missing since its name was written wrong, which is an error of
// its own; or, where path leads to a nested block, whether that has any such name.
func (w *bodyArgs) isMisnamed(attrs []kind.Attr, path cty.Path) bool {
	if w == nil {
		return false
	}
	if len(path) == 0 {
		return w.anyMisnamed(attrs, nil)
	}
	step, ok := path[0].(cty.GetAttrStep)
	if !ok {
		return false
	}
	arg, rest, i := w.find(step.Name), path[1:], 0
	if arg == nil {
		return slices.ContainsFunc(bodyItems(w.body), func(it bodyItem) bool {
			a := findAttrIfMisnamed(it.name, attrs)
			return a != nil && a.Name == step.Name
		})
	}
	if arg.expr != nil {
		return false
	}
	if arg.attr.Many {
		if len(rest) == 0 {
			return false
		}
		if i, ok = indexOfStep(rest[0]); !ok || i >= len(arg.blocks) {
			return false
		}
		rest = rest[1:]
	}
	return arg.blocks[i].isMisnamed(arg.attr.Object, rest)
}

// anyMisnamed reports whether the name of an argument was written wrong, so that nobody
// knows what the block as a whole says. Other names than those of attrs that it takes are in others.
func (w *bodyArgs) anyMisnamed(attrs []kind.Attr, others []string) bool {
	return w != nil && slices.ContainsFunc(bodyItems(w.body), func(it bodyItem) bool {
		return !slices.Contains(others, it.name) && findAttrIfMisnamed(it.name, attrs) != nil
	})
}

// metaArgumentAndBlockNames lists what a resource takes beside the attributes of its kind.
func metaArgumentAndBlockNames(k *kind.Kind) []string {
	return slices.DeleteFunc(syntax.ResourceBlock().AllowedNames(),
		func(name string) bool { return name == "deliver" && !k.YieldsSecret() })
}

func settableNames(attrs []kind.Attr) []string {
	var out []string
	for i := range attrs {
		if !attrs[i].Computed {
			out = append(out, attrs[i].Name)
		}
	}
	return out
}
