package state_test

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"b2form/internal/b2"
	"b2form/internal/state"
	"b2form/schema/config"
)

// endless are spaces without end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

func (e *endless) Close() error { return nil }

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Of a shared state no more is read than was stored, and it is refused where B2 answers
// with another size. One that an older b2form has stored is read without.
func TestSharedIsAsLargeAsStored(t *testing.T) {
	inCloud(t, func(t *testing.T, c *cloud) {
		b := c.shared(&wire{}, time.Now)
		s := opened(t, b, state.Options{})
		must(t, s.PutEntriesCloseIntents(entryNumber("app", 1)))
		must(t, s.Close())
		longer := &endless{}
		for name, change := range map[string]func(*http.Response){
			"longer":  func(r *http.Response) { r.Body, r.ContentLength = longer, -1 },
			"shorter": func(r *http.Response) { r.Body, r.ContentLength = http.NoBody, 0 },
		} {
			client, err := b2.New(b2.Options{KeyID: c.MasterKeyID(), Key: c.MasterKey(), Endpoint: "https://b2.test", Now: time.Now,
				Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
					reply, err := (&wire{service: c}).RoundTrip(r)
					if err == nil && strings.HasSuffix(r.URL.Path, "b2_download_file_by_id") {
						reply.Header.Del("X-Bz-Content-Sha1")
						change(reply)
					}
					return reply, err
				})})
			must(t, err)
			var e *state.Error
			_, err = state.BucketBackend{Remote: client, BucketName: "acme-states", Prefix: config.DefaultPrefix}.Read(t.Context())
			if !errors.As(err, &e) || e.Summary != "The state is not what was stored" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if longer.read > 1<<16 {
			t.Errorf("%d bytes were read", longer.read)
		}
		for key, pair := range c.info() {
			pair = regexp.MustCompile(`,"size":\d+`).ReplaceAllString(strings.Replace(pair, `"format":5`, `"format":3`, 1), "")
			must(t, b.Remote.Call(t.Context(), "b2_update_bucket",
				map[string]any{"bucketId": c.bucketID(), "bucketInfo": map[string]string{key: pair}}, nil))
		}
		if got := readShared(t, b); len(got.Entries) != 1 {
			t.Errorf("from an older b2form: %+v", got)
		}
		s = opened(t, b, state.Options{})
		must(t, s.PutEntriesCloseIntents(entryNumber("app", 2)))
		must(t, s.Close())
		for _, pair := range c.info() {
			if !strings.Contains(pair, `"format":5`) || !strings.Contains(pair, `"size":`) {
				t.Errorf("the pointer is %s", pair)
			}
		}
	})
}
