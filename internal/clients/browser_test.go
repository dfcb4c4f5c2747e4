package clients_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"b2form/internal/testrun"
)

//go:embed testdata/upload.html
var uploadPage string

// TestBrowser lets a page in headless Chromium upload by a presigned PUT and by
// a native upload URL and read a part back, which the presets of CORS rules
// allow it, and, where every program is tried, the same page of another origin not.
func TestBrowser(t *testing.T) {
	demand(t, "chromium", inPath("chromium"))
	ours := newPages(t)
	a := apply(t, build(t), `
variable "origin" { type = string }

bucket "site" {
  name       = "browser-site"
  cors_rules = concat(cors_for_browser_uploads([var.origin]), cors_for_downloads([var.origin]))
}

key "page" {
  name         = "browser-site"
  capabilities = ["listBuckets", "readFiles", "writeFiles"]
  buckets      = [bucket.site]
  deliver "file" {
    path   = "page.json"
    format = "json"
  }
}
`, "-var=origin="+ours.URL)
	site := a.site(t, "page")
	want := map[string]string{
		"presigned": `200 "4cf45ddd05146d5474c94af6168ca28c"`,
		"native":    "200 native.txt",
		"download":  "206 bytes 0-1/13 by",
	}
	if err := wrong("what our page saw", want, ours.open(t, planFor(t, site))); err != nil {
		t.Error(err)
	}
	if testrun.Exhaustive() { // a browser takes seconds to start
		for step, saw := range newPages(t).open(t, planFor(t, site)) {
			if !strings.HasPrefix(saw, "refused by the browser") {
				t.Errorf("another site's page could %s: %s", step, saw)
			}
		}
	}
	dump, err := a.Dump()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(dump.FileVersions); n != 2 {
		t.Errorf("the bucket has %d versions, want the two of our page", n)
	}
}

// pages serve the page of one origin, what it is to do, and take what it saw.
type pages struct {
	*httptest.Server
	plan atomic.Pointer[map[string]string]
	seen chan map[string]string
}

func newPages(t *testing.T) *pages {
	p := &pages{seen: make(chan map[string]string, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, uploadPage) })
	mux.HandleFunc("GET /plan", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(p.plan.Load()) })
	mux.HandleFunc("POST /seen", func(_ http.ResponseWriter, r *http.Request) {
		var seen map[string]string
		if err := json.NewDecoder(r.Body).Decode(&seen); err != nil {
			t.Error(err)
		}
		p.seen <- seen
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// open lets the browser show the page until that tells what it saw.
func (p *pages) open(t *testing.T, plan map[string]string) map[string]string {
	t.Helper()
	p.plan.Store(&plan)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	browser := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-dev-shm-usage",
		"--disable-background-networking", "--no-proxy-server", "--user-data-dir="+t.TempDir(), "--remote-debugging-port=0", p.URL)
	browser.WaitDelay = 10 * time.Second
	var said strings.Builder
	browser.Stderr = &said
	if err := browser.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- browser.Wait() }()
	defer func() { cancel(); <-ended }()
	select {
	case seen := <-p.seen:
		return seen
	case <-ctx.Done():
		t.Fatalf("the page told nothing; the browser said:\n%s", &said)
	case err := <-ended:
		ended <- err
		t.Fatalf("the browser ended: %v\n%s", err, &said)
	}
	return nil
}

// planFor gets what a site's own server hands to its pages: a presigned URL, an
// upload URL and a token.
func planFor(t *testing.T, s site) map[string]string {
	t.Helper()
	var account struct {
		Token string `json:"authorizationToken"`
		API   struct {
			Storage struct {
				Allowed struct{ Buckets []struct{ ID string } }
			} `json:"storageApi"`
		} `json:"apiInfo"`
	}
	ask(t, s, "b2_authorize_account", func(r *http.Request) { r.SetBasicAuth(s.key.ID, s.key.Secret) }, &account)
	var upload struct{ UploadURL, AuthorizationToken string }
	ask(t, s, "b2_get_upload_url?bucketId="+account.API.Storage.Allowed.Buckets[0].ID, func(r *http.Request) {
		r.Header.Set("Authorization", account.Token)
	}, &upload)
	return map[string]string{
		"presigned": presign(t, s, "PUT", s.s3+"/"+s.bucket+"/presigned.txt"),
		"uploadUrl": upload.UploadURL, "uploadToken": upload.AuthorizationToken,
		"download": s.endpoint + "/file/" + s.bucket + "/native.txt", "token": account.Token,
	}
}

func ask(t *testing.T, s site, call string, authorize func(*http.Request), out any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.endpoint+"/b2api/v4/"+call, nil)
	if err != nil {
		t.Fatal(err)
	}
	authorize(r)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // read to its end
	if err := json.NewDecoder(response.Body).Decode(out); err != nil || response.StatusCode != 200 {
		t.Fatalf("%s: %s, %v", call, response.Status, err)
	}
}

// presign makes a URL for a minute by "Authenticating Requests: Using Query
// Parameters" of Amazon's S3 API reference.
func presign(t *testing.T, s site, verb, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	at := time.Now().UTC().Format("20060102T150405Z")
	scope := at[:8] + "/us-west-004/s3/aws4_request"
	query := url.Values{
		"X-Amz-Algorithm": {"AWS4-HMAC-SHA256"}, "X-Amz-Credential": {s.key.ID + "/" + scope}, "X-Amz-Date": {at},
		"X-Amz-Expires": {"60"}, "X-Amz-SignedHeaders": {"host;x-amz-meta-from"},
	}
	canonical := sha256.Sum256([]byte(verb + "\n" + u.Path + "\n" + query.Encode() + "\nhost:" + u.Host +
		"\nx-amz-meta-from:page\n\nhost;x-amz-meta-from\nUNSIGNED-PAYLOAD"))
	key := []byte("AWS4" + s.key.Secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = sign(key, part)
	}
	query.Set("X-Amz-Signature", hex.EncodeToString(sign(key, "AWS4-HMAC-SHA256\n"+at+"\n"+scope+"\n"+hex.EncodeToString(canonical[:]))))
	return address + "?" + query.Encode()
}
