package examples_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	yaml "github.com/zclconf/go-cty-yaml"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"b2form/internal/forge/imitation"
	"b2form/internal/testrun"
)

// A job is what one job of a pipeline tells the shell to do.
type job struct {
	name     string
	commands []string
}

// yamlAsJSON reads a file of YAML.
func yamlAsJSON(t *testing.T, path string) []byte {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ty, err := yaml.ImpliedType(source)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	value, err := yaml.Unmarshal(source, ty)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	text, err := ctyjson.Marshal(value, ty)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return text
}

// workflowJobs are the jobs of a workflow of GitHub, Forgejo or Gitea, without steps that use an action.
func workflowJobs(t *testing.T, path string) (list []job) {
	var workflow struct {
		Jobs map[string]struct{ Steps []struct{ Run string } }
	}
	if err := json.Unmarshal(yamlAsJSON(t, path), &workflow); err != nil {
		t.Fatal(err)
	}
	for name, j := range workflow.Jobs {
		var commands []string
		for _, s := range j.Steps {
			if s.Run != "" {
				commands = append(commands, s.Run)
			}
		}
		list = append(list, job{name, commands})
	}
	return list
}

// gitlabJobs are the jobs of a pipeline of GitLab, without what its template prepares.
func gitlabJobs(t *testing.T, path string) (list []job) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(yamlAsJSON(t, path), &members); err != nil {
		t.Fatal(err)
	}
	for name, raw := range members {
		var j struct{ Script []string }
		if name != "stages" && !strings.HasPrefix(name, ".") {
			if err := json.Unmarshal(raw, &j); err != nil {
				t.Fatal(err)
			}
			list = append(list, job{name, j.Script})
		}
	}
	return list
}

// textJobs is one job for each match of pattern in a file; the first group is the command.
func textJobs(t *testing.T, path, pattern string) (list []job) {
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(source), -1) {
		list = append(list, job{filepath.Base(path), []string{m[1]}})
	}
	return list
}

// A pipeline is a folder of examples/ci, and what its service tells a job.
type pipeline struct {
	service string // of the comment and the issue; "": there is none
	jobs    []job
	env     string // variables of every job
	between string // what a service does when the job plan is over
}

// TestPipelines runs the very commands of examples/ci one after the other on one account: at their end the
// account is as the configuration says.
func TestPipelines(t *testing.T) {
	bin := build(t)
	var github []job
	for _, name := range []string{"plan", "apply", "drift", "rotate"} {
		github = append(github, workflowJobs(t, "ci/github/"+name+".yml")...)
	}
	const outputs = "GITHUB_OUTPUT=$work/outputs GITHUB_STEP_SUMMARY=$work/summary GITHUB_REPOSITORY=acme/site " +
		"GITHUB_REF=refs/pull/3/merge GITHUB_WORKSPACE=$work"
	// A step of a service has a file of its own: the last one is that of the plan.
	const digest = "test \"$(sed -n 's/^changes=//p' $work/outputs | tail -1)\" = true\n" +
		"export DIGEST=$(sed -n 's/^digest=//p' $work/outputs | tail -1)\n"
	pipelines := map[string]pipeline{
		"github": {service: "github", jobs: github, between: digest,
			env: "GITHUB_ACTIONS=true GITHUB_TOKEN=token-3 GITHUB_API_URL=$api " + outputs},
		"forgejo": {service: "gitea", jobs: workflowJobs(t, "ci/forgejo/b2form.yml"), between: digest,
			env: "GITHUB_ACTIONS=true FORGEJO_ACTIONS=true FORGEJO_TOKEN=token-3 GITHUB_API_URL=$api/api/v1 " + outputs},
		"gitlab": {service: "gitlab", jobs: gitlabJobs(t, "ci/gitlab/b2form.gitlab-ci.yml"),
			env: "GITLAB_CI=true GITLAB_TOKEN=token-3 CI_API_V4_URL=$api/api/v4 CI_PROJECT_ID=42 CI_MERGE_REQUEST_IID=3 " +
				"CI_PROJECT_DIR=$work",
			between: "set -a; . ./b2form.env; set +a\n"},
		"jenkins": {jobs: textJobs(t, "ci/jenkins/Jenkinsfile", `sh '([^']*)'`), env: "BUILD_URL=http://localhost/job/3"},
		"cron": {jobs: append([]job{{"apply", []string{"b2form apply -auto-approve"}}},
			textJobs(t, "ci/cron/crontab", `(?m)^[0-9]+ [0-9]+ \S+ \S+ \S+ +(.*)$`)...), env: "LOGNAME=ops",
			between: "for part in read rotate; do printf %s $B2_APPLICATION_KEY_ID >$part.id; printf %s $B2_APPLICATION_KEY >$part.key; " +
				"done\n" +
				"unset B2_APPLICATION_KEY_ID B2_APPLICATION_KEY\n" +
				"export B2_APPLICATION_KEY_ID_FILE=read.id B2_APPLICATION_KEY_FILE=read.key\n"},
	}
	for _, name := range testrun.SampleUnlessExhaustive(t, 3, 2, slices.Sorted(maps.Keys(pipelines))) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runPipeline(t, bin, pipelines[name])
		})
	}
}

func runPipeline(t *testing.T, bin string, p pipeline) {
	work, host := t.TempDir(), &imitation.Host{Service: p.service, Token: "token-3"}
	api := httptest.NewServer(host)
	defer api.Close()
	source, err := os.ReadFile("photos-plus/main.b2.hcl")
	// What is in the checkout ends with the job.
	source = bytes.Replace(source, []byte(`"photos-plus.env"`), fmt.Appendf(nil, "%q", filepath.Join(t.TempDir(), "photos-plus.env")), 1)
	if err == nil {
		err = os.WriteFile(filepath.Join(work, "main.b2.hcl"), source, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	order := []string{"plan", "apply", "drift", "rotate"}
	slices.SortStableFunc(p.jobs, func(a, b job) int { return slices.Index(order, a.name) - slices.Index(order, b.name) })
	script := fmt.Sprintf("set -eux\ncd %[1]s\nwork=%[1]s api=%[2]s\nexport CI=true B2FORM_DIGEST_KEY=long-enough-to-be-a-key %[3]s\n",
		work, api.URL, p.env)
	for i, j := range p.jobs {
		for _, command := range j.commands {
			script += strings.ReplaceAll(command, "/srv/b2", work) + "\n"
		}
		if i == 0 {
			script += p.between
		}
	}
	if len(p.jobs) < 2 || strings.Count(script, "b2form ") < 3 {
		t.Fatalf("commands are missing:\n%s", script)
	}
	script += "b2form -q plan -detailed-exitcode -ci=none\n"
	cmd := exec.Command(bin, "emulator", "--", "bash", "-c", script)
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "PATH="+filepath.Dir(bin)+":"+os.Getenv("PATH"), "B2FORM_CI=", "GITHUB_ACTIONS=",
		"GITLAB_CI=")
	said, err := cmd.CombinedOutput()
	if err != nil || bytes.Count(said, []byte("Warning:")) > bytes.Count(said, []byte("Warning: No state on CI")) {
		t.Errorf("%v:\n%s", err, said)
	}
	if comments := host.Comments(); p.service != "" && (len(comments) != 1 || !strings.Contains(comments[0].Body, "2 to add")) {
		t.Errorf("comments: %v", comments)
	}
}

// GitLab's own schema takes its pipeline.
func TestGitLabSchema(t *testing.T) {
	schema, err := os.ReadFile("testdata/gitlab-ci.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err == nil {
		err = c.AddResource("gitlab-ci.json", parsed)
	}
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("gitlab-ci.json")
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob("ci/gitlab/*.yml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no pipelines: %v", err)
	}
	for _, path := range paths {
		text := yamlAsJSON(t, path)
		pipeline, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err == nil {
			err = compiled.Validate(pipeline)
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		wrong := maps.Clone(pipeline.(map[string]any))
		wrong["plan"] = map[string]any{"script": 3}
		if compiled.Validate(wrong) == nil {
			t.Error("the schema takes anything")
		}
	}
}

// What is given no secrets plans nothing: pull requests of forks, and on GitHub those of Dependabot.
func TestForksPlanNothing(t *testing.T) {
	const own = "github.event.pull_request.head.repo.full_name == github.repository"
	for path, want := range map[string]string{
		"ci/github/plan.yml":    own + " && github.actor != 'dependabot[bot]'",
		"ci/forgejo/b2form.yml": "github.event_name == 'push' || github.event_name == 'pull_request' && " + own,
	} {
		var workflow struct {
			Jobs struct{ Plan struct{ If string } }
		}
		if err := json.Unmarshal(yamlAsJSON(t, path), &workflow); err != nil || workflow.Jobs.Plan.If != want {
			t.Errorf("%s: if %s, want %s (%v)", path, workflow.Jobs.Plan.If, want, err)
		}
	}
	var pipeline struct {
		Plan struct{ Rules []struct{ If string } }
	}
	const merge = `$CI_PIPELINE_SOURCE == "merge_request_event" && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID`
	err := json.Unmarshal(yamlAsJSON(t, "ci/gitlab/b2form.gitlab-ci.yml"), &pipeline)
	if rules := pipeline.Plan.Rules; err != nil || len(rules) != 2 || rules[0].If != merge {
		t.Errorf("GitLab: %v, want %s first (%v)", rules, merge, err)
	}
}

// What the action needs and is not given, it says.
func TestActionAsksForItsSource(t *testing.T) {
	var action struct {
		Runs struct{ Steps []struct{ If, Run string } }
	}
	if err := json.Unmarshal(yamlAsJSON(t, "ci/action/action.yml"), &action); err != nil {
		t.Fatal(err)
	}
	first := action.Runs.Steps[0]
	said, err := exec.Command("bash", "-c", first.Run).CombinedOutput()
	if first.If != "inputs.url == '' && inputs.repository == ''" || err == nil ||
		!strings.Contains(string(said), "Fill in where b2form comes from") {
		t.Errorf("if %s: %v: %s", first.If, err, said)
	}
}
