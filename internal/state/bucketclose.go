package state

import (
	"bytes"
	"errors"
	"sync"
	"time"
)

// This file ends a run on a shared state.

// hideObjects lets the bucket's lifecycle rule delete superseded objects in its time.
// One that stays visible is in nobody's way.
func (k *bucketStorage) hideObjects(objects []fileVersion) {
	var all sync.WaitGroup
	for _, o := range objects {
		all.Go(func() {
			_ = k.Remote.Call(k.untilCloseCtx, "b2_hide_file", map[string]string{"bucketId": k.bucketID, "fileName": o.Name}, nil)
		})
	}
	all.Wait()
}

// close stores the state, drops the journal and gives the lease back, all three
// by one move of the pointer.
func (k *bucketStorage) close(s *State) error {
	defer k.stopHeartbeat()
	if err := k.lostErrIfAny(); err != nil {
		return err
	}
	if s != nil && !s.recordsMoreThanAccount() {
		if err := k.replaceWithEmpty(); err != nil {
			return err
		}
	}
	now := k.lastKnownVersion()
	to, superseded := stateAndJournalVersion{State: now.State}, k.journalParts
	var failed error
	if s != nil {
		var content bytes.Buffer
		to = stateAndJournalVersion{}
		if s.recordsMoreThanAccount() { // else the bucket, which is in that account, has room for another state
			failed = s.Encode(&content)
		}
		if failed == nil && content.Len() > 0 {
			to.State, failed = k.uploadObject(k.newObjectName("state"), content.Bytes())
		}
		if now.State != (fileVersion{}) {
			superseded = append(superseded, now.State)
		}
	}
	if failed != nil {
		to, superseded = now, nil
	}
	k.updateSemaphore <- struct{}{}
	err := k.updateIfLeaseHeld(func(p statePointer, _ time.Time) (statePointer, bool) { return p.commitAndReleaseLease(k.claim, to) })
	<-k.updateSemaphore
	if err = errors.Join(failed, err); err != nil {
		return err
	}
	k.hideObjects(superseded)
	return nil
}

// replaceWithEmpty makes [emptyStateFile] the state, as the only one that is not hidden. After that the pointer can go: who finds that
// file and no pointer sees that the state was given up. See checkPointerNotLost.
func (k *bucketStorage) replaceWithEmpty() error {
	now := k.lastKnownVersion()
	if now.State == (fileVersion{}) {
		return nil
	}
	empty, err := k.uploadObject(k.newObjectName("state"), emptyStateFile())
	if err != nil {
		return err
	}
	if err := k.commitVersion(stateAndJournalVersion{State: empty}); err != nil {
		return err
	}
	k.hideObjects(append(k.journalParts, now.State))
	k.journalParts = nil
	return nil
}

// releaseLease gives the lease back after a failed start.
func (k *bucketStorage) releaseLease() {
	defer k.stopHeartbeat()
	to := k.lastKnownVersion()
	k.updateSemaphore <- struct{}{}
	defer func() { <-k.updateSemaphore }()
	// else it expires
	_ = k.updateIfLeaseHeld(func(p statePointer, _ time.Time) (statePointer, bool) { return p.commitAndReleaseLease(k.claim, to) })
}
