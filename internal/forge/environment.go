package forge

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"b2form/internal/secret"
)

// An Environment is what a CI system tells a job.
type Environment struct {
	Getenv func(string) string
	// ReadFile reads the file that describes the event.
	ReadFile func(path string) ([]byte, error)
}

// FindRepository gives the repository that the job is about. service is which one it is; "": the
// environment says so. The error is an [*Error].
//
// The variables: "Default environment variables" (GitHub), "Predefined CI/CD variables" (GitLab); the
// runners of Gitea and Forgejo set GitHub's, and GITEA_ACTIONS, those of Forgejo FORGEJO_ACTIONS too
// (internal/app/run/runner.go of both). Jenkins names the number of a pull request CHANGE_ID.
func FindRepository(e Environment, service Service) (Repository, error) {
	if service == "" {
		service = e.service()
	}
	r := Repository{Service: service}
	var tokens []string
	switch service {
	case "":
		return r, &PostError{Summary: "No pull or merge request is known",
			Detail: "b2form finds it in the environment of GitHub Actions, " +
				"GitLab CI, Gitea Actions and Forgejo Actions. Elsewhere, set GITHUB_REPOSITORY=OWNER/NAME, " +
				"GITHUB_REF=refs/pull/NUMBER/head and GITHUB_TOKEN, or CI_API_V4_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID and " +
				"GITLAB_TOKEN."}
	case GitLab:
		r.API, r.Name = e.firstNonEmptyValue("CI_API_V4_URL"), e.firstNonEmptyValue("CI_MERGE_REQUEST_PROJECT_ID", "CI_PROJECT_ID")
		r.PullRequestNumber = parsePositive(e.firstNonEmptyValue("CI_MERGE_REQUEST_IID", "CHANGE_ID"))
		tokens = []string{"GITLAB_TOKEN"}
	default:
		prefixes := e.prefixes(service)
		r.API, r.Name = e.firstNonEmptyValue(suffixed(prefixes, "API_URL")...), e.firstNonEmptyValue(suffixed(prefixes, "REPOSITORY")...)
		if server := e.firstNonEmptyValue(suffixed(prefixes, "SERVER_URL")...); r.API == "" && server != "" && service != GitHub {
			r.API = strings.TrimSuffix(server, "/") + "/api/v1"
		}
		if r.API == "" && service == GitHub {
			r.API = dialects()[GitHub].exampleAPI
		}
		r.PullRequestNumber = e.pullRequestNumber(prefixes)
		tokens = suffixed(prefixes, "TOKEN")
	}
	d := dialects()[service]
	whole := service == GitLab && r.Name != "" || regexp.MustCompile(`^[^/]+/[^/]+$`).MatchString(r.Name)
	if r.API == "" || !whole {
		variables := "CI_API_V4_URL and CI_PROJECT_ID"
		if service != GitLab {
			variables = "GITHUB_API_URL and GITHUB_REPOSITORY (OWNER/NAME)"
		}
		return r, &PostError{Summary: "The repository is not known",
			Detail: "The environment does not say which repository of " + d.displayName +
				" this is about: set " + variables + ", as its jobs have them."}
	}
	token := strings.TrimSpace(e.firstNonEmptyValue(tokens...))
	if token == "" || strings.ContainsAny(token, "\r\n") {
		return r, &PostError{Summary: "There is no token for " + d.displayName, Detail: d.tokenAdvice}
	}
	r.Token = secret.New(token)
	return r, nil
}

// service recognises whose job this is; "": nothing tells.
func (e Environment) service() Service {
	switch {
	case e.Getenv("FORGEJO_ACTIONS") == "true":
		return Forgejo
	case e.Getenv("GITEA_ACTIONS") == "true":
		return Gitea
	case e.Getenv("GITHUB_ACTIONS") == "true":
		return GitHub
	case e.Getenv("GITLAB_CI") == "true", e.Getenv("CI_API_V4_URL") != "":
		return GitLab
	case e.Getenv("FORGEJO_REPOSITORY") != "":
		return Forgejo
	case e.Getenv("GITEA_REPOSITORY") != "":
		return Gitea
	case e.Getenv("GITHUB_REPOSITORY") != "":
		return GitHub
	}
	return ""
}

// prefixes are what the names of a service's variables begin with, its own first.
func (e Environment) prefixes(s Service) []string {
	return slices.Compact([]string{strings.ToUpper(string(s)) + "_", "GITHUB_"})
}

func suffixed(prefixes []string, suffix string) []string {
	out := make([]string, len(prefixes))
	for i, p := range prefixes {
		out[i] = p + suffix
	}
	return out
}

// firstNonEmptyValue is the first of the variables that is set.
func (e Environment) firstNonEmptyValue(names ...string) string {
	for _, name := range names {
		if v := e.Getenv(name); v != "" {
			return v
		}
	}
	return ""
}

// pullRequestNumber is the number of the pull request; 0: there is none.
func (e Environment) pullRequestNumber(prefixes []string) int {
	if m := regexp.MustCompile(`^refs/pull/([0-9]+)/`).FindStringSubmatch(e.firstNonEmptyValue(suffixed(prefixes, "REF")...)); m != nil {
		return parsePositive(m[1])
	}
	if path := e.firstNonEmptyValue(suffixed(prefixes, "EVENT_PATH")...); path != "" {
		var event struct {
			PullRequest struct {
				Number int `json:"number"`
			} `json:"pull_request"` // on pull_request_target and others
		}
		// Who cannot read it goes on without.
		if text, err := e.ReadFile(path); err == nil && json.Unmarshal(text, &event) == nil && event.PullRequest.Number > 0 {
			return event.PullRequest.Number
		}
	}
	return parsePositive(e.firstNonEmptyValue("CHANGE_ID"))
}

func parsePositive(text string) (numberOrZero int) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
