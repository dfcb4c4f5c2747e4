package schema

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/internal/words"
	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// bodyArgs is what one body says about the attributes of a descriptor.
type bodyArgs struct {
	place   hcl.Range // of the block's header
	args    []argument
	dynamic bool // holds dynamic blocks, so it must be read again for each instance
}

// An argument is one attribute as it is written: assigned, or as nested blocks.
type argument struct {
	attr   *kind.Attr
	index  int // of attr in its descriptor
	place  hcl.Range
	expr   hcl.Expression
	blocks []*bodyArgs
	varies bool // differs between the instances of a block
}

func (w *bodyArgs) find(name string) *argument {
	for i := range w.args {
		if w.args[i].attr.Name == name {
			return &w.args[i]
		}
	}
	return nil
}

// An attrFilter picks the attributes of a block that are evaluated together; nil: all.
type attrFilter func(*kind.Attr) bool

func (p attrFilter) takes(a *kind.Attr) bool { return !a.Computed && (p == nil || p(a)) }

// bodySchema describes part of a body by its descriptor: what is nested may be
// assigned or written as blocks.
func bodySchema(attrs []kind.Attr, p attrFilter) *hcl.BodySchema {
	s := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "dynamic", LabelNames: []string{"type"}}}}
	for i := range attrs {
		a := &attrs[i]
		if !p.takes(a) {
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

// read sorts the content of a part of a body by its descriptor.
func (l *module) read(body hcl.Body, attrs []kind.Attr, p attrFilter, place hcl.Range) *bodyArgs {
	content, _, diags := body.PartialContent(bodySchema(attrs, p))
	l.add(diags...)
	nested := map[string][]*hcl.Block{}
	for _, b := range content.Blocks {
		nested[b.Type] = append(nested[b.Type], b)
	}
	w := &bodyArgs{place: place, dynamic: len(nested["dynamic"]) > 0}
	for i := range attrs {
		a := &attrs[i]
		assigned, blocks := content.Attributes[a.Name], nested[a.Name]
		if !p.takes(a) || assigned == nil && len(blocks) == 0 {
			continue
		}
		l.checkForms(a, assigned, blocks)
		arg := argument{attr: a, index: i}
		if assigned != nil {
			arg.place, arg.expr = assigned.Range, assigned.Expr
			arg.varies = refersToInstance(assigned.Expr)
		} else {
			arg.place = blocks[0].DefRange
		}
		for _, b := range blocks {
			inner := l.read(b.Body, a.Object, nil, b.DefRange)
			w.dynamic = w.dynamic || inner.dynamic
			arg.varies = arg.varies || slices.ContainsFunc(inner.args, func(x argument) bool { return x.varies })
			arg.blocks = append(arg.blocks, inner)
		}
		w.args = append(w.args, arg)
	}
	return w
}

// checkForms reports an attribute that is written in two ways, or twice.
func (l *module) checkForms(a *kind.Attr, assigned *hcl.Attribute, blocks []*hcl.Block) {
	if assigned != nil && len(blocks) > 0 {
		l.errorAt(blocks[0].DefRange, "Argument and block at once", fmt.Sprintf(
			"%s is assigned at %s and written as a block here. Both mean the same; use one of them.", a.Name, assigned.NameRange))
	}
	if !a.Many && len(blocks) > 1 {
		l.errorAt(blocks[1].DefRange, "Duplicate block",
			fmt.Sprintf("There can be one %s block only; the first is at %s.", a.Name, blocks[0].DefRange))
	}
}

func refersToInstance(e hcl.Expression) bool {
	return slices.ContainsFunc(e.Variables(), func(t hcl.Traversal) bool {
		return t.RootName() == "each" || t.RootName() == "count"
	})
}

// checkBody reports every name in a body that its descriptor does not know.
func (l *module) checkBody(body hcl.Body, k *kind.Kind, attrs []kind.Attr, top bool) {
	_, native := body.(*hclsyntax.Body)
	for _, it := range items(body) {
		a := findAttr(attrs, it.name)
		switch {
		case a != nil && a.Computed && terraformArgument(k, attrs, it.name, top) != "":
			l.unknownName(it, k, attrs, top)
		case a != nil && a.Computed:
			l.errorAt(it.at, "Computed attribute", fmt.Sprintf("%s is made by B2 and cannot be set. Remove it.", it.name))
		case a != nil && it.block && a.Object == nil:
			l.errorAt(it.at, "Unsupported block type", argumentNotBlock(it.name))
		case a != nil && it.block:
			l.checkBody(it.body, k, a.Object, false)
		case a != nil:
		case it.name == "dynamic" && (it.block || !native):
			l.checkDynamic(it, k, attrs)
		case top && l.checkMeta(it, k, native):
		default:
			l.unknownName(it, k, attrs, top)
		}
	}
}

// checkMeta judges what every resource understands; false: it is none of that.
func (l *module) checkMeta(it item, k *kind.Kind, native bool) bool {
	d := syntax.Resource()
	arg, nested := d.Argument(it.name), d.Nested(it.name)
	switch {
	case arg == nil && nested == nil:
		return false
	case arg != nil && it.block:
		l.errorAt(it.at, "Unsupported block type", argumentNotBlock(it.name))
	case arg != nil:
	case it.name == "deliver" && !k.YieldsSecret():
		l.errorAt(it.at, "Unsupported block type",
			fmt.Sprintf("A %s has no secret that could be delivered. Remove the deliver block.", k.Name))
	case native && !it.block:
		l.errorAt(it.at, "Unsupported argument", blockNotArgument(it.name, nested))
	}
	return true
}

func (l *module) checkDynamic(it item, k *kind.Kind, attrs []kind.Attr) {
	if !it.block {
		return // JSON: its shape is judged where it is expanded
	}
	a := findAttr(attrs, it.label)
	if syntax.Resource().Nested(it.label) != nil {
		l.errorAt(it.at, "Unsupported block type", fmt.Sprintf("Blocks of type %q are not made by dynamic: write each of them out. Only "+
			"nested blocks of what a %s itself is can be dynamic.", it.label, k.Name))
		return
	}
	switch {
	case it.label == "": // reported
		return
	case a != nil && a.Object == nil && !a.Computed:
		l.errorAt(it.at, "Unsupported block type", argumentNotBlock(it.label))
		return
	case a == nil || a.Computed:
		l.errorAt(it.at, "Unsupported block type",
			fmt.Sprintf("Dynamic blocks of type %q are not expected here.%s", it.label, words.DidYouMean(it.label, "", nestedNames(attrs))))
		return
	}
	for _, inner := range items(it.body) {
		if inner.block && inner.name == "content" {
			l.checkBody(inner.body, k, a.Object, false)
		}
	}
}

func nestedNames(attrs []kind.Attr) []string {
	var out []string
	for i := range attrs {
		if attrs[i].Object != nil {
			out = append(out, attrs[i].Name)
		}
	}
	return out
}

func (l *module) unknownName(it item, k *kind.Kind, attrs []kind.Attr, top bool) {
	if rewrite := terraformArgument(k, attrs, it.name, top); rewrite != "" {
		l.errorAt(it.at, "Terraform argument", rewrite)
		return
	}
	known := settableNames(attrs)
	if top {
		known = append(known, metaNames(k)...)
	}
	if it.block {
		l.errorAt(it.at, "Unsupported block type", notExpected("Blocks of type", it.name, known))
		return
	}
	l.errorAt(it.at, "Unsupported argument", notExpected("An argument named", it.name, known))
}

// metaNames lists what a resource takes beside the attributes of its kind.
func metaNames(k *kind.Kind) []string {
	return slices.DeleteFunc(syntax.Resource().Names(), func(name string) bool { return name == "deliver" && !k.YieldsSecret() })
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
