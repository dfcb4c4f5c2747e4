package terraform

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/schema/addr"
	"b2form/schema/kind"
)

// reference rewrites one reference.
func (r *rewriter) reference(t hcl.Traversal, u expressionUse, s *scope) {
	root := t.RootName()
	if bound := s.find(root); bound != nil {
		if bound.newName != "" {
			r.replace(t[0].SourceRange(), bound.newName)
		}
		r.tail(bound.boundType, t[1:], u, t.SourceRange())
		return
	}
	it := r.mod.findReferencedItem(t)
	switch {
	case root == "path", root == "count":
	case root == "var":
		switch {
		case it == nil:
		case it.fate == uncarriable:
			r.refuse(t.SourceRange(), "It refers to "+it.title()+", which is not carried over.")
		default:
			r.noteUse(it, u, t.SourceRange())
		}
	case root == "each":
		if len(t) > 1 && addr.RootOrAttrName(t[1]) == "value" {
			r.tail(r.each, t[2:], u, t.SourceRange())
			r.noteUse(r.it, u, t.SourceRange())
		}
	case root == "self" && r.self != nil:
		r.tail(referentType{kind: r.self}, t[1:], computedAllowed, t.SourceRange())
	case root == "terraform":
		r.replaceByVariable(t, u)
	case it == nil:
		r.refuse(t.SourceRange(), "Nothing declares "+referenceText(t)+".")
	case it.localAttr != nil || it.block.Type == "module":
		r.localOrModuleReference(t, it, u)
	case it.fate == carried:
		from := 2
		if it.block.Type == "data" {
			from = 3
			r.replace(t[1].SourceRange(), "."+b2formDataType(it.block.Labels[0]))
		} else {
			r.replace(t[0].SourceRange(), it.kind.Name)
		}
		r.checkWholeResourceUse(t, it, u)
		r.tail(r.typeOfReference(t[:from], s), t[from:], u, t.SourceRange())
	case it.kind != nil && it.block.Type == "resource" && r.readsSecret(it.kind, t[2:]):
		r.refuse(t.SourceRange(), secretRefusalText(it), it)
	case it.fate == uncarriable && it.block.Type == "data":
		r.refuse(t.SourceRange(), "It refers to "+it.title()+", which is not carried over.")
	default:
		r.replaceByVariable(t, u)
	}
}

// localOrModuleReference rewrites what refers to a local value or to an output of a module.
func (r *rewriter) localOrModuleReference(t hcl.Traversal, it *item, u expressionUse) {
	if it.localAttr != nil && len(leadingMemberNames(t[2:])) > 0 {
		if all := r.mod.allOutputs(it); all != nil {
			r.replaceOutputByVariable(t, all, u)
			return
		}
	}
	if it.fate != carried {
		r.refuse(t.SourceRange(), "It refers to "+it.title()+", which is not carried over.", it.keysOfReadSecrets...)
		return
	}
	switch {
	case it.localAttr != nil:
		r.noteUse(it, u, t.SourceRange())
	case it.callee != nil && len(namesInTraversal(t[2:])) == 0:
		r.noteUseOfAllOutputs(it.callee, u, t.SourceRange())
	}
	r.tail(r.typeOfReference(t[:2], nil), t[2:], u, t.SourceRange())
}

func (r *rewriter) noteUseOfAllOutputs(callee *module, u expressionUse, at hcl.Range) {
	for _, out := range callee.items {
		if out.block.Type == "output" {
			r.noteUse(out, u, at)
		}
	}
}

// checkWholeResourceUse refuses a whole resource where another form of it would be handed on.
func (r *rewriter) checkWholeResourceUse(t hcl.Traversal, it *item, u expressionUse) {
	for _, step := range t[2:] {
		if _, index := step.(hcl.TraverseIndex); !index {
			return
		}
	}
	if it.block.Type != "resource" || isRepeated(it) && len(t) == 2 || r.it.localAttr != nil {
		return
	}
	switch {
	case r.it.block.Type == "module" && (u == flow || u == computedAllowed):
		r.refuse(t.SourceRange(), "It hands in a whole resource, whose attributes have other names here. Hand in its name.")
	case it.kind.Credential != nil && u == computedAllowed && r.it.block.Type == "output":
		r.refuse(t.SourceRange(), secretRefusalText(it), it)
	}
}

func secretRefusalText(it *item) string {
	return "It holds the secret of " + it.title() + ", which b2form delivers once and keeps nowhere."
}

func (r *rewriter) readsSecret(k *kind.Kind, rest hcl.Traversal) bool {
	names := namesInTraversal(rest)
	if len(names) == 0 {
		return false
	}
	a := attrByTerraformName(k.Attrs, names[0])
	return a != nil && a.Secret && a.Computed
}

// tail rewrites what follows a value of a type: indexes and names of members, then an attribute. at is the whole reference.
func (r *rewriter) tail(t referentType, rest hcl.Traversal, u expressionUse, at hcl.Range) {
	for len(rest) > 0 && (t.element != nil || t.members != nil) {
		t, rest = r.typeAfterStep(t, rest[0]), rest[1:]
	}
	switch {
	case t.standing != nil:
		r.memberOfStanding(t.standing, rest, u, at)
		return
	case len(rest) == 0 && t.moduleCall != nil:
		r.noteUseOfAllOutputs(t.moduleCall.callee, u, at)
	}
	if len(rest) == 0 || !t.isObjectOrModule() {
		return
	}
	step, isAttr := rest[0].(hcl.TraverseAttr)
	switch {
	case !isAttr:
	case t.moduleCall != nil:
		r.output(t.moduleCall, rest, u)
	case t.dataType != "":
		r.dataAttr(t, rest, u)
	default:
		r.resourceAttr(t.kind, step, rest[1:], u)
	}
}

// resourceAttr rewrites an attribute of a resource and what follows it.
func (r *rewriter) resourceAttr(k *kind.Kind, step hcl.TraverseAttr, rest hcl.Traversal, u expressionUse) {
	a := attrByTerraformName(k.Attrs, step.Name)
	if step.Name == "id" || step.Name == "bucket_id" && k.ParentKind() == "" && k.Credential == nil {
		a = k.FindAttr(k.IDAttr)
	}
	switch {
	case a == nil:
		r.refuse(step.SrcRange, "b2form has no attribute "+step.Name+" of "+k.Plural+".")
	case a.Secret && a.Computed:
		r.refuse(step.SrcRange, "It holds the secret of a key, which b2form delivers once and keeps nowhere.",
			r.referencedItemsOfKind(k)...)
	case !a.Computed || u == computedAllowed:
		r.replace(step.SrcRange, "."+a.Name)
		r.nested(a, rest)
		r.noteOtherForm(k, a, step.SrcRange, rest, u)
	case a.Name != k.IDAttr || u == plain || k.ParentKind() != "":
		r.refuse(step.SrcRange, "It needs "+a.Name+", which B2 makes and which is not known before. b2form takes that in outputs, checks "+
			"and deliveries only.")
	case u == wantsObject:
		r.replace(step.SrcRange, "")
	default:
		r.noteNameForID(step.SrcRange)
		r.replace(step.SrcRange, "."+k.IdentityAttr)
	}
}

// referencedItemsOfKind are the keys that an item may read the secrets of, where it does not say which.
func (r *rewriter) referencedItemsOfKind(k *kind.Kind) (list []*item) {
	for _, t := range r.it.refs {
		if to := r.mod.findReferencedItem(t); to != nil && to.kind == k && to.localAttr == nil {
			list = append(list, to)
		}
	}
	return list
}

// nested rewrites what follows an attribute: indexes into what is one object here go.
func (r *rewriter) nested(a *kind.Attr, rest hcl.Traversal) {
	for _, step := range rest {
		switch s := step.(type) {
		case hcl.TraverseIndex:
			if a.Object != nil && !a.Many {
				r.replace(s.SrcRange, "")
			}
		case hcl.TraverseAttr:
			member := attrByTerraformName(a.Object, s.Name)
			if a.Object == nil {
				return
			}
			if member == nil {
				r.refuse(s.SrcRange, "b2form has no "+s.Name+" in "+a.Name+".")
				return
			}
			r.replace(s.SrcRange, "."+member.Name)
			a = member
		}
	}
}

// attrByTerraformName finds an attribute by the provider's name; nil: there is none.
func attrByTerraformName(attrs []kind.Attr, name string) *kind.Attr {
	for i := range attrs {
		if a := &attrs[i]; a.TerraformName == name || a.TerraformName == "" && a.Name == name {
			return a
		}
	}
	return nil
}

// dataAttr rewrites an attribute of data.
func (r *rewriter) dataAttr(t referentType, rest hcl.Traversal, u expressionUse) {
	step := rest[0].(hcl.TraverseAttr) // as tail found
	switch {
	case t.dataType == "account":
		switch name := step.Name; name {
		case "s3_api_url":
			r.replace(step.SrcRange, ".s3_endpoint")
		case "account_id", "api_url", "download_url", "absolute_minimum_part_size", "recommended_part_size":
		case "id":
			r.replace(step.SrcRange, ".account_id")
		case "account_auth_token":
			r.refuse(step.SrcRange, "It is a token for everything in the account, which ends within 24 hours. Make a key instead.")
		default:
			r.refuse(step.SrcRange, "b2form has no "+name+" in data \"account\".")
		}
	case t.dataType == listed:
		r.resourceAttr(t.kind, step, rest[1:], computedAllowed)
	case t.dataType == "files" && step.Name == "file_versions":
		r.replace(step.SrcRange, ".files")
		r.dataFileVersionAttr(t.kind, rest[1:])
	case t.dataType == "file" && step.Name == "file_versions":
		r.replace(step.SrcRange, "")
		if len(rest) < 3 {
			r.refuse(step.SrcRange, "data \"file\" is one file here, and has no list of versions.")
			return
		}
		r.replace(rest[1].SourceRange(), "")
		r.dataFileVersionAttr(t.kind, rest[1:])
	case t.kind == nil || t.dataType == "files" || t.dataType == "file":
		r.refuse(step.SrcRange, "b2form has no "+step.Name+" in data \""+t.dataType+"\".")
	case u == plain:
		r.resourceAttr(t.kind, step, rest[1:], computedAllowed)
	case u == wantsObject:
		r.resourceAttr(t.kind, step, rest[1:], flow)
	default:
		r.resourceAttr(t.kind, step, rest[1:], u)
	}
}

func (r *rewriter) dataFileVersionAttr(k *kind.Kind, rest hcl.Traversal) {
	for _, step := range rest {
		if s, ok := step.(hcl.TraverseAttr); ok {
			r.resourceAttr(k, s, nil, computedAllowed)
			return
		}
	}
}

// output rewrites a reference to an output of a module.
func (r *rewriter) output(call *item, rest hcl.Traversal, u expressionUse) {
	step := rest[0].(hcl.TraverseAttr) // as tail found
	out := call.callee.byReferenceName["output."+step.Name]
	switch {
	case out == nil:
		r.refuse(step.SrcRange, "The module has no output "+step.Name+".")
	case out.fate != carried:
		r.refuse(step.SrcRange, "It refers to "+out.title()+" of "+call.title()+", which is not carried over.", out.keysOfReadSecrets...)
	default:
		r.noteUse(out, u, step.SrcRange)
		k := r.m.findKindOfIDOutput(out)
		end := step.SrcRange
		end.Start = end.End
		switch {
		case k == nil || u == wantsObject:
		case u == computedAllowed:
			r.replace(end, "."+k.IDAttr)
		default:
			r.noteNameForID(step.SrcRange)
			r.replace(end, "."+k.IdentityAttr)
		}
		r.tail(r.typeOfOutput(out), rest[1:], u, step.SrcRange)
	}
}

// findKindOfIDOutput is the kind of the resource that an output of a module hands out in place
// of its ID, since callers want an object there; nil: it hands out what it says.
func (m *migration) findKindOfIDOutput(out *item) *kind.Kind {
	v := out.block.Body.Attributes["value"]
	if v == nil || m.outputUse(out) == computedAllowed {
		return nil
	}
	e, direct := v.Expr.(*hclsyntax.ScopeTraversalExpr)
	if !direct {
		return nil
	}
	to := out.module.findReferencedItem(e.Traversal)
	if to == nil || to.fate != carried || to.localAttr != nil {
		return nil
	}
	last := addr.RootOrAttrName(e.Traversal[len(e.Traversal)-1])
	switch {
	case to.block.Type == "module" && to.callee != nil:
		if inner := to.callee.byReferenceName["output."+last]; inner != nil {
			return m.findKindOfIDOutput(inner)
		}
	case to.block.Type == "resource" && to.kind.ParentKind() == "":
		a := attrByTerraformName(to.kind.Attrs, last)
		if last == "id" || a != nil && a.Name == to.kind.IDAttr {
			return to.kind
		}
	}
	return nil
}

// outputUse is how callers use an output of a module: answer where only outputs of the
// configuration show it.
func (m *migration) outputUse(out *item) expressionUse {
	if out.module == m.root {
		return computedAllowed
	}
	return out.flow.use()
}
