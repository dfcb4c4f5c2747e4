package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"b2form/internal/forge/imitation"
)

type hostKey struct{}

// hosted reaches a service that hosts repositories, in memory:
//
//	hosted start github|gitlab|gitea        begin, and set the variables that a job has there
//	hosted comments, hosted issues          print them
//	hosted foreign comment|issue FILE       what somebody else wrote
//	hosted fail STATUS [NAME VALUE]         refuse the next request, with a header
//	hosted requests                         print those since the last look
func hosted(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 || neg {
		ts.Fatalf("usage: hosted start|comments|issues|foreign|fail|requests ...")
	}
	if args[0] == "start" {
		startHost(ts, args[1])
		return
	}
	h := *ts.Value(hostKey{}).(**imitation.Host)
	switch args[0] {
	case "comments":
		printPosts(ts, h.Comments())
	case "issues":
		printPosts(ts, h.Issues())
	case "foreign":
		p := imitation.Post{AuthorID: 99, Title: "foreign", Body: ts.ReadFile(args[2])}
		if args[1] == "comment" {
			h.AddComment(p)
		} else {
			h.AddIssue(p)
		}
	case "fail":
		status, err := strconv.Atoi(args[1])
		ts.Check(err)
		h.AnswerNext(func(w http.ResponseWriter, _ *http.Request) {
			if len(args) > 2 {
				w.Header().Set(args[2], args[3])
			}
			w.WriteHeader(status)
			fmt.Fprint(w, `{"message":"as the script says"}`)
		})
	case "requests":
		fmt.Fprintln(ts.Stdout(), strings.Join(h.TakeRequests(), "\n"))
	default:
		ts.Fatalf("hosted %s: unknown", args[0])
	}
}

func printPosts(ts *testscript.TestScript, posts []imitation.Post) {
	for _, p := range posts {
		fmt.Fprintf(ts.Stdout(), "--- %d by %d closed=%v %s\n%s\n", p.ID, p.AuthorID, p.Closed, p.Title, p.Body)
	}
	fmt.Fprintf(ts.Stdout(), "%d posts\n", len(posts))
}

// hostToken is the token of a job.
const hostToken = "ghs_16C7e42F292c6912E7710c838347Ae178B4a"

func startHost(ts *testscript.TestScript, service string) {
	h := &imitation.Host{Service: service, Token: hostToken}
	server := httptest.NewServer(h)
	ts.Defer(server.Close)
	*ts.Value(hostKey{}).(**imitation.Host) = h
	pairs := []string{"GITHUB_ACTIONS", "true", "GITHUB_REPOSITORY", "acme/site", "GITHUB_REF", "refs/pull/3/merge",
		"GITHUB_TOKEN", hostToken, "GITHUB_API_URL", server.URL}
	switch service {
	case "gitea":
		pairs = append(pairs, "GITEA_ACTIONS", "true", "GITHUB_API_URL", server.URL+"/api/v1")
	case "gitlab":
		pairs = []string{"GITLAB_CI", "true", "CI_API_V4_URL", server.URL + "/api/v4", "CI_PROJECT_ID", "42",
			"CI_MERGE_REQUEST_IID", "3", "GITLAB_TOKEN", hostToken, "GITHUB_ACTIONS", ""}
	}
	for i := 0; i < len(pairs); i += 2 {
		ts.Setenv(pairs[i], pairs[i+1])
	}
}
