package state

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"b2form/internal/durable"
)

// formatVersion is raised when an older b2form could misread or lose what a
// newer one stores: also for a new member, since members that are not known are
// refused.
//
// Version 2 added the names of retirees; version 3 what was applied,
// and what is destroyed by force; version 4 the sizes of what a shared state consists of, and
// digests of each object and of the outputs; version 5 when each object was changed last.
const formatVersion = 5

const (
	journalSuffix = ".journal"
	lockSuffix    = ".lock"
	tempSuffix    = ".tmp"
)

// resolveSymlinks follows symbolic links at path, so that the file is replaced and not
// the link. The last target need not exist.
func resolveSymlinks(path string) (string, error) {
	const depth = 40 // as Linux: path_resolution(7)
	for range depth {
		info, err := os.Lstat(path)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		target, err := os.Readlink(path)
		if err != nil {
			return "", readError(path, err)
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return "", readError(path, errors.New("too many symbolic links"))
}

// readRegularFileOrNil gives a file's content; nil where there is no file. A symbolic link is
// not followed: that of the state itself was before.
func readRegularFileOrNil(path string) ([]byte, error) {
	if info, err := statRegularIfAny(path); info == nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, readError(path, err)
	}
	return data, nil
}

// Encode writes the state as it is stored: JSON with one entry a line, so that
// version control shows and merges it entry by entry.
func (s *State) Encode(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "{\n  \"version\": %d", formatVersion)
	for _, m := range []struct{ name, value string }{{"account_id", s.AccountID}, {"realm", s.Realm}} {
		if m.value != "" {
			fmt.Fprintf(out, ",\n  %q: %s", m.name, compactJSON(m.value))
		}
	}
	if s.Applied != (AppliedDigests{}) {
		fmt.Fprintf(out, ",\n  \"applied\": %s", compactJSON(s.Applied))
	}
	encodeList(out, "entries", s.Entries)
	if len(s.OpenIntents) > 0 {
		encodeList(out, "open", s.OpenIntents)
	}
	out.WriteString("\n}\n")
	return out.Flush()
}

func encodeList[T any](out *bufio.Writer, name string, list []T) {
	fmt.Fprintf(out, ",\n  %q: [", name)
	for i := range list {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n    ")
		out.Write(compactJSON(list[i]))
	}
	if len(list) > 0 {
		out.WriteString("\n  ")
	}
	out.WriteByte(']')
}

// compactJSON is v as one line of JSON. The types of this package always encode.
func compactJSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}

// replaceStateFile writes the state beside path and renames it into place. The file
// keeps its mode. What was at path stays whole whatever happens.
func replaceStateFile(path string, s *State, count *writeCounter) (err error) {
	mode := fs.FileMode(0o644)
	info, statErr := os.Stat(path)
	if statErr == nil {
		mode = info.Mode().Perm()
	}
	temp := path + tempSuffix
	// One name for all runs: the lock is held, so a file here is what a killed
	// run left.
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp)
		}
	}()
	err = s.Encode(count.writer(f))
	if err == nil && statErr == nil {
		err = f.Chmod(mode) // the mode given to OpenFile was cut by the umask
	}
	if err == nil {
		err = count.sync(f.Sync)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return count.sync(func() error { return durable.SyncDir(filepath.Dir(path)) })
}
