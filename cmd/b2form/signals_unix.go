//go:build unix

package main

import (
	"os"
	"syscall"
)

// otherFatalSignals are those, beside Ctrl-C, SIGTERM and SIGQUIT, that end a program which does not handle them.
func otherFatalSignals() []os.Signal {
	return []os.Signal{syscall.SIGHUP, syscall.SIGABRT, syscall.SIGALRM, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGPROF,
		syscall.SIGSEGV, syscall.SIGSYS, syscall.SIGTRAP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGVTALRM, syscall.SIGXCPU}
}

// writeFailureSignals tell of a write that fails, as its error does.
func writeFailureSignals() []os.Signal { return []os.Signal{syscall.SIGPIPE, syscall.SIGXFSZ} }
