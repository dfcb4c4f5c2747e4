package emulator_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/emulator"
)

// dump gives the account, which must not be damaged.
func (w *world) dump() emulator.AccountDump {
	w.t.Helper()
	a, err := w.server.Dump()
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// fill makes a bucket, a key, a file and an unfinished large file.
func (w *world) fill(name string) {
	w.t.Helper()
	b := w.call(200, "b2_create_bucket", `{"bucketName":%q,"bucketType":"allPrivate"}`, name)
	w.call(200, "b2_create_key", `{"keyName":%q,"capabilities":["listFiles"],"bucketIds":[%q]}`, name, b["bucketId"])
	w.call(200, "b2_start_large_file", `{"bucketId":%q,"fileName":"big","contentType":"text/plain"}`, b["bucketId"])
	w.upload(b["bucketId"].(string), "small", "some text")
}

func (w *world) upload(bucketID, name, content string) map[string]any {
	w.t.Helper()
	return w.uploadTo(w.call(200, "b2_get_upload_url", `{"bucketId":%q}`, bucketID), name, content)
}

// uploadTo uploads to what b2_get_upload_url gave.
func (w *world) uploadTo(u map[string]any, name, content string) map[string]any {
	w.t.Helper()
	_, path, _ := strings.Cut(u["uploadUrl"].(string), ".com")
	r := w.request("POST", path, content)
	r.Header.Set("Authorization", u["authorizationToken"].(string))
	r.Header.Set("X-Bz-File-Name", name)
	r.Header.Set("X-Bz-Content-Sha1", "do_not_verify")
	r.Header.Set("Content-Type", "text/plain")
	return w.want(200, r)
}

// A folder keeps the account, who it is and the tokens it gave out.
func TestFolderKeepsAccount(t *testing.T) {
	dir := t.TempDir()
	first := open(t, emulator.Options{Dir: dir, Seed: 1, Key: "my own key"})
	first.fill("bucket-one")
	before := first.dump()
	if err := first.server.Close(); err != nil {
		t.Fatal(err)
	}
	second := open(t, emulator.Options{Dir: dir, Seed: 2})
	if diff := cmp.Diff(before, second.dump()); diff != "" {
		t.Errorf("the account changed (-before +after):\n%s", diff)
	}
	if second.server.MasterKey() != "my own key" || second.server.MasterKeyID() != first.server.MasterKeyID() {
		t.Error("the master key changed")
	}
	second.token = first.token
	second.fill("bucket-two")
}

// Two processes never have one folder at a time: the second waits, and gives up
// with a reason.
func TestFolderIsExclusive(t *testing.T) {
	dir := t.TempDir()
	w := open(t, emulator.Options{Dir: dir})
	o := emulator.Options{Dir: dir, Now: time.Now, OpenTimeout: time.Millisecond}
	if _, err := emulator.Open(o); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("opened twice: %v", err)
	}
	opened := make(chan error)
	o.OpenTimeout = 0
	go func() {
		s, err := emulator.Open(o)
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	if err := w.server.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

// TestKilled kills a process in the middle of its writes and demands that the
// folder holds everything whose reply went out, and nothing half done.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("EMULATOR_VICTIM"); dir != "" {
		victim(t, dir)
		return
	}
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	child.Env = append(os.Environ(), "EMULATOR_VICTIM="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var last string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if last = lines.Text(); last == "bucket-020" {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the victim survived")
	}
	a := open(t, emulator.Options{Dir: dir}).dump()
	if n := len(a.Buckets); n < 20 || a.Buckets[n-1]["bucketName"].(string) < last {
		t.Errorf("%d buckets are left, the reply for %s went out", n, last)
	}
	if whole := len(a.Buckets); len(a.Keys) < whole-1 || len(a.FileVersions) < 2*(whole-1) {
		t.Errorf("%d buckets have %d keys and %d files", whole, len(a.Keys), len(a.FileVersions))
	}
	uploads := 0
	for _, f := range a.FileVersions {
		if f["action"] == "upload" {
			uploads++
		}
	}
	if n := contents(t, dir); n != uploads {
		t.Errorf("%d uploads have %d contents", uploads, n)
	}
}

// What a killed process left behind is swept when its folder is opened again,
// and nothing else: not the contents of large files, finished or not.
func TestSweep(t *testing.T) {
	living := t.TempDir()
	w := open(t, emulator.Options{Dir: living})
	bucketID := w.call(200, "b2_create_bucket", `{"bucketName":"my-bucket","bucketType":"allPrivate"}`)["bucketId"].(string)
	small := w.upload(bucketID, "small", "text")["fileId"].(string)
	start := func() string {
		return w.call(200, "b2_start_large_file", `{"bucketId":%q,"fileName":"big","contentType":"a/b"}`, bucketID)["fileId"].(string)
	}
	unfinished, finished := start(), start()
	w.part(unfinished, 1, "part")
	one, two := w.part(finished, 1, strings.Repeat("a", 5_000_000)), w.part(finished, 2, "z")
	w.call(200, "b2_finish_large_file", `{"fileId":%q,"partSha1Array":[%q,%q]}`, finished, one, two)
	dir := filepath.Join(t.TempDir(), "killed")
	if err := os.CopyFS(dir, os.DirFS(living)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".new-1", strings.Replace(small, "4_z", "4_y", 1), finished, finished + ".ff", unfinished + ".ff",
		small + ".1"} {
		if err := os.WriteFile(filepath.Join(dir, "content", small[len(small)-2:], name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open(t, emulator.Options{Dir: dir})
	if before, now := contents(t, living), contents(t, dir); before != 4 || now != before {
		t.Errorf("of %d contents %d are left", before, now)
	}
}

// part uploads a part of a large file and gives its checksum.
func (w *world) part(fileID string, number int, content string) string {
	w.t.Helper()
	u := w.call(200, "b2_get_upload_part_url", `{"fileId":%q}`, fileID)
	_, path, _ := strings.Cut(u["uploadUrl"].(string), ".com")
	r := w.request("POST", path, content)
	r.Header.Set("Authorization", u["authorizationToken"].(string))
	r.Header.Set("X-Bz-Part-Number", fmt.Sprint(number))
	r.Header.Set("X-Bz-Content-Sha1", fmt.Sprintf("%x", sha1.Sum([]byte(content))))
	return w.want(200, r)["contentSha1"].(string)
}

func victim(t *testing.T, dir string) {
	w := open(t, emulator.Options{Dir: dir})
	for n := 1; n < 100; n++ {
		name := fmt.Sprintf("bucket-%03d", n)
		w.fill(name)
		fmt.Println(name)
	}
}

// The same seed and requests give the same account, secrets included; another
// seed gives another.
func TestSeedDecides(t *testing.T) {
	secrets := map[uint64]string{}
	account := func(seed uint64) emulator.AccountDump {
		w := open(t, emulator.Options{Seed: seed})
		w.fill("my-bucket")
		k := w.call(200, "b2_create_key", `{"keyName":"k","capabilities":["listKeys"]}`)
		secrets[seed] = k["applicationKey"].(string)
		return w.dump()
	}
	one, again := account(1), account(1)
	if diff := cmp.Diff(one, again); diff != "" {
		t.Errorf("one seed, two accounts:\n%s", diff)
	}
	if other := account(2); other.ID == one.ID || secrets[1] == secrets[2] {
		t.Error("two seeds, one account")
	}
}

// Requests run side by side without losing one, and a guarded update wins once.
func TestConcurrentRequests(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		w := open(t, emulator.Options{Dir: dir, MaxBuckets: 1000})
		b := w.call(200, "b2_create_bucket", `{"bucketName":"my-bucket","bucketType":"allPrivate"}`)
		var wg sync.WaitGroup
		for n := range 20 {
			wg.Go(func() {
				w.call(200, "b2_create_bucket", `{"bucketName":"bucket-%d","bucketType":"allPrivate"}`, n)
				w.call(200, "b2_list_buckets", `{"bucketTypes":["all"]}`)
				w.call(200, "b2_update_bucket", `{"bucketId":%q,"bucketInfo":{"n":"%d"}}`, b["bucketId"], n)
			})
		}
		wg.Wait()
		a := w.dump()
		if len(a.Buckets) != 21 {
			t.Errorf("%d buckets", len(a.Buckets))
		}
		w.call(200, "b2_update_bucket", `{"bucketId":%q,"bucketType":"allPublic","ifRevisionIs":22}`, b["bucketId"])
	}
}

// What the emulator tells about itself holds no secret.
func TestNoSecretIsTold(t *testing.T) {
	w := open(t, emulator.Options{})
	k := w.call(200, "b2_create_key", `{"keyName":"k","capabilities":["listKeys"]}`)
	b := w.call(200, "b2_create_bucket", `{"bucketName":"my-bucket","bucketType":"allPrivate"}`)
	w.call(400, "b2_start_large_file",
		`{"bucketId":%q,"fileName":"f","contentType":"a/b","serverSideEncryption":{"mode":"SSE-C","algorithm":"AES256",`+
			`"customerKey":"canary"}}`,
		b["bucketId"])
	w.call(400, "b2_list_file_names", `{"bucketId":%q,"customer\u004bey":"canary","CustomHeaders":["canary"]}`, b["bucketId"])
	w.want(400, w.request("GET", "/b2api/v4/b2_copy_file?sourceServerSideEncryption=%7B%22customerKey%22%3A%22canary%22%7D", ""))
	w.want(400, w.request("POST", "/b2api/v4/b2_list_keys", `{"canary":`))
	var told strings.Builder
	if err := json.NewEncoder(&told).Encode(w.dump()); err != nil {
		t.Fatal(err)
	}
	for _, c := range w.server.Calls() {
		fmt.Fprintf(&told, "%s %d %d %s\n", c.Method, c.Version, c.Status, c.Body)
	}
	if !strings.Contains(told.String(), k["applicationKeyId"].(string)) || !strings.Contains(told.String(), "my-bucket") {
		t.Fatal("the test looks in the wrong place")
	}
	for _, secret := range []string{k["applicationKey"].(string), w.server.MasterKey(), w.token, "canary"} {
		if strings.Contains(told.String(), secret) {
			t.Errorf("a secret is told: %.4s...", secret)
		}
	}
}

// Calls are in the order of arrival, with what they asked and got.
func TestCalls(t *testing.T) {
	w := open(t, emulator.Options{})
	w.server.ResetCalls()
	w.call(400, "b2_create_bucket", `{"bucketName":"short","bucketType":"allPrivate"}`)
	w.want(200, w.request("GET", "/b2api/v2/b2_list_keys?accountId="+w.server.AccountID(), ""))
	want := []emulator.LoggedCall{{
		Method: "b2_create_bucket", Version: 4, Status: 400, At: noon,
		Body: fmt.Appendf(nil, `{"accountId":%q,"bucketName":"short","bucketType":"allPrivate"}`, w.server.AccountID()),
	}, {
		Method: "b2_list_keys", Version: 2, Status: 200, At: noon,
		Body: fmt.Appendf(nil, `{"accountId":%q}`, w.server.AccountID()),
	}}
	if diff := cmp.Diff(want, w.server.Calls()); diff != "" {
		t.Error(diff)
	}
}
