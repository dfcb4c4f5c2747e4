package emulator_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"b2form/internal/emulator"
)

// FuzzServe sends any request to an account that has something in it: every
// one gets a reply in the service's form.
func FuzzServe(f *testing.F) {
	for _, method := range []string{"b2_authorize_account", "b2_create_bucket", "b2_create_key", "b2_list_file_versions"} {
		f.Add("POST", "/b2api/v4/"+method, "Content-Type", "text/plain", []byte(`{"accountId":"ACCOUNT","maxFileCount":1}`))
	}
	f.Add("POST", "/b2api/v1/b2_update_bucket", "X-Bz-Test-Mode", "force_cap_exceeded",
		[]byte(`{"accountId":"ACCOUNT","bucketId":"BUCKET","lifecycleRules":[{"fileNamePrefix":""}],"ifRevisionIs":1e3}`))
	f.Add("GET", "/b2api/v3/b2_list_buckets?accountId=ACCOUNT&bucketTypes=%5B1%5D", "", "", []byte{})
	f.Add("POST", "/b2api/v2/b2_upload_file/BUCKET/x", "X-Bz-File-Name", "%ff", []byte("content"))
	f.Add("PUT", "/file/my-bucket/f?Authorization=x", "Range", "bytes=1-", []byte{})
	f.Add("POST", "/b2api/v4/b2_set_bucket_notification_rules", "", "",
		[]byte(`{"bucketId":"BUCKET","eventNotificationRules":[{"name":"rule-one","eventTypes":["b2:ObjectCreated:*"],`+
			`"targetConfiguration":{"url":"https://x"}}]}`))
	f.Add("POST", "/b2api/v4/b2_copy_part", "", "",
		[]byte(`{"sourceFileId":"FILE","largeFileId":"FILE","partNumber":1,"range":"bytes=-1"}`))
	f.Add("POST", "/b2api/v4/b2_finish_large_file", "", "", []byte(`{"fileId":"FILE","partSha1Array":["",""]}`))
	f.Add("GET", "/b2api/v4/b2_download_file_by_id?fileId=FILE", "Authorization",
		"3_20261103120000_8d625eb63be2775577c70e1a_da39a3ee5e6b4b0d3255bfef95601890afd80709_000_20261103130000_0000_dnld", []byte{})
	f.Add("HEAD", "/b2api/v4/b2_list_file_names?bucketId=BUCKET&prefix=%00&delimiter=/", "Authorization", "x", []byte{})
	f.Fuzz(func(t *testing.T, method, target, name, value string, body []byte) {
		s, err := emulator.Open(emulator.Options{Now: nowNoon})
		if err != nil {
			t.Fatal(err)
		}
		token, bucketID, fileID := inhabit(t, s)
		fill := strings.NewReplacer("ACCOUNT", s.AccountID(), "BUCKET", bucketID, "FILE", fileID)
		r, err := http.NewRequest(method, "http://b2"+fill.Replace(target), strings.NewReader(fill.Replace(string(body))))
		if err != nil {
			return // no client can send it
		}
		r.Header.Set("Authorization", token)
		if name != "" {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code < 200 || w.Code > 599 || w.Code == 500 {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if _, err := s.Dump(); err != nil {
			t.Error(err)
		}
	})
}

// inhabit makes a bucket with an unfinished file in it, and gives a token.
func inhabit(t *testing.T, s *emulator.Server) (token, bucketID, fileID string) {
	call := func(method, body string) map[string]any {
		r := httptest.NewRequest("POST", "/b2api/v4/"+method, bytes.NewReader([]byte(body)))
		r.SetBasicAuth(s.MasterKeyID(), s.MasterKey())
		if token != "" {
			r.Header.Set("Authorization", token)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return members(t, w.Body.Bytes())
	}
	token = call("b2_authorize_account", "{}")["authorizationToken"].(string)
	b := call("b2_create_bucket", `{"accountId":"`+s.AccountID()+`","bucketName":"my-bucket","bucketType":"allPrivate"}`)
	bucketID = b["bucketId"].(string)
	f := call("b2_start_large_file", `{"bucketId":"`+bucketID+`","fileName":"a/b","contentType":"b2/x-auto"}`)
	return token, bucketID, f["fileId"].(string)
}

// Every fault that is understood has a text that means the same.
func FuzzFault(f *testing.F) {
	for _, text := range []string{"*:drop", `b2_list_keys:nth=2,after,status=503,message=a\,b\\`, "b2_hide_file:late=3,hang,delay=1s",
		"b2_upload_file:cap,count=always"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := emulator.ParseFault(text)
		if err != nil {
			return
		}
		if got, err := emulator.ParseFault(want.String()); err != nil || got != want {
			t.Errorf("%q is %+v and as %q %+v, %v", text, want, want.String(), got, err)
		}
	})
}

// The control endpoint answers anything with JSON and without an error of its
// own.
func FuzzControl(f *testing.F) {
	f.Add("POST", "clock", []byte(`{"advance":"72h"}`))
	f.Add("POST", "clock", []byte(`{"set":"9999-12-31T23:59:59Z"}`))
	f.Add("POST", "faults", []byte(`{"fault":"*:drop"}`))
	f.Add("DELETE", "calls", []byte{})
	f.Add("GET", "dump?x=%00", []byte{})
	f.Add("POST", "reset", []byte("x"))
	f.Fuzz(func(t *testing.T, method, path string, body []byte) {
		s, err := emulator.Open(emulator.Options{Now: nowNoon})
		if err != nil {
			t.Fatal(err)
		}
		inhabit(t, s)
		r, err := http.NewRequest(method, "http://localhost"+emulator.ControlPath+path, bytes.NewReader(body))
		if err != nil {
			return // no client can send it
		}
		r.RemoteAddr = "127.0.0.1:4711"
		w := httptest.NewRecorder()
		s.Control().ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if _, err := s.Dump(); err != nil {
			t.Error(err)
		}
	})
}
