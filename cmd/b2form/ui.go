package main

import (
	"time"

	"github.com/hashicorp/hcl/v2"

	"b2form/apply"
	"b2form/internal/view"
	"b2form/plan"
)

// A ui is how a command speaks: view.TextUI to people, view.JSONUI to programs.
type ui interface {
	Note(text string)
	Hint(text string)
	State(place string)
	Diagnostics(hcl.Diagnostics, map[string]*hcl.File)
	Plan(*plan.Plan, view.PlanPurpose)
	PlanDigest(plan.Digest)
	ReportPolicyExceptions([]view.Exception)
	Tests([]view.TestFileResult)
	RequiredKey(capabilities []string)
	Rotations(*plan.Plan, time.Time)
	Event(apply.Event)
	Still(apply.Event)
	Done(*apply.Result, view.PlanPurpose)
	ShowSecret(view.NewKey) error
	Deliveries([]view.NewKey)
	Outputs(outs []view.Output, reveal bool)
}

// warn shows one warning.
func (p *program) warn(summary, detail string) {
	p.ui.Diagnostics(hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: summary, Detail: detail}}, p.sourceFiles)
}
