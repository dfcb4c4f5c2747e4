package laws_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"b2form/internal/emulator"
	"b2form/internal/testrun"
	"b2form/internal/testrun/engines"
)

// A disturbance spoils the k-th request of a run, from 1.
type disturbance struct {
	name   string
	writes bool // only requests that write: for the others another disturbance is the same
	set    func(w *world, k int)
}

func disturbances() []disturbance {
	fault := func(f emulator.Fault) func(*world, int) {
		return func(w *world, k int) { f.Nth = k; w.b2.QueueFault(f) }
	}
	return []disturbance{
		{"lost on the way there", false, fault(emulator.Fault{})},
		{"lost on the way back", true, fault(emulator.Fault{TakesEffect: true})},
		{"503 although done", true, fault(emulator.Fault{TakesEffect: true, Status: 503, Code: "service_unavailable"})},
		{"B2 gone from there on", false, func(w *world, k int) { w.outage(k, false) }},
		{"B2 gone after it", true, func(w *world, k int) { w.outage(k, true) }},
		{"daily cap reached there", true, (*world).capped},
	}
}

// outage breaks every connection from the n-th request from now on; after lets
// that one take effect.
func (w *world) outage(n int, after bool) {
	start := w.traffic.count()
	w.traffic.around = func(m int, _ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		switch {
		case m-start < n:
			return send()
		case m-start == n && after:
			r, err := send()
			if err != nil {
				return nil, err
			}
			if err := r.Body.Close(); err != nil {
				return nil, err
			}
		}
		return nil, io.ErrUnexpectedEOF
	}
}

// capped refuses what costs something, from the n-th request from now on.
func (w *world) capped(n int) {
	start := w.traffic.count()
	w.traffic.around = func(m int, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if free := strings.Contains(r.URL.Path, "b2_delete_"); m-start < n || free {
			return send()
		}
		return refusal(http.StatusForbidden, "transaction_cap_exceeded"), nil
	}
}

// refusal is an answer as B2 gives it instead of doing something.
func refusal(status int, code string) *http.Response {
	body := fmt.Sprintf("{\n  \"code\": %q,\n  \"message\": \"\",\n  \"status\": %d\n}", code, status)
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json;charset=utf-8"}},
		Body:   io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// For every request of every sort of change: whatever becomes of the request,
// further runs bring the account to where an undisturbed run brings it, every
// declared key is live once, and its file holds it.
func TestEveryRequestLost(t *testing.T) {
	for n, l := range stories() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			want, requests := l.undisturbed(t)
			for _, c := range testrun.SampleUnlessExhaustive(t, 61, 11*n, disturbed(requests)) {
				t.Run(c.String(), func(t *testing.T) { l.disturb(t, c, want) })
			}
			onRemotes(t, 53, 7*n, disturbed(requests), func(e engines.BackendType, c spoiled) {
				t.Run(e.Name+" "+c.String(), func(t *testing.T) { l.on(e).disturb(t, c, want) })
			})
		})
	}
}

// A spoiled is a request and what becomes of it.
type spoiled struct {
	disturbance
	nth    int
	method string
}

func (s spoiled) request() string { return s.method }

func (s spoiled) String() string { return fmt.Sprintf("%s %d %s", s.name, s.nth, s.method) }

// disturbed gives every way to spoil one of the requests.
func disturbed(requests []request) (all []spoiled) {
	for _, d := range disturbances() {
		for i, r := range requests {
			if !d.writes || r.writes() {
				all = append(all, spoiled{d, i + 1, r.method})
			}
		}
	}
	return all
}

func (l story) disturb(t *testing.T, s spoiled, want string) {
	w := l.begin(t)
	defer w.close()
	s.set(w, s.nth)
	_, _, err := w.apply(l.mode)
	w.traffic.around = nil
	if litter := w.litter(); litter != "[]" {
		t.Errorf("the disturbed run left %s behind", litter)
	}
	w.keysAreKnown()
	l.converge(w, want)
	if t.Failed() {
		t.Logf("the disturbed run said: %v", err)
	}
}

// Where B2 says that it did nothing, every request is sent once more and one run
// is enough, whatever it does.
func TestEveryRequestRefusedOnce(t *testing.T) {
	refusals := map[string]func() *http.Response{
		"too many requests": func() *http.Response { return refusal(429, "too_many_requests") },
		"expired token":     func() *http.Response { return refusal(401, "expired_auth_token") },
		"bad token":         func() *http.Response { return refusal(401, "bad_auth_token") },
	}
	for n, l := range stories() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			sample := testrun.SampleUnlessExhaustive(t, 6, n, slices.Sorted(maps.Keys(refusals)))
			if len(sample) == 0 {
				return
			}
			want, _ := l.undisturbed(t)
			for _, name := range sample {
				w := l.begin(t)
				w.traffic.around = refusedOnce(refusals[name])
				w.done(l.mode)
				w.traffic.around = nil
				if a, _ := w.done(l.mode); !a.idle() {
					t.Errorf("%s: the next run still has to do %s", name, a.outcome())
				}
				l.converge(w, want)
				if t.Failed() {
					t.Logf("every request was refused once with %s", name)
				}
				w.close()
			}
		})
	}
}

// refusedOnce refuses each request but that for a token, and lets it pass when
// it comes again.
func refusedOnce(refuse func() *http.Response) func(int, *http.Request, func() (*http.Response, error)) (*http.Response, error) {
	seen := map[string]bool{} // worlds have one request at a time
	return func(_ int, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		what := r.URL.Path + string(body)
		if seen[what] || strings.Contains(what, "authorize") {
			return send()
		}
		seen[what] = true
		return refuse(), nil
	}
}
