package b2_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"b2form/internal/b2"
)

func TestHTTP2(t *testing.T) {
	s := serve(t, nil)
	var protocol int
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocol = r.ProtoMajor
		s.ServeHTTP(w, r)
	}))
	web.EnableHTTP2 = true
	web.StartTLS()
	defer web.Close()
	s.URL = web.URL
	s.script = map[string][]answer{"b2_create_key": {{}}, "b2_list_keys": {{}}}
	client, _ := connect(t, s, func(o *b2.Options) { o.Transport = web.Client().Transport })
	if err := client.Call(t.Context(), "b2_list_keys", nil, nil); err != nil || protocol != 2 {
		t.Errorf("over HTTP/%d: %v", protocol, err)
	}
	if e := kindError(t, client.Call(t.Context(), "b2_create_key", nil, nil)); !e.OutcomeUnknown || e.Status != 0 {
		t.Errorf("a create whose stream broke: %+v", e)
	}
}

// endless is the body of a reply without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	copy(p, "{")
	return len(p), nil
}

func (endless) Close() error { return nil }

func TestAnEndlessRefusal(t *testing.T) {
	s := serve(t, nil)
	client, _ := connect(t, s, func(o *b2.Options) {
		o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "b2_list_keys") {
				return &http.Response{StatusCode: 400, Body: endless{}, ContentLength: -1}, nil
			}
			return http.DefaultTransport.RoundTrip(r)
		})
	})
	if e := kindError(t, client.Call(t.Context(), "b2_list_keys", nil, nil)); e.Status != 400 {
		t.Errorf("got %+v", e)
	}
}

func TestAReplyThatBreaksOff(t *testing.T) {
	s := serve(t, nil)
	client, clock := connect(t, s, nil)
	if _, err := client.Authorize(t.Context()); err != nil {
		t.Fatal(err)
	}
	requests := 0
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if requests++; requests == 1 {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"keys": [`)
			return
		}
		_, _ = io.WriteString(w, `{"keys": []}`)
	})
	var out struct{ Keys []any }
	if err := client.Call(t.Context(), "b2_list_keys", nil, &out); err != nil || out.Keys == nil || len(clock.waits) != 1 {
		t.Errorf("got %+v, %v after %v", out, err, clock.waits)
	}
}

// BenchmarkListing is one page of 10 000 keys.
func BenchmarkListing(b *testing.B) {
	one := `{"accountId":"5f0571db506a","applicationKeyId":"0045f0571db506a0000000017","capabilities":["listFiles","readFiles"],` +
		`"keyName":"photos-plus","options":["s3"]}`
	body := []byte(`{"keys":[` + strings.Repeat(one+",", 9999) + one + `]}`)
	client, err := b2.New(b2.Options{KeyID: keyID, Key: key, Now: newClock().Now,
		Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			reply := body
			if strings.HasSuffix(r.URL.Path, "authorize_account") {
				reply = []byte(`{"accountId": "a", "authorizationToken": "t", "apiInfo": {"storageApi": {"apiUrl": "https://api"}}}`)
			}
			return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(reply)), ContentLength: int64(len(reply))}, nil
		})})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var out struct {
			Keys []struct{ ApplicationKeyID, KeyName string }
		}
		if err := client.Call(b.Context(), "b2_list_keys", nil, &out); err != nil {
			b.Fatal(err)
		}
	}
}
