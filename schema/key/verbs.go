package key

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/tidwall/gjson"
	"github.com/tidwall/pretty"
	"golang.org/x/sync/errgroup"

	"b2form/schema/kind"
	"b2form/schema/wire"
)

// b2_list_keys returns at most pageSize keys at once. Pages that are too large are
// asked for again in smaller ones.
const (
	pageSize     = 10000
	smallestPage = 100

	// What is read of a listing: a million keys stay below.
	mostPages      = 1000
	maxListedBytes = 1 << 30
)

// list reads the keys through version 3, which lists every key but those for
// several buckets, and with scope.MultiBucket through version 4 as well, which lists
// those too. Of a key that both list it gives what either of them tells.
func list(ctx context.Context, api wire.API, scope kind.ListFilter) ([]wire.RawJSON, error) {
	if !scope.IncludeMultiBucketKeys {
		return listAllPages(ctx, api, "v3/b2_list_keys")
	}
	var v3, v4 []wire.RawJSON
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { v3, err = listAllPages(ctx, api, "v3/b2_list_keys"); return err })
	g.Go(func() (err error) { v4, err = listAllPages(ctx, api, "b2_list_keys"); return err })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return mergeAPIVersions(v3, v4)
}

// mergeAPIVersions puts two listings together. Each version may leave out of a key what only the
// other one has a member for: the bucket, or the several buckets, that it is limited to.
func mergeAPIVersions(v3Keys, v4Keys []wire.RawJSON) ([]wire.RawJSON, error) {
	at := make(map[string]int, len(v3Keys))
	for i, id := range keyIDs(v3Keys) {
		at[id] = i
	}
	for i, id := range keyIDs(v4Keys) {
		first, twice := at[id]
		if !twice {
			v3Keys = append(v3Keys, v4Keys[i])
			continue
		}
		both := nonEmptyMembers(v3Keys[first])
		maps.Copy(both, nonEmptyMembers(v4Keys[i]))
		raw, err := json.Marshal(both)
		if err != nil {
			return nil, err
		}
		v3Keys[first] = wire.RawJSON(raw)
	}
	return v3Keys, nil
}

// nonEmptyMembers are the members of a key that say something.
func nonEmptyMembers(key wire.RawJSON) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	gjson.Parse(string(key)).ForEach(func(name, value gjson.Result) bool {
		if value.Type != gjson.Null && value.Raw != "[]" {
			out[name.Str] = json.RawMessage(value.Raw)
		}
		return true
	})
	return out
}

func listAllPages(ctx context.Context, api wire.API, method string) ([]wire.RawJSON, error) {
	var all []wire.RawJSON
	var paging wire.PagingGuard
	in := map[string]any{"maxKeyCount": pageSize}
	for size, pages, bytes := pageSize, 0, 0; ; {
		var reply json.RawMessage
		err := api.Call(ctx, method, in, &reply)
		if errors.Is(err, wire.ErrReplyTooLarge) && size > smallestPage {
			size /= 10
			in["maxKeyCount"] = size
			continue
		}
		if err != nil {
			return nil, err
		}
		keys, next, ok := parsePage(reply)
		if !ok {
			return nil, wire.MisshapenReply(method)
		}
		all = append(all, keys...)
		if next == "" {
			return all, nil
		}
		if err := paging.Advance(method, next, keyIDs(keys)); err != nil {
			return nil, err
		}
		if pages, bytes = pages+1, bytes+len(reply); pages >= mostPages || bytes > maxListedBytes {
			return nil, &wire.ExplainedError{Summary: "The list of keys does not end", Detail: fmt.Sprintf("After %d pages with %d keys "+
				"it goes on, and b2form reads at most %d pages and %d MiB. Something other than B2 answers (B2_ENDPOINT, HTTPS_PROXY), or "+
				"the account holds more keys than fit: delete old ones with another program. (%s)", pages, len(all), mostPages,
				maxListedBytes>>20, method)}
		}
		in = map[string]any{"maxKeyCount": size, "startApplicationKeyId": next}
	}
}

func keyIDs(keys []wire.RawJSON) []string {
	out := make([]string, len(keys))
	for i, key := range keys {
		out[i] = gjson.Get(string(key), "applicationKeyId").Str
	}
	return out
}

// parsePage takes a reply of b2_list_keys apart: the keys, which share its memory, and
// where the next page begins, "" after the last one. A full page has megabytes,
// and this takes half of the time that encoding/json takes to copy the keys out.
func parsePage(reply json.RawMessage) (keys []wire.RawJSON, next string, ok bool) {
	if wire.FindTooDeep(reply, wire.MostNested) >= 0 || !gjson.ValidBytes(reply) {
		return nil, "", false
	}
	text := string(pretty.Ugly(reply)) // a third is white space
	var list, last gjson.Result
	gjson.Parse(text).ForEach(func(member, value gjson.Result) bool {
		switch member.Str {
		case "keys":
			list = value
		case "nextApplicationKeyId":
			last = value
		}
		return true
	})
	if !list.IsArray() || last.Type != gjson.String && last.Type != gjson.Null {
		return nil, "", false
	}
	list.ForEach(func(_, key gjson.Result) bool {
		keys = append(keys, wire.RawJSON(key.Raw))
		return true
	})
	return keys, last.Str, true
}

// create uses version 3 for no bucket or one: every client and the web console
// understand such a key. Several buckets exist only in version 4.
func create(ctx context.Context, c kind.VerbInput) (json.RawMessage, error) {
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

// remove deletes through the version that knows the key's buckets, and through the other
// where that one does not know it. A key that neither lists is gone; a listing that lags behind may show it for a while.
func remove(ctx context.Context, c kind.VerbInput) error {
	versions := []string{"v3/", ""}
	if ids, _ := c.Live["bucketIds"].([]any); len(ids) > 1 || ids != nil && c.Live["bucketId"] == nil {
		versions = []string{"", "v3/"}
	}
	delays := wire.ListingDelays()
	for _, version := range versions {
		err := c.API.Call(ctx, version+"b2_delete_key", map[string]any{"applicationKeyId": c.ID}, nil)
		var refused *wire.Error
		if err == nil || !errors.As(err, &refused) || refused.Status != 400 && !wire.IsGone(err) {
			return err
		}
		for {
			listed, unknown := isListed(ctx, c, version)
			if !listed && unknown == nil {
				break
			}
			if unknown != nil || c.Sleep == nil || len(delays) == 0 || c.Sleep(ctx, delays[0]) != nil {
				return err
			}
			delays = delays[1:]
		}
	}
	return nil
}

// isListed asks a version's listing for the one key.
func isListed(ctx context.Context, c kind.VerbInput, version string) (listed bool, err error) {
	var page struct {
		Keys []struct {
			ID string `json:"applicationKeyId"`
		}
	}
	in := map[string]any{"startApplicationKeyId": c.ID, "maxKeyCount": 1}
	err = c.API.Call(ctx, version+"b2_list_keys", in, &page)
	if err == nil && page.Keys == nil {
		err = wire.MisshapenReply(version + "b2_list_keys")
	}
	return len(page.Keys) > 0 && page.Keys[0].ID == c.ID, err
}
