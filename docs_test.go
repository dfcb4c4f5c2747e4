package b2form_test

import (
	"flag"
	"os"
	"path/filepath"
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
		path := filepath.Join("docs", "kinds", k.Name+".md")
		want := view.Reference(k)
		if updating() {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, string(got)); d != "" {
			t.Errorf("%s is stale; run `go test . -update` (-want +got):\n%s", path, d)
		}
	}
}
