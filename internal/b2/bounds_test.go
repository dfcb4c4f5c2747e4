package b2_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"b2form/internal/b2"
	"b2form/schema/wire"
)

// A stream is a body without end, of which each read costs time.
type stream struct {
	clock *clock
	chunk int // bytes a read
	takes time.Duration
	read  int
}

func (s *stream) Read(p []byte) (int, error) {
	n := min(len(p), s.chunk)
	for i := range n {
		p[i] = '{'
	}
	s.read += n
	s.clock.mu.Lock()
	s.clock.now = s.clock.now.Add(s.takes)
	s.clock.mu.Unlock()
	return n, nil
}

func (s *stream) Close() error { return nil }

// streaming answers all but the authorization by streams.
func streaming(t *testing.T, announced int64, chunk int, takes time.Duration) (*b2.Client, *[]*stream) {
	t.Helper()
	var streams []*stream
	s := serve(t, nil)
	c := newClock()
	client, err := b2.New(b2.Options{KeyID: keyID, Key: key, Endpoint: s.URL, Now: c.Now, Sleep: c.Wait,
		Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "b2_authorize_account") {
				return http.DefaultTransport.RoundTrip(r)
			}
			body := &stream{clock: c, chunk: chunk, takes: takes}
			streams = append(streams, body)
			return &http.Response{StatusCode: 200, Body: body, ContentLength: announced, Header: http.Header{}}, nil
		})})
	if err != nil {
		t.Fatal(err)
	}
	return client, &streams
}

// A reply is read up to a bound that depends on what was asked for, and one that
// announces more is not read at all.
func TestRepliesAreBounded(t *testing.T) {
	for _, c := range []struct {
		method    string
		announced int64
		most      int
		says      string
	}{
		{"b2_create_bucket", -1, 1<<20 + 1, "larger than 1 MiB"},
		{"b2_create_bucket", 2 << 20, 0, "larger than 1 MiB"},
		{"b2_list_keys", -1, 64<<20 + 1, "larger than 64 MiB"},
		{"b2_list_buckets", 1 << 40, 0, "larger than 64 MiB"},
	} {
		client, streams := streaming(t, c.announced, 1<<16, 0)
		err := client.Call(t.Context(), c.method, nil, nil)
		e := kindError(t, err)
		wantContains(t, c.method, e.Message, c.says)
		if !errors.Is(err, wire.ErrReplyTooLarge) || len(*streams) != 1 || (*streams)[0].read > c.most {
			t.Errorf("%s: %d requests, %d bytes read, want at most %d; %v", c.method, len(*streams), (*streams)[0].read, c.most, err)
		}
		if e.OutcomeUnknown != (c.method == "b2_create_bucket") {
			t.Errorf("%s: unknown: %v", c.method, e.OutcomeUnknown)
		}
	}
}

// Content is read up to the size that it is said to have.
func TestContentIsBoundedByItsSize(t *testing.T) {
	for size, most := range map[int64]int{0: 64<<20 + 1, 5000: 5001} {
		client, streams := streaming(t, -1, 1<<16, 0)
		_, err := client.Download(t.Context(), "4_z", size)
		if !errors.Is(err, wire.ErrReplyTooLarge) || len(*streams) != 1 || (*streams)[0].read > most {
			t.Errorf("%d: %v after %d bytes", size, err, (*streams)[0].read)
		}
	}
	client, streams := streaming(t, 1<<40, 1<<16, 0)
	if _, err := client.Download(t.Context(), "4_z", 1<<41); !errors.Is(err, wire.ErrReplyTooLarge) || (*streams)[0].read > 0 {
		t.Errorf("a terabyte: %v", err)
	}
}

// A reply that trickles in is given up after a minute, and asked for once more.
func TestTricklingReplies(t *testing.T) {
	client, streams := streaming(t, -1, 1, time.Second)
	err := client.Call(t.Context(), "b2_list_buckets", nil, nil)
	wantContains(t, "error", kindError(t, err).Message, "in time")
	if len(*streams) != 2 || (*streams)[0].read > 62 {
		t.Errorf("%d requests, %d bytes read", len(*streams), (*streams)[0].read)
	}
	client, streams = streaming(t, -1, 2048, time.Second) // slow, but it comes
	err = client.Call(t.Context(), "b2_create_bucket", nil, nil)
	if !errors.Is(err, wire.ErrReplyTooLarge) || len(*streams) != 1 {
		t.Errorf("%d requests; %v", len(*streams), err)
	}
}

// What the service says of URLs and tokens is refused at once where it cannot be
// used, or the token could be read on its way.
func TestAuthorizationThatCannotBeUsed(t *testing.T) {
	for _, c := range []struct{ realm, api, download, token, says string }{
		{"https", "file:///etc/passwd", "", token, "API URL"},
		{"http", "file:///etc/passwd", "", token, "API URL"},
		{"https", "http://api.example", "", token, "API URL"},
		{"https", "HTTP://api.example", "", token, "API URL"},
		{"https", "https://", "", token, "API URL"},
		{"https", "https://a:b@api.example", "", token, "API URL"},
		{"https", "::", "", token, "API URL"},
		{"https", "https://api.example", "http://f004.example", token, "download URL"},
		{"https", "https://api.example", "", "a\r\nX: y", "no header can carry"},
		{"https", "https://api.example", "", "a\u00e9", "no header can carry"},
	} {
		asked := 0
		clock := newClock()
		endpoint := map[string]string{"https": "https://b2.example", "http": "http://127.0.0.1:1"}[c.realm]
		client, err := b2.New(b2.Options{KeyID: keyID, Key: key, Endpoint: endpoint, Now: clock.Now, Sleep: clock.Wait,
			Transport: roundTrip(func(*http.Request) (*http.Response, error) {
				asked++
				text, err := json.Marshal(map[string]any{"accountId": "5f0571db506a", "authorizationToken": c.token,
					"apiInfo": map[string]any{"storageApi": map[string]any{"apiUrl": c.api, "downloadUrl": c.download}}})
				return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(string(text)))}, err
			})})
		if err != nil {
			t.Fatal(err)
		}
		err = client.Call(t.Context(), "b2_list_buckets", nil, nil)
		wantContains(t, c.api, kindError(t, err).Message, c.says)
		if asked != 1 || len(clock.waits) > 0 {
			t.Errorf("%+v: %d requests, waits %v", c, asked, clock.waits)
		}
	}
}
