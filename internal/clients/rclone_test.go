package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An rclone works with one remote, whose configuration b2form delivered.
type rclone struct {
	ctx     context.Context
	site    site
	program string
}

func rcloneFiles(program string) job {
	return job{
		name: "files",
		needs: map[string]string{
			"deleteFiles": "clean up",
			"listBuckets": "share a file",
			"listFiles":   "list an empty bucket",
			"readFiles":   "check contents",
			"shareFiles":  "share a file",
			"writeFiles":  "copy up",
		},
		run: func(t *testing.T, s site) (string, error) {
			r := &rclone{t.Context(), s, program}
			return walk([]step{
				{"list an empty bucket", r.listEmpty},
				{"copy up", r.copyUp},
				{"check", r.check},
				{"check contents", r.checkContents},
				{"sync", r.sync},
				{"share a file", r.share},
				{"list versions", r.versions},
				{"clean up", r.cleanUp},
				{"copy down", r.copyDown},
				{"copy up in chunks", r.copyChunks},
				{"stream", r.stream},
				{"copy on the server", r.copyServerSide},
				{"purge", r.purge},
			})
		},
	}
}

// do runs rclone; what it says on standard error becomes the error.
func (r *rclone) do(args ...string) (string, error) {
	return r.feed(nil, args...)
}

func (r *rclone) feed(input io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(r.ctx, r.program, append([]string{
		"--config", r.site.key.Remote, "--b2-endpoint", r.site.endpoint, "--retries=1", "--low-level-retries=1",
	}, args...)...)
	cmd.Env = r.site.environment()
	cmd.Stdin = input
	var errText bytes.Buffer
	cmd.Stderr = &errText
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("rclone %s: %w: %s", strings.Join(args, " "), err, errText.String())
	}
	return string(out), nil
}

// at is a place in the bucket.
func (r *rclone) at(path string) string { return r.site.key.Name + ":" + r.site.bucket + "/" + path }

// names lists files recursively.
func (r *rclone) names(path string, args ...string) ([]string, error) {
	out, err := r.do(append([]string{"lsf", "-R", "--files-only", r.at(path)}, args...)...)
	return slices.Sorted(strings.FieldsFuncSeq(out, func(c rune) bool { return c == '\n' })), err
}

// write replaces a local folder.
func (r *rclone) write(folder string, files map[string]string) error {
	return writeFolder(r.local(folder), files)
}

func (r *rclone) local(folder string) string { return filepath.Join(r.site.dir, folder) }

func (r *rclone) listEmpty() error {
	names, err := r.names("")
	return check(err, wrong("names", []string(nil), names))
}

// rcloneBefore is a folder, and rcloneAfter the same when somebody worked in it.
func rcloneBefore() map[string]string {
	return map[string]string{
		"a.txt": "alpha", "b/ü %+&#.txt": "beta", "b/deep/empty": "", "old.txt": "soon gone", `back\slash`: "allowed here",
	}
}

func rcloneAfter() map[string]string {
	return map[string]string{"a.txt": "alpha, changed", "b/ü %+&#.txt": "beta", "b/deep/empty": "", "new.txt": "just come",
		`back\slash`: "allowed here"}
}

func (r *rclone) copyUp() error {
	if err := r.write("files", rcloneBefore()); err != nil {
		return err
	}
	if _, err := r.do("copy", r.local("files"), r.at("files")); err != nil {
		return err
	}
	names, err := r.names("files")
	return check(err, wrong("names", []string{"a.txt", "b/deep/empty", "b/ü %+&#.txt", `back\slash`, "old.txt"}, names))
}

const mebibyte = 1 << 20

func (r *rclone) copyChunks() error {
	if err := r.write("large", map[string]string{"large": string(noise(3, 12*mebibyte))}); err != nil {
		return err
	}
	if _, err := r.do("copyto", r.local("large/large"), r.at("large"), "--b2-chunk-size=5M", "--b2-upload-cutoff=5M"); err != nil {
		return err
	}
	sum, err := r.do("sha1sum", r.at("large"))
	if err != nil {
		return err
	}
	want, err := r.do("sha1sum", r.local("large/large"))
	return check(err, wrong("digest", want, sum))
}

// stream uploads what has no length.
func (r *rclone) stream() error {
	content := bytes.NewReader(noise(4, 6*mebibyte))
	if _, err := r.feed(io.MultiReader(content), "rcat", r.at("stream"), "--b2-chunk-size=5M", "--b2-upload-cutoff=5M"); err != nil {
		return err
	}
	out, err := r.do("lsf", "--format=sp", "--files-only", r.at(""))
	return check(err, wrong("sizes", fmt.Sprintf("%d;large\n%d;stream\n", 12*mebibyte, 6*mebibyte), out))
}

func (r *rclone) check() error {
	_, err := r.do("check", r.local("files"), r.at("files"))
	return err
}

func (r *rclone) checkContents() error {
	_, err := r.do("check", "--download", r.local("files"), r.at("files"))
	return err
}

func (r *rclone) sync() error {
	if err := r.write("files", rcloneAfter()); err != nil {
		return err
	}
	if _, err := r.do("sync", "--checksum", r.local("files"), r.at("files")); err != nil {
		return err
	}
	names, err := r.names("files")
	return check(err, wrong("names", []string{"a.txt", "b/deep/empty", "b/ü %+&#.txt", `back\slash`, "new.txt"}, names))
}

// versions lists the old ones too, which rclone names after their time.
func (r *rclone) versions() error {
	names, err := r.names("files", "--b2-versions")
	if err != nil {
		return err
	}
	old := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.Contains(name, "-v20") })
	if err := check(nil, wrong("the number of versions", 7, len(names)), wrong("the number of old ones", 2, len(old))); err != nil {
		return err
	}
	content, err := r.do("cat", "--b2-versions", r.at("files/"+old[0]))
	return check(err, wrong("the old content", "alpha", content))
}

func (r *rclone) copyDown() error {
	if _, err := r.do("copy", r.at("files"), r.local("down")); err != nil {
		return err
	}
	got, err := readFolder(r.local("down"))
	return check(err, wrong("the files", rcloneAfter(), got))
}

func (r *rclone) copyServerSide() error {
	if _, err := r.do("copyto", r.at("files/a.txt"), r.at("copies/a.txt")); err != nil {
		return err
	}
	if _, err := r.do("copyto", r.at("large"), r.at("copies/large"), "--b2-chunk-size=5M", "--b2-copy-cutoff=5M"); err != nil {
		return err
	}
	_, err := r.do("check", "--download", r.local("large"), r.at("copies"), "--one-way")
	return err
}

func (r *rclone) share() error {
	link, err := r.do("link", "--expire=1h", r.at("files/a.txt"))
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(r.ctx, http.MethodGet, strings.TrimSpace(link), nil)
	if err != nil {
		return err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	content, err := io.ReadAll(reply.Body)
	return check(errors.Join(err, reply.Body.Close()), wrong("status", http.StatusOK, reply.StatusCode),
		wrong("content", "alpha, changed", string(content)))
}

func (r *rclone) cleanUp() error {
	if _, err := r.do("cleanup", r.at("")); err != nil {
		return err
	}
	names, err := r.names("files", "--b2-versions")
	return check(err, wrong("the number of versions", 5, len(names)))
}

func (r *rclone) purge() error {
	for _, folder := range []string{"files", "copies"} {
		if _, err := r.do("purge", r.at(folder)); err != nil {
			return err
		}
	}
	if _, err := r.do("delete", "--b2-hard-delete", r.at("")); err != nil {
		return err
	}
	names, err := r.names("", "--b2-versions")
	return check(err, wrong("what is left", []string(nil), names))
}

// rcloneFolder is for a key that is limited to a folder.
func rcloneFolder(program string) job {
	return job{
		name: "folder",
		key:  `name_prefix = "inside/"`,
		needs: map[string]string{
			"listFiles":  "copy into the folder",
			"readFiles":  "copy out of the folder",
			"writeFiles": "copy into the folder",
		},
		run: func(t *testing.T, s site) (string, error) {
			r := &rclone{t.Context(), s, program}
			return walk([]step{
				{"copy into the folder", r.copyInside},
				{"copy out of the folder", r.copyOut},
				{"stay in the folder", r.stay},
			})
		},
	}
}

func (r *rclone) copyInside() error {
	if err := r.write("files", rcloneBefore()); err != nil {
		return err
	}
	_, err := r.do("copy", r.local("files"), r.at("inside"))
	return err
}

func (r *rclone) copyOut() error {
	if _, err := r.do("copy", r.at("inside"), r.local("down")); err != nil {
		return err
	}
	got, err := readFolder(r.local("down"))
	return check(err, wrong("the files", rcloneBefore(), got))
}

// stay tries to leave the folder, which must be refused.
func (r *rclone) stay() error {
	for _, args := range [][]string{
		{"copy", r.local("files"), r.at("outside")},
		{"copyto", r.at("inside/a.txt"), r.at("outside.txt")},
		{"lsf", r.at("")},
		{"cat", r.at("outside.txt")},
	} {
		if _, err := r.do(args...); !isRefusal(err) {
			return fmt.Errorf("%w: %v is not refused: %v", errWrong, args, err)
		}
	}
	return nil
}

// rcloneAccount takes more steps, for what not every version can, between
// making a bucket and filling it.
func rcloneAccount(program string, more ...func(*rclone) step) job {
	return job{
		name:    "account",
		account: true,
		needs: map[string]string{
			"deleteBuckets": "purge the bucket",
			"deleteFiles":   "purge the bucket",
			"listBuckets":   "make a bucket",
			"listFiles":     "purge the bucket",
			"writeBuckets":  "make a bucket",
			"writeFiles":    "fill the bucket",
		},
		run: func(t *testing.T, s site) (string, error) {
			s.bucket += "-b"
			r := &rclone{t.Context(), s, program}
			steps := []step{{"make a bucket", r.makeBucket}}
			for _, m := range more {
				steps = append(steps, m(r))
			}
			return walk(append(steps, step{"fill the bucket", r.fillBucket}, step{"purge the bucket", r.purgeBucket}))
		},
	}
}

func (r *rclone) makeBucket() error {
	if _, err := r.do("mkdir", r.at("")); err != nil {
		return err
	}
	return r.hasBucket(true)
}

func (r *rclone) hasBucket(want bool) error {
	out, err := r.do("lsf", r.site.key.Name+":")
	return check(err, wrong("whether the bucket exists", want, slices.Contains(strings.Split(out, "\n"), r.site.bucket+"/")))
}

// rcloneLifecycle sets the bucket's rule and reads it back.
func rcloneLifecycle(r *rclone) step {
	return step{"set the lifecycle", func() error {
		if _, err := r.do("backend", "lifecycle", r.at(""), "-o", "daysFromHidingToDeleting=1", "-o",
			"daysFromStartingToCancelingUnfinishedLargeFiles=7"); err != nil {
			return err
		}
		out, err := r.do("backend", "lifecycle", r.at(""))
		var rules []map[string]any
		return check(errors.Join(err, json.Unmarshal([]byte(out), &rules)), wrong("rules", []map[string]any{{
			"daysFromHidingToDeleting": 1.0, "daysFromStartingToCancelingUnfinishedLargeFiles": 7.0,
			"daysFromUploadingToHiding": nil, "fileNamePrefix": "",
		}}, rules))
	}}
}

// fillBucket also tries to remove the bucket that is not empty.
func (r *rclone) fillBucket() error {
	if _, err := r.feed(strings.NewReader("content"), "rcat", r.at("file")); err != nil {
		return err
	}
	if _, err := r.do("rmdir", r.at("")); err == nil {
		return fmt.Errorf("%w: a bucket with a file is removed", errWrong)
	}
	return nil
}

func (r *rclone) purgeBucket() error {
	if _, err := r.do("purge", r.at("")); err != nil {
		return err
	}
	return r.hasBucket(false)
}
