package prove

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

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

	filesToRemove map[file]bool // that may hold something to remove
	fileID        string        // the version that is there for the key to work with; "": none
}

// removeLaterUnlessDenied notes that a file may be there now: a reply that does not come tells nothing.
func (t *prover) removeLaterUnlessDenied(at file, err error) (sameErr error) {
	if !isAccessDenied(err) {
		t.filesToRemove[at] = true
	}
	return err
}

func (t *prover) list(ctx context.Context, at file) error {
	return t.access.Client.Call(ctx, "b2_list_file_names",
		map[string]any{"bucketId": at.bucket.ID, "prefix": at.name, "maxFileCount": 1}, nil)
}

func (t *prover) upload(ctx context.Context, at file) error {
	id, err := put(ctx, t.access.Client, at)
	if err == nil {
		t.fileID = id
	}
	return t.removeLaterUnlessDenied(at, err)
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
	if t.fileID != "" {
		return nil
	}
	id, err := put(ctx, t.Admin, at)
	t.fileID = id
	t.filesToRemove[at] = true
	if err != nil {
		return &inconclusiveError{"The credentials in use cannot upload a file to try it with", err}
	}
	return nil
}

func (t *prover) uploadAndDownload(ctx context.Context, at file) error {
	if err := t.ensureUploaded(ctx, at); err != nil {
		return err
	}
	return checkSameContent(t.access.Client.Download(ctx, t.fileID, int64(len(content))))
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
	err := t.access.Client.Call(ctx, "b2_delete_file_version", map[string]any{"fileName": at.name, "fileId": t.fileID}, nil)
	if err == nil {
		t.fileID = ""
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
	if id := header.Get("X-Amz-Version-Id"); id != "" {
		t.fileID = id
	}
	return t.removeLaterUnlessDenied(at, err)
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
	_, _, err := t.sendS3(ctx, http.MethodDelete, at, url.Values{"versionId": {t.fileID}}, "")
	if err == nil {
		t.fileID = ""
	}
	return err
}

// clean removes what the trial made, and says what it could not remove.
func (t *prover) clean(ctx context.Context) (failures []string) {
	for at := range t.filesToRemove {
		if _, err := t.Admin.Purge(ctx, at.bucket.ID, at.name, nil); err != nil && !wire.IsGone(err) {
			failures = append(failures, fmt.Sprintf("The file %s in bucket %s could not be removed; delete it. %s", quoted(at.name),
				quoted(at.bucket.Name), t.Explain(err)))
		}
	}
	if t.access != nil && t.access.DeleteKey != nil {
		if err := t.access.DeleteKey(); err != nil {
			failures = append(failures, t.Explain(err))
		}
	}
	return failures
}
