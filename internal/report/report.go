// Package report draws what pipelines show of a run (Markdown, SARIF, JUnit, annotations, messages) from one
// model of it. The model is texts and numbers that internal/view and the plan made: an attribute or a hazard more
// touches nothing here. The package is pure: it reads and writes no file, no clock, no environment and no network.
package report

import (
	"b2form/internal/view"
	"b2form/plan"
)

// An Outcome is how a run ended.
type Outcome string

// The outcomes.
const (
	Unchanged Outcome = "unchanged" // there is nothing to do
	Pending   Outcome = "changes"   // there are changes, and the command makes none; or drift, or findings
	Applied   Outcome = "applied"   // everything was done
	Failed    Outcome = "failed"    // an error, or not everything was done
)

// A Run is what one run of the program found and did. No secret and no sensitive value is in it. Its texts are
// escaped as internal/visible does it, and may hold anything else that others can choose.
type Run struct {
	ProgramVersion string // of b2form
	Command        string // "plan", "apply", "drift": what was run
	Folder         string // of the configuration, with slashes, from where the pipeline works; "": there, or not known

	// State is where the state is kept, where the folder may have several; "": it has one, or nobody knows.
	State string

	Planned           *Plan        // nil: no plan was made
	Done              *ApplyResult // nil: nothing was carried out
	Drift             []Drift      // what changed outside of b2form; sorted by address
	ListedKeys        []Key        // what b2form keys lists
	Checks            []Check      // in order of their names
	OutputsDiff       string       // how outputs change, as view.OutputsDiff; "": none does
	StateDiff         string       // how what the state records of protection changes, as view.ProtectionDiff; "": nothing does
	ManagedCountTexts []string     // how much of what is live is managed, a sentence for each kind; nil: nobody asked
	Digest            string       // what the plan can be approved by; "": nothing

	Exceptions  []Exception       // from policies
	Diagnostics []view.Diagnostic // in the order in which they were shown
	ExitCode    int
}

// A Plan is what would change.
type Plan struct {
	Purpose view.PlanPurpose
	Summary string // "Plan: 1 to add, 0 to change, 0 to destroy."
	Counts  plan.Counts
	Changes []Change // sorted by address
	LeftOut []string // addresses with changes that the plan leaves out
}

// A Change is what would happen to one address, or did.
type Change struct {
	Address string
	Action  string // plan.Action, or "move"
	Symbol  string // plan.Action.Symbol
	view.ChangeText
	Range   *view.Range // where it is declared; nil: it is not, or nobody knows
	Fields  []string    // attributes that differ
	Hazards []Hazard
}

// A Hazard is what a change may cost.
type Hazard struct {
	Kind           string // "deletes data"
	AllowFlagValue string // as -allow takes it
	Detail         string // "": the kind says it
}

// ApplyResult is what was carried out.
type ApplyResult struct {
	Summary    string // "Apply complete! Resources: 1 added, 0 changed, 0 destroyed."
	Incomplete bool
	Counts     plan.Counts
	Failed     []string // addresses of what failed
	Unfinished []string // addresses of what was not begun or not finished
}

// A Drift is one object that is not as b2form left it, or that is not declared here.
type Drift struct {
	Address string // "": it is not declared here
	Type    DriftType
	Text    string      // "bucket.photos has changed: cors_rules"
	Range   *view.Range // where it is declared; nil: it is not, or nobody knows
	Fields  []string    // attributes that differ
	Diff    string      // as view.ChangeText.Diff, from what is declared to what is live; "": it is not known
	// IsListedOnly says that it was asked for, and is no reason for the exit code.
	IsListedOnly bool
}

// A DriftType says in which way an object is not as it should be.
type DriftType string

// The sorts.
const (
	DriftChanged   DriftType = "changed"
	DriftGone      DriftType = "gone"
	DriftUnmanaged DriftType = "unmanaged"
)

// A Key is one live key, as the columns of b2form keys tell of it.
type Key struct {
	Name, Owner, Capabilities, BucketsAndPrefix, Expiry string
	Findings                                            []KeyFinding
}

// A KeyFinding is what deserves a look about a key, or about the credentials in use.
type KeyFinding struct{ Rule, Detail string }

// A Check is what came of a check block, or of another question with a name.
type Check struct {
	Name     string
	Failed   bool
	Unknown  bool     // nothing failed, and of something it is not known yet
	Messages []string // what its assertions say
}

// An Exception is a resource for which a policy does not hold.
type Exception struct{ Address, Policy, Reason string }

// Outcome is how the run ended.
func (r *Run) Outcome() Outcome {
	switch {
	case r.ExitCode == 1 || r.errorCount() > 0 || r.Done != nil && r.Done.Incomplete:
		return Failed
	case r.Done != nil:
		return Applied
	case r.Planned != nil && len(r.Planned.Changes) > 0, r.OutputsDiff != "", r.StateDiff != "", len(r.Drift) > 0, r.ExitCode == 2:
		return Pending
	}
	return Unchanged
}

// DoneOrPlannedCounts are what was done, else what would be.
func (r *Run) DoneOrPlannedCounts() plan.Counts {
	switch {
	case r.Done != nil:
		return r.Done.Counts
	case r.Planned != nil:
		return r.Planned.Counts
	}
	return plan.Counts{}
}

// Changes are those of the plan; nil where there is none.
func (r *Run) Changes() []Change {
	if r.Planned == nil {
		return nil
	}
	return r.Planned.Changes
}

// HazardCount is how many hazards the changes have.
func (r *Run) HazardCount() (n int) {
	for i := range r.Changes() {
		n += len(r.Planned.Changes[i].Hazards)
	}
	return n
}

// splitDrift divides what is not as b2form left it from what is not declared here.
func (r *Run) splitDrift() (changedOutside, unmanaged []Drift) {
	for _, d := range r.Drift {
		if d.Type == DriftUnmanaged {
			unmanaged = append(unmanaged, d)
		} else {
			changedOutside = append(changedOutside, d)
		}
	}
	return changedOutside, unmanaged
}

func (r *Run) errorCount() int { return len(r.withSeverity("error")) }

// withSeverity are the diagnostics of one severity.
func (r *Run) withSeverity(severity string) (list []view.Diagnostic) {
	for _, d := range r.Diagnostics {
		if d.Severity == severity {
			list = append(list, d)
		}
	}
	return list
}
