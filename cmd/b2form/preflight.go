package main

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/internal/state"
	"b2form/plan"
)

func (o *runOptions) capabilitiesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "capabilities", Destination: &o.showCapabilities,
		Usage: "instead of the plan, print a key block with the least that carrying it out takes"}
}

// warnMissingCapabilities says what apply would refuse. Credentials that only read are meant for planning, as those of a
// pipeline whose apply has others: of them there is a note.
func (s *session) warnMissingCapabilities(p *plan.Plan) hcl.Diagnostics {
	warnings := s.diagnoseMissingCapabilities(p, hcl.DiagWarning)
	if len(warnings) == 0 || !s.snapshot.Account.CanOnlyRead() {
		return warnings
	}
	s.ui.Note("These credentials only read: an apply of this plan needs others. \"b2form plan -capabilities\" prints a key that has " +
		"all that it needs.\n")
	return nil
}

// diagnoseMissingCapabilities says which capabilities of the plan the credentials do not have, and which changes
// need them.
func (s *session) diagnoseMissingCapabilities(p *plan.Plan, severity hcl.DiagnosticSeverity) hcl.Diagnostics {
	consequence := refusalConsequence(severity)
	var diags hcl.Diagnostics
	lack := func(capability, what string, at *hcl.Range) {
		diags = append(diags, &hcl.Diagnostic{Severity: severity, Summary: "The credentials lack " + capability,
			Detail: fmt.Sprintf("%s without the capability %s, so %s. Use an application key that has it; "+
				"\"b2form plan -capabilities\" prints one that has all that this plan needs.", what, capability, consequence),
			Subject: at})
	}
	for _, r := range p.MissingCapabilities(s.snapshot.Account) {
		lack(r.Capability, r.NeededByText()+" cannot be carried out", s.blockRange(r.NeededBy[0]))
	}
	if p.HasNoResourceChanges() && len(p.Records) == 0 {
		return diags
	}
	for _, capability := range s.stateCapabilities() {
		if !s.snapshot.Account.HasCapability(capability) {
			lack(capability, fmt.Sprintf("The state in %s cannot be stored", s.backend()), nil)
		}
	}
	return diags
}

// refusalConsequence is what a plan that cannot be carried out comes to: a warning is of plan, an error of apply.
func refusalConsequence(severity hcl.DiagnosticSeverity) string {
	if severity == hcl.DiagError {
		return "nothing was changed"
	}
	return "apply would refuse the plan before it changes anything"
}

// stateCapabilities is what changing the state takes, where it is in a bucket. Sorted.
func (s *session) stateCapabilities() []string {
	if _, shared := s.backend().(state.BucketBackend); !shared {
		return nil
	}
	return []string{"listBuckets", "readFiles", "writeBuckets", "writeFiles"}
}

// capabilitiesToReadAndApply is what reading the account and carrying the plan out take. Sorted.
func (s *session) capabilitiesToReadAndApply(p *plan.Plan) []string {
	list := s.stateCapabilities()
	query := s.configAndStateQuery()
	for _, k := range s.kinds {
		if _, asked := query[k.Name]; asked {
			list = append(list, k.ReadCapabilities...)
		}
	}
	for _, r := range s.config.Resources {
		for _, a := range r.Kind.SettableAttrs() {
			if a.ReadCapability != "" && !r.Value.GetAttr(a.Name).IsNull() {
				list = append(list, a.ReadCapability)
			}
		}
	}
	for _, r := range slices.Concat(p.RequiredCapabilities(), capabilitiesToLookInto(p)) {
		list = append(list, r.Capability)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
