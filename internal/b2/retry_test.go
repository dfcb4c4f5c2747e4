package b2_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/b2"
)

type object = map[string]any

var (
	guarded = object{"bucketId": "b", "ifRevisionIs": 2}
	broken  = answer{}
)

// within is a range of waiting times.
type within struct{ from, to time.Duration }

func about(d time.Duration) within   { return within{d * 3 / 4, d * 5 / 4} }
func exactly(d time.Duration) within { return within{d, d} }

func TestWhatIsRepeated(t *testing.T) {
	second := about(time.Second)
	for name, c := range map[string]struct {
		method  string
		in      any
		answers []answer
		waits   []within
		status  int // 0: success; -1: no reply
		unknown bool
	}{
		"a read after 503": {"b2_list_keys", nil, []answer{refuse(503, "service_unavailable")}, []within{second}, 0, false},
		"a read after 500 and 408": {"b2_list_keys", nil, []answer{refuse(500, "internal_error"), refuse(408, "request_timeout")},
			[]within{second, about(1500 * time.Millisecond)}, 0, false},
		"a read after a break": {"b2_get_bucket_notification_rules", nil, []answer{broken}, []within{second}, 0, false},
		"a Retry-After": {"b2_list_keys", nil, []answer{{status: 503, code: "service_unavailable", retryAfter: "7"}},
			[]within{exactly(7 * time.Second)}, 0, false},
		"a Retry-After as a date": {"b2_list_keys", nil,
			[]answer{{status: 429, code: "too_many_requests", retryAfter: "Tue, 03 Nov 2026 12:00:30 GMT"}},
			[]within{exactly(30 * time.Second)}, 0, false},
		"a 429 without Retry-After": {"b2_list_keys", nil, []answer{refuse(429, "too_many_requests")},
			[]within{exactly(5 * time.Second)}, 0, false},
		"too long a Retry-After": {"b2_list_keys", nil, []answer{{status: 429, code: "too_many_requests", retryAfter: "7200"}},
			nil, 429, false},
		"a delete after a break": {"b2_delete_bucket", nil, []answer{broken}, []within{second}, 0, false},
		"a delete whose first reply broke": {"b2_delete_bucket", nil, []answer{broken, refuse(400, "bad_bucket_id")}, []within{second}, 400,
			true},
		"a guarded update after 500": {"b2_update_bucket", guarded, []answer{refuse(500, "internal_error")}, []within{second}, 0,
			false},
		"a guarded update, maybe done": {"b2_update_bucket", guarded, []answer{broken, refuse(409, "conflict")}, []within{second}, 409,
			true},
		"a guarded update, not done": {"b2_update_bucket", guarded, []answer{refuse(409, "conflict")}, nil, 409, false},
		"an unguarded update after 500": {"b2_update_bucket", object{"ifRevisionIs": nil}, []answer{refuse(500, "internal_error")}, nil,
			500, true},
		"rules set after a break": {"b2_set_bucket_notification_rules", nil, []answer{broken}, []within{second}, 0, false},
		"a file hidden after 503": {"b2_hide_file", nil, []answer{refuse(503, "service_unavailable")}, []within{second}, 0, false},
		"a create after 503":      {"b2_create_bucket", nil, []answer{refuse(503, "service_unavailable")}, nil, 503, true},
		"a create after 408":      {"b2_create_bucket", nil, []answer{refuse(408, "request_timeout")}, nil, 408, true},
		"a create after a break":  {"v3/b2_create_key", nil, []answer{broken}, nil, -1, true},
		"a create whose reply is no JSON": {"v3/b2_create_key", nil, []answer{{status: 200, body: "<p>hello", media: "text/html"}}, nil,
			200, true},
		"a create after 429": {"b2_create_bucket", nil, []answer{refuse(429, "too_many_requests"), refuse(429, "too_many_requests")},
			[]within{exactly(5 * time.Second), exactly(5 * time.Second)}, 0, false},
		"a create refused": {"b2_create_bucket", nil, []answer{refuse(400, "duplicate_bucket_name")}, nil, 400, false},
		"a cap":            {"b2_list_keys", nil, []answer{refuse(403, "transaction_cap_exceeded")}, nil, 403, false},
		"a capability":     {"b2_list_keys", nil, []answer{refuse(401, "unauthorized")}, nil, 401, false},
		"a 501":            {"b2_list_keys", nil, []answer{refuse(501, "not_implemented")}, nil, 501, false},
		"a redirect":       {"b2_list_keys", nil, []answer{{status: 302, body: "moved", media: "text/html"}}, nil, 302, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, method, _ := strings.Cut("v4/"+strings.TrimPrefix(c.method, "v3/"), "/")
			s := serve(t, map[string][]answer{method: c.answers})
			client, clock := connect(t, s, nil)
			err := client.Call(t.Context(), c.method, c.in, nil)
			switch {
			case c.status == 0 && err != nil:
				t.Errorf("failed: %v", err)
			case c.status != 0:
				e := kindError(t, err)
				if e.Status != max(c.status, 0) || e.OutcomeUnknown != c.unknown || e.Method != method {
					t.Errorf("got %+v, want status %d, unknown %v", e, c.status, c.unknown)
				}
			}
			checkWaits(t, clock.waits, c.waits)
			if got := len(s.of(method)); got != len(c.waits)+1 {
				t.Errorf("sent %d times, want %d", got, len(c.waits)+1)
			}
			if got := client.Stats().Retries; got != len(c.waits) {
				t.Errorf("counted %d retries, want %d", got, len(c.waits))
			}
		})
	}
}

func checkWaits(t *testing.T, got []time.Duration, want []within) {
	t.Helper()
	fits := slices.EqualFunc(got, want, func(d time.Duration, w within) bool { return w.from <= d && d <= w.to })
	if !fits {
		t.Errorf("waited %v, want within %v", got, want)
	}
}

func TestGivingUp(t *testing.T) {
	s := serve(t, map[string][]answer{"b2_delete_key": slices.Repeat([]answer{refuse(500, "internal_error")}, 20)})
	var events log
	client, clock := connect(t, s, func(o *b2.Options) { o.OnAttempt = events.add })
	e := kindError(t, client.Call(t.Context(), "b2_delete_key", nil, nil))
	if e.Status != 500 || !e.OutcomeUnknown {
		t.Errorf("got %+v", e)
	}
	want := []within{about(time.Second)}
	for len(want) < 7 {
		last := want[len(want)-1]
		want = append(want, within{last.from * 3 / 2, last.to * 3 / 2})
	}
	checkWaits(t, clock.waits, want)
	last := events.events[len(events.events)-1]
	if diff := cmp.Diff(b2.AttemptEvent{Method: "b2_delete_key", AttemptNumber: 8, Status: 500, Code: "internal_error"}, last); diff != "" {
		t.Error(diff)
	}
	if first := events.events[1]; first.WaitBeforeRetry != clock.waits[0] {
		t.Errorf("the event speaks of %v, the client waited %v", first.WaitBeforeRetry, clock.waits[0])
	}
}

func TestAnEndedTokenIsReplacedOnce(t *testing.T) {
	for _, code := range []string{"expired_auth_token", "bad_auth_token"} {
		s := serve(t, map[string][]answer{"b2_create_key": {refuse(401, code)}})
		client, clock := connect(t, s, nil)
		if err := client.Call(t.Context(), "b2_create_key", nil, nil); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		if n := len(s.of("b2_authorize_account")); n != 2 || len(clock.waits) > 0 {
			t.Errorf("%s: %d authorizations, waited %v", code, n, clock.waits)
		}
		s = serve(t, map[string][]answer{"b2_list_keys": {refuse(401, code), refuse(401, code), refuse(401, code)}})
		client, _ = connect(t, s, nil)
		if e := kindError(t, client.Call(t.Context(), "b2_list_keys", nil, nil)); e.Code != code || len(s.of("b2_list_keys")) != 2 {
			t.Errorf("got %v after %d requests", e, len(s.of("b2_list_keys")))
		}
	}
}

func TestRefusedCredentialsAreAskedForOnce(t *testing.T) {
	s := serve(t, map[string][]answer{"b2_authorize_account": slices.Repeat([]answer{refuse(401, "bad_auth_token")}, 9)})
	client, _ := connect(t, s, nil)
	e := kindError(t, client.Call(t.Context(), "b2_create_key", nil, nil))
	if e.Method != "b2_authorize_account" || e.Status != 401 || len(s.calls) != 1 {
		t.Errorf("got %+v after %d requests", e, len(s.calls))
	}
}

// refusing is a network that refuses the connections it is told to.
func refusing(o *b2.Options, dials *atomic.Int32, refuse func(dial int32) bool) {
	o.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if refuse(dials.Add(1)) {
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
}

func TestACreateThatNeverLeftIsRepeated(t *testing.T) {
	s := serve(t, nil)
	var dials atomic.Int32
	client, clock := connect(t, s, func(o *b2.Options) {
		refusing(o, &dials, func(dial int32) bool { return dial == 2 || dial == 3 })
	})
	if err := client.Call(t.Context(), "b2_create_bucket", nil, nil); err != nil {
		t.Error(err)
	}
	if len(clock.waits) != 2 || len(s.of("b2_create_bucket")) != 1 {
		t.Errorf("waited %v, arrived %d", clock.waits, len(s.of("b2_create_bucket")))
	}
}

// brokenTransport fails without saying whether the request left.
type brokenTransport struct {
	http.RoundTripper
	after string
}

func (b brokenTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil && strings.HasSuffix(r.URL.Path, b.after) {
		_ = resp.Body.Close()
		return nil, errors.New("lost")
	}
	return resp, err
}

func TestAnUnknownTransportErrorIsUnknown(t *testing.T) {
	client, _ := connect(t, serve(t, nil), func(o *b2.Options) {
		o.Transport = brokenTransport{http.DefaultTransport, "b2_create_key"}
	})
	if e := kindError(t, client.Call(t.Context(), "b2_create_key", nil, nil)); !e.OutcomeUnknown || e.Status != 0 {
		t.Errorf("got %+v", e)
	}
}

func TestAnEndpointThatNeverAnswersIsReportedSoon(t *testing.T) {
	var dials atomic.Int32
	client, clock := connect(t, serve(t, nil), func(o *b2.Options) {
		refusing(o, &dials, func(int32) bool { return true })
	})
	e := kindError(t, client.Call(t.Context(), "b2_create_key", nil, nil))
	if e.OutcomeUnknown || !errors.Is(e, syscall.ECONNREFUSED) || dials.Load() != 3 {
		t.Errorf("got %+v after %d dials", e, dials.Load())
	}
	checkWaits(t, clock.waits, []within{about(time.Second), about(1500 * time.Millisecond)})
}

func TestOddReplies(t *testing.T) {
	huge := answer{status: 500, body: strings.Repeat("x", 1<<20), media: "text/html"}
	for name, c := range map[string]struct {
		answer answer
		says   string
	}{
		"a login page":       {answer{status: 200, body: "<html>", media: "text/html; charset=utf-8"}, "text/html"},
		"a gateway's page":   {huge, "text/html"},
		"an empty reply":     {answer{status: 200, body: " "}, "not from B2"},
		"a list":             {answer{status: 200, body: "[]"}, "not from B2"},
		"JSON without code":  {answer{status: 404, body: `{"error": "x"}`}, "not from B2"},
		"no type":            {answer{status: 403, body: "x", media: ";"}, "no content type"},
		"another host":       {answer{status: 307, body: "x"}, "redirect"},
		"a too early client": {answer{status: 425, body: "x"}, "not from B2"},
	} {
		s := serve(t, map[string][]answer{"b2_create_key": {c.answer}})
		client, _ := connect(t, s, nil)
		e := kindError(t, client.Call(t.Context(), "b2_create_key", nil, nil))
		if e.Status != c.answer.status || e.Code != "" || len(e.Error()) > 200 {
			t.Errorf("%s: got %+v", name, e)
		}
		wantContains(t, name, e.Message, c.says)
	}
}
