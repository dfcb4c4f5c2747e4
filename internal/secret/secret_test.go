package secret_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/secret"
	"b2form/schema/addr"
	"b2form/schema/config"
)

const keyID = "002d2e6b27577ea000000000c"

// canary is a key with characters that every encoding treats in its own way.
const canary = `K002/9r+hp'MfU"c<p>S&7%uY=kg3FC`

func before() secret.KeyInfo {
	return secret.KeyInfo{
		DeclaredName: "photos-plus", Buckets: []string{"acme-photos"}, NamePrefix: "library/",
		S3Endpoint: "https://s3.us-west-002.backblazeb2.com", S3Region: "us-west-002",
	}
}

func after() secret.KeyInfo {
	self := before()
	self.KeyID, self.Key = keyID, secret.New(canary)
	return self
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func file(path string) config.Delivery {
	return config.Delivery{Type: "file", Path: path, DisplayName: filepath.Base(path), Format: "env",
		Range: &hcl.Range{Filename: "main.b2.hcl"}}
}

// files gives the content of every file in dir, temporary ones included.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		content := "(not a file)"
		if e.Type().IsRegular() {
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			must(t, err)
			content = string(data)
		}
		found[e.Name()] = content
	}
	return found
}

const asEnv = "B2_APPLICATION_KEY_ID=002d2e6b27577ea000000000c\n" + `B2_APPLICATION_KEY='K002/9r+hp'\''MfU"c<p>S&7%uY=kg3FC'` + "\n"

func TestFormats(t *testing.T) {
	plain := after()
	plain.Key = secret.New("K0029r3hpMfUhnc/S7uLYuIkg3FC+lo")
	plain.Realm = "https://api.backblazeb2.com"
	emulated := plain
	emulated.Realm = "http://127.0.0.1:8025"
	everywhere := plain
	everywhere.Buckets, everywhere.NamePrefix = nil, ""
	several := plain
	several.Buckets = []string{"a", "b"}
	tests := []struct {
		format string
		self   secret.KeyInfo
		want   string
	}{
		{"", plain, "B2_APPLICATION_KEY_ID=002d2e6b27577ea000000000c\nB2_APPLICATION_KEY=K0029r3hpMfUhnc/S7uLYuIkg3FC+lo\n"},
		{"env", after(), asEnv},
		{"rclone", plain, "[photos-plus]\ntype = b2\naccount = 002d2e6b27577ea000000000c\nkey = K0029r3hpMfUhnc/S7uLYuIkg3FC+lo\n"},
		{"rclone", emulated, "[photos-plus]\ntype = b2\naccount = 002d2e6b27577ea000000000c\nkey = K0029r3hpMfUhnc/S7uLYuIkg3FC+lo\n" +
			"endpoint = http://127.0.0.1:8025\n"},
		{"aws", plain,
			"[default]\naws_access_key_id = 002d2e6b27577ea000000000c\naws_secret_access_key = K0029r3hpMfUhnc/S7uLYuIkg3FC+lo\n" +
				"region = us-west-002\nendpoint_url = https://s3.us-west-002.backblazeb2.com\n"},
		{"json", after(), `{
  "name": "photos-plus",
  "application_key_id": "002d2e6b27577ea000000000c",
  "application_key": "K002/9r+hp'MfU\"c<p>S&7%uY=kg3FC",
  "bucket": "acme-photos",
  "buckets": [
    "acme-photos"
  ],
  "name_prefix": "library/",
  "s3_endpoint": "https://s3.us-west-002.backblazeb2.com",
  "s3_region": "us-west-002"
}
`},
		{"json", everywhere, `{
  "name": "photos-plus",
  "application_key_id": "002d2e6b27577ea000000000c",
  "application_key": "K0029r3hpMfUhnc/S7uLYuIkg3FC+lo",
  "s3_endpoint": "https://s3.us-west-002.backblazeb2.com",
  "s3_region": "us-west-002"
}
`},
		{"json", several, `{
  "name": "photos-plus",
  "application_key_id": "002d2e6b27577ea000000000c",
  "application_key": "K0029r3hpMfUhnc/S7uLYuIkg3FC+lo",
  "buckets": [
    "a",
    "b"
  ],
  "name_prefix": "library/",
  "s3_endpoint": "https://s3.us-west-002.backblazeb2.com",
  "s3_region": "us-west-002"
}
`},
	}
	for _, test := range tests {
		expectFormat(t, test.format, test.self, test.want)
	}
}

// TestBucketFormats is about those that tell a program its bucket.
func TestBucketFormats(t *testing.T) {
	expectFormat(t, "joplin", after(), `{
  "sync.target": 8,
  "sync.8.path": "acme-photos",
  "sync.8.url": "https://s3.us-west-002.backblazeb2.com",
  "sync.8.region": "us-west-002",
  "sync.8.username": "002d2e6b27577ea000000000c",
  "sync.8.password": "K002/9r+hp'MfU\"c<p>S&7%uY=kg3FC"
}
`)
	expectFormat(t, "restic", after(), "AWS_ACCESS_KEY_ID=002d2e6b27577ea000000000c\n"+
		`AWS_SECRET_ACCESS_KEY='K002/9r+hp'\''MfU"c<p>S&7%uY=kg3FC'`+"\nAWS_DEFAULT_REGION=us-west-002\n"+
		"RESTIC_REPOSITORY=s3:https://s3.us-west-002.backblazeb2.com/acme-photos/library\n")
	expectFormat(t, "kopia", after(), base64.RawURLEncoding.EncodeToString([]byte(`{
  "version": "1",
  "storage": {
    "type": "s3",
    "config": {
      "bucket": "acme-photos",
      "prefix": "library/",
      "endpoint": "s3.us-west-002.backblazeb2.com",
      "region": "us-west-002",
      "accessKeyID": "002d2e6b27577ea000000000c",
      "secretAccessKey": "K002/9r+hp'MfU\"c<p>S&7%uY=kg3FC"
    }
  }
}
`))+"\n")
}

// expectFormat compares what is delivered in a format.
func expectFormat(t *testing.T, format string, self secret.KeyInfo, want string) {
	t.Helper()
	var out bytes.Buffer
	d := config.Delivery{Type: "stdout", DisplayName: "standard output", Format: format}
	s, err := secret.Prepare(t.Context(), before(), []config.Delivery{d}, secret.DeliveryOptions{Stdout: &out})
	must(t, err)
	_, err = s.Deliver(self, nil)
	must(t, err)
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("format %q (-want +got):\n%s", format, diff)
	}
}

// urls is a template that uses the key and something live.
func urls(self map[string]cty.Value, live config.LiveLookup) (string, hcl.Diagnostics) {
	b, _ := live(addr.Addr{Kind: "bucket", Label: "photos"})
	return fmt.Sprintf("b2://%s:%s@%s", self["application_key_id"].AsString(), self["application_key"].AsString(), b["id"].AsString()), nil
}

func live(addr.Addr) (map[string]cty.Value, bool) {
	return map[string]cty.Value{"id": cty.StringVal("b1")}, true
}

func TestDeliver(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "old.env")
	must(t, os.WriteFile(old, []byte("old key, and rather a lot more text than the new one will have: "+strings.Repeat("x", 2000)), 0o644))
	var out bytes.Buffer
	template := file("urls.txt")
	template.RenderContent = urls
	deliveries := []config.Delivery{file(old), {Type: "stdout", DisplayName: "standard output", RenderContent: urls}, template}
	env := secret.DeliveryOptions{Stdout: &out, LiveLookup: live, FilePath: func(d config.Delivery) string {
		if filepath.IsAbs(d.Path) {
			return d.Path
		}
		return filepath.Join(dir, "new", "folder", d.Path)
	}}

	untouched := files(t, dir)["old.env"]
	s, err := secret.Prepare(t.Context(), before(), deliveries, env)
	must(t, err)
	if got := files(t, dir)["old.env"]; got != untouched || out.Len() > 0 {
		t.Errorf("Prepare changed a destination: %q, printed %q", got, &out)
	}
	where, err := s.Deliver(after(), live)
	must(t, err)
	must(t, s.Abandon())

	if diff := cmp.Diff([]string{"old.env", "standard output", "urls.txt"}, where); diff != "" {
		t.Errorf("where (-want +got):\n%s", diff)
	}
	url := "b2://" + keyID + ":" + canary + "@b1"
	if diff := cmp.Diff(map[string]string{"old.env": asEnv, "new": "(not a file)"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	created := filepath.Join(dir, "new", "folder")
	if diff := cmp.Diff(map[string]string{"urls.txt": url}, files(t, created)); diff != "" {
		t.Errorf("files in the new folder (-want +got):\n%s", diff)
	}
	if out.String() != url+"\n" {
		t.Errorf("printed %q", &out)
	}
	for path, want := range map[string]os.FileMode{old: 0o600, filepath.Join(created, "urls.txt"): 0o600, created: 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("mode of %s is %v, want %v (%v)", path, info.Mode().Perm(), want, err)
		}
	}
}

// Every reason not to make the key is found before it is made, and nothing is
// left behind.
func TestPrepareRefuses(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.Mkdir(at("folder"), 0o755))
	must(t, os.WriteFile(at("file"), []byte("old"), 0o644))
	must(t, os.Symlink("file", at("link")))
	must(t, os.Symlink("nowhere", at("dangling")))
	failing := file(at("template"))
	failing.RenderContent = func(map[string]cty.Value, config.LiveLookup) (string, hcl.Diagnostics) {
		return "", hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Invalid template", Detail: "No such thing.", Subject: &hcl.Range{}}}
	}
	format, typ := file(at("x")), file(at("x"))
	format.Format, typ.Type = "xml", "pigeon"
	tests := []struct {
		name, want string
		deliveries []config.Delivery
	}{
		{"a directory", "folder is a directory", []config.Delivery{file(at("folder"))}},
		{"a folder's name", "names no file", []config.Delivery{file(at("folder") + "/")}},
		{"no name", "names no file", []config.Delivery{file("")}},
		{"a link", "is a symbolic link", []config.Delivery{file(at("link"))}},
		{"a dangling link", "is a symbolic link", []config.Delivery{file(at("dangling"))}},
		{"a device", "is not a regular file", []config.Delivery{file(os.DevNull)}},
		{"below a file", "not a directory", []config.Delivery{file(at("file/key.env"))}},
		{"far below a file", "not a directory", []config.Delivery{file(at("file/more/key.env"))}},
		{"too long a name", "file name too long", []config.Delivery{file(at(strings.Repeat("x", 300)))}},
		{"twice", "is the destination of two deliveries", []config.Delivery{file(at("x")), file(at("./folder/../x"))}},
		{"a format", `"xml" is not a format`, []config.Delivery{format}},
		{"a type", `"pigeon" is not known`, []config.Delivery{typ}},
		{"nowhere to print", "no standard output", []config.Delivery{file(at("x")), {Type: "stdout"}}},
		{"a template", "Invalid template; No such thing.", []config.Delivery{file(at("x")), failing}},
	}
	was := files(t, dir)
	for _, test := range tests {
		s, err := secret.Prepare(t.Context(), before(), test.deliveries, secret.DeliveryOptions{LiveLookup: live})
		var e *secret.Error
		if !errors.As(err, &e) || s != nil || !strings.Contains(e.Detail, test.want) || e.Summary != "Secret cannot be delivered" ||
			len(e.InvalidatedDestinations) > 0 {
			t.Errorf("%s: Prepare = %v", test.name, err)
		}
		if last := test.deliveries[len(test.deliveries)-1]; e != nil && e.Range != last.Range {
			t.Errorf("%s: the error is at %v", test.name, e.Range)
		}
		if diff := cmp.Diff(was, files(t, dir)); diff != "" {
			t.Errorf("%s: left behind (-before +after):\n%s", test.name, diff)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := secret.Prepare(gone, before(), []config.Delivery{file(at("x"))}, secret.DeliveryOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Prepare with a cancelled context = %v", err)
	}
}

func TestAbandon(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "key.env"), []byte("old"), 0o600))
	s, err := secret.Prepare(t.Context(), before(),
		[]config.Delivery{file(filepath.Join(dir, "key.env")), file(filepath.Join(dir, "new.env"))}, secret.DeliveryOptions{})
	must(t, err)
	if n := len(files(t, dir)); n < 2 {
		t.Errorf("%d files while prepared, want the old one and a temporary one at least", n)
	}
	for range 2 {
		must(t, s.Abandon())
		if diff := cmp.Diff(map[string]string{"key.env": "old"}, files(t, dir)); diff != "" {
			t.Errorf("left behind (-want +got):\n%s", diff)
		}
	}
}

// brokenPipe takes some bytes and fails.
type brokenPipe int

func (n brokenPipe) Write(p []byte) (int, error) {
	return min(int(n), len(p)), errors.New("broken pipe")
}

// What fails after the key exists names exactly the destinations that changed;
// the others keep what they held.
func TestDeliverFails(t *testing.T) {
	quoting := func(self map[string]cty.Value, _ config.LiveLookup) (string, hcl.Diagnostics) {
		key := self["application_key"].AsString()
		if key == canary {
			return "", hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Invalid " + key, Detail: "cannot parse " + key,
				Subject: &hcl.Range{Start: hcl.Pos{Line: 7}}}}
		}
		return key, nil
	}
	tests := []struct {
		name, detail string
		between      func(dir string) // what happens while the key is being made
		stdout       brokenPipe
		content      func(map[string]cty.Value, config.LiveLookup) (string, hcl.Diagnostics)
		dead         []string
	}{
		{name: "a file", between: func(dir string) { _ = os.Mkdir(filepath.Join(dir, "2.env"), 0o755) }, stdout: -1,
			detail: "is a directory", dead: []string{"standard output", "1.env"}},
		{name: "a folder that is gone", between: func(dir string) { _ = os.RemoveAll(dir) }, stdout: -1,
			detail: "no such file or directory", dead: []string{"standard output"}},
		{name: "the terminal", stdout: 0, detail: "broken pipe"},
		{name: "the terminal, half way", stdout: 9, detail: "broken pipe", dead: []string{"standard output"}},
		{name: "a template", content: quoting, detail: "cannot be rendered with the key that B2 made (line 7)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "keys")
			must(t, os.Mkdir(dir, 0o755))
			must(t, os.WriteFile(filepath.Join(dir, "1.env"), []byte("old"), 0o600))
			second := file(filepath.Join(dir, "2.env"))
			second.RenderContent = test.content
			var env secret.DeliveryOptions
			env.Stdout = test.stdout
			if test.stdout < 0 {
				env.Stdout = &bytes.Buffer{}
			}
			s, err := secret.Prepare(t.Context(), before(),
				[]config.Delivery{file(filepath.Join(dir, "1.env")), {Type: "stdout", DisplayName: "standard output"}, second}, env)
			must(t, err)
			if test.between != nil {
				test.between(dir)
			}
			where, err := s.Deliver(after(), live)
			var e *secret.Error
			if !errors.As(err, &e) || where != nil || e.Summary != "Secret was not delivered" || !strings.Contains(e.Detail, test.detail) {
				t.Fatalf("Deliver = %v, %v", where, err)
			}
			if diff := cmp.Diff(test.dead, e.InvalidatedDestinations); diff != "" {
				t.Errorf("dead (-want +got):\n%s", diff)
			}
			for _, d := range e.InvalidatedDestinations {
				if !strings.Contains(e.Detail, d) {
					t.Errorf("the detail does not name %s: %s", d, e.Detail)
				}
			}
			noCanary(t, test.name, fmt.Sprint(err))
			defer func() { must(t, s.Abandon()) }()
			if test.detail == "no such file or directory" {
				return
			}
			left := files(t, dir)
			delete(left, "2.env")
			want := "old"
			if len(e.InvalidatedDestinations) == 2 {
				want = asEnv
			}
			if diff := cmp.Diff(map[string]string{"1.env": want}, left); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}
