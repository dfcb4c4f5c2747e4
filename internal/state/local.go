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
	"b2form/schema/wire"
)

// Local is the Backend that keeps the state in the file at Path.
type Local struct{ Path string }

// String is what messages call the state.
func (l Local) String() string { return l.Path }

// Files are the paths of all files that belong to the state, whether or not they
// exist.
func (l Local) Files() []string {
	path, err := resolve(l.Path)
	if err != nil {
		path = l.Path // opening it fails too, and says why
	}
	return []string{path, path + journalSuffix, path + lockSuffix, path + tempSuffix}
}

// Read implements [Backend]. See the function Read.
func (l Local) Read(context.Context) (*State, error) { return Read(l.Path) }

// Open implements [Backend]. See the function Open.
func (l Local) Open(ctx context.Context, o Options) (*Store, error) { return Open(ctx, l.Path, o) }

// Holder implements [Backend]. It takes the lock for a moment, so it needs a
// writable folder where the state has ever been locked.
func (l Local) Holder(context.Context) (*LockedError, error) {
	path, err := resolve(l.Path)
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
		return nil, lockFailed(path+lockSuffix, err)
	case free:
		return nil, releaseLock(lock)
	}
	return readHolder(path), nil
}

// Break implements [Backend]. The lock ends with its process, so there is never
// one to break: it is an *Error that says so, unless the state is not locked.
func (l Local) Break(ctx context.Context) (*LockedError, error) {
	held, err := l.Holder(ctx)
	if held == nil || err != nil {
		return nil, err
	}
	return nil, &Error{
		Summary: "The lock belongs to a running process",
		Detail: "The lock of " + held.Path + " ends with the process that holds it. Wait for that run, or end its process.\n\n" +
			held.Info(),
		Path:  held.Path,
		Cause: held,
	}
}

// Open locks and reads the state at path; a file that does not exist is an
// empty state, and is made by Close when there is something to store. Where
// path is a symbolic link, its target is the state. An error is an *Error (with
// a *LockedError as cause when another run holds the lock longer than
// Options.Wait), or ctx's.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	path, err := resolve(path)
	if err != nil {
		return nil, err
	}
	f := &files{path: path, stored: stored{path: path}}
	if !o.NoLock {
		self := LockedError{Path: path, Operation: o.Operation, Who: o.Who, PID: os.Getpid(), Created: o.Now().UTC()}
		if f.lock, err = takeLock(ctx, path, self, o); err != nil {
			return nil, err
		}
	}
	s, err := f.read()
	if err != nil {
		f.unlock()
		return nil, err
	}
	s.now = o.Now
	return s, nil
}

// files is the keeper of a state in a folder.
type files struct {
	path  string
	lock  *flock.Flock // nil: taken by nobody
	count counter
	stored

	// The journal, as far as it is open.
	open func() (file, error)
	file file
	head []byte // written in front of the next lines; nil: the journal has it
	size int64  // of its whole lines, in bytes
	torn bool   // something may follow them on disk that was not written to its end
}

// file is what the journal needs of *os.File.
type file interface {
	io.WriteCloser
	Sync() error
	Truncate(size int64) error
}

// read makes the Store.
func (f *files) read() (*Store, error) {
	if err := f.look(); err != nil {
		return nil, err
	}
	raw, err := readAll(f.path + journalSuffix)
	if err != nil {
		return nil, err
	}
	base, err := readFile(f.path)
	if err != nil {
		return nil, err
	}
	j, err := replay(f.path+journalSuffix, raw, base)
	if err != nil {
		return nil, err
	}
	f.size, f.torn = int64(j.size), j.size < len(raw)
	f.stored.size = int64(len(raw))
	if j.version < formatVersion {
		f.head = head(base).line()
	}
	if j.size > 0 && raw[j.size-1] != '\n' {
		f.head = append([]byte{'\n'}, f.head...)
	}
	f.open = f.openJournal
	return newStore(f.path, f, base, j.changes), nil
}

func (f *files) openJournal() (file, error) {
	j, err := f.stored.openJournal(os.O_APPEND | os.O_WRONLY | durable.NoFollow)
	if err != nil {
		return nil, err
	}
	if err := f.count.sync(func() error { return durable.Dir(filepath.Dir(f.path)) }); err != nil {
		j.Close()
		return nil, err
	}
	return j, nil
}

func (f *files) append(lines []byte) error {
	err := f.check()
	if err == nil {
		err = f.write(lines)
	}
	if err != nil {
		if own, ok := errors.AsType[*Error](err); ok {
			return own
		}
		return unwritable(f.path+journalSuffix, "What was recorded before is safe.", err)
	}
	return nil
}

func (f *files) write(lines []byte) error {
	if f.file == nil {
		j, err := f.open()
		if err != nil {
			return err
		}
		f.file = j
	}
	if f.torn { // else a damaged line would stand between whole ones
		if err := f.stored.truncate(f.size, f.file.Truncate); err != nil {
			return err
		}
	}
	lines = slices.Concat(f.head, lines)
	f.torn = true
	if err := f.stored.write(func() (int, error) { return f.count.writer(f.file).Write(lines) }); err != nil {
		return err
	}
	f.torn, f.head, f.size = false, nil, f.size+int64(len(lines))
	return f.count.sync(f.file.Sync)
}

// close brings the state file up to date and removes the journal. Only then:
// all of it may still be needed.
func (f *files) close(s *State) error {
	if f.file != nil {
		_ = f.file.Close() // what fails here was synced before
		f.file = nil
	}
	err := f.fold(s)
	if f.lock == nil {
		return err
	}
	if unlockErr := releaseLock(f.lock); err == nil && unlockErr != nil {
		err = unwritable(f.path+lockSuffix, "The state itself is saved.", unlockErr)
	}
	return err
}

func (f *files) fold(s *State) error {
	if err := f.check(); err != nil {
		if s == nil {
			return nil // nothing is to be stored, so nothing is lost
		}
		return err
	}
	switch {
	case s != nil && s.blank():
		if err := os.Remove(f.path); err != nil && !os.IsNotExist(err) {
			return f.unsaved(err)
		}
	case s != nil:
		if err := replaceFile(f.path, s, &f.count); err != nil {
			return f.unsaved(err)
		}
	}
	if err := os.Remove(f.path + journalSuffix); err != nil && !os.IsNotExist(err) {
		return f.unsaved(err)
	}
	return nil
}

func (f *files) unsaved(err error) *Error {
	return unwritable(f.path, "What this run recorded is kept in "+f.path+journalSuffix+"; the next run reads it.", err)
}

func (f *files) unlock() {
	if f.lock != nil {
		_ = releaseLock(f.lock)
	}
}

// check looks whether the lock is still the file that others try to lock, and what
// is stored what this run knows. The second also holds without a lock.
func (f *files) check() error {
	if f.lock != nil && !holds(f.lock) {
		return lostLock(f.path)
	}
	return f.stored.check()
}

func (f *files) call(ctx context.Context, api wire.API, method string, in, out any) error {
	return api.Call(ctx, method, in, out)
}

func (f *files) stats() Stats { return f.count.stats() }
