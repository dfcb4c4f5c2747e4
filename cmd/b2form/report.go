package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/internal/durable"
	"b2form/internal/notify"
	"b2form/internal/report"
	"b2form/internal/secret"
	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/internal/words"
)

// reportOptions are what a run is to tell a pipeline.
type reportOptions struct {
	ciName    string       // -ci
	reports   []reportFile // -report, in the order given
	notifyURL secret.Value // -notify: the URL
	notifyOn  []report.Outcome
	postOptions
}

// A reportFile is one report that is asked for.
type reportFile struct{ format, path string }

// maxMarkdownBytes is how many bytes a comment of the system has.
func (p *program) maxMarkdownBytes() int {
	if p.ci() == gitlab {
		return report.GitLabComment
	}
	return report.GitHubComment
}

// A reportFormat is one format of reports, all of which begin in the same way.
type reportFormat struct {
	overwritablePrefix string
	encode             func(*report.Run) []byte
}

// junitBegin is how a report in JUnit's XML begins.
const junitBegin = "<?xml"

// reportFormats are what -report writes, by the name of the format.
func reportFormats(maxMarkdownBytes int) map[string]reportFormat {
	return map[string]reportFormat{
		"markdown":    {"### b2form ", func(r *report.Run) []byte { return []byte(report.Markdown(r, maxMarkdownBytes)) }},
		"sarif":       {"{\n  \"$schema\": \"https://docs.oasis-open.org/sarif/", report.SARIF},
		"junit":       {junitBegin, report.JUnit},
		"codequality": {"[", report.GitLabCodeQuality},
		"terraform":   {"{\n  \"create\"", report.GitLabTerraform},
		"dotenv":      {"B2FORM_", func(r *report.Run) []byte { return []byte(report.Dotenv(r)) }},
	}
}

// writeJUnit writes the results of tests to the file of -junit-xml; "": there is none.
func writeJUnit(path string, results []view.TestFileResult) error {
	if path == "" {
		return nil
	}
	if err := writeReport(path, junitBegin, report.TestsJUnit(results)); err != nil {
		return failf("Results cannot be written", "-junit-xml=%s: %s.", path, words.ErrorWithoutPath(err))
	}
	return nil
}

// writeReport writes a report to a new file, over an earlier one that begins as it does, or to what somebody else reads
// from.
func writeReport(path, expectedPrefix string, content []byte) error {
	f, err := durable.OpenOverwritable(path, expectedPrefix, os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

func reportFormatNames() []string { return slices.Sorted(maps.Keys(reportFormats(0))) }

// noticeOutcomes are what -notify-on takes.
func noticeOutcomes() []string {
	return []string{string(report.Unchanged), string(report.Pending), string(report.Applied), string(report.Failed)}
}

// reportFlags are those of every command whose results pipelines show.
func (p *program) reportFlags() []cli.Flag {
	formats := reportFormatNames()
	return []cli.Flag{
		p.ciFlag(),
		&cli.GenericFlag{Name: "report", Usage: "also write the result as `FORMAT=FILE`: " + strings.Join(formats, ", ") + "; repeatable",
			Value: funcFlag{func(s string) error {
				format, path, _ := strings.Cut(s, "=")
				switch {
				case path == "":
					return fmt.Errorf("%q is not FORMAT=FILE; the formats are %s", s, words.JoinAnd(formats))
				case !slices.Contains(formats, format):
					return fmt.Errorf("there is no format %q; the formats are %s", format, words.JoinAnd(formats))
				}
				p.reports = append(p.reports, reportFile{format, path})
				return nil
			}}},
	}
}

// notifyFlags are those of every command that runs where nobody looks.
func (p *program) notifyFlags() []cli.Flag {
	outcomes := noticeOutcomes()
	return []cli.Flag{
		&cli.GenericFlag{Name: "notify", Usage: "send the outcome to the secret `URL` of Slack, ntfy or what takes JSON (better: " +
			"B2FORM_NOTIFY)",
			Value: funcFlag{func(s string) error { p.notifyURL = secret.New(s); return nil }}},
		&cli.GenericFlag{Name: "notify-on", Usage: "send the outcomes in `LIST`: " + strings.Join(outcomes, ", ") + " (default: all but " +
			outcomes[0] + ")", Value: funcFlag{func(list string) error {
			return addKnownNames(list, "outcome", outcomes, func(name string) {
				p.notifyOn = append(p.notifyOn, report.Outcome(name))
			})
		}}},
	}
}

// beginReport has everything that a command says recorded from now on, where a pipeline is to be told of it.
func (p *program) beginReport(command string) error {
	if name := p.getenv("B2FORM_CI"); name != "" && !slices.Contains(ciSystems(), name) {
		p.warn("Unknown CI system", fmt.Sprintf("B2FORM_CI is %q; the systems are %s.", name, words.JoinAnd(ciSystems())))
	}
	for _, f := range p.reports {
		if err := checkPathNotReserved("-report="+f.format, f.path, defaultStatePaths()); err != nil {
			return err
		}
	}
	if p.deleteCommentIfUnchanged && !p.comment {
		return failf("Invalid command line", "-delete-unchanged is about the comment that -comment writes: give that too.")
	}
	if url := p.getenv("B2FORM_NOTIFY"); p.notifyURL.IsZero() && url != "" {
		p.notifyURL = secret.New(url)
	}
	if len(p.reports) == 0 && p.notifyURL.IsZero() && !p.comment && !p.driftIssue && p.ci() == noCI {
		return nil
	}
	p.recorder = &report.Recorder{Run: report.Run{ProgramVersion: version, Command: command, Folder: p.configFolderInCheckout()}}
	p.ui = bothUI{p.ui, p.recorder}
	return nil
}

// finishReport tells what came of the run. Whatever goes wrong with that is a warning: the run is what it is.
func (p *program) finishReport(code int) {
	if p.recorder == nil {
		return
	}
	run := &p.recorder.Run
	run.ExitCode = code
	p.writeCIResults(run)
	for _, f := range p.reports {
		format := reportFormats(p.maxMarkdownBytes())[f.format]
		if err := writeReport(f.path, format.overwritablePrefix, format.encode(run)); err != nil {
			p.warnPeopleOnly("Report cannot be written",
				fmt.Sprintf("-report=%s=%s: %s.", f.format, visible.EscapeLine(f.path), words.ErrorWithoutPath(err)))
		}
	}
	p.updateRequestedPosts(run)
	p.sendNoticeIfRequested(run)
}

// warnPeopleOnly warns people and nobody else: reports are made, or being made.
func (p *program) warnPeopleOnly(summary, detail string) {
	p.textUI().Diagnostics(hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: summary, Detail: detail}}, nil)
}

// noticeTimeout is how long a notice may take.
const noticeTimeout = 10 * time.Second

// sendNoticeIfRequested sends the outcome where it is asked for.
func (p *program) sendNoticeIfRequested(run *report.Run) {
	outcome := run.Outcome()
	if p.notifyURL.IsZero() || len(p.notifyOn) == 0 && outcome == report.Unchanged || len(p.notifyOn) > 0 &&
		!slices.Contains(p.notifyOn, outcome) {
		return
	}
	target, err := notify.ParseTarget(p.notifyURL.Reveal())
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), noticeTimeout)
		defer cancel()
		err = target.Send(ctx, report.NewNotice(run, p.findJobURL()), "b2form/"+version)
	}
	if err != nil {
		p.warnPeopleOnly("Notice was not sent", "The URL of -notify or B2FORM_NOTIFY, which is not shown: "+err.Error()+".")
	}
}
