package terraform

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/schema/addr"
	"b2form/schema/kind"
)

// An expressionUse is where an expression stands, which decides what an ID becomes.
type expressionUse int

const (
	plain           expressionUse = iota // in a setting of an object
	flow                                 // on the way to settings: local values, arguments of modules
	wantsObject                          // where an object is wanted
	computedAllowed                      // where computed values may stand: outputs, postconditions
)

// A referentType is what is known of a value: an object of B2, a module, or several of them.
type referentType struct {
	kind         *kind.Kind
	dataType     string // the form of data; "": a resource
	moduleCall   *item
	isCollection bool
}

// listed is in place of the form of data: one of the files that data "files" lists.
const listed = "a file of files"

func (t referentType) isObjectOrModule() bool {
	return t.kind != nil || t.dataType != "" || t.moduleCall != nil
}

// A scope is what names stand for inside of for expressions and dynamic blocks.
type scope struct {
	boundName string
	boundType referentType
	newName   string // what the name becomes; "": it stays
	up        *scope
}

func (s *scope) find(name string) *scope {
	for ; s != nil; s = s.up {
		if s.boundName == name {
			return s
		}
	}
	return nil
}

// A rewriter writes one item anew.
type rewriter struct {
	m                 *migration
	mod               *module
	it                *item
	each              referentType // each.value
	self              *kind.Kind
	edits             []edit
	refused           *refusal // nil: all can be carried over
	keysOfReadSecrets []*item  // keys whose secrets it reads
	localDepth        int      // of local values that lead to others
	flowsTo           *item    // whose values the expression makes; nil: of none
	isNullTest        bool     // the expression is compared with null or counted
}

// A refusal is why an item cannot be carried over.
type refusal struct {
	at  hcl.Range
	why string
}

func (r *rewriter) refuse(at hcl.Range, why string, keysOfReadSecrets ...*item) {
	r.keysOfReadSecrets = append(r.keysOfReadSecrets, keysOfReadSecrets...)
	if r.refused == nil {
		r.refused = &refusal{at, why}
	}
}

func (r *rewriter) replace(at hcl.Range, text string) {
	r.edits = append(r.edits, edit{at.Start.Byte, at.End.Byte, text})
}

// expression rewrites the references in an expression.
func (r *rewriter) expression(e hclsyntax.Expression, u expressionUse, s *scope) {
	inner := u
	if u == wantsObject {
		inner = flow
	}
	switch e := e.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		r.reference(e.Traversal, u, s)
	case *hclsyntax.RelativeTraversalExpr:
		if !r.replaceIndexedByVariable(e, u, s) {
			r.expression(e.Source, inner, s)
			r.tail(r.typeOf(e.Source, s), e.Traversal, u)
		}
	case *hclsyntax.IndexExpr:
		r.expression(e.Collection, inner, s)
		r.expression(e.Key, selectorUse(u), s)
	case *hclsyntax.SplatExpr:
		r.expression(e.Source, inner, s)
		if each, ok := e.Each.(*hclsyntax.RelativeTraversalExpr); ok {
			t := r.typeOf(e.Source, s)
			t.isCollection = false
			r.tail(t, each.Traversal, inner)
		}
	case *hclsyntax.ForExpr:
		r.forExpression(e, inner, s)
	case *hclsyntax.FunctionCallExpr:
		if !r.m.HasFunction(e.Name) {
			r.refuse(e.NameRange, "b2form has no function "+e.Name+".")
		}
		outer := r.isNullTest
		r.isNullTest = outer || e.Name == "length"
		for _, a := range e.Args {
			r.expression(a, inner, s)
		}
		r.isNullTest = outer
	case *hclsyntax.ObjectConsKeyExpr:
		if e.ForceNonLiteral || hcl.ExprAsKeyword(e.Wrapped) == "" {
			r.expression(e.Wrapped, inner, s)
		}
	case *hclsyntax.ConditionalExpr:
		r.expression(e.Condition, selectorUse(u), s)
		r.expression(e.TrueResult, u, s)
		r.expression(e.FalseResult, u, s)
	case *hclsyntax.TemplateWrapExpr:
		if _, direct := e.Wrapped.(*hclsyntax.ScopeTraversalExpr); direct && u == wantsObject {
			r.replace(hcl.Range{Start: e.SrcRange.Start, End: e.Wrapped.StartRange().Start}, "")
			r.replace(hcl.Range{Start: e.Wrapped.Range().End, End: e.SrcRange.End}, "")
		}
		r.expression(e.Wrapped, u, s)
	case *hclsyntax.ParenthesesExpr:
		r.expression(e.Expression, u, s)
	case *hclsyntax.TupleConsExpr:
		for _, v := range e.Exprs {
			r.expression(v, u, s)
		}
	default:
		r.parts(e, inner, s)
	}
}

// selectorUse is where a part stands that chooses between others: it must be known where these must be.
func selectorUse(u expressionUse) expressionUse {
	if u == computedAllowed {
		return computedAllowed
	}
	return plain
}

// parts rewrites what an expression is made of.
func (r *rewriter) parts(e hclsyntax.Expression, u expressionUse, s *scope) {
	switch e := e.(type) {
	case *hclsyntax.ObjectConsExpr:
		for _, i := range e.Items {
			r.expression(i.KeyExpr, u, s)
			r.expression(i.ValueExpr, u, s)
		}
	case *hclsyntax.TemplateExpr:
		for _, p := range e.Parts {
			r.expression(p, u, s)
		}
	case *hclsyntax.TemplateJoinExpr:
		r.expression(e.Tuple, u, s)
	case *hclsyntax.BinaryOpExpr:
		outer := r.isNullTest
		r.isNullTest = outer || isNull(e.LHS) || isNull(e.RHS)
		r.expression(e.LHS, u, s)
		r.expression(e.RHS, u, s)
		r.isNullTest = outer
	case *hclsyntax.UnaryOpExpr:
		r.expression(e.Val, u, s)
	}
}

func (r *rewriter) forExpression(e *hclsyntax.ForExpr, u expressionUse, s *scope) {
	r.expression(e.CollExpr, u, s)
	element := r.typeOf(e.CollExpr, s)
	element.isCollection = false
	s = &scope{boundName: e.ValVar, boundType: element, newName: r.nameIfShadowing(e.ValVar), up: s}
	r.renameForVariable(e, s)
	if e.KeyVar != "" {
		s = &scope{boundName: e.KeyVar, newName: r.nameIfShadowing(e.KeyVar), up: s}
		r.renameForVariable(e, s)
	}
	for _, part := range []hclsyntax.Expression{e.KeyExpr, e.ValExpr, e.CondExpr} {
		if part != nil {
			r.expression(part, u, s)
		}
	}
}

// nameIfShadowing is the name that a variable gets in place of one by which resources go here, where the item refers to any
// of them; "": it stays.
func (r *rewriter) nameIfShadowing(name string) string {
	k := kind.FindKind(r.m.Kinds, name)
	if k == nil || !slices.ContainsFunc(r.it.refs, func(t hcl.Traversal) bool { return t.RootName() == k.Terraform.Type }) {
		return ""
	}
	return name + "_item"
}

// renameForVariable gives a variable its new name, if it has one, where the expression declares it.
func (r *rewriter) renameForVariable(e *hclsyntax.ForExpr, s *scope) {
	if s.newName == "" {
		return
	}
	start := e.OpenRange.Start
	head := r.it.file.nativeText[start.Byte:e.CollExpr.Range().Start.Byte]
	tokens, _ := hclsyntax.LexExpression(head, r.it.file.name, start) // it was parsed before
	afterFor := false
	for _, t := range tokens {
		if t.Type != hclsyntax.TokenIdent {
			continue
		}
		if afterFor && string(t.Bytes) == s.boundName {
			r.replace(t.Range, s.newName)
			return
		}
		afterFor = true
	}
}

// typeOf is what is known of the value of an expression.
func (r *rewriter) typeOf(e hclsyntax.Expression, s *scope) referentType {
	switch e := e.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return r.typeOfReference(e.Traversal, s)
	case *hclsyntax.IndexExpr:
		t := r.typeOf(e.Collection, s)
		t.isCollection = false
		return t
	case *hclsyntax.ParenthesesExpr:
		return r.typeOf(e.Expression, s)
	case *hclsyntax.SplatExpr:
		t := r.typeOf(e.Source, s)
		t.isCollection = true
		if _, whole := e.Each.(*hclsyntax.AnonSymbolExpr); !whole {
			return referentType{}
		}
		return t
	case *hclsyntax.ConditionalExpr:
		return r.typeOf(e.TrueResult, s)
	case *hclsyntax.FunctionCallExpr:
		for _, same := range []string{"values", "tolist", "toset", "merge", "concat", "flatten", "one", "try", "coalesce", "element"} {
			if e.Name == same && len(e.Args) > 0 {
				t := r.typeOf(e.Args[0], s)
				t.isCollection = same != "one" && same != "element"
				return t
			}
		}
	case *hclsyntax.TupleConsExpr:
		if len(e.Exprs) > 0 {
			t := r.typeOf(e.Exprs[0], s)
			t.isCollection = true
			return t
		}
	case *hclsyntax.ObjectConsExpr:
		if len(e.Items) > 0 {
			t := r.typeOf(e.Items[0].ValueExpr, s)
			t.isCollection = true
			return t
		}
	case *hclsyntax.ForExpr:
		element := r.typeOf(e.CollExpr, s)
		element.isCollection = false
		t := r.typeOf(e.ValExpr, &scope{boundName: e.ValVar, boundType: element, up: s})
		t.isCollection = true
		return t
	}
	return referentType{}
}

func (r *rewriter) typeOfReference(t hcl.Traversal, s *scope) referentType {
	if bound := s.find(t.RootName()); bound != nil {
		return afterIndexes(bound.boundType, t[1:])
	}
	if t.RootName() == "each" && len(t) > 1 && addr.RootOrAttrName(t[1]) == "value" {
		return afterIndexes(r.each, t[2:])
	}
	it := r.mod.findReferencedItem(t)
	switch {
	case it == nil || it.fate != carried:
		return referentType{}
	case it.localAttr != nil:
		return afterIndexes(r.typeOfLocal(it), t[2:])
	}
	if it.block.Type == "data" && b2formDataType(it.block.Labels[0]) == "files" && len(t) == 4 &&
		addr.RootOrAttrName(t[3]) == "file_versions" {
		return referentType{kind: it.kind, dataType: listed, isCollection: true}
	}
	rest := t[2:]
	is := referentType{kind: it.kind, isCollection: isRepeated(it)}
	switch it.block.Type {
	case "data":
		rest, is.dataType = t[3:], b2formDataType(it.block.Labels[0])
	case "module":
		is = referentType{moduleCall: it, isCollection: isRepeated(it)}
	case "resource":
	default:
		return referentType{}
	}
	return afterIndexes(is, rest)
}

// maxLocalDepth bounds how often a local value may lead to another, which may lead back.
const maxLocalDepth = 100

func (r *rewriter) typeOfLocal(it *item) referentType {
	if r.localDepth > maxLocalDepth {
		return referentType{}
	}
	return (&rewriter{m: r.m, mod: r.mod, it: it, localDepth: r.localDepth + 1}).typeOf(it.localAttr.Expr, nil)
}

// afterIndexes is the type behind the indexes of a reference; nothing is known of what
// attributes hold.
func afterIndexes(t referentType, rest hcl.Traversal) referentType {
	for _, step := range rest {
		if _, index := step.(hcl.TraverseIndex); !index || !t.isCollection {
			return referentType{}
		}
		t.isCollection = false
	}
	return t
}

func isRepeated(it *item) bool {
	return it.block.Body.Attributes["for_each"] != nil || it.block.Body.Attributes["count"] != nil
}

// namesInTraversal are the names in a reference.
func namesInTraversal(t hcl.Traversal) (names []string) {
	for _, step := range t {
		if name := addr.RootOrAttrName(step); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// referenceText is a reference as far as its names go, for messages.
func referenceText(t hcl.Traversal) string { return strings.Join(namesInTraversal(t), ".") }
