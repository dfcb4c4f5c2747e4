package emulator

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// newMemoryFile makes a file in memory, which goes when nobody has it any more. nil:
// this kernel has none.
func newMemoryFile() *os.File {
	fd, err := unix.MemfdCreate("b2form", unix.MFD_CLOEXEC)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), "memory")
}

// freeArenaRange gives a place back to the system. If that fails, it is taken until
// the end.
func freeArenaRange(f *os.File, from, length int64) {
	_ = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, from, length)
}

// reopenArena gives the file a second position; nil: it cannot.
func reopenArena(f *os.File) *os.File {
	again, err := os.Open("/proc/self/fd/" + strconv.Itoa(int(f.Fd())))
	if err != nil {
		return nil
	}
	return again
}
