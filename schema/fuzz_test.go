package schema_test

import (
	"os"
	"path/filepath"
	"testing"

	"b2form/schema"
)

// FuzzLoad: no text makes Load panic, and every place it names exists.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*", "testdata/good/*/*.b2.hcl*"} {
		seeds, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range seeds {
			src, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src, filepath.Ext(path) == ".json")
		}
	}
	f.Fuzz(func(t *testing.T, src []byte, json bool) {
		name := "main.b2.hcl"
		if json {
			name += ".json"
		}
		config, diags := schema.Load(options(write(t, map[string]string{name: string(src)})))
		for _, d := range diags {
			checkPlace(t, config, d)
		}
		for _, o := range config.Outputs {
			o.Value(liveSample)
		}
	})
}
