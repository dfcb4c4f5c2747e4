package laws_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"testing"
	"time"

	"b2form/internal/testrun"
	"b2form/internal/testrun/engines"
	"b2form/schema"
)

// victimVariable makes the test binary a victim instead of running tests.
const victimVariable = "B2FORM_TEST_VICTIM"

// A victim is a run in a process of its own that is killed, as by kill -9, at
// one of its writing requests.
type victim struct {
	Dir, Addr   string
	Site        engines.StateLocation
	Now         time.Time
	KeyID, Key  string
	Destroy     bool
	Parallelism int
	MayFail     bool // the run; otherwise that is the victim's failure
	Watched     bool // by trace
	Nth         int  // which writing request, from 1; 0: none
	After       bool // once it took effect and its reply was read, otherwise before it is sent
}

func TestMain(m *testing.M) {
	order := os.Getenv(victimVariable)
	if order == "" {
		debug.SetGCPercent(400) // worlds are many and small
		// or as the command line says
		err := errors.Join(testrun.UseMemoryTempDir(), flag.Set("rapid.checks", fmt.Sprint(testrun.CaseCount(10, 100))))
		if err != nil {
			panic(err)
		}
		os.Exit(m.Run())
	}
	var v victim
	if err := json.Unmarshal([]byte(order), &v); err != nil {
		panic(err)
	}
	v.run()
}

// plain is the judge of a process that is no test.
type plain struct{}

func (plain) Helper()                      {}
func (plain) Errorf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }
func (plain) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }

func (v victim) run() {
	w := &world{judge: plain{}, clock: &clock{now: v.Now}, kinds: schema.Kinds(), parallelism: v.Parallelism,
		dir: v.Dir, traffic: newTraffic(v.Addr), keyID: v.KeyID, key: v.Key}
	if w.site = v.Site; w.site.BackendName != "" {
		w.reach(nil)
	}
	if v.Watched {
		w.must(beWatched())
	}
	writes := make(chan int, 1)
	writes <- 0
	w.traffic.around = func(n int, _ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		r := w.traffic.since(n - 1)[0]
		if !r.writes() {
			return send()
		}
		nth := <-writes + 1
		writes <- nth
		if nth == v.Nth && !v.After {
			die()
		}
		reply, err := send()
		if nth == v.Nth && err == nil {
			_, _ = io.Copy(io.Discard, reply.Body)
			die()
		}
		return reply, err
	}
	switch _, _, err := w.apply(mode{destroy: v.Destroy}); {
	case err != nil && v.MayFail:
		fmt.Print(err)
	case err != nil:
		panic(err)
	}
}

const lastWord = "killed where it was asked for"

// die ends the process at once: nothing is closed, flushed or unlocked.
func die() {
	fmt.Print(lastWord)
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {}
}

// victim is a process that will work in this world.
func (w *world) victim(v victim) *exec.Cmd {
	w.Helper()
	v.Dir, v.Addr, v.Site, v.Now, v.KeyID, v.Key = w.dir, w.traffic.addr, w.site, w.Now(), w.keyID, w.key
	order, err := json.Marshal(v)
	w.must(err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimVariable+"="+string(order), "GORACE=atexit_sleep_ms=0")
	return cmd
}

// A death is the moment at which a process is killed: before or after its n-th
// writing request.
type death struct {
	nth    int
	method string
	after  bool
}

func (d death) request() string { return d.method }

func (d death) String() string {
	if d.after {
		return fmt.Sprintf("after write %d %s", d.nth, d.method)
	}
	return fmt.Sprintf("before write %d %s", d.nth, d.method)
}

// kill runs the world's configuration in a process that dies.
func (w *world) kill(m mode, d death) {
	w.Helper()
	out, err := w.victim(victim{Destroy: m.destroy, Parallelism: 3, Nth: d.nth, After: d.after}).CombinedOutput()
	if err == nil || string(out) != lastWord {
		w.Fatalf("the run was not killed: %v\n%s", err, out)
	}
}

// For every writing request of every sort of change: a process that is killed
// before it sends the request, or before it sees the reply, leaves what the next
// runs complete.
func TestKilledAtEveryWrite(t *testing.T) {
	for n, l := range stories() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			want, requests := l.undisturbed(t)
			for _, d := range testrun.SampleUnlessExhaustive(t, 47, 5*n, deaths(requests)) {
				l.dies(t, d, want)
			}
			onRemotes(t, 13, 5*n, deaths(requests), func(e engines.BackendType, d death) { l.on(e).dies(t, d, want) })
		})
	}
}

func (l story) dies(t *testing.T, d death, want string) {
	w := l.begin(t)
	defer w.close()
	w.kill(l.mode, d)
	w.freeLock()
	w.keysAreKnown()
	l.converge(w, want)
	if t.Failed() {
		t.Fatal("killed", d, l.engine.Name)
	}
}

// deaths gives every moment at which a writing request makes a difference.
func deaths(requests []request) (all []death) {
	n := 0
	for _, r := range requests {
		if r.writes() {
			n++
			all = append(all, death{n, r.method, false}, death{n, r.method, true})
		}
	}
	return all
}
