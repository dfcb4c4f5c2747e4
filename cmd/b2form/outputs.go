package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/apply"
	"b2form/internal/state"
	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// An outputReader answers for outputs: what is live, and why the rest is not there.
type outputReader struct {
	*session
	snapshot    *kind.Snapshot
	entries     map[addr.Addr]addr.StateEntry
	runSecrets  map[addr.Addr]apply.NewKey // keys that this run made
	declared    map[addr.Addr]*config.Resource
	lastApplied state.AppliedDigests // what was applied
}

func (s *session) newOutputReader(snapshot *kind.Snapshot, entries []addr.StateEntry, secrets map[addr.Addr]apply.NewKey) *outputReader {
	r := &outputReader{
		session: s, snapshot: snapshot, runSecrets: secrets, lastApplied: s.state.Applied,
		entries:  make(map[addr.Addr]addr.StateEntry, len(entries)),
		declared: s.config.ResourcesByAddr(),
	}
	for _, e := range entries {
		r.entries[e.Addr] = e
	}
	return r
}

// newPlannedOutputReader is an outputReader of what is live under the addresses that the plan moves it to.
func (s *session) newPlannedOutputReader(p *plan.Plan) *outputReader {
	r := s.newOutputReader(s.snapshot, s.state.Entries, nil)
	for _, m := range p.Moves {
		r.entries[m.To] = r.entries[m.From]
		delete(r.entries, m.From)
	}
	return r
}

// lookUpLive is the config.LiveLookup of the account, with the secrets of keys that this
// run made where they are shown anyway, and with what is left as it is live.
func (r *outputReader) lookUpLive(addr addr.Addr) (attrs map[string]cty.Value, ok bool) {
	res, e := r.declared[addr], r.entries[addr]
	if res == nil || e.ID == "" {
		return nil, false
	}
	known, ok := plan.LiveAttrsNotConfigured(res, r.snapshot, e.ID)
	if !ok {
		return nil, false
	}
	if made, fresh := r.runSecrets[addr]; fresh && r.mayShowSecret(made) {
		for _, a := range res.Kind.ComputedAttrs() {
			if a.Secret {
				known[a.Name] = cty.StringVal(made.Key.Reveal())
			}
		}
	}
	return known, true
}

// unknownValueText says why a part of an output is not known: a secret is gone, or what
// it is made from is not live.
func (r *outputReader) unknownValueText(v cty.Value) string {
	for _, m := range kind.ComputedMarksIn(v) {
		res, e := r.declared[m.Addr], r.entries[m.Addr]
		if res == nil || e.ID == "" {
			break
		}
		if a := res.Kind.FindAttr(m.Attr); a == nil || !a.Secret {
			continue
		}
		switch {
		case !e.Adopted.IsZero():
			return "(not known: " + m.Addr.String() + " was not made with this state)"
		case len(res.Deliveries) == 0:
			return "(shown once when it was made; not stored)"
		}
		var to []string
		for _, d := range res.Deliveries {
			to = append(to, d.DisplayName)
		}
		return "(delivered to " + strings.Join(to, ", ") + "; not stored)"
	}
	return "(known after apply)"
}

// evaluateOutputs evaluates output blocks.
func (r *outputReader) evaluateOutputs(list []*config.Output) ([]view.Output, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	outs := make([]view.Output, 0, len(list))
	for _, o := range list {
		v, ds := o.Value(r.lookUpLive)
		diags = append(diags, ds...)
		if !ds.HasErrors() {
			outs = append(outs, view.Output{Name: o.Name, Sensitive: o.Sensitive, Value: v, MissingText: r.unknownValueText})
		}
	}
	return outs, diags
}

// evaluateAndRecordChecks warns of every assertion that does not hold.
func (s *session) evaluateAndRecordChecks(r *outputReader) hcl.Diagnostics {
	results, diags := evaluateChecks(s.config.Checks, r.lookUpLive)
	if s.recorder != nil {
		s.recorder.SetChecks(results)
	}
	return diags
}

// evaluateChecks evaluates check blocks, and says what is wrong as warnings too.
func evaluateChecks(checks []*config.Check, live config.LiveLookup) (results []view.CheckResult, diags hcl.Diagnostics) {
	for _, c := range checks {
		failed, known := c.Evaluate(live)
		result := view.CheckResult{Name: c.Name, Unknown: !known && len(failed) == 0}
		for _, said := range failed {
			result.FailureMessages = append(result.FailureMessages, said.Detail)
			diags = append(diags, said)
		}
		results = append(results, result)
	}
	return results, diags
}

// showOutputs is the end of a run. One that rotates, or does a part, has not applied what
// else is declared.
func (s *session) showOutputs(r *outputReader, m view.PlanPurpose) error {
	if len(s.config.Outputs) > 0 && (m == view.Rotating || s.isPartialRun()) && r.checkConfigIsApplied(s.config.Outputs).HasErrors() {
		s.warn("Outputs are left out", "What is declared is not what was applied last; \"b2form output\" says more.")
		return nil
	}
	outs, diags := r.evaluateOutputs(s.config.Outputs)
	s.ui.Outputs(outs, s.runOptions.showSecrets)
	s.ui.Diagnostics(diags, s.sourceFiles)
	if diags.HasErrors() {
		return exitCode(1)
	}
	return nil
}

// withoutUnplacedRepeats drops what an earlier one has said, only of another block: a lock that was
// lost fails every step under way.
func withoutUnplacedRepeats(diags hcl.Diagnostics) hcl.Diagnostics {
	type said struct{ summary, detail string }
	seen := map[said]bool{}
	return slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool {
		what := said{d.Summary, d.Detail}
		repeated := seen[what] && d.Subject == nil
		seen[what] = true
		return repeated
	})
}

// runErrors are the errors of a run, each at the block it is about.
func (s *session) runErrors(r *apply.Result) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, c := range r.BegunChanges {
		if c.Err == nil {
			continue
		}
		for _, d := range explainAsDiagnostics(c.Err) {
			addr := c.Change.Addr
			if d.Subject == nil {
				d.Subject = s.blockRange(addr)
			}
			if d.Subject == nil {
				d.Detail = fmt.Sprintf("%s: %s", addr, d.Detail)
			}
			d.Extra = addr
			diags = append(diags, d)
		}
	}
	diags = append(diags, r.FailedPostconditions...)
	if r.StateErr != nil {
		diags = append(diags, explainAsDiagnostics(r.StateErr)...)
	}
	diags = withoutUnplacedRepeats(diags)
	if n := len(r.Skipped) + len(r.PartlySkipped); r.Interrupted && n > 0 {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Interrupted",
			Detail: fmt.Sprintf("What was under way is finished and recorded; what was not begun or not finished: %d. Run the command "+
				"again to go on.", n)})
	}
	return diags
}
