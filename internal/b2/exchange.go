package b2

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"

	"b2form/internal/scrub"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/schema/wire"
)

const (
	// attemptTimeout bounds one attempt, to the last byte of the reply; large
	// uploads may take longer. The
	// largest listings take seconds; a dead connection takes for ever.
	attemptTimeout = 5 * time.Minute
)

// A failure is an attempt that did not succeed.
type failure struct {
	err *wire.Error
	// unsent: no connection came about, so B2 cannot have seen the request.
	unsent bool
	// neverRetry: sending it again cannot help.
	neverRetry bool
	// replyStalled: a reply began, and was given up minutes later.
	replyStalled bool
}

// mayHaveTakenEffect reports whether the request may have taken effect nevertheless.
func (f *failure) mayHaveTakenEffect() bool {
	switch status := f.err.Status; {
	case status == 0:
		return !f.unsent
	case status < 300: // a success that could not be read
		return true
	}
	return f.err.Status >= 500 || f.err.Status == http.StatusRequestTimeout
}

// sendOnce sends the request once. A nil session sends the application key
// itself, which is how b2_authorize_account wants it.
func (c *Client) sendOnce(ctx context.Context, r *request, s *session) (reply []byte, f *failure) {
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout+r.extraTimeout)
	defer cancel()
	// Only a transport that reports looking for a connection, and not finding
	// one, proves that nothing was sent.
	var asked, connected atomic.Bool
	trace := &httptrace.ClientTrace{
		GetConn: func(string) { asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}
	req, err := c.newHTTPRequest(httptrace.WithClientTrace(attempt, trace), r, s)
	if err != nil {
		return nil, &failure{unsent: true, neverRetry: true, err: &wire.Error{Method: r.method,
			Message: "the request cannot be put into HTTP", Cause: err}}
	}
	sent := c.now()
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, c.transportFailure(ctx, attempt, r, err, asked.Load() && !connected.Load())
	}
	defer resp.Body.Close()
	c.gotReply.Store(true)
	if resp.StatusCode/100 != 2 {
		return nil, &failure{err: c.readRefusal(r, s, resp)}
	}
	body, err := readBounded(resp, r.maxReplySize(), c.now)
	if errors.Is(err, wire.ErrReplyTooLarge) {
		return nil, &failure{neverRetry: true, err: &wire.Error{Method: r.method, Status: resp.StatusCode, Cause: err,
			Message: tooLargeMessage(r.maxReplySize())}}
	}
	if err != nil {
		f := c.transportFailure(ctx, attempt, r, err, false)
		f.replyStalled = attempt.Err() != nil || errors.Is(err, errTrickle)
		return nil, f
	}
	if r.checkNonJSONReply != nil {
		if err := r.checkNonJSONReply(resp, body); err != nil {
			return nil, c.transportFailure(ctx, attempt, r, err, false)
		}
	} else if !bytes.HasPrefix(bytes.TrimLeft(body[:min(len(body), 64)], " \t\r\n"), []byte("{")) {
		return nil, &failure{neverRetry: true, err: &wire.Error{Method: r.method, Status: resp.StatusCode,
			Message: foreignReplyMessage(resp)}}
	}
	date, believed := c.clock.updateFromDateHeader(resp, sent, c.now(), c.allowedClockDifference())
	if !believed && s == nil { // one that a later reply has is left out
		return nil, &failure{neverRetry: true, err: &wire.Error{Method: r.method, Status: resp.StatusCode,
			Message: fmt.Sprintf("%s %s, and the clock of this machine shows %s", beginningOfWrongDate, words.ReadableTime(date),
				words.ReadableTime(c.now()))}}
	}
	return body, nil
}

func (c *Client) newHTTPRequest(ctx context.Context, r *request, s *session) (*http.Request, error) {
	if r.buildHTTP != nil {
		req, err := r.buildHTTP(ctx, s)
		if err == nil {
			req.Header.Set("User-Agent", c.userAgent)
		}
		return req, err
	}
	if s == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.endpoint+r.path, nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("User-Agent", c.userAgent)
		req.SetBasicAuth(c.keyID(), c.key())
		return req, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.apiURL+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", s.token())
	return req, nil
}

// transportFailure describes an attempt that ended without a whole reply.
func (c *Client) transportFailure(ctx, attempt context.Context, r *request, cause error, unsent bool) *failure {
	if ctx.Err() != nil {
		err := cancelledError(r.method, ctx.Err())
		return &failure{err: err, unsent: unsent, neverRetry: true}
	}
	if attempt.Err() != nil {
		cause = errAttemptTimeout
	}
	a, permanent := diagnose(cause)
	return &failure{unsent: unsent, neverRetry: permanent, err: &wire.Error{Method: r.method, Message: a.summary, Cause: cause}}
}

func cancelledError(method string, cause error) *wire.Error {
	return &wire.Error{Method: method, Message: "cancelled before B2 had answered", Cause: cause}
}

// readRefusal reads an error reply. B2 documents its shape under Native API Error
// Handling; anything else was said by somebody in between.
func (c *Client) readRefusal(r *request, s *session, resp *http.Response) *wire.Error {
	e := &wire.Error{Method: r.method, Status: resp.StatusCode}
	e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), c.now())
	body, _ := readBounded(resp, maxErrorReply, c.now) // the status alone says enough if the body broke off
	var reply struct{ Code, Message string }
	if json.Unmarshal(body, &reply) != nil || reply.Code == "" {
		e.Message = foreignReplyMessage(resp)
		return e
	}
	e.Code, e.Message = c.sanitizeText(reply.Code, s, maxCodeChars), c.sanitizeText(reply.Message, s, maxMessageChars)
	return e
}

// maxCodeChars and maxMessageChars are how many characters of a refusal people read.
const maxCodeChars, maxMessageChars = 100, 1000

// sanitizeText makes a text that somebody else wrote fit to be shown: without the
// credentials in use and those that it may just have made, without what a terminal would
// obey, and short.
func (c *Client) sanitizeText(text string, s *session, maxChars int) string {
	text = scrub.RemoveSecretOrWithholdText(text, c.key())
	if s != nil {
		text = scrub.RemoveSecretKeepParts(text, s.token()) // it begins with the key's ID
	}
	return visible.EscapeTruncated(scrub.RemoveApplicationKeys(text), maxChars)
}

// beginningOfWrongDate begins the message about a Date that cannot be right.
const beginningOfWrongDate = "B2's reply says that it is"

// foreignReplyMessage describes a reply that B2 cannot have written. It does not quote the
// body, which may be a whole page.
func foreignReplyMessage(resp *http.Response) string {
	media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || len(media) > 60 {
		media = "no content type"
	}
	if resp.StatusCode/100 == 3 {
		return "the reply is a redirect, which B2 never sends"
	}
	return fmt.Sprintf("the reply (%s) is not from B2's API", media)
}

// retryAfter reads the header in both of its forms, seconds and a date.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(seconds, 0), 24*3600)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
