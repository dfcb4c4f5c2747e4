// Package clients_test proves the emulator, and the keys that b2form makes, by
// programs that were written for Backblaze B2 by others.
//
// Every client does a job: a list of steps with a key that `b2form apply` made
// and that has exactly the capabilities of the job. For each of these the job
// runs once more with a key that lacks it, and must be refused at the step that
// the job names. So a key is neither too weak nor too strong, and the emulator
// neither too strict nor too lax.
//
// What the clients ask the service is recorded into docs/clients.md; write it
// anew with `go test ./internal/clients -update`.
package clients_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/testrun"
)

// A client is a program, or a library, and what it is to do.
type client struct {
	name    string
	source  string // where it comes from, for the documentation
	missing func() error
	jobs    []job
}

func (c client) String() string { return c.name }

// clients lists the programs. None of them may be missing where the variable CI
// is set; elsewhere one that is missing is skipped.
func clients() []client {
	return []client{
		{"blazer", "The Go library's package b2, in the tests' own process", func() error { return nil },
			[]job{blazerFiles(), blazerAccount()}},
		{"rclone", "Debian's package rclone", inPath("rclone"),
			[]job{rcloneFiles("rclone"), rcloneFolder("rclone"), rcloneAccount("rclone")}},
		{"rclone-current", "Rclone of the version in testdata/rclone/go.mod", inPath("rclone-current"),
			[]job{rcloneFiles("rclone-current"), rcloneFolder("rclone-current"), rcloneAccount("rclone-current", rcloneLifecycle)}},
		{"restic", "Debian's package restic", inPath("restic"), []job{resticRepository()}},
		{"b2sdk", "Backblaze's SDK for Python, Debian's package python3-b2sdk", sdkMissing, []job{sdkFiles(), sdkAccount()}},
	}
}

// inPath looks for a program.
func inPath(program string) func() error {
	return func() error {
		_, err := exec.LookPath(program)
		return err
	}
}

// A job is what a client does in one bucket.
type job struct {
	name string
	// bucket and key have more attributes, in HCL, for the bucket and the key
	// that b2form makes.
	bucket, key string
	// account leaves the key without a limit to that bucket.
	account bool
	// needs has the capabilities of the key, and for each the first step that
	// is refused without it.
	needs map[string]string
	// run does the steps in order until one fails, and gives that one.
	run func(t *testing.T, s site) (failed string, err error)
}

// A site is where and as whom a job runs.
type site struct {
	endpoint string
	s3       string // the endpoint of the S3 face
	bucket   string
	key      key
	dir      string // of its own, to work in
}

// environment is that of a program. Nothing of the developer's own settings
// comes in.
func (s site) environment() []string {
	return []string{"HOME=" + s.dir, "LANG=C.UTF-8", "NO_PROXY=127.0.0.1", "PATH=" + os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1"}
}

// A step is a part of a job that succeeds or fails as a whole.
type step struct {
	name string
	do   func() error
}

// walk does the steps in order until one fails, and gives that one.
func walk(steps []step) (failed string, err error) {
	for _, s := range steps {
		if err := s.do(); err != nil {
			return s.name, err
		}
	}
	return "", nil
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write docs/clients.md instead of comparing it")
	flag.Parse()
	os.Exit(m.Run())
}

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

func TestClients(t *testing.T) { tryAll(t, clients(), 0, "clients.md", head) }

// tryAll has the clients, or the sample of them with this offset, do their jobs,
// and compares what they sent with a page of docs.
func tryAll(t *testing.T, clients []client, offset int, doc, head string) {
	bin := build(t)
	if !updating() {
		clients = testrun.SampleUnlessExhaustive(t, 5, offset, clients)
	}
	var pages []string
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			demand(t, c.name, c.missing)
			page := page{client: c}
			for _, j := range c.jobs {
				t.Run(j.name, func(t *testing.T) { page.add(j, try(t, bin, c.name, j)) })
			}
			pages = append(pages, page.String())
		})
	}
	compare(t, doc, head, pages)
}

// demand skips the test if the client is missing, or fails it where nothing may
// be skipped.
func demand(t *testing.T, name string, missing func() error) {
	t.Helper()
	err := missing()
	switch {
	case err == nil:
	case os.Getenv("CI") != "" || updating():
		t.Fatalf("%s is not installed (%v); .ci/run installs what the tests need", name, err)
	default:
		t.Skipf("%s is not installed: %v", name, err)
	}
}

// try runs the job with the key that suits it, then with those that lack a
// capability, and gives the requests of the first.
func try(t *testing.T, bin, name string, j job) requests {
	capabilities := slices.Sorted(maps.Keys(j.needs))
	a := apply(t, bin, configuration(name+"-"+j.name, capabilities, j))
	a.forget()
	if failed, err := j.run(t, a.site(t, "whole")); err != nil {
		t.Fatalf("%s: %v", failed, err)
	}
	seen := a.requests()
	t.Run("without", func(t *testing.T) {
		for _, capability := range testrun.SampleUnlessExhaustive(t, 12, len(name)+len(j.name), capabilities) {
			t.Run(capability, func(t *testing.T) {
				t.Parallel()
				s := a.site(t, "no-"+capability)
				failed, err := j.run(t, s)
				switch {
				case err == nil:
					t.Errorf("nothing is refused; want a refusal of %q", j.needs[capability])
				case failed != j.needs[capability], !isRefusal(err) && (errors.Is(err, errWrong) || !a.refusedTo(s.key.ID)):
					t.Errorf("%q fails: %v; want a refusal of %q", failed, err, j.needs[capability])
				}
			})
		}
	})
	return seen
}

// errWrong marks what a client did or saw otherwise than it should.
var errWrong = errors.New("wrong result")

// wrong is the error of a step whose outcome differs.
func wrong(what string, want, got any) error {
	if d := cmp.Diff(want, got); d != "" {
		return fmt.Errorf("%w of %s (-want +got):\n%s", errWrong, what, d)
	}
	return nil
}

// check gives the error of an action or, if there is none, those of its outcome.
func check(err error, outcome ...error) error {
	if err != nil {
		return err
	}
	return errors.Join(outcome...)
}

// refusal finds the words with which programs say that they were refused, or
// that they knew they would be. What rclone says of a bucket that it may not list
// is no such word: there only the service can tell.
var refusal = regexp.MustCompile(`\b401\b|(?i)access ?denied|unauthorized|requires the \w+ permission|not authorized`)

func isRefusal(err error) bool {
	return err != nil && !errors.Is(err, errWrong) && refusal.MatchString(err.Error())
}
