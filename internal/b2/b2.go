// Package b2 speaks the native API of Backblaze B2.
//
// A [Client] holds one session: it authorizes once, on v4 of the API, and
// replaces the token when B2 says that it has expired. Everything else is one
// generic [Client.Call] of a named method, so a new kind of resource needs no
// new code here. What the package adds to plain HTTP is patience and honesty:
//
//   - reads, deletes and updates guarded by ifRevisionIs are repeated after
//     trouble; a create is repeated only where B2 certainly did not carry it
//     out, since none is idempotent. Otherwise the error says OutcomeUnknown, and the
//     caller looks before it tries again;
//   - a 429 or 503 slows down every request of the client, not only the one
//     that met it;
//   - [Explain] turns any error into what is wrong and what to do.
//
// Secrets stay inside: no error, event or formatted value of this package
// carries an application key or a token.
package b2

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"b2form/internal/pause"
	"b2form/schema/wire"
)

// Options say whom to speak to, as whom, and how.
type Options struct {
	KeyID, Key string // the application key; New checks both without asking B2
	KeySource  string // where they come from, such as: profile "work" in a file; "": nobody says
	// Endpoint is where to authorize: the name of a realm (production,
	// staging), the URL of another service that speaks the native API, or "" for
	// production.
	Endpoint  string
	UserAgent string // "" means "b2form"
	// Transport sends the requests; nil means one that honours the proxy
	// variables and the system's certificates (so SSL_CERT_FILE too), speaks
	// HTTP/2 and keeps enough connections open.
	Transport   http.RoundTripper
	Parallelism int              // most requests under way at once, see also WithCredentials; 0 means 10
	Now         func() time.Time // required
	// Sleep returns after d, or earlier with the context's error; nil means a
	// timer. Now and Wait should agree on the time.
	Sleep     func(ctx context.Context, d time.Duration) error
	OnAttempt func(AttemptEvent) // called after every attempt, from several goroutines; may be nil
}

// Format keeps the key out of whatever prints the options.
func (o Options) Format(f fmt.State, _ rune) { fmt.Fprint(f, "b2.Options{[redacted]}") }

// A Client is one session with B2. It is safe for concurrent use.
type Client struct {
	keyID, key  hiddenStringFunc
	keySource   string // in words; "": not said
	endpoint    string
	userAgent   string
	transport   http.RoundTripper
	parallelism int
	now         func() time.Time
	sleep       func(context.Context, time.Duration) error
	onAttempt   func(AttemptEvent)

	sessionCache          sessionCache
	limiter               *limiter
	derivedClientsLimiter *limiter // of all clients for other credentials
	counters              counters
	gotReply              atomic.Bool // some reply has come back
	clock                 serviceClock
	uploadURLs            uploadURLPool
}

var (
	_ wire.API           = (*Client)(nil)
	_ wire.BucketEmptier = (*Client)(nil)
	_ wire.FileStore     = (*Client)(nil)
)

// New checks the options without sending anything. A mistake that can be seen
// in the credentials or in the endpoint is a *UsageError.
func New(o Options) (*Client, error) {
	if o.Now == nil {
		panic("b2: Options.Now is missing")
	}
	if err := checkCredentials(o.KeyID, o.Key, o.KeySource); err != nil {
		return nil, err
	}
	endpoint, err := resolveEndpoint(o.Endpoint)
	if err != nil {
		return nil, err
	}
	c := &Client{
		keyID: hideString(o.KeyID), key: hideString(o.Key), keySource: o.KeySource, endpoint: endpoint,
		userAgent: o.UserAgent, transport: o.Transport, parallelism: o.Parallelism,
		now: o.Now, sleep: o.Sleep, onAttempt: o.OnAttempt,
	}
	if c.userAgent == "" {
		c.userAgent = "b2form"
	}
	if c.parallelism <= 0 {
		c.parallelism = 10
	}
	if c.transport == nil {
		if c.transport, err = newTransport(c.parallelism); err != nil {
			return nil, err
		}
	}
	if c.sleep == nil {
		c.sleep = pause.For
	}
	if c.onAttempt == nil {
		c.onAttempt = func(AttemptEvent) {}
	}
	c.limiter = newLimiter(c.parallelism, c.now, c.sleep)
	c.derivedClientsLimiter = &limiter{adaptiveLimit: c.limiter.adaptiveLimit}
	return c, nil
}

// WithCredentials gives a client for other credentials that shares this one's connections
// and its pace: what B2 refuses to one slows down both. All such clients together
// may have as many requests under way as this one, and beside it. A mistake that
// can be seen in the credentials is a *UsageError.
func (c *Client) WithCredentials(keyID, key string) (*Client, error) {
	if err := checkCredentials(keyID, key, ""); err != nil {
		return nil, err
	}
	return &Client{
		keyID: hideString(keyID), key: hideString(key), endpoint: c.endpoint,
		userAgent: c.userAgent, transport: c.transport, parallelism: c.parallelism,
		now: c.now, sleep: c.sleep, onAttempt: c.onAttempt, limiter: c.derivedClientsLimiter,
		derivedClientsLimiter: c.derivedClientsLimiter,
	}, nil
}

// Format keeps the credentials out of whatever prints the client.
func (c *Client) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "b2.Client{%s}", c.endpoint) }

// Authorize returns what B2 says of the credentials. The first call asks B2;
// calls made meanwhile share its answer, and later ones get it from memory. The
// caller must not change the result.
func (c *Client) Authorize(ctx context.Context) (*wire.Account, error) {
	s, err := c.sessionCache.get(ctx, nil, c.authorize)
	if err != nil {
		return nil, err
	}
	return &s.account, nil
}

// Call implements [wire.API]. It authorizes first where that has not happened
// yet. The method goes to v4 of the API unless it names a version. An out of
// type *json.RawMessage gets the bytes of the reply as they came.
func (c *Client) Call(ctx context.Context, method string, in, out any) error {
	s, err := c.sessionCache.get(ctx, nil, c.authorize)
	if err != nil {
		return err
	}
	r, err := newRequest(method, in, s.account.ID)
	if err != nil {
		return err
	}
	reply, err := c.sendWithRetry(ctx, r, s)
	if err != nil {
		return err
	}
	switch out := out.(type) {
	case nil:
		return nil
	case *json.RawMessage:
		*out = reply
		return nil
	}
	if err := json.Unmarshal(reply, out); err != nil {
		return &wire.Error{Method: r.method, Status: http.StatusOK, OutcomeUnknown: r.changesData,
			Message: "the reply does not have the documented shape", Cause: jsonShapeError(err)}
	}
	return nil
}

// hiddenStringFunc holds a secret where no printing by reflection can reach it.
type hiddenStringFunc func() string

func hideString(s string) hiddenStringFunc { return func() string { return s } }
