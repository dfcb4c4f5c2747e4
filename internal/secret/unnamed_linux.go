package secret

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// createUnnamedIfSupported makes a file in a folder that has no name yet, so that nothing is left of
// it when the process is killed. nil: there is no such thing here; not every file
// system has it.
func createUnnamedIfSupported(dir string) *os.File {
	f, err := os.OpenFile(dir, unix.O_TMPFILE|os.O_RDWR, 0o600)
	if err != nil {
		return nil
	}
	if _, err := os.Stat(descriptorPath(f)); err != nil { // it could not be given a name
		f.Close()
		return nil
	}
	return f
}

// nameFile gives the file its name, which must not be taken: open(2), O_TMPFILE.
func nameFile(f *os.File, path string) error {
	return unix.Linkat(unix.AT_FDCWD, descriptorPath(f), unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW)
}

func descriptorPath(f *os.File) string { return "/proc/self/fd/" + strconv.Itoa(int(f.Fd())) }
