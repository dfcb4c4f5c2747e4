package emulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/emulator"
)

// slow is a content that tells when it is first asked for, and then waits.
type slow struct {
	io.Reader
	asked chan<- struct{}
	goOn  <-chan struct{}
}

func (s *slow) Read(p []byte) (int, error) {
	if s.asked != nil {
		close(s.asked)
		s.asked = nil
		<-s.goOn
	}
	return s.Reader.Read(p)
}

// TestOneUploadPerToken sends a second upload with the token of one that still
// goes on, which is refused, and with a token of its own, which is not.
func TestOneUploadPerToken(t *testing.T) {
	w := open(t, emulator.Options{})
	bucket := w.call(200, "b2_create_bucket", `{"bucketName":"my-bucket","bucketType":"allPrivate"}`)["bucketId"].(string)
	large := w.call(200, "b2_start_large_file", `{"bucketId":%q,"contentType":"text/plain","fileName":"large"}`, bucket)["fileId"].(string)
	for _, kind := range []struct{ url, body, path string }{
		{"b2_get_upload_url", fmt.Sprintf(`{"bucketId":%q}`, bucket), "/b2api/v4/b2_upload_file/" + bucket + "/x"},
		{"b2_get_upload_part_url", fmt.Sprintf(`{"fileId":%q}`, large), "/b2api/v4/b2_upload_part/" + large + "/x"},
	} {
		upload := func(token string) *http.Request {
			r := w.request("POST", kind.path, "content")
			r.Header = http.Header{
				"Authorization": {token}, "X-Bz-File-Name": {"file"}, "X-Bz-Part-Number": {"1"},
				"Content-Type": {"text/plain"}, "X-Bz-Content-Sha1": {"do_not_verify"},
			}
			return r
		}
		token := func() string {
			return w.want(200, w.request("POST", "/b2api/v4/"+kind.url, kind.body))["authorizationToken"].(string)
		}
		first, second := token(), token()
		asked, goOn, done := make(chan struct{}), make(chan struct{}), make(chan int)
		going := upload(first)
		going.Body = io.NopCloser(&slow{strings.NewReader("content"), asked, goOn})
		go func() {
			reply := httptest.NewRecorder()
			w.server.ServeHTTP(reply, going)
			done <- reply.Code
		}()
		<-asked
		want := map[string]any{"status": 400.0, "code": "auth_token_limit", "message": "more than one upload using auth token " + first}
		if d := cmp.Diff(want, w.want(400, upload(first))); d != "" {
			t.Errorf("%s: a second upload (-want +got):\n%s", kind.path, d)
		}
		w.want(200, upload(second))
		close(goOn)
		if got := <-done; got != 200 {
			t.Errorf("%s: the first upload: status %d", kind.path, got)
		}
		w.want(200, upload(first))
	}
}

// TestUploadTakesWhatItHolds measures what an upload to an account in memory
// allocates: its content once, and little else.
func TestUploadTakesWhatItHolds(t *testing.T) {
	const size = 20 << 20
	w := open(t, emulator.Options{})
	bucket := w.call(200, "b2_create_bucket", `{"bucketName":"my-bucket","bucketType":"allPrivate"}`)["bucketId"].(string)
	token := w.call(200, "b2_get_upload_url", `{"bucketId":%q}`, bucket)["authorizationToken"].(string)
	r := w.request("POST", "/b2api/v4/b2_upload_file/"+bucket+"/x", strings.Repeat("0123456789abcdef", size/16))
	r.Header = http.Header{
		"Authorization": {token}, "X-Bz-File-Name": {"file"}, "Content-Type": {"a/b"},
		"X-Bz-Content-Sha1": {"do_not_verify"},
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	reply := httptest.NewRecorder()
	w.server.ServeHTTP(reply, r)
	runtime.ReadMemStats(&after)
	if reply.Code != 200 {
		t.Fatal(reply.Body)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > size+size/20 {
		t.Errorf("%d bytes allocated %d", size, took)
	}
	got := httptest.NewRecorder()
	read := w.request("GET", "/file/my-bucket/file", "")
	read.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", 16<<20-8, 16<<20+99))
	w.server.ServeHTTP(got, read)
	if got.Code != 206 || got.Body.Len() != 108 || !strings.HasPrefix(got.Body.String(), "89abcdef01234567") {
		t.Errorf("read over blocks: status %d, %d bytes", got.Code, got.Body.Len())
	}
}
