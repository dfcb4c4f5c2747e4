package b2

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/Backblaze/blazer/base"
	"golang.org/x/sync/errgroup"

	"b2form/schema/wire"
)

const (
	versionsPerPage   = 1000 // what one class C transaction pays for
	unfinishedPerPage = 100  // the documented maximum
)

// Empty implements [wire.BucketEmptier]. It stops at the first file that cannot be
// deleted; what was deleted until then stays deleted. Files that somebody else
// deletes meanwhile are not an error and not counted.
func (c *Client) Empty(ctx context.Context, bucketID string, progress func(removed int)) (removed int, err error) {
	e := &purgeRun{client: c, progress: progress}
	err = e.openBucket(ctx, bucketID)
	if err == nil {
		err = e.removeVersions(ctx)
	}
	if err == nil {
		err = e.cancelUnfinishedFiles(ctx)
	}
	return e.removed, err
}

// Purge implements [wire.FileStore]. It stops as Empty does.
func (c *Client) Purge(ctx context.Context, bucketID, name string, progress func(removed int)) (removed int, err error) {
	e := &purgeRun{client: c, onlyFileName: name, progress: progress}
	err = e.openBucket(ctx, bucketID)
	if err == nil {
		err = e.removeVersions(ctx)
	}
	return e.removed, err
}

// A purgeRun is one run of Empty or Purge.
type purgeRun struct {
	client       *Client
	onlyFileName string // only versions of the file with this name; "": everything
	bucket       *base.Bucket
	progress     func(int)

	mu      sync.Mutex
	removed int
}

func (e *purgeRun) openBucket(ctx context.Context, bucketID string) error {
	s, err := e.client.sessionCache.get(ctx, nil, e.client.authorize)
	if err != nil {
		return err
	}
	return e.callBlazer(ctx, func(ctx context.Context) error {
		e.bucket, err = (&blazerTransport{client: e.client, session: s, bucketID: bucketID}).openBucket(ctx)
		return err
	})
}

func (e *purgeRun) callBlazer(ctx context.Context, f func(context.Context) error) error {
	return viaBlazer(ctx, &blazerCall{}, f)
}

// removeVersions removes what is listed. Versions of one file are listed together, and
// before those of files whose names go on after it.
func (e *purgeRun) removeVersions(ctx context.Context) error {
	var paging wire.PagingGuard
	for name, id := e.onlyFileName, ""; ; {
		var page []*base.File
		err := e.callBlazer(ctx, func(ctx context.Context) (err error) {
			page, name, id, err = e.bucket.ListFileVersions(ctx, versionsPerPage, name, id, e.onlyFileName, "")
			return err
		})
		if err == nil && name != "" {
			err = paging.Advance("b2_list_file_versions", name+"\x00"+id, fileIDs(page))
		}
		if e.onlyFileName != "" {
			page = slices.DeleteFunc(page, func(f *base.File) bool { return f.Name != e.onlyFileName })
		}
		if err == nil {
			err = e.removeAll(ctx, page)
		}
		if err != nil || name == "" || e.onlyFileName != "" && name != e.onlyFileName {
			return err
		}
	}
}

func (e *purgeRun) cancelUnfinishedFiles(ctx context.Context) error {
	var paging wire.PagingGuard
	for next := ""; ; {
		var page []*base.File
		err := e.callBlazer(ctx, func(ctx context.Context) (err error) {
			page, next, err = e.bucket.ListUnfinishedLargeFiles(ctx, unfinishedPerPage, next)
			return err
		})
		if err == nil && next != "" {
			err = paging.Advance("b2_list_unfinished_large_files", next, fileIDs(page))
		}
		if err == nil {
			err = e.removeAll(ctx, page)
		}
		if err != nil || next == "" {
			return err
		}
	}
}

func fileIDs(files []*base.File) []string {
	ids := make([]string, len(files))
	for i, f := range files {
		ids[i] = f.ID
	}
	return ids
}

// removeAll deletes the files in parallel. After an error no further deletion
// starts, but those under way end, so that the count is right.
func (e *purgeRun) removeAll(ctx context.Context, files []*base.File) error {
	group, started := errgroup.WithContext(ctx)
	group.SetLimit(e.client.parallelism)
	for _, file := range files {
		group.Go(func() error {
			if started.Err() != nil {
				return nil
			}
			return e.removeFile(ctx, file)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return cancelledError("b2_delete_file_version", err)
	}
	return nil
}

func (e *purgeRun) removeFile(ctx context.Context, file *base.File) error {
	err := e.callBlazer(ctx, func(ctx context.Context) error {
		if file.Status == "start" {
			return file.AsLargeFile().CancelLargeFile(ctx)
		}
		return file.DeleteFileVersion(ctx)
	})
	if refusal, ok := errors.AsType[*wire.Error](err); ok {
		if !alreadyGone(refusal) {
			named := *refusal
			named.Message = fmt.Sprintf("file %q: %s", file.Name, refusal.Message)
			return &named
		}
		if !refusal.OutcomeUnknown { // gone, and not by an attempt of ours whose reply was lost
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
func alreadyGone(e *wire.Error) bool {
	return wire.IsGone(e) || e.Code == "bad_request" && e.Method == "b2_cancel_large_file"
}
