package state

import (
	"sync"
	"time"

	"b2form/internal/visible"
)

// maxUnseen is how old the last look at a state may be when something is sent to B2.
const maxUnseen = 2 * time.Second

// A lockStatus is what a run knows of its hold on a state that a server keeps.
type lockStatus struct {
	now func() time.Time

	mu            sync.Mutex
	confirmedAt   time.Time // since when, at the latest, the state was as this run knows it
	lostErr       error     // not nil: for good
	checksStopped bool
}

// checkIfStale is nil where the state was this run's a moment ago. Where the last look is older it
// calls look.
func (f *lockStatus) checkIfStale(look func() error) error {
	f.mu.Lock()
	lost, fresh := f.lostErr, f.checksStopped || elapsed(f.confirmedAt, f.now()) <= maxUnseen
	f.mu.Unlock()
	if lost != nil || fresh {
		return lost
	}
	return look()
}

// setConfirmedAt notes a look that began at when.
func (f *lockStatus) setConfirmedAt(when time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.confirmedAt = when
}

// markTakenOver notes that another run has the state.
func (f *lockStatus) markTakenOver(where string) error {
	return f.markLost(lostLeaseError(visible.EscapeLine(where)))
}

// markLost notes why the state is this run's no longer. The first reason stays.
func (f *lockStatus) markLost(reason error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lostErr == nil {
		f.lostErr = reason
	}
	return f.lostErr
}

func (f *lockStatus) lost() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lostErr
}

// stopChecks stops further looks.
func (f *lockStatus) stopChecks() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.checksStopped = true
}
