package terraform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// A bodyRewriter writes the body of a resource anew.
type bodyRewriter struct {
	*rewriter
	kind  *kind.Kind
	scope *scope // inside of dynamic blocks
}

// topAttribute rewrites an attribute of the resource itself.
func (b *bodyRewriter) topAttribute(a *hclsyntax.Attribute) {
	switch {
	case a.Name == "for_each" || a.Name == "count":
	case a.Name == "provider":
		b.remove(a.SrcRange)
	case a.Name == "depends_on":
		b.dependsOn(a)
	case b.kind.Credential != nil && a.Name == "bucket_id":
		b.bucketIDAsList(a)
	case b.kind.Credential != nil && a.Name == "bucket_ids":
		b.bucketList(a)
	default:
		b.attribute(a, b.kind.Attrs)
	}
}

// attribute rewrites an attribute as one of attrs.
func (b *bodyRewriter) attribute(a *hclsyntax.Attribute, attrs []kind.Attr) {
	as := attrByTerraformName(attrs, a.Name)
	switch {
	case as == nil || as.Computed:
		b.refuse(a.NameRange, "b2form has no "+a.Name+" of "+b.kind.Plural+".")
		return
	case isNull(a.Expr):
		b.remove(a.SrcRange)
		return
	case as.Type == cty.Number && as.Default == cty.NilVal && !as.Required:
		if !b.zeroAsNull(a) {
			return
		}
	}
	b.replace(a.NameRange, as.Name)
	if as.Secret {
		b.secretExpression(a.Expr, useOf(as), b.scope)
		return
	}
	leavesNullsOut := as.Type.IsMapType() && b.mayHoldNull(a.Expr, 0) && !b.mayBeNull(a.Expr, 0)
	if leavesNullsOut { // as Terraform does
		b.insertBefore(a.Expr.Range(), "{ for name, value in ")
	}
	b.expression(a.Expr, useOf(as), b.scope)
	if leavesNullsOut {
		b.insertAfter(a.Expr.Range(), " : name => value if value != null }")
	}
}

// zeroAsNull writes a number of which 0 means none there; false: nothing is left.
func (b *bodyRewriter) zeroAsNull(a *hclsyntax.Attribute) (remains bool) {
	v, constant := nonNullLiteral(a.Expr)
	switch {
	case constant && v.Type() == cty.Number && v.Equals(cty.Zero).True():
		b.remove(a.SrcRange)
		return false
	case constant || !b.m.state.mayHaveValueOrNull(b.it, a.Name, "0"):
		return true
	}
	at := a.Expr.Range()
	text := b.it.file.nativeTextAt(at)
	if _, simple := a.Expr.(*hclsyntax.ScopeTraversalExpr); !simple {
		text = "(" + text + ")"
	}
	b.insertBefore(at, text+" == 0 ? null : ")
	for _, t := range a.Expr.Variables() { // the copy of the text would keep names of theirs
		if r := t.RootName(); r != "var" && r != "each" && r != "local" && r != "count" && b.scope.find(r) == nil {
			b.refuse(at, "Its "+a.Name+" may be 0, which here is written by leaving it out.")
		}
	}
	return true
}

func isNull(e hclsyntax.Expression) bool {
	v, diags := e.Value(nil)
	return !diags.HasErrors() && v.IsNull()
}

// bucketIDAsList writes the one bucket of a key as a list.
func (b *bodyRewriter) bucketIDAsList(a *hclsyntax.Attribute) {
	if v, constant := nonNullLiteral(a.Expr); isNull(a.Expr) || constant && v.Type() == cty.String && v.AsString() == "" {
		b.remove(a.SrcRange)
		return
	}
	as := b.kind.FindAttr("buckets")
	b.replace(a.NameRange, as.Name)
	at := a.Expr.Range()
	e := a.Expr
	if c, ok := e.(*hclsyntax.ConditionalExpr); ok { // each result by itself
		b.expression(c.Condition, plain, nil)
		for _, result := range []hclsyntax.Expression{c.TrueResult, c.FalseResult} {
			if isNull(result) {
				continue
			}
			at := result.Range()
			b.insertBefore(at, "[")
			b.bucketID(result)
			b.insertAfter(at, "]")
		}
		return
	}
	before, after := "[", "]"
	switch t, simple := e.(*hclsyntax.ScopeTraversalExpr); {
	case !b.mayBeNull(e, 0):
	case simple && (t.Traversal.RootName() == "var" || t.Traversal.RootName() == "local"):
		before = b.it.file.nativeTextAt(at) + " == null ? null : ["
	default: // no bucket is null here, and a list of none is an error
		before, after = "one([for bucket in [", "] : [bucket] if bucket != null])"
	}
	b.insertBefore(at, before)
	b.bucketID(e)
	b.insertAfter(at, after)
}

// mayBeNull reports whether an expression may be null by what it says: a function gives that, or a variable may be left out.
func (b *bodyRewriter) mayBeNull(e hclsyntax.Expression, depth int) bool {
	if isNull(e) {
		return true
	}
	switch e := e.(type) {
	case *hclsyntax.FunctionCallExpr:
		return e.Name == "one" || slices.ContainsFunc(e.Args, func(a hclsyntax.Expression) bool { return b.mayBeNull(a, depth) })
	case *hclsyntax.ConditionalExpr:
		return b.mayBeNull(e.TrueResult, depth) || b.mayBeNull(e.FalseResult, depth)
	case *hclsyntax.ParenthesesExpr:
		return b.mayBeNull(e.Expression, depth)
	case *hclsyntax.ScopeTraversalExpr:
		switch it := b.mod.findReferencedItem(e.Traversal); {
		case it == nil || depth > maxDepth || len(e.Traversal) != 2:
		case it.localAttr != nil:
			return b.mayBeNull(it.localAttr.Expr, depth+1)
		case it.block.Type == "variable" && it.block.Body.Attributes["default"] != nil:
			return isNull(it.block.Body.Attributes["default"].Expr)
		}
	}
	return false
}

// mayHoldNull reports whether a map may have elements that are null by what it says.
func (b *bodyRewriter) mayHoldNull(e hclsyntax.Expression, depth int) bool {
	switch e := e.(type) {
	case *hclsyntax.ObjectConsExpr:
		return slices.ContainsFunc(e.Items, func(i hclsyntax.ObjectConsItem) bool { return b.mayBeNull(i.ValueExpr, depth) })
	case *hclsyntax.ForExpr:
		return e.CondExpr == nil && b.mayBeNull(e.ValExpr, depth)
	case *hclsyntax.FunctionCallExpr:
		return slices.ContainsFunc(e.Args, func(a hclsyntax.Expression) bool { return b.mayHoldNull(a, depth) })
	case *hclsyntax.ConditionalExpr:
		return b.mayHoldNull(e.TrueResult, depth) || b.mayHoldNull(e.FalseResult, depth)
	case *hclsyntax.ParenthesesExpr:
		return b.mayHoldNull(e.Expression, depth)
	case *hclsyntax.ScopeTraversalExpr:
		switch it := b.mod.findReferencedItem(e.Traversal); {
		case it == nil || depth > maxDepth || len(e.Traversal) != 2:
		case it.localAttr != nil:
			return b.mayHoldNull(it.localAttr.Expr, depth+1)
		case it.block.Type == "variable":
			byDefault, typ := it.block.Body.Attributes["default"], it.block.Body.Attributes["type"]
			return byDefault != nil && b.mayHoldNull(byDefault.Expr, depth+1) ||
				typ != nil && strings.Contains(it.file.nativeTextAt(typ.Expr.Range()), "optional(")
		}
	}
	return false
}

// bucketID rewrites one bucket in a key: the ID of one that the state knows becomes its
// name.
func (b *bodyRewriter) bucketID(e hclsyntax.Expression) {
	if v, constant := nonNullLiteral(e); constant && v.Type() == cty.String {
		name := b.m.state.findBucketName(v.AsString())
		if name == "" {
			b.refuse(e.Range(), fmt.Sprintf("It names a bucket by its ID, %q, which the state does not know. Write the bucket's name.",
				v.AsString()))
			return
		}
		b.replace(e.Range(), quoted(name))
		return
	}
	b.expression(e, wantsObject, nil)
}

// bucketList writes the buckets of a key; an empty list means all of them there.
func (b *bodyRewriter) bucketList(a *hclsyntax.Attribute) {
	as := b.kind.FindAttr("buckets")
	list, isList := a.Expr.(*hclsyntax.TupleConsExpr)
	switch {
	case isNull(a.Expr) || isList && len(list.Exprs) == 0:
		b.remove(a.SrcRange)
		return
	case isList:
		for _, e := range list.Exprs {
			b.bucketID(e)
		}
	default:
		t, simple := a.Expr.(*hclsyntax.ScopeTraversalExpr)
		if simple && b.mod.findReferencedItem(t.Traversal) != nil && b.m.state.mayHaveValueOrNull(b.it, a.Name, "[]") {
			at := a.Expr.Range()
			b.insertBefore(at, "length("+b.it.file.nativeTextAt(at)+") == 0 ? null : ")
		}
		b.expression(a.Expr, wantsObject, nil)
	}
	b.replace(a.NameRange, as.Name)
}

// block rewrites a nested block as one of attrs.
func (b *bodyRewriter) block(nested *hclsyntax.Block, attrs []kind.Attr) {
	name, body, outer := nested.Type, nested.Body, b.scope
	defer func() { b.scope = outer }()
	if name == "dynamic" && len(nested.Labels) == 1 {
		if name, body = nested.Labels[0], b.dynamic(nested, attrs); body == nil {
			return
		}
	}
	as := attrByTerraformName(attrs, name)
	switch {
	case name == "file_lock_configuration" && nested.Type != "dynamic" && b.kind.FindAttr("default_retention") != nil:
		b.fileLock(nested)
		return
	case name == "file_lock_configuration" && b.kind.FindAttr("default_retention") != nil:
		b.refuseDynamic(nested, name, "file_lock_enabled = condition ? true : null and default_retention")
		return
	case as == nil || as.Object == nil:
		b.refuse(nested.TypeRange, "b2form has no block "+name+" here.")
		return
	case nested.Type != "dynamic":
		b.replace(nested.TypeRange, as.Name)
	case !as.Many:
		b.refuseDynamic(nested, name, as.Name)
	}
	if e := attrByTerraformName(as.Object, "mode"); e != nil && as.KeepLive && literalText(body.Attributes["mode"]) == "none" {
		b.refuse(nested.TypeRange, "B2 encrypts everything now and refuses the mode none. Leave "+name+" out.")
	}
	for _, a := range attrsInSourceOrder(body) {
		b.attribute(a, as.Object)
	}
	for _, inner := range body.Blocks {
		hints := b.kind.Terraform.Hints
		known := func(h kind.TerraformArgHint) bool { return h.InNestedBlock && h.Name == inner.Type }
		if i := slices.IndexFunc(hints, known); i >= 0 {
			b.refuse(inner.TypeRange, hints[i].Advice)
			continue
		}
		b.block(inner, as.Object)
	}
}

// dynamic rewrites the beginning of a dynamic block and gives what it holds; nil: it has
// no content.
func (b *bodyRewriter) dynamic(d *hclsyntax.Block, attrs []kind.Attr) (content *hclsyntax.Body) {
	s := &scope{boundName: d.Labels[0], up: b.scope}
	as := attrByTerraformName(attrs, d.Labels[0])
	if as != nil && as.Object != nil {
		b.replace(d.LabelRanges[0], `"`+as.Name+`"`)
		if as.Name != d.Labels[0] {
			s.newName = as.Name
		}
	}
	for _, a := range attrsInSourceOrder(d.Body) {
		switch a.Name {
		case "for_each":
			s.boundType.members = map[string]referentType{"value": b.typeOf(a.Expr, b.scope).anyElement()}
			if as != nil && handsToSecret(d, as.Object) {
				b.secretExpression(a.Expr, plain, b.scope)
			} else {
				b.elementwise(a.Expr, plain, b.scope)
			}
		case "iterator":
			s.boundName = hcl.ExprAsKeyword(a.Expr)
			if s.newName = b.nameIfShadowing(s.boundName, b.it.refs); s.newName != "" {
				b.replace(a.Expr.Range(), s.newName)
			}
		default:
			b.refuse(a.NameRange, "b2form has no "+a.Name+" in a dynamic block.")
		}
	}
	for _, nested := range d.Body.Blocks {
		if nested.Type == "content" {
			content = nested.Body
		}
	}
	if content == nil {
		b.refuse(d.TypeRange, "Its dynamic block has no content.")
	}
	b.scope = s
	return content
}

// refuseDynamic refuses a dynamic block in place of one that stands at most once, and is an argument here.
func (b *bodyRewriter) refuseDynamic(d *hclsyntax.Block, name, argument string) {
	b.refuse(d.TypeRange, "A "+name+" block stands at most once, and b2form makes it for no collection. Assign it: "+argument+
		" = condition ? { … } : null.")
}

// handsToSecret reports whether a dynamic block makes a secret of what it iterates over.
func handsToSecret(dynamic *hclsyntax.Block, attrs []kind.Attr) bool {
	name := dynamic.Labels[0]
	if a := dynamic.Body.Attributes["iterator"]; a != nil {
		name = hcl.ExprAsKeyword(a.Expr)
	}
	return slices.ContainsFunc(dynamic.Body.Blocks, func(content *hclsyntax.Block) bool {
		return isInSecretOf(content.Body, attrs, name)
	})
}

// isInSecretOf reports whether a secret of a block is made from what an iterator is at.
func isInSecretOf(body *hclsyntax.Body, attrs []kind.Attr, iterator string) bool {
	reads := func(a *hclsyntax.Attribute) bool {
		return a != nil && slices.ContainsFunc(a.Expr.Variables(), func(t hcl.Traversal) bool { return t.RootName() == iterator })
	}
	for name, a := range body.Attributes {
		if as := attrByTerraformName(attrs, name); as != nil && as.Secret && reads(a) {
			return true
		}
	}
	return slices.ContainsFunc(body.Blocks, func(b *hclsyntax.Block) bool {
		name := b.Type
		if name == "dynamic" && len(b.Labels) == 1 {
			name = b.Labels[0]
		}
		as := attrByTerraformName(attrs, name)
		switch {
		case as == nil:
			return false
		case b.Type != "dynamic":
			return isInSecretOf(b.Body, as.Object, iterator)
		}
		return handsToSecret(b, as.Object) && reads(b.Body.Attributes["for_each"]) ||
			slices.ContainsFunc(b.Body.Blocks, func(content *hclsyntax.Block) bool {
				return isInSecretOf(content.Body, as.Object, iterator)
			})
	})
}

// fileLock writes what a file_lock_configuration holds directly into the bucket.
func (b *bodyRewriter) fileLock(lock *hclsyntax.Block) {
	b.unwrap(lock)
	if a := lock.Body.Attributes["is_file_lock_enabled"]; a != nil {
		if isFalse(a) {
			b.remove(a.SrcRange)
		} else {
			b.replace(a.NameRange, "file_lock_enabled")
			b.expression(a.Expr, plain, nil)
		}
	}
	retention := b.kind.FindAttr("default_retention")
	for _, nested := range lock.Body.Blocks {
		switch {
		case nested.Type == "dynamic" && len(nested.Labels) == 1:
			b.refuseDynamic(nested, nested.Labels[0], retention.Name)
			continue
		case nested.Type != retention.Name:
			b.refuse(nested.TypeRange, "b2form has no block "+nested.Type+" here.")
			continue
		}
		if literalText(nested.Body.Attributes["mode"]) == "none" {
			b.remove(blockRange(nested))
			continue
		}
		for _, a := range attrsInSourceOrder(nested.Body) {
			b.attribute(a, retention.Object)
		}
		for _, period := range nested.Body.Blocks {
			if period.Type == "dynamic" {
				b.refuseDynamic(period, "period", retention.Name)
			}
			b.unwrap(period)
			for _, a := range attrsInSourceOrder(period.Body) {
				b.attribute(a, retention.Object)
			}
		}
	}
}

// lifecycle writes what a lifecycle block holds directly into the resource.
func (b *bodyRewriter) lifecycle(l *hclsyntax.Block) {
	b.unwrap(l)
	for _, a := range attrsInSourceOrder(l.Body) {
		switch a.Name {
		case "prevent_destroy":
			b.expression(a.Expr, plain, nil)
		case "ignore_changes":
			b.ignoreChanges(a)
		case "create_before_destroy":
			b.remove(a.SrcRange)
		default:
			b.remove(a.SrcRange)
			b.m.noteChangedMeaning(b.it.file.place(a.SrcRange, b.it.title(),
				"b2form has no "+a.Name+". A key renews itself with rotate { every = "+
					"\"90d\" }; apply -replace=ADDRESS makes one anew."))
		}
	}
	for _, nested := range l.Body.Blocks {
		b.conditionOrOutputBody(nested.Body, computedAllowed)
	}
}

// ignoreChanges rewrites the names in ignore_changes. b2form ignores whole arguments, so what names a part of one, as
// bucket_info["owner"], becomes the argument.
func (b *bodyRewriter) ignoreChanges(a *hclsyntax.Attribute) {
	written := map[string]bool{}
	for _, t := range a.Expr.Variables() {
		name, as := "", attrByTerraformName(b.kind.Attrs, t.RootName())
		switch {
		case t.RootName() == "all":
			continue
		case t.RootName() == "bucket_id" && b.kind.Credential != nil:
			name = "buckets"
		case t.RootName() == "file_lock_configuration":
			name = "file_lock_enabled, default_retention"
		case as == nil || as.Computed:
			b.refuse(t.SourceRange(), "b2form has no "+t.RootName()+" of "+b.kind.Plural+" to ignore.")
			continue
		default:
			name = as.Name
		}
		b.replace(t.SourceRange(), name)
		if len(t) > 1 && !written[name] {
			b.m.noteChangedMeaning(b.it.file.place(t.SourceRange(), b.it.title(),
				"b2form ignores changes of a whole argument only: ignore_changes has "+name+"."))
		}
		written[name] = true
	}
}
