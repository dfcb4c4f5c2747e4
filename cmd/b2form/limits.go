package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/internal/view"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema/config"
)

func (o *runOptions) allowOverFlag() cli.Flag {
	known := config.LimitableActions()
	return &cli.GenericFlag{Name: "allow-over", Usage: "with -auto-approve, go over the limits in `LIST`: " + strings.Join(known, ", "),
		Value: funcFlag{func(list string) error {
			return addKnownNames(list, "limit", known, func(name string) { o.liftedLimits = append(o.liftedLimits, name) })
		}}}
}

// limitsNeedingConsent says which limits a plan goes over that nobody lifted. The command destroy is
// consent to destroying everything.
func (s *session) limitsNeedingConsent(p *plan.Plan, m view.PlanPurpose, severity hcl.DiagnosticSeverity) hcl.Diagnostics {
	var diags hcl.Diagnostics
	recorded := len(s.state.Entries)
	for i := range s.state.Entries {
		recorded += len(s.state.Entries[i].Retiring)
	}
	for _, e := range p.OverLimits(s.config.Settings.Limits, recorded) {
		if slices.Contains(s.runOptions.liftedLimits, e.Action) || m == view.Destroying && e.Action == "destroy" {
			continue
		}
		advice := " without a prompt. If that is wanted, run apply without -auto-approve, add -allow-over=" + e.Action +
			", or raise the limit."
		if severity == hcl.DiagWarning {
			advice = " without a prompt: apply -auto-approve needs -allow-over=" + e.Action + "."
		}
		diags = append(diags, &hcl.Diagnostic{Severity: severity, Summary: fmt.Sprintf("More to %s than expected", e.Action),
			Detail:  fmt.Sprintf("%s%s The policy limits.%s says so.", words.CapitalizeUnlessName(e.String()), advice, e.Action),
			Subject: &e.Range})
	}
	return diags
}
