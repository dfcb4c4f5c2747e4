//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// A session that is dropped ends a run as SIGTERM does: what is under way is finished
// and recorded. Under nohup it goes on.
func TestHangup(t *testing.T) {
	for name, want := range map[string]struct {
		shell string
		code  int
		said  string
	}{
		"dropped": {`exec "$0" apply -auto-approve`, 1, "Error: Interrupted"},
		"nohup":   {`trap "" HUP; exec "$0" apply -auto-approve`, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, bucketAndKey)
			cmd := exec.Command("sh", "-c", want.shell, b2formProgram(t))
			cmd.Env = append(os.Environ(), "B2_ENDPOINT="+b.http.URL, "B2_APPLICATION_KEY_ID="+b.MasterKeyID(),
				"B2_APPLICATION_KEY="+b.MasterKey())
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, b.err
			noticed := make(chan os.Signal, 1)
			signal.Notify(noticed, syscall.SIGHUP) // so that it is not ignored in programs either, as it is under nohup
			defer signal.Stop(noticed)
			_ = b.hold(nil, []string{"b2_create_bucket"})
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_ = b.await(nil, nil)
			if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_ = cmd.Wait() // its code says more
				_, _ = b.err.Write([]byte("[ended]"))
			}()
			if want.code != 0 {
				b.err.await("Gracefully shutting down...", "[ended]")
				_ = cmd.Process.Signal(syscall.SIGHUP) // the second of two that a dropped session sends
			}
			_ = b.release(nil, nil)
			<-ended
			if got := cmd.ProcessState.ExitCode(); got != want.code || !strings.Contains(b.err.String(), want.said) ||
				strings.Contains(b.err.String(), "Two interrupts") {
				t.Errorf("exit code %d:\n%s%s", got, &out, b.err)
			}
			b.wants(t, b.err, "bucket.photos: Creation complete")
		})
	}
}

// Who does not read what a run writes at its end does not keep it from ending.
func TestSignalAfterTheCommand(t *testing.T) {
	b := newBench(t, bucketAndKey)
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := syscall.Open("pipe", syscall.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(pipe)
	for full := false; !full; {
		_, err := syscall.Write(pipe, make([]byte, 4096))
		full = err != nil
	}
	cmd := exec.Command(b2formProgram(t), "plan", "-timings")
	cmd.Env = append(os.Environ(), "B2_ENDPOINT="+b.http.URL, "B2_APPLICATION_KEY_ID="+b.MasterKeyID(),
		"B2_APPLICATION_KEY="+b.MasterKey(), "B2FORM_TRACE=pipe")
	cmd.Stderr = b.err
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b.err.await("in all")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Errorf("%v:\n%s", err, b.err)
	}
}
