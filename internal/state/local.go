package state

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"

	"b2form/internal/durable"
)

// LocalFile is the Backend that keeps the state in the file at Path.
type LocalFile struct{ Path string }

// String is what messages call the state.
func (l LocalFile) String() string { return l.Path }

// FilePaths are the paths of all files that belong to the state, whether or not they
// exist.
func (l LocalFile) FilePaths() []string {
	path, err := resolveSymlinks(l.Path)
	if err != nil {
		path = l.Path // opening it fails too, and says why
	}
	return []string{path, path + journalSuffix, path + lockSuffix, path + tempSuffix}
}

// Read implements [Backend]. See [ReadOrEmpty].
func (l LocalFile) Read(context.Context) (*State, error) {
	s, err := ReadOrEmpty(l.Path)
	if err == nil {
		s.HeldBy = l.holderIfKnown()
	}
	return s, err
}

// holderIfKnown says who holds the lock; nil: nobody, or it cannot be found out. Nothing is written.
func (l LocalFile) holderIfKnown() *LockedError {
	path, err := resolveSymlinks(l.Path)
	if err != nil {
		return nil
	}
	if info, err := statRegularIfAny(path + lockSuffix); info == nil || err != nil {
		return nil
	}
	lock := flock.New(path+lockSuffix, flock.SetFlag(os.O_RDONLY|durable.NoFollow))
	switch free, err := lock.TryRLock(); {
	case err != nil:
		return nil
	case free:
		_ = lock.Unlock() // it ends with the open file, whatever comes of this
		return nil
	}
	return readHolderOrUnknown(path)
}

// Open implements [Backend]. See the function Open.
func (l LocalFile) Open(ctx context.Context, o Options) (*Store, error) { return Open(ctx, l.Path, o) }

// LockHolder implements [Backend]. It takes the lock for a moment, so it needs a
// writable folder where the state has ever been locked.
func (l LocalFile) LockHolder(context.Context) (*LockedError, error) {
	path, err := resolveSymlinks(l.Path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(path + lockSuffix); os.IsNotExist(err) {
		return nil, nil
	}
	lock := newLock(path)
	free, err := tryLock(lock)
	switch {
	case err != nil:
		return nil, lockFailedError(path+lockSuffix, err)
	case free:
		return nil, releaseLock(lock)
	}
	return readHolderOrUnknown(path), nil
}

// BreakLock implements [Backend]. The lock ends with its process, so there is never
// one to break: it is an *Error that says so, unless the state is not locked.
func (l LocalFile) BreakLock(ctx context.Context) (formerHolder *LockedError, err error) {
	held, err := l.LockHolder(ctx)
	if held == nil || err != nil {
		return nil, err
	}
	return nil, &Error{
		Summary: "The lock belongs to a running process",
		Detail: "The lock of " + held.Path + " ends with the process that holds it. Wait for that run, or end its process.\n\n" +
			held.InfoText(),
		Path:  held.Path,
		Cause: held,
	}
}

// Open locks and reads the state at path; a file that does not exist is an
// empty state, and is made by Close when there is something to store. Where
// path is a symbolic link, its target is the state. An error is an *Error (with
// a *LockedError as cause when another run holds the lock longer than
// Options.LockTimeout), or ctx's.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	path, err := resolveSymlinks(path)
	if err != nil {
		return nil, err
	}
	f := &fileStorage{path: path, knownFiles: knownFiles{path: path}}
	if !o.NoLock {
		self := LockedError{Path: path, Operation: o.Operation, Who: o.LockOwner, PID: os.Getpid(), Created: o.Now().UTC()}
		if f.lock, err = takeLock(ctx, path, self, o); err != nil {
			return nil, err
		}
	}
	s, err := f.openStore()
	if err != nil {
		f.unlock()
		return nil, err
	}
	if o.NoLock {
		s.baseState.HeldBy = LocalFile{path}.holderIfKnown()
	}
	s.now = o.Now
	return s, nil
}

// fileStorage is the storage of a state in a folder.
type fileStorage struct {
	path string
	lock *flock.Flock // nil: taken by nobody
	writeCounter
	knownFiles

	// The journal, as far as it is open.
	openJournalFile  func() (journalFile, error)
	journal          journalFile
	pendingFirstLine []byte // written in front of the next lines; nil: the journal has it
	journalSize      int64  // of its whole lines, in bytes
	journalTorn      bool   // something may follow them on disk that was not written to its end
}

// journalFile is what the journal needs of *os.File.
type journalFile interface {
	io.WriteCloser
	Sync() error
	Truncate(size int64) error
}

// openStore makes the Store.
func (f *fileStorage) openStore() (*Store, error) {
	if err := f.noteFiles(); err != nil {
		return nil, err
	}
	raw, err := readRegularFileOrNil(f.path + journalSuffix)
	if err != nil {
		return nil, err
	}
	base, err := readStateFileOrEmpty(f.path)
	if err != nil {
		return nil, err
	}
	j, err := parseJournal(f.path+journalSuffix, raw, base)
	if err != nil {
		return nil, err
	}
	f.journalSize, f.journalTorn = int64(j.validSize), j.validSize < len(raw)
	f.knownFiles.knownJournalSize = int64(len(raw))
	if j.maxFormatVersion < formatVersion {
		f.pendingFirstLine = journalHeader(base).encodeLine()
	}
	if j.validSize > 0 && raw[j.validSize-1] != '\n' {
		f.pendingFirstLine = append([]byte{'\n'}, f.pendingFirstLine...)
	}
	f.openJournalFile = f.openJournal
	return newStore(f.path, f, base, j.changes), nil
}

func (f *fileStorage) openJournal() (journalFile, error) {
	j, err := f.knownFiles.openOrCreateJournal(os.O_APPEND | os.O_WRONLY | durable.NoFollow)
	if err != nil {
		return nil, err
	}
	if err := f.writeCounter.sync(func() error { return durable.SyncDir(filepath.Dir(f.path)) }); err != nil {
		j.Close()
		return nil, err
	}
	return j, nil
}

func (f *fileStorage) append(lines []byte) error {
	err := f.checkStateStillOurs()
	if err == nil {
		err = f.writeLines(lines)
	}
	if err != nil {
		if own, ok := errors.AsType[*Error](err); ok {
			return own
		}
		return writeError(f.path+journalSuffix, "What was recorded before is safe.", err)
	}
	return nil
}

func (f *fileStorage) writeLines(lines []byte) error {
	if f.journal == nil {
		j, err := f.openJournalFile()
		if err != nil {
			return err
		}
		f.journal = j
	}
	if f.journalTorn { // else a damaged line would stand between whole ones
		if err := f.knownFiles.truncateJournal(f.journalSize, f.journal.Truncate); err != nil {
			return err
		}
	}
	lines = slices.Concat(f.pendingFirstLine, lines)
	f.journalTorn = true
	if err := f.knownFiles.writeJournal(func() (int, error) { return f.writeCounter.writer(f.journal).Write(lines) }); err != nil {
		return err
	}
	f.journalTorn, f.pendingFirstLine, f.journalSize = false, nil, f.journalSize+int64(len(lines))
	return f.writeCounter.sync(f.journal.Sync)
}

// close brings the state file up to date and removes the journal. Only then:
// all of it may still be needed.
func (f *fileStorage) close(s *State) error {
	if f.journal != nil {
		_ = f.journal.Close() // what fails here was synced before
		f.journal = nil
	}
	err := f.saveStateRemoveJournal(s)
	if f.lock == nil {
		return err
	}
	if unlockErr := releaseLock(f.lock); err == nil && unlockErr != nil {
		err = writeError(f.path+lockSuffix, "The state itself is saved.", unlockErr)
	}
	return err
}

func (f *fileStorage) saveStateRemoveJournal(s *State) error {
	if err := f.checkStateStillOurs(); err != nil {
		if s == nil {
			return nil // nothing is to be stored, so nothing is lost
		}
		return err
	}
	switch {
	case s != nil && s.IsEmpty():
		if err := os.Remove(f.path); err != nil && !os.IsNotExist(err) {
			return f.unsavedError(err)
		}
	case s != nil:
		if err := replaceStateFile(f.path, s, &f.writeCounter); err != nil {
			return f.unsavedError(err)
		}
	}
	if err := os.Remove(f.path + journalSuffix); err != nil && !os.IsNotExist(err) {
		return f.unsavedError(err)
	}
	return nil
}

func (f *fileStorage) unsavedError(err error) *Error {
	return writeError(f.path, "What this run recorded is kept in "+f.path+journalSuffix+"; the next run reads it.", err)
}

func (f *fileStorage) unlock() {
	if f.lock != nil {
		_ = releaseLock(f.lock)
	}
}

// checkStateStillOurs looks whether the lock is still the file that others try to lock, and what
// is stored what this run knows. The second also holds without a lock.
func (f *fileStorage) checkStateStillOurs() error {
	if f.lock != nil && !isLockFileInPlace(f.lock) {
		return lostLockError(f.path)
	}
	return f.knownFiles.checkUnchanged()
}
