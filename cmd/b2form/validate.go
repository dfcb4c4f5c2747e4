package main

import (
	"context"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/internal/secret"
	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema"
	"b2form/schema/config"
)

func (p *program) validateCommand() *cli.Command {
	return p.newCommand(&cli.Command{
		Name: "validate", Usage: "Check the configuration without asking B2",
		Description: `Everything that can be known offline is checked: syntax, types, references,
and what B2 would refuse. No credentials are needed, and no values of
variables: what is made from one without a value is not judged.

Example:
  b2form validate
  b2form validate -json

Exit codes:
  0  the configuration is valid, perhaps with warnings
  1  it is not`,
		Flags: append(append(p.configFlags(), p.policyFlag(), p.jsonFlag("print the diagnostics as JSON")), p.reportFlags()...),
		Action: func(_ context.Context, _ *cli.Command) error {
			return p.validate()
		},
	})
}

func (p *program) validate() error {
	if err := p.beginReport("validate"); err != nil {
		return err
	}
	o := p.schemaOptions(schema.Kinds())
	o.AllowUnsetVariables = true
	config, diags := schema.Load(o)
	if !diags.HasErrors() {
		diags = slices.Concat(diags, plan.CheckDenyRules(config, nil), plan.CheckPoliciesBeforePlan(config),
			plan.WarnUnusableCredentials(config))
		diags = append(diags, p.undeliverablePaths(config)...)
		results, failed := evaluateChecks(config.Checks, nil)
		diags = append(diags, failed...)
		if p.recorder != nil {
			p.recorder.SetChecks(results)
		}
	}
	if p.json {
		if err := p.printJSON(view.NewValidation(diags, config.Files)); err != nil {
			return err
		}
		if p.recorder != nil {
			p.recorder.Diagnostics(diags, config.Files)
		}
	} else {
		p.ui.Diagnostics(diags, config.Files)
	}
	switch {
	case diags.HasErrors():
		return exitCode(1)
	case p.json:
	case len(diags) > 0:
		p.printResult("Success! The configuration is valid, but there were some validation warnings as shown above.")
	default:
		p.printResult("Success! The configuration is valid.")
	}
	return nil
}

// undeliverablePaths are errors about files that no secret can be delivered to.
func (p *program) undeliverablePaths(c *config.Config) (diags hcl.Diagnostics) {
	s := &session{program: p, config: c}
	o := s.secretOptions()
	for _, r := range c.Resources {
		diags = append(diags, explainAsDiagnostics(secret.CheckPaths(r.Deliveries, o))...)
	}
	return diags
}
