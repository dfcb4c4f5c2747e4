package emulator

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func nowZero() time.Time { return time.Unix(0, 0) }

// Whatever a request's members are, asking for them gives values or one refusal.
func FuzzParams(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":["x"],"c":{"d":true},"e":[{"f":null}],"g":"h"}`), "a=1&b=x,y&c=%7B%7D&e=%5B%5D")
	f.Add([]byte(`{"a":1e400,"b":[1],"c":[],"e":[[]]}`), "a=&a=2")
	f.Fuzz(func(t *testing.T, body []byte, query string) {
		all := []*params{}
		if p, err := parseBody(body); err == nil {
			all = append(all, p)
		}
		if q, err := url.ParseQuery(query); err == nil {
			all = append(all, parseQuery(q))
		}
		for _, p := range all {
			for _, name := range sortedKeys(p.values) {
				p.text(name)
				p.integer(name)
				p.flag(name)
				p.texts(name)
				p.pairs(name)
				p.objects(name)
				if in := p.object(name); in != nil {
					in.requiredText("d")
				}
			}
			var r *refusal
			if err := p.finish(true); err != nil && (!errors.As(err, &r) || r.status != 400) {
				t.Errorf("error %v", err)
			}
		}
	})
}

// What the store has of files and keys is read as it was written, and nothing
// else is.
func FuzzRecords(f *testing.F) {
	whole := file{
		ID: "4_z", BucketID: strings.Repeat("b", bucketIDLength), Name: "a/b", Action: uploaded, CreationOrder: 7, UploadMillis: 1000,
		Length: 3,
		SHA1:   emptySHA1, ContentType: "text/plain", Info: map[string]string{"k": "v", "l": ""}, Encryption: sseB2,
		Lock: fileLock{"governance", 5, "on"}, LargeFileParts: []largeFilePart{{"4_z.1", 2}, {"4_z.2", 1}},
	}
	f.Add(whole.storeKey(), whole.record())
	k := key{ID: "004", Name: "n", Capabilities: []string{"listFiles"}, BucketIDs: []string{"b"}, IsMultiBucket: true, ExpiresMillis: 9}
	f.Add("k004", k.record())
	f.Fuzz(func(t *testing.T, at string, record []byte) {
		if got, err := readFile(at, record); err == nil {
			if again, err := readFile(got.storeKey(), got.record()); err != nil || !cmp.Equal(got, again) {
				t.Errorf("%+v became %+v, %v", got, again, err)
			}
		}
		if got, err := readKey(at, record); err == nil {
			if again, err := readKey(at, got.record()); err != nil || !cmp.Equal(got, again) {
				t.Errorf("%+v became %+v, %v", got, again, err)
			}
		}
	})
}

// IDs and tokens that this account did not give out are recognised as such.
func FuzzNames(f *testing.F) {
	s, err := Open(Options{Now: nowZero})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("4_z8d625eb63be2775577c70e1a_f1052a33c70ab4806_d20211118_m153703_c002_v0001160_t0027")
	f.Add(s.token(s.account.ID, accountTokenPurpose, 4, nowZero()))
	f.Add(s.downloadAuthorizationToken(downloadAuthorization{issued: nowZero(), until: nowZero(), bucketID: "8d625eb63be2775577c70e1a"}))
	f.Fuzz(func(t *testing.T, text string) {
		if bucketID, _, _, ok := readFileID(text); ok && !isHex(bucketID, bucketIDLength) {
			t.Errorf("%q has the bucket %q", text, bucketID)
		}
		if id, issued, version, ok := s.readToken(text, accountTokenPurpose); ok && s.token(id, accountTokenPurpose, version,
			issued) != text {
			t.Errorf("%q is no token of ours", text)
		}
		c := &call{server: s, now: nowZero().Add(-1)}
		if c.tokenGrantsDownload(text, file{BucketID: "8d625eb63be2775577c70e1a", Name: "f"}, nil) && !strings.HasSuffix(text, "_dnld") {
			t.Errorf("%q is no share of ours", text)
		}
	})
}

// A range that is taken lies within the file.
func FuzzRange(f *testing.F) {
	for _, header := range []string{"bytes=0-1", "bytes=5-", "bytes=-3", "bytes=-0", "bytes=9-8", "lines=1-2"} {
		f.Add(header, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		size = max(size, 0)
		from, length, err := parseRange(header, size)
		if err == nil && (from < 0 || length < 1 || from+length > size) {
			t.Errorf("%q of %d bytes is %d bytes from %d", header, size, length, from)
		}
	})
}

// Every text is printed as JSON that says the same.
func FuzzQuote(f *testing.F) {
	f.Add("a\"b\\c\n\x00\u2028é\xff")
	f.Fuzz(func(t *testing.T, text string) {
		var w jsonPrinter
		w.quote(text)
		var got string
		if err := json.Unmarshal(w.out, &got); err != nil {
			t.Fatalf("%q: %v", w.out, err)
		}
		want, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var same string
		if err := json.Unmarshal(want, &same); err != nil || got != same {
			t.Errorf("%q is printed as %q, %v", text, got, err)
		}
	})
}

// Keys and file names of any kind find their way into the store and back.
func FuzzPack(f *testing.F) {
	f.Add("a", "", strings.Repeat("x", 300))
	f.Fuzz(func(t *testing.T, a, b, c string) {
		want := []string{a, b, c}
		if got, ok := unpack(pack(want...)); !ok || !cmp.Equal(want, got) {
			t.Errorf("%q became %q", want, got)
		}
		unpack([]byte(a))
	})
}
