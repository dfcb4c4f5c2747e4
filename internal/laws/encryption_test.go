package laws_test

import (
	"crypto/md5"
	"encoding/base64"
	"strings"
	"testing"

	"b2form/internal/emulator"
	"b2form/plan"
)

const encryptedFile = `
bucket "site" { name = "acme-site" }
file "x" {
  bucket  = bucket.site
  name    = "x.txt"
  content = "text"
}
`

// encryptedAs is how the current version of the file is encrypted.
func (w *world) encryptedAs(name string) string {
	w.Helper()
	page := w.by("b2_list_file_names", `{"bucketId":%q,"prefix":%q,"maxFileCount":1}`, w.bucketID("acme-site"), name)
	newest := page["files"].([]any)[0].(map[string]any)
	mode, _ := newest["serverSideEncryption"].(map[string]any)["mode"].(string)
	return mode
}

// A file that is older than encryption by default is left as it is until its encryption
// is declared; then the plan says so, and a new version has it.
func TestEncryptionOfAFileIsDeclared(t *testing.T) {
	w := newWorld(t, emulator.Options{Switches: emulator.Switches{UnencryptedByDefault: true}})
	defer w.close()
	w.configure(encryptedFile)
	w.done(mode{})
	w.settled(mode{})
	if got := w.encryptedAs("x.txt"); got != "" {
		t.Fatalf("the file is encrypted as %q unasked", got)
	}
	w.configure(strings.Replace(encryptedFile, `"text"`, `"text"
  server_side_encryption {}`, 1))
	a, _ := w.done(mode{})
	if c := a.plan.Changes; len(c) != 1 || c[0].Action != plan.Update || strings.Join(c[0].Fields, ",") != "server_side_encryption" {
		t.Errorf("the plan is %+v, want an update of server_side_encryption", c)
	}
	w.settled(mode{})
	if got := w.encryptedAs("x.txt"); got != "SSE-B2" {
		t.Errorf("the file is encrypted as %q, want SSE-B2", got)
	}
}

// Who holds the key of a file keeps it until the file is uploaded anew: nothing changes
// unasked, the plan warns, and what cannot be done without the key is said so.
func TestFileWithAKeyOfItsOwn(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	w.configure(encryptedFile)
	w.done(mode{})
	key := []byte("01234567890123456789012345678901")
	sum := md5.Sum(key)
	const header = "X-Bz-Server-Side-Encryption-Customer-"
	w.upload(w.bucketID("acme-site"), "x.txt", header+"Algorithm: AES256", header+"Key: "+base64.StdEncoding.EncodeToString(key),
		header+"Key-Md5: "+base64.StdEncoding.EncodeToString(sum[:]))
	if got := w.encryptedAs("x.txt"); got != "SSE-C" {
		t.Fatalf("the file is encrypted as %q, want SSE-C", got)
	}
	w.settled(mode{})
	if said := w.warned(); said != "" {
		t.Errorf("nothing changes, and the plan warns: %s", said)
	}

	w.configure(strings.Replace(encryptedFile, `"text"`, `"another"
  content_type   = "text/css"
  ignore_changes = [content]`, 1))
	w.refused("key of its own (SSE-C)")

	w.configure(strings.Replace(encryptedFile, `"text"`, `"another"`, 1))
	if said := w.warned(); !strings.Contains(said, "encrypted as the bucket's default says") {
		t.Errorf("the plan does not warn of the key: %s", said)
	}
	w.configure(strings.Replace(encryptedFile, `"text"`, `"another"
  server_side_encryption {}`, 1))
	if said := w.warned(); !strings.Contains(said, "encrypted with a key of B2's (SSE-B2)") {
		t.Errorf("the plan does not warn of the key: %s", said)
	}
	w.configure(strings.Replace(encryptedFile, `"text"`, `"another"`, 1))
	w.done(mode{})
	w.settled(mode{})
	if got := w.encryptedAs("x.txt"); got != "SSE-B2" {
		t.Errorf("the new version is encrypted as %q, want SSE-B2", got)
	}
}
