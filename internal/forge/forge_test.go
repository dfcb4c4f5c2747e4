package forge_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"b2form/internal/forge"
	"b2form/internal/forge/imitation"
	"b2form/internal/secret"
)

const token = "ghp_0123456789abcdefTOKEN"

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A bench is a client before one imitation.
type bench struct {
	*testing.T
	host   *imitation.Host
	url    string
	client *forge.Client
	waits  []time.Duration
}

func newBench(t *testing.T, service forge.Service) *bench {
	t.Helper()
	b := &bench{T: t, host: &imitation.Host{Service: string(service), Token: token}}
	if service == forge.Forgejo {
		b.host.Service = "gitea"
	}
	server := httptest.NewServer(b.host)
	t.Cleanup(server.Close)
	b.url = server.URL
	b.client = b.newClient(service, token, 3)
	return b
}

func (b *bench) newClient(service forge.Service, token string, request int) *forge.Client {
	b.Helper()
	r := forge.Repository{Service: service, API: b.url, Name: "acme/site", PullRequestNumber: request, Token: secret.New(token)}
	switch service {
	case forge.GitLab:
		r.API, r.Name = b.url+"/api/v4", "42"
	case forge.Gitea, forge.Forgejo:
		r.API = b.url + "/api/v1/"
	}
	c, err := forge.New(r, forge.Options{UserAgent: "b2form/test", Now: func() time.Time { return start },
		Wait: func(_ context.Context, d time.Duration) error { b.waits = append(b.waits, d); return nil }})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// must calls a method and compares what it answers.
func (b *bench) must(want forge.Outcome, got forge.Outcome, err error) {
	b.Helper()
	if err != nil || got != want {
		b.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

// refused wants an error whose text has all the words and not the token.
func (b *bench) refused(err error, words ...string) {
	b.Helper()
	e, ok := errors.AsType[*forge.PostError](err)
	if !ok {
		b.Fatalf("got %v, want an *Error", err)
	}
	for _, w := range words {
		if !strings.Contains(e.Error(), w) {
			b.Errorf("%q does not have %q", e, w)
		}
	}
	if strings.Contains(e.Error(), token) {
		b.Errorf("the token is in %q", e)
	}
}

func everyService(t *testing.T, test func(*testing.T, *bench)) {
	for _, s := range []forge.Service{forge.GitHub, forge.GitLab, forge.Gitea, forge.Forgejo} {
		t.Run(string(s), func(t *testing.T) { test(t, newBench(t, s)) })
	}
}

func TestCommentLife(t *testing.T) {
	everyService(t, func(t *testing.T, b *bench) {
		ctx, marker, other := t.Context(), forge.Marker("plan", "sites/a", ""), forge.Marker("plan", "sites/b", "")
		for i := range 250 { // several pages
			b.host.AddComment(imitation.Post{AuthorID: 1, Body: fmt.Sprintf("remark %d", i)})
		}
		put := func(marker, text string) (forge.Outcome, error) { return b.client.PutComment(ctx, marker, text) }
		got, err := put(marker, "one")
		b.must(forge.Created, got, err)
		got, err = put(other, "another folder")
		b.must(forge.Created, got, err)
		got, err = put(marker, "one")
		b.must(forge.Unchanged, got, err)
		got, err = put(marker, "two\nlines")
		b.must(forge.Updated, got, err)
		if all := b.host.Comments(); len(all) != 252 || all[250].Body != marker+"\ntwo\nlines" {
			t.Errorf("there are %d comments", len(all))
		}
		got, err = b.client.DeleteComment(ctx, marker)
		b.must(forge.Deleted, got, err)
		got, err = b.client.DeleteComment(ctx, marker)
		b.must(forge.Absent, got, err)
		if all := b.host.Comments(); len(all) != 251 || !strings.HasPrefix(all[250].Body, other) {
			t.Errorf("there are %d comments", len(all))
		}
	})
}

func TestIssueLife(t *testing.T) {
	everyService(t, func(t *testing.T, b *bench) {
		ctx, marker := t.Context(), forge.Marker("drift", ".", "")
		for i := range 60 {
			b.host.AddIssue(imitation.Post{AuthorID: imitation.Me, Title: "other", Body: fmt.Sprint(i)})
		}
		var pull int64
		if b.host.Service != "gitlab" { // which lists no requests among the issues
			pull = b.host.AddIssue(imitation.Post{AuthorID: imitation.Me, Body: marker + "\nmine", IsPullRequest: true})
		}
		b.host.PageSize = 25
		got, err := b.client.PutIssue(ctx, marker, "Drift", "two buckets")
		b.must(forge.Created, got, err)
		got, err = b.client.PutIssue(ctx, marker, "Drift", "two buckets")
		b.must(forge.Unchanged, got, err)
		got, err = b.client.PutIssue(ctx, marker, "Drift of 3", "three buckets")
		b.must(forge.Updated, got, err)
		got, err = b.client.UpdateAndCloseIssue(ctx, marker, "none any more")
		b.must(forge.Closed, got, err)
		got, err = b.client.UpdateAndCloseIssue(ctx, marker, "none any more")
		b.must(forge.Absent, got, err)
		all := b.host.Issues()
		last := all[len(all)-1]
		if !last.Closed || last.Title != "Drift of 3" || last.Body != marker+"\nnone any more" || last.ID == pull {
			t.Errorf("the issue is %+v", last)
		}
		got, err = b.client.PutIssue(ctx, marker, "Drift", "again")
		b.must(forge.Created, got, err)
	})
}

// TestForeignComments leaves alone what others wrote, whatever it holds.
func TestForeignComments(t *testing.T) {
	everyService(t, func(t *testing.T, b *bench) {
		marker := forge.Marker("plan", ".", "")
		b.host.AddComment(imitation.Post{AuthorID: 99, Body: marker + "\nnot mine"})
		b.host.AddComment(imitation.Post{AuthorID: imitation.Me, Body: "quoting " + marker})
		got, err := b.client.PutComment(t.Context(), marker, "mine")
		b.must(forge.Created, got, err)
		got, err = b.client.PutComment(t.Context(), marker, "mine again")
		b.must(forge.Updated, got, err)
		if all := b.host.Comments(); len(all) != 3 || all[0].Body != marker+"\nnot mine" || all[2].Body != marker+"\nmine again" {
			t.Errorf("the comments are %+v", all)
		}
	})
}

// TestJobToken posts with a token of which the API does not tell whose it is.
func TestJobToken(t *testing.T) {
	for _, service := range []forge.Service{forge.GitHub, forge.Gitea} {
		b := newBench(t, service)
		b.host.IsJobToken = true
		marker := forge.Marker("plan", ".", "")
		b.host.AddComment(imitation.Post{AuthorID: 99, Body: marker + "\nof a person"})
		got, err := b.client.PutComment(t.Context(), marker, "mine")
		b.must(forge.Created, got, err)
		got, err = b.client.PutComment(t.Context(), marker, "mine again")
		b.must(forge.Updated, got, err)
		if all := b.host.Comments(); len(all) != 2 || all[0].Body != marker+"\nof a person" {
			t.Errorf("the comments are %+v", all)
		}
	}
}

func TestMarkerIsHarmless(t *testing.T) {
	for _, folder := range []string{".", "a/b", "--> <img src=x> @all <!--", "a b\nc", "é`#1", strings.Repeat("-", 30)} {
		m := forge.Marker("plan", folder, "")
		inner := strings.TrimSuffix(strings.TrimPrefix(m, "<!-- "), " -->")
		if strings.ContainsAny(inner, "<>@#`\n&") || strings.Contains(inner, "--") ||
			forge.Marker("plan", folder+"x", "") == m || forge.Marker("plan", folder, "x") == forge.Marker("plan", folder+" x", "") {
			t.Errorf("%q has the marker %s", folder, m)
		}
	}
}

func answer(status int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
	}
}

// TestPauses waits as long as the services ask for.
func TestPauses(t *testing.T) {
	later := start.Add(40 * time.Second)
	for _, c := range []struct {
		status  int
		headers []string
		want    time.Duration
	}{
		{429, []string{"Retry-After", "7"}, 7 * time.Second},
		{403, []string{"Retry-After", "0"}, 0},
		{429, []string{"Retry-After", later.Format(http.TimeFormat)}, 40 * time.Second},
		{403, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", fmt.Sprint(later.Unix())}, 40 * time.Second},
		{429, []string{"RateLimit-Remaining", "0", "RateLimit-Reset", fmt.Sprint(later.Unix())}, 40 * time.Second},
		{429, nil, 5 * time.Second},
		{502, nil, time.Second},
		{503, []string{"Retry-After", "3"}, 3 * time.Second},
	} {
		b := newBench(t, forge.GitHub)
		b.host.AnswerNext(answer(c.status, c.headers...))
		got, err := b.client.PutComment(t.Context(), forge.Marker("plan", ".", ""), "text")
		b.must(forge.Created, got, err)
		if !slices.Equal(b.waits, []time.Duration{c.want}) {
			t.Errorf("%d %q: waited %v, want %v", c.status, c.headers, b.waits, c.want)
		}
	}
}

func TestGivesUp(t *testing.T) {
	b := newBench(t, forge.GitHub)
	put := func() error {
		_, err := b.client.PutComment(t.Context(), forge.Marker("plan", ".", ""), "text")
		return err
	}
	b.host.AnswerNext(answer(429, "Retry-After", "3600"))
	b.refused(put(), "too many requests", "1 hour, which is longer")
	for range 4 {
		b.host.AnswerNext(answer(500))
	}
	b.refused(put(), "500 Internal Server Error")
	if len(b.waits) != 3 {
		t.Errorf("waited %v", b.waits)
	}
	b.host.AnswerNext(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(422)
		fmt.Fprintf(w, `{"message":"no \u001b[31m%s <x>"}`, token)
	})
	b.refused(put(), `no \u001b[31m(sensitive value) <x>`)
	b.host.AnswerNext(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") })
	b.refused(put(), "something else than its API does")
}

// TestCreatesOnce creates one comment where the reply to a create is lost.
func TestCreatesOnce(t *testing.T) {
	everyService(t, func(t *testing.T, b *bench) {
		b.host.AddComment(imitation.Post{AuthorID: 1, Body: "first"})
		lost := func(w http.ResponseWriter, r *http.Request) {
			b.host.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		b.host.AnswerNext(nil) // the list
		b.host.AnswerNext(lost)
		got, err := b.client.PutComment(t.Context(), forge.Marker("plan", ".", ""), "text")
		b.must(forge.Created, got, err)
		if n := len(b.host.Comments()); n != 2 {
			t.Errorf("there are %d comments", n)
		}
	})
}

// TestStaysWithTheService sends the token nowhere else.
func TestStaysWithTheService(t *testing.T) {
	asked := false
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer thief.Close()
	everyService(t, func(t *testing.T, b *bench) {
		marker := forge.Marker("plan", ".", "")
		b.host.AnswerNext(answer(302, "Location", thief.URL))
		_, err := b.client.PutComment(t.Context(), marker, "text")
		b.refused(err, "points elsewhere", "token is not sent there")
		b.host.AnswerNext(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "<"+thief.URL+`/page2>; rel="next"`)
			fmt.Fprint(w, "[]")
		})
		_, err = b.client.PutComment(t.Context(), marker, "text")
		b.refused(err, "points elsewhere")
		// within the service it follows, as for a repository that was renamed
		b.host.AnswerNext(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"?again=1", http.StatusTemporaryRedirect)
		})
		got, err := b.client.PutComment(t.Context(), marker, "text")
		b.must(forge.Created, got, err)
	})
	if asked {
		t.Error("another host was asked")
	}
}

func TestRefusals(t *testing.T) {
	everyService(t, func(t *testing.T, b *bench) {
		ctx, marker := t.Context(), forge.Marker("plan", ".", "")
		service := forge.Service(t.Name()[strings.LastIndex(t.Name(), "/")+1:])
		_, err := b.newClient(service, "wrong", 3).PutComment(ctx, marker, "text")
		b.refused(err, "refused", "The token is not valid")
		_, err = b.newClient(service, token, 0).PutComment(ctx, marker, "text")
		b.refused(err, "request to comment on")
		_, err = b.newClient(service, token, 4).DeleteComment(ctx, marker)
		b.refused(err, "There is nothing for it")
		_, err = b.client.PutComment(ctx, marker, strings.Repeat("ä", b.client.MaxCharacters()))
		b.refused(err, "too long")
		room := b.client.MaxCharacters() - len(marker) - 1
		got, err := b.client.PutComment(ctx, marker, strings.Repeat("ä", room))
		b.must(forge.Created, got, err)
	})
}

func TestFindRepository(t *testing.T) {
	github := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/site", "GITHUB_REF": "refs/pull/3/merge",
		"GITHUB_TOKEN": token, "GITHUB_API_URL": "https://ghe.example.com/api/v3"}
	with := func(base map[string]string, pairs ...string) map[string]string {
		out := map[string]string{}
		for k, v := range base {
			out[k] = v
		}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i]] = pairs[i+1]
		}
		return out
	}
	gitlab := map[string]string{"GITLAB_CI": "true", "CI_API_V4_URL": "https://gitlab.com/api/v4", "CI_PROJECT_ID": "42",
		"CI_MERGE_REQUEST_IID": "3", "GITLAB_TOKEN": token}
	for name, c := range map[string]struct {
		env  map[string]string
		want string // service, API, name, request; or the error
	}{
		"github":       {github, "github https://ghe.example.com/api/v3 acme/site 3"},
		"github.com":   {with(github, "GITHUB_API_URL", ""), "github https://api.github.com acme/site 3"},
		"event":        {with(github, "GITHUB_REF", "refs/heads/main", "GITHUB_EVENT_PATH", "event"), "acme/site 17"},
		"broken event": {with(github, "GITHUB_REF", "refs/heads/main", "GITHUB_EVENT_PATH", "none"), "acme/site 0"},
		"branch":       {with(github, "GITHUB_REF", "refs/heads/pull/3/"), "acme/site 0"},
		"no token":     {with(github, "GITHUB_TOKEN", ""), "There is no token for GitHub: Give the job's token to the step"},
		"odd name":     {with(github, "GITHUB_REPOSITORY", "site"), "The repository is not known"},
		"gitlab":       {gitlab, "gitlab https://gitlab.com/api/v4 42 3"},
		"job token":    {with(gitlab, "GITLAB_TOKEN", "", "CI_JOB_TOKEN", "x"), "CI_JOB_TOKEN, which every job has, may write neither"},
		"no request":   {with(gitlab, "CI_MERGE_REQUEST_IID", ""), "42 0"},
		"gitea": {with(github, "GITEA_ACTIONS", "true", "GITEA_TOKEN", token, "GITHUB_TOKEN", "", "GITHUB_API_URL", "",
			"GITHUB_SERVER_URL", "https://git.example.com/"), "gitea https://git.example.com/api/v1 acme/site 3"},
		"forgejo": {with(github, "GITEA_ACTIONS", "true", "FORGEJO_ACTIONS", "true"), "forgejo https://ghe.example.com/api/v3 acme/site 3"},
		"jenkins": {map[string]string{"GITHUB_REPOSITORY": "acme/site", "CHANGE_ID": "5", "GITHUB_TOKEN": token},
			"github https://api.github.com acme/site 5"},
		"nothing": {nil, "No pull or merge request is known"},
	} {
		r, err := forge.FindRepository(forge.Environment{Getenv: func(name string) string { return c.env[name] },
			ReadFile: func(path string) ([]byte, error) {
				if path == "event" {
					return []byte(`{"pull_request":{"number":17}}`), nil
				}
				return nil, errors.New("there is none")
			}}, "")
		got := fmt.Sprintf("%s %s %s %d", r.Service, r.API, r.Name, r.PullRequestNumber)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if printed := fmt.Sprintf("%v %+v", r, got); strings.Contains(printed, token) {
			t.Errorf("%s: the token is printed: %s", name, printed)
		}
	}
}

func TestMalformedAPI(t *testing.T) {
	for _, api := range []string{"", "::", "ftp://x", "gitlab.com", "https://user:pass@gitlab.com/api"} {
		if _, err := forge.New(forge.Repository{Service: forge.GitLab, API: api}, forge.Options{}); err == nil {
			t.Errorf("%q is taken", api)
		}
	}
}
