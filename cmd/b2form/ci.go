package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/internal/durable"
	"b2form/internal/report"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/plan"
)

// A ciSystem is what runs a pipeline.
type ciSystem string

// The systems that something is done for. The runners of Forgejo and Gitea take the commands and files of GitHub's, but for
// annotations and summaries, which their pages do not show ("Compared to GitHub Actions", missing features; reporter.go
// of act_runner passes error, warning and notice through as they are).
const (
	noCI    ciSystem = "none"
	github  ciSystem = "github"
	gitlab  ciSystem = "gitlab"
	forgejo ciSystem = "forgejo"
	gitea   ciSystem = "gitea"
)

func ciSystems() []string {
	return []string{string(noCI), string(github), string(gitlab), string(forgejo), string(gitea)}
}

func (p *program) ciFlag() cli.Flag {
	return &cli.GenericFlag{Name: "ci", Value: funcFlag{func(name string) error {
		p.ciName = name
		return checkKnownName(name, "CI system", ciSystems())
	}},
		Usage: "work as a step of `SYSTEM`: " + strings.Join(ciSystems(), ", ") + " (B2FORM_CI does the same; else it is recognised)"}
}

// ci is the system that runs this program: what the user says, else what the variables tell that each sets ("Default
// environment variables" of GitHub; "Predefined CI/CD variables reference" of GitLab; the reference of Forgejo Actions;
// act_runner of Gitea). GITHUB_ACTIONS comes last, since Forgejo and Gitea set it too.
func (p *program) ci() ciSystem {
	if name := cmp.Or(p.ciName, p.getenv("B2FORM_CI")); slices.Contains(ciSystems(), name) {
		return ciSystem(name)
	}
	switch {
	case p.getenv("FORGEJO_ACTIONS") == "true":
		return forgejo
	case p.getenv("GITEA_ACTIONS") == "true":
		return gitea
	case p.getenv("GITHUB_ACTIONS") == "true":
		return github
	case p.getenv("GITLAB_CI") == "true":
		return gitlab
	}
	return noCI
}

// takesWorkflowCommands reports whether the runner obeys lines of the log, as GitHub's does.
func (c ciSystem) takesWorkflowCommands() bool { return c == github || c == forgejo || c == gitea }

// minFoldedLines is how many lines are folded in the log of a job.
const minFoldedLines = 60

// findTextFoldFunc puts a long text into a part of the job log that can be unfolded; nil: the log has none.
func (p *program) findTextFoldFunc() func(header, text string) string {
	system := p.ci()
	if system == noCI || p.stdoutTerminal || p.stdoutIsFile {
		return nil
	}
	return func(header, text string) string {
		switch {
		case strings.Count(text, "\n") < minFoldedLines:
			return text
		case system.takesWorkflowCommands():
			return report.GitHubGroup(header, text)
		}
		return report.GitLabSection(p.now().Unix(), "b2form_changes", header, text)
	}
}

// writeCIResults gives the system what it takes of a run without being asked: on GitHub a summary, outputs and annotations, on
// Forgejo and Gitea outputs. What is missing or cannot be written is a warning.
func (p *program) writeCIResults(r *report.Run) {
	system := p.ci()
	if system.takesWorkflowCommands() {
		p.appendToPipelineFile("GITHUB_OUTPUT", p.getenv("GITHUB_OUTPUT"), report.GitHubOutputs(r))
	}
	if system == github {
		p.appendToPipelineFile("GITHUB_STEP_SUMMARY", p.getenv("GITHUB_STEP_SUMMARY"), report.GitHubSummary(r))
		fmt.Fprint(p.stderr, report.GitHubAnnotations(r)) // standard output may go elsewhere than to the log
	}
}

// appendToPipelineFile appends to the file at path, which a variable names. Others write to the same one.
func (p *program) appendToPipelineFile(variable, path, text string) {
	const summary = "Results cannot be given to the pipeline"
	if path == "" {
		p.warnPeopleOnly(summary, variable+" is not set, and a runner of "+string(p.ci())+" sets it to a file. -ci=none does without.")
		return
	}
	if why := whyPathReserved(path, defaultStatePaths()); why != "" {
		p.warnPeopleOnly(summary, fmt.Sprintf("%s=%s: %s.", variable, visible.EscapeLine(path), why))
		return
	}
	f, err := durable.OpenOrCreate(path, os.O_APPEND, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		p.warnPeopleOnly(summary, "The file that "+variable+" names: "+words.ErrorWithoutPath(err)+".")
	}
}

// pipelineRoot is the folder from which a pipeline names files: the checkout, else the folder in which the program was
// started.
func (p *program) pipelineRoot() string {
	switch p.ci() {
	case noCI:
	case gitlab:
		return cmp.Or(p.getenv("CI_PROJECT_DIR"), p.startDir)
	default:
		return cmp.Or(p.getenv("GITHUB_WORKSPACE"), p.startDir)
	}
	return p.startDir
}

// configFolderInCheckout is the folder of the configuration from there, with slashes; "": there, or elsewhere.
func (p *program) configFolderInCheckout() string {
	here, err := os.Getwd()
	if err != nil {
		return ""
	}
	for _, root := range []string{p.pipelineRoot(), p.startDir} {
		if name, below := pathBelow(root, here); below {
			if name == "." {
				return ""
			}
			return filepath.ToSlash(name)
		}
	}
	return ""
}

// warnSecretsEndWithJob says of files in the checkout that a pipeline loses them, with new secrets that nobody else has.
func (s *session) warnSecretsEndWithJob(p *plan.Plan) hcl.Diagnostics {
	here, err := os.Getwd()
	if s.ci() == noCI || s.localB2 != nil || err != nil {
		return nil
	}
	checkout := s.pipelineRoot()
	if _, below := pathBelow(checkout, here); !below {
		checkout = s.startDir
	}
	var lost []string
	var first *hcl.Range
	for _, r := range s.resourcesWithNewSecret(p) {
		for _, d := range r.Deliveries {
			path := d.Path
			if !filepath.IsAbs(path) {
				path = filepath.Join(here, path)
			}
			if _, below := pathBelow(checkout, path); below && d.Type == "file" && d.Path != "" {
				lost = append(lost, fmt.Sprintf("%s → %s", r.Addr, d.DisplayName))
				first = cmp.Or(first, d.Range)
			}
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: "Secrets end with the job", Subject: first,
		Detail: fmt.Sprintf("A pipeline throws its checkout away when the job ends, and these files with it: %s. B2 shows a secret once, "+
			"so nobody has it then, and a rotation deletes the earlier key, which still works. Deliver it to where it is used or kept: "+
			"with deliver \"command\" to a program, such as that of a secret store; with deliver \"age\" into an encrypted file that the "+
			"job commits or uploads; or, where the machine is kept, to a path outside of the checkout. Ignore this if later steps of the "+
			"same job alone use the file.",
			words.JoinAtMost(lost, 10)),
	}}
}

// pathBelow is a path from a folder; ok is false where it leads out of it.
func pathBelow(folder, path string) (fromFolder string, ok bool) {
	name, err := filepath.Rel(folder, path)
	return name, err == nil && filepath.IsLocal(name)
}
