package main

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"b2form/plan"
	"b2form/schema/config"
)

// withholdWarningsWhenSet keeps back what only a plan can tell whether it holds.
func (p *program) withholdWarningsWhenSet(diags hcl.Diagnostics) (others hcl.Diagnostics) {
	p.warningsWhenSet = nil
	for _, d := range diags {
		if _, ok := d.Extra.(config.WhenSetExtra); ok {
			p.warningsWhenSet = append(p.warningsWhenSet, d)
		} else {
			others = append(others, d)
		}
	}
	return others
}

// warningsOfWhatIsSet are the warnings that were kept back about what a plan sets.
func (s *session) warningsOfWhatIsSet(made *plan.Plan) hcl.Diagnostics {
	if len(s.warningsWhenSet) == 0 {
		return nil
	}
	set := map[config.WhenSetExtra]bool{}
	for i := range made.Steps {
		step := &made.Steps[i]
		if block := s.blockRange(made.Changes[step.Change].Addr); block != nil {
			for _, attr := range step.Fields {
				set[config.WhenSetExtra{Block: *block, Attr: attr}] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(s.warningsWhenSet), func(d *hcl.Diagnostic) bool {
		extra, ok := d.Extra.(config.WhenSetExtra)
		return !ok || !set[extra]
	})
}
