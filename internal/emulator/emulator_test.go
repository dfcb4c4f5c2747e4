package emulator_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"b2form/internal/emulator"
	"b2form/internal/testrun"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() == "" { // benchmarks tell what a disk takes
		if err := testrun.UseMemoryTempDir(); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// noon is when every test begins.
var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

func nowNoon() time.Time { return noon }

// A world is an emulator behind a loopback server and who talks to it.
type world struct {
	t      *testing.T
	server *emulator.Server
	http   *httptest.Server
	token  string
}

// open starts an emulator with a clock that stands still at noon unless o has
// one, and authorizes with the master key.
func open(t *testing.T, o emulator.Options) *world {
	t.Helper()
	if o.Now == nil {
		o.Now = nowNoon
	}
	s, err := emulator.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, server: s, http: httptest.NewServer(s)}
	t.Cleanup(func() {
		w.http.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w.authorize(s.MasterKeyID(), s.MasterKey())
	return w
}

func (w *world) authorize(id, secret string) {
	w.t.Helper()
	r := w.request("GET", "/b2api/v4/b2_authorize_account", "")
	r.SetBasicAuth(id, secret)
	w.token = w.want(200, r)["authorizationToken"].(string)
}

func (w *world) request(method, path, body string) *http.Request {
	r, err := http.NewRequest(method, w.http.URL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", w.token)
	return r
}

// want sends the request, demands the status and gives the reply's members.
func (w *world) want(status int, r *http.Request) map[string]any {
	w.t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if response.StatusCode != status {
		w.t.Fatalf("%s: status %d, want %d: %s", r.URL.Path, response.StatusCode, status, body)
	}
	return members(w.t, body)
}

func members(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return m
}

// call posts to a method of version 4. The body is a format in which accountId
// is written by itself, where the method takes it.
func (w *world) call(status int, method, body string, args ...any) map[string]any {
	w.t.Helper()
	body = fmt.Sprintf(body, args...)
	switch method {
	case "b2_create_bucket", "b2_delete_bucket", "b2_list_buckets", "b2_update_bucket", "b2_create_key", "b2_list_keys":
		body = fmt.Sprintf(`{"accountId":%q,`, w.server.AccountID()) + body[1:]
	}
	return w.want(status, w.request("POST", "/b2api/v4/"+method, body))
}

func TestControlPlane(t *testing.T) {
	w := open(t, emulator.Options{Seed: 7})
	made := w.call(200, "b2_create_bucket", `{"bucketName":"photos-2026","bucketType":"allPrivate"}`)
	if made["revision"] != 2.0 {
		t.Errorf("revision after create: %v", made["revision"])
	}
	updated := w.call(200, "b2_update_bucket",
		`{"bucketId":%q,"bucketInfo":{"Team":"web"},"ifRevisionIs":2}`, made["bucketId"])
	if updated["revision"] != 3.0 {
		t.Errorf("revision after update: %v", updated["revision"])
	}
	k := w.call(200, "b2_create_key",
		`{"keyName":"reader","capabilities":["listBuckets"],"bucketIds":[%q]}`, made["bucketId"])
	w.authorize(k["applicationKeyId"].(string), k["applicationKey"].(string))
	w.call(401, "b2_list_buckets", `{"bucketTypes":["all"]}`)
	w.call(200, "b2_list_buckets", `{"bucketTypes":["all"],"bucketId":%q}`, made["bucketId"])
	w.authorize(w.server.MasterKeyID(), w.server.MasterKey())
	w.call(200, "b2_delete_key", `{"applicationKeyId":%q}`, k["applicationKeyId"])
	gone := w.call(200, "b2_delete_bucket", `{"bucketId":%q}`, made["bucketId"])
	if gone["revision"] != 4.0 {
		t.Errorf("revision after delete: %v", gone["revision"])
	}
}
