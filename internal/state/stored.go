package state

import (
	"errors"
	"io/fs"
	"os"
	"sync"
)

// knownFiles is what lies on the disk as this run knows it: what it read, and what it
// wrote since. What differs was written by another run.
type knownFiles struct {
	path string // of the state

	mu               sync.Mutex
	stateInfo        fs.FileInfo // nil: there is no such file
	journalInfo      fs.FileInfo
	knownJournalSize int64 // of the journal
	writingJournal   bool  // the journal is just getting longer
}

// noteFiles notes what is there now.
func (s *knownFiles) noteFiles() (err error) {
	if s.stateInfo, err = statRegularIfAny(s.path); err != nil {
		return err
	}
	s.journalInfo, err = statRegularIfAny(s.path + journalSuffix)
	return err
}

// checkUnchanged is nil where nobody else wrote, and an *Error otherwise. It takes a look at
// two files.
func (s *knownFiles) checkUnchanged() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	state, stateErr := statRegularIfAny(s.path)
	journal, journalErr := statRegularIfAny(s.path + journalSuffix)
	if err := errors.Join(stateErr, journalErr); err != nil {
		return err
	}
	if !sameFileUnchanged(s.stateInfo, state) || !sameFile(s.journalInfo, journal) || journal != nil && !s.writingJournal &&
		journal.Size() != s.knownJournalSize {
		return changedByAnotherError(s.path)
	}
	return nil
}

// openOrCreateJournal opens the journal, which is made where there was none. A check comes before or
// after: between the two it would take the new journal for another run's.
func (s *knownFiles) openOrCreateJournal(flags int) (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := s.journalInfo == nil
	if fresh {
		flags |= os.O_CREATE | os.O_EXCL // another run that begins one now does not share it
	}
	j, err := os.OpenFile(s.path+journalSuffix, flags, 0o644)
	switch {
	case errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) && !fresh:
		return nil, changedByAnotherError(s.path)
	case err != nil || !fresh:
		return j, err
	}
	info, err := j.Stat()
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	s.journalInfo, s.knownJournalSize = info, 0
	return j, nil
}

// writeJournal makes the journal longer by what do says that it wrote.
func (s *knownFiles) writeJournal(do func() (written int, err error)) error {
	s.mu.Lock()
	s.writingJournal = true
	s.mu.Unlock()
	n, err := do()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writingJournal = false
	s.knownJournalSize += int64(n)
	return err
}

// truncateJournal makes the journal shorter by what do does.
func (s *knownFiles) truncateJournal(size int64, do func(size int64) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := do(size)
	if err == nil {
		s.knownJournalSize = size
	}
	return err
}

// statRegularIfAny tells of the file at path; nil: there is none. What is no regular file,
// such as a symbolic link that leads to another file, is an *Error.
func statRegularIfAny(path string) (fs.FileInfo, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, readError(path, err)
	case !info.Mode().IsRegular():
		return nil, irregularFileError(path, info.Mode())
	}
	return info, nil
}

func sameFile(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b)
}

func sameFileUnchanged(a, b fs.FileInfo) bool {
	return sameFile(a, b) && (a == nil || a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()))
}

func changedByAnotherError(path string) *Error {
	return newError(path, "State was changed by another run",
		path+" or its journal is not what this run read and wrote. Nothing more was done, and what this run did last is not "+
			"recorded. Let no other run go on, then run the same command again: it finds what was made.")
}

func lostLockError(path string) *Error {
	return newError(path, "State lock was lost",
		"The lock file of "+path+" was removed or replaced while this run held it, so another run may be changing the state. "+
			"Nothing more was done, and what this run did last is not recorded. Leave the lock file alone, since it ends with "+
			"its process; let no other run go on, then run the same command again.")
}
