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

// environmentVariables lists every variable. A test compares it with what the program reads.
func environmentVariables() []envGroup {
	return []envGroup{
		{"Account", []envVariable{
			{"B2_APPLICATION_KEY_ID", "ID of the application key that b2form works with."},
			{"B2_APPLICATION_KEY", "The key itself, the secret half."},
			{"B2_APPLICATION_KEY_ID_FILE", "File that holds the ID and nothing else, where the variable is not set."},
			{"B2_APPLICATION_KEY_FILE", "The same for the key."},
			{"B2_PROFILE", "Profile of the b2 command, or rclone:REMOTE for a remote of rclone. -profile goes before."},
			{"B2_CREDENTIAL_COMMAND", "JSON array: a program that prints ID and key, and its arguments."},
			{"B2_ACCOUNT_INFO", "Account file of the b2 command, which is read last; left out, where that keeps it."},
			{"XDG_CONFIG_HOME", "Folder in which the b2 command and rclone keep theirs; left out, .config in the home folder."},
			{"RCLONE_CONFIG", "Configuration of rclone, for a profile of rclone:REMOTE."},
			{"APPDATA", "Where rclone keeps its configuration on Windows."},
			{"B2_ENDPOINT", "Realm name or root URL of the native API; left out, production. -endpoint goes before."},
			{"B2_ENVIRONMENT", "The same under the name that Backblaze's tools use; B2_ENDPOINT goes before."},
			{"B2_ACCOUNT_ID", "Old name of B2_APPLICATION_KEY_ID, with a warning; read where none of that and the files is set."},
			{"B2_ACCOUNT_KEY", "Old name of B2_APPLICATION_KEY, with a warning."},
			{"B2_USER_AGENT_APPEND", "Text that is added to the User-Agent of every request."},
		}},
		{"Configuration", []envVariable{
			{"B2FORM_VAR_NAME", "Value of the variable NAME. -var, -var-file and value files go before."},
			{"TF_VAR_NAME", "The same under Terraform's name; B2FORM_VAR_NAME goes before."},
			{"B2FORM_ROOT", "Folder below which files may be read, as -root, which goes before; left out, the git work tree."},
			{"B2FORM_POLICY", "Folders of policies, as -policy, with the separator of PATH between; those of -policy come in addition."},
			{"HOME", "The home folder: a git work tree there does not widen what may be read, and the b2 command and rclone keep their " +
				"files there."},
			{"USERPROFILE", "The same on Windows."},
			{"B2FORM_MAX_EVALUATION", "Steps that evaluating a configuration may take; left out, 20 million."},
		}},
		{"What is asked and shown", []envVariable{
			{"TF_INPUT", "0 or false: never ask for anything, as -input=false."},
			{"TF_IN_AUTOMATION", "If set, no hints about what to run next."},
			{"B2FORM_CLI_ARGS", "Options for every command that has them, before those given, quoted as in a shell: -input=false."},
			{"B2FORM_CLI_ARGS_COMMAND", "Arguments for one command, such as B2FORM_CLI_ARGS_plan or B2FORM_CLI_ARGS_state_list."},
			{"B2FORM_LOG", "debug: one line per request on standard error, without what it carries; off: none."},
			{"B2FORM_TRACE", "File that a line of OpenTelemetry's OTLP JSON is added to for each run: phases, steps and requests, no " +
				"values."},
			{"NO_COLOR", "If set, no colours, as -no-color. It has the last word."},
			{"FORCE_COLOR", "If set, and not to 0 or false: colours also without a terminal."},
			{"CLICOLOR_FORCE", "The same."},
			{"TERM", "dumb: no colours, and a console without editing."},
		}},
		{"Pipelines", pipelineVariables()},
		{"Network and memory", []envVariable{
			{"HTTPS_PROXY", "The proxy through which B2 is reached: http://user:password@host:port. https_proxy does the same."},
			{"HTTP_PROXY", "The proxy for an endpoint without TLS, such as the emulator."},
			{"NO_PROXY", "Hosts that are reached without a proxy, with commas between."},
			{"SSL_CERT_FILE", "File with the certificates of authorities to trust, in place of the system's. Not on macOS and Windows."},
			{"SSL_CERT_DIR", "Folders with such files, with colons between."},
			{"GOGC", "How much the heap grows between garbage collections, as Go defines it; left out, b2form decides."},
		}},
	}
}

// pipelineVariables are those that CI systems set, or that are set for them.
func pipelineVariables() []envVariable {
	return []envVariable{
		{"B2FORM_DIGEST_KEY", "What hidden values are hashed with in the digest of a plan; the same for plan and apply -expect."},
		{"B2FORM_CI", "The CI system to work for, as -ci, which goes before: none, github, gitlab, forgejo or gitea."},
		{"B2FORM_NOTIFY", "Secret URL that the outcome is sent to, as -notify, which goes before."},
		{"CI", "If set, a plan that finds no state says what that means, and long work is told of every 30 seconds."},
		{"GITHUB_ACTIONS", "true: colours, masked secrets, annotations and the files below. Set by GitHub, Forgejo and Gitea."},
		{"FORGEJO_ACTIONS", "true: a runner of Forgejo, which shows no annotations and no summary."},
		{"GITEA_ACTIONS", "true: the same of Gitea."},
		{"GITHUB_OUTPUT", "File that the outputs of the step are added to."},
		{"GITHUB_STEP_SUMMARY", "File that the plan or the result is added to, in Markdown. On GitHub only."},
		{"GITHUB_WORKSPACE", "The checkout, from which annotations and reports name files."},
		{"GITLAB_CI", "true: colours, and sections of the log. Set by GitLab."},
		{"CI_PROJECT_DIR", "The checkout on GitLab, as GITHUB_WORKSPACE."},
		{"GITHUB_TOKEN", "Token that comments and issues are written with; that of the job, or one of somebody's."},
		{"GITEA_TOKEN", "The same for Gitea, before GITHUB_TOKEN."},
		{"FORGEJO_TOKEN", "The same for Forgejo."},
		{"GITLAB_TOKEN", "The same for GitLab: a project access token with the scope api. CI_JOB_TOKEN may write none."},
		{"GITHUB_API_URL", "The API for comments and issues. Of this and the next two, GITEA_ and FORGEJO_ go before GITHUB_."},
		{"GITHUB_REF", "refs/pull/NUMBER/…: the pull request that a comment is about."},
		{"GITHUB_EVENT_PATH", "File that names it where that does not."},
		{"CHANGE_ID", "Its number where neither does. Set by Jenkins."},
		{"CI_API_V4_URL", "GitLab's API for comments and issues."},
		{"CI_PROJECT_ID", "The project there. In a merge request CI_MERGE_REQUEST_PROJECT_ID goes before."},
		{"CI_MERGE_REQUEST_PROJECT_ID", "See CI_PROJECT_ID."},
		{"CI_MERGE_REQUEST_IID", "The merge request that a comment is about."},
		{"GITHUB_SERVER_URL", "With GITHUB_REPOSITORY and GITHUB_RUN_ID: the job that a lock names as its holder."},
		{"GITHUB_REPOSITORY", "See GITHUB_SERVER_URL. And where comments and issues go: OWNER/NAME."},
		{"GITHUB_RUN_ID", "See GITHUB_SERVER_URL."},
		{"CI_JOB_URL", "The job that a lock names as its holder. Set by GitLab."},
		{"BUILD_URL", "The same. Set by Jenkins."},
		{"USER", "Who a lock names as its holder; left out, the user of the operating system."},
	}
}

// libraryVariables are variables that libraries read, or internal/forge, and not this package.
func libraryVariables() []string {
	return []string{"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "GITHUB_TOKEN", "GITEA_TOKEN",
		"FORGEJO_TOKEN", "GITLAB_TOKEN", "GITHUB_API_URL", "GITHUB_REF", "GITHUB_EVENT_PATH", "CHANGE_ID", "CI_API_V4_URL", "CI_PROJECT_ID",
		"CI_MERGE_REQUEST_PROJECT_ID", "CI_MERGE_REQUEST_IID"}
}

// environmentHelp is what "b2form help environment" prints.
func environmentHelp() helpPage {
	page := helpPage{text: "Environment variables that b2form reads. Values that are empty count as not set."}
	for _, g := range environmentVariables() {
		rows := make([]view.TwoColumnRow, len(g.variables))
		for i, v := range g.variables {
			rows[i] = view.TwoColumnRow{Name: v.name, Text: v.doc}
		}
		page.sections = append(page.sections, helpSection{g.title, rows})
	}
	return page
}

// warnTerraformVariables says once which variables of Terraform's have no effect, and what
// to use instead.
func (p *program) warnTerraformVariables() {
	var logs, args []string
	for _, pair := range p.environ() {
		name, value, _ := strings.Cut(pair, "=")
		switch {
		case value == "":
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
	var says []string
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
	if job := p.jobURL(); job != "" {
		who += ", " + job
	}
	return who
}

// jobURL is where the pipeline shows its job; "": nobody says.
func (p *program) jobURL() string {
	server, repository, id := p.getenv("GITHUB_SERVER_URL"), p.getenv("GITHUB_REPOSITORY"), p.getenv("GITHUB_RUN_ID")
	if server != "" && repository != "" && id != "" {
		return fmt.Sprintf("%s/%s/actions/runs/%s", server, repository, id)
	}
	return cmp.Or(p.getenv("CI_JOB_URL"), p.getenv("BUILD_URL"))
}

// osUser is the name of the user whose process this is; "unknown" if nobody knows.
func osUser() string {
	u, err := user.Current()
	if err != nil || u.Username == "" {
		return "unknown"
	}
	return u.Username
}
