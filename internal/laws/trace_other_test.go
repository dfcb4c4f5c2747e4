//go:build !(linux && amd64)

package laws_test

import (
	"errors"
	"os/exec"
)

func trace(*exec.Cmd, string, func(int, fileOp) fate) ([]fileOp, error) {
	return nil, errors.ErrUnsupported
}

func beWatched() error { return errors.ErrUnsupported }
