package terraform

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/kind"
)

// A referentType is what is known of a value: that it is an object of B2, a module, or made of such. The zero value knows
// nothing.
type referentType struct {
	kind       *kind.Kind
	dataType   string // the form of data; "": a resource
	moduleCall *item
	standing   *item                   // what stays in Terraform: a variable stands in for it
	element    *referentType           // of a collection: what each element is
	members    map[string]referentType // of an object with names that are written out
}

// listed is in place of the form of data: one of the files that data "files" lists.
const listed = "a file of files"

func (t referentType) isObjectOrModule() bool {
	return t.kind != nil || t.dataType != "" || t.moduleCall != nil
}

func (t referentType) isUnknown() bool {
	return !t.isObjectOrModule() && t.standing == nil && t.element == nil && t.members == nil
}

// collectionOf is a collection of such elements.
func collectionOf(t referentType) referentType {
	if t.isUnknown() {
		return t
	}
	return referentType{element: &t}
}

// common is what is known of a value that is either of two.
func common(a, b referentType) referentType {
	switch {
	case a.element != nil && b.element != nil:
		return collectionOf(common(*a.element, *b.element))
	case a.members != nil && b.members != nil:
		out := referentType{members: map[string]referentType{}}
		for name, m := range a.members {
			out.members[name] = common(m, b.members[name])
		}
		return out
	case a.kind == b.kind && a.dataType == b.dataType && a.moduleCall == b.moduleCall && a.standing == b.standing:
		return referentType{kind: a.kind, dataType: a.dataType, moduleCall: a.moduleCall, standing: a.standing}
	}
	return referentType{}
}

func commonOfAll(list []referentType) (t referentType) {
	for i, next := range list {
		if i == 0 {
			t = next
		}
		t = common(t, next)
	}
	return t
}

// anyElement is what is known of each element of a value.
func (t referentType) anyElement() referentType {
	if t.element != nil {
		return *t.element
	}
	list := make([]referentType, 0, len(t.members))
	for _, m := range t.members {
		list = append(list, m)
	}
	return commonOfAll(list)
}

// typeAfter is the type behind what follows a value; nothing is known of what attributes of resources hold.
func (r *rewriter) typeAfter(t referentType, rest hcl.Traversal) referentType {
	for _, step := range rest {
		t = r.typeAfterStep(t, step)
	}
	return t
}

func (r *rewriter) typeAfterStep(t referentType, step hcl.Traverser) referentType {
	name := addr.RootOrAttrName(step)
	if index, ok := step.(hcl.TraverseIndex); ok && index.Key.Type() == cty.String && index.Key.IsKnown() && !index.Key.IsNull() {
		name = index.Key.AsString()
	}
	switch {
	case t.element != nil:
		return *t.element
	case t.members != nil:
		return t.members[name]
	case t.moduleCall != nil && t.moduleCall.callee != nil:
		return r.typeOfOutput(t.moduleCall.callee.byReferenceName["output."+name])
	}
	return referentType{}
}

// maxDepth bounds how often a local value or an output may lead to another, which may lead back.
const maxDepth = 100

func (r *rewriter) typeIn(it *item, e hclsyntax.Expression) referentType {
	if r.depth > maxDepth {
		return referentType{}
	}
	return (&rewriter{m: r.m, mod: it.module, it: it, depth: r.depth + 1}).typeOf(e, nil)
}

// typeOfOutput is what an output of a module hands out; one that hands out an object in place of its ID gives a text, as in
// Terraform.
func (r *rewriter) typeOfOutput(out *item) referentType {
	if out == nil || out.fate != carried || out.block.Body.Attributes["value"] == nil {
		return referentType{}
	}
	return r.typeIn(out, out.block.Body.Attributes["value"].Expr)
}

// typeOf is what is known of the value of an expression.
func (r *rewriter) typeOf(e hclsyntax.Expression, s *scope) referentType {
	switch e := e.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return r.typeOfReference(e.Traversal, s)
	case *hclsyntax.RelativeTraversalExpr:
		return r.typeAfter(r.typeOf(e.Source, s), e.Traversal)
	case *hclsyntax.IndexExpr:
		return r.typeOf(e.Collection, s).anyElement()
	case *hclsyntax.ParenthesesExpr:
		return r.typeOf(e.Expression, s)
	case *hclsyntax.SplatExpr:
		element := r.elementOfSplat(e, s)
		switch each := e.Each.(type) {
		case *hclsyntax.AnonSymbolExpr:
			return collectionOf(element)
		case *hclsyntax.RelativeTraversalExpr:
			return collectionOf(r.typeAfter(element, each.Traversal))
		}
	case *hclsyntax.ConditionalExpr:
		if isNull(e.TrueResult) {
			return r.typeOf(e.FalseResult, s)
		}
		return r.typeOf(e.TrueResult, s)
	case *hclsyntax.FunctionCallExpr:
		return r.typeOfCall(e, s)
	case *hclsyntax.TupleConsExpr:
		var list []referentType
		for _, v := range e.Exprs {
			list = append(list, r.typeOf(v, s))
		}
		return collectionOf(commonOfAll(list))
	case *hclsyntax.ObjectConsExpr:
		return r.typeOfObject(e, s)
	case *hclsyntax.ForExpr:
		return collectionOf(r.typeOf(e.ValExpr, r.scopeOfFor(e, s)))
	}
	return referentType{}
}

// elementOfSplat is what a splat goes through: the elements of a collection, or the one value.
func (r *rewriter) elementOfSplat(e *hclsyntax.SplatExpr, s *scope) referentType {
	t := r.typeOf(e.Source, s)
	if t.element == nil {
		return t
	}
	return *t.element
}

// typeOfCall is what is known of what a function gives that chooses from what it is given, or puts it together.
func (r *rewriter) typeOfCall(e *hclsyntax.FunctionCallExpr, s *scope) referentType {
	if len(e.Args) == 0 {
		return referentType{}
	}
	first := r.typeOf(e.Args[0], s)
	switch e.Name {
	case "try", "coalesce":
		return first
	case "tolist", "toset", "tomap", "merge", "concat":
		if len(e.Args) == 1 {
			return first
		}
		return collectionOf(first.anyElement())
	case "values":
		return collectionOf(first.anyElement())
	case "flatten":
		for first.element != nil && first.element.element != nil {
			first = *first.element
		}
		return first
	case "one", "element":
		return first.anyElement()
	}
	return referentType{}
}

func (r *rewriter) typeOfObject(e *hclsyntax.ObjectConsExpr, s *scope) referentType {
	out := referentType{members: map[string]referentType{}}
	var list []referentType
	namesAreConstant := true
	for _, i := range e.Items {
		t := r.typeOf(i.ValueExpr, s)
		list = append(list, t)
		key, constant := nonNullLiteral(i.KeyExpr)
		if namesAreConstant = namesAreConstant && constant && key.Type() == cty.String; namesAreConstant {
			out.members[key.AsString()] = t
		}
	}
	if !namesAreConstant {
		return collectionOf(commonOfAll(list))
	}
	return out
}

func (r *rewriter) typeOfReference(t hcl.Traversal, s *scope) referentType {
	if bound := s.find(t.RootName()); bound != nil {
		return r.typeAfter(bound.boundType, t[1:])
	}
	if t.RootName() == "each" && len(t) > 1 && addr.RootOrAttrName(t[1]) == "value" {
		return r.typeAfter(r.each, t[2:])
	}
	it := r.mod.findReferencedItem(t)
	switch {
	case it != nil && it.standsInWhole() && isWhole(t):
		return collectionOf(referentType{standing: it})
	case it == nil || it.fate != carried:
		return referentType{}
	case it.localAttr != nil:
		return r.typeAfter(r.typeIn(it, it.localAttr.Expr), t[2:])
	}
	if it.block.Type == "data" && b2formDataType(it.block.Labels[0]) == "files" && len(t) == 4 &&
		addr.RootOrAttrName(t[3]) == "file_versions" {
		return collectionOf(referentType{kind: it.kind, dataType: listed})
	}
	rest := t[2:]
	is := referentType{kind: it.kind}
	switch it.block.Type {
	case "data":
		rest, is.dataType = t[3:], b2formDataType(it.block.Labels[0])
	case "module":
		is = referentType{moduleCall: it}
	case "resource":
	default:
		return referentType{}
	}
	if isRepeated(it) {
		is = collectionOf(is)
	}
	return r.typeAfter(is, rest)
}

func isRepeated(it *item) bool {
	return it.block.Body.Attributes["for_each"] != nil || it.block.Body.Attributes["count"] != nil
}
