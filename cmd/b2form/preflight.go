package main

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/plan"
)

func (o *runOptions) capabilitiesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "capabilities", Destination: &o.capabilities,
		Usage: "instead of the plan, print a key block with the least that carrying it out takes"}
}

// lacking says which capabilities of the plan the credentials do not have, and which changes
// need them.
func (s *session) lacking(p *plan.Plan, severity hcl.DiagnosticSeverity) hcl.Diagnostics {
	consequence := "apply would refuse the plan before it changes anything"
	if severity == hcl.DiagError {
		consequence = "nothing was changed"
	}
	var diags hcl.Diagnostics
	for _, r := range p.Lacking(s.snapshot.Account) {
		diags = append(diags, &hcl.Diagnostic{Severity: severity, Summary: "The credentials lack " + r.Capability,
			Detail: fmt.Sprintf("%s cannot be carried out without the capability %s, so %s. Use an application key that has it; "+
				"\"b2form plan -capabilities\" prints one that has all that this plan needs.", r, r.Capability, consequence),
			Subject: s.blockRange(r.Addrs[0])})
	}
	return diags
}

// leastCapabilities is what reading the account and carrying the plan out take. Sorted.
func (s *session) leastCapabilities(p *plan.Plan) []string {
	var list []string
	query := s.accountQuery()
	for _, k := range s.kinds {
		if _, asked := query[k.Name]; asked {
			list = append(list, k.ReadCapabilities...)
		}
	}
	for _, r := range s.config.Resources {
		for _, a := range r.Kind.Settable() {
			if a.ReadCapability != "" && !r.Value.GetAttr(a.Name).IsNull() {
				list = append(list, a.ReadCapability)
			}
		}
	}
	for _, r := range p.Requirements() {
		list = append(list, r.Capability)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
