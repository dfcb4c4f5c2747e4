package state_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"b2form/internal/b2"
	"b2form/internal/emulator"
	"b2form/internal/state"
	"b2form/schema/kind"
)

// workerVariable makes the test binary a worker instead of running tests.
const workerVariable = "B2FORM_TEST_WORKER"

// A worker is one run in a process of its own. Time passes faster for it, as it
// does for the service, so that leases of the killed end soon.
type worker struct {
	URL, KeyID, Key string
	Start           time.Time
	Skew            time.Duration // of its clock
	Number          int
	Die             bool // by SIGKILL, while it holds the lock
}

const rush = 200 // how much faster

func rushed(start time.Time, skew time.Duration) func() time.Time {
	return func() time.Time { return start.Add(time.Since(start)*rush + skew) }
}

func TestMain(m *testing.M) {
	order := os.Getenv(workerVariable)
	if order == "" {
		os.Exit(m.Run())
	}
	var w worker
	err := json.Unmarshal([]byte(order), &w)
	if err == nil {
		err = w.work()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// work tries until its entry is stored and the lock given back.
func (w worker) work() error {
	now := rushed(w.Start, w.Skew)
	client, err := b2.New(b2.Options{KeyID: w.KeyID, Key: w.Key, Endpoint: w.URL, Now: now})
	if err != nil {
		return err
	}
	b := state.Shared{Remote: client, Bucket: "acme-states", Prefix: kind.DefaultPrefix}
	for {
		s, err := b.Open(context.Background(), state.Options{Now: now, Operation: "apply", Wait: time.Minute})
		if err != nil {
			return err
		}
		err = s.Put(entryNumber("worker", w.Number))
		if err == nil && w.Die {
			fmt.Print("stored")
			self, err := os.FindProcess(os.Getpid())
			if err != nil {
				return err
			}
			return self.Kill()
		}
		var lost *state.Error
		if err = errors.Join(err, s.Close()); err == nil || !errors.As(err, &lost) {
			fmt.Print("stored")
			return err
		}
	}
}

// Fifty processes, each with a clock of its own, some of them killed while they
// hold the lock: whatever one of them said was stored is there at the end.
func TestProcesses(t *testing.T) {
	const processes = 50
	start := time.Now()
	server := httptest.NewUnstartedServer(nil)
	e, err := emulator.Open(emulator.Options{Now: rushed(start, 0), Seed: 1, URL: "http://" + server.Listener.Addr().String()})
	must(t, err)
	server.Config.Handler = e
	server.Start()
	t.Cleanup(func() { server.Close(); must(t, e.Close()) })
	w := worker{URL: server.URL, KeyID: e.MasterKeyID(), Key: e.MasterKey(), Start: start}
	client, err := b2.New(b2.Options{KeyID: w.KeyID, Key: w.Key, Endpoint: w.URL, Now: time.Now})
	must(t, err)
	shared := state.Shared{Remote: client, Bucket: "acme-states", Prefix: kind.DefaultPrefix}
	_, err = shared.Init(t.Context(), 30)
	must(t, err)
	random := rand.New(rand.NewPCG(3, 0))
	var wg sync.WaitGroup
	for i := range processes {
		w := w
		w.Number, w.Die = i, i%10 == 3
		w.Skew = time.Duration(random.Int64N(int64(48*time.Hour))) - 24*time.Hour
		wg.Go(func() { w.run(t) })
	}
	wg.Wait()
	st := readShared(t, shared)
	for i := range processes {
		want := entryNumber("worker", i).Addr
		if !slices.ContainsFunc(st.Entries, func(e kind.Entry) bool { return e.Addr == want }) {
			t.Errorf("%s is lost", want)
		}
	}
}

func (w worker) run(t *testing.T) {
	order, err := json.Marshal(w)
	if err != nil {
		t.Error(err)
		return
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), workerVariable+"="+string(order))
	out, err := cmd.CombinedOutput()
	if (err != nil) != w.Die || !strings.HasPrefix(string(out), "stored") {
		t.Errorf("worker %d: %v\n%s", w.Number, err, out)
	}
}
