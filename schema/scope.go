package schema

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/parse"
)

// A refMark travels with the object of a resource through every expression, so
// that whoever uses a part of it is known to need the resource.
type refMark struct{ addr addr.Addr }

// A scope answers references. Without live, computed attributes are unknown and
// marked; with it they are what live says.
type scope struct {
	module               *module
	report               *report
	liveLookup           config.LiveLookup
	memo                 map[*node]cty.Value
	callContexts         map[*moduleCall]*hcl.EvalContext // in which the inputs of modules are evaluated
	byModule             map[*module]*scope               // those of all modules, for one evaluation
	sawLiveSecret        *bool                            // live gave a secret, which no message may repeat
	deferredLinksUnknown bool                             // what is evaluated last is not known
	leftAloneUnknown     bool                             // what is left as it is live is not null where live does not say it
}

func newScope(l *module, r *report, live config.LiveLookup) *scope {
	s := &scope{report: r, liveLookup: live, byModule: map[*module]*scope{}, sawLiveSecret: new(bool)}
	return s.forModule(l)
}

// newScopeAfterLoad is a scope for an evaluation after the loading, with steps of its own until end is called.
func (l *module) newScopeAfterLoad(live config.LiveLookup) (s *scope, end func()) {
	return newScope(l, newReport(), live), l.shared.evalBudget.GrantEvaluation()
}

// forModule is the scope of another module in the same evaluation.
func (s *scope) forModule(l *module) *scope {
	if known := s.byModule[l]; known != nil {
		return known
	}
	other := *s
	other.report = s.report.inModule(l.addressPrefix)
	other.module, other.memo, other.callContexts = l, map[*node]cty.Value{}, map[*moduleCall]*hcl.EvalContext{}
	s.byModule[l] = &other
	return &other
}

// nodeValue is the value of a node. What a local value refers to is evaluated
// first; blocks must have been evaluated before.
func (s *scope) nodeValue(n *node) cty.Value {
	if v, ok := s.memo[n]; ok {
		return v
	}
	v := unknownYetValue(cty.DynamicPseudoType)
	switch {
	case n.notEvaluated:
	case n.variable != nil && s.module.caller != nil:
		v = s.inputValue(n.variable)
	case n.variable != nil:
		v = n.variable.rootValue
	case n.call != nil:
		v = s.callValue(n.call)
	case n.data != nil:
		v = n.data.value
	case n.block != nil:
		v = s.blockValue(n.block)
	default:
		v = s.eval(n.localExpr, s.context(n.refs, s.module.baseContext))
	}
	s.memo[n] = v
	return v
}

// eval evaluates an expression and reports what is wrong with it; its value is
// then unknown.
func (s *scope) eval(e hcl.Expression, ctx *hcl.EvalContext) cty.Value {
	v, diags := s.module.evalWithHints(e, ctx)
	if *s.sawLiveSecret {
		replaceDetails(diags,
			"The expression cannot be evaluated with the live values. Details are left out, since they may hold a secret.")
	}
	s.report.add(diags...)
	if diags.HasErrors() {
		return cty.DynamicVal
	}
	return v
}

// replaceDetails takes out of diagnostics what may repeat a value.
func replaceDetails(diags hcl.Diagnostics, detail string) {
	for _, d := range diags {
		d.Detail = detail
		d.Expression, d.EvalContext = nil, nil
	}
}

// evalWithHints is the value of an expression. What is wrong with it is said without
// details where it refers to something sensitive.
func (l *module) evalWithHints(e hcl.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := l.shared.evalBudget.Evaluate(e, ctx)
	return l.addHintsOrWithhold(e, ctx, v, diags)
}

// addHintsOrWithhold adds to what is wrong with the value of an expression.
func (l *module) addHintsOrWithhold(e hcl.Expression, ctx *hcl.EvalContext, v cty.Value, diags hcl.Diagnostics) (cty.Value,
	hcl.Diagnostics) {
	if l.shared.evalBudget.IsExceeded() { // each instance would say so, and nothing of it is about values
		return v, diags
	}
	for _, d := range diags {
		suggestNearestFunction(d)
		d.Detail += findWholeResourceHint(d) + findSplatHint(e, d) + findNameHint(e, d)
	}
	if !diags.HasErrors() {
		var fault *hcl.Diagnostic
		if v, fault = markUnknownCauses(e, ctx, v); fault != nil {
			diags = append(diags, fault)
		}
	}
	if len(diags) > 0 && (parse.Calls(e, "sensitive") || l.hidesTextIn(e.Range()) ||
		slices.ContainsFunc(e.Variables(), func(t hcl.Traversal) bool { return refersToSensitive(t, ctx) })) {
		replaceDetails(diags, detailWithheld)
	}
	return v, diags
}

func refersToSensitive(t hcl.Traversal, ctx *hcl.EvalContext) bool {
	for ; len(t) > 0; t = t[:len(t)-1] {
		if v, diags := t.TraverseAbs(ctx); !diags.HasErrors() {
			return v.HasMarkDeep(kind.Sensitive)
		}
	}
	return false
}

// context holds what the references need and nothing else, so that its cost
// does not grow with the configuration.
func (s *scope) context(rs refs, parent *hcl.EvalContext) *hcl.EvalContext {
	if len(rs.list) == 0 && len(rs.invalidRoots) == 0 {
		return parent
	}
	wanted := map[string]map[string]*wantedRefs{}
	for _, r := range rs.list {
		names := wanted[r.root]
		if names == nil {
			names = map[string]*wantedRefs{}
			wanted[r.root] = names
		}
		if names[r.name] == nil {
			names[r.name] = &wantedRefs{node: r.node}
		}
		names[r.name].add(r)
	}
	ctx := parent.NewChild()
	ctx.Variables = make(map[string]cty.Value, len(wanted)+len(rs.invalidRoots))
	for root, names := range wanted {
		values := make(map[string]cty.Value, len(names))
		for name, w := range names {
			values[name] = s.refValue(w)
		}
		if root == "data" {
			values = nestByType(values)
		}
		ctx.Variables[root] = cty.ObjectVal(values)
	}
	for _, root := range rs.invalidRoots {
		ctx.Variables[root] = unknownYetValue(cty.DynamicPseudoType)
	}
	return ctx
}

// nestByType turns {"bucket.photos" = x} into {bucket = {photos = x}}.
func nestByType(flat map[string]cty.Value) map[string]cty.Value {
	types := map[string]map[string]cty.Value{}
	for name, v := range flat {
		typ, label, _ := strings.Cut(name, ".")
		if types[typ] == nil {
			types[typ] = map[string]cty.Value{}
		}
		types[typ][label] = v
	}
	out := make(map[string]cty.Value, len(types))
	for typ, values := range types {
		out[typ] = cty.ObjectVal(values)
	}
	return out
}

// wantedRefs is what several references to one node ask of it.
type wantedRefs struct {
	node       *node
	broken     bool
	wholeBlock bool               // not only single instances
	onlyKeys   []addr.InstanceKey // those named by a constant key
}

func (w *wantedRefs) add(r ref) {
	w.broken = w.broken || r.isInvalid
	w.wholeBlock = w.wholeBlock || !r.hasConstantKey
	w.onlyKeys = append(w.onlyKeys, r.instanceKey)
}

// refValue is the wanted value. Of a block with for_each of which only single
// instances are wanted, only these are built.
func (s *scope) refValue(w *wantedRefs) cty.Value {
	switch {
	case w.broken:
		return unknownYetValue(cty.DynamicPseudoType)
	case w.wholeBlock || w.node.block == nil || w.node.notEvaluated || w.node.block.forEach == nil:
		return s.nodeValue(w.node)
	}
	var list []*config.Resource
	for _, at := range w.onlyKeys {
		r := w.node.block.findInstance(at)
		if r == nil {
			return s.nodeValue(w.node) // what is said of it may name those that there are
		}
		list = append(list, r)
	}
	return s.instanceMap(w.node.block.kind, list)
}

// blockValue is what bucket.photos evaluates to: an object; with for_each a map
// of objects, with count a tuple.
func (s *scope) blockValue(b *block) cty.Value {
	switch {
	case b.forEach != nil:
		return s.instanceMap(b.kind, b.resources)
	case b.count != nil:
		list := make([]cty.Value, len(b.resources))
		for i, r := range b.resources {
			list[i] = s.instanceObject(r)
		}
		return cty.TupleVal(list)
	case len(b.resources) == 1:
		return s.instanceObject(b.resources[0])
	}
	return unknownYetValue(cty.DynamicPseudoType)
}

func (s *scope) instanceMap(k *kind.Kind, list []*config.Resource) cty.Value {
	if len(list) == 0 {
		return cty.MapValEmpty(k.LiveType())
	}
	objects := make(map[string]cty.Value, len(list))
	for _, r := range list {
		objects[r.Addr.Instance.Value().AsString()] = s.instanceObject(r)
	}
	return cty.MapVal(objects)
}

// instanceObject is one resource with all its attributes, of the kind's LiveType.
func (s *scope) instanceObject(r *config.Resource) cty.Value {
	var computed map[string]cty.Value
	if s.liveLookup != nil {
		computed, _ = s.liveLookup(r.Addr)
	}
	attrs := make(map[string]cty.Value, len(r.Kind.Attrs))
	for i := range r.Kind.Attrs {
		a := &r.Kind.Attrs[i]
		v, known := computed[a.Name]
		switch {
		case s.deferredLinksUnknown && a.IsDeferredLink():
			v = cty.UnknownVal(a.ValueType()).Mark(kind.ComputedMark{Addr: r.Addr, Attr: a.Name})
		case !a.Computed:
			if !known {
				v = r.Value.GetAttr(a.Name)
				if s.leftAloneUnknown && v.IsNull() && a.KeepLive {
					v = cty.UnknownVal(a.ValueType())
				}
			}
			v = a.ReplaceNestedSecrets(v, func(_ *kind.Attr, v cty.Value) cty.Value { return v.Mark(kind.Sensitive) })
		case !known:
			v = cty.UnknownVal(a.Type)
		case a.Secret:
			*s.sawLiveSecret = true
		}
		v = convertOrUnknown(v, a.ValueType())
		if slices.Contains(r.SensitiveAttrs, a.Name) {
			v = v.Mark(kind.Sensitive)
		}
		switch {
		case a.Computed:
			v = v.Mark(kind.ComputedMark{Addr: r.Addr, Attr: a.Name})
		case hasUnexplainedUnknown(v):
			v = v.Mark(unknownYetMark{})
		}
		attrs[a.Name] = v
	}
	return cty.ObjectVal(attrs).Mark(refMark{r.Addr})
}

// isSecretAttr reports whether a computed attribute is a secret.
func (s *scope) isSecretAttr(c kind.ComputedMark) bool {
	return s.module.kinds[c.Addr.Kind].FindAttr(c.Attr).Secret
}

// isKnownLive reports whether this evaluation knows a computed attribute.
func (s *scope) isKnownLive(c kind.ComputedMark) bool {
	if s.liveLookup == nil {
		return false
	}
	computed, _ := s.liveLookup(c.Addr)
	v, ok := computed[c.Attr]
	return ok && v.IsWhollyKnown()
}

// convertOrUnknown makes sure of the type, since the elements of a map must agree in it.
func convertOrUnknown(v cty.Value, t cty.Type) cty.Value {
	if v.Type().Equals(t) {
		return v
	}
	if c, err := convert.Convert(v, t); err == nil {
		return c
	}
	return cty.UnknownVal(t)
}
