package prove

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"b2form/schema/wire"
)

// content is what every uploaded file holds.
const content = "b2form prove\n"

// A trial tries the promises of one subject.
type prover struct {
	*Options
	key         *Key // nil: of a bucket
	access      *Access
	s3          s3Client
	keyUnusable bool // the key does not authorize

	uploads map[file]*uploads // what is to be removed
}

// uploads are what trials uploaded of one file.
type uploads struct {
	versionIDs []string // of the versions that are there
	unknown    int      // how many may be there beside them, of which no ID came back
}

// recordUpload notes what is there now, or may be: a reply that does not come tells nothing.
func (t *prover) recordUpload(at file, versionID string, err error) {
	if isAccessDenied(err) {
		return
	}
	if t.uploads[at] == nil {
		t.uploads[at] = &uploads{}
	}
	refused, ok := errors.AsType[*wire.Error](err)
	switch {
	case versionID != "":
		t.uploads[at].versionIDs = append(t.uploads[at].versionIDs, versionID)
	case !ok || refused.OutcomeUnknown || refused.Status/100 == 2:
		t.uploads[at].unknown++
	}
}

// versionID is the version that is there to work with; "": none.
func (t *prover) versionID(at file) string {
	if u := t.uploads[at]; u != nil && len(u.versionIDs) > 0 {
		return u.versionIDs[len(u.versionIDs)-1]
	}
	return ""
}

// forgetVersion notes that the version is deleted that versionID gives.
func (t *prover) forgetVersion(at file) {
	u := t.uploads[at]
	u.versionIDs = u.versionIDs[:len(u.versionIDs)-1]
}

func (t *prover) list(ctx context.Context, at file) error {
	return t.access.Client.Call(ctx, "b2_list_file_names",
		map[string]any{"bucketId": at.bucket.ID, "prefix": at.name, "maxFileCount": 1}, nil)
}

func (t *prover) upload(ctx context.Context, at file) error {
	id, err := put(ctx, t.access.Client, at)
	t.recordUpload(at, id, err)
	return err
}

// put uploads the content and gives the ID of the version.
func put(ctx context.Context, c Client, at file) (id string, err error) {
	reply, err := c.Put(ctx, wire.Upload{BucketID: at.bucket.ID, Name: at.name, ContentType: "text/plain",
		Payload: wire.TextPayload(content)})
	if err != nil {
		return "", err
	}
	var made struct{ FileID string }
	if json.Unmarshal(reply, &made) != nil || made.FileID == "" {
		return "", wire.MisshapenReply("b2_upload_file")
	}
	return made.FileID, nil
}

// ensureUploaded makes sure that a version is there, and not by the key, which may be unable to.
func (t *prover) ensureUploaded(ctx context.Context, at file) error {
	if t.versionID(at) != "" {
		return nil
	}
	id, err := put(ctx, t.Admin, at)
	t.recordUpload(at, id, err)
	if err != nil {
		return &inconclusiveError{"The credentials in use cannot upload a file to try it with", err}
	}
	return nil
}

func (t *prover) downloadUploaded(ctx context.Context, at file) error {
	if err := t.ensureUploaded(ctx, at); err != nil {
		return err
	}
	return checkSameContent(t.access.Client.Download(ctx, t.versionID(at), int64(len(content))))
}

func checkSameContent(got []byte, err error) error {
	if err == nil && string(got) != content {
		return brokenPromiseError("Another content came back than was uploaded.")
	}
	return err
}

func (t *prover) remove(ctx context.Context, at file) error {
	if err := t.ensureUploaded(ctx, at); err != nil {
		return err
	}
	err := deleteVersion(ctx, t.access.Client, at, t.versionID(at))
	if err == nil {
		t.forgetVersion(at)
	}
	return err
}

// sendS3 sends a request as the key, again where the service does not know it yet.
func (t *prover) sendS3(ctx context.Context, method string, at file, query url.Values, body string) (http.Header, []byte, error) {
	for _, delay := range newKeyRetryDelays() {
		header, reply, err := t.s3.send(ctx, method, at.bucket.Name, at.name, query, body)
		refused, ok := errors.AsType[*wire.Error](err)
		if !ok || !t.access.IsNewKey || refused.Code != "InvalidAccessKeyId" || t.Sleep(ctx, delay) != nil {
			return header, reply, err
		}
	}
	return t.s3.send(ctx, method, at.bucket.Name, at.name, query, body)
}

func (t *prover) listS3(ctx context.Context, at file) error {
	_, _, err := t.sendS3(ctx, http.MethodGet, file{at.bucket, ""}, url.Values{"list-type": {"2"}, "max-keys": {"1"}, "prefix": {at.name}},
		"")
	return err
}

func (t *prover) uploadS3(ctx context.Context, at file) error {
	header, _, err := t.sendS3(ctx, http.MethodPut, at, nil, content)
	t.recordUpload(at, header.Get("X-Amz-Version-Id"), err)
	return err
}

func (t *prover) downloadS3(ctx context.Context, at file) error {
	if err := t.ensureUploaded(ctx, at); err != nil {
		return err
	}
	_, body, err := t.sendS3(ctx, http.MethodGet, at, nil, "")
	return checkSameContent(body, err)
}

func (t *prover) removeS3(ctx context.Context, at file) error {
	if err := t.ensureUploaded(ctx, at); err != nil {
		return err
	}
	_, _, err := t.sendS3(ctx, http.MethodDelete, at, url.Values{"versionId": {t.versionID(at)}}, "")
	if err == nil {
		t.forgetVersion(at)
	}
	return err
}

// deleteVersion deletes a version. That it is gone says that an earlier attempt deleted it, where the reply to one was lost.
func deleteVersion(ctx context.Context, c Client, at file, id string) error {
	err := c.Call(ctx, "b2_delete_file_version", map[string]any{"fileName": at.name, "fileId": id}, nil)
	if refused, ok := errors.AsType[*wire.Error](err); ok && refused.OutcomeUnknown && wire.IsGone(err) {
		return nil
	}
	return err
}

// clean removes what the trial made, and says what it could not remove.
func (t *prover) clean(ctx context.Context) (failures []string) {
	byName := func(a, b file) int {
		return cmp.Or(cmp.Compare(a.bucket.Name, b.bucket.Name), cmp.Compare(a.name, b.name))
	}
	for _, at := range slices.SortedFunc(maps.Keys(t.uploads), byName) {
		if left := t.cleanFile(ctx, at); left != "" {
			failures = append(failures, left)
		}
	}
	if t.access != nil && t.access.DeleteKey != nil {
		if err := t.access.DeleteKey(); err != nil {
			failures = append(failures, t.Explain(err))
		}
	}
	return failures
}

// cleanFile removes all versions of a file, by the IDs that are known and by the listing, which may lag behind; it says what is
// left, or may be.
func (t *prover) cleanFile(ctx context.Context, at file) (left string) {
	u := t.uploads[at]
	var err error
	for _, id := range u.versionIDs {
		if deleted := deleteVersion(ctx, t.Admin, at, id); !wire.IsGone(deleted) {
			err = cmp.Or(err, deleted)
		}
	}
	if err != nil {
		return fmt.Sprintf("The file %s in bucket %s could not be removed; delete it. %s", quoted(at.name), quoted(at.bucket.Name),
			t.Explain(err))
	}
	switch listed, err := t.Admin.Purge(ctx, at.bucket.ID, at.name, nil); {
	case err != nil && !wire.IsGone(err):
		return fmt.Sprintf("What is known of the file %s in bucket %s was deleted; whether there is more could not be seen. Look for "+
			"it, and delete it. %s", quoted(at.name), quoted(at.bucket.Name), t.Explain(err))
	case listed < u.unknown:
		return fmt.Sprintf("The file %s may be in bucket %s: no reply told what came of an upload, and B2 lists no version of it now. "+
			"Look for it in a few minutes, and delete it.", quoted(at.name), quoted(at.bucket.Name))
	}
	return ""
}
