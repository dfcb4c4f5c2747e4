package schema_test

import (
	"errors"
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
	for _, src := range []string{
		`module "a" { source = "./site" }`,
		`data "buckets" "all" {}` + "\n" + `bucket "x" { for_each = toset(data.buckets.all.names) name = "${each.key}-x" }`,
		`moved { from = module.a to = module.b }` + "\n" + `check "x" { assert { condition = false error_message = "${bucket.x.id}" } }`,
	} {
		f.Add([]byte(src), false)
	}
	account := snapshot("testdata/good/data/account.json", schema.Kinds())
	f.Fuzz(func(t *testing.T, src []byte, json bool) {
		name := "main.b2.hcl"
		if json {
			name += ".json"
		}
		dir := write(t, map[string]string{name: string(src)})
		// A module that the text may call, and that may be the text itself.
		site := filepath.Join(dir, "site")
		if err := errors.Join(os.Mkdir(site, 0o755), os.WriteFile(filepath.Join(site, name), src, 0o644)); err != nil {
			t.Fatal(err)
		}
		o := options(dir)
		o.Snapshot = account
		config, diags := schema.Load(o)
		for _, d := range diags {
			checkPlace(t, config, d)
		}
		for _, o := range config.Outputs {
			o.Value(liveSample)
		}
	})
}
