package b2

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Backblaze/blazer/base"

	"b2form/schema/wire"
)

// This file uploads through blazer, which builds the request. The token of an
// upload URL stays here, and so does the content: it is opened anew for every
// attempt.

const methodUpload = "b2_upload_file"

// uploadURLInUse is the code of an upload URL with which another upload is under way, such as one whose reply was lost.
const uploadURLInUse = "auth_token_limit"

// uploadURLPool keeps upload URLs for the next file of the same bucket. B2 allows one
// upload at a time to each, and asks for another URL after trouble ("Uploading
// Files").
type uploadURLPool struct {
	mu           sync.Mutex
	freeByBucket map[string][]*uploadTarget // by bucket ID
}

// A uploadTarget is one upload URL.
type uploadTarget struct {
	transport *blazerTransport
	url       *base.URL
}

func (u *uploadURLPool) takeFree(bucketID string) *uploadTarget {
	u.mu.Lock()
	defer u.mu.Unlock()
	list := u.freeByBucket[bucketID]
	if len(list) == 0 {
		return nil
	}
	u.freeByBucket[bucketID] = list[:len(list)-1]
	return list[len(list)-1]
}

func (u *uploadURLPool) put(bucketID string, t *uploadTarget) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.freeByBucket == nil {
		u.freeByBucket = map[string][]*uploadTarget{}
	}
	u.freeByBucket[bucketID] = append(u.freeByBucket[bucketID], t)
}

// Put implements [wire.FileStore]. An upload URL that B2 does not accept any more, or that is
// in use elsewhere, is replaced; nothing else is sent again that may have taken effect.
func (c *Client) Put(ctx context.Context, u wire.Upload) (json.RawMessage, error) {
	for try := 1; ; try++ {
		raw, err := c.putOnce(ctx, u)
		refused, ok := errors.AsType[*wire.Error](err)
		inUse := ok && refused.Code == uploadURLInUse
		if err == nil || !ok || !isTokenRefused(refused) && !inUse || try == uploadTries {
			return raw, err
		}
		if inUse {
			if err := c.sleep(ctx, backOff(refused, try)); err != nil {
				return nil, cancelledError(methodUpload, err)
			}
		}
	}
}

func (c *Client) putOnce(ctx context.Context, u wire.Upload) (json.RawMessage, error) {
	t := c.uploadURLs.takeFree(u.BucketID)
	if t == nil {
		var err error
		if t, err = c.newUploadTarget(ctx, u.BucketID); err != nil {
			return nil, err
		}
	}
	rec := &blazerCall{method: methodUpload, upload: u}
	err := viaBlazer(ctx, rec, func(ctx context.Context) error {
		_, err := t.url.UploadFile(ctx, strings.NewReader(""), int(u.Payload.Size), u.Name, u.ContentType, u.Payload.SHA1, u.Info)
		return err
	})
	if err != nil {
		return nil, err
	}
	c.uploadURLs.put(u.BucketID, t)
	return rec.uploadReply, nil
}

func (c *Client) newUploadTarget(ctx context.Context, bucketID string) (*uploadTarget, error) {
	s, err := c.sessionCache.get(ctx, nil, c.authorize)
	if err != nil {
		return nil, err
	}
	t := &uploadTarget{transport: &blazerTransport{client: c, session: s, bucketID: bucketID}}
	err = viaBlazer(ctx, &blazerCall{}, func(ctx context.Context) error {
		bucket, err := t.transport.openBucket(ctx)
		if err == nil {
			t.url, err = bucket.GetUploadURL(ctx)
		}
		return err
	})
	return t, err
}

// answerUploadURL answers blazer with the URL and keeps the token.
func (m *blazerTransport) answerUploadURL(out json.RawMessage, rec *blazerCall) (*http.Response, error) {
	var to struct{ UploadURL, AuthorizationToken string }
	if err := json.Unmarshal(out, &to); err != nil {
		return nil, err
	}
	u, err := url.Parse(to.UploadURL)
	switch {
	case err != nil || !m.client.isAsSecureAsEndpoint(to.UploadURL) || !isHeaderSafe(to.AuthorizationToken):
		rec.err = wire.UntrueReply("B2 answered b2_get_upload_url with a URL or a token that is none") // their texts are not for messages
	case !isUploadURL(u):
		rec.err = wire.UntrueReply("B2 answered b2_get_upload_url with a URL on %s that does not lead to %s",
			m.client.sanitizeText(u.Host, m.session, maxCodeChars), methodUpload)
	}
	if rec.err != nil {
		return nil, rec.err
	}
	m.uploadToken = hideString(to.AuthorizationToken)
	return jsonResponse(map[string]string{"bucketId": m.bucketID, "uploadUrl": to.UploadURL, "authorizationToken": "-"})
}

// minUploadBytesPerSecond is how many bytes a second an upload makes at least.
const minUploadBytesPerSecond = 100_000

// sendUpload sends what blazer made of an upload, with the token and the content.
func (m *blazerTransport) sendUpload(req *http.Request, rec *blazerCall) (*http.Response, error) {
	rec.method = methodUpload
	size := req.ContentLength
	bucketID, _ := json.Marshal(m.bucketID) // strings always encode
	r := &request{method: methodUpload, bodyFields: map[string]json.RawMessage{"bucketId": bucketID}, changesData: true,
		extraTimeout: time.Duration(size/minUploadBytesPerSecond) * time.Second}
	r.buildHTTP = func(ctx context.Context, _ *session) (*http.Request, error) {
		content, err := rec.upload.Payload.Open()
		if err != nil {
			return nil, err
		}
		out, err := http.NewRequestWithContext(ctx, http.MethodPost, req.URL.String(), content)
		if err != nil {
			return nil, errors.New("B2 gave an upload URL that is none") // the URL's own text is not for messages
		}
		if out.ContentLength = size; size == 0 {
			_ = content.Close() // there is nothing to read
			out.Body = http.NoBody
		}
		for name, values := range req.Header {
			if name == "Content-Type" || strings.HasPrefix(name, "X-Bz-") {
				out.Header[name] = values
			}
		}
		if rec.upload.SSEB2Algorithm != "" { // of which blazer does not know
			out.Header.Set("X-Bz-Server-Side-Encryption", rec.upload.SSEB2Algorithm)
		}
		out.Header.Set("Authorization", m.uploadToken())
		return out, nil
	}
	sent, err := m.client.sendWithRetry(req.Context(), r, nil)
	if err != nil {
		if refused, ok := errors.AsType[*wire.Error](err); ok {
			m.client.explainDenial(refused, r, m.session)
		}
		rec.err = err
		return nil, err
	}
	rec.uploadReply = sent
	return jsonResponse(rec.uploadReply)
}
