package apply

import (
	"time"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/secret"
	"b2form/plan"
	"b2form/schema/kind"
)

// An Event tells of progress while a plan is carried out. Events of one address
// come in order; the receiver is called from one goroutine at a time.
type Event struct {
	Addr   kind.Addr
	Kind   *kind.Kind
	Action plan.Action
	Stage  Stage
	ID     string        // remote ID, as far as it is known
	Took   time.Duration // since the step started
	Count  int           // Stage Emptying: file versions removed so far
	Note   string        // Stage Delivered: where the secret went
	Err    error         // Stage Failed
}

// A Stage is how far a step has come. A Replace reports the creation of the new
// object under Action Create and the deletion of the old one under Delete.
type Stage string

// The stages.
const (
	Started   Stage = "started"
	Emptying  Stage = "emptying"
	Delivered Stage = "delivered"
	Done      Stage = "done"
	Failed    Stage = "failed"
)

// A Step is one change as it was carried out.
type Step struct {
	Change *plan.Change
	ID     string // the object's remote ID after the step
	Took   time.Duration
	Err    error // nil: done
}

// A Result is what happened.
type Result struct {
	Steps   []Step      // sorted by address; every change of the plan that was begun
	Skipped []kind.Addr // not begun: something they need failed, or the run was interrupted; sorted
	// Unfinished were begun and lack their last part, for the same reasons; sorted.
	Unfinished []kind.Addr
	// Counts are the changes that were done.
	Counts plan.Counts
	// Snapshot is the account after the run, as far as replies tell.
	Snapshot *kind.Snapshot
	// Secrets are the application keys made by this run, for outputs and for
	// showing them once. Keys whose delivery failed are not among them.
	Secrets     map[kind.Addr]Secret
	Interrupted bool
	// StateErr says that the state could not be written; nil: all is recorded.
	StateErr error
	// Warnings are about new keys that B2 did not confirm; by address.
	Warnings hcl.Diagnostics
	// Entries are what is ours after the run, sorted by address.
	Entries []kind.Entry
}

// A Secret is a key that this run made.
type Secret struct {
	KeyID     string
	Key       secret.Value
	Delivered []string // where it went, in words; empty: nowhere
}

// Failed reports whether anything failed or was left undone.
func (r *Result) Failed() bool {
	return r.Interrupted || r.StateErr != nil || len(r.Skipped) > 0 || len(r.Unfinished) > 0 || r.stepFailed()
}

func (r *Result) stepFailed() bool {
	for _, s := range r.Steps {
		if s.Err != nil {
			return true
		}
	}
	return false
}
