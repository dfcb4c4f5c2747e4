package examples_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"b2form/internal/testrun"
	"b2form/internal/view"
	"b2form/schema"
	"b2form/schema/syntax"
)

// TestPages runs the examples of the reference: each is well formatted, can be
// applied, and then there is nothing left to do. What imports something is only
// validated, since nothing is there.
func TestPages(t *testing.T) {
	bin := build(t)
	examples := map[string]string{}
	for _, page := range view.ReferencePages(schema.Kinds()) {
		if len(page.Examples) == 0 {
			t.Errorf("%s has no example", page.Path)
		}
		for i, example := range page.Examples {
			examples[page.Name+strconv.Itoa(i)] = example
		}
	}
	names := slices.Sorted(maps.Keys(examples))
	all := run{t, bin, t.TempDir()}
	for name, example := range examples {
		for _, f := range syntax.ExampleFiles(example) {
			path := filepath.Join(all.dir, name, f.Name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(f.Text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	all.b2form(0, "fmt", "-check", "-recursive", "-diff")
	applied := testrun.SampleUnlessExhaustive(t, 6, 0, names)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run{t, bin, filepath.Join(all.dir, name)}
			switch {
			case strings.Contains(examples[name], "import {"):
				r.b2form(0, "validate")
			case slices.Contains(applied, name):
				r.b2form(0, "apply", "-emulator", "-auto-approve", "-allow=exposes-files")
				r.b2form(0, "plan", "-emulator", "-detailed-exitcode")
			}
		})
	}
}
