package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/schema/kind"
)

// visitState is how far the walk over the references has come with a node.
type visitState byte

const (
	unseen visitState = iota
	open
	done
)

// resolveAndOrderNodes resolves the references of every node, orders the nodes so that each
// stands after what it refers to, and reports loops.
func (l *module) resolveAndOrderNodes() {
	for _, n := range slices.Clone(l.nodes) {
		switch {
		case n.localExpr != nil:
			n.refs = l.resolve(n.localExpr.Variables(), allowedRefs{computed: true})
		case n.block != nil:
			l.resolveBlockReferences(n)
		case n.call != nil:
			l.resolveModuleCallReferences(n)
		case n.data != nil:
			l.resolveDataBlockReferences(n)
		}
	}
	ordered := make([]*node, 0, len(l.nodes))
	var path []*node
	for _, n := range l.nodes {
		ordered = l.visitNode(n, path, ordered)
	}
	l.nodes = ordered
}

func (l *module) resolveBlockReferences(n *node) {
	b := n.block
	u := allowedRefs{each: b.forEach != nil, count: b.count != nil}
	var every []hcl.Traversal // evaluated for each instance
	if b.preventDestroy != nil {
		every = append(every, b.preventDestroy.Variables()...)
	}
	if b.policyExceptions != nil {
		every = append(every, b.policyExceptions.Variables()...)
	}
	every = append(every, references(b.preconditions)...)
	if b.mayHaveDeferredLinks {
		body := l.bodyOf(b)
		b.referencesToResolve = referencesInBody(body, b.kind.Attrs, l.addDeferredLinksNodeIfNeeded(n, body, u))
	}
	every = append(every, b.referencesToResolve...)
	b.referencesToResolve = nil
	n.refs = l.resolveRepeated(b.forEach, b.count, every, u)
	if b.dependsOn != nil {
		b.dependsOnRefs, n.dependsOnNodes = l.resolveDependsOn(b.dependsOn)
	}
}

// resolveRepeated resolves what a block with for_each or count refers to: in these,
// which are evaluated once, and for every instance, as u says.
func (l *module) resolveRepeated(forEach, count hcl.Expression, perInstance []hcl.Traversal, u allowedRefs) refs {
	var once []hcl.Traversal
	for _, e := range []hcl.Expression{forEach, count} {
		if e != nil {
			once = append(once, e.Variables()...)
		}
	}
	outer, all := l.resolve(once, allowedRefs{}), l.resolve(perInstance, u)
	all.list = append(all.list, outer.list...)
	all.invalidRoots = append(all.invalidRoots, outer.invalidRoots...)
	return all
}

// referencesInBody lists the references in part of a body, those of nested and dynamic
// blocks included.
func referencesInBody(body hcl.Body, attrs []kind.Attr, p attrFilter) []hcl.Traversal {
	if native, ok := body.(*hclsyntax.Body); ok {
		if out, ok := nativeReferences(native, attrs, p); ok {
			return out
		}
	}
	return bodyReferences(dynblock.WalkVariables(body), attrs, p)
}

// nativeReferences does what bodyReferences does at a fraction of its cost; ok is false where
// there are dynamic blocks.
func nativeReferences(body *hclsyntax.Body, attrs []kind.Attr, p attrFilter) (out []hcl.Traversal, ok bool) {
	for i := range attrs {
		if a := body.Attributes[attrs[i].Name]; a != nil && p.includesSettable(&attrs[i]) && !isStringLiteral(a.Expr) {
			out = append(out, a.Expr.Variables()...)
		}
	}
	for _, b := range body.Blocks {
		if b.Type == "dynamic" {
			return nil, false
		}
		if a := findAttr(attrs, b.Type); a != nil && a.Object != nil && p.includesSettable(a) {
			inner, ok := nativeReferences(b.Body, a.Object, nil)
			if !ok {
				return nil, false
			}
			out = append(out, inner...)
		}
	}
	return out, true
}

// isStringLiteral reports whether an expression is a text in quotes and nothing else.
func isStringLiteral(e hcl.Expression) bool {
	t, ok := e.(*hclsyntax.TemplateExpr)
	return ok && t.IsStringLiteral()
}

// bodyReferences lists the references in part of a body, those of nested and dynamic
// blocks included.
func bodyReferences(n dynblock.WalkVariablesNode, attrs []kind.Attr, p attrFilter) []hcl.Traversal {
	out, children := n.Visit(bodySchema(attrs, p))
	for _, c := range children {
		if a := findAttr(attrs, c.BlockTypeName); a != nil && a.Object != nil && p.includesSettable(a) {
			out = append(out, bodyReferences(c.Node, a.Object, nil)...)
		}
	}
	return out
}

// visitNode walks depth first; path holds the nodes that are open.
func (l *module) visitNode(n *node, path, ordered []*node) []*node {
	switch n.visitState {
	case done:
		return ordered
	case open:
		l.reportLoopAndSkipNodes(path[slices.Index(path, n):])
		return ordered
	}
	n.visitState = open
	path = append(path, n)
	for _, r := range n.refs.list {
		if r.node != nil {
			ordered = l.visitNode(r.node, path, ordered)
		}
	}
	for _, a := range n.dependsOnNodes {
		ordered = l.visitNode(a, path, ordered)
	}
	n.visitState = done
	return append(ordered, n)
}

func (l *module) reportLoopAndSkipNodes(nodes []*node) {
	var steps []string
	for _, n := range nodes {
		n.notEvaluated = true
		steps = append(steps, fmt.Sprintf("%s (%s:%d)", n.name, n.place.Filename, n.place.Start.Line))
	}
	first := nodes[0]
	if len(nodes) == 1 {
		l.errorAt(first.place, "Reference to itself", fmt.Sprintf("%s refers to itself. Use the value it refers to directly, or a local "+
			"value that both use.", first.name))
		return
	}
	l.errorAt(first.place, "Reference loop", fmt.Sprintf("These refer to one another in a circle: %s → %s. Break it, for example with a "+
		"local value that they share.",
		strings.Join(steps, " → "), first.name))
}
