package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"b2form/internal/testrun"
)

// A terminal is a program on a pseudo-terminal, and what it shows.
type terminal struct {
	*screen
	keys *os.File
	cmd  *exec.Cmd
}

// onTerminal starts a program that has a terminal of 100 columns.
func onTerminal(t *testing.T, dir string, env []string, name string, args ...string) *terminal {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keys.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(int(keys.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 100})
	}
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(name, args...)
	c.Dir, c.Env = dir, env
	c.Stdin, c.Stdout, c.Stderr = tty, tty, tty
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	s := &terminal{newScreen(), keys, c}
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(s.screen, keys) // ends with an error when the program is gone
		close(done)
	}()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		keys.Close()
		<-done
	})
	return s
}

// awaitPrompt waits until nothing but a prompt stands behind what was printed.
func (s *terminal) awaitPrompt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	control := regexp.MustCompile("\x1b\\[[0-9;?]*[a-zA-Z]")
	for !strings.HasSuffix(control.ReplaceAllString(s.buf.String(), ""), "\n> ") {
		s.changed.Wait()
	}
}

// press types text.
func (s *terminal) press(t *testing.T, text string) {
	t.Helper()
	if _, err := s.keys.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// shellOrSkip finds a shell; where CI is set, it must be there.
func shellOrSkip(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("%s is not installed", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// folderForShells has a configuration, and nothing of the machine's own settings.
func folderForShells(t *testing.T) (dir string, env []string) {
	t.Helper()
	dir = t.TempDir()
	const config = "key \"app\" {\n  for_each = toset([\"edge\"])\n  name = each.key\n  access = \"read_only\"\n  deliver \"file\" { " +
		"path = \"a b.env\" }\n}\noutput \"endpoint\" { value = 1 }\n"
	if err := os.WriteFile(filepath.Join(dir, "main.b2.hcl"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TERM=dumb", "LC_ALL=C.UTF-8", "GORACE=atexit_sleep_ms=0",
		"PS1=ready> "}
}

// What is typed with the tab key at its end becomes what b2form knows, in real shells
// that have nothing but the script.
func TestShells(t *testing.T) {
	for _, shell := range []struct {
		name string
		args []string
	}{{"bash", []string{"--norc", "--noprofile", "-i"}}, {"zsh", []string{"-f", "-i"}}} {
		t.Run(shell.name, func(t *testing.T) {
			path := shellOrSkip(t, shell.name)
			dir, env := folderForShells(t)
			s := onTerminal(t, dir, env, path, shell.args...)
			s.await("ready> ")
			// What the shell makes of a line is what is looked at, not how it draws it.
			s.press(t, "b2form() { if [ \"$1\" = __complete ]; then command b2form \"$@\"; else printf '<%s>' \"$@\"; echo; fi; }\n")
			s.press(t, "source <(command b2form completion "+shell.name+"); echo loa''ded\n")
			s.await("loaded")
			completions := map[string]string{
				"b2form rota\t-sched\t":                     "<rotate><-schedule>",
				"b2form plan -detail\t":                     "<plan><-detailed-exitcode>",
				"b2form apply -repl\tk\t":                   `<apply><-replace=key.app["edge"]>`,
				"b2form graph -format=mer\t":                "<graph><-format=mermaid>",
				"b2form output end\t":                       "<output><endpoint>",
				"b2form fmt mai\t":                          "<fmt><main.b2.hcl>",
				"b2form apply -allow=deletes-data,irr\t":    "<apply><-allow=deletes-data,irreversible>",
				"b2form rotate 'key.app[\"edge\"]' -sche\t": `<rotate><key.app["edge"]><-schedule>`,
			}
			for _, typed := range testrun.SampleUnlessExhaustive(t, 7, len(shell.name), slices.Sorted(maps.Keys(completions))) {
				s.press(t, typed+"\n")
				s.await(completions[typed])
			}
			s.press(t, "exit\n")
			if err := s.cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("fish", func(t *testing.T) {
		path := shellOrSkip(t, "fish")
		dir, env := folderForShells(t)
		completions := map[string]string{
			"b2form rota":                                 "rotate\t",
			"b2form plan -detail":                         "-detailed-exitcode\t",
			"b2form apply -replace=k":                     `-replace=key.app["edge"]`,
			"b2form graph -format=":                       "-format=mermaid",
			"b2form output ":                              "endpoint",
			"b2form fmt mai":                              "main.b2.hcl",
			"b2form apply -allow=deletes-data,irr":        "-allow=deletes-data,irreversible",
			"b2form apply -replace 'key.app[\"edge\"]' -": "-auto-approve",
		}
		for _, line := range testrun.SampleUnlessExhaustive(t, 6, 2, slices.Sorted(maps.Keys(completions))) {
			c := exec.Command(path, "--no-config", "-c", "b2form completion fish | source; complete -C "+fishQuoted(line))
			c.Dir, c.Env = dir, env
			out, err := c.CombinedOutput()
			want := completions[line]
			if err != nil || !strings.Contains("\n"+string(out), "\n"+want) {
				t.Errorf("%s: %v, want %q in:\n%s", line, err, want, out)
			}
		}
	})
}

func fishQuoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

// On a terminal the console completes, remembers and edits.
func TestConsoleOnATerminal(t *testing.T) {
	dir := t.TempDir()
	const config = "variable \"site\" { default = \"acme\" }\nbucket \"photos\" {\n  name = \"${var.site}-photos\"\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.b2.hcl"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	s := onTerminal(t, dir, []string{"PATH=" + os.Getenv("PATH"), "TERM=vt100", "GORACE=atexit_sleep_ms=0"}, "b2form", "console")
	s.await("> ")
	s.press(t, "upp\tbuc\tph\t.na\t)\r")
	s.await(`"ACME-PHOTOS"`)
	s.press(t, "\"one more\"\r")
	s.await("\"one more\"\r\n\"one more\"")
	s.press(t, "\x1b[A\x1b[A\x01type(\x05)\r") // two up, to the beginning, to the end
	s.await("\"string\"")
	s.press(t, "[1,\r2]\r")
	s.await("[1, 2]")
	s.press(t, "help\r")
	s.await("completes names of variables")
	s.awaitPrompt() // only there an end of input is one
	s.press(t, "\x04")
	if err := s.cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// The end of the input is one where a sensitive variable is asked for, too, and Ctrl-C ends the program; what is typed
// is not shown.
func TestSensitiveVariableAtATerminal(t *testing.T) {
	for keys, said := range map[string]string{"hidden-word\r": "No changes", "\x04": "the input ended", "half\x03": ""} {
		dir := t.TempDir()
		const config = "variable \"token\" {\n  sensitive = true\n}\n"
		if err := os.WriteFile(filepath.Join(dir, "main.b2.hcl"), []byte(config), 0o644); err != nil {
			t.Fatal(err)
		}
		s := onTerminal(t, dir, []string{"PATH=" + os.Getenv("PATH"), "TERM=vt100", "GORACE=atexit_sleep_ms=0"}, "b2form", "plan",
			"-emulator")
		s.await("Enter a value: ")
		s.press(t, keys)
		err := s.cmd.Wait()
		if (err == nil) != (said == "No changes") {
			t.Errorf("%q: %v", keys, err)
		}
		s.await(said)
		if text := s.String(); strings.Contains(text, "hidden-word") || strings.Contains(text, "half") {
			t.Errorf("%q: it shows %q", keys, text)
		}
	}
}

// On a terminal the last line tells what a run is busy with, and is gone at the end.
func TestStatusLine(t *testing.T) {
	b := newBench(t, bucketAndKey)
	_ = b.hold(nil, []string{"b2_create_bucket"})
	env := []string{"PATH=" + os.Getenv("PATH"), "TERM=vt100", "GORACE=atexit_sleep_ms=0"}
	for name, value := range b.env {
		env = append(env, name+"="+value)
	}
	s := onTerminal(t, ".", env, "b2form", "-no-color", "-timings", "apply", "-auto-approve", "-show-secrets")
	s.await("bucket.photos: Creating... [") // elapsed
	_ = b.release(nil, nil)
	s.await("Apply complete!")
	s.await("b2_create_bucket")
	if err := s.cmd.Wait(); err != nil {
		t.Error(err)
	}
	before, _, _ := strings.Cut(s.String(), "Apply complete!")
	if strings.LastIndex(before, "\x1b[J") < strings.LastIndex(before, "Creating... [") {
		t.Errorf("the line is not taken away:\n%q", before)
	}
}

// The command of mint and of the emulator has an interrupt from the terminal already, and is not sent it again.
func TestInterruptAtATerminal(t *testing.T) {
	const script = `trap 'n=again' INT; trap 'echo "[$n] end"; exit 0' TERM; kill -INT $PPID; kill -TERM $PPID; while :; do read x; done`
	s := onTerminal(t, t.TempDir(), []string{"PATH=" + os.Getenv("PATH"), "TERM=vt100", "GORACE=atexit_sleep_ms=0"}, "b2form", "emulator",
		"-listen=127.0.0.1:0", "--", "sh", "-c", script)
	s.await("] end")
	if err := s.cmd.Wait(); err != nil || !strings.Contains(s.String(), "[] end") {
		t.Errorf("%v: %q", err, s)
	}
}
