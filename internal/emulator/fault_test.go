package emulator_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
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
	w.server.QueueFault(emulator.Fault{Method: "b2_create_bucket"})
	w.server.QueueFault(emulator.Fault{Method: "b2_create_bucket", Nth: 2, TakesEffect: true})
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
		"emulator: no behaviour has the number 26":               {Now: nowNoon, BrokenBehaviours: []int{26}},
	} {
		if _, err := emulator.Open(o); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// The text of a fault says all that a fault can do.
func TestFaultText(t *testing.T) {
	for text, want := range map[string]emulator.Fault{
		"*:drop": {Nth: 1, Count: 1},
		"b2_create_key:nth=2,after,status=503,retry_after=1": {
			Method: "b2_create_key", Nth: 2, Count: 1, TakesEffect: true, Status: 503, Code: "service_unavailable", RetryAfter: 1,
		},
		`b2_list_keys:count=always,status=418,code=teapot,message=a\, b`: {
			Method: "b2_list_keys", Nth: 1, Count: -1, Status: 418, Code: "teapot", Message: "a, b",
		},
		"b2_update_bucket:expired":     {Method: "b2_update_bucket", Nth: 1, Count: 1, Status: 401, Code: "expired_auth_token"},
		"b2_list_buckets:cap,count=3":  {Method: "b2_list_buckets", Nth: 1, Count: 3, Status: 403, Code: "transaction_cap_exceeded"},
		"b2_create_bucket:late=3,drop": {Method: "b2_create_bucket", Nth: 1, Count: 1, LateByRequests: 3},
		"b2_upload_file:hang":          {Method: "b2_upload_file", Nth: 1, Count: 1, Hang: true},
		"b2_upload_part:delay=1.5s":    {Method: "b2_upload_part", Nth: 1, Count: 1, Delay: 1500 * time.Millisecond, DelayOnly: true},
		"b2_hide_file:delay=1s,status=500": {Method: "b2_hide_file", Nth: 1, Count: 1, Delay: time.Second, Status: 500,
			Code: "internal_error"},
		"b2_list_file_names:delay=1ms,after": {},
		"b2_list_file_names:nth=0,drop":      {},
		"b2_list_file_names:status=200":      {},
		"b2_list_file_names:status=418":      {},
		"b2_list_file_names:code=x,drop":     {},
		"b2_list_file_names:hang,status=500": {},
		"b2_list_file_names:after,late=1":    {},
		"b2_list_file_names:":                {},
		"b2_list_file_names:drop,x":          {},
		"b2_list_file_names:delay=1h":        {},
		"b2_list_everything:drop":            {},
		"drop":                               {},
	} {
		got, err := emulator.ParseFault(text)
		if wrong := want == (emulator.Fault{}); wrong != (err != nil) {
			t.Errorf("%s: error %v", text, err)
			continue
		} else if wrong {
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		if again, err := emulator.ParseFault(got.String()); err != nil || again != got {
			t.Errorf("%s became %s, which is %+v, %v", text, got, again, err)
		}
	}
}

// What is late takes effect after so many further requests, with its content.
func TestLateEffect(t *testing.T) {
	w := open(t, emulator.Options{})
	id := w.call(200, "b2_create_bucket", `{"bucketName":"my-bucket","bucketType":"allPrivate"}`)["bucketId"].(string)
	u := w.call(200, "b2_get_upload_url", `{"bucketId":%q}`, id)
	w.server.QueueFault(emulator.Fault{Method: "b2_upload_file", LateByRequests: 2, Status: 503, Code: "service_unavailable"})
	_, path, _ := strings.Cut(u["uploadUrl"].(string), ".com")
	r := w.request("POST", path, "content")
	r.Header.Set("Authorization", u["authorizationToken"].(string))
	for name, value := range map[string]string{"X-Bz-File-Name": "f", "X-Bz-Content-Sha1": "do_not_verify", "Content-Type": "text/plain"} {
		r.Header.Set(name, value)
	}
	w.want(503, r)
	for n := range 3 {
		listed := w.call(200, "b2_list_file_names", `{"bucketId":%q}`, id)["files"].([]any)
		if want := n / 2; len(listed) != want {
			t.Errorf("after %d further requests there are %d files, want %d", n, len(listed), want)
		}
	}
}

// A reply that never comes keeps the connection for as long as the client likes,
// but not for ever.
func TestHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := emulator.Open(emulator.Options{Now: nowNoon})
		if err != nil {
			t.Fatal(err)
		}
		s.QueueFault(emulator.Fault{Hang: true, Count: 2})
		ask := func(ctx context.Context) (broken chan any) {
			broken = make(chan any, 1)
			go func() {
				defer func() { broken <- recover() }()
				s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/b2api/v4/b2_authorize_account", nil))
			}()
			synctest.Wait()
			if len(broken) > 0 {
				t.Error("a reply came")
			}
			return broken
		}
		ctx, giveUp := context.WithCancel(t.Context())
		impatient := ask(ctx)
		giveUp()
		start := time.Now()
		for _, broken := range []chan any{impatient, ask(t.Context())} {
			if got := <-broken; got != http.ErrAbortHandler {
				t.Errorf("panic %v", got)
			}
		}
		if waited := time.Since(start); waited != 10*time.Minute {
			t.Errorf("the connection broke after %s", waited)
		}
	})
}

// What waits is unharmed.
func TestDelay(t *testing.T) {
	w := open(t, emulator.Options{})
	w.server.QueueFault(emulator.Fault{Delay: time.Millisecond, DelayOnly: true})
	w.authorize(w.server.MasterKeyID(), w.server.MasterKey())
	if left := w.server.Faults(); len(left) != 0 {
		t.Errorf("faults are left: %v", left)
	}
}

// A fault may hit for ever, until it is cleared.
func TestFaultForAlways(t *testing.T) {
	w := open(t, emulator.Options{})
	w.server.QueueFault(emulator.Fault{Method: "b2_list_keys", Count: -1, Status: 429, Code: "too_many_requests"})
	for range 3 {
		w.call(429, "b2_list_keys", `{"maxKeyCount":1}`)
	}
	w.server.ClearFaults()
	w.call(200, "b2_list_keys", `{"maxKeyCount":1}`)
}

// What the help lists can be written.
func TestFaultItemsCanBeWritten(t *testing.T) {
	values := strings.NewReplacer("=N", "=404", "=TEXT", "=text", "=DURATION", "=5ms")
	for _, i := range emulator.FaultItems() {
		text := "b2_create_key:drop," + values.Replace(i.Text)
		switch i.Text {
		case "status=N", "expired", "cap", "drop", "hang", "delay=DURATION": // they are all that happens
			text = "b2_create_key:" + values.Replace(i.Text)
		case "code=TEXT", "message=TEXT", "retry_after=N": // of a reply
			text = "b2_create_key:status=500," + values.Replace(i.Text)
		}
		if f, err := emulator.ParseFault(text); err != nil || i.Doc == "" {
			t.Errorf("%s: %+v, %v", text, f, err)
		}
	}
}
