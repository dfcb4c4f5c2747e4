package b2

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/Backblaze/blazer/base"
	"golang.org/x/sync/errgroup"

	"b2form/schema/kind"
)

// This file is the seam between the session of this package and blazer, through
// which files are listed and deleted. Blazer cannot own the session: it
// authorizes on v3 of the API, which refuses keys for several buckets, and keeps
// what it learns to itself. So it gets a transport that answers its authorize
// call from our session and hands every other call to Client.send: one token,
// one limiter, one way to repeat and count. Nothing but this file imports
// blazer.

const (
	versionsPerPage   = 1000 // what one class C transaction pays for
	unfinishedPerPage = 100  // the documented maximum
)

// Empty implements [kind.Emptier]. It stops at the first file that cannot be
// deleted; what was deleted until then stays deleted. Files that somebody else
// deletes meanwhile are not an error and not counted.
func (c *Client) Empty(ctx context.Context, bucketID string, progress func(removed int)) (int, error) {
	s, err := c.sessions.get(ctx, nil, c.authorize)
	if err != nil {
		return 0, err
	}
	e := &emptying{client: c, progress: progress}
	err = e.call(ctx, func(ctx context.Context) error {
		e.bucket, err = blazerBucket(ctx, c, s, bucketID)
		return err
	})
	if err == nil {
		err = e.versions(ctx)
	}
	if err == nil {
		err = e.unfinished(ctx)
	}
	return e.removed, err
}

// blazerBucket makes blazer's handle of a bucket. Its only constructor lists
// buckets; the transport answers that too.
func blazerBucket(ctx context.Context, c *Client, s *session, bucketID string) (*base.Bucket, error) {
	root, err := base.AuthorizeAccount(ctx, "", "", base.SetAPIBase(s.apiURL), base.Transport(&seam{c, s, bucketID}))
	if err != nil {
		return nil, err
	}
	buckets, err := root.ListBuckets(ctx, "")
	if err != nil {
		return nil, err
	}
	return buckets[0], nil
}

// A seam is blazer's transport.
type seam struct {
	client   *Client
	session  *session
	bucketID string
}

func (m *seam) RoundTrip(req *http.Request) (*http.Response, error) {
	_, method, _ := strings.Cut(req.URL.Path, "/b2api/")
	_, name, _ := strings.Cut(method, "/")
	rec, ok := req.Context().Value(recordKey{}).(*record)
	if !ok {
		rec = &record{}
	}
	rec.method = name
	switch name {
	case methodAuthorize:
		storage := map[string]any{"apiUrl": m.session.apiURL, "downloadUrl": m.session.account.DownloadURL}
		return reply(map[string]any{ // the token stays here: blazer may log what it gets
			"accountId": m.session.account.ID, "authorizationToken": "-", "apiInfo": map[string]any{"storageApi": storage},
		})
	case "b2_list_buckets":
		return reply(map[string]any{"buckets": []any{map[string]any{"bucketId": m.bucketID}}})
	}
	in, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	var out json.RawMessage
	if err := m.client.Call(req.Context(), method, json.RawMessage(in), &out); err != nil {
		rec.err = err
		return nil, err
	}
	return reply(out)
}

func reply(body any) (*http.Response, error) {
	encoded, err := json.Marshal(body)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(encoded))}, err
}

// A record keeps what blazer drops: it turns every error into a text. It
// travels in the context of the call, under recordKey.
type record struct {
	method string
	err    error
}

type recordKey struct{}

// An emptying is one run of Empty.
type emptying struct {
	client   *Client
	bucket   *base.Bucket
	progress func(int)

	mu      sync.Mutex
	removed int
}

// call runs one call of blazer and returns its error as a *kind.Error.
func (e *emptying) call(ctx context.Context, f func(context.Context) error) error {
	var rec record
	err := f(context.WithValue(ctx, recordKey{}, &rec))
	if err != nil && rec.err == nil {
		return &kind.Error{Method: rec.method, Status: http.StatusOK,
			Message: "the reply does not have the documented shape", Cause: shapeError(err)}
	}
	return rec.err
}

func (e *emptying) versions(ctx context.Context) error {
	for name, id := "", ""; ; {
		var page []*base.File
		err := e.call(ctx, func(ctx context.Context) (err error) {
			page, name, id, err = e.bucket.ListFileVersions(ctx, versionsPerPage, name, id, "", "")
			return err
		})
		if err == nil {
			err = e.removeAll(ctx, page)
		}
		if err != nil || name == "" {
			return err
		}
	}
}

func (e *emptying) unfinished(ctx context.Context) error {
	for next := ""; ; {
		var page []*base.File
		err := e.call(ctx, func(ctx context.Context) (err error) {
			page, next, err = e.bucket.ListUnfinishedLargeFiles(ctx, unfinishedPerPage, next)
			return err
		})
		if err == nil {
			err = e.removeAll(ctx, page)
		}
		if err != nil || next == "" {
			return err
		}
	}
}

// removeAll deletes the files in parallel. After an error no further deletion
// starts, but those under way end, so that the count is right.
func (e *emptying) removeAll(ctx context.Context, files []*base.File) error {
	group, started := errgroup.WithContext(ctx)
	group.SetLimit(e.client.parallelism)
	for _, file := range files {
		group.Go(func() error {
			if started.Err() != nil {
				return nil
			}
			return e.remove(ctx, file)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return cancelled("b2_delete_file_version", err)
	}
	return nil
}

func (e *emptying) remove(ctx context.Context, file *base.File) error {
	err := e.call(ctx, func(ctx context.Context) error {
		if file.Status == "start" {
			return file.AsLargeFile().CancelLargeFile(ctx)
		}
		return file.DeleteFileVersion(ctx)
	})
	if refusal, ok := errors.AsType[*kind.Error](err); ok {
		if !alreadyGone(refusal) {
			named := *refusal
			named.Message = fmt.Sprintf("file %q: %s", file.Name, refusal.Message)
			return &named
		}
		if !refusal.Unknown { // gone, and not by an attempt of ours whose reply was lost
			return nil
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.removed++
	if e.progress != nil {
		e.progress(e.removed)
	}
	return nil
}

// alreadyGone reports whether a deletion failed because there is nothing left
// to delete. Cancelling a large file that is no longer unfinished is a plain
// bad_request; its ID came from B2's own list, so nothing else can be bad.
func alreadyGone(e *kind.Error) bool {
	return e.Code == "file_not_present" || e.Code == "no_such_file" ||
		e.Code == "bad_request" && e.Method == "b2_cancel_large_file"
}
