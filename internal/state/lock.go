package state

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// retryLock is how often a held lock is tried again.
const retryLock = 100 * time.Millisecond

// takeLock locks the state at path, trying for as long as wait. The lock is the
// operating system's and ends with the process; the file only carries it, and
// for those who find it held, the holder's LockedError.
func takeLock(ctx context.Context, path string, self LockedError, wait time.Duration) (*flock.Flock, error) {
	name := path + lockSuffix
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	lock := flock.New(name, flock.SetPermissions(0o644))
	for {
		ok, err := tryLock(lock)
		if err != nil {
			return nil, unwritable(name, "Nothing was changed.", err)
		}
		if ok {
			return lock, describeHolder(lock, self)
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

func describeHolder(lock *flock.Flock, self LockedError) error {
	if err := os.WriteFile(lock.Path(), append(compact(self), '\n'), 0o644); err != nil {
		return errors.Join(unwritable(lock.Path(), "Nothing was changed.", err), releaseLock(lock))
	}
	return nil
}

// readHolder gives what is known of the holder, at least the path.
func readHolder(path string) *LockedError {
	held := &LockedError{}
	data, err := os.ReadFile(path + lockSuffix)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		if json.Unmarshal(data, held) != nil {
			held = &LockedError{}
		}
	}
	held.Path = path
	return held
}
