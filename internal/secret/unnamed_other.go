//go:build !linux

package secret

import (
	"errors"
	"os"
)

// unnamed makes no file: every one has a name here.
func unnamed(string) *os.File { return nil }

func name(*os.File, string) error { return errors.ErrUnsupported }
