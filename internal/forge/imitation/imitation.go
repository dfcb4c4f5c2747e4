// Package imitation is what a client of GitHub, GitLab or Gitea sees of them, in memory: the
// comments of one pull or merge request and the issues of one repository, under the rules that
// their documentation states. It imports nothing of ours. Only tests use it.
package imitation

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// A Post is a comment or an issue.
type Post struct {
	ID            int64
	AuthorID      int64 // the user
	Bot           bool
	Title         string
	Body          string
	Closed        bool
	IsPullRequest bool // a pull request, which GitHub lists among the issues
}

// Me is the user of the token.
const Me = 7

// A Host is one service with one repository, acme/site or 42, and one request, 3.
type Host struct {
	Service    string // "github", "gitlab", "gitea"
	Token      string
	IsJobToken bool // the token is one of a job: nobody is told whose
	PageSize   int  // how many posts a page has at most; 0: as the service has them

	mu          sync.Mutex
	comments    []*Post
	issues      []*Post
	lastID      int64
	requests    []string
	nextAnswers []http.HandlerFunc // to be given to the next requests in place of their own
}

// AddComment and AddIssue have somebody write a post.
func (h *Host) AddComment(p Post) int64 { return h.add(&h.comments, &p) }

// AddIssue is AddComment for issues.
func (h *Host) AddIssue(p Post) int64 { return h.add(&h.issues, &p) }

func (h *Host) add(to *[]*Post, p *Post) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastID++
	p.ID = h.lastID
	*to = append(*to, p)
	return p.ID
}

// Comments are those that there are now.
func (h *Host) Comments() []Post { return h.copyOf(&h.comments) }

// Issues are those that there are now.
func (h *Host) Issues() []Post { return h.copyOf(&h.issues) }

func (h *Host) copyOf(list *[]*Post) []Post {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]Post, len(*list))
	for i, p := range *list {
		out[i] = *p
	}
	return out
}

// TakeRequests are the methods and paths since it was called last.
func (h *Host) TakeRequests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.requests
	h.requests = nil
	return out
}

// AnswerNext has the next request answered in another way.
func (h *Host) AnswerNext(answer http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nextAnswers = append(h.nextAnswers, answer)
}

// ServeHTTP implements [http.Handler].
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.requests = append(h.requests, r.Method+" "+r.URL.RequestURI())
	var answer http.HandlerFunc
	if len(h.nextAnswers) > 0 {
		answer, h.nextAnswers = h.nextAnswers[0], h.nextAnswers[1:]
	}
	h.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if problem := h.checkHeaders(r); problem != "" {
		refuse(w, http.StatusUnauthorized, problem)
		return
	}
	if strings.TrimPrefix(r.URL.Path, h.prefix()) == "/user" {
		h.serveUser(w)
		return
	}
	list, id, found := h.route(r.URL.EscapedPath())
	switch {
	case !found:
		refuse(w, http.StatusNotFound, "Not Found")
	case r.Method == http.MethodGet && id == 0:
		h.listOpenPosts(w, r, list)
	case r.Method == http.MethodPost && id == 0:
		h.createOrEdit(w, r, list, nil)
	default:
		i := slices.IndexFunc(*list, func(p *Post) bool { return p.ID == id })
		switch {
		case i < 0:
			refuse(w, http.StatusNotFound, "Not Found")
		case r.Method == http.MethodDelete && list == &h.comments:
			*list = slices.Delete(*list, i, i+1)
			w.WriteHeader(http.StatusNoContent)
		case r.Method == h.editMethod():
			h.createOrEdit(w, r, list, (*list)[i])
		default:
			refuse(w, http.StatusMethodNotAllowed, "405 Method Not Allowed")
		}
	}
}

func (h *Host) editMethod() string {
	if h.Service == "gitlab" {
		return http.MethodPut
	}
	return http.MethodPatch
}

func (h *Host) prefix() string {
	return map[string]string{"github": "", "gitlab": "/api/v4", "gitea": "/api/v1"}[h.Service]
}

// checkHeaders demands what the services do: a token, for GitHub also a User-Agent ("Getting
// started with the REST API"), and JSON where there is a body.
func (h *Host) checkHeaders(r *http.Request) (problem string) {
	switch {
	case h.Service == "gitlab" && r.Header.Get("PRIVATE-TOKEN") != h.Token:
		return "401 Unauthorized"
	case h.Service == "github" && r.Header.Get("Authorization") != "Bearer "+h.Token,
		h.Service == "gitea" && r.Header.Get("Authorization") != "token "+h.Token:
		return "Bad credentials"
	case h.Service == "github" && (r.UserAgent() == "" || r.Header.Get("X-GitHub-Api-Version") != "2022-11-28" ||
		r.Header.Get("Accept") != "application/vnd.github+json"):
		return "Request forbidden by administrative rules"
	case r.Body != nil && r.ContentLength > 0 && r.Header.Get("Content-Type") != "application/json":
		return "415 Unsupported Media Type"
	}
	return ""
}

func (h *Host) serveUser(w http.ResponseWriter) {
	if h.IsJobToken {
		refuse(w, http.StatusForbidden, "Resource not accessible by integration")
		return
	}
	reply(w, http.StatusOK, h.author(Me, false))
}

func (h *Host) author(id int64, bot bool) map[string]any {
	name, kind := fmt.Sprintf("user-%d", id), "User"
	if bot {
		name, kind = map[string]string{"github": "github-actions[bot]", "gitea": "gitea-actions"}[h.Service], "Bot"
	}
	switch h.Service {
	case "gitlab":
		return map[string]any{"id": id, "username": name}
	case "github":
		return map[string]any{"id": id, "login": name, "type": kind}
	}
	return map[string]any{"id": id, "login": name}
}

// route finds the list, and the post of it, that a path is about.
func (h *Host) route(path string) (list *[]*Post, id int64, found bool) {
	patterns := []string{`/repos/acme/site/issues/3/comments()`, `/repos/acme/site/issues/comments/([0-9]+)`,
		`/repos/acme/site/issues(?:/([0-9]+))?`}
	lists := []*[]*Post{&h.comments, &h.comments, &h.issues}
	if h.Service == "gitlab" {
		patterns = []string{`/projects/42/merge_requests/3/notes(?:/([0-9]+))?`, `/projects/42/issues(?:/([0-9]+))?`}
		lists = []*[]*Post{&h.comments, &h.issues}
	}
	for i, p := range patterns {
		if m := regexp.MustCompile("^" + regexp.QuoteMeta(h.prefix()) + p + "$").FindStringSubmatch(path); m != nil {
			id, _ := strconv.ParseInt(m[1], 10, 64) // "" is 0
			return lists[i], id, true
		}
	}
	return nil, 0, false
}

func (h *Host) listOpenPosts(w http.ResponseWriter, r *http.Request, list *[]*Post) {
	q := r.URL.Query()
	posts := []any{}
	for _, p := range *list {
		if !p.Closed || list == &h.comments {
			posts = append(posts, h.json(p, list))
		}
	}
	size, whole := 30, h.Service == "gitea" && list == &h.comments
	if n, err := strconv.Atoi(q.Get(map[bool]string{true: "limit", false: "per_page"}[h.Service == "gitea"])); err == nil {
		size = n
	}
	if size = min(size, 100); h.PageSize > 0 {
		size = min(size, h.PageSize)
	}
	page := 1
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 0 {
		page = n
	}
	if !whole {
		from := min((page-1)*size, len(posts))
		to := min(from+size, len(posts))
		if to < len(posts) {
			q.Set("page", strconv.Itoa(page+1))
			w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next", <http://%s/>; rel="last"`, r.Host, r.URL.Path, q.Encode(),
				r.Host))
		}
		posts = posts[from:to]
	}
	reply(w, http.StatusOK, posts)
}

func (h *Host) json(p *Post, list *[]*Post) map[string]any {
	by := h.author(p.AuthorID, p.Bot)
	out := map[string]any{"id": p.ID, "user": by, "body": p.Body}
	if h.Service == "gitlab" {
		out = map[string]any{"id": p.ID, "author": by, "body": p.Body, "system": false}
	}
	if list == &h.issues {
		out["title"], out["id"] = p.Title, p.ID+1000
		if h.Service == "gitlab" {
			out["iid"], out["description"] = p.ID, p.Body
			delete(out, "body")
		} else {
			out["number"] = p.ID
		}
		if p.IsPullRequest {
			out["pull_request"] = map[string]any{"url": "https://…"}
		}
	}
	return out
}

// createOrEdit creates a post, or changes one.
func (h *Host) createOrEdit(w http.ResponseWriter, r *http.Request, list *[]*Post, p *Post) {
	var body map[string]string
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		refuse(w, http.StatusBadRequest, "Problems parsing JSON")
		return
	}
	member, mostCharacters := "body", 65535
	if h.Service == "gitlab" {
		mostCharacters = 1_000_000
		if list == &h.issues {
			member = "description"
		}
	}
	text, given := body[member]
	status := http.StatusOK
	switch {
	case list == &h.comments && text == "" || list == &h.issues && p == nil && body["title"] == "":
		refuse(w, map[bool]int{true: http.StatusBadRequest, false: http.StatusUnprocessableEntity}[h.Service == "gitlab"],
			member+" is missing")
		return
	case utf8.RuneCountInString(text) > mostCharacters:
		refuse(w, http.StatusUnprocessableEntity, "body is too long (maximum is 65536 characters)")
		return
	case p == nil:
		h.lastID++
		p = &Post{ID: h.lastID, AuthorID: Me, Bot: h.IsJobToken}
		*list = append(*list, p)
		status = http.StatusCreated
	}
	if given {
		p.Body = text
	}
	if title, ok := body["title"]; ok {
		p.Title = title
	}
	p.Closed = p.Closed || body["state_event"] == "close" && h.Service == "gitlab" || body["state"] == "closed" && h.Service != "gitlab"
	reply(w, status, h.json(p, list))
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // who does not listen to the end sees that
}

func refuse(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]string{"message": message})
}
