// Package notify sends what came of a run to a URL. The URL is a secret: who has one may write where it leads, so that
// neither it nor a part of it is in an error.
package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"b2form/internal/reach"
	"b2form/internal/report"
)

// A Target is where notices go.
type Target struct {
	url    *url.URL
	format messageFormat
}

// A messageFormat says what is sent.
type messageFormat string

const (
	slack     messageFormat = "slack"
	ntfy      messageFormat = "ntfy"
	plainJSON messageFormat = "json"
)

// URLFormText says what a target looks like.
const URLFormText = "https://HOST/PATH, with slack+, ntfy+ or json+ in front where the host does not tell which of them it is"

// ParseTarget reads a URL: slack+https://HOST/PATH. Without a word in front, the hosts of Slack and ntfy.sh are known, and
// anything else gets JSON. The error says nothing of the text.
func ParseTarget(text string) (Target, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Hostname() == "" {
		return Target{}, errors.New("it is no URL: it needs to be " + URLFormText)
	}
	t := Target{url: u, format: plainJSON}
	switch host := strings.ToLower(u.Hostname()); {
	case host == "hooks.slack.com" || host == "hooks.slack-gov.com":
		t.format = slack
	case host == "ntfy.sh":
		t.format = ntfy
	}
	if word, scheme, given := strings.Cut(u.Scheme, "+"); given {
		if t.format, u.Scheme = messageFormat(word), scheme; !slices.Contains([]messageFormat{slack, ntfy, plainJSON}, t.format) {
			return Target{}, errors.New("what is in front of + is not known: it needs to be " + URLFormText)
		}
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return Target{}, errors.New("it is neither of https nor of http: it needs to be " + URLFormText)
	}
	return t, nil
}

// Format keeps the URL out of whatever prints the target by chance.
func (t Target) Format(f fmt.State, _ rune) { fmt.Fprint(f, "target of notices") }

// ntfyMessage is how many bytes a message of ntfy has before it becomes an attachment ("Publishing", limitations: 4,096).
const ntfyMessage = 4096

// Send sends a notice, once, and follows no redirect: another place was not chosen by the user. ctx bounds the time. The
// error says what went wrong and nothing of the URL.
func (t Target) Send(ctx context.Context, n report.Notice, userAgent string) error {
	body, header := n.JSON(), http.Header{"Content-Type": {"application/json"}}
	switch t.format {
	case slack:
		body = n.Slack()
	case ntfy: // "Publishing": the body is the message; title, priority and tags are headers
		body = []byte(n.Text(ntfyMessage))
		header = http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "Title": {n.Title()}}
		if n.Outcome == report.Failed {
			header.Set("Priority", "high")
			header.Set("Tags", "warning")
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url.String(), bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL cannot be requested")
	}
	header.Set("User-Agent", userAgent)
	request.Header = header
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return errors.New("it was interrupted")
		}
		return errors.New(reach.ConnectionFailure{Cause: reach.Diagnose(err).Cause}.Reason("the server"))
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 1<<16) // what it says is for nobody
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the answer was HTTP %d", response.StatusCode)
	}
	return nil
}
