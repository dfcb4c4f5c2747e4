package b2_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	stdlog "log"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"b2form/internal/b2"
	"b2form/schema/wire"
)

const (
	keyID = "0045f0571db506a0000000017"
	key   = "K004CanaryCanaryCanaryCanary+/1"
	token = "4_0045f0571db506a0000000017_01a2_tokenCanary_acct_x="
)

// An answer is what the service says to one request.
type answer struct {
	status     int // 0: the connection breaks without a reply
	code       string
	message    string
	retryAfter string
	body       string // in place of code and message
	media      string // "application/json" if empty
}

func refuse(status int, code string) answer { return answer{status: status, code: code} }

func ok(body string) answer { return answer{status: 200, body: body} }

// A call is a request as the service saw it.
type call struct {
	Verb, Path, Method string
	Header             http.Header
	Body               map[string]any
}

// A service answers raw HTTP from a script: each method's answers in order, then
// {} for ever. An authorize without a script succeeds.
type service struct {
	*httptest.Server
	mu       sync.Mutex
	script   map[string][]answer
	calls    []call
	account  string // members of storageApi.allowed
	download string // downloadUrl
	digest   string // X-Bz-Content-Sha1 of every answer; "": none
}

func serve(t *testing.T, script map[string][]answer) *service {
	s := &service{script: script, download: "https://f004.backblazeb2.com",
		account: `"buckets": null, "capabilities": ["listBuckets", "writeBuckets"], "namePrefix": null`}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	a := s.next(r, raw)
	if a.status == 0 {
		panic(http.ErrAbortHandler)
	}
	if a.media == "" {
		a.media = "application/json"
	}
	if a.body == "" && a.status != 200 {
		a.body = fmt.Sprintf(`{"code": %q, "message": %q, "status": %d}`, a.code, a.message, a.status)
	}
	w.Header().Set("Content-Type", a.media)
	if a.retryAfter != "" {
		w.Header().Set("Retry-After", a.retryAfter)
	}
	if s.digest != "" {
		w.Header().Set("X-Bz-Content-Sha1", s.digest)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body) // the client may have had enough
}

func (s *service) next(r *http.Request, raw []byte) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := call{Verb: r.Method, Path: r.URL.Path, Method: path.Base(r.URL.Path), Header: r.Header.Clone()}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &c.Body); err != nil {
			panic(err)
		}
	}
	s.calls = append(s.calls, c)
	if rest := s.script[c.Method]; len(rest) > 0 {
		s.script[c.Method] = rest[1:]
		return rest[0]
	}
	if c.Method == "b2_authorize_account" {
		return ok(s.authorization())
	}
	return ok("{}")
}

func (s *service) authorization() string {
	return fmt.Sprintf(`{"accountId": "5f0571db506a", "authorizationToken": %q, "applicationKeyExpirationTimestamp": null,
		"apiInfo": {"groupsApi": {}, "storageApi": {"apiUrl": %q, "downloadUrl": %q,
		"s3ApiUrl": "https://s3.us-west-004.backblazeb2.com", "allowed": {%s}}}}`, token, s.URL, s.download, s.account)
}

// of returns the requests of one method.
func (s *service) of(method string) []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []call
	for _, c := range s.calls {
		if c.Method == method {
			out = append(out, c)
		}
	}
	return out
}

// A clock moves only when somebody waits.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, d)
	c.now = c.now.Add(d)
	return ctx.Err()
}

// A log collects events.
type log struct {
	mu     sync.Mutex
	events []b2.AttemptEvent
}

func (l *log) add(e b2.AttemptEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

// connect makes a client of the service. change may be nil.
func connect(t *testing.T, s *service, change func(*b2.Options)) (*b2.Client, *clock) {
	t.Helper()
	c := newClock()
	o := b2.Options{KeyID: keyID, Key: key, Endpoint: s.URL, Now: c.Now, Sleep: c.Wait}
	if change != nil {
		change(&o)
	}
	client, err := b2.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return client, c
}

func kindError(t *testing.T, err error) *wire.Error {
	t.Helper()
	e, ok := asError(err)
	if !ok {
		t.Fatalf("got %v (%T), want a *kind.Error", err, err)
	}
	return e
}

func wantContains(t *testing.T, what, got string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(strings.ToLower(got), strings.ToLower(p)) {
			t.Errorf("%s: %q does not contain %q", what, got, p)
		}
	}
}

// quiet keeps a server's complaints about its clients out of the test's output.
func quiet() *stdlog.Logger { return stdlog.New(io.Discard, "", 0) }
