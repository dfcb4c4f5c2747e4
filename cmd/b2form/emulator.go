package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"b2form/internal/emulator"
)

func (p *program) emulatorCommand() *cli.Command {
	var listen, data string
	var latency time.Duration
	return p.command(&cli.Command{
		Name: "emulator", Usage: "Serve a B2 account in a box",
		Description: `A Backblaze B2 account for trying things out, on a port of this machine. The
lines that it prints point b2form, and most other B2 programs, to it. It ends
with an interrupt.

Example:
  b2form emulator -listen=127.0.0.1:8025 -data=/tmp/b2

Exit codes:
  0  stopped by an interrupt
  1  it could not start`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:0", Usage: "listen on `HOST:PORT` of this machine; port 0 takes a free one", Destination: &listen},
			&cli.StringFlag{Name: "data", Usage: "keep the account in `FOLDER` (default: in memory)", Destination: &data},
			&cli.DurationFlag{Name: "latency", Usage: "add `DURATION`, such as 50ms, to every request", Destination: &latency},
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return p.serve(listen, data, latency)
		},
	})
}

func (p *program) serve(listen, data string, latency time.Duration) (err error) {
	l, err := listenLoopback(listen)
	if err != nil {
		return err
	}
	url := "http://" + l.Addr().String()
	if data != "" {
		if err := os.MkdirAll(data, 0o777); err != nil {
			return errors.Join(failf("Emulator cannot start", "The folder %s cannot be made: %s.", data, plain(err)), l.Close())
		}
	}
	e, err := emulator.Open(emulator.Options{Now: p.now, Dir: data, URL: url, Latency: latency})
	if err != nil {
		return errors.Join(failf("Emulator cannot start", "%s.", capital(err.Error())), l.Close())
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	stop := p.interrupts()
	server := &http.Server{Handler: e}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	fmt.Fprintf(p.stdout, "export B2_APPLICATION_KEY_ID=%s\nexport B2_APPLICATION_KEY=%s\nexport B2_ENDPOINT=%s\n", e.MasterKeyID(), e.MasterKey(), url)
	fmt.Fprintln(p.stderr, "The emulator is running; an interrupt (Ctrl-C) ends it.")
	select {
	case <-stop:
		return server.Close()
	case err := <-failed:
		return failf("Emulator stopped", "%s.", err)
	}
}

// listenLoopback opens a port that only this machine can reach: the emulated
// account's key is printed and no secret.
func listenLoopback(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, failf("Invalid address", "-listen=%s: write it like 127.0.0.1:8025.", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, failf("Invalid address", "-listen=%s is not an address of this machine alone; use 127.0.0.1, [::1] or localhost.", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, failf("Port cannot be opened", "-listen=%s: %s. Choose another port, or 0 for a free one.", address, err)
	}
	return l, nil
}
