package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// A judgement is one evaluation of all policies.
type judgement struct {
	*scope
	subjects        []config.PolicySubject
	each            []cty.Value // beside subjects; NilVal: not needed yet
	account         cty.Value
	resourcesByKind cty.Value // the planned resources by kind; NilVal: not needed yet
	hasPlan         bool
	violations      hcl.Diagnostics // violations
	lastVerdicts    map[hcl.Expression]*lastVerdict
}

// A lastVerdict is what a condition came to last, and from which attributes. Where it asks for nothing
// else, it comes to the same for the next object with these; most objects are alike.
type lastVerdict struct {
	attrs  []string // of each.value; nil: it asks for something else
	values []cty.Value
	holds  bool
}

func newLastVerdict(e hcl.Expression) *lastVerdict {
	v := &lastVerdict{}
	for _, t := range e.Variables() {
		if t.RootName() != "each" || len(t) < 3 || addr.RootOrAttrName(t[1]) != "value" || addr.RootOrAttrName(t[2]) == "" {
			return &lastVerdict{}
		}
		v.attrs = append(v.attrs, addr.RootOrAttrName(t[2]))
	}
	return v
}

// rememberAttrs reports whether the verdict holds for another object too, and remembers its attributes if not.
func (v *lastVerdict) rememberAttrs(object cty.Value) (unchanged bool) {
	values := make([]cty.Value, len(v.attrs))
	for i, name := range v.attrs {
		if !object.Type().HasAttribute(name) {
			v.values = nil
			return false
		}
		values[i] = object.GetAttr(name)
	}
	same := len(values) > 0 && slices.EqualFunc(values, v.values, cty.Value.RawEquals)
	v.values = values
	return same
}

// judge implements [config.JudgePolicies].
func (l *module) judge(subjects []config.PolicySubject, accountIfPlanned *wire.Account) hcl.Diagnostics {
	j := &judgement{subjects: subjects, each: make([]cty.Value, len(subjects)), hasPlan: accountIfPlanned != nil,
		lastVerdicts: map[hcl.Expression]*lastVerdict{}}
	if j.hasPlan {
		j.account = accountDataValue(accountIfPlanned)
	}
	var diags hcl.Diagnostics
	for _, p := range l.policies {
		if p.broken || !j.hasPlan && (p.declared.SeesChange || p.declared.SeesAccount) {
			continue
		}
		s, end := l.newScopeAfterLoad(nil)
		j.scope = s
		j.judgeByPolicy(p)
		end()
		diags = append(append(diags, j.report.sortedDiags()...), j.violations...)
		j.violations = nil
	}
	return diags
}

// judgeByPolicy judges all subjects by one policy.
func (j *judgement) judgeByPolicy(p *policy) {
	ctx := p.baseContext.NewChild()
	ctx.Variables = map[string]cty.Value{}
	for _, e := range p.expressions() {
		for _, t := range e.Variables() {
			switch t.RootName() {
			case "account":
				ctx.Variables["account"] = j.account
			case "resources":
				ctx.Variables["resources"] = j.resources()
			}
		}
	}
	matched := j.module.shared.hasUndecidedInstances
	for i := range j.subjects {
		s := &j.subjects[i]
		if !slices.Contains(p.kinds, s.Kind) || s.Resource == nil && !p.declared.SeesChange {
			continue
		}
		ctx.Variables["each"] = j.eachOfSubject(i)
		about := j.report
		j.report = about.inInstance(s.Addr.String())
		matched = j.judgeSubject(p, s, ctx) || matched
		j.report = about
	}
	if !matched && !p.declared.FromPolicyDir && !p.declared.SeesChange && !j.report.hasErrors {
		why := "No %s is declared here."
		if p.when != nil {
			why = "Its when holds for no %s that is declared here."
		}
		j.report.add(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Policy about nothing", Subject: p.declared.Range.Ptr(),
			Detail: fmt.Sprintf("policy.%s checks nothing. "+why, p.declared.Name, strings.Join(p.declared.Kinds, " or "))})
	}
}

// judgeSubject judges a subject; matched: the policy is about it, as far as that is known.
func (j *judgement) judgeSubject(p *policy, s *config.PolicySubject, ctx *hcl.EvalContext) (matched bool) {
	excepted := s.Resource != nil && !p.declared.NoExceptions && slices.ContainsFunc(s.Resource.Exceptions,
		func(x config.Exception) bool { return x.Policy == p.declared.Name })
	if p.when != nil {
		if holds, known := j.evalCondition(p, "when", p.when, ctx); !known || !holds {
			return !known
		}
	}
	if excepted {
		return true
	}
	holds, known := j.evalCondition(p, "require", p.require, ctx)
	if holds || !known {
		return true
	}
	text := j.violationMessage(p, ctx)
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Policy broken: " + p.declared.Name, Subject: p.declared.Range.Ptr(),
		Detail: fmt.Sprintf("%s\n\n%s breaks policy.%s, declared at %s.", text, s.Addr, p.declared.Name, fileAndLine(p.declared.Range)),
		Extra:  config.ViolationExtra{Policy: p.declared.Name, Addr: s.Addr}}
	if p.declared.Warning {
		d.Severity = hcl.DiagWarning
	}
	if s.Resource != nil {
		d.Subject = s.Resource.Block.HeaderRange.Ptr()
	}
	j.violations = append(j.violations, d)
	return true
}

// evalCondition evaluates when or require; known is false where that is not known yet, or where
// an error was reported.
func (j *judgement) evalCondition(p *policy, name string, e hcl.Expression, ctx *hcl.EvalContext) (holds, known bool) {
	last := j.lastVerdicts[e]
	if last == nil {
		last = newLastVerdict(e)
		j.lastVerdicts[e] = last
	}
	if last.rememberAttrs(ctx.Variables["each"].GetAttr("value")) {
		return last.holds, true
	}
	defer func() {
		if last.holds = holds; !known {
			last.values = nil
		}
	}()
	v, ok := j.evalPolicyExpr(p, e, ctx)
	if !ok {
		return false, false
	}
	holds, known, wrong := ConditionHolds(v, name+" of policy."+p.declared.Name, e.Range())
	switch {
	case wrong != nil:
		j.report.add(wrong)
	case !known:
		j.reportUnknownIfFinal(p, name, e, v.Marks())
	}
	return holds, known
}

// evalPolicyExpr evaluates an expression of a policy. What is wrong with it says which policy that is.
func (j *judgement) evalPolicyExpr(p *policy, e hcl.Expression, ctx *hcl.EvalContext) (v cty.Value, ok bool) {
	v, diags := j.module.evalWithHints(e, ctx)
	for _, d := range diags {
		d.Detail += fmt.Sprintf(
			" So policy.%s cannot be evaluated. Where an object may lack something, test for null first, or use try().", p.declared.Name)
	}
	j.report.add(diags...)
	return v, !diags.HasErrors()
}

// reportUnknownIfFinal says why a condition is not known, where no later evaluation knows it.
func (j *judgement) reportUnknownIfFinal(p *policy, name string, e hcl.Expression, marks cty.ValueMarks) {
	why := "is hidden from the credentials in use"
	for m := range marks {
		if m == (unknownYetMark{}) {
			return
		}
		if c, computed := m.(kind.ComputedMark); computed {
			why = c.Attr + " is made by B2 and known only after apply"
			break
		}
	}
	j.report.errorAt(e.Range(), "Policy asks for what is not known", fmt.Sprintf("%s of policy.%s cannot be checked: %s.", name,
		p.declared.Name, why))
}

// violationMessage is the text about a violation, unless it would tell a secret.
func (j *judgement) violationMessage(p *policy, ctx *hcl.EvalContext) string {
	v, ok := j.evalPolicyExpr(p, p.message, ctx)
	text, wrong := ConditionMessageOrDefault(v, "message of policy."+p.declared.Name, p.message.Range())
	if ok && wrong != nil {
		j.report.add(wrong)
	}
	return text
}

// eachOfSubject is what a policy sees of one subject.
func (j *judgement) eachOfSubject(i int) cty.Value {
	if j.each[i] != cty.NilVal {
		return j.each[i]
	}
	s := &j.subjects[i]
	value := cty.NilVal
	change := unknownYetValue(cty.DynamicPseudoType)
	if s.Resource != nil {
		value, _ = j.instanceObject(s.Resource).Unmark()
	}
	if c := s.Change; c != nil {
		before := value
		if c.BeforeUnlessNoOp != cty.NilVal {
			before = markedLiveObject(s, c)
		}
		if value == cty.NilVal {
			value = before
		}
		value = withKeptAttrs(value, before, c.KeptAttrs)
		change = cty.ObjectVal(map[string]cty.Value{"action": cty.StringVal(c.Action), "before": before,
			"deletes": deletedObjects(c.Deletes), "fields": textList(c.Fields), "hazards": textList(c.Hazards)})
	}
	j.each[i] = cty.ObjectVal(map[string]cty.Value{"key": cty.StringVal(s.Addr.String()), "value": value, "change": change})
	return j.each[i]
}

// withKeptAttrs is a declared object with some attributes as they are live.
func withKeptAttrs(declared, live cty.Value, names []string) cty.Value {
	if len(names) == 0 {
		return declared
	}
	attrs := declared.AsValueMap()
	for _, name := range names {
		attrs[name] = live.GetAttr(name)
	}
	return cty.ObjectVal(attrs)
}

func textList(list []string) cty.Value {
	if len(list) == 0 {
		return cty.ListValEmpty(cty.String)
	}
	return cty.ListVal(kind.StringValues(list...))
}

func deletedObjects(list []config.DeletedObject) cty.Value {
	if len(list) == 0 {
		return cty.ListValEmpty(cty.Object(map[string]cty.Type{"id": cty.String, "name": cty.String}))
	}
	values := make([]cty.Value, len(list))
	for i, o := range list {
		values[i] = cty.ObjectVal(map[string]cty.Value{"id": cty.StringVal(o.ID), "name": cty.StringVal(o.Name)})
	}
	return cty.ListVal(values)
}

// markedLiveObject is the live object of a change, with marks on what must not be shown.
func markedLiveObject(s *config.PolicySubject, c *config.SubjectChange) cty.Value {
	if c.BeforeUnlessNoOp.IsNull() {
		return c.BeforeUnlessNoOp
	}
	attrs := c.BeforeUnlessNoOp.AsValueMap()
	for i := range s.Kind.Attrs {
		a := &s.Kind.Attrs[i]
		v, there := attrs[a.Name]
		if !there {
			v = cty.NullVal(a.ValueType())
		}
		v = config.MarkSecretsAndSensitive(a, convertOrUnknown(v, a.ValueType()), c.Sensitive)
		if !v.IsWhollyKnown() {
			v = v.Mark(unreadableMark{s.Addr.String() + "." + a.Name, a.ReadCapability})
		}
		attrs[a.Name] = v
	}
	return cty.ObjectVal(attrs)
}

// resources are all planned resources: for each kind a map by address.
func (j *judgement) resources() cty.Value {
	if j.module.shared.hasUndecidedInstances {
		return unknownYetValue(cty.DynamicPseudoType)
	}
	if j.resourcesByKind != cty.NilVal {
		return j.resourcesByKind
	}
	byKind := map[string]map[string]cty.Value{}
	for i := range j.subjects {
		if s := &j.subjects[i]; s.Resource != nil {
			if byKind[s.Kind.Name] == nil {
				byKind[s.Kind.Name] = map[string]cty.Value{}
			}
			byKind[s.Kind.Name][s.Addr.String()] = j.eachOfSubject(i).GetAttr("value")
		}
	}
	out := map[string]cty.Value{}
	for name, k := range j.module.kinds {
		out[name] = cty.MapValEmpty(k.LiveType())
		if len(byKind[name]) > 0 {
			out[name] = cty.MapVal(byKind[name])
		}
	}
	j.resourcesByKind = cty.ObjectVal(out)
	return j.resourcesByKind
}
