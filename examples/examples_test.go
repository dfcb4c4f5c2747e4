// Package examples_test runs every example end to end on the emulator.
package examples_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/testrun"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the plans of the examples instead of comparing them")
	flag.Parse()
	if err := testrun.UseMemoryTempDir(); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// build makes the program that the examples are run with.
func build(t *testing.T) string {
	t.Helper()
	bin, err := testrun.BuildProgram()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// A run is the program in the folder of one configuration.
type run struct {
	*testing.T
	bin, dir string
}

// b2form runs a command, demands its exit code, and returns what it printed on
// standard output.
func (r run) b2form(want int, args ...string) string {
	r.Helper()
	out, _ := r.start(want, args...)
	return out
}

// both is b2form, with what it printed on standard error after that.
func (r run) both(want int, args ...string) string {
	r.Helper()
	out, said := r.start(want, args...)
	return out + said
}

func (r run) start(want int, args ...string) (out, said string) {
	r.Helper()
	cmd := exec.Command(r.bin, append([]string{"-chdir=" + r.dir}, args...)...)
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "TF_IN_AUTOMATION=1")
	var outText, errText strings.Builder
	cmd.Stdout, cmd.Stderr = &outText, &errText
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		r.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		r.Fatalf("b2form %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, &outText, &errText)
	}
	return outText.String(), errText.String()
}

func TestExamples(t *testing.T) {
	bin := build(t)
	mains, err := filepath.Glob("*/main.b2.hcl")
	if err != nil || len(mains) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	walked := testrun.SampleUnlessExhaustive(t, 4, 0, mains)
	for _, main := range mains {
		t.Run(filepath.Dir(main), func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(main)
			if err != nil {
				t.Fatal(err)
			}
			r := run{t, bin, t.TempDir()}
			r.write(string(source))
			r.b2form(0, "fmt", "-check")
			r.golden(filepath.Dir(main), r.b2form(0, "plan", "-emulator"))
			if slices.Contains(walked, main) {
				lifecycle(r, string(source))
			}
		})
	}
}

// lifecycle is what a user does with an example that was planned, until destroy.
func lifecycle(r run, source string) {
	r.b2form(0, "validate")
	r.b2form(0, "apply", "-emulator", "-auto-approve")
	r.b2form(0, "plan", "-emulator", "-detailed-exitcode")
	r.delivered(r.b2form(0, "output", "-emulator"))
	if out := r.b2form(0, "prove", "-emulator"); !strings.Contains(out, "pass   S3: may upload files") {
		r.Errorf("prove says:\n%s", out)
	}

	changed := strings.Replace(source, "lifecycle_rules", "info = { purpose = \"changed\" }\n  lifecycle_rules", 1)
	if changed == source {
		r.Fatal("the example has nothing to change")
	}
	r.write(changed)
	r.b2form(2, "plan", "-emulator", "-detailed-exitcode")
	r.b2form(0, "apply", "-emulator", "-auto-approve")
	r.b2form(0, "plan", "-emulator", "-detailed-exitcode")

	if out := r.b2form(0, "destroy", "-emulator", "-auto-approve"); !strings.Contains(out, "Destroy complete! Resources: 2 destroyed.") {
		r.Errorf("destroy says:\n%s", out)
	}
	if out := r.b2form(0, "plan", "-emulator"); !strings.Contains(out, "Plan: 2 to add, 0 to change, 0 to destroy.") {
		r.Errorf("the plan after destroy says:\n%s", out)
	}
}

func (r run) write(source string) {
	r.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, "main.b2.hcl"), []byte(source), 0o644); err != nil {
		r.Fatal(err)
	}
}

// golden compares the plan with the example's plan.txt, and demands that its
// README shows it.
func (r run) golden(example, plan string) {
	r.Helper()
	path, page := filepath.Join(example, "plan.txt"), filepath.Join(example, "README.md")
	want, err := os.ReadFile(path)
	if err != nil {
		r.Fatal(err)
	}
	readme, err := os.ReadFile(page)
	if err != nil {
		r.Fatal(err)
	}
	if updating() {
		readme = bytes.Replace(readme, bytes.TrimSpace(want), []byte(strings.TrimSpace(plan)), 1)
		want = []byte(plan)
		if err := errors.Join(os.WriteFile(path, want, 0o644), os.WriteFile(page, readme, 0o644)); err != nil {
			r.Fatal(err)
		}
	}
	if d := cmp.Diff(string(want), plan); d != "" {
		r.Errorf("the plan is other than %s; run `go test ./examples -update` (-want +got):\n%s", path, d)
	}
	if !bytes.Contains(readme, bytes.TrimSpace(want)) {
		r.Errorf("%s/README.md does not show the plan of plan.txt", example)
	}
}

// delivered finds the secret in the delivered file, which only its owner may
// read, and nowhere in the outputs.
func (r run) delivered(outputs string) {
	r.Helper()
	files, err := filepath.Glob(filepath.Join(r.dir, ".b2form", "emulator", "*.*"))
	if err != nil {
		r.Fatal(err)
	}
	found := 0
	for _, f := range files {
		if ext := filepath.Ext(f); ext != ".txt" && ext != ".env" {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			r.Fatal(err)
		}
		info, err := os.Stat(f)
		if err != nil {
			r.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			r.Errorf("%s has mode %v, want 0600", f, info.Mode())
		}
		for _, word := range strings.FieldsFunc(string(text), func(c rune) bool { return strings.ContainsRune(" \n=:@'\"", c) }) {
			if strings.HasPrefix(word, "K004") {
				found++
				if strings.Contains(outputs, word) {
					r.Error("the outputs show the secret")
				}
			}
		}
	}
	if found == 0 {
		r.Errorf("no delivered file among %v holds a secret", files)
	}
}
