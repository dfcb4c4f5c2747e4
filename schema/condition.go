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
	"b2form/schema/parse"
	"b2form/schema/syntax"
)

// A condition is something that must hold, and what is said where it does not:
// a precondition, or an assertion of a check.
type condition struct {
	holds, errorMessage hcl.Expression
	refs                refs
	isRefused           bool // for what it refers to: an error was reported
}

// The blocks with a condition.
const (
	precondition  = "precondition"
	postcondition = "postcondition"
	assertion     = "assert"
)

// readConditions reads the blocks of a type with a condition and an error_message among
// those in a block that within describes; references are still to be resolved.
func (l *module) readConditions(typ string, blocks []*hcl.Block, within *syntax.BlockSpec) []*condition {
	var out []*condition
	for _, b := range blocks {
		d := within.FindNestedForm(b.Type, "")
		if d == nil || b.Type != typ {
			continue
		}
		if content, complete := l.readContent(b, d); complete {
			out = append(out, &condition{holds: content.Attributes["condition"].Expr,
				errorMessage: content.Attributes["error_message"].Expr})
		}
	}
	return out
}

func (c *condition) variables() []hcl.Traversal {
	return append(c.holds.Variables(), c.errorMessage.Variables()...)
}

// references are what the expressions of conditions refer to.
func references(conditions []*condition) []hcl.Traversal {
	var out []hcl.Traversal
	for _, c := range conditions {
		out = append(out, c.variables()...)
	}
	return out
}

// failure says why the condition does not hold; nil where it does, where an
// error was reported, or where that is not known. v is what the condition came to.
func (c *condition) failure(s *scope, ctx *hcl.EvalContext) (d *hcl.Diagnostic, v cty.Value) {
	v = s.eval(c.holds, ctx)
	at := c.holds.Range()
	holds, known, wrong := ConditionHolds(v, "condition", at)
	if wrong != nil {
		s.report.add(wrong)
	}
	if holds || !known {
		return nil, v
	}
	said := s.eval(c.errorMessage, ctx)
	if slices.ContainsFunc(kind.ComputedMarksIn(said), s.isSecretAttr) {
		said = said.Mark(kind.Sensitive)
	}
	text, wrong := ConditionMessageOrDefault(said, "error_message", c.errorMessage.Range())
	if wrong != nil {
		s.report.add(wrong)
	}
	d = &hcl.Diagnostic{Severity: hcl.DiagError, Detail: text, Subject: &at, Extra: config.UserMessageExtra{}}
	if !parse.Calls(c.holds, "sensitive") { // what that is called with is no message's business
		d.Expression, d.EvalContext = c.holds, ctx
	}
	return d, v
}

// failureReportingSecrets is failure for a condition that may use computed attributes. It reports one that nothing but secrets keeps from
// being known, however much else it is made from: no later evaluation knows them.
func (c *condition) failureReportingSecrets(s *scope, ctx *hcl.EvalContext) (d *hcl.Diagnostic, v cty.Value) {
	d, v = c.failure(s, ctx)
	if d == nil && !v.IsKnown() && !c.isRefused {
		c.reportSecretCause(s, v)
	}
	return d, v
}

// reportSecretCause reports a condition that came to an unknown v if nothing but secrets is the cause.
func (c *condition) reportSecretCause(s *scope, v cty.Value) {
	made := kind.ComputedMarksIn(v)
	if len(unknownCauses(v.Marks())) != len(made) {
		return
	}
	made = slices.DeleteFunc(made, s.isKnownLive)
	if len(made) > 0 && !slices.ContainsFunc(made, func(m kind.ComputedMark) bool { return !s.isSecretAttr(m) }) {
		reportSecretInCondition(s.report, c.holds.Range(), made[0].Addr.String()+"."+made[0].Attr, s.module.kinds[made[0].Addr.Kind])
	}
}

// refuseSecrets reports what conditions ask of secrets that are kept nowhere. self is the kind that self is of; nil: of none.
func (l *module) refuseSecrets(conditions []*condition, self *kind.Kind) {
	for _, c := range conditions {
		for _, t := range c.variables() {
			k, attr := l.kinds[t.RootName()], 2
			if t.RootName() == "self" {
				k, attr = self, 1
			}
			for ; k != nil && attr < len(t); attr++ {
				if a := k.FindAttr(addr.RootOrAttrName(t[attr])); a != nil && a.Secret && a.Computed {
					reportSecretInCondition(l.report, t.SourceRange(), traversalText(t), k)
					c.isRefused = true
				}
			}
		}
	}
}

const secretInCondition = "Secret in a condition"

func reportSecretInCondition(r *report, at hcl.Range, what string, k *kind.Kind) {
	r.errorAt(at, secretInCondition, fmt.Sprintf("%s exists only while the %s is being made and is kept nowhere, so no later run "+
		"could check the condition. Leave it out, or ask for %s.", what, k.Name, k.IDAttr))
}

// ConditionHolds reports whether a condition that came to v holds, as far as that is known. wrong says that v is neither
// true nor false; name is what the condition is called, and at is where it stands.
func ConditionHolds(v cty.Value, name string, at hcl.Range) (holds, known bool, wrong *hcl.Diagnostic) {
	v, _ = v.Unmark()
	if !v.IsKnown() {
		return false, false, nil
	}
	c, err := convert.Convert(v, cty.Bool)
	if err != nil || c.IsNull() {
		detail := name + " needs true or false."
		if v.IsNull() {
			detail = name + " needs true or false; this is null."
		}
		return false, false, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: wrongType, Detail: detail, Subject: &at}
	}
	return c.True(), true, nil
}

// ConditionMessageOrDefault is what is said of a condition that does not hold, from v, which its author wrote. No secret is in it.
// wrong says that v is no text; name is what it is called, and at is where it stands.
func ConditionMessageOrDefault(v cty.Value, name string, at hcl.Range) (text string, wrong *hcl.Diagnostic) {
	v, marks := v.UnmarkDeep()
	if marks.Has(kind.Sensitive) {
		return "The " + name + " is left out, since it holds a sensitive value.", nil
	}
	said, err := convert.Convert(v, cty.String)
	switch {
	case err == nil && said.IsNull():
		wrong = &hcl.Diagnostic{Severity: hcl.DiagError, Summary: wrongType, Detail: name + " needs a string; this is null.", Subject: &at}
	case err != nil:
		wrong = &hcl.Diagnostic{Severity: hcl.DiagError, Summary: wrongType, Detail: name + " needs a string.", Subject: &at}
	case said.IsKnown() && said.AsString() != "":
		return said.AsString(), nil
	}
	return "The condition does not hold.", wrong
}

const (
	preconditionFailed  = "Precondition failed"
	postconditionFailed = "Postcondition failed"
)

// checkPreconditions reports the preconditions that do not hold for an instance.
func (e *instanceEvaluation) checkPreconditions() {
	for _, c := range e.block.preconditions {
		s := *e.module.staticScope
		s.report = e.report()
		d, v := c.failure(&s, e.ctx)
		if d != nil {
			d.Summary, d.Extra = preconditionFailed, config.UserMessageExtra{Instance: e.addr.String()}
			s.report.add(d)
		} else {
			e.module.reportComputedAttrUse(s.report, c.holds.Range(), v.Marks())
		}
	}
}

// A check is one check block.
type check struct {
	config  *config.Check
	asserts []*condition
}

func (l *module) declareCheck(b *hcl.Block) {
	if !l.checkLabel(b) {
		return
	}
	name := b.Labels[0]
	if l.registerCheckOrPolicyName("check."+name, b.DefRange) {
		return
	}
	d := syntax.FindFixedBlock(b.Type)
	content, _ := l.readContent(b, d)
	if len(content.Blocks) == 0 {
		l.errorAt(b.DefRange, "Missing assert block", "A check needs at least one assert block with a condition and an error_message.")
	}
	l.checks = append(l.checks, &check{config: &config.Check{Name: name, Range: b.DefRange},
		asserts: l.readConditions(assertion, content.Blocks, d)})
}

// resolveAndAddChecks resolves the references of the checks. What comes of them is no
// business of the loader's: a check stops nothing, not even one that cannot be
// evaluated.
func (l *module) resolveAndAddChecks() {
	for _, c := range l.checks {
		l.refuseSecrets(c.asserts, nil)
		for _, a := range c.asserts {
			a.refs = l.resolve(a.variables(), allowedRefs{computed: true})
		}
		c.config.Evaluate = l.checkEvaluator(c)
		c.config.Name = strings.TrimPrefix(l.addressPrefix+".check."+c.config.Name, ".")
		l.config.Checks = append(l.config.Checks, c.config)
	}
}

// checkEvaluator is the Evaluate of a check. Even what cannot be evaluated is only
// a warning: a check stops nothing.
func (l *module) checkEvaluator(c *check) func(config.LiveLookup) (hcl.Diagnostics, bool) {
	return func(live config.LiveLookup) (diags hcl.Diagnostics, known bool) {
		known = true
		s, end := l.newScopeAfterLoad(live)
		s.leftAloneUnknown = true
		defer end()
		for _, a := range c.asserts {
			d, v := a.failureReportingSecrets(s, s.context(a.refs, l.baseContext))
			known = known && v.IsKnown()
			if d != nil {
				d.Summary, d.Extra = "Check block assertion failed", config.UserMessageExtra{Instance: c.config.Name}
				d.Detail = fmt.Sprintf("%s\n\nThis was asserted by %s.", d.Detail, c.config.Name)
				s.report.add(d)
			}
		}
		diags = s.report.sortedDiags()
		for _, d := range diags {
			d.Severity = hcl.DiagWarning
		}
		return diags, known
	}
}
