package forge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"b2form/internal/reach"
	"b2form/internal/scrub"
	"b2form/internal/visible"
	"b2form/internal/words"
)

const (
	mostTries    = 4
	firstWait    = time.Second // and twice as long each time
	longestPause = time.Minute // the longest wait that a service may ask for
	mostPages    = 100
	mostReply    = 64 << 20 // bytes; a page of GitLab may be as long
)

// listPage asks for one page of a list, and gives the address of the next; "": it was the last.
func (c *Client) listPage(ctx context.Context, pathOrPageURL string, to any) (nextURL string, err error) {
	header, err := c.sendWithRetries(ctx, http.MethodGet, pathOrPageURL, nil, to)
	if err != nil {
		return "", err
	}
	// "Link: <https://…?page=2>; rel="next"" (RFC 8288)
	for _, m := range regexp.MustCompile(`<([^>]*)>([^<]*)`).FindAllStringSubmatch(header.Get("Link"), -1) {
		if strings.Contains(m[2], `rel="next"`) {
			return m[1], nil
		}
	}
	return "", nil
}

// callAPI sends one request, and reads the reply into to unless that is nil.
func (c *Client) callAPI(ctx context.Context, method, path string, body map[string]string, to any) error {
	_, err := c.sendWithRetries(ctx, method, path, body, to)
	return err
}

// sendWithRetries repeats a request as long as that may help. What creates something is repeated only
// where the service says that it did nothing.
func (c *Client) sendWithRetries(ctx context.Context, method, pathOrPageURL string, body map[string]string, to any) (http.Header, error) {
	wait := firstWait
	for try := 1; ; try++ {
		header, after, err := c.sendOnce(ctx, method, pathOrPageURL, body, to)
		if err == nil {
			return header, nil
		}
		e, limited := err, after >= 0
		uncertain := e.status == 0 || e.status >= http.StatusInternalServerError
		if after < 0 {
			after = wait
		}
		if try == mostTries || !limited && (!uncertain || method == http.MethodPost) || ctx.Err() != nil {
			return nil, e
		}
		if after > longestPause {
			e.Detail += fmt.Sprintf(" It asks for a pause of %s, which is longer than b2form waits.",
				words.ExactDuration(after.Round(time.Second)))
			return nil, e
		}
		if c.wait(ctx, after) != nil {
			return nil, e
		}
		wait *= 2
	}
}

// sendOnce sends a request once. after is the pause that the service asks for; below 0: it does
// not say that there are too many requests.
func (c *Client) sendOnce(ctx context.Context, method, pathOrPageURL string, body map[string]string, to any) (header http.Header,
	pauseOrNegative time.Duration, fault *PostError) {
	const notLimited = -1
	req, fault := c.newRequest(ctx, method, pathOrPageURL, body)
	if fault != nil {
		return nil, notLimited, fault
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, notLimited, c.unreachableError(err)
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, mostReply+1))
	switch {
	case err != nil:
		return nil, notLimited, c.unreachableError(err)
	case len(reply) > mostReply:
		return nil, notLimited, &PostError{Summary: c.dialect.displayName + " answered too much",
			Detail: fmt.Sprintf("A reply had more than %d MiB.",
				mostReply>>20), status: resp.StatusCode}
	case resp.StatusCode/100 != 2:
		return nil, c.pauseAskedFor(resp), c.refusalError(resp.StatusCode, reply)
	case to != nil:
		if err := json.Unmarshal(reply, to); err != nil {
			return nil, notLimited, &PostError{Summary: c.dialect.displayName + " answered something else than its API does",
				Detail: "The address of the API may be wrong: " + c.shownAPIURL() + ".", status: resp.StatusCode}
		}
	}
	return resp.Header, 0, nil
}

// newRequest makes a request for a path below the root, or for the address of a page.
func (c *Client) newRequest(ctx context.Context, method, pathOrPageURL string, body map[string]string) (*http.Request, *PostError) {
	target := c.root.String() + pathOrPageURL
	if !strings.HasPrefix(pathOrPageURL, "/") { // a page, as the service names it
		at, err := url.Parse(pathOrPageURL)
		if err != nil || at.Scheme != c.root.Scheme || at.Host != c.root.Host || at.User != nil {
			return nil, c.foreignHostError()
		}
		target = pathOrPageURL
	}
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, &PostError{Summary: "The text cannot be sent", Detail: err.Error()}
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return nil, &PostError{Summary: "The address of the API is malformed", Detail: c.shownAPIURL() + " and what follows it is no URL."}
	}
	req.Header.Set("Accept", "application/json")
	for name, value := range c.dialect.headers {
		req.Header.Set(name, value)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set(c.dialect.authHeader, c.dialect.authPrefix+c.repository.Token.Reveal())
	return req, nil
}

var errRedirect = errors.New("redirected")

// checkRedirect follows where the same service answers the same question: the token goes
// nowhere else.
func (c *Client) checkRedirect(req *http.Request, via []*http.Request) error {
	if req.URL.Scheme != c.root.Scheme || req.URL.Host != c.root.Host || req.Method != via[0].Method || len(via) > 5 {
		return errRedirect
	}
	return nil
}

func (c *Client) foreignHostError() *PostError {
	return &PostError{Summary: c.dialect.displayName + " points elsewhere", Detail: "A reply leads away from " + c.shownAPIURL() +
		", and the token is not sent there. If the repository was renamed, give its new name; else correct the address of the API."}
}

// shownAPIURL is the address of the API, without what may be secret in it.
func (c *Client) shownAPIURL() string {
	return visible.EscapeTruncated(c.root.Scheme+"://"+c.root.Host+c.root.Path, 200)
}

// unreachableError is why there was no reply.
func (c *Client) unreachableError(err error) *PostError {
	if errors.Is(err, errRedirect) {
		e := c.foreignHostError()
		e.status = http.StatusMovedPermanently // it would be so again
		return e
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without the address
	}
	return &PostError{Summary: c.dialect.displayName + " cannot be reached",
		Detail: fmt.Sprintf("%s: %s.", c.shownAPIURL(), c.escapeTruncatedWithoutToken(reach.Diagnose(err).Reason("the server")))}
}

// escapeTruncatedWithoutToken is something that others wrote, short and without the token.
func (c *Client) escapeTruncatedWithoutToken(text string) string {
	return visible.EscapeTruncated(scrub.RemoveSecretKeepParts(text, c.repository.Token.Reveal()), 300)
}

// pauseAskedFor is how long the service wants to be left alone; below 0: it does not say so.
//
// GitHub: 403 or 429 with retry-after, or with x-ratelimit-remaining: 0 and the time in
// x-ratelimit-reset, in seconds of UTC ("Rate limits for the REST API"). GitLab: 429 with
// Retry-After and RateLimit-Reset ("Rate limit headers").
func (c *Client) pauseAskedFor(resp *http.Response) (pauseOrNegative time.Duration) {
	limited := resp.StatusCode == http.StatusTooManyRequests
	if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusServiceUnavailable && !limited {
		return -1
	}
	if text := resp.Header.Get("Retry-After"); text != "" {
		if n, err := strconv.Atoi(text); err == nil && n >= 0 && n < 1<<30 {
			return time.Duration(n) * time.Second
		}
		if at, err := http.ParseTime(text); err == nil {
			return max(0, at.Sub(c.now()))
		}
	}
	for _, prefix := range []string{"X-Ratelimit-", "Ratelimit-"} {
		reset, err := strconv.ParseInt(resp.Header.Get(prefix+"Reset"), 10, 64)
		if err == nil && resp.Header.Get(prefix+"Remaining") == "0" {
			return max(0, time.Unix(reset, 0).Sub(c.now()))
		}
	}
	if limited {
		return 5 * time.Second
	}
	return -1
}

// refusalError is what the service said in place of doing what it was asked for.
func (c *Client) refusalError(status int, reply []byte) *PostError {
	var said struct {
		Message any `json:"message"` // GitLab: also an object
		Error   any `json:"error"`
	}
	_ = json.Unmarshal(reply, &said) // else it says nothing
	words := ""
	for _, m := range []any{said.Message, said.Error} {
		if m != nil && words == "" {
			words = fmt.Sprintf(" (%s)", c.escapeTruncatedWithoutToken(fmt.Sprint(m)))
		}
	}
	e := &PostError{status: status, Summary: c.dialect.displayName + " refused"}
	switch status {
	case http.StatusUnauthorized:
		e.Detail = "The token is not valid" + words + ". " + c.dialect.tokenAdvice
	case http.StatusForbidden:
		e.Detail = "The token may not do this" + words + ". " + c.dialect.tokenAdvice
	case http.StatusNotFound, http.StatusGone:
		e.Detail = fmt.Sprintf("There is nothing for it in %s, or the token may not see it%s. %s",
			visible.EscapeTruncated(c.repository.Name, 200), words, c.dialect.tokenAdvice)
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		e.Detail = "It does not take what was sent" + words + "."
	case http.StatusTooManyRequests:
		e.Detail = "There are too many requests" + words + ". Run this again later."
	default:
		e.Detail = fmt.Sprintf("It answered %d %s%s.", status, http.StatusText(status), words)
	}
	return e
}
