package clients_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const s3Head = `# Programs that judge the emulator's S3 face

The tests in internal/clients run these programs against the S3-compatible API of the emulator as those of
[clients.md](clients.md) against the native one: with a key of exactly the capabilities of the first table a job
succeeds, and without one it is refused at the step that stands beside it. The second table says what was sent: to
what, with which parameters and headers, and how the content was signed.

| program | install |
|---|---|
| aws, s3cmd, curl, rclone, restic | ` + "`apt-get install awscli s3cmd curl rclone restic`" + ` on Debian |
| minio-files | ` + "`go build -C internal/clients/testdata/minio -o ~/go/bin/minio-files .`" + ` |
| chromium | ` + "`apt-get install chromium`" + `; it uploads from a page by a presigned URL and by a native one |

A program that is missing is skipped, but not where the variable CI is set.

As at Backblaze, an object that is not there is 403 AccessDenied to a key without the capability listBuckets, and 404
NoSuchKey to others. Programs that look for an object before they write it need that capability too: rclone and restic by
these tables, and Joplin, which would take the empty bucket of its first synchronisation for a refusal.
`

// TestS3Clients does with programs for S3 what TestClients does.
func TestS3Clients(t *testing.T) { tryAll(t, s3Clients(), 2, "clients-s3.md", s3Head) }

func s3Clients() []client {
	return []client{
		{"aws", "Amazon's command line, Debian's package awscli", awsMissing, []job{s3Files("files", map[string]string{
			"deleteFiles": "delete a version", "listFiles": "list", "readFiles": "download", "writeFiles": "upload"}, awsFiles)}},
		{"s3cmd", "Debian's package s3cmd", inPath("s3cmd"), []job{s3Files("files", map[string]string{
			"listFiles": "list", "readFiles": "download", "writeFiles": "upload"}, s3cmdFiles)}},
		{"curl", "Debian's package curl", inPath("curl"), []job{s3Files("files", map[string]string{
			"readFiles": "download", "writeFiles": "upload"}, curlFiles)}},
		{"rclone-s3", "Rclone's backend for S3", inPath("rclone"), []job{s3Files("files", map[string]string{
			"listBuckets": "upload", "listFiles": "list", "readFiles": "upload", "writeFiles": "upload"}, rcloneS3Files)}},
		{"restic-s3", "Restic's backend for S3", inPath("restic"), []job{s3Files("repository", map[string]string{
			"listBuckets": "make the repository", "listFiles": "back up", "readFiles": "back up", "writeFiles": "make the repository"},
			resticS3)}},
		{"minio-files", "The program in testdata/minio on minio-go", inPath("minio-files"), []job{s3Files("files", map[string]string{
			"deleteFiles": "delete", "listFiles": "put in parts", "readFiles": "put", "writeFiles": "put"}, minioFiles)}},
	}
}

// awsMissing looks for Debian's, which is of another version than others'.
func awsMissing() error {
	_, err := os.Stat("/usr/bin/aws")
	return err
}

func s3Files(name string, needs map[string]string, steps func(context.Context, site) []step) job {
	return job{name: name, needs: needs, run: func(t *testing.T, s site) (string, error) { return walk(steps(t.Context(), s)) }}
}

// run runs a program with the site's key; what it says on standard error is the
// error's text.
func (s site) run(ctx context.Context, program string, args ...string) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = s.dir
	cmd.Env = append(s.environment(), "AWS_ACCESS_KEY_ID="+s.key.ID, "AWS_SECRET_ACCESS_KEY="+s.key.Secret,
		"AWS_DEFAULT_REGION=us-west-004",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1", "RESTIC_PASSWORD=secret", "RESTIC_REPOSITORY=s3:"+s.s3+"/"+s.bucket+"/r")
	var said bytes.Buffer
	cmd.Stderr = &stopper{&said, cancel}
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s%s", program, strings.Join(args, " "), err, said.String(), out)
	}
	return string(out), err
}

// A stopper ends a program that says it was refused: restic would try again for
// a quarter of an hour.
type stopper struct {
	said io.Writer
	stop func()
}

func (s *stopper) Write(p []byte) (int, error) {
	if refusal.Match(p) {
		s.stop()
	}
	return s.said.Write(p)
}

// write makes a local file.
func (s site) write(name string, content []byte) error {
	return os.WriteFile(filepath.Join(s.dir, name), content, 0o644)
}

// same compares two local files.
func (s site) same(a, b string) error {
	want, wantErr := os.ReadFile(filepath.Join(s.dir, a))
	got, gotErr := os.ReadFile(filepath.Join(s.dir, b))
	if !bytes.Equal(want, got) {
		return fmt.Errorf("%w: %s and %s differ", errWrong, a, b)
	}
	return errors.Join(wantErr, gotErr)
}

// large is enough for two parts of any program's.
func large() []byte { return bytes.Repeat([]byte("0123456789abcdef"), 17<<16) }

func awsFiles(ctx context.Context, s site) []step {
	aws := func(args ...string) (string, error) {
		return s.run(ctx, "/usr/bin/aws", append([]string{"--endpoint-url", s.s3}, args...)...)
	}
	at := "s3://" + s.bucket + "/dir/ü +&.bin"
	return []step{
		{"upload", func() error {
			err := s.write("up", large())
			if err == nil {
				_, err = aws("s3", "cp", "--no-progress", "up", at)
			}
			return err
		}},
		{"download", func() error {
			_, err := aws("s3", "cp", "--no-progress", at, "down")
			return check(err, s.same("up", "down"))
		}},
		{"list", func() error {
			out, err := aws("s3", "ls", "s3://"+s.bucket+"/dir/")
			return check(err, wrong("the listing", true, strings.Contains(out, "17825792 ü +&.bin")))
		}},
		{"delete a version", func() error {
			id, err := aws("s3api", "list-object-versions", "--bucket", s.bucket, "--query", "Versions[0].VersionId", "--output", "text")
			if err == nil {
				_, err = aws("s3api", "delete-object", "--bucket", s.bucket, "--key", "dir/ü +&.bin", "--version-id", strings.TrimSpace(id))
			}
			return err
		}},
	}
}

func s3cmdFiles(ctx context.Context, s site) []step {
	host := strings.TrimPrefix(s.s3, "http://")
	s3cmd := func(args ...string) (string, error) {
		return s.run(ctx, "s3cmd", append([]string{
			"--config=/dev/null", "--access_key=" + s.key.ID, "--secret_key=" + s.key.Secret, "--no-ssl", "--host=" + host,
			"--host-bucket=" + host,
			"--region=us-west-004", "--no-progress",
		}, args...)...)
	}
	return []step{
		{"upload", func() error {
			err := s.write("up", large())
			if err == nil {
				_, err = s3cmd("put", "up", "s3://"+s.bucket+"/dir/a b.bin")
			}
			return err
		}},
		{"download", func() error {
			_, err := s3cmd("get", "s3://"+s.bucket+"/dir/a b.bin", "down")
			return check(err, s.same("up", "down"))
		}},
		{"list", func() error {
			out, err := s3cmd("ls", "-r", "s3://"+s.bucket)
			return check(err, wrong("the listing", true, strings.Contains(out, "/dir/a b.bin")))
		}},
		{"delete", func() error {
			_, err := s3cmd("del", "s3://"+s.bucket+"/dir/a b.bin")
			return err
		}},
	}
}

func curlFiles(ctx context.Context, s site) []step {
	curl := func(args ...string) (string, error) {
		return s.run(ctx, "curl", append([]string{"--silent", "--show-error", "--fail-with-body", "--aws-sigv4", "aws:amz:us-west-004:s3",
			"--user", s.key.ID + ":" + s.key.Secret, "--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"}, args...)...)
	}
	at := s.s3 + "/" + s.bucket + "/a.txt"
	return []step{
		{"upload", func() error {
			err := s.write("up", []byte("content"))
			if err == nil {
				_, err = curl("--upload-file", "up", at)
			}
			return err
		}},
		{"download", func() error {
			out, err := curl(at)
			return check(err, wrong("the content", "content", out))
		}},
		{"delete", func() error {
			_, err := curl("--request", "DELETE", at)
			return err
		}},
	}
}

func rcloneS3Files(ctx context.Context, s site) []step {
	rclone := func(args ...string) (string, error) {
		return s.run(ctx, "rclone", append([]string{
			"--config=", "--retries=1", "--low-level-retries=1", "--s3-provider=Other", "--s3-env-auth", "--s3-endpoint=" + s.s3,
			"--s3-region=us-west-004", "--s3-upload-cutoff=5M", "--s3-chunk-size=5M", "--s3-no-check-bucket",
		}, args...)...)
	}
	at := ":s3:" + s.bucket + "/dir"
	return []step{
		{"upload", func() error {
			err := errors.Join(os.Mkdir(filepath.Join(s.dir, "up"), 0o755), s.write("up/ü +&.bin", large()),
				s.write("up/small", []byte("x")))
			if err == nil {
				_, err = rclone("copyto", "up/small", at+"/small")
			}
			if err == nil {
				_, err = rclone("copyto", "up/ü +&.bin", at+"/ü +&.bin")
			}
			return err
		}},
		{"list", func() error {
			out, err := rclone("lsf", at)
			return check(err, wrong("the names", "small\nü +&.bin\n", out))
		}},
		{"check", func() error {
			_, err := rclone("check", "--download", "up", at)
			return err
		}},
		{"copy on the server", func() error {
			_, err := rclone("copyto", at+"/small", at+"/copied")
			return err
		}},
		{"delete", func() error {
			_, err := rclone("delete", at)
			return err
		}},
	}
}

func resticS3(ctx context.Context, s site) []step {
	restic := func(args ...string) error {
		_, err := s.run(ctx, "restic", append([]string{"--no-cache", "-o", "s3.region=us-west-004"}, args...)...)
		return err
	}
	return []step{
		{"make the repository", func() error {
			return check(errors.Join(os.Mkdir(filepath.Join(s.dir, "up"), 0o755), s.write("up/a", large())), restic("init"))
		}},
		{"back up", func() error { return restic("backup", "up") }},
		{"check", func() error { return restic("check", "--read-data") }},
		{"restore", func() error {
			return check(restic("restore", "latest", "--target", "down"), s.same("up/a", "down/up/a"))
		}},
		{"forget", func() error { return restic("forget", "--keep-last=1", "--prune") }},
	}
}

// minioFiles takes the steps that the program in testdata/minio prints.
func minioFiles(ctx context.Context, s site) []step {
	out, err := s.run(ctx, "minio-files", strings.TrimPrefix(s.s3, "http://"), s.bucket)
	names := strings.Split(strings.TrimSpace(out), "\n")
	var steps []step
	for i, name := range names {
		steps = append(steps, step{name, func() error {
			if i == len(names)-1 {
				return err
			}
			return nil
		}})
	}
	return steps
}
