package main

import (
	"cmp"
	"fmt"
	"os/user"
	"slices"
	"strings"

	"b2form/internal/view"
	"b2form/internal/words"
)

// An envVariable is one variable of the environment that means something to
// b2form. A name in capitals at the end stands for any: B2FORM_VAR_NAME.
type envVariable struct{ name, doc string }

// An envGroup is variables about one thing.
type envGroup struct {
	title     string
	variables []envVariable
}

// environmentPage is where all variables are listed.
const environmentPage = "docs/environment.md"

// environmentHelp is what "b2form help environment" prints.
func environmentHelp() helpPage {
	page := helpPage{text: "Environment variables that b2form reads. Values that are empty count as not set."}
	for _, g := range environmentVariableGroups() {
		rows := make([]view.TwoColumnRow, len(g.variables))
		for i, v := range g.variables {
			rows[i] = view.TwoColumnRow{Name: v.name, Text: v.doc}
		}
		page.sections = append(page.sections, helpSection{g.title, rows})
	}
	return page
}

// warnIgnoredTerraformEnvironment says once which variables of Terraform's have no effect, and what
// to use instead.
func (p *program) warnIgnoredTerraformEnvironment() {
	var logs, args, says []string
	for _, pair := range p.environ() {
		name, value, _ := strings.Cut(pair, "=")
		switch {
		case value == "":
		case name == "TF_WORKSPACE" && value != "default":
			says = append(says, "Outside of migrate, "+name+" chooses nothing, since "+noWorkspaces)
		case name == "TF_LOG" && !strings.EqualFold(value, "off"), strings.HasPrefix(name, "TF_LOG_"):
			logs = append(logs, name)
		case name == "TF_CLI_ARGS", strings.HasPrefix(name, "TF_CLI_ARGS_"):
			args = append(args, name)
		}
	}
	slices.Sort(logs)
	slices.Sort(args)
	ours := make([]string, len(args))
	for i, name := range args {
		ours[i] = "B2FORM_" + strings.TrimPrefix(name, "TF_")
	}
	if len(logs) > 0 {
		says = append(says, "In place of "+words.JoinAnd(logs)+" set B2FORM_LOG=debug, which writes a line per request to standard error.")
	}
	if len(args) > 0 {
		says = append(says, "In place of "+words.JoinAnd(args)+" set "+words.JoinAnd(ours)+", which give options of b2form.")
	}
	if len(says) > 0 {
		p.warn("Variables that only Terraform reads", strings.Join(says, " ")+" \"b2form help environment\" lists what b2form reads.")
	}
}

// lockOwner is who takes a lock, in words for whoever finds it taken: user and
// machine and, in a pipeline, the job.
func (p *program) lockOwner() string {
	who := cmp.Or(p.getenv("USER"), p.osUser()) + "@" + p.host
	if job := p.findJobURL(); job != "" {
		who += ", " + job
	}
	return who
}

// findJobURL is where the pipeline shows its job; "": nobody says.
func (p *program) findJobURL() string {
	server, repository, id := p.getenv("GITHUB_SERVER_URL"), p.getenv("GITHUB_REPOSITORY"), p.getenv("GITHUB_RUN_ID")
	if server != "" && repository != "" && id != "" {
		return fmt.Sprintf("%s/%s/actions/runs/%s", server, repository, id)
	}
	return cmp.Or(p.getenv("CI_JOB_URL"), p.getenv("BUILD_URL"))
}

// osUserOrUnknown is the name of the user whose process this is; "unknown" if nobody knows.
func osUserOrUnknown() string {
	u, err := user.Current()
	if err != nil || u.Username == "" {
		return "unknown"
	}
	return u.Username
}
