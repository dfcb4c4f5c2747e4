package state

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// retryLock is how often a held lock is tried again.
const retryLock = 100 * time.Millisecond

// takeLock locks the state at path, trying for as long as o says. The lock is the
// operating system's and ends with the process; the file only carries it, and
// for those who find it held, the holder's LockedError.
func takeLock(ctx context.Context, path string, self LockedError, o Options) (*flock.Flock, error) {
	name := path + lockSuffix
	waiting, cancel := context.WithTimeout(ctx, o.Wait)
	defer cancel()
	lock := flock.New(name, flock.SetPermissions(0o644))
	for told := false; ; told = true {
		ok, err := tryLock(lock)
		if err != nil {
			return nil, unwritable(name, "Nothing was changed.", err)
		}
		if ok {
			// A courtesy to others: where it cannot be written the lock holds no less.
			_ = os.WriteFile(name, append(compact(self), '\n'), 0o644)
			return lock, nil
		}
		if !told {
			o.tell(readHolder(path))
		}
		select {
		case <-waiting.Done():
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, lockedError(readHolder(path))
		case <-time.After(retryLock):
		}
	}
}

// tell says that a wait begins, if there is one and somebody listens.
func (o Options) tell(holder *LockedError) {
	if o.Wait > 0 && o.Waiting != nil {
		o.Waiting(holder)
	}
}

// tryLock takes the lock if it is free. The file is removed when a lock is
// released, so the one that was locked may no longer be the one that the next
// run will open; then it does not count.
func tryLock(lock *flock.Flock) (bool, error) {
	for {
		ok, err := lock.TryLock()
		if !ok || err != nil {
			return false, err
		}
		held, err := lock.Stat()
		if err != nil {
			return false, errors.Join(err, lock.Unlock())
		}
		if named, err := os.Stat(lock.Path()); err == nil && os.SameFile(held, named) {
			return true, nil
		}
		if err := lock.Unlock(); err != nil {
			return false, err
		}
	}
}

func releaseLock(lock *flock.Flock) error {
	// Before unlocking: afterwards it may be another run's. Where an open file
	// cannot be removed it stays, which does no harm.
	_ = os.Remove(lock.Path())
	return lock.Unlock()
}

// readHolder gives what is known of the holder, at least the path. The file may
// be half written, or unreadable while it is locked, as on Windows.
func readHolder(path string) *LockedError {
	held := &LockedError{}
	data, err := os.ReadFile(path + lockSuffix)
	if err != nil || json.Unmarshal(data, held) != nil {
		held = &LockedError{}
	}
	held.Path = path
	return held
}
