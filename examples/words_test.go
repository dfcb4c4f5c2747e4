package examples_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// copied is an example in a folder of its own, on which nothing was applied yet.
func copied(t *testing.T, example string) run {
	t.Helper()
	t.Parallel()
	r := run{t, build(t), t.TempDir()}
	r.write(run{T: t, dir: example}.read("main.b2.hcl"))
	return r
}

func (r run) read(name string) string {
	r.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		r.Fatal(err)
	}
	return string(text)
}

// add writes one more file into the folder.
func (r run) add(name, text string) {
	r.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644); err != nil {
		r.Fatal(err)
	}
}

// says wants texts in what a command prints on standard output and standard error.
func (r run) says(code int, want string, args ...string) {
	r.Helper()
	if out := r.both(code, args...); !strings.Contains(out, want) {
		r.Errorf("b2form %s does not say %q:\n%s", strings.Join(args, " "), want, out)
	}
}

// One more device gets a key, and one that is lost loses its own; no other key changes.
func TestJoplinDevices(t *testing.T) {
	r := copied(t, "joplin")
	r.add("b2form.b2vars.hcl", `devices = ["desktop", "phone"]`)
	r.b2form(0, "apply", "-emulator", "-auto-approve")
	r.add("b2form.b2vars.hcl", `devices = ["desktop", "phone", "tablet"]`)
	r.says(0, "1 added, 0 changed, 0 destroyed", "apply", "-emulator", "-auto-approve")
	r.add("b2form.b2vars.hcl", `devices = ["desktop", "tablet"]`)
	r.says(0, "0 added, 0 changed, 1 destroyed", "apply", "-emulator", "-auto-approve", "-allow=revokes-access")
}

// Photos+ connects only to an empty bucket: a plan warns until it is connected.
func TestPhotosPlusWantsAnEmptyBucket(t *testing.T) {
	const empty = "Photos+ needs an empty bucket"
	r := copied(t, "photos-plus")
	r.b2form(0, "apply", "-emulator", "-auto-approve")
	if out := r.both(0, "plan", "-emulator"); strings.Contains(out, "Warning") {
		t.Errorf("an empty bucket is warned of:\n%s", out)
	}
	r.add("more.b2.hcl", "file \"photo\" {\n  bucket  = bucket.library\n  name    = \"photo.jpg\"\n  content = \"pixels\"\n}\n")
	r.b2form(0, "apply", "-emulator", "-auto-approve")
	r.says(0, empty, "plan", "-emulator")
	if out := r.both(0, "plan", "-emulator", "-var=connected=true"); strings.Contains(out, "Warning") {
		t.Errorf("a library is warned of:\n%s", out)
	}
	r.write(strings.Replace(r.read("main.b2.hcl"), `"allPrivate"`, `"allPublic"`, 1))
	r.says(0, "verified email address and a payment", "plan", "-emulator", "-var=connected=true")
}

// CrushFTP may work in a folder: its URLs end there, and the key reaches nothing else.
func TestCrushFTPFolder(t *testing.T) {
	r := copied(t, "crushftp")
	for _, folder := range []string{"/in", "in/"} {
		r.says(1, "without a slash at its beginning and end", "validate", "-var=folder="+folder)
	}
	r.says(0, `name_prefix           = "in/deep/"`, "plan", "-emulator", "-var=folder=in/deep")
	r.b2form(0, "apply", "-emulator", "-auto-approve", "-var=folder=in/deep")
	for _, line := range strings.Split(strings.TrimSpace(r.read(".b2form/emulator/crushftp-urls.txt")), "\n") {
		if !strings.HasSuffix(line, "/acme-crushftp-files/in/deep/") {
			t.Error("a URL does not end in the folder")
		}
	}
	for _, host := range []string{"api.backblazeb2.com", "api004.backblazeb2.com", "f004.backblazeb2.com", "s3.us-west-004.backblazeb2.com",
		"*.backblaze.com"} {
		r.says(0, `"`+host+`"`, "output", "-emulator", "-var=folder=in/deep", "proxy_hosts")
	}
}
