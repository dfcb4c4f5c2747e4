package schema_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/schema"
)

// Every function is in the list, and every example comes to what is said.
func TestFunctionDocs(t *testing.T) {
	dir := write(t, map[string]string{"note.txt": "hello", "name.tpl": "${name}-logs"})
	ctx := &hcl.EvalContext{Functions: schema.Functions(dir, "/")}
	var listed, all []string
	for _, d := range schema.FunctionDocs() {
		listed = append(listed, d.Name)
		got, want := evaluate(t, ctx, d.Example), evaluate(t, ctx, d.Result)
		if c, err := convert.Convert(want, got.Type()); err == nil {
			want = c // a list and a tuple are written alike
		}
		if !got.RawEquals(want) {
			t.Errorf("%s: %s is %#v, not %s", d.Name, d.Example, got, d.Result)
		}
		if !strings.HasSuffix(d.Doc, ".") || d.Group == "" || !strings.HasPrefix(d.Signature, d.Name+"(") {
			t.Errorf("%+v: incomplete", d)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ctx.Functions)) {
		if !slices.Contains(schema.ImpureFunctions(), name) {
			all = append(all, name)
		}
	}
	slices.Sort(listed)
	if d := cmp.Diff(all, listed); d != "" {
		t.Error(d)
	}
}

func evaluate(t *testing.T, ctx *hcl.EvalContext, source string) cty.Value {
	t.Helper()
	e, diags := hclsyntax.ParseExpression([]byte(source), "", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(source, diags)
	}
	v, diags := e.Value(ctx)
	if diags.HasErrors() {
		t.Error(source, diags)
	}
	return v
}

// A template that could render itself would never end.
func TestTemplatesRenderNoTemplates(t *testing.T) {
	dir := write(t, map[string]string{"loop.tpl": `${templatefile("loop.tpl", {})}`})
	ctx := &hcl.EvalContext{Functions: schema.Functions(dir, "/")}
	e, _ := hclsyntax.ParseExpression([]byte(`templatefile("loop.tpl", {})`), "", hcl.InitialPos)
	if _, diags := e.Value(ctx); !diags.HasErrors() {
		t.Error("a template rendered itself")
	}
}
