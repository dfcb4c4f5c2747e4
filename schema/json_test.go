package schema_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/view"
	"b2form/schema"
	"b2form/schema/syntax"
)

// editorSchema is the compiled JSON Schema of configurations.
func editorSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(view.EditorSchema(schema.Kinds()))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("b2form.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("b2form.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func valid(t *testing.T, s *jsonschema.Schema, config []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(config))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

// TestJSONSyntax puts every good configuration into HCL's JSON syntax: it means
// the same, and editors have nothing to point out.
func TestJSONSyntax(t *testing.T) {
	s := editorSchema(t)
	dirs, err := filepath.Glob("testdata/good/*")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no configurations", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			copied := t.TempDir()
			if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			for _, path := range configFiles(t, copied) {
				src, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if filepath.Ext(path) != ".json" {
					src = asJSON(t, src)
					if err := os.Rename(path, path+".json"); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path+".json", src, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if err := valid(t, s, src); err != nil {
					t.Errorf("%s: %v\n%s", path, err, src)
				}
			}
			native, _ := schema.Load(options(dir))
			config, diags := schema.Load(options(copied))
			for _, d := range diags {
				t.Error(d)
			}
			if d := cmp.Diff(show(t, native), strings.ReplaceAll(show(t, config), copied, dir)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestEditorsSeeMistakes puts bad configurations into HCL's JSON syntax: what the
// loader finds unsupported, the schema for editors refuses.
func TestEditorsSeeMistakes(t *testing.T) {
	s := editorSchema(t)
	files, err := filepath.Glob("testdata/bad/*.b2.hcl")
	if err != nil || len(files) == 0 {
		t.Fatal("no configurations", err)
	}
	seen := 0
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		unsupported := bytes.Contains(src, []byte("# ERROR: Unsupported argument")) ||
			bytes.Contains(src, []byte("# ERROR: Unsupported block"))
		if !unsupported || filepath.Base(path) == "local_block.b2.hcl" { // in JSON that is a value
			continue
		}
		if _, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos); diags.HasErrors() {
			continue
		}
		seen++
		if text := asJSON(t, src); valid(t, s, text) == nil {
			t.Errorf("%s: nothing is pointed out in\n%s", path, text)
		}
	}
	if seen < 20 {
		t.Errorf("only %d configurations", seen)
	}
}

func configFiles(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".b2.hcl") || strings.HasSuffix(path, ".b2.hcl.json") {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// asJSON writes a file in HCL's JSON syntax.
func asJSON(t *testing.T, src []byte) []byte {
	t.Helper()
	f, diags := hclsyntax.ParseConfig(src, "", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	out, err := json.MarshalIndent(bodyJSON(src, f.Body.(*hclsyntax.Body), nil, syntax.FindFixedBlock), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// bodyJSON is a body as JSON. Each nested block stands in a list of its own type,
// below its labels.
func bodyJSON(src []byte, body *hclsyntax.Body, d *syntax.BlockSpec, nested func(typ string) *syntax.BlockSpec) map[string]any {
	out := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(body.Attributes)) {
		written := false
		if d != nil {
			a := d.FindArgument(name)
			written = a != nil && a.MayReferTo == syntax.NotEvaluated
		}
		out[name] = expressionJSON(src, body.Attributes[name].Expr, written)
	}
	for _, b := range body.Blocks {
		inner := nested(b.Type)
		if inner == nil && d == nil {
			inner = syntax.ResourceBlock()
		}
		var one any = bodyJSON(src, b.Body, inner, func(typ string) *syntax.BlockSpec {
			if inner != nil && inner.NestedForms(typ) != nil {
				return inner.NestedForms(typ)[0]
			}
			return &syntax.BlockSpec{}
		})
		for _, label := range slices.Backward(b.Labels) {
			one = map[string]any{label: one}
		}
		list, _ := out[b.Type].([]any)
		out[b.Type] = append(list, one)
	}
	return out
}

// expressionJSON is an expression as JSON: what is a constant as itself, lists and
// objects as such, all else as a template. What is read as it is written is a text.
func expressionJSON(src []byte, e hclsyntax.Expression, written bool) any {
	text := string(e.Range().SliceBytes(src))
	switch e := e.(type) {
	case *hclsyntax.TupleConsExpr:
		list := []any{}
		for _, item := range e.Exprs {
			list = append(list, expressionJSON(src, item, written))
		}
		return list
	case *hclsyntax.ObjectConsExpr:
		object := map[string]any{}
		for _, item := range e.Items {
			key, diags := item.KeyExpr.Value(nil)
			if diags.HasErrors() || key.Type() != cty.String {
				return "${" + text + "}"
			}
			object[key.AsString()] = expressionJSON(src, item.ValueExpr, false)
		}
		return object
	}
	if written {
		return strings.Trim(text, `"`)
	}
	if v, diags := e.Value(nil); !diags.HasErrors() && v.IsKnown() && !v.IsNull() {
		switch v.Type() {
		case cty.String:
			return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(v.AsString())
		case cty.Bool:
			return v.True()
		case cty.Number:
			return json.Number(v.AsBigFloat().Text('f', -1))
		}
	}
	return "${" + text + "}"
}
