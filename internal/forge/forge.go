// Package forge keeps one comment on a pull or merge request, and one issue, in step with
// what a run found: through the REST APIs of GitHub, GitLab, Gitea and Forgejo.
//
// A post is found again by a marker, an HTML comment in its first line that no reader sees.
// One with the marker that somebody else wrote is left alone.
package forge

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"b2form/internal/secret"
)

// A Service is software that hosts repositories.
type Service string

// The services. Forgejo's API is Gitea's.
const (
	GitHub  Service = "github"
	GitLab  Service = "gitlab"
	Gitea   Service = "gitea"
	Forgejo Service = "forgejo"
)

// A Repository is where posts go, and with which token.
type Repository struct {
	Service           Service
	API               string // its root URL, such as https://api.github.com
	Name              string // owner/name; for GitLab the project's ID or path
	PullRequestNumber int    // number of the pull or merge request; 0: there is none
	Token             secret.Value
}

// A PostError is why a post could not be brought up to date, in words for people, without the
// token.
type PostError struct {
	Summary, Detail string
	status          int // of the reply; 0: there was none
}

func (e *PostError) Error() string { return e.Summary + ": " + e.Detail }

// An Outcome is what became of a post.
type Outcome string

// The outcomes.
const (
	Created   Outcome = "created"
	Updated   Outcome = "updated"
	Unchanged Outcome = "unchanged" // it says that already
	Deleted   Outcome = "deleted"
	Closed    Outcome = "closed"
	Absent    Outcome = "absent" // there is none, and none was wanted
)

// A Client speaks with one service about one repository. It is for one goroutine.
type Client struct {
	repository Repository
	dialect    dialect
	root       *url.URL
	http       *http.Client
	userAgent  string
	now        func() time.Time
	wait       func(context.Context, time.Duration) error
	tokenUser  *author // of the token; nil: not asked for yet
}

// Options is what a client works with.
type Options struct {
	UserAgent string
	Now       func() time.Time
	Wait      func(context.Context, time.Duration) error // between attempts
}

// New makes a client, without asking the service for anything. The error is an [*Error].
func New(r Repository, o Options) (*Client, error) {
	root, err := url.Parse(strings.TrimSuffix(r.API, "/"))
	if err != nil || root.Host == "" || root.Scheme != "https" && root.Scheme != "http" || root.User != nil {
		return nil, &PostError{Summary: "The address of the API is malformed", Detail: fmt.Sprintf("The API of %s is a URL such as %s.",
			dialects()[r.Service].displayName, dialects()[r.Service].exampleAPI)}
	}
	c := &Client{repository: r, dialect: dialects()[r.Service], root: root, userAgent: o.UserAgent, now: o.Now, wait: o.Wait}
	c.http = &http.Client{Timeout: time.Minute, CheckRedirect: c.checkRedirect}
	return c, nil
}

// MaxCharacters is how long a post may be, its marker included.
func (c *Client) MaxCharacters() int { return c.dialect.maxCharacters }

// Marker is the first line of the posts about one folder, or about one of the several states that it has; "": it has
// one. purpose tells several posts apart; folder and state may have any name.
func Marker(purpose, folder, state string) string {
	words := []string{"<!-- b2form", purpose, folder}
	if state != "" {
		words = append(words, state)
	}
	for i := range words[2:] {
		// Nothing in it ends an HTML comment, or is a mention or a link.
		words[2+i] = strings.ReplaceAll(url.QueryEscape(words[2+i]), "-", "%2D")
	}
	return strings.Join(words, " ") + " -->"
}

// PutComment makes the comment with the marker say text: it is created, or updated where it
// says something else.
func (c *Client) PutComment(ctx context.Context, marker, text string) (Outcome, error) {
	if err := c.checkPullRequest(); err != nil {
		return "", err
	}
	return c.put(ctx, c.comments(), "", marker, text)
}

// DeleteComment deletes the comment with the marker, if there is one.
func (c *Client) DeleteComment(ctx context.Context, marker string) (Outcome, error) {
	if err := c.checkPullRequest(); err != nil {
		return "", err
	}
	list := c.comments()
	found, err := c.findOwnPost(ctx, list, marker)
	if err != nil || found == nil {
		return Absent, err
	}
	if err := c.callAPI(ctx, http.MethodDelete, list.itemPath(found.numberOrID()), nil, nil); err != nil && !isGone(err) {
		return "", err
	}
	return Deleted, nil
}

// PutIssue makes the open issue with the marker say text, and opens one where there is none.
func (c *Client) PutIssue(ctx context.Context, marker, title, text string) (Outcome, error) {
	return c.put(ctx, c.issues(), title, marker, text)
}

// UpdateAndCloseIssue closes the open issue with the marker, if there is one, and leaves text in it.
func (c *Client) UpdateAndCloseIssue(ctx context.Context, marker, text string) (Outcome, error) {
	list := c.issues()
	found, err := c.findOwnPost(ctx, list, marker)
	if err != nil || found == nil {
		return Absent, err
	}
	body := map[string]string{list.textMember: marker + "\n" + text}
	body[c.dialect.closeMember] = c.dialect.closeValue
	if err := c.callAPI(ctx, c.dialect.editMethod, list.itemPath(found.numberOrID()), body, nil); err != nil {
		return "", err
	}
	return Closed, nil
}

// checkPullRequest refuses to comment where there is no pull or merge request.
func (c *Client) checkPullRequest() error {
	if c.repository.PullRequestNumber > 0 {
		return nil
	}
	return &PostError{Summary: "There is no " + c.dialect.pullRequestTerm + " to comment on", Detail: c.dialect.pullRequestNumberAdvice}
}

// put creates a post, or updates the one that is there. Where nobody knows whether it was
// created, it is looked for once more.
func (c *Client) put(ctx context.Context, list postCollection, title, marker, text string) (Outcome, error) {
	text = marker + "\n" + text
	if n := utf8.RuneCountInString(text); n > c.dialect.maxCharacters {
		return "", &PostError{Summary: "The text is too long",
			Detail: fmt.Sprintf("%s takes %d characters, and it has %d.", c.dialect.displayName,
				c.dialect.maxCharacters, n)}
	}
	body := map[string]string{list.textMember: text}
	if title != "" {
		body["title"] = title
	}
	for again := false; ; again = true {
		found, err := c.findOwnPost(ctx, list, marker)
		switch {
		case err != nil:
			return "", err
		case found != nil && found.text(list.textMember) == text && (title == "" || found.Title == title):
			return map[bool]Outcome{true: Created, false: Unchanged}[again], nil
		case found != nil:
			return Updated, c.callAPI(ctx, c.dialect.editMethod, list.itemPath(found.numberOrID()), body, nil)
		}
		err = c.callAPI(ctx, http.MethodPost, list.path, body, nil)
		if e, ok := err.(*PostError); ok && !again && (e.status == 0 || e.status >= http.StatusInternalServerError) {
			continue
		}
		return Created, err
	}
}

// isGone reports whether what was asked for is not there any more.
func isGone(err error) bool {
	e, ok := err.(*PostError)
	return ok && (e.status == http.StatusNotFound || e.status == http.StatusGone)
}

// A post is a comment or an issue, as any of the services answers it.
type post struct {
	ID          int64   `json:"id"`
	IID         int64   `json:"iid"`    // GitLab's number of an issue
	Number      int64   `json:"number"` // GitHub's and Gitea's
	Title       string  `json:"title"`
	Body        string  `json:"body"`
	Description string  `json:"description"`
	User        *author `json:"user"`         // GitHub, Gitea
	Author      *author `json:"author"`       // GitLab
	PullRequest any     `json:"pull_request"` // of an issue that is none
}

func (p *post) numberOrID() int64 { return cmp.Or(p.IID, p.Number, p.ID) }

// text is what the post says. Line ends may come back as they are sent by browsers.
func (p *post) text(member string) string {
	text := p.Body
	if member == "description" {
		text = p.Description
	}
	return strings.ReplaceAll(text, "\r\n", "\n")
}

// An author is who wrote a post.
type author struct {
	ID    int64  `json:"id"`
	Login string `json:"login"` // GitHub, Gitea
	Type  string `json:"type"`  // GitHub: User, Bot, Organization
}

// findOwnPost gives the first post with the marker that this token's user wrote; nil: there is none.
func (c *Client) findOwnPost(ctx context.Context, list postCollection, marker string) (*post, error) {
	page, err := list.path+list.listQuery, error(nil)
	for range mostPages {
		var posts []post
		next := ""
		if next, err = c.listPage(ctx, page, &posts); err != nil {
			return nil, err
		}
		for i := range posts {
			p := &posts[i]
			first, _, _ := strings.Cut(p.text(list.textMember), "\n")
			if first != marker || p.PullRequest != nil {
				continue
			}
			mine, err := c.isOwnPost(ctx, p)
			if err != nil {
				return nil, err
			}
			if mine {
				return p, nil
			}
		}
		if page = next; page == "" {
			return nil, nil
		}
	}
	return nil, &PostError{Summary: "There are too many posts", Detail: fmt.Sprintf("The one of b2form is not among the first %d pages.",
		mostPages)}
}

// isOwnPost reports whether the user of the token wrote a post.
func (c *Client) isOwnPost(ctx context.Context, p *post) (bool, error) {
	by := p.User
	if by == nil {
		by = p.Author
	}
	if by == nil {
		return false, nil
	}
	if c.tokenUser == nil {
		var me author
		err := c.callAPI(ctx, http.MethodGet, "/user", nil, &me)
		if e, ok := err.(*PostError); ok && c.dialect.isJobUser != nil && (e.status == http.StatusForbidden || isGone(err) ||
			e.status == http.StatusUnauthorized) {
			err = nil // the token of a job is of no user that the API tells
		}
		if err != nil {
			return false, err
		}
		c.tokenUser = &me
	}
	if c.tokenUser.ID == 0 {
		return c.dialect.isJobUser != nil && c.dialect.isJobUser(*by), nil
	}
	return by.ID == c.tokenUser.ID, nil
}
