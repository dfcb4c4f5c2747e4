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
	depth             int      // of local values and outputs that lead to others
	flowsTo           *item    // whose values the expression makes; nil: of none
	isNullTest        bool     // the expression is compared with null or counted
	intoSecret        bool     // the expression becomes a secret
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

func (r *rewriter) insertBefore(at hcl.Range, text string) {
	r.edits = append(r.edits, edit{at.Start.Byte, at.Start.Byte, text})
}

func (r *rewriter) insertAfter(at hcl.Range, text string) {
	r.edits = append(r.edits, edit{at.End.Byte, at.End.Byte, text})
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
			r.oneElement(e.Source, inner, s)
			r.tail(r.typeOf(e.Source, s), e.Traversal, u, e.SrcRange)
		}
	case *hclsyntax.IndexExpr:
		r.expression(e.Collection, inner, s)
		r.expression(e.Key, selectorUse(u), s)
	case *hclsyntax.SplatExpr:
		if each, ok := e.Each.(*hclsyntax.RelativeTraversalExpr); ok {
			r.elementwise(e.Source, inner, s)
			r.tail(r.elementOfSplat(e, s), each.Traversal, inner, e.SrcRange)
		} else {
			r.expression(e.Source, inner, s)
		}
	case *hclsyntax.ForExpr:
		r.forExpression(e, inner, s)
	case *hclsyntax.FunctionCallExpr:
		if !r.m.HasFunction(e.Name) {
			r.refuse(e.NameRange, "b2form has no function "+e.Name+".")
		}
		outer := r.isNullTest
		outerSecret := r.intoSecret
		r.isNullTest, r.intoSecret = outer || e.Name == "length", outerSecret || e.Name == "sensitive"
		for _, a := range e.Args {
			if e.Name == "keys" || e.Name == "length" {
				r.elementwise(a, inner, s)
			} else {
				r.expression(a, inner, s)
			}
		}
		r.isNullTest, r.intoSecret = outer, outerSecret
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

// elementwise rewrites an expression of which nothing but keys and elements are read, which are looked at where they are.
func (r *rewriter) elementwise(e hclsyntax.Expression, u expressionUse, s *scope) {
	switch e := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		r.elementwise(e.Expression, u, s)
		return
	case *hclsyntax.FunctionCallExpr:
		if e.Name == "values" && len(e.Args) == 1 {
			r.elementwise(e.Args[0], u, s)
			return
		}
	case *hclsyntax.ScopeTraversalExpr:
		it := r.mod.findReferencedItem(e.Traversal)
		switch {
		case s.find(e.Traversal.RootName()) != nil || it == nil || !isWhole(e.Traversal):
		case it.standsInWhole():
			r.replace(e.SrcRange, "var."+r.addWholeSubstitute(it, e.SrcRange))
			return
		case it.callee != nil && it.fate == carried && isRepeated(it):
			return
		}
	}
	r.expression(e, u, s)
}

// oneElement rewrites an expression of which nothing but members are read, which are looked at where they are.
func (r *rewriter) oneElement(e hclsyntax.Expression, u expressionUse, s *scope) {
	switch e := e.(type) {
	case *hclsyntax.IndexExpr:
		r.elementwise(e.Collection, u, s)
		r.expression(e.Key, selectorUse(u), s)
		return
	case *hclsyntax.FunctionCallExpr:
		if e.Name == "element" && len(e.Args) == 2 {
			r.elementwise(e.Args[0], u, s)
			r.expression(e.Args[1], selectorUse(u), s)
			return
		}
	}
	r.elementwise(e, u, s)
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
	r.elementwise(e.CollExpr, u, s)
	s = r.scopeOfFor(e, s)
	r.renameForVariable(e, e.KeyVar)
	r.renameForVariable(e, e.ValVar)
	for _, part := range []hclsyntax.Expression{e.KeyExpr, e.ValExpr, e.CondExpr} {
		if part != nil {
			r.expression(part, u, s)
		}
	}
}

// scopeOfFor is what names stand for inside of a for expression.
func (r *rewriter) scopeOfFor(e *hclsyntax.ForExpr, s *scope) *scope {
	s = &scope{boundName: e.ValVar, boundType: r.typeOf(e.CollExpr, s).anyElement(),
		newName: r.nameIfShadowing(e.ValVar, refsBehind(e)), up: s}
	if e.KeyVar != "" {
		s = &scope{boundName: e.KeyVar, newName: r.nameIfShadowing(e.KeyVar, refsBehind(e)), up: s}
	}
	return s
}

// refsBehind are the references in a for expression where its variables are known.
func refsBehind(e *hclsyntax.ForExpr) (refs []hcl.Traversal) {
	for _, part := range []hclsyntax.Expression{e.KeyExpr, e.ValExpr, e.CondExpr} {
		if part != nil {
			refs = append(refs, part.Variables()...)
		}
	}
	return refs
}

// nameIfShadowing is the name that a variable gets in place of one by which resources go here, where any of them are
// among the references; "": it stays.
func (r *rewriter) nameIfShadowing(name string, refs []hcl.Traversal) string {
	k := kind.FindKind(r.m.Kinds, name)
	if k == nil || !slices.ContainsFunc(refs, func(t hcl.Traversal) bool { return t.RootName() == k.Terraform.Type }) {
		return ""
	}
	return name + "_item"
}

// renameForVariable gives a variable its new name, if it has one, where the expression declares it.
func (r *rewriter) renameForVariable(e *hclsyntax.ForExpr, name string) {
	newName := r.nameIfShadowing(name, refsBehind(e))
	if newName == "" {
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
		if afterFor && string(t.Bytes) == name {
			r.replace(t.Range, newName)
			return
		}
		afterFor = true
	}
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
