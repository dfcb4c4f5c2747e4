package forge

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// A dialect is in what the API of a service differs from the others.
type dialect struct {
	displayName, exampleAPI string
	pullRequestTerm         string // what changes are proposed with
	pullRequestNumberAdvice string // where its number comes from
	tokenAdvice             string // which token is needed, and what it must be allowed to do
	authHeader              string
	authPrefix              string
	headers                 map[string]string
	editMethod              string
	closeMember             string // of the body that closes an issue, and its value
	closeValue              string
	maxCharacters           int
	comments                func(r *Repository) postCollection
	issues                  func(r *Repository) postCollection
	// isJobUser recognises who posts with the token of a job, of which the API does not say
	// whose it is; nil: it always does.
	isJobUser func(author) bool
}

// A postCollection is where posts are: the path of all, with a filter behind it, and of one.
type postCollection struct {
	path, listQuery string
	itemBasePath    string // "": path
	textMember      string
}

func (l postCollection) itemPath(id int64) string {
	return cmp.Or(l.itemBasePath, l.path) + "/" + strconv.FormatInt(id, 10)
}

func (c *Client) comments() postCollection { return c.dialect.comments(&c.repository) }
func (c *Client) issues() postCollection   { return c.dialect.issues(&c.repository) }

// dialects are those of the services.
//
// GitHub: "REST API endpoints for issue comments" and "for issues" (docs.github.com/en/rest/issues); the
// pages of a list and their Link headers in "Using pagination in the REST API". That a body has less than
// 65,536 characters the API itself says with 422. GET /user is refused to the token of a job
// ("Resource not accessible by integration"), which posts as a user of the type Bot.
//
// GitLab: "Notes API", "Issues API" and "Pagination" (docs.gitlab.com/api). A note has at most
// 1,000,000 characters ("GitLab application limits"), an issue's description too.
//
// Gitea: the OpenAPI document of each server, at /api/swagger. The comments of one issue come
// without pages; issues have at most 50 a page. The user of a job's token is gitea-actions, in
// Forgejo forgejo-actions (models/user/user_system.go of both).
func dialects() map[Service]dialect {
	gitea := dialect{
		displayName: "Gitea", exampleAPI: "https://gitea.example.com/api/v1", pullRequestTerm: "pull request",
		pullRequestNumberAdvice: "The number of the pull request is read from GITHUB_REF, which is refs/pull/NUMBER/… in workflows on " +
			"pull_request.",
		tokenAdvice: "Give the job's token to the step, as GITHUB_TOKEN, or a token that may write issues, as GITEA_TOKEN.",
		authHeader:  "Authorization", authPrefix: "token ", editMethod: http.MethodPatch,
		closeMember: "state", closeValue: "closed", maxCharacters: 65535,
		comments: func(r *Repository) postCollection {
			return postCollection{path: fmt.Sprintf("%s/issues/%d/comments", repoPath(r), r.PullRequestNumber),
				itemBasePath: repoPath(r) + "/issues/comments",
				textMember:   "body"}
		},
		issues: func(r *Repository) postCollection {
			return postCollection{path: repoPath(r) + "/issues", listQuery: "?type=issues&state=open&limit=50", textMember: "body"}
		},
		isJobUser: func(a author) bool { return a.Login == "gitea-actions" || a.Login == "forgejo-actions" },
	}
	forgejo := gitea
	forgejo.displayName, forgejo.exampleAPI = "Forgejo", "https://forgejo.example.com/api/v1"
	forgejo.tokenAdvice = strings.Replace(gitea.tokenAdvice, "GITEA_TOKEN", "FORGEJO_TOKEN", 1)
	github := gitea
	github.displayName, github.exampleAPI = "GitHub", "https://api.github.com"
	github.tokenAdvice = "Give the job's token to the step: env: GITHUB_TOKEN: ${{ github.token }}. The workflow needs permissions: " +
		"pull-requests: write for comments, and issues: write for issues. In pull requests from forks it may only read."
	github.authPrefix = "Bearer "
	github.headers = map[string]string{"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
	github.comments = func(r *Repository) postCollection {
		list := gitea.comments(r)
		list.listQuery = "?per_page=100"
		return list
	}
	github.issues = func(r *Repository) postCollection {
		return postCollection{path: repoPath(r) + "/issues", listQuery: "?state=open&per_page=100", textMember: "body"}
	}
	github.isJobUser = func(a author) bool { return a.Type == "Bot" }
	gitlab := dialect{
		displayName: "GitLab", exampleAPI: "https://gitlab.com/api/v4", pullRequestTerm: "merge request",
		pullRequestNumberAdvice: "The number is read from CI_MERGE_REQUEST_IID, which is set in pipelines of merge requests: give the " +
			"job rules: - if: $CI_PIPELINE_SOURCE == \"merge_request_event\".",
		tokenAdvice: "Make a project access token with the scope api and the role Reporter or more, and give it to the job as the masked " +
			"variable GITLAB_TOKEN. CI_JOB_TOKEN, which every job has, may write neither comments nor issues.",
		authHeader: "PRIVATE-TOKEN", editMethod: http.MethodPut, closeMember: "state_event", closeValue: "close", maxCharacters: 1_000_000,
		comments: func(r *Repository) postCollection {
			return postCollection{path: fmt.Sprintf("%s/merge_requests/%d/notes", projectPath(r), r.PullRequestNumber),
				listQuery: "?sort=asc&order_by=created_at&per_page=100", textMember: "body"}
		},
		issues: func(r *Repository) postCollection {
			return postCollection{path: projectPath(r) + "/issues", listQuery: "?state=opened&per_page=100&scope=created_by_me",
				textMember: "description"}
		},
	}
	return map[Service]dialect{GitHub: github, GitLab: gitlab, Gitea: gitea, Forgejo: forgejo}
}

func repoPath(r *Repository) string {
	owner, name, _ := strings.Cut(r.Name, "/")
	return "/repos/" + url.PathEscape(owner) + "/" + url.PathEscape(name)
}

func projectPath(r *Repository) string { return "/projects/" + url.PathEscape(r.Name) }
