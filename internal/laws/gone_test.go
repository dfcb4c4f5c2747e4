package laws_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"

	"b2form/internal/emulator"
	"b2form/internal/testrun"
)

const removable = `
bucket "full" {
  name          = "acme-full"
  force_destroy = true
}
notification_rules "full" {
  bucket = "acme-kept"
  rules {
    name                 = "upload"
    event_types          = ["b2:ObjectCreated:*"]
    target_configuration { url = "https://example.com/hook" }
  }
}
file "hidden" {
  bucket  = "acme-kept"
  name    = "hidden.txt"
  content = "a"
}
file "purged" {
  bucket        = "acme-kept"
  name          = "purged.txt"
  content       = "a"
  force_destroy = true
}
key "single" {
  name    = "single"
  access  = "read_only"
  buckets = ["acme-kept"]
}
key "several" {
  name    = "several"
  access  = "read_only"
  buckets = ["acme-kept", "acme-full"]
}
`

// Somebody else was faster with every call that removes something; or the reply to it is
// lost, and B2 answers the next attempt. In whatever way B2 says that there is nothing to
// remove, that is success.
func TestWhatIsGoneIsRemoved(t *testing.T) {
	removing := map[string]string{
		"b2_delete_bucket":                 "bad_bucket_id",
		"b2_set_bucket_notification_rules": "bad_bucket_id",
		"b2_hide_file":                     "already_hidden",
		"b2_delete_file_version":           "file_not_present",
		"b2_cancel_large_file":             "bad_request",
		"b2_delete_key":                    "bad_request",
	}
	type answer struct {
		method, code string
		status       int
		lose         bool
	}
	var answers []answer
	for _, method := range slices.Sorted(maps.Keys(removing)) {
		for _, lose := range []bool{false, true} {
			for _, status := range []int{400, 404} {
				answers = append(answers, answer{method, removing[method], status, lose})
				if strings.Contains(method, "file") {
					answers = append(answers, answer{method, "no_such_file", status, lose})
				}
			}
			answers = append(answers, answer{method, "not_found", 404, lose})
		}
	}
	for _, a := range testrun.SampleUnlessExhaustive(t, 4, 1, answers) {
		t.Run(fmt.Sprintf("%s %d %s %v", a.method, a.status, a.code, a.lose), func(t *testing.T) {
			destroyForestalled(t, a.method, a.lose, func() *http.Response { return refusal(a.status, a.code) })
		})
	}
}

func destroyForestalled(t *testing.T, method string, lose bool, refuse func() *http.Response) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	w.by("b2_create_bucket", `{"bucketName": "acme-kept", "bucketType": "allPrivate"}`)
	w.configure(removable)
	w.done(mode{})
	full := w.by("b2_list_buckets", `{"bucketName": "acme-full"}`)["buckets"].([]any)[0].(map[string]any)["bucketId"]
	w.by("b2_start_large_file", `{"bucketId": %q, "fileName": "big", "contentType": "text/plain"}`, full)
	calls := w.forestall(method, lose, refuse)
	w.done(mode{destroy: true})
	w.traffic.around = nil
	if *calls == 0 {
		t.Fatal("the call was not made")
	}
	w.settled(mode{destroy: true})
	if dump := w.dump(); strings.Contains(dump, "acme-full") || strings.Contains(dump, "keyName") {
		t.Errorf("something is left:\n%s", dump)
	}
}

// forestall has every request of a call take effect and then be refused. With lose the
// reply to the first attempt at each is lost instead, where the client tries again.
func (w *world) forestall(method string, lose bool, refuse func() *http.Response) (calls *int) {
	calls = new(int)
	seen := map[string]bool{}
	w.traffic.around = func(_ int, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if path.Base(r.URL.Path) != method {
			return send()
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if seen[string(body)] {
			return refuse(), nil
		}
		seen[string(body)] = true
		*calls++
		reply, err := send()
		if err == nil {
			err = reply.Body.Close()
		}
		if err == nil && lose {
			err = io.ErrUnexpectedEOF
		}
		return refuse(), err
	}
	return calls
}
