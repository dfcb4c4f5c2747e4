package terraform

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/schema/addr"
	"b2form/schema/kind"
)

// noteOtherForm notes an attribute that is shown or set and reads otherwise here: names of objects in place of their IDs, or blocks
// with members of other names, or one in place of a list of one.
func (r *rewriter) noteOtherForm(k *kind.Kind, a *kind.Attr, at hcl.Range, rest hcl.Traversal, u expressionUse) {
	toLink := u == wantsObject || u == flow && r.flowsTo == nil || r.flowsTo != nil && len(r.flowsTo.flow.idReaders) == 0
	if r.m.recording || r.isNullTest || toLink {
		return
	}
	switch whole := len(namesInTraversal(rest)) == 0; {
	case a.Link.RefKind != "":
		r.m.result.ShowsNamesForIDs = r.m.result.ShowsNamesForIDs || r.it.block.Type != "output"
		r.m.noteChangedMeaning(r.it.file.place(at, r.it.title(), "It reads "+terraformName(a)+", which held IDs in Terraform. Here it is "+
			a.Name+", with names."))
	case a.Object != nil && whole && hasOtherShape(a):
		r.m.noteChangedMeaning(r.it.file.place(at, r.it.title(), "It reads "+terraformName(a)+" as a whole, which has another form here: "+
			"b2form schema "+k.Name+" tells it."))
	}
}

// hasOtherShape reports whether a nested object is a list of one in Terraform, or has members of other names there.
func hasOtherShape(a *kind.Attr) bool {
	return a.Object != nil && (!a.Many || slices.ContainsFunc(a.Object, func(member kind.Attr) bool {
		return terraformName(&member) != member.Name || hasOtherShape(&member)
	}))
}

// A wholeFinder looks for objects that an output shows as a whole.
type wholeFinder struct {
	*rewriter
	found *wholesShown
}

// A wholesShown is what an output shows as a whole.
type wholesShown struct {
	types   []referentType
	secrets []*item // keys
	ids     []*item // outputs of modules that hand out the object, and not its ID
	seen    map[*item]bool
}

// noteWholes notes what an output of the configuration shows as a whole, since its attributes have other names here, and
// refuses a key, whose secret b2form does not keep.
func (r *rewriter) noteWholes(e hclsyntax.Expression) {
	if r.m.recording {
		return
	}
	found := &wholesShown{seen: map[*item]bool{}}
	wholeFinder{r, found}.expression(e, nil)
	if len(found.secrets) > 0 {
		r.refuse(e.Range(), secretRefusalText(found.secrets[0]), found.secrets...)
		return
	}
	note := func(remark string) { r.m.noteChangedMeaning(r.it.file.place(e.Range(), r.it.title(), remark)) }
	for _, t := range found.types {
		switch {
		case t.kind == nil || terraformName(t.kind.FindAttr(t.kind.IdentityAttr)) == t.kind.IdentityAttr:
			note("It shows a whole object, whose attributes have other names here.")
		default:
			note("It shows a whole object, whose attributes have other names here: " + t.kind.IdentityAttr + " is " +
				terraformName(t.kind.FindAttr(t.kind.IdentityAttr)) + " in Terraform.")
		}
	}
	for _, out := range found.ids {
		note("It shows " + out.title() + " of a module, which hands out the object here, and its ID in Terraform.")
	}
}

// expression looks at what an expression results in.
func (w wholeFinder) expression(e hclsyntax.Expression, s *scope) {
	switch e := e.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		w.reference(e.Traversal, s)
		return
	case *hclsyntax.ParenthesesExpr:
		w.expression(e.Expression, s)
	case *hclsyntax.TemplateWrapExpr:
		w.expression(e.Wrapped, s)
	case *hclsyntax.ConditionalExpr:
		w.expression(e.TrueResult, s)
		w.expression(e.FalseResult, s)
	case *hclsyntax.TupleConsExpr:
		for _, one := range e.Exprs {
			w.expression(one, s)
		}
	case *hclsyntax.ObjectConsExpr:
		for _, one := range e.Items {
			w.expression(one.ValueExpr, s)
		}
	case *hclsyntax.FunctionCallExpr:
		if !slices.Contains([]string{"keys", "length", "can", "contains"}, e.Name) {
			for _, one := range e.Args {
				w.expression(one, s)
			}
		}
	case *hclsyntax.ForExpr:
		w.expression(e.ValExpr, w.scopeOfFor(e, s))
	case *hclsyntax.IndexExpr, *hclsyntax.SplatExpr:
		w.add(w.typeOf(e, s))
	}
}

// add notes an object that is shown.
func (w wholeFinder) add(t referentType) {
	switch {
	case t.element != nil:
		w.add(*t.element)
	case t.members != nil:
		for _, name := range slices.Sorted(maps.Keys(t.members)) {
			w.add(t.members[name])
		}
	case t.moduleCall != nil:
		for _, out := range t.moduleCall.callee.items {
			w.output(out)
		}
	case t.kind != nil && t.dataType == "" && t.kind.Credential != nil:
		w.found.secrets = append(w.found.secrets, w.referencedItemsOfKind(t.kind)...)
	case t.isObjectOrModule():
		w.found.types = append(w.found.types, t)
	}
}

func (w wholeFinder) reference(t hcl.Traversal, s *scope) {
	it := w.mod.findReferencedItem(t)
	is := w.typeOfReference(t, s)
	switch {
	case s.find(t.RootName()) != nil || it == nil || it.fate != carried:
		w.add(is)
	case it.localAttr != nil && len(t) == 2:
		w.within(it, it.localAttr.Expr)
	case it.localAttr != nil:
		w.at(it).add(is)
	case it.callee != nil && is.isUnknown():
		w.output(it.callee.byReferenceName["output."+addr.RootOrAttrName(t[len(t)-1])])
	default:
		w.add(is)
	}
}

// output looks at what an output of a module hands out.
func (w wholeFinder) output(out *item) {
	if out == nil || out.block.Type != "output" || out.fate != carried {
		return
	}
	if w.m.findKindOfIDOutput(out) != nil {
		w.found.ids = append(w.found.ids, out)
	} else if v := out.block.Body.Attributes["value"]; v != nil {
		w.within(out, v.Expr)
	}
}

// within looks at what another item results in, once.
func (w wholeFinder) within(it *item, e hclsyntax.Expression) {
	if !w.found.seen[it] {
		w.found.seen[it] = true
		w.at(it).expression(e, nil)
	}
}

func (w wholeFinder) at(it *item) wholeFinder {
	return wholeFinder{&rewriter{m: w.m, mod: it.module, it: it}, w.found}
}
