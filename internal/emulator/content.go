package emulator

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
)

// content keeps what files hold, by file ID or by any other name that is safe
// in a path.
type content interface {
	// put stores so many bytes of r. If there are fewer or it fails else, nothing
	// is stored.
	put(id string, r io.Reader, length int64) error
	open(id string) (io.ReadSeekCloser, error)
	// drop forgets an ID that may not exist.
	drop(id string) error
}

// memoryContent is content that lives and dies with the process.
type memoryContent struct {
	mu   sync.Mutex
	data map[string]blocks
}

// blocks are a content in pieces of blockSize, the last of which may be shorter,
// so that no more is allocated than what a client really sends, and nothing
// copied.
type blocks [][]byte

const blockSize = 16 << 20

func (b blocks) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		i, at := off/blockSize, off%blockSize
		if i >= int64(len(b)) || at >= int64(len(b[i])) {
			return n, io.EOF
		}
		read := copy(p[n:], b[i][at:])
		n, off = n+read, off+int64(read)
	}
	return n, nil
}

func newMemoryContent() *memoryContent { return &memoryContent{data: map[string]blocks{}} }

func (m *memoryContent) put(id string, r io.Reader, length int64) error {
	var data blocks
	for left := length; left > 0; left -= blockSize {
		block := make([]byte, min(left, blockSize))
		if _, err := io.ReadFull(r, block); err != nil {
			return err
		}
		data = append(data, block)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.data[id] = data
	return nil
}

func (m *memoryContent) open(id string) (io.ReadSeekCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.data[id]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return readSeekNopCloser{io.NewSectionReader(data, 0, math.MaxInt64)}, nil
}

func (m *memoryContent) drop(id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.data, id)
	return nil
}

type readSeekNopCloser struct{ io.ReadSeeker }

func (readSeekNopCloser) Close() error { return nil }

// folderContent is content on disk, one file each, beside the account's
// records.
type folderContent string

const contentName = "content"

// path spreads the files over folders by the end of the ID, which varies most.
func (f folderContent) path(id string) string {
	return filepath.Join(string(f), contentName, id[max(0, len(id)-2):], id)
}

func (f folderContent) put(id string, r io.Reader, length int64) (err error) {
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
	if _, err := io.CopyN(out, r, length); err != nil {
		return errors.Join(err, out.Close())
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Rename(out.Name(), path)
}

func (f folderContent) open(id string) (io.ReadSeekCloser, error) { return os.Open(f.path(id)) }

func (f folderContent) drop(id string) error {
	if err := os.Remove(f.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
