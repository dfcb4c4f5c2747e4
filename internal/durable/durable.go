// Package durable reads and replaces files with care: what is there is not lost, and what is new survives a crash of
// the machine.
package durable

import (
	"errors"
	"os"
	"runtime"
	"syscall"
)

// SyncDir makes what was created, renamed or removed in the folder durable, where
// the system has such a thing: a file that was synced may still lack its name
// after a crash. An error is the operating system's.
func SyncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // a directory cannot be opened for writing there
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
