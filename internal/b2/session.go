package b2

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"b2form/schema/wire"
)

// A session is one answer of b2_authorize_account. It never changes.
type session struct {
	account wire.Account
	apiURL  string
	token   hiddenStringFunc
}

// sessionCache hands out the current session and sees to it that only one
// authorization is under way at a time.
type sessionCache struct {
	mu            sync.Mutex
	current       *session
	authorization *pendingAuthorization
}

type pendingAuthorization struct {
	done            chan struct{}
	session         *session
	err             error
	callerCancelled bool // the caller who sent it was cancelled
}

// get returns the current session, or a new one where there is none or the
// current one is stale, the session whose token B2 has just refused. An error
// is shared by all who waited for it, and is a *wire.Error.
func (s *sessionCache) get(ctx context.Context, stale *session,
	authorize func(context.Context) (*session, error)) (*session, error) {
	for {
		s.mu.Lock()
		if s.current != nil && s.current != stale {
			defer s.mu.Unlock()
			return s.current, nil
		}
		f := s.authorization
		if f == nil {
			f = &pendingAuthorization{done: make(chan struct{})}
			s.authorization = f
			s.mu.Unlock()
			s.authorizeAndPublish(ctx, f, authorize)
			return f.session, f.err
		}
		s.mu.Unlock()
		select {
		case <-f.done:
			if !f.callerCancelled {
				return f.session, f.err
			}
		case <-ctx.Done():
			return nil, cancelledError(methodAuthorize, ctx.Err())
		}
	}
}

func (s *sessionCache) authorizeAndPublish(ctx context.Context, f *pendingAuthorization,
	authorize func(context.Context) (*session, error)) {
	f.session, f.err = authorize(ctx)
	f.callerCancelled = f.err != nil && ctx.Err() != nil
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.err == nil {
		s.current = f.session
	}
	s.authorization = nil
	close(f.done)
}

const methodAuthorize = "b2_authorize_account"

func (c *Client) authorize(ctx context.Context) (*session, error) {
	r := &request{method: methodAuthorize, path: "/b2api/" + apiVersion + "/" + methodAuthorize, repeatable: true}
	body, err := c.sendWithRetry(ctx, r, nil)
	if err != nil {
		return nil, err
	}
	return c.parseSession(body)
}

// authorizeReply is what b2form needs of the v4 answer.
type authorizeReply struct {
	AccountID  string `json:"accountId"`
	Token      string `json:"authorizationToken"`
	KeyExpires int64  `json:"applicationKeyExpirationTimestamp"` // milliseconds; null: never
	APIInfo    struct {
		Storage struct {
			APIURL      string `json:"apiUrl"`
			DownloadURL string `json:"downloadUrl"`
			S3URL       string `json:"s3ApiUrl"`
			S3Region    string `json:"s3Region"` // only the emulator has it
			Recommended int64  `json:"recommendedPartSize"`
			Smallest    int64  `json:"absoluteMinimumPartSize"`
			Allowed     struct {
				Buckets      []wire.AllowedBucket `json:"buckets"`
				Capabilities []string             `json:"capabilities"`
				NamePrefix   string               `json:"namePrefix"`
			} `json:"allowed"`
		} `json:"storageApi"`
	} `json:"apiInfo"`
}

// isHeaderSafe reports whether a header can carry the text.
func isHeaderSafe(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// isAsSecureAsEndpoint reports whether a token may be sent to a URL that the service named: never
// less protected than where the application key went.
func (c *Client) isAsSecureAsEndpoint(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && strings.HasPrefix(c.endpoint, "http://")
}

func (c *Client) parseSession(body []byte) (*session, error) {
	var reply authorizeReply
	err := json.Unmarshal(body, &reply)
	storage := reply.APIInfo.Storage
	bad := ""
	switch {
	case err != nil:
		bad, err = "the reply does not have the documented shape", jsonShapeError(err)
	case reply.AccountID == "" || reply.Token == "" || storage.APIURL == "":
		bad = "the reply lacks the account, the token or the URL of the storage API"
	case !isHeaderSafe(reply.Token):
		bad = "the reply has a token that no header can carry"
	case !c.isAsSecureAsEndpoint(storage.APIURL):
		bad = "the reply names an API URL that is none, or is without https, where the token could be read"
	case storage.DownloadURL != "" && !c.isAsSecureAsEndpoint(storage.DownloadURL):
		bad = "the reply names a download URL that is none, or is without https, where the token could be read"
	}
	if bad != "" {
		return nil, &wire.Error{Method: methodAuthorize, Status: http.StatusOK, Message: bad, Cause: err}
	}
	s := &session{
		apiURL: strings.TrimRight(storage.APIURL, "/"),
		token:  hideString(reply.Token),
		account: wire.Account{
			ID: reply.AccountID, KeyID: c.keyID(), Realm: c.endpoint,
			S3URL: storage.S3URL, ReplyS3Region: storage.S3Region, DownloadURL: storage.DownloadURL,
			APIURL:              strings.TrimRight(storage.APIURL, "/"),
			RecommendedPartSize: storage.Recommended, SmallestPartSize: storage.Smallest,
			Capabilities: storage.Allowed.Capabilities, NamePrefix: storage.Allowed.NamePrefix,
		},
	}
	if len(storage.Allowed.Buckets) > 0 { // null, or an empty list: not limited
		s.account.AllowedBuckets = storage.Allowed.Buckets
	}
	if reply.KeyExpires > 0 {
		s.account.KeyExpires = time.UnixMilli(reply.KeyExpires).UTC()
	}
	return s, nil
}
