package schema

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// A condition is something that must hold, and what is said where it does not:
// a precondition, or an assertion of a check.
type condition struct {
	holds, errorMessage hcl.Expression
	refs                refs
}

// The blocks with a condition.
const (
	precondition  = "precondition"
	postcondition = "postcondition"
	assertion     = "assert"
)

// readConditions reads the blocks of a type with a condition and an error_message among
// those in a block that within describes; references are still to be resolved.
func (l *module) readConditions(typ string, blocks []*hcl.Block, within *syntax.Block) []*condition {
	var out []*condition
	for _, b := range blocks {
		d := within.FormOf(b.Type, "")
		if d == nil || b.Type != typ {
			continue
		}
		if content, complete := l.contentOf(b, d); complete {
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
// error was reported, or where that is not known. marks are those of the result.
func (c *condition) failure(s *scope, ctx *hcl.EvalContext) (d *hcl.Diagnostic, marks cty.ValueMarks) {
	v, marks := s.eval(c.holds, ctx).Unmark()
	if !v.IsKnown() {
		return nil, marks
	}
	at := c.holds.Range()
	holds, err := convert.Convert(v, cty.Bool)
	switch {
	case err != nil || holds.IsNull():
		s.report.errorAt(at, wrongType, "condition needs true or false.")
		return nil, marks
	case holds.True():
		return nil, marks
	}
	return &hcl.Diagnostic{Severity: hcl.DiagError, Detail: c.messageText(s, ctx), Subject: &at, Extra: config.UserMessageExtra{},
		Expression: c.holds, EvalContext: ctx}, marks
}

// messageText is the message, unless that would tell a secret.
func (c *condition) messageText(s *scope, ctx *hcl.EvalContext) string {
	v, marks := s.eval(c.errorMessage, ctx).UnmarkDeep()
	if marks.Has(kind.Sensitive) {
		return "The error_message is left out, since it holds a sensitive value."
	}
	text, err := convert.Convert(v, cty.String)
	switch {
	case err != nil || text.IsNull():
		s.report.errorAt(c.errorMessage.Range(), wrongType, "error_message needs a string.")
	case text.IsKnown() && text.AsString() != "":
		return text.AsString()
	}
	return "The condition does not hold."
}

const (
	preconditionFailed  = "Precondition failed"
	postconditionFailed = "Postcondition failed"
)

// checkPreconditions reports the preconditions that do not hold for an instance.
func (e *evaluation) checkPreconditions() {
	for _, c := range e.block.preconditions {
		s := *e.module.staticScope
		s.report = e.report()
		d, marks := c.failure(&s, e.ctx)
		if d != nil {
			d.Summary = preconditionFailed
			s.report.add(d)
		} else if summary, detail := e.module.computedRefMessage(marks); summary != "" {
			s.report.errorAt(c.holds.Range(), summary, detail)
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
	for _, other := range l.checks {
		if other.config.Name == name {
			l.reportDuplicate("check."+name, b.DefRange, other.config.Range)
			return
		}
	}
	d := syntax.FindTopLevelBlock(b.Type)
	content, _ := l.contentOf(b, d)
	if len(content.Blocks) == 0 {
		l.errorAt(b.DefRange, "Missing assert block", "A check needs at least one assert block with a condition and an error_message.")
	}
	l.checks = append(l.checks, &check{config: &config.Check{Name: name, Range: b.DefRange},
		asserts: l.readConditions(assertion, content.Blocks, d)})
}

// linkChecks resolves the references of the checks. What comes of them is no
// business of the loader's: a check stops nothing, not even one that cannot be
// evaluated.
func (l *module) linkChecks() {
	for _, c := range l.checks {
		for _, a := range c.asserts {
			a.refs = l.resolve(a.variables(), allowedRefs{computed: true})
		}
		c.config.Evaluate = l.checkEvaluator(c)
		c.config.Name = strings.TrimPrefix(l.path+".check."+c.config.Name, ".")
		l.config.Checks = append(l.config.Checks, c.config)
	}
}

// checkEvaluator is the Evaluate of a check. Even what cannot be evaluated is only
// a warning: a check stops nothing.
func (l *module) checkEvaluator(c *check) func(config.LiveLookup) hcl.Diagnostics {
	return func(live config.LiveLookup) hcl.Diagnostics {
		s := l.liveScope(live)
		for _, a := range c.asserts {
			d, _ := a.failure(s, s.context(a.refs, l.rootContext))
			if d != nil {
				d.Summary = "Check block assertion failed"
				d.Detail = fmt.Sprintf("%s\n\nThis was asserted by %s.", d.Detail, c.config.Name)
				s.report.add(d)
			}
		}
		diags := s.report.sortedDiags()
		for _, d := range diags {
			d.Severity = hcl.DiagWarning
		}
		return diags
	}
}
