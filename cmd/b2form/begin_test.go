//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newEmptyBench is a folder without configuration at a terminal, and an account with a bucket.
func newEmptyBench(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, "")
	if err := os.Remove("main.b2.hcl"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.call("b2_create_bucket", `{"bucketName":"acme-photos","bucketType":"allPrivate"}`); err != nil {
		t.Fatal(err)
	}
	b.stdinTerminal = true
	return b
}

func wantFolder(t *testing.T, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(".")
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if err != nil || strings.Join(names, " ") != strings.Join(want, " ") {
		t.Errorf("the folder holds %q, want %q; %v", names, want, err)
	}
}

// An interrupt of init leaves nothing: not at its prompt, nor while it reads, before and
// after the choice.
func TestInterruptInInit(t *testing.T) {
	for _, at := range []string{"prompt", "b2_list_buckets", "b2_get_bucket_notification_rules"} {
		t.Run(at, func(t *testing.T) {
			b := newEmptyBench(t)
			never := make(chan struct{})
			b.stdin = &answer{text: strings.NewReader("1\n"), first: func() {
				if at == "prompt" {
					<-never
				}
			}}
			if at != "prompt" {
				_ = b.hold(nil, []string{at})
			}
			code := make(chan int)
			go func() { code <- b.run("init") }()
			if at == "prompt" {
				b.err.await("Enter a number")
			} else {
				_ = b.await(nil, nil)
			}
			b.signals <- os.Interrupt
			b.err.await("shutting down", "Interrupted")
			if at != "prompt" {
				_ = b.release(nil, nil)
			}
			if got := <-code; got != 1 {
				t.Errorf("exit code %d", got)
			}
			close(never)
			b.wants(t, b.err, "Interrupted")
			wantFolder(t)
		})
	}
}

// Two programs that adopt in one folder: the second to write sees that everything is
// declared now, and takes back what it wrote.
func TestAdoptTwiceAtOnce(t *testing.T) {
	b := newEmptyBench(t)
	_ = b.hold(nil, []string{"b2_get_bucket_notification_rules"})
	code := make(chan int)
	go func() { code <- b.run("adopt") }()
	_ = b.await(nil, nil)
	if got := b.run("adopt", "-notification-rules=false"); got != 0 {
		t.Fatalf("exit code %d:\n%s", got, b.err)
	}
	_ = b.release(nil, nil)
	if got := <-code; got != 1 {
		t.Errorf("exit code %d:\n%s", got, b.out)
	}
	b.wants(t, b.err, "Error: The folder changed meanwhile", "-2.b2.hcl:")
	wantFolder(t, "imports.b2.hcl", "main.b2.hcl")
	if got := b.run("validate"); got != 0 {
		t.Errorf("exit code %d:\n%s", got, b.err)
	}
}

// startMint runs a shell script with a key that ends with it, and waits until it prints a line.
func (b *bench) startMint(t *testing.T, script string) (*exec.Cmd, io.Closer) {
	t.Helper()
	cmd := exec.Command(b2formProgram(t), "mint", "-ttl=15m", "-all-buckets", "--", "sh", "-c", script)
	cmd.Env = append(os.Environ(), "B2_ENDPOINT="+b.http.URL, "B2_APPLICATION_KEY_ID="+b.MasterKeyID(), "B2_APPLICATION_KEY="+b.MasterKey())
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	return cmd, in
}

// mintedExpiry is when the minted key ends; zero: there is none.
func (b *bench) mintedExpiry(t *testing.T) time.Time {
	t.Helper()
	d, err := b.Dump()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range d.Keys {
		if strings.HasPrefix(k["keyName"].(string), "b2form-mint-") {
			var ms int64
			if _, err := fmt.Sscan(fmt.Sprintf("%.0f", k["expirationTimestamp"]), &ms); err != nil {
				t.Fatalf("it never ends: %v", err)
			}
			return time.UnixMilli(ms)
		}
	}
	return time.Time{}
}

// A signal goes on to the command, which may end in its own way; then the key is deleted.
func TestMintPassesSignalsOn(t *testing.T) {
	b := newBench(t, "")
	cmd, in := b.startMint(t, `trap 'echo told > told; exit 7' TERM; exec 3<&0; echo ready; while read line <&3; do :; done & wait`)
	if b.mintedExpiry(t).IsZero() {
		t.Error("there is no key")
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its code says more
	_ = in.Close()
	if got := cmd.ProcessState.ExitCode(); got != 7 {
		t.Errorf("exit code %d", got)
	}
	if _, err := os.Stat("told"); err != nil {
		t.Error(err)
	}
	if !b.mintedExpiry(t).IsZero() {
		t.Error("the key is still there")
	}
}

// Of a b2form that is killed a key stays, and ends by itself.
func TestKilledMint(t *testing.T) {
	b := newBench(t, "")
	before := time.Now()
	cmd, in := b.startMint(t, `echo ready; read line`)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	_ = in.Close() // the command ends too
	if at := b.mintedExpiry(t); at.Before(before) || at.After(time.Now().Add(15*time.Minute+time.Second)) {
		t.Errorf("the key ends at %s", at)
	}
	wantFolder(t, "main.b2.hcl")
}
