package laws_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"b2form/internal/testrun"
)

// A fileOp is a call to the system by which a run changes a file of its world.
type fileOp struct{ call, file string }

// A fate is what becomes of a run at a fileOp.
type fate int

const (
	undisturbed fate = iota
	killed           // before the call takes effect
	fullDisk         // the call fails with ENOSPC
	readOnly         // the call fails with EROFS
)

func (f fate) String() string {
	return [...]string{"undisturbed", "killed", "full disk", "read-only"}[f]
}

// matters reports whether a fate at the operation differs from the same fate
// before another one. A process that dies loses nothing that it wrote and did
// not sync, and a lock is not kept.
func (o fileOp) matters(f fate) bool {
	switch {
	case strings.HasSuffix(o.file, ".lock"):
		return false
	case f == killed:
		return o.call != "sync"
	case f == fullDisk:
		return o.call == "write" || o.call == "sync"
	}
	return o.call != "write" && o.call != "sync"
}

// fileStories are changes that write to each of the files there are.
func fileStories() []story {
	const small = `
bucket "photos" {
  name = "acme-photos"
}
key "camera" {
  name         = "camera"
  capabilities = ["readFiles"]
  buckets      = [bucket.photos]
  deliver "file" { path = "camera.env" }
  deliver "file" {
    path    = "camera.txt"
    content = "B2_APPLICATION_KEY_ID=${self.application_key_id}\nB2_APPLICATION_KEY=${self.application_key}\n"
  }
}
`
	return []story{
		{name: "create", second: small},
		{name: "replace", first: small, second: replace(small, `["readFiles"]`, `["listFiles"]`)},
		{name: "rotate", first: rotating, second: rotating, meanwhile: func(w *world) { w.pass(91 * 24 * time.Hour) }},
		{name: "destroy", first: small, second: small, mode: mode{destroy: true}},
	}
}

// For every change of a file by every sort of run, the journal, the state and
// the deliveries: a process that is killed there, or for which the disk is full
// or read-only there, leaves what the next runs complete.
func TestDisturbedAtEveryFile(t *testing.T) {
	switch _, err := trace(exec.Command("true"), "/", nil); {
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, os.ErrPermission):
		t.Skip("processes cannot be watched here: ", err)
	case err != nil:
		t.Fatal(err)
	}
	for n, l := range fileStories() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			want, _ := l.undisturbed(t)
			w := l.begin(t)
			ops, _ := w.traced(l.mode, 0, undisturbed)
			w.settled(l.mode)
			w.close()
			for _, m := range testrun.SampleUnlessExhaustive(t, 47, 5*n, mishaps(ops)) {
				if m.befall(t, l, want); t.Failed() {
					t.Fatalf("%s, of %d", m, len(ops))
				}
			}
		})
	}
}

// A mishap is the fate of one fileOp of a run.
type mishap struct {
	fileOp
	nth  int
	fate fate
}

func (m mishap) String() string { return fmt.Sprintf("%s at %d %s %s", m.fate, m.nth, m.call, m.file) }

// mishaps gives all that differ.
func mishaps(ops []fileOp) (all []mishap) {
	for i, op := range ops {
		for _, f := range []fate{killed, fullDisk, readOnly} {
			if op.matters(f) {
				all = append(all, mishap{op, i + 1, f})
			}
		}
	}
	return all
}

func (m mishap) befall(t *testing.T, l story, want string) {
	t.Helper()
	w := l.begin(t)
	defer w.close()
	ops, said := w.traced(l.mode, m.nth, m.fate)
	hit := ops[m.nth-1] // the order of what steps write at once is open
	if litter := w.litter(); m.fate != killed && hit.call != "remove" && (litter != "[]" || said == "") {
		t.Errorf("%s %s: the run left %s behind and failed with %q", hit.call, hit.file, litter, said)
	}
	l.converge(w, want)
	if litter := w.litter(); litter != "[]" {
		t.Errorf("the next runs left %s of it", litter)
	}
	if t.Failed() {
		t.Logf("the run said %s", said)
	}
}

// traced runs the world's configuration in another process, with a fate at the
// n-th fileOp. It gives what the process did to files, and what it said.
func (w *world) traced(m mode, nth int, f fate) (ops []fileOp, said string) {
	w.Helper()
	cmd := w.victim(victim{Destroy: m.destroy, Parallelism: 1, Watched: true, MayFail: f != undisturbed})
	out, err := os.Create(w.dir + ".said")
	w.must(err)
	cmd.Stdout, cmd.Stderr = out, out
	ops, err = trace(cmd, w.dir, func(n int, _ fileOp) fate {
		if n == nth {
			return f
		}
		return undisturbed
	})
	w.must(errors.Join(err, out.Close()))
	text, err := os.ReadFile(out.Name())
	w.must(errors.Join(err, os.Remove(out.Name())))
	if len(ops) < nth || f == killed && len(ops) != nth {
		w.Fatalf("the process went on to %d operations, %v at %d: %s", len(ops), f, nth, fmt.Sprint(ops))
	}
	return ops, string(text)
}
