package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// generateOrDeclare is what to do about an import of what nobody declares.
const generateOrDeclare = "Declare it, or let \"b2form plan -generate-config-out=new.b2.hcl\" write the block."

// evaluateImports reads the import blocks.
func (l *module) evaluateImports() {
	declaredAt := map[addr.Addr]hcl.Range{}
	if len(l.imports) > 0 {
		l.declaredForImports = l.config.ResourcesByAddr()
	}
	for _, b := range l.imports {
		if content, complete := l.readContent(b, syntax.FindFixedBlock(b.Type)); complete {
			l.evaluateImport(b, content.Attributes, declaredAt)
		}
	}
}

// evaluateImport evaluates one block, once for each element of for_each.
func (l *module) evaluateImport(b *hcl.Block, args hcl.Attributes, importedAt map[addr.Addr]hcl.Range) {
	to := nativeAddressExpr(args["to"].Expr)
	id, ok := l.importIDExpr(b, args)
	if !ok {
		return
	}
	var forEach hcl.Expression
	rs := refs{}
	u := allowedRefs{}
	if a := args["for_each"]; a != nil {
		forEach, u.each = a.Expr, true
		rs = l.resolve(forEach.Variables(), allowedRefs{})
	}
	variables := id.Variables()
	for _, key := range nonConstantInstanceKeys(to) {
		variables = append(variables, key.Variables()...)
	}
	more := l.resolve(variables, u)
	rs.list, rs.invalidRoots = append(rs.list, more.list...), append(rs.invalidRoots, more.invalidRoots...)
	ctx := l.staticScope.context(rs, l.baseContext)
	repeats, _, ok := l.expandRepetitions(forEach, nil, ctx)
	if !ok {
		return
	}
	for _, rep := range repeats {
		inner := rep.context(ctx, rs.invalidRoots)
		addr, ok := l.evalImportAddr(to, inner)
		if !ok {
			continue
		}
		if at, has := importedAt[addr]; has {
			l.errorAt(to.Range(), "Duplicate import", fmt.Sprintf("%s is imported already at %s.", addr, at))
			continue
		}
		importedAt[addr] = b.DefRange
		imp := config.Import{To: addr, Range: b.DefRange}
		if args["ids"] == nil {
			imp.IDOrIdentity, ok = l.evalImportID(id, inner, addr.Kind)
		} else {
			imp.SiblingIDsOrIdentities, ok = l.evalImportIDs(id, inner, addr.Kind)
		}
		if ok {
			l.config.Imports = append(l.config.Imports, imp)
		}
	}
}

// importIDExpr is the one of id and ids that is given.
func (l *module) importIDExpr(b *hcl.Block, args hcl.Attributes) (expr hcl.Expression, ok bool) {
	id, ids := args["id"], args["ids"]
	switch {
	case id != nil && ids != nil:
		l.errorAt(ids.Range, "Invalid import", "Write either id, or ids for all live keys of one rotation, not both.")
	case id != nil:
		return id.Expr, true
	case ids != nil:
		return ids.Expr, true
	default:
		l.errorAt(b.DefRange, "Missing required argument", "An import block needs id, the name or the ID of what exists; or ids, for "+
			"all live keys of one rotation.")
	}
	return nil, false
}

// evalImportAddr is the address of one declared resource.
func (l *module) evalImportAddr(to hcl.Expression, ctx *hcl.EvalContext) (target addr.Addr, ok bool) {
	if len(nonConstantInstanceKeys(to)) == 0 {
		return l.constantImportAddr(to)
	}
	t, ok := l.evalAddress(to, ctx)
	if !ok {
		return addr.Addr{}, false
	}
	target, isAddr := addr.TargetFromTraversal(t)
	if !isAddr || target.Kind == "" {
		l.errorAt(to.Range(), "Invalid import", "to needs the address of a resource, as bucket.logs[each.key] or "+
			"module.site[each.key].bucket.logs.")
		return target, false
	}
	return target, l.checkImportDeclared(target, to.Range())
}

// evalImportValue evaluates id or ids.
func (l *module) evalImportValue(e hcl.Expression, ctx *hcl.EvalContext) (value cty.Value, ok bool) {
	v, marks := l.staticScope.eval(e, ctx).UnmarkDeep()
	if !v.IsWhollyKnown() {
		l.reportUnknownUnlessPending(l.report, e.Range(), marks)
		return v, false
	}
	if marks.Has(kind.Sensitive) {
		l.errorAt(e.Range(), "Sensitive id", "id is shown in plans, so it cannot come from a sensitive value. Use nonsensitive() where "+
			"that is harmless.")
		return v, false
	}
	return v, true
}

func (l *module) evalImportIDs(e hcl.Expression, ctx *hcl.EvalContext, kindName string) (ids []string, ok bool) {
	v, ok := l.evalImportValue(e, ctx)
	if !ok {
		return nil, false
	}
	list, err := convert.Convert(v, cty.List(cty.String))
	if err != nil {
		l.errorAt(e.Range(), wrongType, "ids needs a list of strings.")
		return nil, false
	}
	if !list.IsNull() {
		for _, id := range list.AsValueSlice() {
			if id.IsNull() || strings.TrimSpace(id.AsString()) == "" {
				ids = nil
				break
			}
			ids = append(ids, id.AsString())
		}
	}
	if len(ids) == 0 {
		l.errorAt(e.Range(), "Invalid import", fmt.Sprintf("ids is empty, or has an empty element. Write the name or the ID of every "+
			"live %s.", kindName))
	}
	return ids, len(ids) > 0
}

func (l *module) evalImportID(e hcl.Expression, ctx *hcl.EvalContext, kindName string) (text string, ok bool) {
	v, ok := l.evalImportValue(e, ctx)
	if !ok {
		return "", false
	}
	id, err := convert.Convert(v, cty.String)
	switch {
	case err != nil:
		l.errorAt(e.Range(), wrongType, "id needs a string.")
		return "", false
	case id.IsNull() || strings.TrimSpace(id.AsString()) == "":
		l.errorAt(e.Range(), "Invalid import", fmt.Sprintf("id is empty. Write the name or the ID of the live %s.", kindName))
		return "", false
	}
	return id.AsString(), true
}

// constantImportAddr reads the address of one declared resource.
func (l *module) constantImportAddr(e hcl.Expression) (target addr.Addr, ok bool) {
	t, diags := hcl.AbsTraversalForExpr(e)
	if !diags.HasErrors() && t.RootName() == "module" {
		return l.moduleImportAddr(t)
	}
	if !diags.HasErrors() {
		if why := l.terraformReferenceAdvice(t, allowedRefs{}); why != "" {
			l.errorAt(e.Range(), "Invalid import", why)
			return addr.Addr{}, false
		}
	}
	if diags.HasErrors() || l.kinds[t.RootName()] == nil || len(t) < 2 || len(t) > 3 || addr.RootOrAttrName(t[1]) == "" {
		l.errorAt(e.Range(), "Invalid import", "to needs the address of a resource, as bucket.photos or bucket.logs[\"edge\"].")
		return addr.Addr{}, false
	}
	at := blockName{t.RootName(), addr.RootOrAttrName(t[1])}
	undeclared, isAddr := addr.TargetFromTraversal(t)
	switch {
	case !isAddr || l.blocks[at] != nil:
	case l.AllowUndeclaredImports:
		return undeclared, true
	case len(t) == 2:
		l.reportUndeclared(t, at.kind, l.labelsOfKind(at.kind), generateOrDeclare)
		return addr.Addr{}, false
	}
	r := l.resolveRef(t, allowedRefs{computed: true})
	if r.isInvalid {
		return addr.Addr{}, false
	}
	b := r.node.block
	why := ""
	switch {
	case len(t) == 3 && !r.hasConstantKey:
		why = "to needs the address of a resource, without an attribute."
	case len(t) == 2 && b.isRepeated():
		why = fmt.Sprintf("%s has several instances; name the one to import, as %s[…].", b.addr, b.addr)
	case !b.node.notEvaluated && b.findInstance(r.instanceKey) == nil:
		why = fmt.Sprintf("%s has no instance %s.", b.addr, r.instanceKey)
	}
	if why != "" {
		l.errorAt(e.Range(), "Invalid import", why)
		return addr.Addr{}, false
	}
	addr := b.addr
	addr.Instance = r.instanceKey
	return addr, !b.node.notEvaluated
}

// moduleImportAddr reads the address of one declared resource of a module.
func (l *module) moduleImportAddr(t hcl.Traversal) (target addr.Addr, ok bool) {
	addr, ok := addr.TargetFromTraversal(t)
	if !ok || addr.Kind == "" {
		l.errorAt(t.SourceRange(), "Invalid import", "to needs the address of a resource, as module.site.bucket.photos.")
		return addr, false
	}
	return addr, l.checkImportDeclared(addr, t.SourceRange())
}

// checkImportDeclared reports an address at which nothing is declared, where that is an error.
func (l *module) checkImportDeclared(target addr.Addr, at hcl.Range) (ok bool) {
	if l.declaredForImports[target] != nil {
		return true
	}
	if l.AllowUndeclaredImports {
		return !slices.ContainsFunc(l.config.AddrsWithUnknownInstances, func(undecided addr.Addr) bool { return undecided.Covers(target) })
	}
	if !l.hasErrors && !l.toleratesUnknown() { // else it may be among what could not be evaluated
		l.errorAt(at, "Undeclared reference", fmt.Sprintf("No resource has the address %s. Declare it, or correct the address.", target))
	}
	return false
}
