package schema

import (
	"fmt"
	"slices"
	"strings"

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
	if n.broken {
		return
	}
	ctx := l.static.context(n.refs, l.root)
	b.written = l.read(b.body, b.kind.Attrs, b.part, b.place)
	repeats, marks, ok := l.repetitions(b.forEach, b.count, ctx)
	if !ok {
		n.broken = true
		l.undecided(b.kind)
		if l.lenient() {
			l.validateUnexpanded(n, ctx)
		}
		return
	}
	common := l.common(b, ctx, marks)
	place := &config.Block{Range: b.place, ArgRanges: make(map[string]hcl.Range, len(b.written.args)),
		Locate: func(path cty.Path) hcl.Range { return b.written.locate(path, false) }}
	for _, a := range b.written.args {
		place.ArgRanges[a.attr.Name] = a.place
	}
	if b.preventDestroy != nil {
		place.ArgRanges["prevent_destroy"] = b.preventDestroyAt
	}
	slab := make([]config.Resource, len(repeats))
	b.resources = make([]*config.Resource, len(repeats))
	see := contexts{parent: ctx, dead: n.refs.dead, report: l.report}
	var e *evaluation
	for i, rep := range repeats {
		r := &slab[i]
		*r = config.Resource{Addr: b.addr, Kind: b.kind, Block: place, IgnoreChanges: b.ignoreChanges}
		r.Addr.Instance = rep.at
		if e == nil || b.part != nil { // else no instance is looked at again
			e = new(evaluation)
		}
		common.instance(e, r.Addr, see.of(rep))
		e.checkPreconditions()
		r.Payload = e.payload()
		r.Value, r.Sensitive = e.complete()
		if e.unsound {
			l.undecided(b.kind)
		}
		r.Needs = e.needed()
		r.PreventDestroy = e.prevent
		b.resources[i] = r
		if b.part != nil {
			b.unfinished = append(b.unfinished, e)
		}
	}
	if len(b.delivers) > 0 || b.part != nil {
		b.repeats = repeats
	}
}

// validateUnexpanded judges a block of which nobody knows the instances, as one whose each
// or count may be anything.
func (l *module) validateUnexpanded(n *node, ctx *hcl.EvalContext) {
	rep := repetition{root: "each", key: openValue(cty.String), value: openValue(cty.DynamicPseudoType)}
	if n.block.count != nil {
		rep = repetition{root: "count", value: openValue(cty.Number)}
	}
	e := new(evaluation)
	l.common(n.block, ctx, nil).instance(e, n.block.addr, rep.context(ctx, n.refs.dead))
	e.payload()
	e.complete()
}

// An evaluation is one instance of a block being evaluated. Arguments that are
// alike for all instances are evaluated once and shared.
type evaluation struct {
	l            *module
	b            *block
	addr         addr.Addr
	ctx          *hcl.EvalContext
	written      *bodyArgs
	attrs        kind.Values
	done         *kind.Completer
	names        map[nameCache]*cty.Value  // those of earlier instances; see shared
	single       map[addr.Addr][]addr.Addr // what earlier instances need that came from one thing
	refs         []addr.Addr               // what the evaluated values of this instance came from
	needs        []addr.Addr               // what all instances need; sorted
	unsound      bool                      // an attribute is unknown because of an error
	hasSensitive bool                      // a value is sensitive
	hidden       []string                  // attributes that were given a sensitive value
	prevent      bool
}

// common evaluates what does not differ between the instances.
func (l *module) common(b *block, ctx *hcl.EvalContext, marks cty.ValueMarks) *evaluation {
	e := &evaluation{l: l, b: b, addr: b.addr, ctx: ctx, written: b.written, attrs: b.kind.NewValues(),
		done: b.kind.NewCompleter(), names: map[nameCache]*cty.Value{}, single: map[addr.Addr][]addr.Addr{}}
	for i := range b.kind.Attrs {
		if a := &b.kind.Attrs[i]; !a.Computed {
			null := cty.NullVal(a.ValueType())
			e.attrs.Put(i, &null)
		}
	}
	if !b.written.dynamic {
		for i := range b.written.args {
			if arg := &b.written.args[i]; !arg.varies {
				e.set(arg)
			}
		}
	}
	if b.preventDestroy != nil && !refersToInstance(b.preventDestroy) {
		e.prevent = e.flag(b.preventDestroy)
	}
	e.collect(marks)
	for _, r := range b.after {
		e.collect(r.resources())
	}
	if l.caller != nil {
		e.collect(l.caller.needs)
	}
	e.needs = e.needed()
	return e
}

// instance makes own the evaluation of one instance, and evaluates what differs
// from the others.
func (e *evaluation) instance(own *evaluation, addr addr.Addr, ctx *hcl.EvalContext) {
	refs := own.refs[:0]
	*own = *e
	own.addr, own.ctx, own.refs = addr, ctx, refs
	own.attrs, own.hidden = e.attrs.Clone(), slices.Clip(e.hidden)
	if own.written.dynamic {
		own.written = e.l.read(dynblock.Expand(e.b.body, ctx), e.b.kind.Attrs, e.b.part, e.b.place)
	}
	for i := range own.written.args {
		if arg := &own.written.args[i]; arg.varies || e.written.dynamic {
			own.set(arg)
		}
	}
	if p := e.b.preventDestroy; p != nil && refersToInstance(p) {
		own.prevent = own.flag(p)
	}
}

// set evaluates one attribute of the block itself.
func (e *evaluation) set(arg *argument) {
	before := e.hasSensitive
	e.hasSensitive = false
	v := e.argument(arg)
	e.attrs.Put(arg.index, e.shared(arg.attr, &v))
	if e.hasSensitive {
		e.hidden = append(e.hidden, arg.attr.Name)
	}
	if e.hasSensitive && e.b.kind.IsIdentityAttr(arg.attr.Name) {
		e.report().errorAt(arg.place, "Sensitive "+arg.attr.Name, fmt.Sprintf("The %s of a %s is shown in plans and recorded in the "+
			"state, so it cannot come from a sensitive value. Use nonsensitive() where that is harmless.", arg.attr.Name, e.b.kind.Name))
		v, e.unsound = cty.UnknownVal(arg.attr.ValueType()), true
	}
	e.hasSensitive = e.hasSensitive || before
}

// nameCache is a list of names of other objects, as one text.
type nameCache struct {
	attr *kind.Attr
	text string
}

// shared gives one pointer for all equal lists of names of other objects: most
// objects of a block refer to few, and what equal pointers lead to is worked out
// once.
func (e *evaluation) shared(a *kind.Attr, v *cty.Value) *cty.Value {
	if a.Link.Ref == "" || !v.Type().IsListType() || !v.IsWhollyKnown() || v.IsNull() {
		return v
	}
	var key strings.Builder
	for it := v.ElementIterator(); it.Next(); {
		_, name := it.Element()
		if name.IsNull() {
			return v
		}
		key.WriteString(name.AsString() + "\x00")
	}
	at := nameCache{a, key.String()}
	if known := e.names[at]; known != nil {
		return known
	}
	e.names[at] = v
	return v
}

// argument evaluates one attribute; the result is unknown where an error was
// reported.
func (e *evaluation) argument(arg *argument) cty.Value {
	if arg.expr != nil {
		return e.assigned(arg)
	}
	list := make([]cty.Value, len(arg.blocks))
	for i, w := range arg.blocks {
		v, ok := e.nested(arg.attr.Object, w)
		if !ok {
			e.unsound = true
			return cty.UnknownVal(arg.attr.ValueType())
		}
		list[i] = v
	}
	if arg.attr.Many {
		return cty.ListVal(list)
	}
	return list[0]
}

func (e *evaluation) nested(attrs []kind.Attr, w *bodyArgs) (cty.Value, bool) {
	out := make(map[string]cty.Value, len(attrs))
	for i := range attrs {
		if !attrs[i].Computed {
			out[attrs[i].Name] = cty.NullVal(attrs[i].ValueType())
		}
	}
	ok := true
	for i := range w.args {
		v := e.argument(&w.args[i])
		out[w.args[i].attr.Name] = v
		ok = ok && v.IsWhollyKnown()
	}
	return cty.ObjectVal(out), ok
}

func (e *evaluation) assigned(arg *argument) cty.Value {
	v, diags := e.l.evaluated(arg.expr, e.ctx)
	if arg.attr.SendsSecret() { // no value is repeated
		for _, d := range diags {
			d.Expression = nil
		}
	}
	e.report().add(diags...)
	if diags.HasErrors() {
		e.unsound = true
		return cty.UnknownVal(arg.attr.ValueType())
	}
	c := converter{kind: e.b.kind, attr: arg.attr.Name, kinds: e.l.kinds, json: isJSON(arg.place.Filename)}
	out := c.value(arg.attr, v, nil)
	hidden := false
	for _, marks := range c.marks {
		e.collect(marks)
		hidden = hidden || marks.Has(kind.Sensitive)
	}
	for _, f := range c.faults {
		at := locateIn(arg.expr, f.path, f.name)
		if f.unknown {
			marks := f.marks
			if !hasCause(marks) {
				_, deep := v.UnmarkDeep()
				marks = causes(deep)
			}
			e.l.notKnown(e.report(), at, marks)
			continue
		}
		if hidden {
			f.detail = withheld
		}
		e.say(hcl.DiagError, at, f.summary, f.detail)
	}
	if len(c.faults) > 0 {
		e.unsound = true
		return cty.UnknownVal(arg.attr.ValueType())
	}
	return out
}

// flag evaluates an argument that is true or false.
func (e *evaluation) flag(expr hcl.Expression) bool {
	v, diags := e.l.evaluated(expr, e.ctx)
	e.report().add(diags...)
	if diags.HasErrors() {
		return false
	}
	v, marks := v.Unmark()
	e.collect(marks)
	out := false
	if !v.IsKnown() {
		e.l.notKnown(e.report(), expr.Range(), marks)
		return false
	}
	e.l.scalar("prevent_destroy", expr, v, &out)
	return out
}

// complete lets the kind fill in and judge the evaluated attributes. Where an
// attribute is unknown only the others are judged, each for itself. sensitive are
// the attributes that show something of a sensitive value; sorted.
func (e *evaluation) complete() (value kind.Values, sensitive []string) {
	value, problems := e.done.Complete(e.attrs, e.unsound)
	sensitive = e.sensitive(value)
	flawed := e.unsound
	for _, p := range problems {
		severity := hcl.DiagError
		if p.Warning {
			severity = hcl.DiagWarning
		}
		if len(sensitive) > 0 && (p.CrossAttribute || slices.Contains(sensitive, p.Attr())) {
			p.Detail = withheld
		}
		flawed = flawed || !p.Warning
		path := e.asWritten(p.Path, value)
		if p.Summary != missingArgument || !e.written.misnamed(e.b.kind.Attrs, path) {
			e.say(severity, e.written.locate(path, false), p.Summary, p.Detail)
		}
	}
	if flawed {
		e.l.loader.flawed[e.addr] = true
	}
	return e.withoutContent(value), sensitive
}

// withheld stands for the details of a message.
const withheld = "Details are left out: a sensitive value is used here, which they might repeat."

// sensitive lists the attributes that were given a sensitive value, and those
// that would be others without it: the kind has derived them from it.
func (e *evaluation) sensitive(completed kind.Values) []string {
	if len(e.hidden) == 0 {
		return nil
	}
	attrs := e.attrs.Clone()
	for _, name := range e.hidden {
		null := cty.NullVal(e.b.kind.Attr(name).ValueType())
		attrs.Set(name, &null)
	}
	without, _ := e.done.Complete(attrs, e.unsound)
	out := slices.Clone(e.hidden)
	for _, a := range e.b.kind.Settable() {
		if !completed.GetAttr(a.Name).RawEquals(without.GetAttr(a.Name)) {
			out = append(out, a.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// asWritten undoes the reordering that an attribute's normal form may bring: a
// path to element i of the completed list becomes one to the element as written.
func (e *evaluation) asWritten(path cty.Path, completed kind.Values) cty.Path {
	if len(path) < 2 {
		return path
	}
	step, ok := path[0].(cty.GetAttrStep)
	i, isIndex := indexOf(path[1])
	if a := e.b.kind.Attr(step.Name); !ok || !isIndex || a == nil || a.Compare.Normalize == nil {
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
		done, _ := e.done.Complete(attrs, e.unsound)
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

func (e *evaluation) collect(marks cty.ValueMarks) {
	for m := range marks {
		if r, ok := m.(refMark); ok && r.addr != e.addr { // nothing needs itself
			e.refs = append(e.refs, r.addr) // in any order: with sorts them
		}
	}
	e.hasSensitive = e.hasSensitive || marks.Has(kind.Sensitive)
}

// needed lists the resources that the evaluated values came from, sorted.
func (e *evaluation) needed() []addr.Addr {
	if len(e.refs) != 1 {
		return with(e.needs, e.refs)
	}
	of := e.refs[0]
	known, ok := e.single[of]
	if !ok {
		known = with(e.needs, e.refs)
		e.single[of] = known
	}
	return known
}

// with adds addresses to a sorted list. The list itself is returned where all
// are in it.
func with(needs, addrs []addr.Addr) []addr.Addr {
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
func (e *evaluation) report() *report {
	if e.addr.Instance.IsSingle() {
		return e.l.report
	}
	return e.l.inInstance(e.addr.String())
}

// say reports something of one instance.
func (e *evaluation) say(severity hcl.DiagnosticSeverity, at hcl.Range, summary, detail string) {
	d := &hcl.Diagnostic{Severity: severity, Summary: summary, Detail: detail, Subject: &at}
	if arg := e.written.at(at); e.l.about != "" && arg != nil && !arg.attr.SendsSecret() {
		d.Expression, d.EvalContext = arg.expr, e.ctx
	}
	e.report().add(d)
}
