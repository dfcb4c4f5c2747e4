package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/secret"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/kind"
)

// An Event tells of progress while a plan is carried out. Events of one address
// come in order; the receiver is called from one goroutine at a time.
type Event struct {
	Addr         addr.Addr
	Kind         *kind.Kind
	Action       plan.Action
	Stage        EventStage
	RemoteID     string        // remote ID, as far as it is known
	DeletedName  string        // Action Delete: what ID is called
	Elapsed      time.Duration // since the step started
	FilesRemoved int           // Stage Emptying: file versions removed so far
	Destination  string        // Stage Delivered: where the secret went
	Err          error         // Stage Failed; Stage Verified, where B2 still does not accept the key
}

// An EventStage is how far a step has come. A Replace reports the creation of the new
// object under Action Create and the deletion of the old one under Delete.
type EventStage string

// The stages.
const (
	Started           EventStage = "started"
	Emptying          EventStage = "emptying"
	Delivered         EventStage = "delivered"
	KeyNotYetAccepted EventStage = "verifying" // B2 does not accept the new key yet; only then
	VerifyEnded       EventStage = "verified"  // the wait for that is over
	Done              EventStage = "done"
	Failed            EventStage = "failed"
)

// A ChangeResult is what became of one change.
type ChangeResult struct {
	Change   *plan.Change
	RemoteID string        // the object's remote ID: of the new one, where one was made
	Took     time.Duration // all its steps together
	Err      error         // of the steps that failed; nil: none did
}

// A Result is what happened.
type Result struct {
	BegunChanges []ChangeResult // sorted by address; every change of the plan that was begun
	Skipped      []addr.Addr    // not begun: something they need failed, or the run was interrupted; sorted
	// PartlySkipped were begun and lack a step, for the same reasons; sorted. That a new key was not tried is a warning alone.
	PartlySkipped []addr.Addr
	// Counts are what was done.
	Counts plan.Counts
	// Snapshot is the account after the run, as far as replies tell.
	Snapshot *kind.Snapshot
	// UsableNewKeys are the application keys made by this run, for outputs and for
	// showing them once. Keys whose delivery failed are not among them.
	UsableNewKeys map[addr.Addr]NewKey
	Interrupted   bool
	// StateErr says that the state could not be written; nil: all is recorded.
	StateErr error
	// FailedPostconditions are errors about conditions that could be judged only after the run, and do not hold.
	FailedPostconditions hcl.Diagnostics
	// Warnings are about new keys that B2 did not confirm, and about deletions that
	// are left to the next run because of them, by address; then about creates that may still take effect
	// and that nothing tells of any more.
	Warnings hcl.Diagnostics
	// Entries are what is ours after the run, sorted by address.
	Entries []addr.StateEntry
}

// A NewKey is a key that this run made.
type NewKey struct {
	KeyID       string
	Key         secret.Value
	DeliveredTo []string // where it went, in words; empty: nowhere
}

// Incomplete reports whether anything failed or was left undone.
func (r *Result) Incomplete() bool {
	failed := func(c ChangeResult) bool { return c.Err != nil }
	return r.StateErr != nil || len(r.FailedPostconditions) > 0 || len(r.Skipped) > 0 || len(r.PartlySkipped) > 0 ||
		slices.ContainsFunc(r.BegunChanges, failed)
}

// buildResult sums the run up. err is of the state.
func (r *runner) buildResult(ctx context.Context, outcomes []stepStatus, stateErr error) *Result {
	out := &Result{Snapshot: r.Snapshot, UsableNewKeys: map[addr.Addr]NewKey{}, StateErr: stateErr, Interrupted: ctx.Err() != nil,
		Entries: r.State.State().Entries, FailedPostconditions: r.recheckPostconditions()}
	steps := make([][]int, len(r.changeTasks))
	for i := range r.Plan.Steps {
		change := r.Plan.Steps[i].Change
		steps[change] = append(steps[change], i)
	}
	for i, t := range r.changeTasks {
		begun, left, waits := len(steps[i]) == 0, false, false
		for _, step := range steps[i] {
			o, isTry := outcomes[step], r.Plan.Steps[step].Op == plan.OpVerify
			begun = begun || o != notBegun
			left = left || !isTry && (o == notBegun || o == held && out.Interrupted)
			waits = waits || o == held || o == notBegun && isTry && t.newKey.KeyID != ""
		}
		out.Counts = out.Counts.Plus(r.doneCounts(t, steps[i], outcomes))
		failure := errors.Join(t.errs...)
		switch {
		case !begun:
			out.Skipped = append(out.Skipped, t.Addr)
			continue
		case left && failure == nil:
			out.PartlySkipped = append(out.PartlySkipped, t.Addr)
		}
		out.BegunChanges = append(out.BegunChanges, ChangeResult{Change: t.Change, RemoteID: t.objectID, Took: t.took, Err: failure})
		if t.newKey.KeyID != "" {
			out.UsableNewKeys[t.Addr] = t.newKey
		}
		if waits {
			out.Warnings = append(out.Warnings, r.leftToNextApplyWarning(t))
		}
	}
	out.Warnings = append(out.Warnings, r.droppedIntentWarnings...)
	return out
}

// doneCounts is what was done of a change.
func (r *runner) doneCounts(t *changeTask, steps []int, outcomes []stepStatus) plan.Counts {
	var n plan.Counts
	n.Import = len(t.Imports())
	updated := t.Action == plan.Update
	for _, step := range steps {
		isDone := outcomes[step] == done || t.postconditionFailed && writesObject(&r.Plan.Steps[step])
		switch r.Plan.Steps[step].Op {
		case plan.OpCreate:
			n.Add += boolToInt(isDone)
		case plan.OpUpdate:
			updated = updated && isDone
		case plan.OpDelete:
			n.Destroy += boolToInt(isDone)
		case plan.OpForget:
			if isDone {
				n.Forget += t.Change.Counts().Forget
			}
		}
	}
	n.Change = boolToInt(updated)
	return n
}

func boolToInt(is bool) int {
	if is {
		return 1
	}
	return 0
}

// leftToNextApplyWarning says why something of a change was left to the next run.
func (r *runner) leftToNextApplyWarning(t *changeTask) *hcl.Diagnostic {
	if w := r.unverifiedWarnings[t.Addr]; w != nil {
		return w
	}
	if t.newKey.KeyID != "" {
		return r.unverifiedWarning(t, "was not tried", "the run was interrupted before it was tried")
	}
	w := &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "A deletion is left to the next apply", Extra: t.Addr,
		Detail: fmt.Sprintf("%s waits for the end of an object that a new one replaces, and the new one is not confirmed yet. The next "+
			"apply goes on with it.", t.Addr)}
	if res := r.resources[t.Addr]; res != nil {
		w.Subject = res.Block.HeaderRange.Ptr()
	}
	return w
}
