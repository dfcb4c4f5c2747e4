package schema

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/config"
)

// addPostconditions gives the resources of a block their postconditions, each tried once, so that
// what is wrong with it shows now. They may use computed attributes of any resource.
func (l *module) addPostconditions(b *block) {
	if len(b.postconditions) == 0 {
		return
	}
	u := allowedRefs{each: b.forEach != nil, count: b.count != nil, computed: true, selfAttrNames: settableNames(b.kind.Attrs)}
	for _, a := range b.kind.ComputedAttrs() {
		u.selfAttrNames = append(u.selfAttrNames, a.Name)
	}
	l.refuseSecrets(b.postconditions, b.kind)
	for _, c := range b.postconditions {
		c.refs = l.resolve(c.variables(), u)
	}
	sample := newSecretlessSample(l)
	for i, r := range b.resources {
		check := l.postconditionChecker(b.postconditions, r, b.repetitions[i])
		l.add(check(newScope(l, newReport(), nil))...)
		check(sample)
		r.Postconditions = func(live config.LiveLookup) hcl.Diagnostics {
			s, end := l.newScopeAfterLoad(live)
			defer end()
			return check(s)
		}
	}
	l.copySecretConditionErrors(sample.report)
}

// newSecretlessSample is a scope in which all is made, with made-up values, and secrets are not known.
func newSecretlessSample(l *module) *scope {
	all := sampleLookup(l.Kinds)
	return newScope(l, newReport(), func(a addr.Addr) (map[string]cty.Value, bool) {
		attrs, _ := all(a)
		attrs = maps.Clone(attrs)
		for _, c := range l.kinds[a.Kind].ComputedAttrs() {
			if c.Secret {
				delete(attrs, c.Name)
			}
		}
		return attrs, true
	})
}

// copySecretConditionErrors reports the conditions that nothing but secrets kept from being known in a secretless sample: a run would say
// so only after it has made everything else. What other conditions come to in a sample says nothing.
func (l *module) copySecretConditionErrors(ofSample *report) {
	for _, d := range ofSample.diags {
		if d.Summary == secretInCondition {
			l.add(d)
		}
	}
}

// postconditionChecker says which conditions do not hold for a resource.
func (l *module) postconditionChecker(conditions []*condition, r *config.Resource, rep repetitionData) func(*scope) hcl.Diagnostics {
	return func(s *scope) hcl.Diagnostics {
		for _, c := range conditions {
			ctx := rep.context(s.context(c.refs, l.baseContext), c.refs.invalidRoots)
			s.checkPostcondition(c, withSelf(ctx, s.instanceObject(r), c.refs.invalidRoots), r.Addr.String())
		}
		return s.report.sortedDiags()
	}
}

// withSelf lets expressions see self, unless an error was reported for how it is used.
func withSelf(parent *hcl.EvalContext, self cty.Value, invalidRoots []string) *hcl.EvalContext {
	if slices.Contains(invalidRoots, "self") {
		self = unknownYetValue(cty.DynamicPseudoType)
	}
	ctx := parent.NewChild()
	ctx.Variables = map[string]cty.Value{"self": self}
	return ctx
}

// checkPostcondition reports a condition that does not hold for what has the address.
func (s *scope) checkPostcondition(c *condition, ctx *hcl.EvalContext, address string) {
	if d, _ := c.failureReportingSecrets(s, ctx); d != nil {
		s.reportFailedPostcondition(d, address)
	}
}

func (s *scope) reportFailedPostcondition(d *hcl.Diagnostic, address string) {
	d.Summary, d.Extra = postconditionFailed, config.UserMessageExtra{Instance: address}
	d.Detail += fmt.Sprintf("\n\nThis is a postcondition of %s.", address)
	s.report.add(d)
}

// evalCheckedDataInstance is the value of one instance of a data block, whose conditions are checked before it is
// asked for and after.
func (l *module) evalCheckedDataInstance(n *node, rep repetitionData, parent *hcl.EvalContext) cty.Value {
	d, s := n.data, l.staticScope
	ctx, address := rep.context(parent, n.refs.invalidRoots), d.addr+rep.instanceKey.String()
	for _, c := range d.preconditions {
		failed, holds := c.failure(s, ctx)
		if failed != nil {
			failed.Summary, failed.Extra = preconditionFailed, config.UserMessageExtra{Instance: address}
			failed.Detail += fmt.Sprintf("\n\nThis is a precondition of %s.", address)
			s.report.add(failed)
			return unknownYetValue(d.form.valueType)
		}
		l.reportComputedAttrUse(s.report, c.holds.Range(), holds.Marks())
	}
	v := l.queryAndAnswerDataInstance(d, ctx)
	for _, c := range d.postconditions {
		failed, holds := c.failure(s, withSelf(ctx, v, n.refs.invalidRoots))
		if failed != nil {
			s.reportFailedPostcondition(failed, address)
		} else {
			l.reportComputedAttrUse(s.report, c.holds.Range(), holds.Marks())
		}
	}
	return v
}
