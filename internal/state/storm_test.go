package state_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2form/internal/state"
	"b2form/internal/testrun"
	"b2form/internal/testrun/engines"
	"b2form/schema/addr"
)

// A storm is many runs on machines of their own that want the same state: some
// are killed, some sleep through their lease, none has the right time.
type storm struct {
	t *testing.T
	*cloud

	mu    sync.Mutex
	told  []string       // entries of which a run was told that they are stored
	open  []*state.Store // of runs that have not ended
	slept int            // how often a run woke up without its lease
	lost  int            // how often one was refused
}

// A machine is where one run works. While it sleeps nothing of it moves, not
// even its heartbeat; once dead it never does again.
type machine struct {
	*storm
	random *rand.Rand
	skew   time.Duration
	mu     sync.Mutex
	wakes  time.Time
	dead   bool
}

var errDead = errors.New("the machine is off")

func (m *machine) now() time.Time { return time.Now().Add(m.skew) }

func (m *machine) wire() *wire {
	hold := func(string) error {
		m.mu.Lock()
		wakes, dead := m.wakes, m.dead
		m.mu.Unlock()
		if dead {
			return errDead
		}
		time.Sleep(time.Until(wakes)) // fake
		return nil
	}
	return &wire{NetworkLine: engines.NetworkLine{BeforeRequest: hold, AfterRequest: hold}}
}

// sleep stops the machine for up to twice a lease.
func (m *machine) sleep() {
	d := time.Duration(m.random.Int64N(int64(4 * time.Minute)))
	m.mu.Lock()
	m.wakes = time.Now().Add(d)
	m.mu.Unlock()
	time.Sleep(d) // fake
}

func (m *machine) kill() {
	m.mu.Lock()
	m.dead = true
	m.mu.Unlock()
}

// alone looks whether any other run might act at this moment.
func (s *storm) alone(store *state.Store) {
	if store.CheckLocked() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.open {
		if other != store && other.CheckLocked() == nil && store.CheckLocked() == nil {
			s.t.Error("two runs may act at once")
		}
	}
}

// work is one run; done says that all of it is stored.
func (m *machine) work(i int) (done bool) {
	b := m.shared(m.wire(), m.now)
	s, err := b.Open(context.Background(), state.Options{Now: m.now, Operation: "apply", LockTimeout: 24 * time.Hour})
	if err != nil {
		return false
	}
	m.storm.mu.Lock()
	m.open = append(m.open, s)
	m.storm.mu.Unlock()
	done = true
	for n := range 3 {
		m.alone(s)
		if m.random.IntN(8) == 0 {
			m.sleep()
		}
		m.alone(s)
		if s.CheckLocked() != nil {
			m.count(&m.slept)
			done = false
			break
		}
		e := entryNumber(fmt.Sprintf("run%d", i), n)
		if err := s.PutEntriesCloseIntents(e); err != nil {
			m.count(&m.lost)
			done = false
			break
		}
		m.tell(e.Addr.String())
		if m.random.IntN(20) == 0 {
			m.kill()
			return true // nobody is left to tell
		}
	}
	// Closing gives the lease away: from then on another run may act, before this one
	// comes to say that it does not.
	m.storm.mu.Lock()
	m.open = slices.DeleteFunc(m.open, func(other *state.Store) bool { return other == s })
	m.storm.mu.Unlock()
	return s.Close() == nil && done
}

func (s *storm) count(n *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
}

func (s *storm) tell(addr string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, addr)
}

// Fifty machines: whatever a run was told to be stored is in the state at the
// end, at no time may two act, and all that live get done.
func TestStorm(t *testing.T) {
	machines := testrun.CaseCount(20, 50)
	inCloud(t, func(t *testing.T, c *cloud) {
		s := &storm{t: t, cloud: c}
		var wg sync.WaitGroup
		for i := range machines {
			random := rand.New(rand.NewPCG(7, uint64(i)))
			m := &machine{storm: s, random: random, skew: time.Duration(random.Int64N(int64(48*time.Hour))) - 24*time.Hour}
			wg.Go(func() {
				for !m.work(i) {
				}
			})
		}
		wg.Wait()
		killed := len(s.open)
		for _, left := range s.open {
			_ = left.Close() // only its heartbeat is left of it
		}
		st := readShared(t, c.shared(&wire{}, time.Now))
		for _, told := range s.told {
			if !slices.ContainsFunc(st.Entries, func(e addr.StateEntry) bool { return e.Addr.String() == told }) {
				t.Errorf("%s was stored and is gone", told)
			}
		}
		t.Logf("%d entries; %d runs killed, %d woke up too late, %d were refused", len(st.Entries), killed, s.slept, s.lost)
		if killed == 0 || s.slept == 0 {
			t.Error("the storm was none: nobody was killed, or nobody slept too long")
		}
		synctest.Wait()
	})
}
