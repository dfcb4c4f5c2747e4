//go:build !unix

package main

import (
	"os"
	"syscall"
)

// otherFatalSignals are those, beside Ctrl-C and SIGTERM, that end the program: its window is closed.
func otherFatalSignals() []os.Signal { return []os.Signal{syscall.SIGHUP} }

// writeFailureSignals tell of a write that fails, as its error does.
func writeFailureSignals() []os.Signal { return []os.Signal{syscall.SIGPIPE} }
