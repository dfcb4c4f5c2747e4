package main

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/apply"
	"b2form/internal/durable"
	"b2form/internal/view"
	"b2form/internal/words"
	"b2form/plan"
)

// brevityFlags leave less to read of a command that compares the account with the configuration.
func (p *program) brevityFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "compact-warnings", Usage: "show warnings that come without errors by their summaries only",
			Destination: &p.compactWarnings},
		&cli.BoolFlag{Name: "concise", Usage: "do not tell of progress", Destination: &p.hideProgress},
	}
}

// planDisplayFlags are those of every command that shows a plan.
func (p *program) planDisplayFlags() []cli.Flag {
	return append(p.brevityFlags(),
		&cli.StringFlag{Name: "json-into", Usage: "also write to `FILE` what -json would print, without secrets",
			Destination: &p.jsonIntoPath})
}

// beginOutput makes the command speak as its flags ask for, to people, programs and pipelines.
func (p *program) beginOutput(command string) error {
	if err := p.setUpJSONOutput(); err != nil {
		return err
	}
	return p.beginReport(command)
}

// setUpJSONOutput makes the command speak JSON lines where -json asks for it, and write them beside the text
// where -json-into does.
func (p *program) setUpJSONOutput() error {
	switch {
	case p.json && p.jsonIntoPath != "":
		return failf("Invalid command line", "-json and -json-into exclude each other: one prints JSON lines in place of the text, the "+
			"other writes them to a file beside it.")
	case p.json && (p.hideProgress || p.compactWarnings):
		return failf("Invalid command line", "-concise and -compact-warnings are about the text, and -json prints JSON lines in its place.")
	case p.jsonIntoPath != "":
		return p.addJSONFileUI()
	case p.json:
		p.ui = p.beginJSONUI(p.stdout)
	}
	return nil
}

func (p *program) beginJSONUI(out io.Writer) view.JSONUI {
	j := view.JSONUI{Out: out, Now: p.now, ProgramVersion: version}
	j.WriteVersion()
	return j
}

// A jsonLinesFile is where -json-into writes.
type jsonLinesFile struct {
	stdoutWriter
	file *os.File
}

func (p *program) addJSONFileUI() error {
	if err := checkPathNotReserved("-json-into", p.jsonIntoPath, defaultStatePaths()); err != nil {
		return err
	}
	f, err := createJSONLinesFile(p.jsonIntoPath)
	if err != nil {
		return failf("JSON lines cannot be written", "-json-into=%s: %s.", p.jsonIntoPath, words.ErrorWithoutPath(err))
	}
	p.jsonFile = &jsonLinesFile{stdoutWriter: stdoutWriter{dest: f}, file: f}
	p.ui = bothUI{p.ui, p.beginJSONUI(p.jsonFile)}
	return nil
}

// linesBegin is what JSON lines begin with.
const linesBegin = `{"@level":`

// createJSONLinesFile opens a new file, an earlier one of this sort, or what somebody else reads from.
func createJSONLinesFile(path string) (*os.File, error) {
	f, err := durable.OpenOverwritable(path, linesBegin, os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if info, statErr := f.Stat(); statErr == nil && info.Mode().IsRegular() {
		err = f.Chmod(0o600)
	}
	return f, err
}

// closeJSONFile ends what -json-into began. Whoever closed the other end of a pipe knows.
func (p *program) closeJSONFile() hcl.Diagnostics {
	if p.jsonFile == nil {
		return nil
	}
	err := p.jsonFile.firstErr
	if closeErr := p.jsonFile.file.Close(); err == nil {
		err = closeErr
	}
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "JSON lines cannot be written", Detail: "Some of " + p.jsonIntoPath +
		" is missing: " + words.ErrorWithoutPath(err) + ". What the command did is done and recorded."}}
}

// A bothUI speaks to people, and tells programs the same: a file, or a report. Secrets are for people alone.
type bothUI struct{ people, programs ui }

// Note implements ui.
func (b bothUI) Note(text string) { b.people.Note(text); b.programs.Note(text) }

// Hint implements ui.
func (b bothUI) Hint(text string) { b.people.Hint(text); b.programs.Hint(text) }

// State implements ui.
func (b bothUI) State(place string) { b.people.State(place); b.programs.State(place) }

// Diagnostics implements ui.
func (b bothUI) Diagnostics(diags hcl.Diagnostics, files map[string]*hcl.File) {
	b.people.Diagnostics(diags, files)
	b.programs.Diagnostics(diags, files)
}

// ReportPolicyExceptions implements ui.
func (b bothUI) ReportPolicyExceptions(list []view.Exception) {
	b.people.ReportPolicyExceptions(list)
	b.programs.ReportPolicyExceptions(list)
}

// Tests implements ui.
func (b bothUI) Tests(files []view.TestFileResult) { b.people.Tests(files); b.programs.Tests(files) }

// Plan implements ui.
func (b bothUI) Plan(p *plan.Plan, m view.PlanPurpose) { b.people.Plan(p, m); b.programs.Plan(p, m) }

// PlanDigest implements ui.
func (b bothUI) PlanDigest(d plan.Digest) { b.people.PlanDigest(d); b.programs.PlanDigest(d) }

// RequiredKey implements ui.
func (b bothUI) RequiredKey(capabilities []string) {
	b.people.RequiredKey(capabilities)
	b.programs.RequiredKey(capabilities)
}

// Rotations implements ui.
func (b bothUI) Rotations(p *plan.Plan, now time.Time) {
	b.people.Rotations(p, now)
	b.programs.Rotations(p, now)
}

// Event implements ui.
func (b bothUI) Event(e apply.Event) { b.people.Event(e); b.programs.Event(e) }

// Still implements ui.
func (b bothUI) Still(e apply.Event) { b.people.Still(e); b.programs.Still(e) }

// Done implements ui.
func (b bothUI) Done(r *apply.Result, m view.PlanPurpose) { b.people.Done(r, m); b.programs.Done(r, m) }

// ShowSecret implements ui.
func (b bothUI) ShowSecret(made view.NewKey) error { return b.people.ShowSecret(made) }

// Deliveries implements ui.
func (b bothUI) Deliveries(made []view.NewKey) { b.people.Deliveries(made) }

// Outputs implements ui.
func (b bothUI) Outputs(outs []view.Output, reveal bool) {
	b.people.Outputs(outs, reveal)
	b.programs.Outputs(outs, false)
}
