package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"b2form/internal/durable"
)

// A TempFileJournal is a file that lists the temporary files which a run has made and not
// yet removed, so that the next run can remove what a killed one left. Its methods
// are safe for concurrent use; a nil *TempFileList lists nothing.
type TempFileJournal struct {
	path    string
	mu      sync.Mutex
	pending map[string]bool // listed and still to be removed, by path
}

// NewTempFileJournal is the list in the file at path, which need not exist.
func NewTempFileJournal(path string) *TempFileJournal {
	return &TempFileJournal{path: path, pending: map[string]bool{}}
}

// HasLeftovers reports whether an earlier run left something.
func (l *TempFileJournal) HasLeftovers() bool {
	_, err := os.Lstat(l.path)
	return err == nil
}

// RemoveLeftovers removes what an earlier run left, and the list. No other run must be making
// deliveries. Whatever the list says, only files with the names of temporary ones
// are removed.
func (l *TempFileJournal) RemoveLeftovers() error {
	info, err := os.Lstat(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	var list []byte
	if err == nil {
		list, err = os.ReadFile(l.path)
	}
	if err != nil {
		return fmt.Errorf("%s, the list of temporary files, cannot be read: %w", l.path, errorWithoutPath(err))
	}
	for line := range bytes.Lines(list) {
		var path string
		if json.Unmarshal(line, &path) != nil || !isTempName(path) { // a line that a crash cut off names no file that was made
			continue
		}
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("%s, which an interrupted run left with a secret in it, cannot be removed: %w", path, errorWithoutPath(err))
		}
	}
	return errorWithoutPath(os.Remove(l.path))
}

// add lists a file before it is made.
func (l *TempFileJournal) add(path string) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY|durable.NoFollow, 0o600)
	if err != nil {
		return fmt.Errorf("%s, the list of temporary files, cannot be written: %w", l.path, errorWithoutPath(err))
	}
	line, _ := json.Marshal(abs) // strings always encode
	_, err = f.Write(append(line, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s, the list of temporary files, cannot be written: %w", l.path, errorWithoutPath(err))
	}
	l.pending[path] = true
	return errorWithoutPath(durable.SyncDir(filepath.Dir(l.path)))
}

// unlist says that a listed file is there no more. The list goes with the last one.
func (l *TempFileJournal) unlist(path string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.pending[path] {
		return
	}
	delete(l.pending, path)
	if len(l.pending) == 0 {
		_ = os.Remove(l.path) // else the next run finds nothing to remove
	}
}

func isTempName(path string) bool {
	base := strings.ToLower(filepath.Base(path))
	return strings.HasPrefix(base, tempPrefix) && strings.HasSuffix(base, tempSuffix)
}
