//go:build !linux

package secret

import (
	"errors"
	"os"
)

// createUnnamed makes no file: every one has a name here.
func createUnnamed(string) *os.File { return nil }

func nameFile(*os.File, string) error { return errors.ErrUnsupported }
