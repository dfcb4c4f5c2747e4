package report

import (
	"time"

	"github.com/hashicorp/hcl/v2"

	"b2form/apply"
	"b2form/internal/audit"
	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/kind"
)

// A Recorder makes a Run of what a command says. It has the methods of view.TextUI and view.JSONUI, so that what is
// said to people and programs is what is reported.
type Recorder struct {
	ignoredOutput
	Run Run
	// Locate says where a resource is declared; nil: nobody knows.
	Locate func(addr.Addr) *hcl.Range
}

// Diagnostics records errors and warnings.
func (r *Recorder) Diagnostics(diags hcl.Diagnostics, files map[string]*hcl.File) {
	for _, d := range diags {
		r.Run.Diagnostics = append(r.Run.Diagnostics, view.DiagnosticJSON(d, files))
	}
}

// State records where the state is kept, of a folder that may have several.
func (r *Recorder) State(place string) { r.Run.State = visible.EscapeLine(place) }

// Plan records what would change, and what changed outside of b2form.
func (r *Recorder) Plan(p *plan.Plan, m view.PlanPurpose) {
	shown := &Plan{Purpose: m, Summary: view.PlanSummary(p.Counts()), Counts: p.Counts(), LeftOut: addr.Strings(p.LeftOut)}
	r.Run.Drift = nil
	for i := range p.Changes {
		c := &p.Changes[i]
		if d, drifted := driftOf(c, m); drifted {
			r.Run.Drift = append(r.Run.Drift, d)
		}
		if m == view.Refreshing {
			continue // what the state is told changes no object
		}
		one := Change{Address: c.Addr.String(), Action: view.ActionOrMove(c), Symbol: c.Action.Symbol(), ChangeText: view.NewChangeText(c),
			Fields: c.Fields}
		if r.Locate != nil {
			if at := r.Locate(c.Addr); at != nil {
				one.Range = view.NewRange(at)
			}
		}
		for _, h := range c.Hazards {
			one.Hazards = append(one.Hazards, Hazard{string(h.Kind), h.Kind.AllowFlagValue(), visible.EscapeLine(h.Detail)})
		}
		shown.Changes = append(shown.Changes, one)
	}
	r.Run.Planned, r.Run.OutputsDiff, r.Run.StateDiff = shown, view.OutputsDiff(p), view.ProtectionDiff(p)
}

// driftOf is what happened to the object of a change outside of b2form.
func driftOf(c *plan.Change, m view.PlanPurpose) (d Drift, drifted bool) {
	text := view.OutsideChangeText(c, m)
	d = Drift{Address: c.Addr.String(), Type: DriftChanged, Text: text, Fields: c.Fields}
	switch {
	case text == "" || c.LiveDrift != plan.Changed && c.LiveDrift != plan.Gone:
		return d, false
	case view.IsGone(c):
		d.Type = DriftGone
	}
	return d, true
}

// PlanDigest records what the plan can be approved by.
func (r *Recorder) PlanDigest(d plan.Digest) { r.Run.Digest = d.String() }

// ReportPolicyExceptions records the resources for which a policy does not hold.
func (r *Recorder) ReportPolicyExceptions(list []view.Exception) {
	for _, x := range list {
		r.Run.Exceptions = append(r.Run.Exceptions,
			Exception{x.Addr.String(), visible.EscapeLine(x.Policy), visible.EscapeLine(x.Reason)})
	}
}

// Done records what was carried out.
func (r *Recorder) Done(result *apply.Result, m view.PlanPurpose) {
	done := &ApplyResult{Summary: view.DoneSummary(result, m), Incomplete: result.Incomplete(), Counts: result.Counts}
	for _, c := range result.BegunChanges {
		if c.Err != nil {
			done.Failed = append(done.Failed, c.Change.Addr.String())
		}
	}
	done.Unfinished = append(addr.Strings(result.Skipped), addr.Strings(result.PartlySkipped)...)
	r.Run.Done = done
}

// SetKeys records what was found about the live keys.
func (r *Recorder) SetKeys(found *audit.Report) {
	r.Run.ListedKeys = []Key{}
	if len(found.OwnCredentialFindings) > 0 {
		r.Run.ListedKeys = append(r.Run.ListedKeys,
			Key{Name: "the key that b2form runs with", Findings: toKeyFindings(found.OwnCredentialFindings)})
	}
	for _, c := range found.Credentials {
		cells := view.CredentialCells(c)
		r.Run.ListedKeys = append(r.Run.ListedKeys, Key{cells[0], cells[1], cells[2], cells[3], cells[4], toKeyFindings(c.Findings)})
	}
}

func toKeyFindings(list []kind.Finding) (out []KeyFinding) {
	for _, f := range list {
		out = append(out, KeyFinding{string(f.Rule), visible.EscapeLine(f.Detail)})
	}
	return out
}

// SetChecks records what came of the check blocks.
func (r *Recorder) SetChecks(list []view.CheckResult) {
	r.Run.Checks = nil
	for _, c := range list {
		one := Check{Name: visible.EscapeLine(c.Name), Failed: len(c.FailureMessages) > 0, Unknown: c.Unknown}
		for _, said := range c.FailureMessages {
			one.Messages = append(one.Messages, visible.EscapeLines(said))
		}
		r.Run.Checks = append(r.Run.Checks, one)
	}
}

// ignoredOutput has what a command says and no report holds: Done tells what came of each step, results of tests have a
// report of their own, and secrets and values of outputs stay where they are asked for.
type ignoredOutput struct{}

func (ignoredOutput) Note(string)                     {}
func (ignoredOutput) Hint(string)                     {}
func (ignoredOutput) Tests([]view.TestFileResult)     {}
func (ignoredOutput) RequiredKey([]string)            {}
func (ignoredOutput) Rotations(*plan.Plan, time.Time) {}
func (ignoredOutput) Event(apply.Event)               {}
func (ignoredOutput) Still(apply.Event)               {}
func (ignoredOutput) ShowSecret(view.NewKey) error    { return nil }
func (ignoredOutput) Deliveries([]view.NewKey)        {}
func (ignoredOutput) Outputs([]view.Output, bool)     {}
