package b2

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/Backblaze/blazer/base"

	"b2form/schema/wire"
)

// This file is the seam between the session of this package and blazer, through
// which files are uploaded, listed and deleted. Blazer cannot own the session: it
// authorizes on v3 of the API, which refuses keys for several buckets, and keeps
// what it learns to itself. So it gets a transport that answers its authorize
// call from our session and hands every other call to Client.sendWithRetry: one token,
// one limiter, one way to repeat and count. Nothing but this file, upload.go and
// purge.go import blazer.

// openBucket makes blazer's handle of a bucket. Its only constructor lists buckets; the
// transport answers that too.
func (m *blazerTransport) openBucket(ctx context.Context) (*base.Bucket, error) {
	root, err := base.AuthorizeAccount(ctx, "", "", base.SetAPIBase(m.session.apiURL), base.Transport(m))
	if err != nil {
		return nil, err
	}
	buckets, err := root.ListBuckets(ctx, "")
	if err != nil {
		return nil, err
	}
	return buckets[0], nil
}

// A blazerTransport is blazer's transport.
type blazerTransport struct {
	client      *Client
	session     *session
	bucketID    string
	uploadToken hiddenStringFunc // of the upload URL that was asked for last
}

func (m *blazerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := m.respond(req)
	if resp != nil {
		resp.Request = req // as every transport does; blazer looks there
	}
	return resp, err
}

func (m *blazerTransport) respond(req *http.Request) (*http.Response, error) {
	method, name := splitAPIPath(req.URL)
	rec, ok := req.Context().Value(blazerCallKey{}).(*blazerCall)
	if !ok {
		rec = &blazerCall{}
	}
	if isUploadURL(req.URL) {
		return m.sendUpload(req, rec)
	}
	rec.method = name
	switch name {
	case methodAuthorize:
		storage := map[string]any{"apiUrl": m.session.apiURL, "downloadUrl": m.session.account.DownloadURL}
		return jsonResponse(map[string]any{ // the token stays here: blazer may log what it gets
			"accountId": m.session.account.ID, "authorizationToken": "-", "apiInfo": map[string]any{"storageApi": storage},
		})
	case "b2_list_buckets":
		return jsonResponse(map[string]any{"buckets": []any{map[string]any{"bucketId": m.bucketID}}})
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
	if name == "b2_get_upload_url" {
		return m.answerUploadURL(out, rec)
	}
	return jsonResponse(out)
}

// splitAPIPath gives the method that a URL leads to, with and without the version of the API.
func splitAPIPath(u *url.URL) (versionedMethod, bareMethod string) {
	_, versionedMethod, _ = strings.Cut(u.Path, "/b2api/")
	_, bareMethod, _ = strings.Cut(versionedMethod, "/")
	return versionedMethod, bareMethod
}

func isUploadURL(u *url.URL) bool {
	_, name := splitAPIPath(u)
	return strings.HasPrefix(name, methodUpload+"/")
}

func jsonResponse(body any) (*http.Response, error) {
	encoded, err := json.Marshal(body)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(encoded))}, err
}

// A blazerCall keeps what blazer drops: it turns every error into a text. It
// travels in the context of the call, under blazerCallKey.
type blazerCall struct {
	method string
	err    error
	// Of an upload: what blazer does not send, such as the content, which is opened for every attempt; and B2's reply.
	upload      wire.Upload
	uploadReply json.RawMessage
}

type blazerCallKey struct{}

// viaBlazer runs one call of blazer and returns its error as a *wire.Error.
func viaBlazer(ctx context.Context, rec *blazerCall, f func(context.Context) error) error {
	err := f(context.WithValue(ctx, blazerCallKey{}, rec))
	if err != nil && rec.err == nil {
		return &wire.Error{Method: rec.method, Status: http.StatusOK,
			Message: "the reply does not have the documented shape", Cause: jsonShapeError(err)}
	}
	return rec.err
}
