package conform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// What a run in a shared account does otherwise: its buckets and keys have
// names of their own, and are swept up.

var (
	// Names in bodies. What begins with a dollar sign is no name yet.
	bodyNameStart = regexp.MustCompile(`("(?:bucketName|keyName)"\s*:\s*"|"id"\s*:\s*"[^"]*"\s*,\s*"name"\s*:\s*")([^"$])`)
	// Names in paths.
	namePath = regexp.MustCompile(`^(/file/|/b2api/.*[?&]bucketName=)`)
)

// prefixNames puts the prefix before the names in a body.
func (r *run) prefixNames(body string) string {
	if r.NamePrefix == "" {
		return body
	}
	return bodyNameStart.ReplaceAllString(body, "${1}"+r.NamePrefix+"${2}")
}

// requestURL makes a URL of the path of a request.
func (r *run) requestURL(path string) string {
	switch {
	case !strings.HasPrefix(path, "/"):
		return path
	case r.NamePrefix == "" || strings.HasSuffix(path, "/b2_authorize_account"):
		return r.URL + path
	}
	path = namePath.ReplaceAllString(path, "${1}"+r.NamePrefix)
	if strings.HasPrefix(path, "/file/") || strings.Contains(path, "/b2_download_file_by_id") {
		return r.downloadURL + path
	}
	return r.apiURL + path
}

// removeForeignItems takes what is not ours out of a list of buckets or keys.
func (r *run) removeForeignItems(reply any) {
	object, ok := reply.(map[string]any)
	if !ok || r.NamePrefix == "" {
		return
	}
	for list, name := range map[string]string{"buckets": "bucketName", "keys": "keyName"} {
		if all, ok := object[list].([]any); ok {
			object[list] = slices.DeleteFunc(all, func(item any) bool {
				members, _ := item.(map[string]any)
				text, isText := members[name].(string)
				return isText && !strings.HasPrefix(text, r.NamePrefix)
			})
		}
	}
}

// Sweep deletes every key of the account whose name is one of ours, and every
// bucket, with all that is in it. Files under a compliance lock stay, and their
// buckets: the error says so.
func Sweep(ctx context.Context, s Subject, ours func(name string) bool) error {
	r := &run{Subject: s}
	if err := r.authorize(ctx, s.KeyID, s.Key); err != nil {
		return err
	}
	buckets, err := r.listOwned(ctx, "b2_list_buckets", `"bucketTypes":["all"]`, ours)
	failed := []error{err}
	for _, b := range buckets {
		if err := r.deleteBucketAndFiles(ctx, b.BucketID); err != nil {
			failed = append(failed, fmt.Errorf("sweep %s: %w", b.BucketName, err))
		}
	}
	keys, err := r.listOwned(ctx, "b2_list_keys", `"maxKeyCount":10000`, ours)
	failed = append(failed, err)
	for _, k := range keys {
		failed = append(failed, r.callMethod(ctx, "b2_delete_key", map[string]any{"applicationKeyId": k.ApplicationKeyID}))
	}
	return errors.Join(failed...)
}

// A bucketOrKey is a bucket or a key.
type bucketOrKey struct {
	BucketID, BucketName      string
	ApplicationKeyID, KeyName string
}

// listOwned lists buckets or keys that are ours.
func (r *run) listOwned(ctx context.Context, method, membersJSON string, ours func(string) bool) ([]bucketOrKey, error) {
	reply, err := r.post(ctx, method, fmt.Sprintf(`{"accountId":%q,%s}`, r.account, membersJSON))
	if err != nil {
		return nil, err
	}
	var all struct{ Buckets, Keys []bucketOrKey }
	if err := json.Unmarshal(reply, &all); err != nil {
		return nil, err
	}
	things := append(all.Buckets, all.Keys...)
	return slices.DeleteFunc(things, func(t bucketOrKey) bool { return !ours(t.BucketName + t.KeyName) }), nil
}

func (r *run) deleteBucketAndFiles(ctx context.Context, id string) error {
	for {
		reply, err := r.post(ctx, "b2_list_file_versions", fmt.Sprintf(`{"bucketId":%q,"maxFileCount":1000}`, id))
		if err != nil {
			return err
		}
		var page struct{ Files []fileVersion }
		if err := json.Unmarshal(reply, &page); err != nil {
			return err
		}
		if len(page.Files) == 0 {
			return r.callMethod(ctx, "b2_delete_bucket", map[string]any{"accountId": r.account, "bucketId": id})
		}
		for _, f := range page.Files {
			if err := r.sweepFile(ctx, f); err != nil {
				return err
			}
		}
	}
}

type fileVersion struct {
	Action, FileID, FileName string
	LegalHold                struct{ Value string }
}

func (r *run) sweepFile(ctx context.Context, f fileVersion) error {
	if f.Action == "start" {
		return r.callMethod(ctx, "b2_cancel_large_file", map[string]any{"fileId": f.FileID})
	}
	if f.LegalHold.Value == "on" {
		err := r.callMethod(ctx, "b2_update_file_legal_hold",
			map[string]any{"fileName": f.FileName, "fileId": f.FileID, "legalHold": "off"})
		if err != nil {
			return err
		}
	}
	return r.callMethod(ctx, "b2_delete_file_version", map[string]any{"fileName": f.FileName, "fileId": f.FileID, "bypassGovernance": true})
}

func (r *run) callMethod(ctx context.Context, method string, members map[string]any) error {
	body, err := json.Marshal(members)
	if err == nil {
		_, err = r.post(ctx, method, string(body))
	}
	return err
}

// post calls a method and wants it to succeed.
func (r *run) post(ctx context.Context, method, body string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, "POST", r.apiURL+"/b2api/v4/"+method, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", r.token)
	response, reply, err := r.send(request)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %s", method, response.StatusCode, reply)
	}
	return reply, err
}
