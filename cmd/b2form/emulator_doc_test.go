package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/emulator"
)

const emulatorDoc = "../../docs/emulator.md"

// TestEmulatorDoc runs the commands of docs/emulator.md in a folder with its
// configuration, and compares what they print with what it says.
func TestEmulatorDoc(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") == "" {
		t.Skip("the page uses curl")
	}
	page, err := os.ReadFile(emulatorDoc)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := strings.ReplaceAll(string(page), "127.0.0.1:8025", freePort(t))
	blocks := fenced(text)
	for i, b := range blocks {
		switch b.kind {
		case "hcl":
			if err := os.WriteFile(filepath.Join(dir, "main.b2.hcl"), []byte(b.text), 0o666); err != nil {
				t.Fatal(err)
			}
		case "sh":
			c := exec.Command("sh", "-eu", "-c", b.text)
			c.Dir = dir
			var said strings.Builder
			c.Stderr = &said
			out, err := c.Output()
			if err != nil {
				t.Errorf("%v in\n%s\n%s", err, b.text, &said)
			}
			if diff := cmp.Diff(blocks[i+1].text, string(out)); diff != "" {
				t.Errorf("(-the page +the program)\n%s\nin\n%s", diff, b.text)
			}
		}
	}
}

// TestEmulatorDocIsWhole looks for every flag and switch on the page.
func TestEmulatorDocIsWhole(t *testing.T) {
	page, err := os.ReadFile(emulatorDoc)
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	for _, f := range (&emulatorOptions{}).flags() {
		if name := "| `-" + f.Names()[0]; !strings.Contains(string(page), name) {
			missing = append(missing, name)
		}
	}
	if table := switchTable(); !strings.Contains(string(page), table) {
		missing = append(missing, table)
	}
	if len(missing) > 0 {
		t.Errorf("%s lacks\n%s", emulatorDoc, strings.Join(missing, "\n"))
	}
}

func switchTable() string {
	var b strings.Builder
	b.WriteString("| switch | |\n|---|---|\n")
	for _, s := range emulator.AllSwitches() {
		name := s.Name
		if s.ValuePlaceholder != "" {
			name += "=" + s.ValuePlaceholder
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, s.Doc)
	}
	return b.String()
}

// freePort gives an address that nobody listens on just now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

type block struct{ kind, text string }

// fenced gives the fenced blocks of a Markdown page.
func fenced(page string) (all []block) {
	parts := strings.Split(page, "\n```")
	for i := 1; i < len(parts); i += 2 {
		kind, text, _ := strings.Cut(parts[i], "\n")
		all = append(all, block{kind, text + "\n"})
	}
	return all
}
