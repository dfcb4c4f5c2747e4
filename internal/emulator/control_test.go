package emulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/emulator"
)

// control sends a control request and gives the reply.
func (w *world) control(method, name, body string) (int, map[string]any) {
	w.t.Helper()
	server := httptest.NewServer(w.server.Control())
	defer server.Close()
	r, err := http.NewRequest(method, server.URL+emulator.ControlPath+name, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	reply, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, members(w.t, reply)
}

// The control endpoint tells what was asked and what there is, moves the clock
// and takes faults, and empties the account.
func TestControl(t *testing.T) {
	w := open(t, emulator.Options{Seed: 5})
	first := w.call(200, "b2_create_bucket", keepLastVersion)
	w.upload(first["bucketId"].(string), "f", "old")
	w.upload(first["bucketId"].(string), "f", "new")
	want := func(method, name, body string, status int, what string, expected any) {
		t.Helper()
		got, told := w.control(method, name, body)
		if got != status {
			t.Errorf("%s %s: status %d, want %d: %v", method, name, got, status, told)
		}
		if diff := cmp.Diff(expected, told[what]); diff != "" {
			t.Errorf("%s %s: %s (-want +got):\n%s", method, name, what, diff)
		}
	}
	want("GET", "calls", "", 200, "counts", map[string]any{
		"b2_authorize_account": 1.0, "b2_create_bucket": 1.0, "b2_get_upload_url": 2.0, "b2_upload_file": 2.0,
	})
	want("DELETE", "calls", "", 200, "counts", nil)
	want("GET", "calls", "", 200, "calls", []any{})
	want("POST", "clock", `{"advance":"36h"}`, 200, "now", "2026-11-05T00:00:00Z")
	want("GET", "clock", "", 200, "ahead", "36h0m0s")
	if _, told := w.control("GET", "dump", ""); len(told["files"].([]any)) != 1 {
		t.Errorf("the pass left %v", told["files"])
	}
	want("POST", "clock", `{"set":"2027-01-01T00:00:00+01:00"}`, 200, "now", "2026-12-31T23:00:00Z")
	want("POST", "faults", `{"fault":"b2_list_keys:nth=2,status=503"}`, 200, "faults",
		[]any{"b2_list_keys:nth=2,status=503,code=service_unavailable"})
	want("DELETE", "faults", "", 200, "faults", nil)
	want("GET", "faults", "", 200, "faults", []any{})
	for body, why := range map[string]string{
		`{}`:                             `give one of "set", a time, and "advance", a duration`,
		`{"advance":"tomorrow"}`:         `"tomorrow" is no duration; write it like 72h`,
		`{"set":"9999-12-31T23:59:59Z"}`: "the clock shows the years 2000 to 2199",
		`{"set":"0001-01-01T00:00:00Z"}`: "the clock shows the years 2000 to 2199",
		`{"advance":"2562047h"}`:         "the clock shows the years 2000 to 2199",
		`{"advance":"-1000000h"}`:        "the clock shows the years 2000 to 2199",
		`{"back":1}`:                     "the body is not the JSON object that /_b2form/clock takes: json: unknown field \"back\"",
	} {
		want("POST", "clock", body, 400, "error", why)
	}
	want("POST", "faults", `{"fault":"b2_list_keys"}`, 400, "error",
		`fault "b2_list_keys": begin with the name of a call, or *, and a colon, as in b2_create_key:status=503`)
	want("POST", "reset", "", 200, "error", nil)
	if _, told := w.control("GET", "dump", ""); len(told["buckets"].([]any)) != 0 || len(told["files"].([]any)) != 0 {
		t.Errorf("a reset left %v", told)
	}
	if !w.server.Now().Equal(noon) {
		t.Errorf("after a reset it is %s", w.server.Now())
	}
	w.authorize(w.server.MasterKeyID(), w.server.MasterKey())
	if again := w.call(200, "b2_create_bucket", keepLastVersion); again["bucketId"] != first["bucketId"] {
		t.Error("after a reset the same request gets another ID")
	}
}

// Contents go with a reset too.
func TestResetOfFolder(t *testing.T) {
	dir := t.TempDir()
	w := open(t, emulator.Options{Dir: dir})
	w.fill("my-bucket")
	if err := w.server.Reset(); err != nil {
		t.Fatal(err)
	}
	if n := contents(t, dir); n != 0 {
		t.Errorf("%d contents are left", n)
	}
}

// Other machines, invented names of this one and web pages are refused.
func TestControlIsLocal(t *testing.T) {
	s := open(t, emulator.Options{}).server
	status := func(change func(*http.Request)) int {
		r := httptest.NewRequest("POST", "http://127.0.0.1:8025"+emulator.ControlPath+"reset", nil)
		r.RemoteAddr = "127.0.0.1:4711"
		change(r)
		w := httptest.NewRecorder()
		s.Control().ServeHTTP(w, r)
		return w.Code
	}
	for name, test := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"local":           {func(*http.Request) {}, 200},
		"local, IPv6":     {func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:4711", "[::1]:8025" }, 200},
		"another machine": {func(r *http.Request) { r.RemoteAddr = "192.0.2.1:4711" }, 403},
		"rebound name":    {func(r *http.Request) { r.Host = "evil.example:8025" }, 403},
		"web page":        {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
	} {
		if got := status(test.change); got != test.want {
			t.Errorf("%s: status %d, want %d", name, got, test.want)
		}
	}
}

// Every switch has a name, and every name throws a switch of its own.
func TestSwitches(t *testing.T) {
	thrown := map[string]bool{}
	for _, sw := range emulator.AllSwitches() {
		text := sw.Name
		if sw.ValuePlaceholder != "" {
			text += "=7"
		}
		var s emulator.Switches
		if err := s.Set(text); err != nil {
			t.Error(err)
		}
		record, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		thrown[string(record)] = true
	}
	var none emulator.Switches
	record, err := json.Marshal(none)
	if err != nil {
		t.Fatal(err)
	}
	if fields := len(members(t, record)); len(thrown) != fields || thrown[string(record)] {
		t.Errorf("%d switches are thrown, there are %d", len(thrown), fields)
	}
	for text, want := range map[string]string{
		"mars":              `there is no switch "mars"`,
		"steady-revision=1": `switch "steady-revision": it takes no value`,
		"taken-name":        `switch "taken-name": it needs a value, after an equals sign`,
		"daily-class-c=few": `switch "daily-class-c": it needs a positive number, after an equals sign`,
	} {
		if err := none.Set(text); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
}

// The Date header follows the account's clock, unless a switch keeps it real.
func TestDateFollowsClock(t *testing.T) {
	for _, real := range []bool{false, true} {
		w := open(t, emulator.Options{Switches: emulator.Switches{RealDateHeader: real}})
		w.server.Advance(time.Hour)
		response, err := http.Get(w.http.URL + "/b2api/v4/b2_authorize_account")
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		want := noon.Add(time.Hour)
		if real {
			want = noon
		}
		if got := response.Header.Get("Date"); got != want.Format(http.TimeFormat) {
			t.Errorf("real %v: it is %s", real, got)
		}
	}
}

// What is remembered of requests is bounded in bytes, whoever sends them.
func TestCallsAreBounded(t *testing.T) {
	w := open(t, emulator.Options{})
	w.token = "none"
	body := `{"bucketName":"` + strings.Repeat("x", 900_000) + `"}`
	for range 40 {
		w.call(401, "b2_list_buckets", "%s", body)
	}
	total, calls := 0, w.server.Calls()
	for _, c := range calls {
		total += len(c.Body)
	}
	if total > 32<<20 || total < 8<<20 {
		t.Errorf("%d bytes of %d bodies are remembered", total, len(calls))
	}
}
