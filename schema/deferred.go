package schema

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/config"
	"b2form/schema/kind"
)

// A bucket may name a key that is limited to the bucket. So attributes that link
// (kind.Attr.IsLink) are evaluated by a node of their own, after the block itself and
// all that it refers to. Nothing refers to that node: it closes no cycle.

// linkDeferred makes the node for the links of a block where there is need of one, and gives the
// part of the block that its own node evaluates.
func (l *module) linkDeferred(n *node, u allowedRefs) (ownAttrs attrFilter) {
	b := n.block
	last := attrFilter((*kind.Attr).IsLink)
	if !writesAny(b.body, b.kind.Attrs, last) {
		return nil
	}
	refs := l.resolve(bodyReferences(dynblock.WalkVariables(b.body), b.kind.Attrs, last), u)
	if len(refs.list) == 0 && len(refs.invalidRoots) == 0 {
		return nil
	}
	b.ownAttrs = func(a *kind.Attr) bool { return !a.IsLink() }
	l.nodes = append(l.nodes, &node{name: n.name, place: n.place, deferredOf: b, refs: refs, dependencies: []*node{n}})
	return b.ownAttrs
}

// writesAny is a quick look whether a body may hold an attribute of the part.
func writesAny(body hcl.Body, attrs []kind.Attr, p attrFilter) bool {
	native, ok := body.(*hclsyntax.Body)
	for i := range attrs {
		switch a := &attrs[i]; {
		case !p.includes(a):
		case !ok, native.Attributes[a.Name] != nil:
			return true
		case slices.ContainsFunc(native.Blocks, func(b *hclsyntax.Block) bool { return b.Type == a.Name || b.Type == "dynamic" }):
			return true
		}
	}
	return false
}

// evaluateDeferred completes the resources of a block.
func (l *module) evaluateDeferred(n *node) {
	b := n.deferredOf
	if n.broken || b.node.broken {
		return
	}
	ctx := l.staticScope.context(n.refs, l.rootContext)
	last := l.readArguments(b.body, b.kind.Attrs, (*kind.Attr).IsLink, b.place)
	for i, e := range b.unfinished {
		e.ctx, e.refs = b.repetitions[i].context(ctx, n.refs.invalidRoots), nil
		own := last
		if last.dynamic {
			own = l.readArguments(dynblock.Expand(b.body, e.ctx), b.kind.Attrs, (*kind.Attr).IsLink, b.place)
		}
		for j := range own.args {
			e.evaluateArgument(&own.args[j])
		}
		e.writtenArgs = e.writtenArgs.with(own)
		r := b.resources[i]
		r.Value, r.Sensitive = e.complete()
		if e.unknownByError {
			l.noteUndecided(b.kind)
		}
		r.DeferredNeeds = mergeAddrs(nil, e.refs)
	}
	if len(b.resources) > 0 {
		places := b.resources[0].Block.ArgRanges
		for i := range last.args {
			places[last.args[i].attr.Name] = last.args[i].place
		}
	}
	b.writtenArgs, b.unfinished = b.writtenArgs.with(last), nil
}

// with is what both parts of a body say.
func (w *bodyArgs) with(other *bodyArgs) *bodyArgs {
	return &bodyArgs{w.place, w.body, slices.Concat(w.args, other.args), w.dynamic || other.dynamic}
}

const lastSummary = "Attribute that is set last"

func deferredDetail(what string) string {
	return fmt.Sprintf("%s may name what needs the resource itself, so it is set last and is not known here. It may appear in output, "+
		"check, deliver and postcondition, nowhere else. What several resources share goes into a local value.", what)
}

// checkTargets judges the declared resources that an attribute mentions.
func (l *module) checkTargets(b *block, a *kind.Attr, r *config.Resource, index config.IdentityIndex) {
	if a.Object == nil && a.Link.CheckTarget == nil {
		return
	}
	e := &evaluation{module: l, block: b, addr: r.Addr, writtenArgs: b.writtenArgs}
	for _, m := range a.References(r.Value.GetAttr(a.Name)) {
		other := l.resourceNamed(m, index)
		if m.Attr.Link.CheckTarget == nil || other == nil || other == r || l.shared.flawed[r.Addr] || l.shared.flawed[other.Addr] {
			continue
		}
		at := b.writtenArgs.locate(append(cty.GetAttrPath(a.Name), m.Path...), false)
		for _, p := range m.Attr.Link.CheckTarget(r.Value, other.Value) {
			if slices.Contains(r.Sensitive, a.Name) || len(other.Sensitive) > 0 {
				p.Detail = withheld
			}
			severity := hcl.DiagError
			if p.Warning {
				severity = hcl.DiagWarning
			}
			e.reportAt(severity, at, p.Summary, p.Detail)
		}
	}
}
