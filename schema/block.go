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
	node     *node     // its place is that of the header
	addr     addr.Addr // without an instance
	kind     *kind.Kind
	end      hcl.Pos  // of the block in a file in native syntax
	jsonBody hcl.Body // nil in native syntax
	*metaArgs
	nativeDeliverRanges []hcl.Range // of the deliver blocks in native syntax

	mayHaveDeferredLinks      bool               // whether it may set attributes that are evaluated last
	referencesToResolve       []hcl.Traversal    // of the arguments, where it has no links; until they are resolved
	attrsWithoutDeferredLinks attrFilter         // what its own node evaluates; nil: all
	writtenArgs               *bodyArgs          // nil: they are read when they are needed; see argsOf
	resources                 []*config.Resource // sorted by instance
	repetitions               []repetitionData   // beside resources
	// awaitingDeferredLinks are the evaluations, beside resources, that wait for links.
	awaitingDeferredLinks []*instanceEvaluation
}

// A blockName names a resource block within its module.
type blockName struct{ kind, label string }

// metaArgs are what a block says about itself instead of the attributes of its kind. Most blocks say
// nothing, and share noMetaArgs.
type metaArgs struct {
	forEach, count      hcl.Expression // at most one is set
	preventDestroy      hcl.Expression
	preventDestroyRange hcl.Range
	dependsOn           hcl.Expression
	dependsOnRefs       []ref // what depends_on names
	ignoreChanges       []string
	policyExceptions    hcl.Expression
	jsonDeliverBlocks   []*hcl.Block // in JSON syntax
	preconditions       []*condition
	postconditions      []*condition
}

var noMetaArgs = new(metaArgs)

func (b *block) isRepeated() bool { return b.forEach != nil || b.count != nil }

// bodyOf parses the block again: the trees of all blocks are most of what a large configuration takes up.
func (l *module) bodyOf(b *block) hcl.Body {
	if b.jsonBody != nil {
		return b.jsonBody
	}
	_, at := l.fileSourceOf(b)
	return l.parseBlock(at).Body
}

// fileSourceOf is the text of the file that a block in native syntax stands in, and where in it.
func (l *module) fileSourceOf(b *block) (fileSrc []byte, at hcl.Range) {
	at = hcl.Range{Filename: b.node.place.Filename, Start: b.node.place.Start, End: b.end}
	return l.config.Files[at.Filename].Body.(sourceBody).src, at
}

// parseBlock parses what stands at a place where there was a block in native syntax.
func (l *module) parseBlock(at hcl.Range) *hclsyntax.Block {
	return parse.ReparseBlock(l.config.Files[at.Filename].Body.(sourceBody).src, at, l.shared.evalBudget)
}

// writtenArgsOf reads again what a block says about the attributes of its kind, unless that was kept.
func (l *module) writtenArgsOf(b *block) *bodyArgs {
	if b.writtenArgs != nil {
		return b.writtenArgs
	}
	return l.readArguments(l.bodyOf(b), b.kind.Attrs, nil, b.node.place)
}

// argRange is where an argument is written; ok is false where it is not.
func (l *module) argRange(b *block, name string) (r hcl.Range, ok bool) {
	arg := l.writtenArgsOf(b).find(name)
	switch {
	case arg != nil:
		return arg.place, true
	case name == "prevent_destroy" && b.preventDestroy != nil:
		return b.preventDestroyRange, true
	case name == "policy_exceptions" && b.policyExceptions != nil:
		return b.policyExceptions.Range(), true
	}
	return r, false
}

// findInstance finds one resource of the block; nil: there is none.
func (b *block) findInstance(at addr.InstanceKey) *config.Resource {
	of := b.addr
	of.Instance = at
	i, found := slices.BinarySearchFunc(b.resources, of, func(r *config.Resource, a addr.Addr) int { return r.Addr.Compare(a) })
	if !found {
		return nil
	}
	return b.resources[i]
}

// readMetaArguments reads what every resource understands.
func (l *module) readMetaArguments(b *block, body hcl.Body) {
	content, _, diags := body.PartialContent(l.shared.metaSchema)
	l.add(diags...)
	deliveries := content.Blocks.OfType("deliver")
	native, isNative := body.(*hclsyntax.Body)
	if isNative && b.kind.YieldsSecret() {
		b.nativeDeliverRanges = rangesOf(deliveries, native)
	}
	if !isNative || len(content.Attributes) > 0 || len(content.Blocks) > len(deliveries) {
		b.metaArgs = l.newMetaArgs(b.kind, content)
	}
	if !isNative && b.kind.YieldsSecret() {
		b.jsonDeliverBlocks = deliveries
	}
}

// rangesOf are the places of nested blocks, from their types to their closing braces.
func rangesOf(blocks hcl.Blocks, in *hclsyntax.Body) (ranges []hcl.Range) {
	for _, d := range blocks {
		i := slices.IndexFunc(in.Blocks, func(n *hclsyntax.Block) bool { return n.TypeRange == d.TypeRange })
		ranges = append(ranges, in.Blocks[i].Range())
	}
	return ranges
}

func (l *module) newMetaArgs(k *kind.Kind, content *hcl.BodyContent) *metaArgs {
	attrs := content.Attributes
	m := &metaArgs{preventDestroy: exprIfGiven(attrs, "prevent_destroy"), dependsOn: exprIfGiven(attrs, "depends_on"),
		policyExceptions: exprIfGiven(attrs, "policy_exceptions")}
	m.forEach, m.count = l.repetitionExprs(attrs, "block")
	if a := attrs["prevent_destroy"]; a != nil {
		m.preventDestroyRange = a.Range
	}
	if e := exprIfGiven(attrs, "ignore_changes"); e != nil {
		m.ignoreChanges = l.readIgnoreChanges(k, e)
	}
	m.preconditions = l.readConditions(precondition, content.Blocks, syntax.ResourceBlock())
	m.postconditions = l.readConditions(postcondition, content.Blocks, syntax.ResourceBlock())
	return m
}

// exprIfGiven is the expression of an argument; nil: it is left out.
func exprIfGiven(attrs hcl.Attributes, name string) hcl.Expression {
	if a := attrs[name]; a != nil {
		return a.Expr
	}
	return nil
}

// repetitionExprs are what repeats a block or module; at most one of them is not nil.
func (l *module) repetitionExprs(attrs hcl.Attributes, what string) (forEach, count hcl.Expression) {
	forEach, count = exprIfGiven(attrs, "for_each"), exprIfGiven(attrs, "count")
	if forEach != nil && count != nil {
		l.errorAt(attrs["count"].NameRange, "for_each and count at once", "A "+what+" is repeated by for_each or by count. Remove one of "+
			"them.")
		return forEach, nil
	}
	return forEach, count
}

// readIgnoreChanges reads a list of attribute names, bare or in quotes.
func (l *module) readIgnoreChanges(k *kind.Kind, e hcl.Expression) []string {
	if word, ok := keywordOrString(e); ok && word == "all" {
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
		name, _ := keywordOrString(item)
		part, _ := hcl.AbsTraversalForExpr(item)
		a := k.FindAttr(name)
		switch {
		case len(part) > 1 && k.FindAttr(part.RootName()) != nil && !k.FindAttr(part.RootName()).Computed:
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
			out = append(out, attrShowingDifference(k, name))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// keywordOrString is an expression that is one word, bare or in quotes.
func keywordOrString(e hcl.Expression) (text string, ok bool) {
	if name := hcl.ExprAsKeyword(e); name != "" {
		return name, true
	}
	if v, diags := parse.Constant(e); !diags.HasErrors() && isKnownString(v) {
		return v.AsString(), true
	}
	return "", false
}

// resolveDependsOn reads a list of references to whole blocks or instances.
func (l *module) resolveDependsOn(e hcl.Expression) (dependsOnRefs []ref, nodes []*node) {
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
		r := l.resolveRef(t, allowedRefs{})
		switch {
		case r.isInvalid: // reported, perhaps of another instance of the module
		case len(t) == 3 && !r.hasConstantKey:
			l.errorAt(item.Range(), "Invalid depends_on", "depends_on needs resources or modules, as bucket.photos, without attributes.")
		default:
			dependsOnRefs = append(dependsOnRefs, r)
			nodes = append(nodes, r.node)
		}
	}
	return dependsOnRefs, nodes
}

// maxInstancesPerBlock is how many instances one block may have: more is a mistake.
const maxInstancesPerBlock = 1_000_000

// repetitionData is one instance to be, with what each or count is in it.
type repetitionData struct {
	instanceKey      addr.InstanceKey
	rootName         string    // "each", "count"; "" where the block is not repeated
	eachKey          cty.Value // each.key
	eachValueOrIndex cty.Value // each.value, or count.index
}

// eachOrCountObject is each or count. It is made when it is needed: a hundred thousand of
// them take up more than all that is declared with them.
func (r repetitionData) eachOrCountObject() cty.Value {
	if r.rootName == "count" {
		return cty.ObjectVal(map[string]cty.Value{"index": r.eachValueOrIndex})
	}
	pair := map[string]cty.Value{"key": r.eachKey, "value": r.eachValueOrIndex}
	if isKnownString(r.eachKey) && isKnownString(r.eachValueOrIndex) {
		return cty.MapVal(pair) // half the memory; each is never used as a whole
	}
	return cty.ObjectVal(pair)
}

// context lets expressions see each.key and each.value, or count.index, unless
// an error was reported for how they are used.
func (r repetitionData) context(parent *hcl.EvalContext, invalidRoots []string) *hcl.EvalContext {
	if r.rootName == "" || slices.Contains(invalidRoots, r.rootName) {
		return parent
	}
	ctx := parent.NewChild()
	ctx.Variables = map[string]cty.Value{r.rootName: r.eachOrCountObject()}
	return ctx
}

// reusedContext makes one context after another, of which only the last is in use. It
// changes the same one again and again, unless a diagnostic may hold it.
type reusedContext struct {
	parent       *hcl.EvalContext
	invalidRoots []string
	*report
	lastContext *hcl.EvalContext
	diagCount   int // diagnostics when last was made
}

func (c *reusedContext) overwriteContext(r repetitionData) *hcl.EvalContext {
	if c.lastContext == nil || c.lastContext == c.parent || c.diagCount != len(c.diags) {
		c.lastContext, c.diagCount = r.context(c.parent, c.invalidRoots), len(c.diags)
		return c.lastContext
	}
	c.lastContext.Variables[r.rootName] = r.eachOrCountObject()
	return c.lastContext
}

// expandRepetitions evaluates for_each or count. marks are those of the collection
// itself: every instance depends on what they stand for. ok is false where
// there is an error.
func (l *module) expandRepetitions(forEach, count hcl.Expression, ctx *hcl.EvalContext) (list []repetitionData, marks cty.ValueMarks,
	ok bool) {
	e := forEach
	if count != nil {
		e = count
	}
	if e == nil {
		if l.caller == nil {
			return []repetitionData{{}}, nil, true
		}
		over := l.shared.evalBudget.SpendInstances(1, l.caller.call.place) // many modules make many of what is in them
		l.add(over...)
		return []repetitionData{{}}, nil, over == nil
	}
	v, marks := l.evalForEachOrCount(e, ctx)
	if marks.Has(kind.Sensitive) {
		l.errorAt(e.Range(), "Sensitive instances", "A sensitive value cannot decide which instances there are: their addresses are "+
			"shown. Use nonsensitive() where that is harmless.")
		return nil, nil, false
	}
	if count != nil {
		list, ok = l.expandCount(e, v, marks)
	} else {
		list, ok = l.expandForEach(e, v, marks)
	}
	return list, marks, ok
}

// evalForEachOrCount evaluates for_each or count and takes the marks off. toset(list) is
// answered with a map: going through a set of 100,000 strings takes longer than
// evaluating the block for each of them.
func (l *module) evalForEachOrCount(e hcl.Expression, ctx *hcl.EvalContext) (unmarked cty.Value, marks cty.ValueMarks) {
	call, ok := e.(*hclsyntax.FunctionCallExpr)
	if !ok || call.Name != "toset" || len(call.Args) != 1 || call.ExpandFinal {
		return l.staticScope.eval(e, ctx).Unmark()
	}
	list, diags := l.shared.evalBudget.Evaluate(call.Args[0], ctx)
	list, marks = list.UnmarkDeep()
	if t := list.Type(); diags.HasErrors() || !t.IsTupleType() && !t.IsListType() || !list.IsWhollyKnown() || list.IsNull() {
		return l.staticScope.eval(e, ctx).Unmark()
	}
	keys := make(map[string]cty.Value, list.LengthInt())
	for it := list.ElementIterator(); it.Next(); {
		_, v := it.Element()
		if !isKnownString(v) {
			return l.staticScope.eval(e, ctx).Unmark()
		}
		keys[v.AsString()] = v
	}
	if len(keys) == 0 {
		return cty.MapValEmpty(cty.String), marks
	}
	return cty.MapVal(keys), marks
}

func (l *module) expandCount(e hcl.Expression, v cty.Value, marks cty.ValueMarks) (instances []repetitionData, ok bool) {
	if !v.IsKnown() {
		l.reportUnknownUnlessPending(l.report, e.Range(), marks)
		return nil, false
	}
	n, err := convert.Convert(v, cty.Number)
	size := int64(-1)
	if err == nil && !n.IsNull() {
		if f := n.AsBigFloat(); f.IsInt() {
			size, _ = f.Int64()
		}
	}
	if size < 0 || size > maxInstancesPerBlock {
		advice := "."
		if v.IsNull() {
			advice = "; this is null. Use 0 for no instances."
		}
		l.errorAt(e.Range(), wrongType, fmt.Sprintf("count needs a whole number from 0 to %d%s", maxInstancesPerBlock, advice))
		return nil, false
	}
	if over := l.shared.evalBudget.SpendInstances(int(size), e.Range()); over != nil {
		l.add(over...)
		return nil, false
	}
	list := make([]repetitionData, size)
	for i := range list {
		list[i] = repetitionData{instanceKey: addr.CountIndex(i), rootName: "count", eachValueOrIndex: cty.NumberIntVal(int64(i))}
	}
	return list, true
}

func (l *module) expandForEach(e hcl.Expression, v cty.Value, marks cty.ValueMarks) (instances []repetitionData, ok bool) {
	t := v.Type()
	set := t.IsSetType()
	switch {
	case !v.IsKnown() || set && t.ElementType() != cty.String && !v.IsWhollyKnown():
		l.reportUnknownUnlessPending(l.report, e.Range(), marks)
		return nil, false
	case v.IsNull():
		l.errorAt(e.Range(), wrongType, "for_each needs a map or a set of strings; this is null. Use {} for no instances.")
		return nil, false
	case t.IsTupleType() || t.IsListType():
		l.errorAt(e.Range(), wrongType, "for_each needs a map or a set of strings; this is a list. Write for_each = toset(…) to turn a "+
			"list of strings into a set.")
		return nil, false
	case !t.IsMapType() && !t.IsObjectType() && !(set && (v.LengthInt() == 0 || t.ElementType() == cty.String ||
		t.ElementType() == cty.DynamicPseudoType)): // of null, as below
		l.errorAt(e.Range(), wrongType, fmt.Sprintf("for_each needs a map or a set of strings; this is %s.",
			words.WithArticle(t.FriendlyName())))
		return nil, false
	}
	if over := l.shared.evalBudget.SpendInstances(v.LengthInt(), e.Range()); over != nil {
		l.add(over...)
		return nil, false
	}
	list := make([]repetitionData, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		switch {
		case !key.IsKnown():
			l.reportUnknownUnlessPending(l.report, e.Range(), marks)
			return nil, false
		case key.IsNull():
			l.errorAt(e.Range(), wrongType, "for_each needs a set without null.")
			return nil, false
		}
		list = append(list, repetitionData{addr.ForEachKey(key.AsString()), "each", key, value})
	}
	slices.SortFunc(list, func(a, b repetitionData) int {
		return addr.Addr{Instance: a.instanceKey}.Compare(addr.Addr{Instance: b.instanceKey})
	})
	return list, true
}

// reportUnknownUnlessPending reports a value that is not known where a known one is needed: because
// only B2 knows it, or for no cause. One that is unknown because of an earlier error
// says nothing, nor does one that is made from a variable without a value or from
// data that was not read yet.
func (l *module) reportUnknownUnlessPending(r *report, at hcl.Range, marks cty.ValueMarks) {
	if l.reportComputedAttrUse(r, at, marks) {
		return
	}
	for m := range marks {
		if h, ok := m.(unreadableMark); ok {
			r.errorAt(at, "Value cannot be read", fmt.Sprintf("The credentials in use may not read %s. Use a key with the capability %s.",
				h.attrReference, h.capability))
			return
		}
	}
	if _, open := marks[unknownYetMark{}]; !l.hasErrors && !open {
		r.errorAt(at, unknownSummary, unknownDetail)
	}
}

// reportComputedAttrUse reports the use of attributes among the marks that are not known while
// blocks are evaluated.
func (l *module) reportComputedAttrUse(r *report, at hcl.Range, marks cty.ValueMarks) (isUsed bool) {
	var names []string
	last := false
	for _, c := range kind.ComputedMarksIn(cty.True.WithMarks(marks)) {
		names = append(names, c.Addr.String()+"."+c.Attr)
		last = l.kinds[c.Addr.Kind].FindAttr(c.Attr).IsDeferredLink()
	}
	if len(names) > 3 {
		names = append(names[:3], "others")
	}
	switch {
	case names == nil:
		return false
	case last:
		r.errorAt(at, deferredSummary, deferredDetail(words.JoinAnd(names)))
	default:
		r.errorAt(at, computedSummary, computedDetail(words.JoinAnd(names)))
	}
	return true
}
