//go:build !linux

package secret

import (
	"errors"
	"os"
)

// createUnnamedIfSupported makes no file: every one has a name here.
func createUnnamedIfSupported(string) *os.File { return nil }

func nameFile(*os.File, string) error { return errors.ErrUnsupported }
