package emulator_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/emulator"
)

// A client that gives up does not wait for the latency, and nothing happens.
func TestLatencyEndsWithClient(t *testing.T) {
	s, err := emulator.Open(emulator.Options{Now: nowNoon, Latency: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/b2api/v4/b2_authorize_account", nil))
	if calls := s.Calls(); len(calls) != 0 {
		t.Errorf("calls: %v", calls)
	}
}

// A request may come straight from a client, without a network in between.
func TestNoNetwork(t *testing.T) {
	s, err := emulator.Open(emulator.Options{Now: nowNoon})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", "https://api.backblazeb2.com/b2api/v4/b2_authorize_account", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(s.MasterKeyID(), s.MasterKey())
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

// A lost reply leaves what the request did, and a lost request nothing; both
// are in the log without a status.
func TestLostConnections(t *testing.T) {
	w := open(t, emulator.Options{})
	w.server.ResetCalls()
	w.server.Fail(emulator.Fault{Method: "b2_create_bucket"})
	w.server.Fail(emulator.Fault{Method: "b2_create_bucket", Nth: 2, After: true})
	for _, name := range []string{"lost-request", "lost-reply"} {
		r := w.request("POST", "/b2api/v4/b2_create_bucket",
			`{"accountId":"`+w.server.AccountID()+`","bucketName":"`+name+`","bucketType":"allPrivate"}`)
		if response, err := http.DefaultClient.Do(r); err == nil {
			t.Errorf("%s: a reply came: %s", name, response.Status)
		}
	}
	var names []any
	for _, b := range w.dump().Buckets {
		names = append(names, b["bucketName"])
	}
	if diff := cmp.Diff([]any{"lost-reply"}, names); diff != "" {
		t.Error(diff)
	}
	for _, c := range w.server.Calls() {
		if c.Status != 0 {
			t.Errorf("%s has status %d", c.Method, c.Status)
		}
	}
}

// Options that make no sense are refused with the reason.
func TestOpenRefuses(t *testing.T) {
	for want, o := range map[string]emulator.Options{
		"emulator: no clock given":                               {},
		`emulator: region "mars" does not look like us-west-004`: {Now: nowNoon, Region: "mars"},
		`emulator: master key ID "me" is not 12 hex digits`:      {Now: nowNoon, KeyID: "me"},
		"emulator: no behaviour has the number 26":               {Now: nowNoon, Broken: []int{26}},
	} {
		if _, err := emulator.Open(o); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
