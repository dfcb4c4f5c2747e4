package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"b2form/internal/durable"
	"b2form/internal/forge"
	"b2form/internal/report"
	"b2form/internal/visible"
	"b2form/internal/words"
)

// postOptions are what a run is to say on the service that hosts the repository.
type postOptions struct {
	comment                  bool // on the pull or merge request
	deleteCommentIfUnchanged bool // the comment, where there is nothing to do
	driftIssue               bool
}

// postTimeout is how long bringing a post up to date may take.
const postTimeout = 3 * time.Minute

func (p *program) commentCommand() *cli.Command {
	return p.newCommand(&cli.Command{
		Name: "comment", Usage: "Show a plan as a comment on a pull or merge request", ArgsUsage: "FILE",
		Description: `FILE is a plan that -out saved, or what -json-into wrote of a run. Each folder has
one comment on the pull or merge request of the job, which is updated by later
runs, or one for each of its states: on GitHub, GitLab, Gitea and Forgejo. The job's environment says where; the
token is in GITHUB_TOKEN, GITLAB_TOKEN, GITEA_TOKEN or FORGEJO_TOKEN. "b2form plan
-comment" does the same at once.

Example:
  b2form plan -out=photos.plan
  b2form comment photos.plan

` + exitCodes,
		Flags: []cli.Flag{p.deleteCommentFlag(), p.ciFlag()},
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() != 1 {
				return failf("No file", "comment takes one FILE: a plan that \"b2form plan -out=FILE\" saved, or what -json-into wrote.")
			}
			ctx, stop := p.withInterrupt(ctx)
			defer stop()
			run, err := readPlanOrJSONLines(c.Args().First())
			if err != nil {
				return err
			}
			run.Folder = p.configFolderInCheckout()
			outcome, err := p.updatePlanComment(ctx, run)
			if err == nil {
				p.printResult("The comment is %s.", outcome)
			}
			return err
		},
	})
}

func (p *program) deleteCommentFlag() cli.Flag {
	return &cli.BoolFlag{Name: "delete-unchanged", Usage: "delete the comment where there is nothing to do",
		Destination: &p.deleteCommentIfUnchanged}
}

// commentFlags are those of a command that comments beside what it does.
func (p *program) commentFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "comment", Destination: &p.comment,
			Usage: "show the result as a comment on the pull or merge request; see \"b2form comment -help\""},
		p.deleteCommentFlag(),
	}
}

// readPlanOrJSONLines reads a saved plan, or JSON lines.
func readPlanOrJSONLines(path string) (*report.Run, error) {
	head, err := durable.FirstBytes(path, len(linesBegin))
	if err == nil && head == linesBegin {
		return readJSONLines(path)
	}
	f, m, err := readSavedPlan(path)
	if err != nil {
		return nil, err
	}
	return savedPlanReport(f, m), nil
}

func readJSONLines(path string) (*report.Run, error) {
	var run *report.Run
	f, err := os.Open(path)
	if err == nil {
		run, err = report.ReadJSONLines(f)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return nil, failf("JSON lines cannot be read", "%s: %s.", visible.EscapeLine(path), words.ErrorWithoutPath(err))
	}
	return run, nil
}

// readCIEventFile reads what a service says of the event that started the job.
func readCIEventFile(path string) ([]byte, error) { return durable.ReadFile(path, mostFileBytes) }

// newForge makes a client for the service that hosts the repository of this job.
func (p *program) newForge() (*forge.Client, error) {
	service := forge.Service("")
	if p.ci() != noCI {
		service = forge.Service(p.ci())
	}
	r, err := forge.FindRepository(forge.Environment{Getenv: p.getenv, ReadFile: readCIEventFile}, service)
	if err != nil {
		return nil, err
	}
	return forge.New(r, forge.Options{UserAgent: "b2form/" + version, Now: p.now, Wait: p.sleep})
}

// marker is what the post of a run is found by.
func marker(purpose string, run *report.Run) string {
	return forge.Marker(purpose, cmp.Or(run.Folder, "."), run.State)
}

// updatePlanComment brings the comment about the run's folder, or of its state, up to date.
func (p *program) updatePlanComment(ctx context.Context, run *report.Run) (forge.Outcome, error) {
	c, err := p.newForge()
	if err != nil {
		return "", err
	}
	marker := marker("plan", run)
	if run.State != "" { // what a run wrote that did not come to know its state
		if _, err := c.DeleteComment(ctx, forge.Marker("plan", cmp.Or(run.Folder, "."), "")); err != nil {
			return "", err
		}
	}
	if p.deleteCommentIfUnchanged && run.Outcome() == report.Unchanged {
		return c.DeleteComment(ctx, marker)
	}
	return c.PutComment(ctx, marker, markdownLeavingRoomFor(c, run, marker))
}

// updateDriftIssue opens, updates or closes the issue about the run's folder, or of its state. A run that failed knows nothing.
func (p *program) updateDriftIssue(ctx context.Context, run *report.Run) (forge.Outcome, error) {
	if run.ExitCode == 1 {
		return forge.Unchanged, nil
	}
	c, err := p.newForge()
	if err != nil {
		return "", err
	}
	marker := marker("drift", run)
	if run.ExitCode == 0 {
		return c.UpdateAndCloseIssue(ctx, marker, markdownLeavingRoomFor(c, run, marker))
	}
	title := "Drift"
	if run.Folder != "" {
		title += " in " + visible.EscapeTruncated(run.Folder, 100)
	}
	if run.State != "" {
		title += " (state " + visible.EscapeTruncated(run.State, 100) + ")"
	}
	return c.PutIssue(ctx, marker, title, markdownLeavingRoomFor(c, run, marker))
}

// markdownLeavingRoomFor is a run as Markdown that a post with the marker has room for.
func markdownLeavingRoomFor(c *forge.Client, run *report.Run, marker string) string {
	return report.Markdown(run, c.MaxCharacters()-len(marker)-1)
}

// updateRequestedPosts says on the service what was asked for. That it fails is a warning.
func (p *program) updateRequestedPosts(run *report.Run) {
	ctx, cancel := context.WithTimeout(context.Background(), postTimeout)
	defer cancel()
	for _, one := range []struct {
		asked bool
		what  string
		put   func(context.Context, *report.Run) (forge.Outcome, error)
	}{{p.comment, "comment", p.updatePlanComment}, {p.driftIssue, "issue", p.updateDriftIssue}} {
		if !one.asked {
			continue
		}
		outcome, err := one.put(ctx, run)
		switch {
		case err != nil:
			for _, d := range explainAsDiagnostics(err) {
				p.warnPeopleOnly(d.Summary, d.Detail)
			}
		case outcome != forge.Absent:
			p.textUI().Note("The " + one.what + " is " + string(outcome) + ".")
		}
	}
}
