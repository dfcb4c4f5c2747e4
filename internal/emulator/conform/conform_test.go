package conform_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"b2form/internal/emulator"
	"b2form/internal/emulator/conform"
)

func load(t *testing.T) []conform.Case {
	t.Helper()
	cases, err := conform.Load(os.DirFS("cases"))
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// TestEmulator is the suite, against the emulator as it should be.
func TestEmulator(t *testing.T) {
	for _, c := range load(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if err := c.Run(t.Context(), emulate(t, c)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMutations breaks each behaviour and demands that every case which says it
// guards the behaviour fails, so that none of them is an empty promise.
func TestMutations(t *testing.T) {
	cases := load(t)
	for n := 1; n <= 25; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			guards := 0
			for _, c := range cases {
				if !slices.Contains(c.Behaviours, n) {
					continue
				}
				guards++
				if err := c.Run(t.Context(), emulate(t, c, n)); err == nil {
					t.Errorf("%s passes although behaviour %d is broken", c.Name, n)
				}
			}
			if guards == 0 {
				t.Errorf("no case guards behaviour %d", n)
			}
		})
	}
}

// emulate starts an emulator for the case.
func emulate(t *testing.T, c conform.Case, broken ...int) conform.Subject {
	t.Helper()
	clock := &clock{now: time.Date(2021, 11, 7, 14, 36, 53, 0, time.UTC)}
	o := emulator.Options{Now: clock.read, BrokenBehaviours: broken}
	if s := c.Account; s != nil {
		o.KeyID, o.Region, o.MaxBuckets = s.KeyID, s.Region, s.MaxBuckets
		if len(s.Switches) > 0 {
			if err := conform.DecodeKnownMembers(s.Switches, &o.Switches); err != nil {
				t.Fatal(err)
			}
		}
	}
	server, subject := start(t, o, c.Account != nil && c.Account.RealServiceHosts)
	subject.Advance = clock.advance
	subject.InjectFault = func(text string) error {
		var f emulator.Fault
		if err := conform.DecodeKnownMembers([]byte(text), &f); err != nil {
			return err
		}
		server.QueueFault(f)
		return nil
	}
	return subject
}

// start serves an emulator on loopback.
func start(t *testing.T, o emulator.Options, realServiceHosts bool) (*emulator.Server, conform.Subject) {
	t.Helper()
	listener := httptest.NewUnstartedServer(nil)
	o.Seed = 1
	if !realServiceHosts {
		o.URL = "http://" + listener.Listener.Addr().String()
	}
	server, err := emulator.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	listener.Config.Handler = server
	listener.Start()
	t.Cleanup(func() {
		listener.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server, conform.Subject{
		URL: listener.URL, KeyID: server.MasterKeyID(), Key: server.MasterKey(), Client: listener.Client(),
	}
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
