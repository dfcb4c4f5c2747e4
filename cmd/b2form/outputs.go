package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/apply"
	"b2form/internal/view"
	"b2form/schema/kind"
)

// A reader answers for outputs: what is live, and why the rest is not there.
type reader struct {
	*session
	snapshot *kind.Snapshot
	entries  map[kind.Addr]kind.Entry
	secrets  map[kind.Addr]apply.Secret // keys that this run made
	declared map[kind.Addr]*kind.Resource

	// What the output under way asked for and did not get.
	withheld []kind.Addr // keys of which the secret was not given
	absent   bool        // an object that is not live
}

func (s *session) reader(snapshot *kind.Snapshot, entries []kind.Entry, secrets map[kind.Addr]apply.Secret) *reader {
	r := &reader{
		session: s, snapshot: snapshot, secrets: secrets,
		entries:  make(map[kind.Addr]kind.Entry, len(entries)),
		declared: make(map[kind.Addr]*kind.Resource, len(s.config.Resources)),
	}
	for _, e := range entries {
		r.entries[e.Addr] = e
	}
	for _, res := range s.config.Resources {
		r.declared[res.Addr] = res
	}
	return r
}

// live is the kind.Live of the account, with the secrets that may be shown.
func (r *reader) live(addr kind.Addr) (map[string]cty.Value, bool) {
	res, e := r.declared[addr], r.entries[addr]
	if res == nil || e.ID == "" {
		r.absent = true
		return nil, false
	}
	computed, ok := r.snapshot.Computed(res.Kind, e.ID)
	if !ok {
		r.absent = true
		return nil, false
	}
	made, fresh := r.secrets[addr]
	for _, a := range res.Kind.ComputedAttrs() {
		switch {
		case !a.Secret:
		case fresh && r.disclosed(made):
			computed[a.Name] = cty.StringVal(made.Key.Reveal())
		default:
			r.withheld = append(r.withheld, addr)
		}
	}
	return computed, true
}

// missing says why something is not known in the output that was evaluated
// last.
func (r *reader) missing() string {
	if r.absent || len(r.withheld) == 0 {
		return "(known after apply)"
	}
	var to []string
	for _, addr := range r.withheld {
		if !r.entries[addr].Adopted.IsZero() {
			return "(not known: " + addr.String() + " was not made by b2form)"
		}
		for _, d := range r.declared[addr].Deliver {
			if !slices.Contains(to, d.Shown) {
				to = append(to, d.Shown)
			}
		}
	}
	if len(to) == 0 {
		return "(shown once when it was made; not stored)"
	}
	return "(delivered to " + strings.Join(to, ", ") + "; not stored)"
}

// outputs evaluates every output block.
func (r *reader) outputs() ([]view.Output, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	outs := make([]view.Output, 0, len(r.config.Outputs))
	for _, o := range r.config.Outputs {
		r.withheld, r.absent = nil, false
		v, ds := o.Value(r.live)
		diags = append(diags, ds...)
		if !ds.HasErrors() {
			outs = append(outs, view.Output{Name: o.Name, Sensitive: o.Sensitive, Value: v, Missing: r.missing()})
		}
	}
	return outs, diags
}

func (s *session) showOutputs(snapshot *kind.Snapshot, entries []kind.Entry, secrets map[kind.Addr]apply.Secret) error {
	outs, diags := s.reader(snapshot, entries, secrets).outputs()
	s.face.Outputs(outs, s.showSecrets)
	s.face.Diagnostics(diags, s.files)
	if diags.HasErrors() {
		return exitCode(1)
	}
	return nil
}

// failures are the errors of a run, each at the block it is about.
func (s *session) failures(r *apply.Result) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, step := range r.Steps {
		if step.Err == nil {
			continue
		}
		for _, d := range explain(step.Err) {
			addr := step.Change.Addr
			if d.Subject == nil {
				d.Subject = s.blockOf(addr)
			}
			if d.Subject == nil {
				d.Detail = fmt.Sprintf("%s: %s", addr, d.Detail)
			}
			d.Extra = addr
			diags = append(diags, d)
		}
	}
	if r.StateErr != nil {
		diags = append(diags, explain(r.StateErr)...)
	}
	if r.Interrupted {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Interrupted",
			Detail: fmt.Sprintf("What was under way is finished and recorded; %d steps were not begun. Run the command again to go on.", len(r.Skipped))})
	}
	return diags
}
