package emulator

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"sync"
)

// memoryContentStore is content that lives and dies with the process. Short ones are
// in the heap, each in one allocation of its size. Long ones are in the arena, a
// file in memory that has no name: what the kernel writes there takes the room
// of its bytes and no more, the garbage collector does not know of it, and a
// client that promises more than it sends takes nothing in advance.
type memoryContentStore struct {
	mu         sync.Mutex
	shortByID  map[string][]byte
	longByID   map[string]*longMemoryContent
	arena      *os.File // nil before the first long content
	hasNoArena bool     // this system has no arena
	arenaEnd   int64    // of what was given away of the arena
}

// longMemoryContent is one long content.
type longMemoryContent struct {
	io.ReaderAt
	length      int64
	arenaOffset int64 // in the arena
	isInArena   bool  // of the arena
	users       int   // who reads it, and the map
}

func newMemoryContent() *memoryContentStore {
	return &memoryContentStore{shortByID: map[string][]byte{}, longByID: map[string]*longMemoryContent{}}
}

func (m *memoryContentStore) put(id string, r io.Reader, length int64, d *digests) error {
	if length < longContent {
		return m.putShort(id, r, length, d)
	}
	h := &longMemoryContent{length: length, users: 1}
	var err error
	if file := m.reserveInArena(h); file != nil {
		h.ReaderAt = io.NewSectionReader(file, h.arenaOffset, length)
		err = copyDigested(io.NewOffsetWriter(file, h.arenaOffset), r, length, d)
	} else {
		data := heapContent{}
		err = copyDigested(&heapContentWriter{&data, length}, r, length, d)
		h.ReaderAt = data
	}
	if err != nil {
		m.release(h)
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.longByID[id] = h
	return nil
}

func (m *memoryContentStore) putShort(id string, r io.Reader, length int64, d *digests) error {
	data := make([]byte, length)
	if _, err := io.ReadFull(r, data); err != nil {
		return err
	}
	d.md5.Write(data)
	d.addExceptMD5(data)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shortByID[id] = data
	return nil
}

func roundUpToPages(length int64) int64 {
	const page = 4 << 10
	return (length + page - 1) / page * page
}

// reserveInArena gives a content a place in the arena; nil is no place.
func (m *memoryContentStore) reserveInArena(h *longMemoryContent) (arenaIfAny *os.File) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.arena == nil && !m.hasNoArena {
		m.arena = newMemoryFile()
		m.hasNoArena = m.arena == nil
	}
	if m.arena != nil {
		h.arenaOffset, h.isInArena = m.arenaEnd, true
		m.arenaEnd += roundUpToPages(h.length)
	}
	return m.arena
}

// release is what every user does at the end. The last one frees a place in the
// arena, which is not used again: a file has room for more than can ever come.
func (m *memoryContentStore) release(h *longMemoryContent) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h.users--; h.users == 0 && h.isInArena {
		freeArenaRange(m.arena, h.arenaOffset, roundUpToPages(h.length))
	}
}

func (m *memoryContentStore) open(id string) (io.ReadSeekCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if data, ok := m.shortByID[id]; ok {
		return readSeekNopCloser{bytes.NewReader(data)}, nil
	}
	h, ok := m.longByID[id]
	if !ok {
		return nil, fs.ErrNotExist
	}
	h.users++
	return &heldReader{ReadSeeker: io.NewSectionReader(h, 0, h.length), store: m, held: h}, nil
}

func (m *memoryContentStore) drop(id string) error {
	m.mu.Lock()
	h := m.longByID[id]
	delete(m.shortByID, id)
	delete(m.longByID, id)
	m.mu.Unlock()
	if h != nil {
		m.release(h)
	}
	return nil
}

type readSeekNopCloser struct{ io.ReadSeeker }

func (readSeekNopCloser) Close() error { return nil }

type heldReader struct {
	io.ReadSeeker
	store         *memoryContentStore
	held          *longMemoryContent
	reopenedArena *os.File // the arena with a position of its own, once it was needed
}

// nextBytesForSendfile gives so many of the bytes to come in a form that the kernel can send by
// itself, if they are in the arena.
func (r *heldReader) nextBytesForSendfile(length int64) io.Reader {
	at, err := r.Seek(0, io.SeekCurrent)
	if err == nil && r.held.isInArena && r.reopenedArena == nil {
		r.reopenedArena = reopenArena(r.store.arena)
	}
	if r.reopenedArena == nil {
		return io.LimitReader(r.ReadSeeker, length)
	}
	if _, err := r.reopenedArena.Seek(r.held.arenaOffset+at, io.SeekStart); err != nil {
		return io.LimitReader(r.ReadSeeker, length)
	}
	return io.LimitReader(r.reopenedArena, min(length, r.held.length-at))
}

func (r *heldReader) Close() (err error) {
	if r.reopenedArena != nil {
		err = r.reopenedArena.Close()
	}
	r.store.release(r.held)
	return err
}

// heapContent are a content in the heap in pieces of blockSize, the last of which may
// be shorter.
type heapContent [][]byte

const blockSize = 16 << 20

func (b heapContent) ReadAt(p []byte, off int64) (n int, err error) {
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

// heapContentWriter makes blocks of what is written, each when the one before is full.
type heapContentWriter struct {
	content *heapContent
	left    int64 // to be written
}

func (w *heapContentWriter) Write(p []byte) (n int, err error) {
	for n < len(p) {
		last := len(*w.content) - 1
		if last < 0 || len((*w.content)[last]) == cap((*w.content)[last]) {
			*w.content = append(*w.content, make([]byte, 0, min(w.left, blockSize)))
			continue
		}
		block := &(*w.content)[last]
		some := p[n:min(len(p), n+cap(*block)-len(*block))]
		*block = append(*block, some...)
		n, w.left = n+len(some), w.left-int64(len(some))
	}
	return n, nil
}
