package bucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"b2form/schema/kind"
	"b2form/schema/wire"
)

// listAllowedBuckets reads all buckets in one call. A key that is limited to some buckets
// must name one per call ("b2_list_buckets", restricted keys).
func listAllowedBuckets(ctx context.Context, api wire.API, scope kind.ListFilter) ([]wire.RawJSON, error) {
	allowed := scope.Account.AllowedBuckets
	if allowed == nil {
		return listBuckets(ctx, api, map[string]any{"bucketTypes": []string{"all"}})
	}
	parts := make([][]wire.RawJSON, len(allowed))
	g, ctx := errgroup.WithContext(ctx)
	for i, b := range allowed {
		if b.Name == "" {
			continue // deleted; B2 would not answer for it
		}
		g.Go(func() (err error) {
			parts[i], err = listBuckets(ctx, api, map[string]any{"bucketTypes": []string{"all"}, "bucketId": b.ID})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(parts...), nil
}

func listBuckets(ctx context.Context, api wire.API, in map[string]any) ([]wire.RawJSON, error) {
	var out struct{ Buckets []wire.RawJSON }
	err := api.Call(ctx, "b2_list_buckets", in, &out)
	if err == nil && out.Buckets == nil {
		err = wire.MisshapenReply("b2_list_buckets")
	}
	return out.Buckets, err
}

func create(ctx context.Context, c kind.VerbInput) (json.RawMessage, error) {
	var made json.RawMessage
	err := c.API.Call(ctx, "b2_create_bucket", c.Body, &made)
	return made, err
}

// update sends what changed, guarded by the revision that was planned from.
func update(ctx context.Context, c kind.VerbInput) (json.RawMessage, error) {
	body := map[string]any{"bucketId": c.ID, "ifRevisionIs": c.Live["revision"]}
	for k, v := range c.Body {
		body[k] = v
	}
	keepReservedInfo(body, c.Live)
	var out json.RawMessage
	err := c.API.Call(ctx, "b2_update_bucket", body, &out)
	return out, err
}

// checkHoldsNoState refuses to delete a bucket in which a state is, in use or not.
func checkHoldsNoState(live map[string]any) *wire.ExplainedError {
	if !holdsState(live) {
		return nil
	}
	return wire.Explainedf("Bucket holds a state",
		"The bucket holds a state of b2form, so it is not deleted. Move that state elsewhere first, "+
			"with `b2form state migrate` in the folder of its configuration; or use `b2form state rm` to stop managing the bucket.")
}

func remove(ctx context.Context, c kind.VerbInput) error {
	if err := checkHoldsNoState(c.Live); err != nil {
		return err
	}
	removed := 0
	if emptier, ok := c.API.(wire.BucketEmptier); ok && c.Force {
		var err error
		if removed, err = emptier.Empty(ctx, c.ID, c.Progress); err != nil && !wire.IsGone(err) {
			return err
		}
	}
	err := c.API.Call(ctx, "b2_delete_bucket", map[string]any{"bucketId": c.ID}, nil)
	var refused *wire.Error
	switch {
	case err == nil || wire.IsGone(err):
		return nil
	case errors.As(err, &refused) && refused.Code == "cannot_delete_non_empty_bucket":
		return refusedNotEmptyError(ctx, c, removed, refused)
	}
	return err
}

func countVersions(ctx context.Context, api wire.API, id string, most int, now time.Time) (wire.ContentsCount, error) {
	return wire.CountVersions(ctx, api, id, "", most, now)
}

// refusedNotEmptyError says how much the bucket holds, as far as one request tells, and with Force what was removed before.
func refusedNotEmptyError(ctx context.Context, c kind.VerbInput, removed int, refused *wire.Error) error {
	holds := "file versions, hide markers or unfinished large files"
	if n, err := countVersions(ctx, c.API, c.ID, wire.VersionsPerPage, time.Time{}); err == nil && n.Versions > 0 {
		holds = n.String()
	}
	e := notEmptyError(holds)
	if c.Force {
		e.Summary = "Bucket is not empty any more"
		e.Detail = fmt.Sprintf("Everything that B2 listed in the bucket was deleted (versions: %d), and then it held %s, so B2 did not "+
			"delete it: something was uploaded meanwhile, or listed late. Stop what uploads to it, and run again.", removed, holds)
	} else {
		e.Detail += " Nothing in it was removed."
	}
	e.Cause = refused
	return e
}

func notEmptyError(holds string) *wire.ExplainedError {
	return wire.Explainedf("Bucket is not empty",
		"The bucket holds %s, so B2 does not delete it. To delete them all with the bucket, set force_destroy = "+
			"true in its block; where the block is gone, write a removed block with destroy = true and force_destroy = true. To keep "+
			"the bucket and only stop managing it, use `b2form state rm`.", holds)
}
