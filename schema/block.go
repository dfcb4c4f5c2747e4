package schema

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/parse"
	"b2form/schema/syntax"
)

// A block is one resource block as it is written, and what became of it.
type block struct {
	node  *node
	addr  addr.Addr // without an instance
	kind  *kind.Kind
	place hcl.Range
	body  hcl.Body

	forEach, count   hcl.Expression // at most one is set
	preventDestroy   hcl.Expression
	preventDestroyAt hcl.Range
	dependsOn        hcl.Expression
	ignoreChanges    []string
	policyExceptions hcl.Expression
	deliverBlocks    []*hcl.Block
	preconditions    []*condition
	postconditions   []*condition

	dependsOnRefs []ref      // what depends_on names
	ownAttrs      attrFilter // what its own node evaluates; nil: all
	writtenArgs   *bodyArgs
	resources     []*config.Resource // sorted by instance
	repetitions   []repetition       // beside resources
	// unfinished are the evaluations, beside resources, that wait for links.
	unfinished []*evaluation
}

func (b *block) isRepeated() bool { return b.forEach != nil || b.count != nil }

// instance finds one resource of the block; nil: there is none.
func (b *block) instance(at addr.InstanceKey) *config.Resource {
	of := b.addr
	of.Instance = at
	i, found := slices.BinarySearchFunc(b.resources, of, func(r *config.Resource, a addr.Addr) int { return r.Addr.Compare(a) })
	if !found {
		return nil
	}
	return b.resources[i]
}

// readMeta reads what every resource understands.
func (l *module) readMeta(b *block) {
	content, _, diags := b.body.PartialContent(l.shared.metaSchema)
	l.add(diags...)
	expr := func(name string) hcl.Expression {
		if a := content.Attributes[name]; a != nil {
			return a.Expr
		}
		return nil
	}
	b.forEach, b.count = expr("for_each"), expr("count")
	if b.forEach != nil && b.count != nil {
		l.errorAt(content.Attributes["count"].NameRange, "for_each and count at once", "A block is repeated by for_each or by count. "+
			"Remove one of them.")
		b.count = nil
	}
	b.preventDestroy, b.dependsOn = expr("prevent_destroy"), expr("depends_on")
	if a := content.Attributes["prevent_destroy"]; a != nil {
		b.preventDestroyAt = a.Range
	}
	b.policyExceptions = expr("policy_exceptions")
	if e := expr("ignore_changes"); e != nil {
		b.ignoreChanges = l.readIgnoreChanges(b.kind, e)
	}
	for _, d := range content.Blocks {
		if d.Type == "deliver" && b.kind.YieldsSecret() {
			b.deliverBlocks = append(b.deliverBlocks, d)
		}
	}
	b.preconditions = l.readConditions(precondition, content.Blocks, syntax.Resource())
	b.postconditions = l.readConditions(postcondition, content.Blocks, syntax.Resource())
}

// readIgnoreChanges reads a list of attribute names, bare or in quotes.
func (l *module) readIgnoreChanges(k *kind.Kind, e hcl.Expression) []string {
	if word, ok := word(e); ok && word == "all" {
		all := slices.DeleteFunc(settableNames(k.Attrs), k.IsIdentityAttr)
		slices.Sort(all)
		return all
	}
	list, diags := hcl.ExprList(e)
	if diags.HasErrors() {
		l.errorAt(e.Range(), wrongType, "ignore_changes needs a list of argument names, as [info, cors_rules], or the word all.")
		return nil
	}
	var out []string
	for _, item := range list {
		name, _ := word(item)
		part, _ := hcl.AbsTraversalForExpr(item)
		a := k.Attr(name)
		switch {
		case len(part) > 1 && k.Attr(part.RootName()) != nil && !k.Attr(part.RootName()).Computed:
			l.errorAt(item.Range(), "Part of an argument",
				fmt.Sprintf("Only whole arguments can be ignored. Write ignore_changes = [%s].", part.RootName()))
		case a == nil || a.Computed:
			l.errorAt(item.Range(), "Unknown argument",
				fmt.Sprintf("ignore_changes needs names of arguments of a %s.%s", k.Name,
					words.DidYouMean(name, "", settableNames(k.Attrs))))
		case k.IsIdentityAttr(name):
			l.errorAt(item.Range(), "Invalid argument",
				fmt.Sprintf("A change of %s cannot be ignored: it is how the %s is found.", name, k.Name))
		default:
			out = append(out, comparedAttr(k, name))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// word is an expression that is one word, bare or in quotes.
func word(e hcl.Expression) (string, bool) {
	if name := hcl.ExprAsKeyword(e); name != "" {
		return name, true
	}
	if v, diags := parse.Constant(e); !diags.HasErrors() && isText(v) {
		return v.AsString(), true
	}
	return "", false
}

// resolveDependsOn reads a list of references to whole blocks or instances.
func (l *module) resolveDependsOn(e hcl.Expression) (after []ref, nodes []*node) {
	if e == nil {
		return nil, nil
	}
	list, diags := hcl.ExprList(e)
	if diags.HasErrors() {
		l.errorAt(e.Range(), wrongType, "depends_on needs a list of resources and modules, as [bucket.photos].")
		return nil, nil
	}
	for _, item := range list {
		t, diags := hcl.AbsTraversalForExpr(item)
		if diags.HasErrors() || l.kinds[t.RootName()] == nil && t.RootName() != "module" || len(t) < 2 || len(t) > 3 {
			l.errorAt(item.Range(), "Invalid depends_on", "depends_on needs resources or modules, as bucket.photos, without quotes and "+
				"attributes.")
			continue
		}
		before := len(l.diags)
		r := l.resolveNode(t, allowedRefs{})
		if !r.broken && len(t) == 3 && !r.indexed {
			l.errorAt(item.Range(), "Invalid depends_on", "depends_on needs resources or modules, as bucket.photos, without attributes.")
		}
		if len(l.diags) == before {
			after = append(after, r)
			nodes = append(nodes, r.node)
		}
	}
	return after, nodes
}

// most is how many instances one block may have: more is a mistake.
const most = 1_000_000

// A repetition is one instance to be.
type repetition struct {
	instanceKey addr.InstanceKey
	root        string    // "each", "count"; "" where the block is not repeated
	key         cty.Value // each.key
	value       cty.Value // each.value, or count.index
}

// object is each or count. It is made when it is needed: a hundred thousand of
// them take up more than all that is declared with them.
func (r repetition) object() cty.Value {
	if r.root == "count" {
		return cty.ObjectVal(map[string]cty.Value{"index": r.value})
	}
	pair := map[string]cty.Value{"key": r.key, "value": r.value}
	if isText(r.key) && isText(r.value) {
		return cty.MapVal(pair) // half the memory; each is never used as a whole
	}
	return cty.ObjectVal(pair)
}

// context lets expressions see each.key and each.value, or count.index, unless
// an error was reported for how they are used.
func (r repetition) context(parent *hcl.EvalContext, dead []string) *hcl.EvalContext {
	if r.root == "" || slices.Contains(dead, r.root) {
		return parent
	}
	ctx := parent.NewChild()
	ctx.Variables = map[string]cty.Value{r.root: r.object()}
	return ctx
}

// reusedContext makes one context after another, of which only the last is in use. It
// changes the same one again and again, unless a diagnostic may hold it.
type reusedContext struct {
	parent       *hcl.EvalContext
	invalidRoots []string
	*report
	last      *hcl.EvalContext
	diagCount int // diagnostics when last was made
}

func (c *reusedContext) of(r repetition) *hcl.EvalContext {
	if c.last == nil || c.last == c.parent || c.diagCount != len(c.diags) {
		c.last, c.diagCount = r.context(c.parent, c.invalidRoots), len(c.diags)
		return c.last
	}
	c.last.Variables[r.root] = r.object()
	return c.last
}

// repetitions evaluates for_each or count. marks are those of the collection
// itself: every instance depends on what they stand for. ok is false where
// there is an error.
func (l *module) repetitions(forEach, count hcl.Expression, ctx *hcl.EvalContext) (list []repetition, marks cty.ValueMarks, ok bool) {
	e := forEach
	if count != nil {
		e = count
	}
	if e == nil {
		if l.caller == nil {
			return []repetition{{}}, nil, true
		}
		over := l.shared.budget.Charge(1, l.caller.call.place) // many modules make many of what is in them
		l.add(over...)
		return []repetition{{}}, nil, over == nil
	}
	v, marks := l.collection(e, ctx)
	if marks.Has(kind.Sensitive) {
		l.errorAt(e.Range(), "Sensitive instances", "A sensitive value cannot decide which instances there are: their addresses are "+
			"shown. Use nonsensitive() where that is harmless.")
		return nil, nil, false
	}
	if count != nil {
		list, ok = l.countInstances(e, v, marks)
	} else {
		list, ok = l.forEachInstances(e, v, marks)
	}
	return list, marks, ok
}

// collection evaluates for_each or count and takes the marks off. toset(list) is
// answered with a map: going through a set of 100,000 strings takes longer than
// evaluating the block for each of them.
func (l *module) collection(e hcl.Expression, ctx *hcl.EvalContext) (unmarked cty.Value, marks cty.ValueMarks) {
	call, ok := e.(*hclsyntax.FunctionCallExpr)
	if !ok || call.Name != "toset" || len(call.Args) != 1 || call.ExpandFinal {
		return l.staticScope.eval(e, ctx).Unmark()
	}
	list, diags := l.shared.budget.Value(call.Args[0], ctx)
	list, marks = list.UnmarkDeep()
	if t := list.Type(); diags.HasErrors() || !t.IsTupleType() && !t.IsListType() || !list.IsWhollyKnown() || list.IsNull() {
		return l.staticScope.eval(e, ctx).Unmark()
	}
	keys := make(map[string]cty.Value, list.LengthInt())
	for it := list.ElementIterator(); it.Next(); {
		_, v := it.Element()
		if !isText(v) {
			return l.staticScope.eval(e, ctx).Unmark()
		}
		keys[v.AsString()] = v
	}
	if len(keys) == 0 {
		return cty.MapValEmpty(cty.String), marks
	}
	return cty.MapVal(keys), marks
}

func (l *module) countInstances(e hcl.Expression, v cty.Value, marks cty.ValueMarks) ([]repetition, bool) {
	if !v.IsKnown() {
		l.reportUnknown(l.report, e.Range(), marks)
		return nil, false
	}
	n, err := convert.Convert(v, cty.Number)
	size := int64(-1)
	if err == nil && !n.IsNull() {
		if f := n.AsBigFloat(); f.IsInt() {
			size, _ = f.Int64()
		}
	}
	if size < 0 || size > most {
		l.errorAt(e.Range(), wrongType, fmt.Sprintf("count needs a whole number from 0 to %d.", most))
		return nil, false
	}
	if over := l.shared.budget.Charge(int(size), e.Range()); over != nil {
		l.add(over...)
		return nil, false
	}
	list := make([]repetition, size)
	for i := range list {
		list[i] = repetition{instanceKey: addr.CountIndex(i), root: "count", value: cty.NumberIntVal(int64(i))}
	}
	return list, true
}

func (l *module) forEachInstances(e hcl.Expression, v cty.Value, marks cty.ValueMarks) ([]repetition, bool) {
	t := v.Type()
	set := t.IsSetType()
	switch {
	case !v.IsKnown() || set && t.ElementType() != cty.String && !v.IsWhollyKnown():
		l.reportUnknown(l.report, e.Range(), marks)
		return nil, false
	case v.IsNull():
		l.errorAt(e.Range(), wrongType, "for_each needs a map or a set of strings; this is null. Use {} for no instances.")
		return nil, false
	case t.IsTupleType() || t.IsListType():
		l.errorAt(e.Range(), wrongType, "for_each needs a map or a set of strings; this is a list. Write for_each = toset(…) to turn a "+
			"list of strings into a set.")
		return nil, false
	case !t.IsMapType() && !t.IsObjectType() && (!set || t.ElementType() != cty.String && v.LengthInt() > 0):
		l.errorAt(e.Range(), wrongType, fmt.Sprintf("for_each needs a map or a set of strings; this is %s.", words.A(t.FriendlyName())))
		return nil, false
	}
	if over := l.shared.budget.Charge(v.LengthInt(), e.Range()); over != nil {
		l.add(over...)
		return nil, false
	}
	list := make([]repetition, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		switch {
		case !key.IsKnown():
			l.reportUnknown(l.report, e.Range(), marks)
			return nil, false
		case key.IsNull():
			l.errorAt(e.Range(), wrongType, "for_each needs a set without null.")
			return nil, false
		}
		list = append(list, repetition{addr.ForEachKey(key.AsString()), "each", key, value})
	}
	slices.SortFunc(list, func(a, b repetition) int {
		return addr.Addr{Instance: a.instanceKey}.Compare(addr.Addr{Instance: b.instanceKey})
	})
	return list, true
}

// reportUnknown reports a value that is not known where a known one is needed: because
// only B2 knows it, or for no cause. One that is unknown because of an earlier error
// says nothing, nor does one that is made from a variable without a value or from
// data that was not read yet.
func (l *module) reportUnknown(r *report, at hcl.Range, marks cty.ValueMarks) {
	if summary, detail := l.unknownMessage(marks); summary != "" {
		r.errorAt(at, summary, detail)
		return
	}
	for m := range marks {
		if h, ok := m.(hiddenMark); ok {
			r.errorAt(at, "Value cannot be read", fmt.Sprintf("The credentials in use may not read %s. Use a key with the capability %s.",
				h.attr, h.capability))
			return
		}
	}
	if _, open := marks[openMark{}]; !l.failed && !open {
		r.errorAt(at, unknownSummary, "This has no value, although all that it refers to is known. Give it one.")
	}
}

// unknownMessage words the use of attributes among the marks that are not known while
// blocks are evaluated; summary is "" where there is none.
func (l *module) unknownMessage(marks cty.ValueMarks) (summary, detail string) {
	var names []string
	last := false
	for _, c := range kind.ComputedIn(cty.True.WithMarks(marks)) {
		names = append(names, c.Addr.String()+"."+c.Attr)
		last = l.kinds[c.Addr.Kind].Attr(c.Attr).IsLink()
	}
	if len(names) > 3 {
		names = append(names[:3], "others")
	}
	switch {
	case names == nil:
		return "", ""
	case last:
		return lastSummary, deferredDetail(words.List(names))
	}
	return computedSummary, computedDetail(words.List(names))
}
