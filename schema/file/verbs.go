package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"b2form/schema/kind"
	"b2form/schema/wire"
)

// onePage is what one Class C transaction pays for in a listing.
const onePage = 1000

// listWanted looks for the files of interest, bucket by bucket. Names in one bucket are
// often near each other, so pages are listed from the first name on as long as they
// bring many; the rest is asked for one by one. So there is never more than one
// request for each file.
func listWanted(ctx context.Context, api wire.API, scope kind.ListFilter) ([]wire.RawJSON, error) {
	names := map[string][]string{}
	var buckets []string
	for _, id := range scope.WantedChildIDs {
		bucketID, name, _ := strings.Cut(id, "/")
		if prefix := scope.Account.NamePrefix; !strings.HasPrefix(name, prefix) {
			return nil, &wire.ExplainedError{Summary: "File is outside what the credentials may use",
				Detail: fmt.Sprintf("The credentials in use are limited to file names that start with %s, so b2form cannot see whether "+
					"%q exists. Use a key without that limit.", wire.QuoteB2Text(prefix), name)}
		}
		if names[bucketID] == nil {
			buckets = append(buckets, bucketID)
		}
		names[bucketID] = append(names[bucketID], name)
	}
	slices.Sort(buckets)
	found := make([][]wire.RawJSON, len(buckets))
	g, ctx := errgroup.WithContext(ctx)
	for i, bucketID := range buckets {
		g.Go(func() (err error) {
			found[i], err = findFiles(ctx, api, bucketID, slices.Sorted(slices.Values(names[bucketID])))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

// minUsefulPerPage is how many files of interest a page must bring to be better than asking
// for as many by their names at once.
const minUsefulPerPage = 10

// findFiles finds the files with these names, which are sorted, in one bucket. A file
// whose newest version hides it is not there.
func findFiles(ctx context.Context, api wire.API, bucketID string, names []string) (found []wire.RawJSON, err error) {
	names = slices.Compact(names)
	for brought := minUsefulPerPage; len(names) > 1 && brought >= minUsefulPerPage; {
		page, err := listFileNames(ctx, api, bucketID, names[0], commonPrefix(names), onePage)
		if err != nil {
			return nil, err
		}
		found = append(found, page.uploadsNamed(names)...)
		if page.NextFileName == nil { // names are listed in the order of their bytes
			return found, nil
		}
		brought, _ = slices.BinarySearch(names, *page.NextFileName)
		names = names[brought:]
	}
	single := make([][]wire.RawJSON, len(names))
	g, ctx := errgroup.WithContext(ctx)
	for i, name := range names {
		g.Go(func() (err error) {
			single[i], err = findFile(ctx, api, bucketID, name)
			return err
		})
	}
	err = g.Wait()
	return append(found, slices.Concat(single...)...), err
}

// findFile finds the file with this name, if it is there. An empty page that names a next one does not tell
// that it is not: B2 may give such pages, and says by the next name how far it looked.
func findFile(ctx context.Context, api wire.API, bucketID, name string) ([]wire.RawJSON, error) {
	var paging wire.PagingGuard
	for start := name; ; {
		page, err := listFileNames(ctx, api, bucketID, start, name, 1)
		if err != nil {
			return nil, err
		}
		found := page.uploadsNamed([]string{name})
		if len(found) > 0 || page.NextFileName == nil || *page.NextFileName > name {
			return found, nil
		}
		start = *page.NextFileName
		if err := paging.Advance("b2_list_file_names", start, nil); err != nil {
			return nil, err
		}
	}
}

// commonPrefix is what all names begin with, which are sorted. Credentials that are
// limited to a prefix must ask for no more than that.
func commonPrefix(sortedNames []string) string {
	first, last := sortedNames[0], sortedNames[len(sortedNames)-1]
	n := 0
	for n < min(len(first), len(last)) && first[n] == last[n] {
		n++
	}
	for n > 0 && n < len(first) && !utf8.RuneStart(first[n]) {
		n--
	}
	return first[:n]
}

type page struct {
	Files        []fileVersion
	NextFileName *string
	NextFileID   *string
}

func listFileNames(ctx context.Context, api wire.API, bucketID, start, prefix string, count int) (page, error) {
	in := map[string]any{"bucketId": bucketID, "prefix": prefix, "maxFileCount": count}
	if start != "" {
		in["startFileName"] = start
	}
	return listPageOrEmpty(ctx, api, "b2_list_file_names", in)
}

func listPageOrEmpty(ctx context.Context, api wire.API, method string, in map[string]any) (page, error) {
	var out page
	err := api.Call(ctx, method, in, &out)
	if wire.IsNoSuchBucket(err) {
		return page{}, nil
	}
	if err == nil && out.Files == nil {
		err = wire.MisshapenReply(method)
	}
	return out, err
}

// listBucketFiles lists the files of a bucket by name, or their versions with the newest of
// each first. Versions that only hide a file, and uploads that are not finished, are
// passed over. B2 gives up to 10,000 in one page ("b2_list_file_names").
func listBucketFiles(ctx context.Context, api wire.API, bucketID string, l kind.ChildListQuery) (list []wire.RawJSON, folders []string,
	more bool,
	err error) {
	method, in := "b2_list_file_names", map[string]any{"bucketId": bucketID, "prefix": l.Prefix}
	if l.EarlierVersionsToo {
		method = "b2_list_file_versions"
	}
	if l.Delimiter != "" {
		in["delimiter"] = l.Delimiter
	}
	var paging wire.PagingGuard
	for {
		in["maxFileCount"] = l.Limit - len(list) - len(folders)
		page, err := listPageOrEmpty(ctx, api, method, in)
		if err != nil {
			return nil, nil, false, err
		}
		var ids []string
		for _, v := range page.Files {
			ids = append(ids, v.FileName+"\x00"+v.FileID)
			switch v.Action {
			case "upload":
				list = append(list, v.normalizedFileObject())
			case "folder":
				folders = append(folders, v.FileName)
			}
		}
		if page.NextFileName == nil || len(list)+len(folders) >= l.Limit {
			return list, folders, page.NextFileName != nil, nil
		}
		marker := *page.NextFileName
		in["startFileName"] = marker
		if l.EarlierVersionsToo && page.NextFileID != nil {
			in["startFileId"], marker = *page.NextFileID, marker+"\x00"+*page.NextFileID
		}
		if err := paging.Advance(method, marker, ids); err != nil {
			return nil, nil, false, err
		}
	}
}

// uploadsNamed gives those of the files that have one of the names, which are sorted.
func (p page) uploadsNamed(sortedNames []string) []wire.RawJSON {
	var out []wire.RawJSON
	for _, v := range p.Files {
		if _, ok := slices.BinarySearch(sortedNames, v.FileName); ok && v.Action == "upload" {
			out = append(out, v.normalizedFileObject())
		}
	}
	return out
}

// A fileVersion is what B2 answers of one, as far as it matters here.
type fileVersion struct {
	Action          string            `json:"action,omitempty"`
	BucketIDAndName string            `json:"id"` // of the file: ours
	BucketID        string            `json:"bucketId"`
	FileName        string            `json:"fileName"`
	FileID          string            `json:"fileId"`
	ContentLength   int64             `json:"contentLength"`
	ContentSHA1     *string           `json:"contentSha1"`
	ContentType     string            `json:"contentType"`
	FileInfo        map[string]string `json:"fileInfo"`
	UploadTimestamp int64             `json:"uploadTimestamp"`
	Encryption      *encryptionReply  `json:"serverSideEncryption,omitempty"` // nil: not answered
}

// An encryptionReply is how a version is encrypted; both null: not at all.
type encryptionReply struct {
	Mode      *string `json:"mode"`
	Algorithm *string `json:"algorithm"`
}

// normalizedFileObject is the file whose current version this is. Of a file that was uploaded in
// parts B2 knows no SHA-1, but who did so may have told ("b2_start_large_file");
// one that nobody vouched for is marked.
func (v fileVersion) normalizedFileObject() wire.RawJSON {
	v.Action, v.BucketIDAndName = "", v.BucketID+"/"+v.FileName
	sum := ""
	if v.ContentSHA1 != nil {
		sum = strings.TrimPrefix(*v.ContentSHA1, "unverified:")
	}
	if !isSHA1(sum) {
		sum = strings.ToLower(v.FileInfo[largeSHA1])
	}
	v.ContentSHA1 = &sum
	if !isSHA1(sum) {
		v.ContentSHA1 = nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers can be written
	}
	return wire.RawJSON(raw)
}

func create(ctx context.Context, c kind.VerbInput) (json.RawMessage, error) {
	if err := c.Payload.VerifyUnchanged(); err != nil {
		return nil, err
	}
	return upload(ctx, c)
}

// uploadTries is how often an upload is sent whose outcome was unknown.
const uploadTries = 3

// update makes a new version, with the same content where that is to stay though
// the configuration has another. After an unknown outcome it looks first, so that
// no version is made twice.
func update(ctx context.Context, c kind.VerbInput) (json.RawMessage, error) {
	send := upload
	if c.Payload.SHA1 != c.Body["contentSha1"] {
		send = copyLiveContent
	} else if err := c.Payload.VerifyUnchanged(); err != nil {
		return nil, err
	}
	bucketID, name := stringOrEmpty(c.Body["bucketId"]), stringOrEmpty(c.Body["fileName"])
	for try := 1; ; try++ {
		raw, err := send(ctx, c)
		var lost *wire.Error
		if err == nil || !errors.As(err, &lost) || !lost.OutcomeUnknown || try == uploadTries {
			return raw, err
		}
		found, lookErr := findFiles(ctx, c.API, bucketID, []string{name})
		if lookErr != nil {
			return nil, errors.Join(err, lookErr)
		}
		for _, raw := range found {
			var now fileVersion
			if err := json.Unmarshal([]byte(raw), &now); err == nil && now.FileID != c.Live["fileId"] {
				return json.RawMessage(raw), nil // the caller compares it with what was to be made
			}
		}
	}
}

func upload(ctx context.Context, c kind.VerbInput) (json.RawMessage, error) {
	files, ok := c.API.(wire.FileStore)
	if !ok {
		return nil, fmt.Errorf("the way to B2 takes no files")
	}
	u := wire.Upload{BucketID: stringOrEmpty(c.Body["bucketId"]), Name: stringOrEmpty(c.Body["fileName"]),
		ContentType: stringOrEmpty(c.Body["contentType"]), Info: map[string]string{}, Payload: c.Payload}
	if wanted := findRequestedSSEB2(c); wanted != nil {
		u.SSEB2Algorithm = stringOrEmpty(wanted["algorithm"])
	}
	if u.ContentType == "" {
		u.ContentType = autoType
	}
	info, _ := c.Body["fileInfo"].(map[string]any)
	for key, value := range info {
		u.Info[key] = stringOrEmpty(value)
	}
	raw, err := files.Put(ctx, u)
	if refused, ok := errors.AsType[*wire.Error](err); ok && refused.Status == 400 {
		if changed := c.Payload.VerifyUnchanged(); changed != nil { // while it was sent: what B2 got has another SHA-1
			return nil, changed
		}
	}
	if err != nil {
		return nil, err
	}
	var v fileVersion
	if json.Unmarshal(raw, &v) != nil {
		err := wire.MisshapenReply("b2_upload_file")
		err.OutcomeUnknown = true
		return nil, err
	}
	return json.RawMessage(v.normalizedFileObject()), nil
}

// findRequestedSSEB2 is the encryption that B2 is to be asked for; nil: none.
func findRequestedSSEB2(c kind.VerbInput) map[string]any {
	wanted, _ := c.Body["serverSideEncryption"].(map[string]any)
	if wanted["mode"] != sseB2 { // an SSE-C that was left as it is cannot be asked for without its key
		return nil
	}
	return wanted
}

// copyLiveContent makes a version of the live content, which never leaves B2. What was told of
// that content goes with it.
func copyLiveContent(ctx context.Context, c kind.VerbInput) (json.RawMessage, error) {
	if now, _ := c.Live["serverSideEncryption"].(map[string]any); now["mode"] == sseC {
		return nil, &wire.ExplainedError{Summary: "File cannot be copied without its key",
			Detail: "A program encrypted this file with a key of its own (SSE-C), without which B2 does not copy it, and its content " +
				"is to stay as it is. Have that program make the change, or let the content be uploaded: take content, source and sha1 " +
				"out of ignore_changes."}
	}
	info := map[string]any{}
	live, _ := c.Live["fileInfo"].(map[string]any)
	for _, key := range clientInfoKeys() {
		if v, has := live[key]; has && key != ownKeyID {
			info[key] = v
		}
	}
	given, _ := c.Body["fileInfo"].(map[string]any)
	maps.Copy(info, given)
	in := map[string]any{
		"sourceFileId": c.Live["fileId"], "fileName": c.Body["fileName"],
		"metadataDirective": "REPLACE", "contentType": c.Body["contentType"], "fileInfo": info,
	}
	if wanted := findRequestedSSEB2(c); wanted != nil {
		in["destinationServerSideEncryption"] = wanted
	}
	var v fileVersion
	if err := c.API.Call(ctx, "b2_copy_file", in, &v); err != nil {
		return nil, err
	}
	return json.RawMessage(v.normalizedFileObject()), nil
}

func stringOrEmpty(v any) string {
	s, _ := v.(string)
	return s
}

// hideOrDeleteVersions hides the file, or with Force deletes all its versions.
func hideOrDeleteVersions(ctx context.Context, c kind.VerbInput) error {
	bucketID, name, _ := strings.Cut(c.ID, "/")
	if files, ok := c.API.(wire.FileStore); ok && c.Force {
		_, err := files.Purge(ctx, bucketID, name, c.Progress)
		return ignoreGone(err)
	}
	return ignoreGone(c.API.Call(ctx, "b2_hide_file", map[string]any{"bucketId": bucketID, "fileName": name}, nil))
}

func ignoreGone(err error) error {
	if wire.IsGone(err) {
		return nil
	}
	return err
}

func countVersionsOfFile(ctx context.Context, api wire.API, id string, most int, now time.Time) (wire.ContentsCount, error) {
	bucketID, name, _ := strings.Cut(id, "/")
	return wire.CountVersions(ctx, api, bucketID, name, most, now)
}
