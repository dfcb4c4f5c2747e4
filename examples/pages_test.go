package examples_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"b2form/internal/view"
	"b2form/schema"
	"b2form/schema/syntax"
)

// TestPages runs the examples of the reference: each is well formatted, can be
// applied, and then there is nothing left to do. What imports something is only
// validated, since nothing is there.
func TestPages(t *testing.T) {
	bin := build(t)
	for _, page := range view.Pages(schema.Kinds()) {
		if len(page.Examples) == 0 {
			t.Errorf("%s has no example", page.Path)
		}
		for i, example := range page.Examples {
			t.Run(page.Name+strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				r := run{t, bin, t.TempDir()}
				for _, f := range syntax.ExampleFiles(example) {
					path := filepath.Join(r.dir, f.Name)
					if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(f.Text), 0o644)); err != nil {
						t.Fatal(err)
					}
				}
				r.b2form(0, "fmt", "-check", "-recursive", "-diff")
				if strings.Contains(example, "import {") {
					r.b2form(0, "validate")
					return
				}
				r.b2form(0, "apply", "-emulator", "-auto-approve", "-allow=exposes-files")
				r.b2form(0, "plan", "-emulator", "-detailed-exitcode")
			})
		}
	}
}
