//go:build unix

package secret_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"b2form/internal/secret"
)

// The exit code of a program decides, also where something that it left behind keeps its output open
// until its timeout is over; that is left alone.
func TestProgramLeavesSomethingBehind(t *testing.T) {
	for name, c := range map[string]struct{ code, wants string }{
		"success": {"0", ""},
		"failure": {"3", "the program ended with exit code 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			pipes := map[string]*os.File{}
			for _, name := range []string{"go", "done"} {
				path := filepath.Join(dir, name)
				must(t, syscall.Mkfifo(path, 0o600))
				pipe, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
				must(t, err)
				defer pipe.Close()
				pipes[name] = pipe
			}
			d := shell(dir, "(read line <go; echo alive >done) & exit "+c.code)
			d.ProgramTimeout = 2 * time.Second // less than the time for which output is waited for
			_, err := deliver(t, secret.DeliveryOptions{ProgramEnv: os.Environ()}, d)
			if (err == nil) != (c.wants == "") || err != nil && !strings.Contains(err.Error(), c.wants) {
				t.Errorf("the error is %v", err)
			}
			_, err = pipes["go"].WriteString("go\n")
			must(t, err)
			must(t, pipes["done"].SetReadDeadline(time.Now().Add(10*time.Second)))
			text := make([]byte, len("alive"))
			if _, err := pipes["done"].Read(text); err != nil || string(text) != "alive" {
				t.Errorf("what it left behind says %q: %v", text, err)
			}
		})
	}
}
