package state

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"time"

	"github.com/gofrs/flock"

	"b2form/internal/durable"
	"b2form/internal/pause"
)

// retryLock is how often a held lock is tried again.
const retryLock = 100 * time.Millisecond

// takeLock locks the state at path, trying for as long as o says. The lock is the
// operating system's and ends with the process; the file only carries it, and
// for those who find it held, the holder's LockedError.
func takeLock(ctx context.Context, statePath string, self LockedError, o Options) (*flock.Flock, error) {
	name := statePath + lockSuffix
	lock := newLock(statePath)
	err := o.waitForLock(ctx, func() (held *LockedError, err error) {
		ok, err := tryLock(lock)
		switch {
		case err != nil:
			return nil, lockFailedError(name, err)
		case !ok:
			return readHolderOrUnknown(statePath), nil
		}
		_ = writeHolder(name, self) // a courtesy to others: where it cannot be written the lock holds no less
		return nil, nil
	}, func(*LockedError) time.Duration { return retryLock }, fileLockedError)
	return lock, err
}

// lockFailedError says why a lock cannot be tried.
func lockFailedError(lockPath string, err error) *Error {
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	return writeError(lockPath, "Nothing was changed.", err)
}

// waitForLock tries for as long as o says: try takes the lock or says who has it, and between is how long to wait before the next
// try. lockedError is about a lock that stayed held.
func (o Options) waitForLock(ctx context.Context, try func() (held *LockedError, err error), between func(held *LockedError) time.Duration,
	lockedError func(held *LockedError) *Error) error {
	waiting, cancel := context.WithTimeout(ctx, o.LockTimeout)
	defer cancel()
	sleep := pause.For
	if o.Sleep != nil {
		sleep = o.Sleep
	}
	for told := false; ; told = true {
		held, err := try()
		if held == nil || err != nil {
			return err
		}
		if !told && o.LockTimeout > 0 && o.OnWait != nil {
			o.OnWait(held)
		}
		if sleep(waiting, between(held)) != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return lockedError(held)
		}
	}
}

// newLock is the lock of the state at path, not yet taken.
func newLock(statePath string) *flock.Flock {
	flags := os.O_CREATE | os.O_RDONLY | durable.NoFollow
	switch runtime.GOOS {
	case "aix", "solaris", "illumos": // only what can be written to can be locked there
		flags = os.O_CREATE | os.O_RDWR | durable.NoFollow
	}
	return flock.New(statePath+lockSuffix, flock.SetPermissions(0o644), flock.SetFlag(flags))
}

// writeHolder writes the holder into the lock file.
func writeHolder(lockPath string, self LockedError) error {
	f, err := os.OpenFile(lockPath, os.O_WRONLY|os.O_TRUNC|durable.NoFollow, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(append(compactJSON(self), '\n'))
	return errors.Join(err, f.Close())
}

// isLockFileInPlace reports whether a lock that was taken is on the file that the next run will
// open.
func isLockFileInPlace(lock *flock.Flock) bool {
	held, err := lock.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(lock.Path())
	return err == nil && os.SameFile(held, named)
}

// tryLock takes the lock if it is free. The file is removed when a lock is
// released, so the one that was locked may no longer be the one that the next
// run will open; then it does not count.
func tryLock(lock *flock.Flock) (locked bool, err error) {
	for {
		if info, err := os.Lstat(lock.Path()); err == nil && info.Mode()&fs.ModeType&^fs.ModeDir != 0 {
			return false, irregularFileError(lock.Path(), info.Mode())
		}
		ok, err := lock.TryLock()
		if !ok || err != nil {
			return false, err
		}
		if isLockFileInPlace(lock) {
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
	if isLockFileInPlace(lock) {
		_ = os.Remove(lock.Path())
	}
	return lock.Unlock()
}

// readHolderOrUnknown gives what is known of the holder, at least the path. The file may
// be half written, or unreadable while it is locked, as on Windows.
func readHolderOrUnknown(statePath string) *LockedError {
	held := &LockedError{}
	data, err := readRegularFileOrNil(statePath + lockSuffix)
	if err != nil || json.Unmarshal(data, held) != nil {
		held = &LockedError{}
	}
	held.Path = statePath
	return held
}
