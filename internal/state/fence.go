package state

import (
	"sync"
	"time"

	"b2form/internal/visible"
)

// maxUnseen is how old the last look at a state may be when something is sent to B2.
const maxUnseen = 2 * time.Second

// A fence is what a run knows of its hold on a state that a server keeps.
type fence struct {
	now func() time.Time

	mu      sync.Mutex
	seenAt  time.Time // since when, at the latest, the state was as this run knows it
	lostErr error     // not nil: for good
	closed  bool
}

// check is nil where the state was this run's a moment ago. Where the last look is older it
// calls look.
func (f *fence) check(look func() error) error {
	f.mu.Lock()
	lost, fresh := f.lostErr, f.closed || elapsed(f.seenAt, f.now()) <= maxUnseen
	f.mu.Unlock()
	if lost != nil || fresh {
		return lost
	}
	return look()
}

// seen notes a look that began at when.
func (f *fence) seen(when time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seenAt = when
}

// lose notes that another run has the state.
func (f *fence) lose(where string) error {
	return f.loseBecause(lostLeaseError(visible.EscapeLine(where)))
}

// loseBecause notes why the state is this run's no longer. The first reason stays.
func (f *fence) loseBecause(reason error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lostErr == nil {
		f.lostErr = reason
	}
	return f.lostErr
}

func (f *fence) lost() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lostErr
}

// end stops further looks.
func (f *fence) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
}
