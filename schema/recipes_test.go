package schema_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"b2form/schema"
)

// TestRecipes loads every example of the page about deliveries.
func TestRecipes(t *testing.T) {
	page, err := os.ReadFile("../docs/deliver.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```hcl\n(.*?)```").FindAllSubmatch(page, -1)
	if len(examples) < 9 {
		t.Fatalf("found %d examples only", len(examples))
	}
	for _, e := range examples {
		dir := t.TempDir()
		text := "key \"camera\" {\n  name = \"camera\"\n  access = \"read_write\"\n" + string(e[1]) + "}\n"
		if err := os.WriteFile(filepath.Join(dir, "main.b2.hcl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, diags := schema.Load(schema.Options{Dir: dir, Kinds: schema.Kinds()}); len(diags) > 0 {
			t.Errorf("%v:\n%s", diags, text)
		}
	}
}
