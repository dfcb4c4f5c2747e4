package b2_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/b2"
	"b2form/schema/wire"
)

func asError(err error) (*wire.Error, bool) { return errors.AsType[*wire.Error](err) }

func TestOneAuthorizationServesAllCalls(t *testing.T) {
	s := serve(t, nil)
	client, _ := connect(t, s, func(o *b2.Options) { o.UserAgent = "b2form/1.2" })
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			if err := client.Call(t.Context(), "b2_list_buckets", nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	authorizations := s.of("b2_authorize_account")
	if len(authorizations) != 1 {
		t.Fatalf("%d authorizations, want 1", len(authorizations))
	}
	a := authorizations[0]
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(keyID+":"+key))
	got := []string{a.Verb, a.Path, a.Header.Get("Authorization"), a.Header.Get("User-Agent")}
	if diff := cmp.Diff([]string{"GET", "/b2api/v4/b2_authorize_account", basic, "b2form/1.2"}, got); diff != "" {
		t.Error(diff)
	}
	c := s.of("b2_list_buckets")[0]
	got = []string{c.Verb, c.Path, c.Header.Get("Authorization"), c.Header.Get("Content-Type")}
	if diff := cmp.Diff([]string{"POST", "/b2api/v4/b2_list_buckets", token, "application/json"}, got); diff != "" {
		t.Error(diff)
	}
	if n := client.Stats().RequestsByMethod["b2_list_buckets"]; n != 40 {
		t.Errorf("counted %d requests, want 40", n)
	}
}

func TestAccount(t *testing.T) {
	s := serve(t, nil)
	s.account = `"buckets": [{"id": "b1", "name": "photos"}, {"id": "b2", "name": null}], "capabilities": ["listFiles"], "namePrefix": "x/"`
	client, _ := connect(t, s, nil)
	got, err := client.Authorize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := &wire.Account{
		ID: "5f0571db506a", KeyID: keyID, Realm: s.URL,
		S3URL: "https://s3.us-west-004.backblazeb2.com", DownloadURL: "https://f004.backblazeb2.com", APIURL: s.URL,
		Capabilities: []string{"listFiles"}, NamePrefix: "x/",
		AllowedBuckets: []wire.AllowedBucket{{ID: "b1", Name: "photos"}, {ID: "b2"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnExpiringKeyAndAnUnlimitedOne(t *testing.T) {
	s := serve(t, nil)
	body := s.authorization()
	var reply map[string]any
	if err := json.Unmarshal([]byte(body), &reply); err != nil {
		t.Fatal(err)
	}
	reply["applicationKeyExpirationTimestamp"] = 1793880000000
	changed, err := json.Marshal(reply)
	if err != nil {
		t.Fatal(err)
	}
	s.script = map[string][]answer{"b2_authorize_account": {ok(string(changed))}}
	client, _ := connect(t, s, nil)
	got, err := client.Authorize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC); !got.KeyExpires.Equal(want) || got.AllowedBuckets != nil {
		t.Errorf("expires %v, limited to %v; want %v and no limit", got.KeyExpires, got.AllowedBuckets, want)
	}
}

func TestRequestBodies(t *testing.T) {
	type object = map[string]any
	const account = "5f0571db506a"
	for _, c := range []struct {
		method string
		in     any
		path   string
		want   object
	}{
		{"b2_list_buckets", nil, "/b2api/v4/b2_list_buckets", object{"accountId": account}},
		{"b2_list_keys", object{"maxKeyCount": 10}, "/b2api/v4/b2_list_keys", object{"accountId": account, "maxKeyCount": 10.0}},
		{"v3/b2_create_key", object{"keyName": "<k>"}, "/b2api/v3/b2_create_key", object{"accountId": account, "keyName": "<k>"}},
		{"b2_create_bucket", object{"accountId": nil}, "/b2api/v4/b2_create_bucket", object{"accountId": account}},
		{"b2_update_bucket", object{"accountId": "other"}, "/b2api/v4/b2_update_bucket", object{"accountId": "other"}},
		{"b2_delete_bucket", struct {
			ID string `json:"bucketId"`
		}{"b1"}, "/b2api/v4/b2_delete_bucket", object{"accountId": account, "bucketId": "b1"}},
		{"v3/b2_delete_key", object{"applicationKeyId": "k"}, "/b2api/v3/b2_delete_key", object{"applicationKeyId": "k"}},
		{"b2_get_bucket_notification_rules", object{"bucketId": "b"}, "/b2api/v4/b2_get_bucket_notification_rules",
			object{"bucketId": "b"}},
	} {
		s := serve(t, nil)
		client, _ := connect(t, s, nil)
		if err := client.Call(t.Context(), c.method, c.in, nil); err != nil {
			t.Fatal(err)
		}
		got := s.calls[1]
		if got.Path != c.path {
			t.Errorf("%s went to %s", c.method, got.Path)
		}
		if diff := cmp.Diff(c.want, got.Body); diff != "" {
			t.Errorf("%s: %s", c.method, diff)
		}
	}
}

func TestReplies(t *testing.T) {
	const body = "{\n  \"buckets\": [ {\"bucketId\": \"b1\"} ]\n}\n"
	s := serve(t, map[string][]answer{"b2_list_buckets": {ok(body), ok(body), ok(`{"buckets": "none"}`)}})
	client, _ := connect(t, s, nil)
	var raw json.RawMessage
	if err := client.Call(t.Context(), "b2_list_buckets", nil, &raw); err != nil || string(raw) != body {
		t.Errorf("raw reply %q, %v", raw, err)
	}
	var out struct{ Buckets []struct{ BucketID string } }
	if err := client.Call(t.Context(), "b2_list_buckets", nil, &out); err != nil || out.Buckets[0].BucketID != "b1" {
		t.Errorf("decoded reply %+v, %v", out, err)
	}
	err := client.Call(t.Context(), "b2_list_buckets", nil, &out)
	wantContains(t, "error", kindError(t, err).Error(), "b2_list_buckets", "documented shape")
	wantContains(t, "cause", errors.Unwrap(kindError(t, err)).Error(), "buckets")
}

func TestARequestThatIsNoObject(t *testing.T) {
	client, _ := connect(t, serve(t, nil), nil)
	for _, in := range []any{[]int{1}, func() {}} {
		wantContains(t, "error", kindError(t, client.Call(t.Context(), "b2_list_keys", in, nil)).Error(), "JSON object")
	}
}

func TestCancelled(t *testing.T) {
	s := serve(t, map[string][]answer{"b2_list_buckets": {refuse(500, "internal_error"), refuse(500, "internal_error")}})
	ctx, cancel := context.WithCancel(t.Context())
	client, clock := connect(t, s, func(o *b2.Options) {
		o.OnAttempt = func(e b2.AttemptEvent) { // during the first back-off
			if e.Status == 500 {
				cancel()
			}
		}
	})
	err := client.Call(ctx, "b2_list_buckets", nil, nil)
	if e := kindError(t, err); !errors.Is(err, context.Canceled) || e.OutcomeUnknown || e.Status != 0 {
		t.Errorf("got %+v", e)
	}
	if len(clock.waits) != 1 || len(s.of("b2_list_buckets")) != 1 {
		t.Errorf("waited %v, sent %d", clock.waits, len(s.of("b2_list_buckets")))
	}
	if err := client.Call(ctx, "b2_create_bucket", nil, nil); !errors.Is(err, context.Canceled) || kindError(t, err).OutcomeUnknown {
		t.Errorf("a create that was never sent: %v", err)
	}
}
