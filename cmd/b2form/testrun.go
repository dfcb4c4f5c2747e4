package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcled"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/emulator"
	"b2form/internal/state"
	"b2form/internal/testfile"
	"b2form/internal/trace"
	"b2form/internal/view"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// A tester carries out the runs of one file. It is a program of its own, which prints
// nothing, on an account of its own.
type tester struct {
	*program
	file            *testfile.File
	shownSource     *hcl.File            // of the file, as messages may quote it
	outputsByRun    map[string]cty.Value // of earlier runs, by their names
	lastConfig      *config.Config       // that the last run planned with
	inlineConfigDir string               // the folder of configurations that are written in the test
	diags           *capturedDiagnostics
	// fileVarIsDeclared says of each variable of the file whether the configuration of some run declares it.
	fileVarIsDeclared map[string]*bool
	variableNames     []string   // that the configurations of the runs declare
	style             view.Style // of what is shown of plans
	// sensitiveFileTexts are what must not be shown of the files that the runs declared.
	sensitiveFileTexts map[string]bool
}

// runTestFile carries out the runs of a file, one after the other.
func (p *program) runTestFile(ctx context.Context, f *testfile.File) (result view.TestFileResult) {
	result = view.TestFileResult{Path: f.Path, Sources: map[string]*hcl.File{f.Path: quotableTestFile(f, true)}}
	t, err := p.newTester(f)
	if err != nil {
		result.Runs = []view.TestRunResult{{Name: "account", Status: view.TestError, Diagnostics: explainAsDiagnostics(err)}}
		return result
	}
	// what is left of a test is in the system's temporary folder
	defer func() { _ = errors.Join(t.testAccount.close(), os.RemoveAll(t.testAccount.stateAndDeliveryDir)) }()
	stop := false
	for _, r := range f.Runs {
		one := view.TestRunResult{Name: r.Name, Range: r.Range, Status: view.TestSkip}
		if !stop && ctx.Err() == nil {
			began := p.now()
			t.diags.diags = nil
			one = t.run(ctx, r)
			one.Diagnostics = t.placeInTestFile(one.Diagnostics, r)
			one.Took = p.now().Sub(began)
			stop = one.Status == view.TestError
		}
		maps.Copy(result.Sources, t.sourceFiles)
		result.Sources[f.Path] = t.shownSource
		result.Runs = append(result.Runs, one)
	}
	if !stop && ctx.Err() == nil {
		result.Warnings = t.warnUndeclaredFileVars()
	}
	return result
}

// warnUndeclaredFileVars says of values at the top of the file that no run has a variable for: most are misspelt.
func (t *tester) warnUndeclaredFileVars() (warnings hcl.Diagnostics) {
	for _, name := range slices.Sorted(maps.Keys(t.fileVarIsDeclared)) {
		if *t.fileVarIsDeclared[name] {
			continue
		}
		warnings = append(warnings, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Undeclared variable",
			Subject: t.file.Runs[0].FileVariables[name].Range().Ptr(),
			Detail: fmt.Sprintf("The configuration of no run declares a variable %q, so this value is not used.%s", name,
				words.DidYouMean(name, "", t.variableNames))})
	}
	return warnings
}

func (p *program) newTester(f *testfile.File) (*tester, error) {
	dir, err := os.MkdirTemp("", "b2form-test-")
	if err != nil {
		return nil, failf("Test cannot start", "No temporary folder can be made: %s.", words.ErrorWithoutPath(err))
	}
	account, err := emulator.Open(emulator.Options{Now: p.now})
	if err != nil {
		return nil, errors.Join(failf("Test cannot start", "%s.", words.ErrorWithoutPath(err)), os.RemoveAll(dir))
	}
	box, err := serveLocalB2(account, dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	q := &program{system: p.system, options: p.options, sourceFiles: map[string]*hcl.File{}, variableAnswers: map[string]string{},
		testAccount: box, trace: trace.New(p.now, false)}
	q.stdout, q.stderr, q.stdinTerminal, q.stdoutTerminal, q.json = io.Discard, io.Discard, false, false, false
	q.useEmulator, q.takeLock, q.parallelism, q.quiet = true, true, 10, true
	t := &tester{program: q, file: f, shownSource: quotableTestFile(f, true), outputsByRun: map[string]cty.Value{},
		sensitiveFileTexts: map[string]bool{},
		inlineConfigDir:    filepath.Join(dir, "configuration"), diags: &capturedDiagnostics{}, style: p.outputStyle(),
		fileVarIsDeclared: map[string]*bool{}}
	q.ui = collectingUI{view.TextUI{Out: io.Discard, Err: io.Discard}, t.diags}
	return t, nil
}

// capturedDiagnostics is what a run said.
type capturedDiagnostics struct{ diags hcl.Diagnostics }

// A collectingUI shows nothing and keeps the diagnostics.
type collectingUI struct {
	view.TextUI
	captured *capturedDiagnostics
}

// Diagnostics keeps them.
func (c collectingUI) Diagnostics(diags hcl.Diagnostics, _ map[string]*hcl.File) {
	c.captured.diags = append(c.captured.diags, diags...)
}

// run carries out one run and judges it.
func (t *tester) run(ctx context.Context, r *testfile.Run) view.TestRunResult {
	out := view.TestRunResult{Name: r.Name, Range: r.Range, Status: view.TestPass}
	fail := func(status view.TestStatus, diags ...*hcl.Diagnostic) view.TestRunResult {
		out.Status, out.Diagnostics = status, append(out.Diagnostics, diags...)
		return out
	}
	if err := t.prepare(r); err != nil {
		return fail(view.TestError, explainAsDiagnostics(err)...)
	}
	made, err := t.carryOut(ctx, r)
	if made != nil && t.verbose {
		out.PlanText = t.planText(made, purposeOf(r))
	}
	said := append(t.diags.diags, explainAsDiagnostics(err)...)
	unexpected, unmet := t.compareFailures(r, said)
	switch {
	case len(unexpected) > 0:
		return fail(view.TestError, append(unexpected, unmet...)...)
	case len(unmet) > 0:
		return fail(view.TestFail, unmet...)
	case err != nil || said.HasErrors():
		return out // as expected
	}
	if wrong := compareChanges(r, made, t.lastConfig); wrong != nil {
		fail(view.TestFail, wrong)
	}
	var read *outputReader
	if r.Command == testfile.Apply {
		var wrong hcl.Diagnostics
		if read, wrong, err = t.replanUploadAndAdvance(ctx, r); err != nil {
			return fail(view.TestError, explainAsDiagnostics(err)...)
		}
		if len(wrong) > 0 {
			fail(view.TestFail, wrong...)
		}
	}
	failed, err := t.keepOutputsAndAssert(ctx, r, read)
	if err != nil {
		return fail(view.TestError, explainAsDiagnostics(err)...)
	}
	if len(failed) > 0 {
		fail(view.TestFail, failed...)
	}
	return out
}

// prepare makes the program one for the configuration, values and policies of the run.
func (t *tester) prepare(r *testfile.Run) error {
	t.vars = slices.DeleteFunc(t.vars, func(v schema.VariableValue) bool { return v.Expr != nil })
	for _, name := range slices.Sorted(maps.Keys(r.FileVariables)) {
		if t.fileVarIsDeclared[name] == nil {
			t.fileVarIsDeclared[name] = new(bool)
		}
		t.vars = append(t.vars, schema.VariableValue{Name: name, Expr: r.FileVariables[name], OnlyIfDeclared: t.fileVarIsDeclared[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Variables)) {
		t.vars = append(t.vars, schema.VariableValue{Name: name, Expr: r.Variables[name]})
	}
	t.testPolicyDirs, t.configDir = r.PolicyPaths, r.SourceDir
	if r.ConfigurationText == "" {
		return nil
	}
	t.configDir = t.inlineConfigDir
	err := os.MkdirAll(t.inlineConfigDir, 0o700)
	if err == nil {
		err = os.WriteFile(t.inlineConfigFile(), []byte(r.ConfigurationText), 0o600)
	}
	if err != nil {
		return failf("Test cannot start", "The configuration of run %q cannot be written: %s.", r.Name, words.ErrorWithoutPath(err))
	}
	return nil
}

func purposeOf(r *testfile.Run) view.PlanPurpose {
	if r.Command == testfile.Destroy {
		return view.Destroying
	}
	return view.Planning
}

// carryOut plans and, if the run says so, applies. The plan is nil where there is none.
func (t *tester) carryOut(ctx context.Context, r *testfile.Run) (made *plan.Plan, err error) {
	s, err := t.openSession(ctx)
	if err != nil {
		return nil, err
	}
	t.variableNames = append(t.variableNames, variableNames(s.config)...)
	s.runOptions = runOptions{autoApprove: true, allowImports: true, showSecrets: true, allowedHazards: kind.HazardKinds(),
		liftedLimits: config.LimitableActions()}
	err = s.withLockedState(ctx, purposeOf(r), func(store *state.Store) error {
		if made, err = s.makePlan(ctx, store.State(), purposeOf(r)); err != nil || r.Command == testfile.Plan {
			return err
		}
		t.diags.diags = append(t.diags.diags, made.Warnings...)
		if err := s.checkConsent(made, purposeOf(r), nil); err != nil {
			return err
		}
		return s.applyPlan(ctx, store, made, purposeOf(r))
	})
	t.lastConfig = s.config
	if made != nil && r.Command == testfile.Plan {
		t.diags.diags = append(t.diags.diags, made.Warnings...)
	}
	if code := exitCode(0); errors.As(err, &code) {
		err = nil // what is wrong was said
	}
	return made, err
}

func (t *tester) planText(p *plan.Plan, m view.PlanPurpose) string {
	var b strings.Builder
	view.TextUI{Out: &b, Verbose: true, Style: t.style}.Plan(p, m)
	return b.String()
}

// compareFailures tells which errors nobody expected, and which expected failures there were
// none of. Warnings of policies and checks are failures too.
func (t *tester) compareFailures(r *testfile.Run, said hcl.Diagnostics) (unexpected, unmet hcl.Diagnostics) {
	met := make([]bool, len(r.ExpectFailures))
	for _, d := range said {
		wanted := false
		for i, e := range r.ExpectFailures {
			if t.isAbout(d, e.Name) {
				wanted, met[i] = true, true
			}
		}
		if !wanted && d.Severity == hcl.DiagError {
			unexpected = append(unexpected, d)
		}
	}
	for i, e := range r.ExpectFailures {
		if !met[i] {
			unmet = append(unmet, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Missing expected failure", Subject: e.Range.Ptr(),
				Detail: fmt.Sprintf("Nothing failed at %s.", e.Name)})
		}
	}
	return unexpected, unmet
}

// isAbout reports whether a diagnostic says that something named as in expect_failures
// failed.
func (t *tester) isAbout(d *hcl.Diagnostic, name string) bool {
	root, label, _ := strings.Cut(name, ".")
	switch root {
	case "policy":
		v, ok := d.Extra.(config.ViolationExtra)
		return ok && v.Policy == label
	case "var":
		return strings.Contains(d.Detail, "var."+label+" ") || strings.Contains(d.Detail, "\""+label+"\"")
	}
	if d.Subject == nil || t.sourceFiles[d.Subject.Filename] == nil {
		return false
	}
	header := hcled.ContextString(t.sourceFiles[d.Subject.Filename], d.Subject.Start.Byte)
	block, _, _ := strings.Cut(header, " ")
	return block == root && strings.Contains(header, "\""+label+"\"")
}

// compareChanges compares the plan of a configuration with what the run says that it changes.
func compareChanges(r *testfile.Run, p *plan.Plan, c *config.Config) *hcl.Diagnostic {
	if r.AllExpectedChanges == nil {
		return nil
	}
	var wrong []string
	planned := map[string]string{}
	for i := range p.Changes {
		planned[p.Changes[i].Addr.String()] = string(p.Changes[i].Action)
	}
	for _, a := range slices.Sorted(maps.Keys(planned)) {
		switch want, ok := r.AllExpectedChanges[a]; {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("  %s: %s is planned, and not expected", a, planned[a]))
		case want != planned[a]:
			wrong = append(wrong, fmt.Sprintf("  %s: %s is planned, and %s expected", a, planned[a], want))
		}
	}
	for _, declared := range c.Resources {
		if a := declared.Addr.String(); planned[a] == "" && r.AllExpectedChanges[a] == string(plan.NoOp) && r.Command != testfile.Destroy {
			planned[a] = string(plan.NoOp)
		}
	}
	for _, a := range slices.Sorted(maps.Keys(r.AllExpectedChanges)) {
		if _, ok := planned[a]; !ok {
			wrong = append(wrong, fmt.Sprintf("  %s: nothing is planned, and %s expected", a, r.AllExpectedChanges[a]))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Other changes than expected", Subject: r.ChangesRange.Ptr(),
		Detail: strings.Join(wrong, "\n")}
}
