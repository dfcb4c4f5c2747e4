package main

import (
	"fmt"

	"github.com/urfave/cli/v3"

	"b2form/internal/view"
	"b2form/plan"
)

func (o *runOptions) documentFlag() cli.Flag {
	return &cli.BoolFlag{Name: "document", Destination: &o.document,
		Usage: "print the whole plan as one JSON document, as \"terraform show -json\" does"}
}

// printPlanDocument prints a plan for programs that judge it.
func (s *session) printPlanDocument(p *plan.Plan) error {
	if s.json {
		return failf("Invalid command line", "-document and -json exclude each other.")
	}
	d, err := s.planDocument(p)
	if err != nil {
		return err
	}
	if err := s.printDocument(d); err != nil {
		return err
	}
	if s.opts.detailedExitCode && !p.Empty() {
		return changesPresent
	}
	return nil
}

func (p *program) printDocument(d view.PlanDocument) error {
	text, err := d.JSON()
	if err == nil {
		_, err = fmt.Fprintln(p.stdout, string(text))
	}
	return err
}

// planDocument is a plan in Terraform's JSON representation.
func (s *session) planDocument(p *plan.Plan) (d view.PlanDocument, err error) {
	r := s.newOutputReader(s.snapshot, s.state.Entries, nil)
	outs, diags := r.evaluateOutputs(s.config.Outputs)
	if diags.HasErrors() {
		return d, diags
	}
	live, err := s.liveObjects(r)
	if err != nil {
		return d, err
	}
	d = view.PlanDocument{Version: version, Plan: p, Config: s.config, Live: live, Outputs: outs,
		Digest: s.planDigest(p).String(), Capabilities: s.neededCapabilities(p)}
	d.Checks, _ = checkResults(s.config.Checks, r.lookUpLive)
	return d, nil
}
