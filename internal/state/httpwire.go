package state

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"b2form/internal/pause"
	"b2form/internal/reach"
	"b2form/internal/scrub"
	"b2form/internal/visible"
)

// How much of a reply is read, and how long one request may take.
const (
	maxHTTPReply       = 64 << 10 // who holds the lock, or what is wrong
	maxQuoted          = 200      // characters of a server's words that are shown
	httpRequestTimeout = 2 * time.Minute
)

// An httpReply is a whole reply.
type httpReply struct {
	address         string // that was asked
	status          int
	header          http.Header
	body            []byte
	requestRepeated bool // the request had been sent before, and nobody knows what came of that
}

func (r *httpReply) succeeded() bool { return r.status >= 200 && r.status < 300 }

// sendWithRetries is one request, repeated while no answer comes or the server says that it has trouble.
// So it must do no harm twice.
func (h HTTPBackend) sendWithRetries(ctx context.Context, method, address string, body []byte, maxReplyBytes int64) (*httpReply, error) {
	wait := h.FirstRetryWait
	for try := 0; ; try++ {
		r, err := h.sendOnce(ctx, method, address, body, maxReplyBytes)
		if r != nil {
			r.requestRepeated = try > 0
		}
		final := err != nil && ctx.Err() != nil || err == nil && !r.isRetryable()
		if _, known := errors.AsType[*Error](err); known || final || try >= h.Retries {
			return r, h.explainUnreachable(address, err)
		}
		if pause.For(ctx, max(wait, min(r.retryAfter(), h.MaxRetryWait))) != nil {
			return nil, ctx.Err()
		}
		wait = min(2*wait, h.MaxRetryWait)
	}
}

func (r *httpReply) isRetryable() bool {
	return r.status >= 500 && r.status != http.StatusNotImplemented && r.status != http.StatusInsufficientStorage ||
		r.status == http.StatusTooManyRequests
}

// retryAfter is what the server asks to wait.
func (r *httpReply) retryAfter() time.Duration {
	if r == nil {
		return 0
	}
	seconds, err := strconv.Atoi(r.header.Get("Retry-After"))
	if err != nil || seconds < 0 || seconds > 3600 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// sendOnce is one request. No redirect is followed.
func (h HTTPBackend) sendOnce(ctx context.Context, method, address string, body []byte, maxReplyBytes int64) (*httpReply, error) {
	limited, cancel := context.WithTimeout(ctx, httpRequestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, h.error("Invalid backend", h.backendArgumentFor(address)+" of the backend, or its method, cannot be used. Write "+
			"addresses as https://example.com/states/web, and methods as POST.")
	}
	if len(body) > 0 {
		sum := md5.Sum(body)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Content-MD5", base64.StdEncoding.EncodeToString(sum[:]))
	}
	if h.Username != "" || !h.Password.IsZero() {
		request.SetBasicAuth(h.Username, h.Password.Reveal())
	}
	response, err := h.Transport.RoundTrip(request)
	if err != nil {
		return nil, h.asNoReplyError(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	r := &httpReply{address: address, status: response.StatusCode, header: response.Header}
	if r.body, err = io.ReadAll(io.LimitReader(response.Body, maxReplyBytes+1)); err != nil {
		return nil, h.asNoReplyError(ctx, err)
	}
	if int64(len(r.body)) > maxReplyBytes {
		return nil, h.error("The reply is too large", fmt.Sprintf("The server at %s answers with more than %d KiB, which none of its "+
			"answers needs, not even one with the largest state that b2form stores there. Look whether %s is right.",
			visible.EscapeLine(displayURL(address)), maxReplyBytes>>10, h.backendArgumentFor(address)))
	}
	if sum := md5.Sum(r.body); r.header.Get("Content-MD5") != "" && r.succeeded() && len(r.body) > 0 &&
		r.header.Get("Content-MD5") != base64.StdEncoding.EncodeToString(sum[:]) {
		return nil, &noReplyError{"the reply does not have the Content-MD5 that it names"}
	}
	return r, nil
}

// A noReplyError says that a request got no answer; what came of it is not known.
type noReplyError struct{ reason string }

func (e *noReplyError) Error() string { return e.reason }

// asNoReplyError is the error of a request without an answer.
func (h HTTPBackend) asNoReplyError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without the address
	}
	why := reach.Diagnose(err)
	if why.Cause == reach.Unknown { // the words of Go's libraries are for developers
		why.Subject = "the connection failed, or what answers there does not speak HTTP"
	}
	return &noReplyError{h.scrubAndTruncate(why.Reason("the server"))}
}

// explainUnreachable turns the error of a request that was repeated in vain into one for people.
func (h HTTPBackend) explainUnreachable(address string, err error) error {
	u, ok := errors.AsType[*noReplyError](err)
	if !ok {
		return err
	}
	return h.error("The server of the state cannot be reached", fmt.Sprintf("%s does not answer: %s. Look whether %s is right "+
		"and the server runs, then run the same command again.", visible.EscapeLine(displayURL(address)), u.reason,
		h.backendArgumentFor(address)))
}

// scrubAndTruncate is what somebody else said, without the password, also as the header has it, and in
// one line.
func (h HTTPBackend) scrubAndTruncate(text string) string {
	if password := h.Password.Reveal(); password != "" {
		text = scrub.RemoveSecretKeepParts(text, h.Username+":"+password)
		text = scrub.RemoveSecretKeepParts(text, password)
	}
	return visible.EscapeTruncated(strings.TrimRight(text, ". \n"), maxQuoted)
}

// replyExcerptClause is what a server says beside its status, as the end of a sentence; "": nothing.
func (h HTTPBackend) replyExcerptClause(body []byte) string {
	text := strings.TrimSpace(string(body[:min(len(body), 4<<10)]))
	if text == "" {
		return ""
	}
	return fmt.Sprintf(" with the words \"%s\"", h.scrubAndTruncate(text))
}
