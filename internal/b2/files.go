package b2

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"b2form/schema/wire"
)

// This file moves content that is held in memory.

// uploadTries bounds how many upload URLs are tried for one file; B2 asks for
// five ("Uploading Files").
const uploadTries = 5

const methodDownload = "b2_download_file_by_id"

// Upload stores content as a new version of the file and returns its ID. B2
// has no condition for uploads: after an unknown outcome the content is sent
// again, so there may be two versions with the same content, of which the
// returned one exists. Errors are *wire.Error.
func (c *Client) Upload(ctx context.Context, bucketID, name, contentType string, content []byte) (fileID string, err error) {
	u := wire.Upload{BucketID: bucketID, Name: name, ContentType: contentType, Payload: wire.TextPayload(string(content))}
	for try := 1; ; try++ {
		reply, err := c.Put(ctx, u)
		if err == nil {
			return parseFileID(reply)
		}
		refused, ok := errors.AsType[*wire.Error](err)
		if !ok || ctx.Err() != nil || try == uploadTries || !refused.OutcomeUnknown {
			return "", err
		}
		if err := c.sleep(ctx, backOff(refused, try)); err != nil {
			return "", cancelledError(methodUpload, err)
		}
	}
}

func parseFileID(reply []byte) (string, error) {
	var made struct{ FileID string }
	if err := json.Unmarshal(reply, &made); err != nil || made.FileID == "" {
		return "", &wire.Error{Method: methodUpload, Status: http.StatusOK, OutcomeUnknown: true,
			Message: "the reply does not have the documented shape", Cause: jsonShapeError(err)}
	}
	return made.FileID, nil
}

// Download returns the content of a file version, also of one that is hidden. size is what
// was stored, in bytes: no more is read; 0: it is not known.
// What arrives is compared with the SHA-1 that B2 keeps, and fetched again if it
// differs. Errors are *wire.Error.
func (c *Client) Download(ctx context.Context, fileID string, sizeIfKnown int64) ([]byte, error) {
	s, err := c.sessionCache.get(ctx, nil, c.authorize)
	if err != nil {
		return nil, err
	}
	r := &request{method: methodDownload, repeatable: true, downloadSizeIfKnown: sizeIfKnown, checkNonJSONReply: checkSHA1}
	r.buildHTTP = func(ctx context.Context, s *session) (*http.Request, error) {
		target := strings.TrimRight(s.account.DownloadURL, "/") + "/b2api/" + apiVersion + "/" + methodDownload + "?fileId=" +
			url.QueryEscape(fileID)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", s.token())
		return req, nil
	}
	return c.sendWithRetry(ctx, r, s)
}

// checkSHA1 compares a download with its digest. A large file has none.
func checkSHA1(resp *http.Response, body []byte) error {
	want := resp.Header.Get("X-Bz-Content-Sha1")
	sum := sha1.Sum(body)
	if len(want) == hex.EncodedLen(len(sum)) && want != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("the content was damaged on its way: %w", io.ErrUnexpectedEOF)
	}
	return nil
}

// ServiceTime compares B2's clock with ours: a successful reply said service in its
// Date header, in whole seconds, and its request was sent at sent. So B2's clock
// stood at service+1s or earlier when ours stood at sent. Of all replies it is
// the one with the latest service; both are zero before the first.
func (c *Client) ServiceTime() (service, sent time.Time) {
	c.clock.mu.Lock()
	defer c.clock.mu.Unlock()
	return c.clock.serviceTime, c.clock.sentAt
}

// ProvenServiceClockAhead is by how much B2's clock is ahead of ours, as that same reply proves at least; 0
// where both may be right, or before the first reply.
func (c *Client) ProvenServiceClockAhead() time.Duration {
	c.clock.mu.Lock()
	defer c.clock.mu.Unlock()
	if c.clock.serviceTime.IsZero() {
		return 0
	}
	least, most := c.clock.serviceTime.Sub(c.clock.receivedAt), c.clock.serviceTime.Add(time.Second).Sub(c.clock.sentAt)
	return max(least, min(most, 0))
}

// A serviceClock is what replies have told of B2's time. Replies may arrive in another
// order than they were written in.
type serviceClock struct {
	mu                              sync.Mutex
	serviceTime, sentAt, receivedAt time.Time
}

// most is how far a Date may be off; one that is not believed reports false, and is not taken.
func (k *serviceClock) updateFromDateHeader(resp *http.Response, sent, received time.Time, most time.Duration) (at time.Time,
	believed bool) {
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return at, true
	}
	if at.Before(sent.Add(-most)) || at.After(received.Add(most)) {
		return at, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if at.After(k.serviceTime) || at.Equal(k.serviceTime) && sent.After(k.sentAt) {
		k.serviceTime, k.sentAt, k.receivedAt = at, sent, received
	}
	return at, true
}

// allowedClockDifference is how far B2's clock may differ from ours. Keys expire and rotate by it, so nothing is done by one that cannot be
// right. Whoever runs an emulator on this machine may move its clock by years.
func (c *Client) allowedClockDifference() time.Duration {
	const year = 365 * 24 * time.Hour
	if u, err := url.Parse(c.endpoint); err == nil && isLoopback(u.Hostname()) {
		return 100 * year
	}
	return year
}

type attemptCheckKey struct{}

// WithAttemptCheck has check asked before every single attempt at a request, repeats
// included, that is made with the context it returns. If check fails, nothing is
// sent, and its error is the Cause of the request's *wire.Error. check must not
// use the client.
func WithAttemptCheck(ctx context.Context, check func() error) context.Context {
	return context.WithValue(ctx, attemptCheckKey{}, check)
}

// runAttemptCheck asks the check of the context, if it has one.
func runAttemptCheck(ctx context.Context, method string) *failure {
	check, ok := ctx.Value(attemptCheckKey{}).(func() error)
	if !ok {
		return nil
	}
	err := check()
	if err == nil {
		return nil
	}
	return &failure{unsent: true, neverRetry: true, err: &wire.Error{Method: method, Message: err.Error(), Cause: err}}
}
