// Package testrun says how much of an exhaustive sweep a run of the tests does,
// and where its temporary files are. Only tests import it.
package testrun

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// All names a variable of the environment: not empty, it makes every sweep exhaustive: each
// request lost, each write a place to be killed at, each client with every key.
const All = "B2FORM_TEST_ALL"

// Exhaustive reports whether sweeps are to be exhaustive.
func Exhaustive() bool { return os.Getenv(All) != "" }

// A logger is a test.
type logger interface {
	Helper()
	Logf(format string, args ...any)
}

// SampleUnlessExhaustive gives the cases that this run tries: all of them, or the one in so many
// that an offset begins with. Sweeps that belong together have an offset each, so
// that between them they try every position. The test logs what is tried.
func SampleUnlessExhaustive[T any](t logger, oneIn, offset int, cases []T) []T {
	t.Helper()
	if Exhaustive() || oneIn <= 1 {
		return cases
	}
	var sample []T
	for i, c := range cases {
		if i%oneIn == offset%oneIn {
			sample = append(sample, c)
		}
	}
	t.Logf("%d of %d cases are tried, all where %s is set: %v", len(sample), len(cases), All, sample)
	return sample
}

// CaseCount is how many random cases a property is tried with.
func CaseCount(few, all int) int {
	if Exhaustive() {
		return all
	}
	return few
}

// BuildProgram gives the path of the command b2form as it is in the source, from the
// cache of builds, where an unchanged one is linked already.
func BuildProgram() (string, error) {
	for range 2 { // what was linked just now has been in a temporary folder
		out, err := exec.Command("go", "run", "-exec", "echo", "b2form/cmd/b2form").Output()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return "", fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		path := strings.TrimSpace(string(out))
		if _, gone := os.Stat(path); err != nil || gone == nil {
			return path, err
		}
	}
	return "", errors.New("b2form is not in the cache of builds")
}

// UseMemoryTempDir puts the temporary files of this process and of those it starts into
// memory, where syncing them costs nothing. It does nothing where the environment
// says where they belong, where there is no such place, or where a program there
// could not be started.
func UseMemoryTempDir() error {
	const memory = "/dev/shm"
	if os.Getenv("TMPDIR") != "" {
		return nil
	}
	dir, err := os.MkdirTemp(memory, "b2form-")
	if err != nil {
		return nil // no such place
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program := filepath.Join(dir, "program")
	if os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700) != nil || exec.Command(program).Run() != nil {
		return nil
	}
	return os.Setenv("TMPDIR", memory)
}
