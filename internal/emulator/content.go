package emulator

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// contentStore keeps what files hold, by file ID or by any other name that is safe
// in a path.
type contentStore interface {
	// put stores so many bytes of r, and has them digested. If there are fewer or
	// it fails else, nothing is stored.
	put(id string, r io.Reader, length int64, d *digests) error
	open(id string) (io.ReadSeekCloser, error)
	// drop forgets an ID that may not exist.
	drop(id string) error
}

// folderContentStore is content on disk, one file each, beside the account's
// records.
type folderContentStore string

const contentDirName = "content"

// path spreads the files over folders by the end of the ID, which varies most.
func (f folderContentStore) path(id string) string {
	return filepath.Join(string(f), contentDirName, id[max(0, len(id)-2):], id)
}

func (f folderContentStore) put(id string, r io.Reader, length int64, d *digests) (err error) {
	path := f.path(id)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(out.Name()))
		}
	}()
	if err := copyDigested(out, r, length, d); err != nil {
		return errors.Join(err, out.Close())
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Rename(out.Name(), path)
}

func (f folderContentStore) open(id string) (io.ReadSeekCloser, error) { return os.Open(f.path(id)) }

func (f folderContentStore) drop(id string) error {
	if err := os.Remove(f.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
