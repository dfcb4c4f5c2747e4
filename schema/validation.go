package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/config"
	"b2form/schema/kind"
)

// A validation is one validation block of a variable.
type validation struct {
	*condition
	variable *variable
}

// validateVariables evaluates the validation blocks. Those that refer to more than
// variables are returned: they are for when everything is evaluated.
func (l *module) validateVariables() (late []validation) {
	for _, name := range l.variableNames() {
		for _, c := range l.variables[name].validations {
			c.refs = l.resolve(c.variables(), allowedRefs{})
			one := validation{c, l.variables[name]}
			if slices.ContainsFunc(c.refs.list, func(r ref) bool { return r.node != nil && r.node.variable == nil }) {
				late = append(late, one)
			} else {
				l.checkOrDeferValidation(one)
			}
		}
	}
	return late
}

// checkOrDeferValidation judges one that is known by now; what needs values that B2 makes is judged after the loading.
func (l *module) checkOrDeferValidation(one validation) {
	if v := one.judge(l.staticScope); !v.IsKnown() && len(kind.ComputedMarksIn(v)) > 0 {
		l.validationsAfterLoad = append(l.validationsAfterLoad, one)
	}
}

// judge reports the validation if it does not hold. v is what its condition came to.
func (one validation) judge(s *scope) (v cty.Value) {
	d, v := one.failureReportingSecrets(s, s.context(one.refs, s.module.baseContext))
	if d == nil {
		return v
	}
	at := one.variable.placeOfValue()
	address := strings.TrimPrefix(s.module.addressPrefix+".var."+one.variable.name, ".")
	d.Summary, d.Subject, d.Extra = "Invalid value of a variable", &at, config.UserMessageExtra{Instance: address}
	d.Detail += fmt.Sprintf("\n\nThis was checked by the validation of %s at %s.", address, one.holds.Range())
	s.report.add(d)
	return v
}

// judgeConditionsOfModules is config.Config's JudgeConditionsOfModules.
func (l *module) judgeConditionsOfModules(live config.LiveLookup) hcl.Diagnostics {
	s, end := l.newScopeAfterLoad(live)
	defer end()
	s.judgeConditionsOfModules()
	return s.report.sortedDiags()
}

func (s *scope) judgeConditionsOfModules() {
	root := s.module
	for _, m := range root.shared.modules {
		in := s.forModule(m)
		for _, one := range m.validationsAfterLoad {
			one.judge(in)
		}
		for _, o := range m.outputs {
			if m != root {
				o.checkPreconditions(in)
			}
		}
	}
}
