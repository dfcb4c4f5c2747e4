package main

import (
	"errors"
	"io"
	"sync"
	"syscall"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/words"
)

// A stdoutWriter is standard output. It remembers the first failure, so that a run whose
// results did not get out does not end as a success, whoever wrote them.
type stdoutWriter struct {
	dest       io.Writer
	firstErrMu sync.Mutex
	firstErr   error
}

// Write passes b on. Its errors are *writeError.
func (s *stdoutWriter) Write(b []byte) (int, error) {
	n, err := s.dest.Write(b)
	if err == nil {
		return n, nil
	}
	s.firstErrMu.Lock()
	defer s.firstErrMu.Unlock()
	if s.firstErr == nil {
		s.firstErr = err
	}
	return n, &writeError{err}
}

// writeError is a failure of standard output.
type writeError struct{ cause error }

func (u *writeError) Error() string {
	if errors.Is(u.cause, syscall.EPIPE) {
		return "standard output was closed by the program that reads it"
	}
	return "standard output cannot be written (" + words.ErrorWithoutPath(u.cause) + ")"
}

func (u *writeError) Unwrap() error { return u.cause }

// missingOutputError say that output is missing. Whoever closed the pipe knows.
func (s *stdoutWriter) missingOutputError() hcl.Diagnostics {
	s.firstErrMu.Lock()
	defer s.firstErrMu.Unlock()
	if s.firstErr == nil || errors.Is(s.firstErr, syscall.EPIPE) {
		return nil
	}
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Standard output cannot be written",
		Detail: "Some of the output is missing: " + words.ErrorWithoutPath(s.firstErr) + ". What the command did is done and recorded."}}
}

func isWriteError(err error) bool {
	_, ok := errors.AsType[*writeError](err)
	return ok
}
