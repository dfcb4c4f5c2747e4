package b2_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"b2form/internal/b2"
	"b2form/internal/emulator"
)

func TestUploadAndDownload(t *testing.T) {
	a := open(t)
	content := []byte("{\"version\": 1}\n")
	a.QueueFault(emulator.Fault{Method: "b2_upload_file", Status: 503, Code: "service_unavailable"})
	a.QueueFault(emulator.Fault{Method: "b2_upload_file", Nth: 2, Status: 401, Code: "expired_auth_token"})
	a.QueueFault(emulator.Fault{Method: "b2_upload_file", Nth: 3}) // the connection breaks
	id, err := a.client.Upload(t.Context(), a.bucket, "team a/ünïcode+1.json", "application/json", content)
	if err != nil {
		t.Fatal(err)
	}
	if urls, tries := a.count("b2_get_upload_url"), a.count("b2_upload_file"); urls != 4 || tries != 4 {
		t.Errorf("%d upload URLs for %d tries, want 4 for 4", urls, tries)
	}
	a.call(t, "b2_hide_file", object{"bucketId": a.bucket, "fileName": "team a/ünïcode+1.json"}, nil)
	a.QueueFault(emulator.Fault{Method: "b2_download_file_by_id", Status: 503, Code: "service_unavailable"})
	got, err := a.client.Download(t.Context(), id, 0)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("Download = %q, %v", got, err)
	}
	now := a.clock.Now()
	if service, sent := a.client.ServiceTime(); !service.Equal(now.Truncate(time.Second)) || !sent.Equal(now) {
		t.Errorf("Time = %s, %s; want %s", service, sent, now)
	}
}

func TestUploadGivesUp(t *testing.T) {
	a := open(t)
	a.QueueFault(emulator.Fault{Method: "b2_upload_file", Status: 403, Code: "storage_cap_exceeded", Message: "Cannot upload files"})
	_, err := a.client.Upload(t.Context(), a.bucket, "x", "text/plain", nil)
	if e := kindError(t, err); e.Code != "storage_cap_exceeded" || a.count("b2_upload_file") != 1 {
		t.Errorf("%v after %d tries", err, a.count("b2_upload_file"))
	}
	a.QueueFault(emulator.Fault{Method: "b2_upload_file", Count: 20, Status: 503, Code: "service_unavailable"})
	_, err = a.client.Upload(t.Context(), a.bucket, "x", "text/plain", nil)
	if e := kindError(t, err); !e.OutcomeUnknown || a.count("b2_upload_file") != 6 {
		t.Errorf("%v after %d tries; want one whose outcome is unknown, after 5 more", err, a.count("b2_upload_file"))
	}
}

func TestDownloadNoticesDamage(t *testing.T) {
	s := serve(t, map[string][]answer{"b2_download_file_by_id": {ok("whole"), ok("whole")}})
	s.download, s.digest = s.URL, "0000000000000000000000000000000000000000"
	client, _ := connect(t, s, nil)
	_, err := client.Download(t.Context(), "4_z", 0)
	wantContains(t, "error", kindError(t, err).Message, "connection broke")
}

// Whoever must not act any more sends nothing, not even the next attempt at
// what was under way.
func TestCheckBeforeEveryAttempt(t *testing.T) {
	s := serve(t, map[string][]answer{"b2_list_keys": {refuse(503, "busy"), refuse(503, "busy"), ok(`{"keys": []}`)}})
	client, _ := connect(t, s, nil)
	if _, err := client.Authorize(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone := errors.New("the lease is gone")
	asked := 0
	ctx := b2.WithAttemptCheck(context.Background(), func() error {
		if asked++; asked == 2 {
			return gone
		}
		return nil
	})
	err := client.Call(ctx, "b2_list_keys", nil, nil)
	if e := kindError(t, err); !errors.Is(err, gone) || e.OutcomeUnknown || len(s.of("b2_list_keys")) != 1 {
		t.Errorf("%v after %d requests", err, len(s.of("b2_list_keys")))
	}
}
