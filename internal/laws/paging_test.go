package laws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"b2form/internal/emulator"
)

// endless answers a listing by its first page again and again, each time with a next
// one, which marker gives.
func endless(w *world, listing, member string, marker func(n int) string) *int {
	pages := new(int)
	var page map[string]any
	w.traffic.around = func(_ int, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if !strings.HasSuffix(r.URL.Path, listing) {
			return send()
		}
		if *pages++; page == nil {
			reply, err := send()
			if err != nil {
				return nil, err
			}
			if err := errors.Join(json.NewDecoder(reply.Body).Decode(&page), reply.Body.Close()); err != nil {
				return nil, err
			}
		}
		page[member] = marker(*pages)
		text := indented(w, page)
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text))}, nil
	}
	return pages
}

// A listing whose pages do not advance ends with an error, after a few requests.
func TestListingsThatDoNotAdvance(t *testing.T) {
	const gone = "bucket \"photos\" {\n  name = \"acme-photos\"\n  force_destroy = true\n}\n"
	for _, c := range []struct {
		name, listing, member, says string
		marker                      func(int) string
		most                        int
	}{
		{"keys, the same again", "b2_list_keys", "nextApplicationKeyId", "goes in circles", func(int) string { return "0000" }, 2},
		{"keys, ever new", "b2_list_keys", "nextApplicationKeyId", "does not end", func(n int) string { return fmt.Sprint(n) }, 11},
		{"versions, the same again", "b2_list_file_versions", "nextFileName", "goes in circles", func(int) string { return "a" }, 2},
		{"versions, ever new", "b2_list_file_versions", "nextFileName", "does not end", func(n int) string { return fmt.Sprint("z", n) },
			11},
		{"unfinished files", "b2_list_unfinished_large_files", "nextFileId", "does not end", func(n int) string { return fmt.Sprint(n) },
			11},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			defer w.close()
			w.configure(gone, aKey)
			w.done(mode{})
			pages := endless(w, c.listing, c.member, c.marker)
			if _, _, err := w.apply(mode{destroy: true}); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the run said: %v", err)
			}
			if *pages == 0 || *pages > c.most {
				t.Errorf("%d pages were asked for, want at most %d", *pages, c.most)
			}
		})
	}
}

// A page of keys that is larger than a client reads is asked for again in smaller
// ones.
func TestLargePagesOfKeys(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	w.crowd(150)
	w.configure(aKey)
	w.done(mode{})
	var sizes []any
	w.traffic.around = func(n int, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		reply, err := send()
		if err != nil || !strings.HasSuffix(r.URL.Path, "b2_list_keys") {
			return reply, err
		}
		size := w.traffic.since(n - 1)[0].members(w)["maxKeyCount"]
		if sizes = append(sizes, size); size != 100. {
			reply.ContentLength = 100 << 20
		}
		return reply, nil
	}
	w.settled(mode{})
	if fmt.Sprint(sizes) != "[10000 1000 100 100]" {
		t.Errorf("pages of %v keys were asked for", sizes)
	}
}

// So does one that brings new keys for ever.
func TestKeysWithoutEnd(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	w.configure(aKey)
	w.done(mode{})
	pages := 0
	w.traffic.around = func(_ int, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if !strings.HasSuffix(r.URL.Path, "b2_list_keys") {
			return send()
		}
		pages++
		text := fmt.Sprintf(`{"keys":[{"applicationKeyId":"%d"}],"nextApplicationKeyId":"%d"}`, pages, pages)
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(text)), ContentLength: int64(len(text))}, nil
	}
	if _, _, err := w.apply(mode{}); err == nil || !strings.Contains(err.Error(), "After 1000 pages with 1000 keys it goes on") {
		t.Errorf("the run said: %v", err)
	}
	if pages != 1000 {
		t.Errorf("%d pages were asked for", pages)
	}
}
