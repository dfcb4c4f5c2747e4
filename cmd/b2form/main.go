// Command b2form provisions Backblaze B2 from HCL files.
//
// This package is the only place that reads arguments, the environment, the
// clock and the terminal, and that exits. Everything it takes from outside comes
// through a system; one file holds one command.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"b2form/internal/pause"
	"b2form/plan"
)

func main() { os.Exit(start(hostSystem())) }

// start runs the program as this process.
func start(host system) (code int) {
	// Without this a reader who leaves, such as head, or a limit of file sizes would end the process in
	// the middle of its work. Programs that are started keep the default.
	signal.Notify(make(chan os.Signal, 1), writeFailureSignals()...)
	if os.Getenv("GOGC") == "" {
		collectGarbageLessOften(64 << 20)
	}
	// Where B2_LOG_LEVEL is set, blazer writes requests here: names, digests and info
	// that may be sensitive. B2FORM_LOG shows what nobody need hide.
	log.SetOutput(io.Discard)
	return run(os.Args, host)
}

// A system is everything the program gets from outside.
type system struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	// Which of the three are terminals, and the screen's width; 0: unknown.
	stdinTerminal, stdoutTerminal, stderrTerminal bool
	terminalWidth                                 int
	stdoutDiscarded                               bool // what is printed reaches nobody
	stdoutIsFile                                  bool // what is printed goes into a file

	getenv   func(string) string
	environ  func() []string
	now      func() time.Time
	chdir    func(string) error
	exit     func(int)
	startDir string // the folder in which the program was started
	host     string
	osUser   func() string // whose process this is
	// interruptSignals delivers what asks the program to stop, until stop is called: then that ends it, as before, but for
	// what is sent again and again, if some of it has come.
	interruptSignals func() (signals <-chan os.Signal, stop func(interrupted bool))
	// readHidden reads one line from the terminal, behind a prompt, without showing it. The end of the input is io.EOF.
	readHidden func(prompt string) (string, error)
	// newLineEditor reads lines from the terminal that can be edited; nil: there is none.
	newLineEditor func(complete lineCompleter) lineEditor
	// repeatEvery calls back at an interval until stop is called.
	repeatEvery func(time.Duration, func()) (stop func())
	// sleep returns after d, or earlier with the context's error.
	sleep func(ctx context.Context, d time.Duration) error
	// slowHash is [plan.SlowHashIfSalted], or something quicker where nobody guesses.
	slowHash func(texts []string, salt []byte) (string, error)
}

func hostSystem() system {
	cwd, _ := os.Getwd()     // only for path.cwd and
	host, _ := os.Hostname() // for those who find the state locked
	return system{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		stdinTerminal:    term.IsTerminal(int(os.Stdin.Fd())),
		stdoutTerminal:   term.IsTerminal(int(os.Stdout.Fd())),
		stderrTerminal:   term.IsTerminal(int(os.Stderr.Fd())),
		terminalWidth:    screenWidth(),
		stdoutDiscarded:  isStdoutNull(),
		stdoutIsFile:     isStdoutFile(),
		getenv:           os.Getenv,
		environ:          os.Environ,
		now:              time.Now,
		chdir:            os.Chdir,
		exit:             os.Exit,
		startDir:         cwd,
		host:             host,
		osUser:           osUserOrUnknown,
		interruptSignals: interruptSignals,
		readHidden:       readHidden,
		newLineEditor:    newTerminalEditor,
		repeatEvery:      repeatEvery,
		sleep:            pause.For,
		slowHash:         plan.HashSlowlyIfSalted,
	}
}

// screenWidth is that of the terminal that is written to; 0: there is none, or it does
// not tell.
func screenWidth() int {
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	return 0
}

// readHidden leaves the terminal as it was, also where it is interrupted.
func readHidden(prompt string) (string, error) {
	fd := int(os.Stdin.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return "", err
	}
	exit := func() {
		_ = term.Restore(fd, before) // the program ends, whatever comes of it
		os.Exit(1)
	}
	stop, done := make(chan os.Signal, 1), make(chan struct{})
	notifyOfInterrupts(stop)
	defer close(done)
	defer signal.Stop(stop)
	go func() {
		select {
		case <-stop:
			exit()
		case <-done:
		}
	}()
	fmt.Fprint(os.Stderr, prompt) // only now an end of input is one
	line, err := term.NewTerminal(readWriter{interruptibleByteReader{os.Stdin}, io.Discard}, "").ReadPassword("")
	switch {
	case errors.Is(err, errInterrupted):
		exit()
	case errors.Is(err, term.ErrPasteIndicator):
		err = nil
	}
	return strings.TrimSpace(line), errors.Join(err, term.Restore(fd, before))
}

// A interruptibleByteReader reads key by key, so that what is typed after a line is left for the next one.
type interruptibleByteReader struct{ io.Reader }

var errInterrupted = errors.New("interrupted")

// Read fails at Ctrl-C, which is a key like any other there.
func (h interruptibleByteReader) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p[:1])
	if n == 1 && p[0] == 3 {
		return 0, errInterrupted
	}
	return n, err
}

// interruptSignals has room for the second signal while the first is being handled.
func interruptSignals() (signals <-chan os.Signal, stop func(interrupted bool)) {
	c := make(chan os.Signal, 2)
	notifyOfInterrupts(c)
	return c, func(interrupted bool) {
		if interrupted { // a signal may have been sent long before it is delivered
			signal.Notify(make(chan os.Signal, 1), otherFatalSignals()...)
		}
		signal.Stop(c)
	}
}

// notifyOfInterrupts tells of all signals that would end the program and can be caught. A terminal that is gone
// asks as well, except where that is to be ignored, as under nohup.
func notifyOfInterrupts(c chan<- os.Signal) {
	signal.Notify(c, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	for _, s := range otherFatalSignals() {
		if !signal.Ignored(s) {
			signal.Notify(c, s)
		}
	}
}

func repeatEvery(interval time.Duration, f func()) (stop func()) {
	ticker := time.NewTicker(interval)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-ticker.C:
				f()
			case <-done:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
	}
}
