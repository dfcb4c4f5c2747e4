package laws_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
)

// A request is one that the client sent.
type request struct {
	verb, path, method string // "POST", "/b2api/v3/b2_create_key", "b2_create_key"
	raw                []byte
}

func (r request) writes() bool {
	return !strings.HasPrefix(r.method, "b2_list_") && !strings.HasPrefix(r.method, "b2_get_") && r.method != "b2_authorize_account"
}

func (r request) String() string { return fmt.Sprintf("%s %s %s", r.verb, r.path, r.raw) }

// members is the request's body.
func (r request) members(j judge) map[string]any {
	j.Helper()
	var m map[string]any
	if err := json.Unmarshal(r.raw, &m); err != nil {
		j.Fatalf("%s: %v", r, err)
	}
	return m
}

// A wire leads every request to one server, whatever host it names, and
// remembers it. Accounts report the hosts of the real service.
type traffic struct {
	addr string
	next *http.Transport
	// around, where set, decides what becomes of the n-th request, from 1.
	around func(n int, r *http.Request, send func() (*http.Response, error)) (*http.Response, error)

	mu   sync.Mutex
	sent []request
}

func newTraffic(addr string) *traffic {
	return &traffic{addr: addr, next: &http.Transport{MaxIdleConnsPerHost: 16}}
}

func (w *traffic) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	w.sent = append(w.sent, request{r.Method, r.URL.Path, path.Base(r.URL.Path), body})
	n := len(w.sent)
	if strings.Contains(r.URL.Path, "/b2_upload_file/") {
		w.sent[n-1] = uploadOf(r, body)
	}
	w.mu.Unlock()
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", w.addr
	if r.Body = http.NoBody; len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	send := func() (*http.Response, error) { return w.next.RoundTrip(r) }
	if w.around != nil {
		return w.around(n, r, send)
	}
	return send()
}

// uploadOf is an upload as one document: the headers that matter, the bucket that
// the URL names, and the content.
func uploadOf(r *http.Request, body []byte) request {
	call, to, _ := strings.Cut(r.URL.Path, "/b2_upload_file/")
	bucketID, _, _ := strings.Cut(to, "/")
	m := map[string]string{"bucketId": bucketID, "Content-Length": fmt.Sprint(r.ContentLength), "body": string(body)}
	for name, values := range r.Header {
		if name == "Content-Type" || strings.HasPrefix(name, "X-Bz-") {
			m[name] = values[0]
		}
	}
	raw, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return request{r.Method, call + "/b2_upload_file", "b2_upload_file", raw}
}

// since gives the requests after the first n.
func (w *traffic) since(n int) []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sent[n:])
}

func (w *traffic) count() int { return len(w.since(0)) }

// writesSince gives the requests after the first n that change something.
func (w *traffic) writesSince(n int) []request {
	return slices.DeleteFunc(w.since(n), func(r request) bool { return !r.writes() })
}

// send answers a request without a network.
func (w *world) send(r *http.Request) (status int, reply map[string]any) {
	w.Helper()
	rec := httptest.NewRecorder()
	w.b2.ServeHTTP(rec, r)
	if err := json.Unmarshal(rec.Body.Bytes(), &reply); err != nil {
		w.Fatalf("%s: %v", r.URL.Path, err)
	}
	return rec.Code, reply
}
