package account_test

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/account"
	"b2form/internal/b2"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

func (l *lab) put(bucketID string, names ...string) {
	l.t.Helper()
	for _, name := range names {
		u := wire.Upload{BucketID: bucketID, Name: name, ContentType: "b2/x-auto", Payload: &wire.Payload{
			Size: 1, SHA1: fmt.Sprintf("%x", sha1.Sum([]byte("x"))),
			Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil },
		}}
		if _, err := l.master.Put(l.t.Context(), u); err != nil {
			l.t.Fatal(err)
		}
	}
}

// files reads what is live of the named ones, and counts the requests.
func (l *lab) files(c *b2.Client, identities ...string) (found []string, requests int, err error) {
	l.t.Helper()
	who, k := l.who(c), l.file()
	l.server.ResetCalls()
	s, err := account.ReadSnapshot(l.t.Context(), c, who, l.kinds, account.Query{"bucket": {}, "file": {WantedIdentities: identities}},
		account.RecentEntries{})
	if err != nil {
		return nil, 0, err
	}
	if !s.WasReadAtAll(k) {
		return nil, 0, errors.New("files were not read")
	}
	for _, call := range l.server.Calls() {
		if call.Method == "b2_list_file_names" {
			requests++
		}
	}
	return names(s, k), requests, nil
}

func TestReadFiles(t *testing.T) {
	l := newLab(t, nil)
	site, other := l.bucket("acme-site"), l.bucket("acme-other")
	l.put(site, "a", "a/b", "a/c.txt", "a.txt", "z", "ü/1", "ý/2")
	l.put(other, "a")
	l.call("b2_hide_file", map[string]any{"bucketId": site, "fileName": "a.txt"})
	for i := range 12 {
		l.put(site, fmt.Sprintf("m/%02d", i))
	}
	tests := []struct {
		name     string
		wanted   []string
		found    []string
		requests int
	}{
		{"none", nil, nil, 0},
		{"one", []string{"acme-site/a"}, []string{"acme-site/a"}, 1},
		{"one whose name others begin with", []string{"acme-site/m"}, nil, 1},
		{"one that is hidden", []string{"acme-site/a.txt"}, nil, 1},
		{"one in a bucket that does not exist", []string{"acme-gone/a"}, nil, 0},
		{"several near each other", []string{"acme-site/m/00", "acme-site/m/11", "acme-site/m/zz"},
			[]string{"acme-site/m/00", "acme-site/m/11"}, 1},
		{"far from each other", []string{"acme-site/a", "acme-site/a/b", "acme-site/z"},
			[]string{"acme-site/a", "acme-site/a/b", "acme-site/z"}, 1},
		{"names that differ within a character", []string{"acme-site/ü/1", "acme-site/ý/2"}, []string{"acme-site/ü/1", "acme-site/ý/2"}, 1},
		{"two buckets", []string{"acme-other/a", "acme-site/a"}, []string{"acme-other/a", "acme-site/a"}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, requests, err := l.files(l.master, tt.wanted...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.found, found); diff != "" || requests != tt.requests {
				t.Errorf("%d requests, want %d (-want +got):\n%s", requests, tt.requests, diff)
			}
		})
	}
}

// What the first page of a listing does not reach is asked for by name.
func TestReadFilesBeyondOnePage(t *testing.T) {
	l := newLab(t, nil)
	site := l.bucket("acme-site")
	var crowd []string
	for i := range 1001 {
		crowd = append(crowd, fmt.Sprintf("crowd/%04d", i))
	}
	l.put(site, crowd...)
	l.put(site, "a", "y", "z")
	var owned []string
	for i := range 1100 {
		owned = append(owned, fmt.Sprintf("acme-site/crowd/%04d", i))
	}
	if found, requests, err := l.files(l.master, owned...); err != nil || len(found) != 1001 || requests != 2 {
		t.Errorf("%d of 1001 files found with %d requests, want 2: %v", len(found), requests, err)
	}
	found, requests, err := l.files(l.master, "acme-site/a", "acme-site/crowd/0500", "acme-site/x", "acme-site/y", "acme-site/z")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"acme-site/a", "acme-site/crowd/0500", "acme-site/y", "acme-site/z"}
	if diff := cmp.Diff(want, found); diff != "" || requests != 4 {
		t.Errorf("%d requests, want 4 (-want +got):\n%s", requests, diff)
	}
}

// A key for the files of one bucket, or of some names in it, is enough.
func TestReadFilesWithLimitedCredentials(t *testing.T) {
	l := newLab(t, nil)
	site := l.bucket("acme-site")
	l.put(site, "public/a", "public/b", "private")
	id, secret := l.key("v3/b2_create_key", "limited",
		map[string]any{"bucketId": site, "namePrefix": "public/", "capabilities": []string{"listFiles", "writeFiles"}})
	limited := l.client(id, secret)
	found, requests, err := l.files(limited, "acme-site/public/a", "acme-site/public/b")
	if err != nil || requests != 1 || !slices.Equal(found, []string{"acme-site/public/a", "acme-site/public/b"}) {
		t.Errorf("found %v with %d requests: %v", found, requests, err)
	}
	_, _, err = l.files(limited, "acme-site/private")
	var why *wire.ExplainedError
	if !errors.As(err, &why) || !strings.Contains(why.Detail, `"public/"`) || !strings.Contains(why.Detail, `"private"`) {
		t.Errorf("%v does not say what is out of reach", err)
	}
}

// Other programs upload in other ways. What they say of the content counts where
// B2 did not compute it.
func TestReadWhatOthersUploaded(t *testing.T) {
	l := newLab(t, nil)
	site := l.bucket("acme-site")
	sum := fmt.Sprintf("%x", sha1.Sum([]byte("x")))
	var to struct{ UploadURL, AuthorizationToken string }
	post := func(content, digest string, headers map[string]string) {
		t.Helper()
		url, token := to.UploadURL, to.AuthorizationToken
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", token)
		r.Header.Set("X-Bz-Content-Sha1", digest)
		for name, value := range headers {
			r.Header.Set(name, value)
		}
		reply, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = reply.Body.Close()
		if reply.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", url, reply.Status)
		}
	}
	if err := l.master.Call(t.Context(), "b2_get_upload_url", map[string]any{"bucketId": site}, &to); err != nil {
		t.Fatal(err)
	}
	post("x", "do_not_verify", map[string]string{"X-Bz-File-Name": "unverified", "Content-Type": "text/plain"})
	for name, info := range map[string]map[string]string{"large": {"large_file_sha1": strings.ToUpper(sum)}, "larger": {}} {
		id := l.call("b2_start_large_file", map[string]any{"bucketId": site, "fileName": name, "contentType": "text/plain",
			"fileInfo": info})["fileId"]
		if err := l.master.Call(t.Context(), "b2_get_upload_part_url", map[string]any{"fileId": id}, &to); err != nil {
			t.Fatal(err)
		}
		part := strings.Repeat("x", 5_000_000) // the smallest there is
		first := fmt.Sprintf("%x", sha1.Sum([]byte(part)))
		post(part, first, map[string]string{"X-Bz-Part-Number": "1"})
		post("x", sum, map[string]string{"X-Bz-Part-Number": "2"})
		l.call("b2_finish_large_file", map[string]any{"fileId": id, "partSha1Array": []string{first, sum}})
	}
	l.call("b2_start_large_file", map[string]any{"bucketId": site, "fileName": "unfinished", "contentType": "text/plain"})

	s, err := account.ReadSnapshot(t.Context(), l.master, l.who(l.master), l.kinds, account.Query{"bucket": {}, "file": {
		WantedIdentities: []string{"acme-site/large", "acme-site/larger", "acme-site/unfinished", "acme-site/unverified"},
	}}, account.RecentEntries{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, o := range s.AllRead(l.file()) {
		v, err := o.Value()
		if err != nil {
			t.Fatal(err)
		}
		if got[o.Identity] = "unknown"; !v.GetAttr("sha1").IsNull() {
			got[o.Identity] = v.GetAttr("sha1").AsString()
		}
	}
	want := map[string]string{"acme-site/large": sum, "acme-site/larger": "unknown", "acme-site/unverified": sum}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("SHA-1 (-want +got):\n%s", diff)
	}
}

func (l *lab) file() *kind.Kind {
	return l.kinds[slices.IndexFunc(l.kinds, func(k *kind.Kind) bool { return k.Name == "file" })]
}

func (l *lab) who(c *b2.Client) *wire.Account {
	l.t.Helper()
	who, err := c.Authorize(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return who
}
