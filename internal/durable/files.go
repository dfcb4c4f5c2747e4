package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ReadFile reads a regular file of at most so many bytes, a multiple of 1,024. What is none is not
// waited for.
func ReadFile(path string, most int64) ([]byte, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > most {
		return nil, tooLargeError(most)
	}
	return ReadAll(f, most)
}

// openRegular opens a regular file. What is none is not even opened, since that may wait for its writer.
func openRegular(path string) (f *os.File, size int64, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, errors.New("it is no regular file")
	}
	f, err = os.Open(path)
	return f, info.Size(), err
}

func tooLargeError(most int64) error { return fmt.Errorf("it has more than %d KiB", most>>10) }

// ReadAll reads at most so many bytes, a multiple of 1,024.
func ReadAll(r io.Reader, most int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(content)) > most {
		return nil, tooLargeError(most)
	}
	return content, err
}

// OpenOrCreate opens a file, or a pipe that somebody reads from, to write to it. Nobody is waited for.
func OpenOrCreate(path string, flags int, mode fs.FileMode) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|openNonblock|flags, mode)
	if info, statErr := os.Stat(path); err != nil && statErr == nil && info.Mode()&fs.ModeNamedPipe != 0 &&
		errors.Is(err, syscall.ENXIO) {
		return nil, errors.New("it is no regular file, but a pipe that nobody reads from; give another name")
	}
	return f, err
}

// CheckOverwritable refuses a file that holds something else than what begins so. One that does not exist
// or is empty is good, and so is what is no regular file.
func CheckOverwritable(path, expectedPrefix string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Size() == 0:
		return nil
	}
	head, err := FirstBytes(path, len(expectedPrefix))
	if err == nil && head != expectedPrefix {
		err = errors.New("there is a file of this name that holds something else, and it is left as it is; give another name")
	}
	return err
}

// OpenOverwritable opens a file to write to it, as OpenOrCreate does, where CheckOverwritable has nothing against it.
func OpenOverwritable(path, expectedPrefix string, flags int, mode fs.FileMode) (*os.File, error) {
	if err := CheckOverwritable(path, expectedPrefix); err != nil {
		return nil, err
	}
	return OpenOrCreate(path, flags, mode)
}

// FirstBytes are the first n bytes of a regular file, or all where there are fewer.
func FirstBytes(path string, n int) (string, error) {
	f, _, err := openRegular(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, int64(n)))
	return string(head), err
}

// ReplaceFile puts a file in the place of what is at path, if anything, at once: that stays whole
// whatever happens.
func ReplaceFile(path string, content []byte, mode fs.FileMode) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), ".b2form-new-*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name())
		}
	}()
	_, err = temp.Write(content)
	if err == nil {
		err = errors.Join(temp.Chmod(mode), temp.Sync())
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}
