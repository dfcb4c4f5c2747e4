package b2

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"time"

	"b2form/schema/wire"
)

// The integration checklist of B2 asks for exponential back-off on 408, 429,
// 5xx and broken connections; these numbers are those of its own clients.
const (
	maxTries               = 8
	maxTriesBeforeAnyReply = 3 // while nothing has ever answered: rather a wrong address than bad luck
	firstWait              = time.Second
	growth                 = 1.5
	maxBackOff             = 64 * time.Second
	// shortestThrottle holds where a 429 comes without Retry-After.
	shortestThrottle = 5 * time.Second
	// maxRetryAfter is the longest Retry-After that is waited for.
	maxRetryAfter = 10 * time.Minute
)

// sendWithRetry repeats the request until it succeeds or nothing more can be done. The
// error is a *wire.Error.
func (c *Client) sendWithRetry(ctx context.Context, r *request, s *session) ([]byte, error) {
	uncertain, renewed := false, false
	for try := 1; ; try++ {
		body, f, wait := c.attemptOnce(ctx, r, s, try)
		if f == nil {
			return body, nil
		}
		uncertain = uncertain || r.changesData && f.mayHaveTakenEffect()
		if s != nil && !renewed && isTokenRefused(f.err) {
			renewed = true
			fresh, err := c.sessionCache.get(ctx, s, c.authorize)
			if err != nil {
				return nil, markOutcomeUnknown(err, uncertain)
			}
			s = fresh
			continue
		}
		if !c.shouldRetry(r, f, try) {
			c.explainDenial(f.err, r, s)
			return nil, markOutcomeUnknown(f.err, uncertain)
		}
		if wait == 0 {
			continue
		}
		if err := c.sleep(ctx, wait); err != nil {
			return nil, markOutcomeUnknown(cancelledError(r.method, err), uncertain)
		}
	}
}

// attemptOnce sends the request once, when the limiter allows it. The wait is what
// remains to the caller before another attempt; a pause that holds for everybody
// is left to the limiter.
func (c *Client) attemptOnce(ctx context.Context, r *request, s *session, try int) (reply []byte, f *failure, wait time.Duration) {
	epoch, err := c.limiter.acquireSlot(ctx)
	if err != nil {
		return nil, &failure{err: cancelledError(r.method, err), unsent: true, neverRetry: true}, 0
	}
	if f := runAttemptCheck(ctx, r.method); f != nil {
		c.limiter.releaseSlot()
		return nil, f, 0
	}
	place := c.counters.beginRequest(r.method, try)
	start := c.now()
	reply, f = c.sendOnce(ctx, r, s)
	took := c.now().Sub(start)
	c.counters.endRequest(place)
	if f == nil {
		c.limiter.releaseSucceeded()
		c.onAttempt(AttemptEvent{Method: r.method, AttemptNumber: try, Status: http.StatusOK, Took: took})
		return reply, nil, 0
	}
	wait = backOff(f.err, try)
	event := AttemptEvent{Method: r.method, AttemptNumber: try, Status: f.err.Status, Code: f.err.Code, Took: took}
	if f.err.Status == 0 {
		event.NoReplyReason = f.err.Message
	}
	if c.shouldRetry(r, f, try) {
		event.WaitBeforeRetry = wait
	}
	if f.err.Status == http.StatusTooManyRequests || f.err.Status == http.StatusServiceUnavailable {
		pause := wait
		if f.err.RetryAfter > maxRetryAfter {
			pause = 0 // nobody waits that long: each request shall fail and say so
		}
		c.limiter.releaseThrottled(epoch, pause)
		wait = 0
	} else {
		c.limiter.releaseSlot()
	}
	c.onAttempt(event)
	return nil, f, wait
}

// shouldRetry reports whether the request should be sent once more.
func (c *Client) shouldRetry(r *request, f *failure, try int) bool {
	tries := maxTries
	if !c.gotReply.Load() {
		tries = maxTriesBeforeAnyReply
	}
	switch {
	case f.neverRetry || try >= tries || f.replyStalled && try >= maxStalledTries || f.err.RetryAfter > maxRetryAfter:
		return false
	case f.unsent || f.err.Status == http.StatusTooManyRequests:
		return true // B2 has certainly not done it
	case f.err.Status == http.StatusNotImplemented:
		return false
	}
	return r.repeatable && f.mayHaveTakenEffect()
}

// backOff is the service's own wish, or else the exponential back-off with up
// to a quarter more or less, so that clients that failed together do not come
// back together.
func backOff(e *wire.Error, try int) time.Duration {
	if e.RetryAfter > 0 {
		return e.RetryAfter
	}
	wait := min(float64(firstWait)*math.Pow(growth, float64(try-1)), float64(maxBackOff))
	wait *= 0.75 + rand.Float64()/2
	if e.Status == http.StatusTooManyRequests {
		wait = max(wait, float64(shortestThrottle))
	}
	return time.Duration(wait)
}

// isTokenRefused tells an ended token from a refusal that a new token would meet
// again.
func isTokenRefused(e *wire.Error) bool {
	return e.Status == http.StatusUnauthorized && (e.Code == "expired_auth_token" || e.Code == "bad_auth_token")
}

// markOutcomeUnknown notes that the request may have taken effect. The error may be
// shared with other callers, so it is copied.
func markOutcomeUnknown(err error, uncertain bool) error {
	e, ok := errors.AsType[*wire.Error](err)
	if !ok || !uncertain {
		return err
	}
	marked := *e
	marked.OutcomeUnknown = true
	return &marked
}
