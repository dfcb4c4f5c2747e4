package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"b2form/internal/emulator"
	"b2form/internal/words"
)

// emulatorOptions are the flags of b2form emulator.
type emulatorOptions struct {
	listen, nativeURL string
	s3Listen          string // "": a free port of the same host
	allowRemote       bool
	clock             clockStart
	faults            []emulator.Fault
	emulator          emulator.Options
}

func (p *program) emulatorCommand() *cli.Command {
	var o emulatorOptions
	return p.newCommand(&cli.Command{
		Name: "emulator", Usage: "Serve an emulated B2 account", ArgsUsage: "[-- COMMAND ...]",
		Description: `A Backblaze B2 account for trying things out and for tests, on a port of this
machine. The lines that it prints point b2form, and most other B2 programs, to
it. It ends with an interrupt or, if a command is given, with that: the command
finds the same lines in its environment. docs/emulator.md tells the rest.

Example:
  b2form emulator -listen=127.0.0.1:8025 -data=/tmp/b2
  b2form emulator -- b2form apply -auto-approve
  b2form emulator -fault=b2_create_bucket:status=500

Items of faults, for -fault=METHOD:ITEM,... (METHOD is the name of a call, as
b2_create_key or PutObject, or * for any):
` + faultsHelp() + `
Switches, for -switch:
` + switchesHelp() + `
Exit codes:
  0  stopped by an interrupt
  1  it could not start
  otherwise that of the command; 128+N: the signal N ended it`,
		Flags: o.flags(),
		Action: func(_ context.Context, c *cli.Command) error {
			return p.serveEmulator(o, c.Args().Slice())
		},
	})
}

func (o *emulatorOptions) flags() []cli.Flag {
	e := &o.emulator
	return []cli.Flag{
		&cli.StringFlag{Name: "listen", Value: "127.0.0.1:0", Usage: "listen on `HOST:PORT` of this machine; port 0 takes a free one",
			Destination: &o.listen},
		&cli.BoolFlag{Name: "allow-remote", Usage: "let -listen name an address that other machines reach", Destination: &o.allowRemote},
		&cli.StringFlag{Name: "url", Usage: "tell clients that `URL` is the way here (default: the address of -listen)",
			Destination: &o.nativeURL},
		&cli.StringFlag{Name: "s3-listen", Usage: "answer the S3-compatible API on `HOST:PORT` (default: a free port beside -listen)",
			Destination: &o.s3Listen},
		&cli.StringFlag{Name: "s3-url", Usage: "tell clients that `URL` is the way to the S3-compatible API (default: the address of " +
			"-s3-listen)", Destination: &e.S3URL},
		&cli.StringFlag{Name: "data", Usage: "keep the account in `FOLDER` (default: in memory)", Destination: &e.Dir},
		&cli.Uint64Flag{Name: "seed", Usage: "derive the account's IDs and secrets from `N`", Destination: &e.Seed},
		&cli.StringFlag{Name: "region", Value: "us-west-004", Usage: "put the account in `REGION`", Destination: &e.Region},
		&cli.IntFlag{Name: "max-buckets", Value: 100, Usage: "let the account hold at most `N` buckets", Destination: &e.MaxBuckets,
			Validator: checkAtLeastOne},
		durationFlag("latency", "add `DURATION`, such as 50ms, to every request", &e.Latency),
		&cli.GenericFlag{Name: "clock", Usage: "begin at `TIME`, as 2026-11-03T12:00:00Z or +72h from now",
			Value: funcFlag{o.clock.parse}},
		&cli.GenericFlag{Name: "fault", Usage: "make requests fail, as `METHOD:ITEM,...` says; repeatable",
			Value: funcFlag{func(s string) error {
				f, err := emulator.ParseFault(s)
				o.faults = append(o.faults, f)
				return err
			}}},
		&cli.GenericFlag{Name: "switch", Usage: "throw the switch `NAME[=VALUE]`; repeatable", Value: funcFlag{e.Switches.Set}},
	}
}

func faultsHelp() string {
	var b strings.Builder
	for _, i := range emulator.FaultItems() {
		fmt.Fprintf(&b, "  %-24s  %s\n", i.Text, i.Doc)
	}
	return b.String()
}

func switchesHelp() string {
	var b strings.Builder
	for _, s := range emulator.AllSwitches() {
		name := s.Name
		if s.ValuePlaceholder != "" {
			name += "=" + s.ValuePlaceholder
		}
		fmt.Fprintf(&b, "  %-24s  %s\n", name, s.Doc)
	}
	return b.String()
}

// A clockStart is where the account's clock begins: at a time, or so far from
// the real one.
type clockStart struct {
	fixedTime time.Time
	offset    time.Duration
}

func (c *clockStart) parse(s string) (err error) {
	ahead, isSpan := words.ParseDuration(strings.TrimLeft(s, "+-"))
	if isSpan = isSpan && strings.ContainsRune("+-", rune(s[0])); isSpan {
		c.offset = ahead
		if s[0] == '-' {
			c.offset = -ahead
		}
		return emulator.CheckClock(time.Now().Add(c.offset))
	}
	if c.fixedTime, err = time.Parse(time.RFC3339, s); err != nil {
		return fmt.Errorf("%q is neither a time like 2026-11-03T12:00:00Z nor a duration like +72h", s)
	}
	return emulator.CheckClock(c.fixedTime)
}

func (c clockStart) setEmulatorClock(e *emulator.Server) {
	if c.fixedTime.IsZero() {
		e.Advance(c.offset)
	} else {
		e.StartClockAt(c.fixedTime)
	}
}

// serveEmulator runs the emulator until an interrupt or the end of the command.
func (p *program) serveEmulator(o emulatorOptions, command []string) (err error) {
	native, s3, err := o.openListeners()
	if err != nil {
		return err
	}
	e, err := p.openEmulator(&o, native.Addr(), s3.Addr())
	if err != nil {
		return errors.Join(err, native.Close(), s3.Close())
	}
	defer func() {
		if closing := e.Close(); err == nil && closing != nil {
			err = failf("Emulator stopped", "%s", words.Sentence(closing.Error()))
		}
	}()
	stop, _ := p.interruptSignals() // a second one does not disturb what is saved at the end
	failed := make(chan error, 2)
	servers := []*http.Server{newEmulatorHTTPServer(withDamageCheck(e, withControlPaths(e), failed)),
		newEmulatorHTTPServer(withDamageCheck(e, e.S3(), failed))}
	for i, l := range []net.Listener{native, s3} {
		go func() { failed <- servers[i].Serve(l) }()
	}
	defer func() { err = errors.Join(err, servers[0].Close(), servers[1].Close()) }()
	env := []string{
		"B2_APPLICATION_KEY_ID=" + e.MasterKeyID(), "B2_APPLICATION_KEY=" + e.MasterKey(),
		"B2_ENDPOINT=" + o.nativeURL, "B2_S3_ENDPOINT=" + o.emulator.S3URL,
	}
	if len(command) > 0 {
		if _, err := exec.LookPath(command[0]); errors.Is(err, exec.ErrNotFound) {
			return failf("Command cannot start", "%s: not found. Install it, or correct its name. What follows the options is a command "+
				"to run beside the emulator; without one, \"b2form emulator\" serves until an interrupt.", command[0])
		}
		return p.runForwardingSignals(command, append(p.environ(), env...), stop)
	}
	fmt.Fprintf(p.stdout, "export %s\n", strings.Join(env, "\nexport "))
	p.printToStderr("The emulator is running; an interrupt (Ctrl-C) ends it.")
	select {
	case <-stop:
		return nil
	case err := <-failed:
		return failf("Emulator stopped", "%s", words.Sentence(err.Error()))
	}
}

// withDamageCheck serves the account by a handler and tells when it cannot be served
// any more.
func withDamageCheck(e *emulator.Server, handler http.Handler, failed chan<- error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		if err := e.DamageError(); err != nil {
			select {
			case failed <- err:
			default: // it is known
			}
		}
	})
}

// setURLs decides what clients are told. The S3 face is at the host of the
// other, if nothing else is said.
func (o *emulatorOptions) setURLs(native, s3 net.Addr) error {
	if o.nativeURL == "" {
		o.nativeURL = "http://" + native.String()
	}
	host, err := urlHost("-url", o.nativeURL)
	if err != nil {
		return err
	}
	if o.emulator.S3URL == "" {
		_, port, _ := net.SplitHostPort(s3.String())
		o.emulator.S3URL = "http://" + net.JoinHostPort(host, port)
	}
	if _, err := urlHost("-s3-url", o.emulator.S3URL); err != nil {
		return err
	}
	o.nativeURL, o.emulator.S3URL = strings.TrimRight(o.nativeURL, "/"), strings.TrimRight(o.emulator.S3URL, "/")
	return nil
}

func urlHost(flag, address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", failf("Invalid address", "%s=%s: write it like http://b2.test:8025.", flag, address)
	}
	return u.Hostname(), nil
}

func (p *program) openEmulator(o *emulatorOptions, native, s3 net.Addr) (*emulator.Server, error) {
	if err := o.setURLs(native, s3); err != nil {
		return nil, err
	}
	if dir := o.emulator.Dir; dir != "" {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, failf("Emulator cannot start", "The folder %s cannot be made: %s.", dir, words.ErrorWithoutPath(err))
		}
	}
	o.emulator.Now, o.emulator.URL = p.now, o.nativeURL
	e, err := emulator.Open(o.emulator)
	if err != nil {
		return nil, failf("Emulator cannot start", "%s", words.Sentence(err.Error()))
	}
	o.clock.setEmulatorClock(e)
	for _, f := range o.faults {
		e.QueueFault(f)
	}
	return e, nil
}

// withControlPaths serves the account and, under its own path, what moves it.
func withControlPaths(e *emulator.Server) http.Handler {
	control := e.Control()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, emulator.ControlPath) {
			control.ServeHTTP(w, r)
			return
		}
		e.ServeHTTP(w, r)
	})
}

// runForwardingSignals runs a command while the emulator serves it, and passes interrupts
// on to it.
func (p *program) runForwardingSignals(command, env []string, toForward <-chan os.Signal) error {
	c := exec.Command(command[0], command[1:]...)
	c.Stdin, c.Stdout, c.Stderr, c.Env = p.stdin, p.stdout, p.stderr, env
	if own, ok := p.stdout.(*stdoutWriter); ok {
		c.Stdout = own.dest // a terminal stays one
	}
	if err := c.Start(); errors.Is(err, exec.ErrNotFound) {
		return failf("Command cannot start", "%s: not found. Install it, or correct its name.", command[0])
	} else if err != nil {
		return failf("Command cannot start", "%s: %s.", command[0], words.ErrorWithoutPath(err))
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for {
		select {
		case s := <-toForward:
			// A terminal interrupts the command itself.
			if s != os.Interrupt || !p.stdinTerminal && !p.stdoutTerminal && !p.stderrTerminal {
				_ = c.Process.Signal(s) // it may have ended just now
			}
		case err := <-ended:
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				return shellExitCode(exit.ProcessState)
			}
			return err
		}
	}
}

// shellExitCode is what a shell makes of how a program ended.
func shellExitCode(ended *os.ProcessState) exitCode {
	if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return exitCode(128 + int(status.Signal()))
	}
	return exitCode(max(ended.ExitCode(), 1))
}

// openListeners opens both ports.
func (o *emulatorOptions) openListeners() (native, s3 net.Listener, err error) {
	if native, err = o.openListener("-listen", o.listen); err != nil {
		return nil, nil, err
	}
	address := o.s3Listen
	if address == "" {
		host, _, _ := net.SplitHostPort(o.listen) // it was good enough to listen to
		address = net.JoinHostPort(host, "0")
	}
	if s3, err = o.openListener("-s3-listen", address); err != nil {
		return nil, nil, errors.Join(err, native.Close())
	}
	return native, s3, nil
}

// openListener opens a port. Without -allow-remote only this machine may reach it:
// the emulated account's key is printed and no secret.
func (o *emulatorOptions) openListener(flag, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, failf("Invalid address", "%s=%s: write it like 127.0.0.1:8025.", flag, address)
	}
	if ip := net.ParseIP(host); !o.allowRemote && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, failf("Invalid address", "%s=%s is not an address of this machine alone; use 127.0.0.1, [::1] or localhost, or "+
			"allow other machines with -allow-remote.", flag, address)
	}
	l, err := net.Listen("tcp", address)
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if err != nil {
		return nil, failf("Port cannot be opened", "%s=%s: %s. Choose another port, or 0 for a free one.", flag, address,
			words.ErrorWithoutPath(err))
	}
	return l, nil
}
