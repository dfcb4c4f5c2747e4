package key

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"b2form/schema/kind"
)

// pageSize is the most that b2_list_keys returns at once.
const pageSize = 10000

// list reads the keys through version 3, which lists every key but those for
// several buckets, and with scope.Multi through version 4 as well, which lists
// those too. A key listed by both comes twice.
func list(ctx context.Context, api kind.API, scope kind.Scope) ([]json.RawMessage, error) {
	if !scope.Multi {
		return pages(ctx, api, "v3/b2_list_keys")
	}
	var v3, v4 []json.RawMessage
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { v3, err = pages(ctx, api, "v3/b2_list_keys"); return err })
	g.Go(func() (err error) { v4, err = pages(ctx, api, "b2_list_keys"); return err })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(v3, v4), nil
}

func pages(ctx context.Context, api kind.API, method string) ([]json.RawMessage, error) {
	var all []json.RawMessage
	in := map[string]any{"maxKeyCount": pageSize}
	for {
		var page struct {
			Keys                 []json.RawMessage
			NextApplicationKeyID *string `json:"nextApplicationKeyId"`
		}
		if err := api.Call(ctx, method, in, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Keys...)
		if page.NextApplicationKeyID == nil {
			return all, nil
		}
		in = map[string]any{"maxKeyCount": pageSize, "startApplicationKeyId": *page.NextApplicationKeyID}
	}
}

// create uses version 3 for no bucket or one: every client and the web console
// understand such a key. Several buckets exist only in version 4.
func create(ctx context.Context, c kind.Call) (json.RawMessage, error) {
	method, body := "v3/b2_create_key", maps.Clone(c.Body)
	if ids, _ := body["bucketIds"].([]any); len(ids) > 1 {
		method = "b2_create_key"
	} else if len(ids) == 1 {
		delete(body, "bucketIds")
		body["bucketId"] = ids[0]
	}
	var made json.RawMessage
	err := c.API.Call(ctx, method, body, &made)
	return made, err
}

// remove deletes through the version that lists the key, and through the other
// where that one does not know it. A key that neither lists is gone.
func remove(ctx context.Context, c kind.Call) error {
	versions := []string{"v3/", ""}
	if c.Live["bucketIds"] != nil {
		versions = []string{"", "v3/"}
	}
	for _, version := range versions {
		err := c.API.Call(ctx, version+"b2_delete_key", map[string]any{"applicationKeyId": c.ID}, nil)
		var refused *kind.Error
		if err == nil || !errors.As(err, &refused) || refused.Status != 400 {
			return err
		}
		if listed(ctx, c, version) {
			return err
		}
	}
	return nil
}

// listed asks a version's listing for the one key; true where it will not tell.
func listed(ctx context.Context, c kind.Call, version string) bool {
	var page struct {
		Keys []struct {
			ID string `json:"applicationKeyId"`
		}
	}
	in := map[string]any{"startApplicationKeyId": c.ID, "maxKeyCount": 1}
	err := c.API.Call(ctx, version+"b2_list_keys", in, &page)
	return err != nil || len(page.Keys) > 0 && page.Keys[0].ID == c.ID
}
