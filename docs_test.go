package b2form_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/view"
	"b2form/schema"
)

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write generated documentation instead of comparing it")
	flag.Parse()
	os.Exit(m.Run())
}

// TestKindPages keeps docs/kinds as the descriptors say.
func TestKindPages(t *testing.T) {
	for _, k := range schema.Kinds() {
		generated(t, filepath.Join("docs", "kinds", k.Name+".md"), view.Reference(k))
	}
}

// TestFunctionsPage keeps docs/functions.md as the list of functions says.
func TestFunctionsPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Functions\n\nWhat expressions may call; `b2form functions` prints the same. File functions read below the configuration's folder\n" +
		"and, in a module, below the module's. Functions that read the clock, the machine or random numbers are left out: a plan\n" +
		"comes out the same every time.\n")
	group := ""
	for _, d := range schema.FunctionDocs() {
		if d.Group != group {
			group = d.Group
			b.WriteString("\n## " + group + "\n\n| function | | example |\n|---|---|---|\n")
		}
		cells := strings.ReplaceAll(fmt.Sprintf("`%s` | %s | `%s` = `%s`", d.Signature, d.Doc, d.Example, d.Result), "||", "\\|\\|")
		b.WriteString("| " + cells + " |\n")
	}
	generated(t, filepath.Join("docs", "functions.md"), b.String())
}

// generated compares a page with what it is generated from, or writes it.
func generated(t *testing.T, path, want string) {
	t.Helper()
	if updating() {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(want), 0o644)); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("%s is stale; run `go test . -update` (-want +got):\n%s", path, d)
	}
}

// TestLanguagePage loads every example of docs/language.md: all HCL of one
// section is one configuration, with the lines of its HTML comments added. A
// block that begins with "# FILE" is that file.
func TestLanguagePage(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("docs", "language.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range strings.Split(string(src), "\n## ")[1:] {
		name, _, _ := strings.Cut(section, "\n")
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for path, text := range examples(section) {
				path = filepath.Join(dir, path)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			_, diags := schema.Load(schema.Options{Dir: dir, Kinds: schema.Kinds(), Version: "1.5.0"})
			for _, d := range diags {
				t.Error(d)
			}
		})
	}
}

// examples are the files that a section of a page holds.
func examples(section string) map[string]string {
	files := map[string]string{"main.b2.hcl": ""}
	for _, fence := range []struct{ open, end string }{{"```hcl\n", "```"}, {"<!--\n", "-->"}} {
		for _, part := range strings.Split(section, fence.open)[1:] {
			text, _, _ := strings.Cut(part, fence.end)
			first, rest, _ := strings.Cut(text, "\n")
			if path, ok := strings.CutPrefix(first, "# FILE "); ok {
				files[path] += rest
				continue
			}
			files["main.b2.hcl"] += text
		}
	}
	return files
}
