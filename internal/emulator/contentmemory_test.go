//go:build linux

package emulator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"
)

// TestMemoryContent stores contents in memory in both ways, in the arena and,
// where there is none, in the heap, and wants them back.
func TestMemoryContent(t *testing.T) {
	all := pattern(2*blockSize + 17)
	for _, heap := range []bool{false, true} {
		m := newMemoryContent()
		m.hasNoArena = heap
		for _, size := range []int{0, 1, longContent - 1, longContent, longContent + 1, blockSize, 2*blockSize + 17} {
			want := all[:size]
			if err := keep(m, "whole", want, size); err != nil {
				t.Fatal(err)
			}
			if err := keep(m, "short", want, size+1); err == nil {
				t.Fatalf("%d bytes were stored as %d", size, size+1)
			}
			if _, err := m.open("short"); err == nil {
				t.Error("half a content is there")
			}
			r, err := m.open("whole")
			if err != nil {
				t.Fatal(err)
			}
			if err := m.drop("whole"); err != nil {
				t.Fatal(err)
			}
			if _, err := m.open("whole"); err == nil {
				t.Error("what was dropped is there")
			}
			// Who was reading it still can.
			if err := holds(r, want); err != nil {
				t.Errorf("%d bytes are others: %v", size, err)
			}
			if at, err := r.Seek(int64(size/2), io.SeekStart); err != nil || at != int64(size/2) {
				t.Errorf("seek: %d, %v", at, err)
			}
			if err := holds(r, want[size/2:]); err != nil {
				t.Errorf("the second half of %d bytes is another: %v", size, err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		if used := arenaBytes(t, m.arena); used != 0 {
			t.Errorf("nothing is stored, in %d bytes", used)
		}
	}
}

// TestArenaTakesWhatItHolds measures what a long content takes, and what one does
// that never comes.
func TestArenaTakesWhatItHolds(t *testing.T) {
	m := newMemoryContent()
	const size = 5 << 20
	if err := keep(m, "a", pattern(size), size); err != nil {
		t.Fatal(err)
	}
	if m.arena == nil {
		t.Fatal("a long content is in the heap")
	}
	if used := arenaBytes(t, m.arena); used != size {
		t.Errorf("%d bytes take %d", size, used)
	}
	if err := keep(m, "b", nil, maxUpload); err == nil {
		t.Error("what did not come was stored")
	}
	if used := arenaBytes(t, m.arena); used != size {
		t.Errorf("a broken promise takes %d bytes", used-size)
	}
}

// holds reads to the end, piece by piece.
func holds(r io.Reader, want []byte) error {
	piece := make([]byte, 1<<16)
	for {
		n, err := r.Read(piece)
		if n > len(want) || !bytes.Equal(piece[:n], want[:n]) {
			return errors.New("other bytes")
		}
		want = want[n:]
		switch {
		case err == io.EOF && len(want) == 0:
			return nil
		case err != nil:
			return fmt.Errorf("%d bytes before the end: %w", len(want), err)
		}
	}
}

func pattern(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i * 7 / 4)
	}
	return b
}

func keep(m *memoryContentStore, id string, content []byte, length int) error {
	return m.put(id, bytes.NewReader(content), int64(length), newDigests(nil))
}

// arenaBytes is how much memory a file in memory takes.
func arenaBytes(t *testing.T, arena *os.File) int64 {
	t.Helper()
	if arena == nil {
		return 0
	}
	info, err := arena.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Blocks * 512
}
