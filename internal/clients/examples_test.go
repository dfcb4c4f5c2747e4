package clients_test

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"b2form/internal/testrun"
)

// An example is a folder of examples/, and what its application can count on.
type example struct {
	folder string
	vars   []string // of b2form apply
	bucket string
	// delivered is the file for the application, in which id and secret are
	// found as its reader would.
	delivered  string
	id, secret *regexp.Regexp
	prefix     string        // of the files that the key reaches
	keeps      time.Duration // how long replaced and deleted files are still there
	expires    time.Duration // when the key ends; 0 is never
}

func (e example) String() string { return strings.Join(append([]string{e.folder}, e.vars...), " ") }

// grace is how long after its last day a version may still be there: the rules
// are applied once a day, to days that have ended.
const grace = 3 * 24 * time.Hour

func examples() []example {
	const day = 24 * time.Hour
	env := example{
		folder: "photos-plus", bucket: "acme-photos-library", delivered: "photos-plus.env",
		id: regexp.MustCompile(`(?m)^B2_APPLICATION_KEY_ID=(\S+)$`), secret: regexp.MustCompile(`(?m)^B2_APPLICATION_KEY=(\S+)$`),
	}
	limited := env
	limited.vars = []string{"-var=file_name_prefix=library/", "-var=valid_duration=365d"}
	limited.prefix, limited.expires = "library/", 365*day
	crush := example{
		folder: "crushftp", bucket: "acme-crushftp-files", delivered: "crushftp-urls.txt", keeps: 30 * day,
		id: regexp.MustCompile(`b2://([^:]+):`), secret: regexp.MustCompile(`b2://[^:]+:([^@]+)@`),
	}
	inFolder := crush
	inFolder.vars, inFolder.prefix = []string{"-var=folder=uploads"}, "uploads/"
	return []example{
		{
			folder: "joplin", bucket: "acme-joplin-notes", delivered: "joplin-desktop.txt",
			id: regexp.MustCompile(`S3 access key: (\S+)`), secret: regexp.MustCompile(`S3 secret key: (\S+)`),
		},
		env,
		limited,
		crush,
		inFolder,
	}
}

// TestExamples does with rclone what the applications of the examples do: it
// lists, writes, replaces, reads, moves and deletes. Then days pass.
func TestExamples(t *testing.T) {
	bin := build(t)
	for n, program := range []string{"rclone", "rclone-current"} {
		for _, e := range testrun.SampleUnlessExhaustive(t, 5, 4-n, examples()) {
			t.Run(strings.Join(append([]string{program, e.folder}, e.vars...), " "), func(t *testing.T) {
				t.Parallel()
				demand(t, program, inPath(program))
				e.use(t, bin, program)
			})
		}
	}
}

// other is a bucket in the same account that is none of the application's
// business.
const other = `
bucket "other" {
  name = "acme-other-things"
}
`

func (e example) use(t *testing.T, bin, program string) {
	source, err := os.ReadFile(filepath.Join("..", "..", "examples", e.folder, "main.b2.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	a := apply(t, bin, string(source)+other, e.vars...)
	r := &rclone{t.Context(), e.site(t, a), program}
	for _, s := range []step{
		{"work", func() error { return r.work(e.prefix) }},
		{"stay in the bucket", func() error { return r.stayIn(a, e) }},
		{"keep old versions", func() error { return r.age(a, e) }},
	} {
		if err := s.do(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
	if e.expires == 0 {
		return
	}
	a.Advance(e.expires)
	if _, err := r.do("lsf", r.at(e.prefix)); !isRefusal(err) {
		t.Errorf("after %v the key still works: %v", e.expires, err)
	}
}

// site reads the delivered file as the user of the application does, and makes
// it a remote.
func (e example) site(t *testing.T, a *account) site {
	t.Helper()
	s := site{endpoint: a.url, bucket: e.bucket, dir: t.TempDir()}
	s.key = key{Name: e.folder, Remote: filepath.Join(s.dir, "rclone.conf")}
	text, err := os.ReadFile(filepath.Join(a.folder, e.delivered))
	if err != nil {
		t.Fatal(err)
	}
	id, secret := e.id.FindSubmatch(text), e.secret.FindSubmatch(text)
	if id == nil || secret == nil {
		t.Fatalf("%s does not have the key", e.delivered)
	}
	s.key.ID = string(id[1])
	if s.key.Secret, err = url.PathUnescape(string(secret[1])); err != nil {
		t.Fatalf("%s: the key is not encoded as a part of a URL", e.delivered)
	}
	remote := fmt.Sprintf("[%s]\ntype = b2\naccount = %s\nkey = %s\n", s.key.Name, s.key.ID, s.key.Secret)
	if err := os.WriteFile(s.key.Remote, []byte(remote), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// work leaves one current file, a replaced one under the same name, a moved one
// and a deleted one.
func (r *rclone) work(prefix string) error {
	if err := r.listEmptyAt(prefix); err != nil {
		return err
	}
	files := filepath.Join(r.site.dir, "files")
	err := os.Mkdir(files, 0o700)
	for name, content := range map[string]string{"note.md": "first", "photo.jpg": "pixels", "list.txt": "things"} {
		err = errors.Join(err, os.WriteFile(filepath.Join(files, name), []byte(content), 0o600))
	}
	if err != nil {
		return err
	}
	for _, args := range [][]string{
		{"copy", files, r.at(prefix)},
		{"moveto", r.at(prefix + "photo.jpg"), r.at(prefix + "album/photo.jpg")},
		{"deletefile", r.at(prefix + "list.txt")},
	} {
		if _, err := r.do(args...); err != nil {
			return err
		}
	}
	if _, err := r.feed(strings.NewReader("second"), "rcat", r.at(prefix+"note.md")); err != nil {
		return err
	}
	return r.hasFiles(prefix)
}

func (r *rclone) listEmptyAt(prefix string) error {
	names, err := r.names(prefix)
	return check(err, wrong("names in the empty bucket", []string(nil), names))
}

// hasFiles reads what work has left.
func (r *rclone) hasFiles(prefix string) error {
	names, err := r.names(prefix)
	if err != nil {
		return err
	}
	note, err := r.do("cat", r.at(prefix+"note.md"))
	if err != nil {
		return err
	}
	photo, err := r.do("cat", r.at(prefix+"album/photo.jpg"))
	return check(err, wrong("names", []string{"album/photo.jpg", "note.md"}, names),
		wrong("the replaced file", "second", note), wrong("the moved file", "pixels", photo))
}

// stayIn tries what the key is not for, which must fail and change nothing. Some
// of it rclone refuses by itself, knowing what authorization said.
func (r *rclone) stayIn(a *account, e example) error {
	before, err := a.Dump()
	if err != nil {
		return err
	}
	remote := r.site.key.Name + ":"
	attempts := [][]string{
		{"lsf", remote + "acme-other-things"},
		{"copyto", r.at(e.prefix + "note.md"), remote + "acme-other-things/note.md"},
		{"mkdir", remote + "acme-new-things"},
		{"purge", remote + "acme-other-things"},
	}
	if e.prefix != "" {
		attempts = append(attempts, []string{"lsf", r.at("")}, []string{"copyto", r.at(e.prefix + "note.md"), r.at("note.md")})
	}
	for _, args := range attempts {
		if _, err := r.do(args...); err == nil {
			return fmt.Errorf("%w: %v is not refused", errWrong, args)
		}
	}
	after, err := a.Dump()
	return check(err, wrong("the account", before, after))
}

// age looks at the versions as time goes by.
func (r *rclone) age(a *account, e example) error {
	const current = 2
	before, err := r.names(e.prefix, "--b2-versions")
	if err != nil {
		return err
	}
	if len(before) <= current {
		return fmt.Errorf("%w: no old versions among %v", errWrong, before)
	}
	if e.keeps > 0 {
		a.Advance(e.keeps - grace)
		kept, err := r.names(e.prefix, "--b2-versions")
		if err := check(err, wrong("versions that are kept", before, kept)); err != nil {
			return err
		}
	}
	a.Advance(2 * grace)
	left, err := r.names(e.prefix, "--b2-versions")
	return check(err, wrong("the number of versions that are left", current, len(left)), r.hasFiles(e.prefix))
}
