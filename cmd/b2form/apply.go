package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"b2form/apply"
	"b2form/internal/planfile"
	"b2form/internal/secret"
	"b2form/internal/state"
	"b2form/internal/view"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema/addr"
)

func (p *program) applyCommand() *cli.Command {
	o := &runOptions{}
	return p.newCommand(&cli.Command{
		Name: "apply", Usage: "Make the account match the configuration", ArgsUsage: "[FILE]",
		Description: `The plan is shown and carried out after an approval. Only "yes" approves. A
FILE that "b2form plan -out=FILE" saved is the approval: nothing is asked, and
that plan is carried out, or none.

Example:
  b2form apply
  b2form apply photos.plan
  # in a pipeline
  b2form apply -auto-approve -lock-timeout=5m

` + approvalCodes + `
  1  also after an interrupt that left something undone: what was under way is
     finished and recorded first`,
		Flags: slices.Concat(p.configFlags(), p.accountFlags(), p.accountChangeFlags(o), o.targetAndExcludeFlags(), []cli.Flag{
			o.replaceFlag(), o.destroyFlag(), o.refreshOnlyFlag(), o.expectFlag(),
			&cli.BoolFlag{Name: "adopt", Usage: "with -auto-approve, take over what exists under a declared name",
				Destination: &o.allowImports},
			&cli.BoolFlag{Name: "show-secrets", Usage: "print the secrets of new keys and sensitive outputs, wherever the output goes",
				Destination: &o.showSecrets},
			p.jsonFlag("print JSON lines; needs -auto-approve, -expect or a saved plan"),
		}),
		Action: func(ctx context.Context, c *cli.Command) error {
			switch args := c.Args().Slice(); len(args) {
			case 0:
				if err := o.checkExclusiveOptions(); err != nil {
					return err
				}
			case 1:
				if err := p.useSavedPlan(args[0], o); err != nil {
					return err
				}
			default:
				return failf("Too many arguments", "apply takes one saved plan, or none and makes a plan of now.")
			}
			return p.runApply(ctx, o.purpose(), o)
		},
	})
}

// runApply is apply, destroy, import and rotate.
func (p *program) runApply(ctx context.Context, m view.PlanPurpose, o *runOptions) error {
	cannotAsk := p.checkApprovalPossible(m, o)
	if cannotAsk != nil && (m != view.Destroying && m != view.Rotating && o.onlyImport == nil || p.json) {
		return cannotAsk
	}
	if err := p.beginOutput(m.ApplyingCommandName()); err != nil {
		return err
	}
	return p.withSession(ctx, func(ctx context.Context, s *session) error {
		if err := s.setRunOptions(o); err != nil {
			return err
		}
		if o.isApproved() || s.savedPlan != nil {
			return s.applyWithoutPrompt(ctx, m)
		}
		s.cannotAsk = cannotAsk
		return s.applyInteractive(ctx, m)
	})
}

// isApproved reports whether nobody needs to be asked.
func (o *runOptions) isApproved() bool { return o.autoApprove || o.expectedDigest != nil }

// checkApprovalPossible fails at once where a prompt would wait for nobody.
func (p *program) checkApprovalPossible(m view.PlanPurpose, o *runOptions) error {
	name, look := m.ApplyingCommandName(), `"b2form plan"`
	also, options := ", or with the -expect=DIGEST that it ends with", "-auto-approve or -expect=DIGEST"
	switch {
	case o.onlyImport != nil:
		name, look = "import", "the plan above"
	case m == view.Destroying:
		look = `"b2form plan -destroy"`
	case m == view.Refreshing:
		look = `"b2form plan -refresh-only"`
	case m == view.Rotating:
		look, also, options = "the plan above", "", "-auto-approve"
	}
	switch {
	case o.isApproved() || p.savedPlan != nil || p.interactive():
		return nil
	case p.json:
		return failf("Approval cannot be asked for", "%s -json speaks to programs. Add %s.", name, options)
	case p.stdinTerminal:
		return failf("Approval cannot be asked for", "Asking is switched off by -input=false or TF_INPUT. Add -auto-approve to %s "+
			"without being asked.", name)
	}
	return failf("Approval cannot be asked for", "Standard input is not a terminal. Look at %s, then %s with -auto-approve%s.", look, name,
		also)
}

// applyWithoutPrompt locks the state first, so that runs that follow each other in a
// pipeline never plan on what the one before is about to change.
func (s *session) applyWithoutPrompt(ctx context.Context, m view.PlanPurpose) error {
	return s.withLockedState(ctx, m, func(store *state.Store) error {
		p, err := s.planShowAndCheckConsent(ctx, store.State(), m)
		if err != nil {
			return err
		}
		if s.hasNothingToDo(p, m) {
			if err := s.recordUnchangedRun(store, s.appliedAfterRun(m, p, s.state.Entries), s.entriesWithRenewedDigests(m)); err != nil {
				return err
			}
			return s.showOutputsWithoutChanges(m)
		}
		return s.applyPlan(ctx, store, p, m)
	})
}

// applyInteractive shows the plan, asks, and plans again under the lock: only what was
// approved is carried out.
func (s *session) applyInteractive(ctx context.Context, m view.PlanPurpose) error {
	st, err := s.readState(ctx)
	if err != nil {
		return err
	}
	p, err := s.planShowAndCheckConsent(ctx, st, m)
	if err != nil {
		return err
	}
	shown := s.destroyed
	switch {
	case !p.HasNoResourceChanges() && s.cannotAsk != nil:
		if m != view.Rotating { // which takes no digest
			s.ui.PlanDigest(s.planDigest(p))
		}
		return s.cannotAsk
	case !p.HasNoResourceChanges():
		if err := s.askApproval(ctx, approvalPromptFor(m, len(s.runOptions.target)+len(s.runOptions.exclude) > 0)); err != nil {
			return err
		}
	case s.hasNothingToDo(p, m):
		applied, renewed := s.appliedAfterRun(m, p, st.Entries), s.entriesWithRenewedDigests(m)
		if applied != st.Applied || len(renewed) > 0 || isUnbound(st) || secret.NewTempFileJournal(s.tempFileListPath()).HasLeftovers() {
			err := s.withLockedState(ctx, m, func(store *state.Store) error { return s.recordUnchangedRun(store, applied, renewed) })
			if err != nil {
				return err
			}
		}
		return s.showOutputsWithoutChanges(m)
	}
	return s.withLockedState(ctx, m, func(store *state.Store) error {
		fresh, err := s.makePlan(ctx, store.State(), m)
		if err != nil {
			return err
		}
		if err := s.checkStillAsShown(ctx, fresh, p.Basis, shown); err != nil {
			return err
		}
		return s.applyPlan(ctx, store, fresh, m)
	})
}

// checkStillAsShown refuses a plan that is other than the one that was shown, or that would delete something else with what it destroys.
func (s *session) checkStillAsShown(ctx context.Context, fresh *plan.Plan, basis string, destroyed []planfile.DestroyedContents) error {
	const summary, advice = "The account changed since the plan was made", "so nothing was changed. Run the command again to see the " +
		"plan of now."
	if fresh.Basis != basis {
		return failf(summary, "Something that the plan touches is other than it was when the plan was shown, "+advice)
	}
	if err := s.addCountsAndFindUndeletable(ctx, fresh); err != nil {
		return err
	}
	if differ := contentsDifferences(destroyed, s.destroyed, "when the plan was shown"); len(differ) > 0 {
		return failf(summary, "Something else would be deleted than when the plan was shown, "+advice+"\n  %s",
			strings.Join(atMostDifferences(differ), "\n  "))
	}
	return nil
}

// hasNothingToDo reports whether nothing is to be done, and nothing that a run left is to be dealt with.
func (s *session) hasNothingToDo(p *plan.Plan, m view.PlanPurpose) bool {
	return p.HasNoResourceChanges() && len(p.Records) == 0 && (len(s.state.OpenIntents) == 0 || m == view.Refreshing)
}

// isUnbound reports whether a state records objects and not whose they are, as one that was put together by hand.
func isUnbound(st *state.State) bool { return st.AccountID == "" && len(st.Entries) > 0 }

// recordUnchangedRun records what was applied, and digests of what is live unless another run was there since
// the plan was made. The account, which has all that the state records, is recorded too.
func (s *session) recordUnchangedRun(store *state.Store, applied state.AppliedDigests, renewed []addr.StateEntry) error {
	store.SetApplied(applied)
	if isUnbound(store.State()) {
		if err := store.BindAccount(s.snapshot.Account.ID, s.snapshot.Account.Realm); err != nil {
			return err
		}
	}
	same := func(a, b addr.StateEntry) bool {
		return a.Addr == b.Addr && a.ID == b.ID && a.DriftDigests == b.DriftDigests
	}
	if !slices.EqualFunc(store.State().Entries, s.state.Entries, same) {
		return nil
	}
	return store.PutDigests(renewed...)
}

// planShowAndCheckConsent plans, shows, and refuses what has no consent.
func (s *session) planShowAndCheckConsent(ctx context.Context, st *state.State, m view.PlanPurpose) (*plan.Plan, error) {
	p, broken, err := s.makePlanToShow(ctx, st, m)
	if err != nil {
		return nil, err
	}
	if err := s.addCountsAndFindUndeletable(ctx, p); err != nil {
		return nil, err
	}
	s.showCredentialsSource()
	warnings := slices.Concat(p.Warnings, s.warnSecretsEndWithJob(p), s.warnNotLookedInto(p))
	if s.showsUndeliveredSecrets() {
		warnings = append(warnings, s.warnUndelivered(p)...) // else there will be an error
	}
	s.ui.Diagnostics(warnings, s.sourceFiles)
	if m == view.Rotating {
		s.showRotations(p)
	}
	s.ui.Plan(p, m)
	s.ui.ReportPolicyExceptions(s.exceptions())
	if err := s.checkSavedPlan(p); err != nil {
		return nil, err
	}
	if err := s.checkExpectedDigest(p); err != nil {
		return nil, err
	}
	return p, s.checkConsent(p, m, broken)
}

// withLockedState opens the state for changing it.
func (s *session) withLockedState(ctx context.Context, m view.PlanPurpose, do func(*state.Store) error) (err error) {
	store, err := s.lockState(ctx, m.ApplyingCommandName())
	if err != nil {
		return err
	}
	defer func() { err = closeStore(store, err) }()
	if err := s.removeEarlierTempFiles(); err != nil {
		return err
	}
	return do(store)
}

// tempFileListPath is where temporary files of deliveries are listed: in the folder of the
// lock, and never where other machines share it.
func (s *session) tempFileListPath() string {
	const suffix = ".temporary"
	if local, ok := s.backend().(state.LocalFile); ok {
		return local.FilePaths()[0] + suffix
	}
	return stateFile + suffix
}

// removeEarlierTempFiles removes temporary files, perhaps with a secret, that a killed run left. The
// state is locked.
func (s *session) removeEarlierTempFiles() error {
	if err := secret.NewTempFileJournal(s.tempFileListPath()).RemoveLeftovers(); err != nil {
		return failf("A temporary file was left", "%s", words.Sentence(err.Error()))
	}
	return nil
}

// applyPlan carries the plan out and tells what came of it.
func (s *session) applyPlan(ctx context.Context, store *state.Store, p *plan.Plan, m view.PlanPurpose) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := store.BindAccount(s.snapshot.Account.ID, s.snapshot.Account.Realm); err != nil {
		return err
	}
	s.recordApplyStarted(store, m)
	end := s.beginPhase("apply", "Applying")
	w := s.newProgressReporter()
	delivery := s.secretOptions()
	delivery.MayReplace = s.mayReplaceFile
	result := apply.Run(ctx, apply.Options{
		API: fencedAPI{s.client, store}, Kinds: s.kinds, Config: s.config, Snapshot: s.snapshot, Plan: p, State: store,
		Delivery: delivery, Parallelism: s.parallelism, Now: s.b2Time, RunStart: s.readStart, OnEvent: w.handleEvent,
		Sleep: s.sleep, VerifyKey: s.authorizeKey, ShowKey: s.showKeyIfAllowed,
		DigestSalt: s.stateSaltIfAny(m), LiveDigestsOnly: m == view.Refreshing,
	})
	w.stop()
	end()
	if !p.HasNoResourceChanges() || len(p.ProtectionChanges) > 0 {
		s.ui.Done(result, m)
	}
	s.ui.Deliveries(newKeysWithDestination(result))
	s.ui.Diagnostics(append(result.Warnings, s.warnDeadKeyFiles(result)...), s.sourceFiles)
	if result.Incomplete() {
		s.ui.Diagnostics(s.runErrors(result), s.sourceFiles)
		return exitCode(1)
	}
	applied := s.appliedAfterRun(m, p, result.Entries)
	store.SetApplied(applied)
	if m == view.Destroying || m == view.Refreshing {
		return nil
	}
	if m == view.Planning {
		s.ui.Diagnostics(s.evaluateAndRecordChecks(s.newOutputReader(result.Snapshot, result.Entries, nil)), s.sourceFiles)
	}
	if s.runOptions.onlyImport != nil {
		return nil
	}
	r := s.newOutputReader(result.Snapshot, result.Entries, result.UsableNewKeys)
	r.lastApplied = applied
	if err := s.showOutputs(r, m); err != nil {
		return err
	}
	if s.runOptions.detailedExitCode && !p.HasNoResourceChanges() {
		return changesPresent
	}
	return nil
}

// showOutputsWithoutChanges ends a run that had nothing to do.
func (s *session) showOutputsWithoutChanges(m view.PlanPurpose) error {
	if m != view.Planning {
		return nil
	}
	return s.showOutputs(s.newOutputReader(s.snapshot, s.state.Entries, nil), m)
}

// graceOfPrograms is how long a program that a secret is delivered to may go on
// after an interrupt.
const graceOfPrograms = 10 * time.Second

// secretOptions is where secrets may go. JSON lines leave no room for one on
// standard output.
func (s *session) secretOptions() secret.DeliveryOptions {
	env := secret.DeliveryOptions{ProgramEnv: s.environWithoutStateToken(), StopGrace: graceOfPrograms, SkipPrograms: s.localB2 != nil}
	env.TempFiles = secret.NewTempFileJournal(s.tempFileListPath())
	env.ProtectedPaths = []string{s.tempFileListPath()}
	if local, ok := s.backend().(state.LocalFile); ok {
		env.ProtectedPaths = append(env.ProtectedPaths, local.FilePaths()...)
	}
	if !s.json && !s.stdoutDiscarded {
		env.Stdout, env.StdoutPreface = s.stdout, s.maskLineIfAny
	}
	return env
}
