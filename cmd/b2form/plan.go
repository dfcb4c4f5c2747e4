package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/internal/view"
	"b2form/plan"
)

const changesPresent exitCode = 2

func (p *program) planCommand() *cli.Command {
	o := &runOptions{}
	return p.newCommand(&cli.Command{
		Name: "plan", Usage: "Show what apply would change",
		Description: `The live account is read and compared with the configuration; nothing is
written, neither there nor here, but the plan itself where -out asks for it.

Example:
  b2form plan
  # in a pipeline
  b2form plan -detailed-exitcode -out=photos.plan

Exit codes:
  0  success; with -detailed-exitcode: nothing to do
  1  an error
  2  with -detailed-exitcode: there are changes, if only to outputs`,
		Flags: slices.Concat(p.configFlags(), p.accountFlags(), o.targetAndExcludeFlags(), []cli.Flag{
			o.replaceFlag(), o.destroyFlag(), o.refreshOnlyFlag(), o.outFlag(), o.capabilitiesFlag(), p.policyFlag(),
			&cli.StringFlag{Name: "generate-config-out", Destination: &o.generateConfigPath,
				Usage: "first write blocks for what import blocks name and nobody declares into the new `FILE`"},
			&cli.BoolFlag{Name: "detailed-exitcode", Usage: "exit with 2 if there are changes", Destination: &o.detailedExitCode},
			p.planVerboseFlag(),
			p.jsonFlag("print JSON lines"),
		}, p.unusedLockFlags(), p.planDisplayFlags(), p.reportFlags(), p.notifyFlags(), p.commentFlags()),
		Action: func(ctx context.Context, _ *cli.Command) error {
			o.needsDigest = true
			if err := errors.Join(o.checkExclusiveOptions(), p.checkOutOption(o)); err != nil {
				return err
			}
			if err := p.beginOutput("plan"); err != nil {
				return err
			}
			if !p.takeLock || p.lockTimeout != 0 {
				p.ui.Hint("plan takes no lock, so -lock and -lock-timeout change nothing.")
			}
			return p.withPlan(ctx, o, (*session).showAndSavePlan)
		},
	})
}

// withPlan makes a plan, and shows its warnings before it is used. use is handed which policies it breaks, too; nil: none.
func (p *program) withPlan(ctx context.Context, o *runOptions,
	use func(s *session, made *plan.Plan, broken hcl.Diagnostics) error) (err error) {
	ctx, stop := p.withInterrupt(ctx)
	defer stop()
	if o.generateConfigPath != "" {
		if err := p.generateConfig(ctx, o.generateConfigPath); err != nil {
			return err
		}
	}
	s, err := p.openSession(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stopLocalB2()) }()
	if err := s.setRunOptions(o); err != nil {
		return err
	}
	s.warnStateMissingInCI()
	st, err := s.readState(ctx)
	if err != nil {
		return err
	}
	made, broken, err := s.makePlanToShow(ctx, st, o.purpose())
	if err != nil {
		return err
	}
	if err := s.addCountsAndFindUndeletable(ctx, made); err != nil {
		return err
	}
	s.showCredentialsSource()
	warnings := append(made.Warnings, s.warnUndelivered(made)...)
	if !o.showCapabilities {
		warnings = append(warnings, s.warnMissingCapabilities(made)...)
		warnings = append(warnings, s.diagnoseUndeletable(hcl.DiagWarning)...)
		warnings = append(warnings, s.warnNotLookedInto(made)...)
		warnings = append(warnings, s.unrecordedDeletesNeedingConsent(made, hcl.DiagWarning)...)
		deliveries := s.secretOptions()
		deliveries.Stdout = io.Discard // that of the plan is another one
		warnings = append(warnings, s.diagnoseUndeliverable(made, hcl.DiagWarning, deliveries)...)
		warnings = append(warnings, s.warnSecretsEndWithJob(made)...)
		warnings = append(warnings, s.limitsNeedingConsent(made, o.purpose(), hcl.DiagWarning)...)
	}
	s.ui.Diagnostics(warnings, s.sourceFiles)
	return use(s, made, broken)
}

func (s *session) showAndSavePlan(made *plan.Plan, brokenPolicies hcl.Diagnostics) error {
	m := s.runOptions.purpose()
	if s.runOptions.showCapabilities {
		s.showCapabilities(made, m)
	} else {
		s.ui.Plan(made, m)
		s.ui.ReportPolicyExceptions(s.exceptions())
	}
	switch {
	case len(brokenPolicies) > 0:
		return brokenPolicies
	case s.runOptions.showCapabilities:
		return nil
	}
	s.ui.PlanDigest(s.planDigest(made))
	if s.runOptions.outPath != "" {
		if err := s.savePlan(made, m); err != nil {
			return err
		}
	} else if !made.HasNoResourceChanges() {
		s.ui.Hint(fmt.Sprintf("Note: You didn't use the -out option to save this plan, so b2form can't guarantee to take exactly these "+
			"actions if you run \"b2form %s\" now.", m.ApplyingCommandWithFlags()))
	}
	if s.runOptions.detailedExitCode && made.IsApplyable() {
		return changesPresent
	}
	return nil
}

func (s *session) showCapabilities(made *plan.Plan, m view.PlanPurpose) {
	if s.recorder != nil { // pipelines are told of the plan all the same
		s.recorder.Plan(made, m)
		s.recorder.PlanDigest(s.planDigest(made))
	}
	s.ui.RequiredKey(s.capabilitiesToReadAndApply(made))
}
