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
// (kind.Attr.IsDeferredLink) are evaluated by a node of their own, after the block itself and
// all that it refers to. Nothing refers to that node: it closes no cycle.

// addDeferredLinksNodeIfNeeded makes the node for the links of a block where there is need of one, and gives the
// part of the block that its own node evaluates.
func (l *module) addDeferredLinksNodeIfNeeded(n *node, body hcl.Body, u allowedRefs) (attrsWithoutDeferredLinks attrFilter) {
	b := n.block
	refs := l.resolve(bodyReferences(dynblock.WalkVariables(body), b.kind.Attrs, (*kind.Attr).IsDeferredLink), u)
	if len(refs.list) == 0 && len(refs.invalidRoots) == 0 {
		return nil
	}
	b.attrsWithoutDeferredLinks = func(a *kind.Attr) bool { return !a.IsDeferredLink() }
	l.nodes = append(l.nodes, &node{name: n.name, place: n.place, deferredLinksOf: b, refs: refs, dependsOnNodes: []*node{n}})
	return b.attrsWithoutDeferredLinks
}

// mayHoldAnyAttr is a quick look whether a body may hold an attribute of the part.
func mayHoldAnyAttr(body hcl.Body, attrs []kind.Attr, p attrFilter) bool {
	native, ok := body.(*hclsyntax.Body)
	for i := range attrs {
		switch a := &attrs[i]; {
		case !p.includesSettable(a):
		case !ok, native.Attributes[a.Name] != nil:
			return true
		case slices.ContainsFunc(native.Blocks, func(b *hclsyntax.Block) bool { return b.Type == a.Name || b.Type == "dynamic" }):
			return true
		}
	}
	return false
}

// evaluateDeferredLinks completes the resources of a block.
func (l *module) evaluateDeferredLinks(n *node) {
	b := n.deferredLinksOf
	if n.notEvaluated || b.node.notEvaluated {
		return
	}
	ctx := l.staticScope.context(n.refs, l.baseContext)
	body := l.bodyOf(b)
	last := l.readArguments(body, b.kind.Attrs, (*kind.Attr).IsDeferredLink, b.node.place)
	for i, e := range b.awaitingDeferredLinks {
		e.ctx, e.originAddrs = b.repetitions[i].context(ctx, n.refs.invalidRoots), nil
		own := last
		if last.hasDynamic {
			own = l.readArguments(dynblock.Expand(body, e.ctx), b.kind.Attrs, (*kind.Attr).IsDeferredLink, b.node.place)
		}
		for j := range own.args {
			e.evaluateAndSetArgument(&own.args[j])
		}
		e.writtenArgs = e.writtenArgs.mergedWith(own)
		r := b.resources[i]
		r.Value, r.SensitiveAttrs = e.completeAndCheck()
		if e.unknownByError {
			l.queryKindIfPending(b.kind)
		}
		r.DeferredNeeds = mergeAddrs(nil, e.originAddrs)
	}
	b.writtenArgs, b.awaitingDeferredLinks = b.writtenArgs.mergedWith(last), nil
}

// mergedWith is what both parts of a body say.
func (w *bodyArgs) mergedWith(other *bodyArgs) *bodyArgs {
	return &bodyArgs{w.headerRange, w.body, slices.Concat(w.args, other.args), w.hasDynamic || other.hasDynamic}
}

const deferredSummary = "Attribute that is set last"

func deferredDetail(what string) string {
	return fmt.Sprintf("%s may name what needs the resource itself, so it is set last and is not known here. It may appear in output, "+
		"check, deliver and postcondition, nowhere else. What several resources share goes into a local value.", what)
}

// checkLinkTargets judges the declared resources that an attribute mentions.
func (l *module) checkLinkTargets(b *block, a *kind.Attr, r *config.Resource, index config.IdentityIndex) {
	if a.Object == nil && a.Link.CheckTarget == nil {
		return
	}
	e := &instanceEvaluation{module: l, block: b, addr: r.Addr}
	for _, m := range a.References(r.Value.GetAttr(a.Name)) {
		other := l.findReferencedResource(m, index)
		if m.Attr.Link.CheckTarget == nil || other == nil || other == r || l.shared.resourcesWithErrors[r.Addr] ||
			l.shared.resourcesWithErrors[other.Addr] {
			continue
		}
		for _, p := range m.Attr.Link.CheckTarget(r.Value, other.Value) {
			e.writtenArgs = l.writtenArgsOf(b)
			at := e.writtenArgs.locate(append(cty.GetAttrPath(a.Name), m.Path...), false)
			if slices.Contains(r.SensitiveAttrs, a.Name) || len(other.SensitiveAttrs) > 0 {
				p.Detail = detailWithheld
			}
			severity := hcl.DiagError
			if p.Warning {
				severity = hcl.DiagWarning
			}
			e.reportAt(severity, at, p.Summary, p.Detail)
		}
	}
}
