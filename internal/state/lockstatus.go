package state

import (
	"sync"
	"time"

	"b2form/internal/visible"
)

// maxCheckAge is how old the last check of a state may be when something is sent to B2.
const maxCheckAge = 2 * time.Second

// A lockStatus is what a run knows of its hold on a state that a server keeps.
type lockStatus struct {
	now func() time.Time

	mu            sync.Mutex
	confirmedAt   time.Time // since when, at the latest, the state was as this run knows it
	lostErr       error     // not nil: for good
	checksStopped bool
}

// checkIfStale is nil where the state was this run's a moment ago. Where the last check is older it
// calls check.
func (s *lockStatus) checkIfStale(check func() error) error {
	s.mu.Lock()
	lost, fresh := s.lostErr, s.checksStopped || elapsed(s.confirmedAt, s.now()) <= maxCheckAge
	s.mu.Unlock()
	if lost != nil || fresh {
		return lost
	}
	return check()
}

// setConfirmedAt notes a check that began at when.
func (s *lockStatus) setConfirmedAt(when time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.confirmedAt = when
}

// sinceConfirmed is how long ago the last check that is noted began.
func (s *lockStatus) sinceConfirmed() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return elapsed(s.confirmedAt, s.now())
}

// markTakenOver notes that another run has the state.
func (s *lockStatus) markTakenOver(where string) (firstReason error) {
	return s.markLost(stateTakenOverError(visible.EscapeLine(where)))
}

// markLost notes why the state is this run's no longer. The first reason stays.
func (s *lockStatus) markLost(reason error) (firstReason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lostErr == nil {
		s.lostErr = reason
	}
	return s.lostErr
}

func (s *lockStatus) lostErrIfAny() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lostErr
}

// stopChecks stops further checks.
func (s *lockStatus) stopChecks() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checksStopped = true
}
