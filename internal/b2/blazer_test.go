package b2_test

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"b2form/internal/b2"
	"b2form/internal/emulator"
)

// An account is an emulator behind a client, with one bucket.
type account struct {
	*emulator.Server
	client *b2.Client
	clock  *clock
	bucket string
}

func open(t *testing.T) *account {
	t.Helper()
	web := httptest.NewUnstartedServer(nil)
	c := newClock()
	s, err := emulator.Open(emulator.Options{Now: c.Now, Seed: 1, URL: "http://" + web.Listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	web.Config.Handler = s
	web.Start()
	t.Cleanup(func() {
		web.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	client, err := b2.New(b2.Options{KeyID: s.MasterKeyID(), Key: s.MasterKey(), Endpoint: web.URL, Now: c.Now, Sleep: c.Wait})
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ BucketID string }
	a := &account{Server: s, client: client, clock: c}
	a.call(t, "b2_create_bucket", object{"bucketName": "photos-library", "bucketType": "allPrivate"}, &made)
	a.bucket = made.BucketID
	return a
}

func (a *account) call(t *testing.T, method string, in, out any) {
	t.Helper()
	if err := a.client.Call(t.Context(), method, in, out); err != nil {
		t.Fatal(err)
	}
}

// upload puts n files of one byte into the bucket.
func (a *account) upload(t *testing.T, n int) {
	t.Helper()
	var to struct{ UploadURL, AuthorizationToken string }
	a.call(t, "b2_get_upload_url", object{"bucketId": a.bucket}, &to)
	for i := range n {
		r, err := http.NewRequest(http.MethodPost, to.UploadURL, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", to.AuthorizationToken)
		r.Header.Set("Content-Type", "text/plain")
		r.Header.Set("X-Bz-File-Name", fmt.Sprintf("file-%04d", i))
		r.Header.Set("X-Bz-Content-Sha1", fmt.Sprintf("%x", sha1.Sum([]byte("x"))))
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("upload: %s", resp.Status)
		}
	}
}

func (a *account) count(method string) int {
	n := 0
	for _, c := range a.Calls() {
		if c.Method == method {
			n++
		}
	}
	return n
}

func TestEmpty(t *testing.T) {
	a := open(t)
	a.upload(t, 1002)
	a.call(t, "b2_hide_file", object{"bucketId": a.bucket, "fileName": "file-0000"}, nil)
	for _, name := range []string{"big-1", "big-2"} {
		a.call(t, "b2_start_large_file", object{"bucketId": a.bucket, "fileName": name, "contentType": "text/plain"}, nil)
	}
	a.ResetCalls()
	a.QueueFault(emulator.Fault{Method: "b2_delete_file_version", Nth: 10, TakesEffect: true})
	var seen []int
	n, err := a.client.Empty(t.Context(), a.bucket, func(removed int) { seen = append(seen, removed) })
	if err != nil || n != 1005 {
		t.Fatalf("removed %d: %v", n, err)
	}
	if len(seen) != 1005 || !slices.IsSorted(seen) || seen[1004] != 1005 {
		t.Errorf("progress was %v", seen)
	}
	a.call(t, "b2_delete_bucket", object{"bucketId": a.bucket}, nil)
	for method, want := range map[string]int{
		"b2_authorize_account": 0, "b2_list_buckets": 0, "b2_list_file_versions": 2, "b2_list_unfinished_large_files": 1,
		"b2_cancel_large_file": 2,
	} {
		if got := a.count(method); got != want {
			t.Errorf("%s was called %d times, want %d", method, got, want)
		}
	}
}

func TestEmptyDoesNotMindWhatIsGone(t *testing.T) {
	a := open(t)
	a.upload(t, 5)
	a.call(t, "b2_start_large_file", object{"bucketId": a.bucket, "fileName": "big", "contentType": "text/plain"}, nil)
	a.QueueFault(emulator.Fault{Method: "b2_delete_file_version", Nth: 2, TakesEffect: true, Status: 400, Code: "file_not_present"})
	a.QueueFault(emulator.Fault{Method: "b2_cancel_large_file", TakesEffect: true, Status: 400, Code: "bad_request",
		Message: "No active upload"})
	if n, err := a.client.Empty(t.Context(), a.bucket, nil); err != nil || n != 4 {
		t.Errorf("removed %d: %v; want 4, the others were gone", n, err)
	}
}

func TestEmptySurvivesAnExpiredToken(t *testing.T) {
	a := open(t)
	a.upload(t, 30)
	a.QueueFault(emulator.Fault{Method: "b2_delete_file_version", Nth: 3, Status: 401, Code: "expired_auth_token"})
	if n, err := a.client.Empty(t.Context(), a.bucket, nil); err != nil || n != 30 {
		t.Errorf("removed %d: %v", n, err)
	}
}

func TestEmptyStopsAtALockedFile(t *testing.T) {
	a := open(t)
	a.upload(t, 40)
	a.QueueFault(emulator.Fault{Method: "b2_delete_file_version", Nth: 3, Status: 401, Code: "access_denied", Message: "Access Denied"})
	n, err := a.client.Empty(t.Context(), a.bucket, nil)
	e := kindError(t, err)
	wantContains(t, "message", e.Message, `file "file-00`, "Access Denied")
	summary, detail := b2.Explain(err)
	wantContains(t, "summary", summary, "protected by Object Lock")
	wantContains(t, "detail", detail, "legal hold", "file-00")
	if strings.Contains(detail, "capabilities") {
		t.Errorf("no capability would help, but the detail lists them: %s", detail)
	}
	dump := a.count("b2_delete_file_version")
	if n == 0 || n > 39 || dump != n+1 {
		t.Errorf("removed %d with %d deletions: the count must match what was sent", n, dump)
	}
}

func TestEmptyOfAMissingBucketAndCancelled(t *testing.T) {
	a := open(t)
	_, err := a.client.Empty(t.Context(), strings.Repeat("0", 24), nil)
	if e := kindError(t, err); e.Code != "bad_bucket_id" || e.Method != "b2_list_file_versions" {
		t.Errorf("got %+v", e)
	}
	a.upload(t, 60)
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	n, err := a.client.Empty(ctx, a.bucket, func(int) { once.Do(cancel) })
	if !errors.Is(err, context.Canceled) || n == 0 || n == 60 {
		t.Errorf("removed %d: %v", n, err)
	}
	kindError(t, err)
}
