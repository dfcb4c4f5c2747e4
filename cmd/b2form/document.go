package main

import (
	"encoding/json"
	"slices"

	"b2form/internal/planfile"
	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema/config"
)

// printPlanDocument prints a saved plan for programs that judge it.
func (p *program) printPlanDocument(f *planfile.File, around view.PlanContext) error {
	if f.PlanContextJSON == nil {
		p.warn("This is not the whole plan", "An older b2form saved it, with nothing but what it changes: what stays, outputs, checks "+
			"and capabilities are left out. Make the plan anew with \"b2form plan -out=FILE\".")
	}
	return view.PlanDocument{ProgramVersion: version, Plan: f.AddContentsDescriptions(),
		NonsensitiveVariables: f.NonsensitiveVariables,
		Digest:                savedDigest(f).String(),
		Context:               around}.Write(p.stdout)
}

// planContext is what a plan stands in, for whoever reads it later as JSON.
func (s *session) planContext(p *plan.Plan) (json.RawMessage, error) {
	r := s.newPlannedOutputReader(p)
	live, err := s.stateEntriesWithLiveValues(r)
	if err != nil {
		return nil, err
	}
	var unchanged []*config.Output
	for _, o := range s.config.Outputs {
		if !s.runOptions.destroy && !slices.ContainsFunc(p.OutputChanges, func(c plan.OutputChange) bool { return c.Name == o.Name }) {
			unchanged = append(unchanged, o)
		}
	}
	outs, _ := r.evaluateOutputs(unchanged) // what is wrong with one was said with the plan
	around := view.NewPlanContext(p, s.config.Resources, live, outs)
	around.Exceptions, around.RequiredCapabilities = s.exceptions(), s.capabilitiesToReadAndApply(p)
	around.Checks, _ = evaluateChecks(s.config.Checks, r.lookUpLive)
	return json.Marshal(around)
}
