package state_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"b2form/internal/pause"
	"b2form/internal/state"
	"b2form/internal/testrun"
	"b2form/internal/testrun/engines"
	"b2form/schema/addr"
)

// workerVariable makes the test binary a worker instead of running tests.
const workerVariable = "B2FORM_TEST_WORKER"

// A worker is one run in a process of its own. Time passes faster for it, as it
// does for the service of a bucket, so that leases of the killed end soon.
type worker struct {
	engines.StateLocation
	Start  time.Time
	Skew   time.Duration // of its clock
	Number int
	Die    bool // by SIGKILL, while it holds the lock
	Pause  bool // while it holds the lock, until standard input ends
}

const rush = 200 // how much faster

func rushed(start time.Time, skew time.Duration) func() time.Time {
	return func() time.Time { return start.Add(time.Since(start)*rush + skew) }
}

func TestMain(m *testing.M) {
	order := os.Getenv(workerVariable)
	if order == "" {
		if err := testrun.UseMemoryTempDir(); err != nil {
			panic(err)
		}
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

// sleepBriefly waits a small part of what lies between two tries for a lock.
func sleepBriefly(ctx context.Context, d time.Duration) error { return pause.For(ctx, d/20) }

// work tries until its entry is stored and the lock given back.
func (w worker) work() error {
	var slept atomic.Int64 // nanoseconds; the heartbeat asks for the time, too
	running := rushed(w.Start, w.Skew)
	now := func() time.Time { return running().Add(time.Duration(slept.Load())) }
	b, err := w.Connect(now, nil)
	if err != nil {
		return err
	}
	for {
		s, err := b.Open(context.Background(), state.Options{Now: now, Operation: "apply", LockTimeout: time.Minute, Sleep: sleepBriefly})
		if err != nil {
			return err
		}
		if w.Pause {
			w.Pause = false
			fmt.Print("p")
			if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
				return err
			}
			slept.Store(int64(time.Hour))
			if s.CheckLocked() == nil {
				return errors.New("it may act although another run has had the state")
			}
		}
		err = s.PutEntriesCloseIntents(entryNumber("worker", w.Number))
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

// Many processes, each with a clock of its own, some of them killed while they
// hold the lock, some held up until another has taken it over: whatever one of
// them said was stored is there at the end.
func TestProcesses(t *testing.T) {
	t.Parallel()
	for _, e := range engines.All() {
		t.Run(e.Name, func(t *testing.T) {
			processes := testrun.CaseCount(7, 50)
			w := worker{Start: time.Now()}
			w.StateLocation = served(t, e, rushed(w.Start, 0))
			b := connected(t, w.StateLocation, rushed(w.Start, 0), nil)
			random := rand.New(rand.NewPCG(3, 0))
			var wg sync.WaitGroup
			for i := range processes {
				w := w
				w.Number, w.Die, w.Pause = i, i%10 == 3, i%10 == 6 && !e.LockUnbreakable
				w.Skew = time.Duration(random.Int64N(int64(48*time.Hour))) - 24*time.Hour
				wg.Go(func() { w.run(t, e, b) })
			}
			wg.Wait()
			st := readShared(t, b)
			for i := range processes {
				want := entryNumber("worker", i).Addr
				if !slices.ContainsFunc(st.Entries, func(e addr.StateEntry) bool { return e.Addr == want }) {
					t.Errorf("%s is lost", want)
				}
			}
		})
	}
}

// run runs the worker; while it pauses, another run takes the lock over.
func (w worker) run(t *testing.T, e engines.BackendType, b state.Backend) {
	order, err := json.Marshal(w)
	if err != nil {
		t.Error(err)
		return
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), workerVariable+"="+string(order))
	cmd.Stderr = os.Stderr
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Error(err)
		return
	}
	breakLock := func() error {
		_, err := b.BreakLock(t.Context())
		return err
	}
	if w.Pause {
		if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
			t.Errorf("worker %d did not pause: %v", w.Number, err)
		}
		if !e.LockExpires {
			err = breakLock()
		}
		var s *state.Store
		if err == nil {
			s, err = b.Open(t.Context(), state.Options{Now: rushed(w.Start, 0), LockTimeout: time.Minute, Sleep: sleepBriefly})
		}
		if err == nil {
			err = s.Close()
		}
		var lost *state.Error
		if err != nil && !errors.As(err, &lost) {
			t.Errorf("taking over from worker %d: %v", w.Number, err)
		}
	}
	in.Close()
	said, err := io.ReadAll(out)
	if err := errors.Join(err, cmd.Wait()); (err != nil) != w.Die || string(said) != "stored" {
		t.Errorf("worker %d: %v\n%s", w.Number, err, said)
	}
	if w.Die && e.LockOutlivesRun {
		if err := breakLock(); err != nil {
			t.Errorf("after worker %d: %v", w.Number, err)
		}
	}
}
