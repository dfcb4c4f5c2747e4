package schema

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// evaluateBlock makes the resources of one block.
func (l *module) evaluateBlock(n *node) {
	b := n.block
	if n.notEvaluated {
		l.config.AddrsWithUnknownInstances = append(l.config.AddrsWithUnknownInstances, b.addr)
		return
	}
	ctx := l.staticScope.context(n.refs, l.baseContext)
	b.writtenArgs = l.readArguments(l.bodyOf(b), b.kind.Attrs, b.attrsWithoutDeferredLinks, b.node.place)
	repeats, marks, ok := l.expandRepetitions(b.forEach, b.count, ctx)
	if !ok {
		n.notEvaluated = true
		l.config.AddrsWithUnknownInstances = append(l.config.AddrsWithUnknownInstances, b.addr)
		l.queryKindIfPending(b.kind)
		l.shared.hasUndecidedInstances = true
		if l.toleratesUnknown() {
			l.validateUnexpanded(n, ctx)
		}
		return
	}
	if len(repeats) == 0 { // the arguments of no instance need not make sense, as Terraform has it
		return
	}
	common := l.evaluateCommon(b, ctx, marks)
	place := &config.BlockRanges{HeaderRange: b.node.place,
		ArgRange: func(name string) (hcl.Range, bool) { return l.argRange(b, name) },
		Locate:   func(path cty.Path) hcl.Range { return l.writtenArgsOf(b).locate(path, false) }}
	slab := make([]config.Resource, len(repeats))
	b.resources = make([]*config.Resource, len(repeats))
	see := reusedContext{parent: ctx, invalidRoots: n.refs.invalidRoots, report: l.report}
	var e *instanceEvaluation
	for i, rep := range repeats {
		r := &slab[i]
		*r = config.Resource{Addr: b.addr, Kind: b.kind, Block: place, IgnoreChanges: b.ignoreChanges}
		r.Addr.Instance = rep.instanceKey
		if e == nil || b.attrsWithoutDeferredLinks != nil { // else no instance is looked at again
			e = new(instanceEvaluation)
		}
		common.evaluateInstance(e, r.Addr, see.overwriteContext(rep))
		e.checkPreconditions()
		r.Payload = e.readPayloadAndFillSHA1()
		r.Value, r.SensitiveAttrs = e.completeAndCheck()
		if e.unknownByError {
			l.queryKindIfPending(b.kind)
		}
		r.Needs = e.neededAddrs()
		r.PreventDestroy = e.preventDestroy
		r.Exceptions = e.instanceExceptions()
		b.resources[i] = r
		if b.attrsWithoutDeferredLinks != nil {
			b.awaitingDeferredLinks = append(b.awaitingDeferredLinks, e)
		}
	}
	if len(b.jsonDeliverBlocks)+len(b.nativeDeliverRanges) > 0 || len(b.postconditions) > 0 || b.attrsWithoutDeferredLinks != nil {
		b.repetitions = repeats
	}
	if b.attrsWithoutDeferredLinks == nil {
		b.writtenArgs = nil
	}
}

// validateUnexpanded judges a block of which nobody knows the instances, as one whose each
// or count may be anything.
func (l *module) validateUnexpanded(n *node, ctx *hcl.EvalContext) {
	rep := repetitionData{rootName: "each", eachKey: unknownYetValue(cty.String), eachValueOrIndex: unknownYetValue(cty.DynamicPseudoType)}
	if n.block.count != nil {
		rep = repetitionData{rootName: "count", eachValueOrIndex: unknownYetValue(cty.Number)}
	}
	e := new(instanceEvaluation)
	l.evaluateCommon(n.block, ctx, nil).evaluateInstance(e, n.block.addr, rep.context(ctx, n.refs.invalidRoots))
	e.readPayloadAndFillSHA1()
	e.completeAndCheck()
}

// An instanceEvaluation is one instance of a block being evaluated. Arguments that are
// alike for all instances are evaluated once and shared.
type instanceEvaluation struct {
	module            *module
	block             *block
	addr              addr.Addr
	ctx               *hcl.EvalContext
	writtenArgs       *bodyArgs
	attrs             kind.Values
	completer         *kind.ConfigCompleter
	internedLinkLists map[linkListKey]*cty.Value // those of earlier blocks and instances; see shareRefList
	lastTexts         []*cty.Value
	needsByOrigin     map[addr.Addr][]addr.Addr // what earlier instances need that came from one thing
	originAddrs       []addr.Addr               // what the evaluated values of this instance came from
	commonNeeds       []addr.Addr               // what all instances need; sorted
	unknownByError    bool                      // an attribute is unknown because of an error
	hasSensitive      bool                      // a value is sensitive
	sensitiveAttrs    []string                  // attributes that were given a sensitive value
	preventDestroy    bool

	earlierDestination string // of a delivery, in earlier releases; "": no other
}

// A kindBlockTemplate is what all blocks of a kind begin with: attributes that are all left out,
// and what completing others came to. Each is judged once.
type kindBlockTemplate struct {
	attrs             kind.Values
	completer         *kind.ConfigCompleter
	internedLinkLists map[linkListKey]*cty.Value
	lastTexts         []*cty.Value // by the attribute's index; see shareText
}

func (s *sharedLoad) kindBlockTemplateOf(k *kind.Kind) *kindBlockTemplate {
	if known := s.blockCachesByKind[k]; known != nil {
		return known
	}
	e := &kindBlockTemplate{k.NewNullValues(), k.NewCompleter(), map[linkListKey]*cty.Value{}, make([]*cty.Value, len(k.Attrs))}
	s.blockCachesByKind[k] = e
	return e
}

// evaluateCommon evaluates what does not differ between the instances.
func (l *module) evaluateCommon(b *block, ctx *hcl.EvalContext, marks cty.ValueMarks) *instanceEvaluation {
	empty := l.shared.kindBlockTemplateOf(b.kind)
	e := &instanceEvaluation{module: l, block: b, addr: b.addr, ctx: ctx, writtenArgs: b.writtenArgs, attrs: empty.attrs.Clone(),
		completer: empty.completer, internedLinkLists: empty.internedLinkLists, lastTexts: empty.lastTexts}
	if b.isRepeated() {
		e.needsByOrigin = map[addr.Addr][]addr.Addr{}
	}
	if !b.writtenArgs.hasDynamic {
		for i := range b.writtenArgs.args {
			if arg := &b.writtenArgs.args[i]; !arg.perInstance {
				e.evaluateAndSetArgument(arg)
			}
		}
	}
	if b.preventDestroy != nil && !refersToEachOrCount(b.preventDestroy) {
		e.preventDestroy = e.evalPreventDestroy(b.preventDestroy)
	}
	e.collectMarks(marks)
	for _, r := range b.dependsOnRefs {
		e.collectMarks(r.dependsOnMarks())
	}
	if l.caller != nil {
		e.collectMarks(l.caller.needMarks)
	}
	e.commonNeeds = e.neededAddrs()
	return e
}

// evaluateInstance makes own the evaluation of one instance, and evaluates what differs
// from the others.
func (e *instanceEvaluation) evaluateInstance(own *instanceEvaluation, addr addr.Addr, ctx *hcl.EvalContext) {
	refs := own.originAddrs[:0]
	*own = *e
	own.addr, own.ctx, own.originAddrs = addr, ctx, refs
	own.attrs, own.sensitiveAttrs = e.attrs.Clone(), slices.Clip(e.sensitiveAttrs)
	if own.writtenArgs.hasDynamic {
		own.writtenArgs = e.module.readArguments(dynblock.Expand(e.writtenArgs.body, ctx), e.block.kind.Attrs,
			e.block.attrsWithoutDeferredLinks,
			e.block.node.place)
	}
	for i := range own.writtenArgs.args {
		if arg := &own.writtenArgs.args[i]; arg.perInstance || e.writtenArgs.hasDynamic {
			own.evaluateAndSetArgument(arg)
		}
	}
	if p := e.block.preventDestroy; p != nil && refersToEachOrCount(p) {
		own.preventDestroy = own.evalPreventDestroy(p)
	}
}

// evaluateAndSetArgument evaluates one attribute of the block itself.
func (e *instanceEvaluation) evaluateAndSetArgument(arg *argument) {
	before := e.hasSensitive
	e.hasSensitive = false
	v := e.evalArgument(arg)
	e.attrs.SetAt(arg.attrIndex, e.internLinkList(arg.attr, e.reuseLastEqualText(arg, &v)))
	if e.hasSensitive {
		e.sensitiveAttrs = append(e.sensitiveAttrs, arg.attr.Name)
	}
	if e.hasSensitive && e.block.kind.IsIdentityAttr(arg.attr.Name) {
		e.report().errorAt(arg.place, "Sensitive "+arg.attr.Name, fmt.Sprintf("The %s of a %s is shown in plans and recorded in the "+
			"state, so it cannot come from a sensitive value. Use nonsensitive() where that is harmless.", arg.attr.Name,
			e.block.kind.Name))
		v, e.unknownByError = cty.UnknownVal(arg.attr.ValueType()), true
	}
	e.hasSensitive = e.hasSensitive || before
}

// evalArgument evaluates one attribute; the result is unknown where an error was
// reported.
func (e *instanceEvaluation) evalArgument(arg *argument) cty.Value {
	if arg.expr != nil {
		return e.evalAssigned(arg)
	}
	list := make([]cty.Value, len(arg.blocks))
	for i, w := range arg.blocks {
		v, ok := e.evalNestedBlock(arg.attr.Object, w)
		if !ok {
			e.unknownByError = true
			return cty.UnknownVal(arg.attr.ValueType())
		}
		list[i] = v
	}
	if arg.attr.Many {
		return cty.ListVal(list)
	}
	return list[0]
}

func (e *instanceEvaluation) evalNestedBlock(attrs []kind.Attr, w *bodyArgs) (object cty.Value, known bool) {
	out := make(map[string]cty.Value, len(attrs))
	for i := range attrs {
		if !attrs[i].Computed {
			out[attrs[i].Name] = cty.NullVal(attrs[i].ValueType())
		}
	}
	ok := true
	for i := range w.args {
		v := e.evalArgument(&w.args[i])
		out[w.args[i].attr.Name] = v
		ok = ok && v.IsWhollyKnown()
	}
	return cty.ObjectVal(out), ok
}

func (e *instanceEvaluation) evalAssigned(arg *argument) cty.Value {
	text := referenceListCacheKey(arg.expr, e.module.kinds)
	at := cachedReferenceListKey{e.module, arg.attr, text}
	if known := e.module.shared.cachedReferenceArgs[at]; known != nil && text != "" {
		for _, marks := range known.marks {
			e.collectMarks(marks)
		}
		return known.value
	}
	evaluate := e.module.shared.evalBudget.EvalForReading
	if arg.attr.Link.RefKind != "" {
		evaluate = e.module.shared.evalBudget.EvalNotCountingReferences
	}
	v, diags := evaluate(arg.expr, e.ctx)
	v, diags = e.module.addHintsOrWithhold(arg.expr, e.ctx, v, diags)
	if arg.attr.SendsSecret() { // no value is repeated
		for _, d := range diags {
			d.Expression = nil
		}
	}
	e.report().add(diags...)
	if diags.HasErrors() {
		e.unknownByError = true
		return cty.UnknownVal(arg.attr.ValueType())
	}
	c := converter{kind: e.block.kind, attrName: arg.attr.Name, kinds: e.module.kinds, inJSON: isJSONFile(arg.place.Filename)}
	out := c.convertValue(arg.attr, v, nil)
	hidden := false
	for _, marks := range c.marks {
		e.collectMarks(marks)
		hidden = hidden || marks.Has(kind.Sensitive)
	}
	for _, f := range c.faults {
		at := locateIn(arg.expr, f.path, f.nameIsWrong)
		if f.valueUnknown {
			marks := f.marks
			if !hasUnknownCause(marks) {
				_, deep := v.UnmarkDeep()
				marks = unknownCauses(deep)
			}
			e.module.reportUnknownUnlessPending(e.report(), at, marks)
			continue
		}
		if hidden {
			f.detail = detailWithheld
		}
		if arg.attr.Type == cty.String && arg.attr.Link.RefKind == "" {
			f.detail += findWholeResourceHint(&hcl.Diagnostic{Expression: arg.expr, EvalContext: e.ctx})
		}
		e.reportAt(hcl.DiagError, at, f.summary, f.detail)
	}
	if len(c.faults) > 0 {
		e.unknownByError = true
		return cty.UnknownVal(arg.attr.ValueType())
	}
	if text != "" && len(diags) == 0 {
		e.module.shared.cachedReferenceArgs[at] = &cachedReferenceList{out, c.marks}
	}
	return out
}

// evalPreventDestroy evaluates an argument that is true or false.
func (e *instanceEvaluation) evalPreventDestroy(expr hcl.Expression) bool {
	v, diags := e.module.evalWithHints(expr, e.ctx)
	e.report().add(diags...)
	if diags.HasErrors() {
		return false
	}
	v, marks := v.Unmark()
	e.collectMarks(marks)
	out := false
	if !v.IsKnown() {
		e.module.reportUnknownUnlessPending(e.report(), expr.Range(), marks)
		return false
	}
	e.module.storeStringOrBoolUnlessNull("prevent_destroy", expr, v, &out)
	return out
}

// completeAndCheck lets the kind fill in and judge the evaluated attributes. Where an
// attribute is unknown only the others are judged, each for itself. sensitive are
// the attributes that show something of a sensitive value; sorted.
func (e *instanceEvaluation) completeAndCheck() (value kind.Values, sensitive []string) {
	value, problems := e.completer.CompleteAndCheck(e.attrs, e.unknownByError)
	sensitive = e.sensitiveAttrNames(value)
	flawed := e.unknownByError
	for _, p := range problems {
		severity := hcl.DiagError
		if p.Warning {
			severity = hcl.DiagWarning
		}
		if len(sensitive) > 0 && (p.CrossAttribute || slices.Contains(sensitive, p.Attr())) {
			p.Detail = detailWithheld
		}
		flawed = flawed || !p.Warning
		path := e.pathAsWritten(p.Path, value)
		if p.CrossAttribute && e.writtenArgs.anyMisnamed(e.block.kind.Attrs, metaArgumentAndBlockNames(e.block.kind)) ||
			len(path) > 0 && e.writtenArgs.isMisnamed(e.block.kind.Attrs, path) {
			continue
		}
		d := e.diagnosticAt(severity, e.writtenArgs.locate(path, false), p.Summary, p.Detail)
		if p.OnlyWhenSet {
			d.Extra = config.WhenSetExtra{Block: e.block.node.place, Attr: p.Attr()}
		}
		e.report().add(d)
	}
	if flawed {
		e.module.shared.resourcesWithErrors[e.addr] = true
	}
	e.noteHidingLifecycleRules()
	return e.clearContentText(value), sensitive
}

// detailWithheld stands for the details of a message.
const detailWithheld = "Details are left out: a sensitive value is used here, which they might repeat."

// sensitiveAttrNames lists the attributes that were given a sensitive value, and those
// that would be others without it: the kind has derived them from it.
func (e *instanceEvaluation) sensitiveAttrNames(completed kind.Values) []string {
	if len(e.sensitiveAttrs) == 0 {
		return nil
	}
	attrs := e.attrs.Clone()
	for _, name := range e.sensitiveAttrs {
		null := cty.NullVal(e.block.kind.FindAttr(name).ValueType())
		attrs.Set(name, &null)
	}
	without, _ := e.completer.CompleteAndCheck(attrs, e.unknownByError)
	out := slices.Clone(e.sensitiveAttrs)
	for _, a := range e.block.kind.SettableAttrs() {
		if !completed.GetAttr(a.Name).RawEquals(without.GetAttr(a.Name)) {
			out = append(out, a.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// pathAsWritten undoes the reordering that an attribute's normal form may bring: a
// path to element i of the completed list becomes one to the element as written.
func (e *instanceEvaluation) pathAsWritten(path cty.Path, completed kind.Values) cty.Path {
	if len(path) < 2 {
		return path
	}
	step, ok := path[0].(cty.GetAttrStep)
	i, isIndex := indexOfStep(path[1])
	if a := e.block.kind.FindAttr(step.Name); !ok || !isIndex || a == nil || a.Compare.Normalize == nil {
		return path
	}
	list, old := completed.GetAttr(step.Name), e.attrs.GetAttr(step.Name)
	if !list.CanIterateElements() || !old.CanIterateElements() || i >= list.LengthInt() {
		return path
	}
	all := list.AsValueSlice()
	nth := 0
	for _, v := range all[:i] {
		if v.RawEquals(all[i]) {
			nth++
		}
	}
	attrs := e.attrs.Clone()
	for j, v := range old.AsValueSlice() {
		list := cty.ListVal([]cty.Value{v})
		attrs.Set(step.Name, &list)
		done, _ := e.completer.CompleteAndCheck(attrs, e.unknownByError)
		one := done.GetAttr(step.Name)
		if !slices.ContainsFunc(one.AsValueSlice(), func(v cty.Value) bool { return v.RawEquals(all[i]) }) {
			continue
		}
		if nth--; nth < 0 {
			out := path.Copy()
			out[1] = cty.IndexStep{Key: cty.NumberIntVal(int64(j))}
			return out
		}
	}
	return path[:1]
}

func (e *instanceEvaluation) collectMarks(marks cty.ValueMarks) {
	for m := range marks {
		if r, ok := m.(refMark); ok && r.addr != e.addr { // nothing needs itself
			e.originAddrs = append(e.originAddrs, r.addr) // in any order: mergeAddrs sorts them
		}
	}
	e.hasSensitive = e.hasSensitive || marks.Has(kind.Sensitive)
}

// neededAddrs lists the resources that the evaluated values came from, sorted.
func (e *instanceEvaluation) neededAddrs() []addr.Addr {
	if len(e.originAddrs) != 1 || e.needsByOrigin == nil {
		return mergeAddrs(e.commonNeeds, e.originAddrs)
	}
	of := e.originAddrs[0]
	known, ok := e.needsByOrigin[of]
	if !ok {
		known = mergeAddrs(e.commonNeeds, e.originAddrs)
		e.needsByOrigin[of] = known
	}
	return known
}

// mergeAddrs adds addresses to a sorted list. The list itself is returned where all
// are in it.
func mergeAddrs(needs, addrs []addr.Addr) []addr.Addr {
	var more []addr.Addr
	for _, a := range addrs {
		if _, has := slices.BinarySearchFunc(needs, a, addr.Addr.Compare); !has {
			more = append(more, a)
		}
	}
	if len(more) == 0 {
		return needs
	}
	more = append(more, needs...)
	slices.SortFunc(more, addr.Addr.Compare)
	return slices.Compact(more)
}

// report is where what is wrong with the instance is said.
func (e *instanceEvaluation) report() *report {
	if e.addr.Instance.IsSingle() {
		return e.module.report
	}
	return e.module.inInstance(e.addr.String())
}

// reportAt reports something of one instance.
func (e *instanceEvaluation) reportAt(severity hcl.DiagnosticSeverity, at hcl.Range, summary, detail string) {
	e.report().add(e.diagnosticAt(severity, at, summary, detail))
}

func (e *instanceEvaluation) diagnosticAt(severity hcl.DiagnosticSeverity, at hcl.Range, summary, detail string) *hcl.Diagnostic {
	d := &hcl.Diagnostic{Severity: severity, Summary: summary, Detail: detail, Subject: &at}
	if arg := e.writtenArgs.findAssignedContaining(at); e.module.instanceAddr != "" && arg != nil && !arg.attr.SendsSecret() {
		d.Expression, d.EvalContext = arg.expr, e.ctx
	}
	return d
}
