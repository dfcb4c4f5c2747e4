package terraform

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/visible"
	"b2form/schema/addr"
	"b2form/schema/kind"
)

// rewriteAll rewrites what is carried over, until nothing more is found to stay behind.
func (m *migration) rewriteAll() {
	defer func() {
		m.result.ChangedMeaning, m.result.NotCarriedOver = append(m.result.ChangedMeaning, m.changedMeaningThisRound...),
			append(m.result.NotCarriedOver, m.notCarriedThisRound...)
	}()
	for again := true; again; {
		again = false
		m.changedMeaningThisRound, m.notCarriedThisRound, m.result.ShowsNamesForIDs = nil, nil, false
		for _, mod := range m.calleesFirst {
			mod.substitutes = map[string]*substituteVariable{}
			for _, it := range mod.items {
				it.substituteArguments = nil
			}
		}
		for _, mod := range m.calleesFirst {
			for _, it := range mod.items {
				if it.fate == carried {
					again = !m.rewrite(it) || again
				}
			}
		}
	}
}

// rewrite works out how an item reads here; false: it cannot be carried over.
func (m *migration) rewrite(it *item) (carriedOver bool) {
	r := &rewriter{m: m, mod: it.module, it: it}
	r.item()
	it.edits = r.edits
	if r.refused == nil {
		return true
	}
	it.markNotCarriedOver(r.refused.why)
	it.keysOfReadSecrets = r.keysOfReadSecrets
	return false
}

func (r *rewriter) item() {
	switch it := r.it; {
	case it.localAttr != nil:
		r.valueExpression(it.localAttr.Expr, it)
	case it.block.Type == "resource":
		r.resource()
	case it.block.Type == "data":
		r.data()
	case it.block.Type == "terraform":
		r.terraformBlock()
	case it.block.Type == "module":
		r.moduleCall()
	default:
		r.otherBlock()
	}
}

// replaceHeaderStart writes the beginning of a block anew.
func (r *rewriter) replaceHeaderStart(text string) {
	b := r.it.block
	r.replace(hcl.RangeBetween(b.TypeRange, b.LabelRanges[0]), text)
}

// repetition rewrites for_each and count.
func (r *rewriter) repetition() {
	for _, name := range []string{"for_each", "count"} {
		if a := r.it.block.Body.Attributes[name]; a != nil {
			r.it.flow.toKnown = true
			r.valuesOf(r.it, func() { r.elementwise(a.Expr, r.it.flow.use(), nil) })
			r.noteLiteralIDs(a.Expr, r.it)
			r.each = r.typeOf(a.Expr, nil).anyElement()
		}
	}
}

func (r *rewriter) resource() {
	k, body := r.it.kind, r.it.block.Body
	r.self = k
	r.replaceHeaderStart(k.Name)
	r.repetition()
	b := &bodyRewriter{rewriter: r, kind: k}
	for _, a := range attrsInSourceOrder(body) {
		b.topAttribute(a)
	}
	for _, nested := range body.Blocks {
		switch nested.Type {
		case "lifecycle":
			b.lifecycle(nested)
		case "timeouts":
			r.remove(blockRange(nested))
		case "provisioner", "connection":
			r.refuse(nested.TypeRange, "b2form has no "+nested.Type+". What a program should do with a new key goes into a deliver "+
				"\"command\" block.")
		default:
			b.block(nested, k.Attrs)
		}
	}
}

func (r *rewriter) moduleCall() {
	r.repetition()
	for _, a := range attrsInSourceOrder(r.it.block.Body) {
		switch v := r.it.callee.byReferenceName["var."+a.Name]; {
		case slices.Contains([]string{"for_each", "count", "source"}, a.Name):
		case a.Name == "version" || a.Name == "providers" || v != nil && v.fate == staysInTerraform:
			r.remove(a.SrcRange)
		case a.Name == "depends_on":
			r.dependsOn(a)
		case v == nil:
			r.expression(a.Expr, flow, nil)
		default:
			r.valueExpression(a.Expr, v)
		}
	}
}

// otherBlock rewrites blocks that are here as there, but for what they refer to.
func (r *rewriter) otherBlock() {
	b := r.it.block
	if t := r.blockExpressionUse(); t != plain {
		r.conditionOrOutputBody(b.Body, t)
		return
	}
	for _, a := range attrsInSourceOrder(b.Body) {
		switch {
		case a.Name == "provider":
			r.remove(a.SrcRange)
		case a.Name == "to" || a.Name == "from":
			for _, t := range a.Expr.Variables() {
				r.rewriteResourceType(t)
			}
		case b.Type != "variable":
			r.expression(a.Expr, flow, nil)
		case a.Name == "default":
			r.noteLiteralIDs(a.Expr, r.it)
		case a.Name == "ephemeral":
			r.remove(a.SrcRange)
		}
	}
	for _, nested := range b.Body.Blocks {
		switch nested.Type {
		case "lifecycle":
			r.unwrap(nested)
		case "validation":
			r.conditionOrOutputBody(nested.Body, plain)
		}
	}
}

// blockExpressionUse is answer for outputs and checks, flow for outputs of modules whose callers
// want more than to show them, and plain for anything else.
func (r *rewriter) blockExpressionUse() expressionUse {
	switch r.it.block.Type {
	case "check":
		return computedAllowed
	case "output":
		return r.m.outputUse(r.it)
	}
	return plain
}

// conditionOrOutputBody rewrites the expressions of an output, a check or a condition.
func (r *rewriter) conditionOrOutputBody(body *hclsyntax.Body, u expressionUse) {
	whole := r.it.block.Type == "output" && r.m.findKindOfIDOutput(r.it) != nil
	r.intoSecret = r.it.block.Type == "output" && r.it.isDeclaredSensitive()
	for _, a := range attrsInSourceOrder(body) {
		switch {
		case a.Name == "depends_on" || a.Name == "ephemeral":
			r.remove(a.SrcRange)
		case a.Name == "value" && whole:
			r.expression(a.Expr, wantsObject, nil)
		case a.Name == "value" && r.it.block.Type == "output" && r.mod != r.m.root:
			r.valueExpression(a.Expr, r.it)
		case a.Name == "value" && r.it.block.Type == "output":
			r.noteWholes(a.Expr)
			r.expression(a.Expr, u, nil)
		default:
			r.expression(a.Expr, u, nil)
		}
	}
	for _, nested := range body.Blocks {
		if nested.Type == "data" {
			r.refuse(nested.TypeRange, "Data blocks stand beside the check, not in it. Move it to the top level of the file.")
		}
		r.conditionOrOutputBody(nested.Body, u)
	}
}

// rewriteResourceType rewrites the address of a resource, perhaps in modules.
func (r *rewriter) rewriteResourceType(t hcl.Traversal) {
	for i, step := range t {
		k := r.m.byType[addr.RootOrAttrName(step)]
		if k == nil || i > 0 && addr.RootOrAttrName(t[i-1]) == "module" {
			continue
		}
		if i == 0 {
			r.replace(step.SourceRange(), k.Name)
		} else {
			r.replace(step.SourceRange(), "."+k.Name)
		}
		return
	}
}

// addressedResourceType is the type of the resource that an address leads to; "": none.
func addressedResourceType(t hcl.Traversal) string {
	names := namesInTraversal(t)
	for len(names) > 2 && names[0] == "module" {
		names = names[2:]
	}
	return names[0]
}

// dependsOn keeps what is carried over of a list of addresses.
func (r *rewriter) dependsOn(a *hclsyntax.Attribute) {
	var kept []string
	list, _ := a.Expr.(*hclsyntax.TupleConsExpr)
	if list == nil {
		r.refuse(a.SrcRange, "Its depends_on is no list.")
		return
	}
	for _, e := range list.Exprs {
		for _, t := range e.Variables() {
			it := r.mod.findReferencedItem(t)
			switch {
			case it == nil || it.fate != carried || it.block.Type == "data":
			case it.block.Type == "module":
				kept = append(kept, it.referenceName)
			case it.kind != nil:
				kept = append(kept, it.kind.Name+"."+it.block.Labels[1])
			}
		}
	}
	if len(kept) == 0 {
		r.remove(a.SrcRange)
		return
	}
	r.replace(a.Expr.Range(), "["+strings.Join(kept, ", ")+"]")
}

// terraformBlock makes the b2form block of a terraform block. Terraform heeds backends of the root
// module alone.
func (r *rewriter) terraformBlock() {
	b := r.it.block
	var text string
	if r.mod == r.m.root && r.mod.holdsB2 {
		for _, nested := range b.Body.Blocks {
			if nested.Type == "backend" || nested.Type == "cloud" {
				text += r.backendBlockOrComment(nested)
			}
		}
	}
	if text == "" {
		r.it.fate = dropped
		return
	}
	r.edits = []edit{{b.TypeRange.Start.Byte, b.CloseBraceRange.End.Byte, strings.TrimSuffix(text, "\n")}}
}

// backendBlockOrComment is the b2form block with the nearest of ours, or a comment that says why there is
// none; "": the state is in a file there as here. Arguments stay out of the comment, since
// they may be secrets.
func (r *rewriter) backendBlockOrComment(b *hclsyntax.Block) string {
	text := func(name string) string { return literalText(b.Body.Attributes[name]) }
	name := strings.Join(b.Labels, "")
	title := b.Type
	if b.Type == "backend" {
		title += " " + quoted(name)
	}
	place := r.it.file.place(blockRange(b), title, "")
	if name != "local" || b.Body.Attributes["path"] != nil && text("path") != "terraform.tfstate" {
		r.m.result.RemoteState = place
	}
	place.Remark = "b2form does not have it, and keeps the state in a file. To share the state, keep it in a bucket: backend \"b2\"."
	switch name {
	case "local":
		return ""
	case "http":
		place.Remark = "At this address the state of b2form would overwrite that of Terraform. Write backend \"http\" with another " +
			"address; until then the state is kept in a file."
	case "pg":
		place.Remark = "Write backend \"postgres\" with a name for the state; until then it is kept in a file."
	case "s3":
		if strings.Contains(r.it.file.nativeTextAt(blockRange(b)), "backblazeb2.com") && text("bucket") != "" {
			prefix := cmp.Or(strings.TrimSuffix(text("key"), ".tfstate"), "b2form")
			r.m.result.KeepsStateInBucket = true
			return blockText("b2form", "  backend \"b2\" {\n    bucket = "+quoted(text("bucket"))+"\n    prefix = "+quoted(prefix+"/")+
				"\n  }\n")
		}
		place.Remark = "It does not say that its bucket is at B2. If it is, write backend \"b2\" with the bucket; until then the state " +
			"is kept in a file."
	}
	r.m.notCarriedThisRound = append(r.m.notCarriedThisRound, place)
	return "# Not carried over: " + visible.EscapeLine(title+": "+place.Remark) + "\n"
}

// data rewrites a data block.
func (r *rewriter) data() {
	form := b2formDataType(r.it.block.Labels[0])
	r.replace(r.it.block.LabelRanges[0], `"`+form+`"`)
	r.repetition()
	for _, a := range attrsInSourceOrder(r.it.block.Body) {
		switch {
		case slices.Contains([]string{"for_each", "count"}, a.Name):
		case a.Name == "provider" || a.Name == "depends_on" || isFalse(a):
			r.remove(a.SrcRange)
		case form == "files" && a.Name == "folder_name":
			r.folderNameToPrefix(a)
		case form == "files" && a.Name == "recursive":
			r.remove(a.SrcRange)
		case r.it.kind == nil || attrByTerraformName(r.it.kind.Attrs, a.Name) == nil || a.Name == "show_versions":
			r.refuse(a.SrcRange, "b2form has no "+a.Name+" in data \""+form+"\".")
		default:
			r.rewriteAttributeAs(a, attrByTerraformName(r.it.kind.Attrs, a.Name))
		}
	}
	for _, nested := range r.it.block.Body.Blocks {
		if nested.Type == "lifecycle" {
			r.self = r.it.kind
			r.unwrap(nested)
			for _, c := range nested.Body.Blocks {
				r.conditionOrOutputBody(c.Body, computedAllowed)
			}
			continue
		}
		r.remove(blockRange(nested))
	}
	if form == "files" && !isTrue(r.it.block.Body.Attributes["recursive"]) {
		r.insertBefore(r.it.block.CloseBraceRange, "delimiter = \"/\"\n")
	}
}

// folderNameToPrefix writes the name of a folder as what the names in it begin with.
func (r *rewriter) folderNameToPrefix(a *hclsyntax.Attribute) {
	_, constant := nonNullLiteral(a.Expr)
	switch name := literalText(a); {
	case !constant:
		r.refuse(a.SrcRange, "Its folder_name is an expression. Write name_prefix, which ends in a slash.")
	case name == "":
		r.remove(a.SrcRange)
	default:
		r.replace(a.SrcRange, "name_prefix = "+quoted(strings.TrimSuffix(name, "/")+"/"))
	}
}

// rewriteAttributeAs gives an attribute its name here.
func (r *rewriter) rewriteAttributeAs(a *hclsyntax.Attribute, as *kind.Attr) {
	r.replace(a.NameRange, as.Name)
	r.expression(a.Expr, useOf(as), nil)
}

// useOf is where an expression stands that sets an attribute.
func useOf(a *kind.Attr) expressionUse {
	if a.Link.RefKind != "" {
		return wantsObject
	}
	return plain
}

func isTrue(a *hclsyntax.Attribute) bool { return isConstant(a, cty.True) }

func isFalse(a *hclsyntax.Attribute) bool { return isConstant(a, cty.False) }

// isConstant reports whether an attribute is there and is written as a value.
func isConstant(a *hclsyntax.Attribute, value cty.Value) bool {
	if a == nil {
		return false
	}
	v, constant := nonNullLiteral(a.Expr)
	return constant && v.RawEquals(value)
}
