package examples_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"b2form/internal/testrun"
)

// TestReadmes runs the commands of each example's README, block by block and as they are
// written, with the words that a reader fills in filled in and "yes" at every prompt. Once
// all of them have one emulator over loopback, and once each block has an emulator of its
// own, over the data of the one before.
func TestReadmes(t *testing.T) {
	bin := build(t)
	readmes, err := filepath.Glob("*/README.md")
	if err != nil || len(readmes) == 0 {
		t.Fatalf("no READMEs: %v", err)
	}
	scripts := map[string]*txtar.Archive{}
	for _, readme := range readmes {
		example := filepath.Dir(readme)
		if example == "policies" || example == "ci" {
			continue // no configuration; see TestPolicies and TestPipelines
		}
		var blocks []string
		for _, b := range fenced(t, readme) {
			if b.kind == "sh" {
				blocks = append(blocks, fill(b.text))
			}
		}
		if len(blocks) < 3 {
			t.Errorf("%s has %d blocks of commands", readme, len(blocks))
		}
		source, err := os.ReadFile(filepath.Join(example, "main.b2.hcl"))
		if err != nil {
			t.Fatal(err)
		}
		scripts[example+"-one-emulator"] = story(source, strings.Join(blocks, "\n"))
		scripts[example+"-emulators"] = story(source, blocks...)
	}
	dir := t.TempDir()
	for _, name := range testrun.SampleUnlessExhaustive(t, 6, 0, slices.Sorted(maps.Keys(scripts))) {
		if err := os.WriteFile(filepath.Join(dir, name+".txtar"), txtar.Format(scripts[name]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	testscript.Run(t, testscript.Params{Dir: dir, RequireExplicitExec: true, Setup: func(env *testscript.Env) error {
		env.Setenv("PATH", strings.Join([]string{filepath.Join(env.WorkDir, "bin"), filepath.Dir(bin), os.Getenv("PATH")},
			string(filepath.ListSeparator)))
		return os.Chmod(filepath.Join(env.WorkDir, "bin", "restic"), 0o755)
	}})
}

// restic stands for the program, which is not installed everywhere and knows no other service
// than B2: it looks for what it would need. The tests of clients run the real one.
const restic = `#!/bin/sh -eu
test -n "$B2_ACCOUNT_ID" && test -n "$B2_ACCOUNT_KEY" && test "$RESTIC_REPOSITORY" = b2:acme-readme-restic:server
`

// story is a script that runs shell commands with an emulator for each element, and then
// finds nothing to do.
func story(source []byte, parts ...string) *txtar.Archive {
	var script strings.Builder
	a := &txtar.Archive{Files: []txtar.File{{Name: "main.b2.hcl", Data: source},
		{Name: "yes", Data: []byte(strings.Repeat("yes\n", 9))}, {Name: "bin/restic", Data: []byte(restic)}}}
	for i, part := range parts {
		name := fmt.Sprintf("part%d.sh", i)
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(part)})
		fmt.Fprintf(&script, "ttyin -stdin yes\nexec b2form emulator -data=account -- sh -eu %s\n! stderr 'Warning|Error'\n", name)
	}
	script.WriteString("exec b2form emulator -data=account -- b2form plan -detailed-exitcode\nstdout '^No changes'\n")
	script.WriteString("exec b2form plan -emulator -detailed-exitcode\nstdout '^No changes'\n")
	a.Comment = []byte(script.String())
	return a
}

// fill writes what a reader would for what a README leaves open.
func fill(commands string) string {
	return strings.NewReplacer("YOUR-NAME", "acme-readme", "B2_APPLICATION_KEY_ID=…", `B2_APPLICATION_KEY_ID="$B2_APPLICATION_KEY_ID"`,
		"B2_APPLICATION_KEY=…", `B2_APPLICATION_KEY="$B2_APPLICATION_KEY"`).Replace(commands)
}

type block struct{ kind, text string }

var fence = regexp.MustCompile("(?ms)^( *)```(\\w*)\n(.*?)^ *```$")

// fenced gives the fenced blocks of a README, each of which says what it is: commands or
// text. The indentation of a list does not belong to them.
func fenced(t *testing.T, readme string) (all []block) {
	t.Helper()
	page, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range fence.FindAllStringSubmatch(string(page), -1) {
		if m[2] != "sh" && m[2] != "text" {
			t.Errorf("%s: a block of the kind %q, which is neither sh nor text:\n%s", readme, m[2], m[3])
		}
		all = append(all, block{m[2], strings.ReplaceAll("\n"+m[3], "\n"+m[1], "\n")})
	}
	return all
}
