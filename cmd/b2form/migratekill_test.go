package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"b2form/internal/testrun"
)

// A killer serves requests, and kills a process before or after the one that is its turn.
type killer struct {
	http.Handler
	mu     sync.Mutex
	victim *os.Process // nil: nobody's turn will come
	left   int         // requests until then
	after  bool
}

// ServeHTTP implements http.Handler. The request at which the process dies gets no answer.
func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	victim := k.victim
	if victim != nil {
		k.left--
	}
	if victim == nil || k.left > 0 {
		k.Handler.ServeHTTP(w, r)
		return
	}
	if k.after {
		k.Handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	k.victim = nil
	_ = victim.Kill()
	panic(http.ErrAbortHandler)
}

// kill runs the program and kills it at its n-th request. It reports whether there were so many.
func (b *bench) kill(t *testing.T, k *killer, n int, after bool, args ...string) (killed bool) {
	t.Helper()
	cmd := exec.Command(b2formProgram(t), args...)
	cmd.Env = append(os.Environ(), "B2_ENDPOINT="+b.http.URL, "B2_APPLICATION_KEY_ID="+b.MasterKeyID(), "B2_APPLICATION_KEY="+b.MasterKey())
	k.mu.Lock()
	err := cmd.Start()
	k.victim, k.left, k.after = cmd.Process, n, after
	k.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed, or has done it
	k.mu.Lock()
	defer k.mu.Unlock()
	killed, k.victim = k.victim == nil, nil
	return killed
}

// A migration that is killed anywhere is finished by the same command, or the command says that it is finished. Then the state is in
// the new place, and the old one is as if there had never been any.
func TestStateMigrateKilled(t *testing.T) {
	const resources = `
bucket "one" { name = "acme-one" }
bucket "two" { name = "acme-two" }
`
	for _, fromBucket := range []bool{false, true} {
		t.Run(fmt.Sprintf("from a bucket %t", fromBucket), func(t *testing.T) {
			b := newBench(t, resources)
			k := &killer{Handler: b.http.Config.Handler}
			b.http.Config.Handler = k
			want := func(code int, args ...string) {
				t.Helper()
				b.out, b.err = newScreen(), newScreen()
				b.stdout, b.stderr = b.out, b.err
				if got := b.run(args...); got != code {
					t.Fatalf("b2form %s: exit code %d:\n%s", strings.Join(args, " "), got, b.err)
				}
			}
			want(0, "apply", "-auto-approve")
			original, err := os.ReadFile("b2form.state.json")
			if err != nil {
				t.Fatal(err)
			}
			for n := 1; ; n++ {
				killed := b.migrateKilledAt(t, k, n, true, fromBucket, resources, original, want)
				if testrun.Exhaustive() {
					killed = b.migrateKilledAt(t, k, n, false, fromBucket, resources, original, want) || killed
				}
				if !killed {
					if n < 5 {
						t.Errorf("a migration takes only %d requests", n-1)
					}
					return
				}
			}
		})
	}
}

// migrateKilledAt kills a migration at its n-th request, and looks at what the next one does.
func (b *bench) migrateKilledAt(t *testing.T, k *killer, n int, after, fromBucket bool, resources string, original []byte,
	want func(int, ...string)) (killed bool) {
	t.Helper()
	if err := os.WriteFile("b2form.state.json", original, 0o600); err != nil {
		t.Fatal(err)
	}
	bucket := fmt.Sprintf("acme-states-%d-%t", n, after)
	args, old := []string{"state", "migrate"}, resources
	now := "b2form {\n  backend \"b2\" {\n    bucket = \"" + bucket + "\"\n  }\n}\n" + resources
	writeConfig(t, now)
	want(0, "state", "init")
	if fromBucket {
		want(0, "state", "migrate")
		args, old, now = append(args, "b2://"+bucket+"/b2form/"), now, old
		writeConfig(t, now)
	}
	killed = b.kill(t, k, n, after, args...)
	b.Advance(3 * time.Minute) // the lease has ended
	b.out, b.err = newScreen(), newScreen()
	b.stdout, b.stderr = b.out, b.err
	if code := b.run(args...); code != 0 && !strings.Contains(b.err.String(), "Nothing to migrate") {
		t.Errorf("request %d: the next migration ends with %d:\n%s", n, code, b.err)
	} else if code != 0 && !strings.Contains(b.err.String(), "2 objects") {
		t.Errorf("request %d: nothing says where the state is:\n%s", n, b.err)
	}
	want(0, "state", "list")
	if got := b.out.String(); got != "bucket.one\nbucket.two\n" {
		t.Errorf("request %d: in the new place are %q", n, got)
	}
	writeConfig(t, old)
	want(1, "state", "list")
	if !strings.Contains(b.err.String(), "No state file was found") {
		t.Errorf("request %d: of the old place is said:\n%s", n, b.err)
	}
	return killed
}
