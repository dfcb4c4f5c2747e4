package functions_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"b2form/schema/folder"
	"b2form/schema/functions"
	"b2form/schema/parse"
)

func library(dir string) map[string]function.Function {
	return functions.All(folder.Folder{Dir: dir, ModuleDir: dir}, parse.NewBudget(0))
}

// unbounded functions take as many steps as they want.
func unbounded(dir string) map[string]function.Function {
	return functions.All(folder.Folder{Dir: dir, ModuleDir: dir}, nil)
}

func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Every function is in the list, and every example comes to what is said.
func TestDocs(t *testing.T) {
	dir := folderOf(t, map[string]string{"note.txt": "hello", "name.tpl": "${name}-logs"})
	ctx := &hcl.EvalContext{Functions: library(dir)}
	var listed, all []string
	for _, d := range functions.Docs() {
		listed = append(listed, d.Name)
		got, want := evaluate(t, ctx, d.Example), evaluate(t, ctx, d.Result)
		if c, err := convert.Convert(want, got.Type()); err == nil {
			want = c // a list and a tuple are written alike
		}
		if !got.RawEquals(want) {
			t.Errorf("%s: %s is %#v, not %s", d.Name, d.Example, got, d.Result)
		}
		if !strings.HasSuffix(d.Summary, ".") || d.Group == "" || !strings.HasPrefix(d.Signature, d.Name+"(") {
			t.Errorf("%+v: incomplete", d)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ctx.Functions)) {
		refused := slices.Concat(functions.ImpureNames(), []string{"list", "map", "type", "ephemeralasnull"})
		if slices.Contains(refused, name) {
			continue
		}
		if !strings.HasPrefix(name, "core::") {
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
	dir := folderOf(t, map[string]string{"loop.tpl": `${templatefile("loop.tpl", {})}`})
	ctx := &hcl.EvalContext{Functions: library(dir)}
	e, _ := hclsyntax.ParseExpression([]byte(`templatefile("loop.tpl", {})`), "", hcl.InitialPos)
	if _, diags := e.Value(ctx); !diags.HasErrors() {
		t.Error("a template rendered itself")
	}
}

// Every file function stays below the configuration's folder.
func TestFilesOutsideCannotBeRead(t *testing.T) {
	outside := folderOf(t, map[string]string{"secret": "hunter2"})
	dir := folderOf(t, map[string]string{"main.b2.hcl": ""})
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	all := library(dir)
	for _, path := range []string{"link", "../" + filepath.Base(outside) + "/secret", filepath.Join(outside, "secret")} {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if !strings.HasPrefix(name, "file") && name != "templatefile" || name == "fileset" {
				continue
			}
			args := []cty.Value{cty.StringVal(path)}
			if name == "templatefile" {
				args = append(args, cty.EmptyObjectVal)
			}
			v, err := all[name].Call(args)
			if err == nil || strings.Contains(err.Error(), "hunter2") ||
				!strings.Contains(err.Error(), "outside of the configuration's folder") {
				t.Errorf("%s(%q) = %#v, %v", name, path, v, err)
			}
		}
	}
	if v, err := all["file"].Call([]cty.Value{cty.StringVal(filepath.Join(dir, "main.b2.hcl"))}); err != nil || v.AsString() != "" {
		t.Errorf("an absolute path into the folder: %#v, %v", v, err)
	}
}

// Numbers in a pattern that are no width or precision cost nothing.
func TestFormatTakesLongNumbers(t *testing.T) {
	ctx := &hcl.EvalContext{Functions: functions.All(folder.Folder{}, parse.NewBudget(1000))}
	for source, want := range map[string]string{
		`format("arn:aws:iam::123456789012:role/%s", "a")`: "arn:aws:iam::123456789012:role/a",
		`format("%%99999999999d")`:                         "%99999999999d",
		`formatlist("%s/999999999999", ["a"])[0]`:          "a/999999999999",
		`format(1e30)`: "1" + strings.Repeat("0", 30),
	} {
		if got := evaluate(t, ctx, source); got.AsString() != want {
			t.Errorf("%s is %s", source, got.AsString())
		}
	}
}

// A conversion to a list or a map leaves a mark at the element that has it, as in Terraform; a set has it as a whole.
func TestConversionsMarkNothingElse(t *testing.T) {
	ctx := &hcl.EvalContext{Functions: library(t.TempDir())}
	for source, want := range map[string]bool{
		`issensitive(tolist(["a", sensitive("b")]))`:                          false,
		`issensitive(tolist(["a", sensitive("b")])[0])`:                       false,
		`issensitive(tolist(["a", sensitive("b")])[1])`:                       true,
		`issensitive(tolist([1, sensitive("b")])[1])`:                         true,
		`issensitive(tomap({ a = "x", b = sensitive("y") }))`:                 false,
		`issensitive(keys(tomap({ a = "x", b = sensitive("y") })))`:           false,
		`issensitive(tomap({ a = [1], b = [sensitive("y")] }).b[0])`:          true,
		`issensitive(tomap(sensitive({ a = 1 })))`:                            true,
		`issensitive(toset(["a", sensitive("b")]))`:                           true,
		`issensitive(tolist(toset(["a", sensitive("b")])))`:                   true,
		`issensitive(tolist([{ name = "x", token = sensitive(1) }])[0].name)`: false,
	} {
		if got := evaluate(t, ctx, source); !got.RawEquals(cty.BoolVal(want)) {
			t.Errorf("%s is %#v", source, got)
		}
	}
}

// A step of range() that is none is an error of its own, which try() catches; one that is not known yet is neither that
// nor too much.
func TestRangeWithoutStep(t *testing.T) {
	ctx := &hcl.EvalContext{Functions: functions.All(folder.Folder{}, parse.NewBudget(1000)),
		Variables: map[string]cty.Value{"unknown": cty.UnknownVal(cty.Number)}}
	for source, want := range map[string]cty.Value{
		`can(range(0, 5, null))`: cty.False,
		`can(range(0, 10, 0))`:   cty.False,
		`range(1, 5, unknown)`:   cty.UnknownVal(cty.List(cty.Number)),
	} {
		if got := evaluate(t, ctx, source); !got.Type().Equals(want.Type()) || got.IsKnown() != want.IsKnown() ||
			want.IsKnown() && !got.RawEquals(want) {
			t.Errorf("%s is %#v", source, got)
		}
	}
}

// Fifty thousand values of one type become a set or a list without a comparison of each type with each, which takes
// minutes.
func TestLargeTupleBecomesCollection(t *testing.T) {
	texts := make([]cty.Value, 50_000)
	for i := range texts {
		texts[i] = cty.StringVal(strconv.Itoa(i))
	}
	marked := slices.Clone(texts)
	marked[1] = marked[1].Mark("sensitive")
	for _, name := range []string{"toset", "tolist", "sort", "compact"} {
		for _, of := range [][]cty.Value{texts, marked} {
			v, err := library("")[name].Call([]cty.Value{cty.TupleVal(of)})
			if v, _ = v.Unmark(); err != nil || v.LengthInt() != len(of) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// What no function takes is an error that try and can know.
func TestRefusedArgumentsAreCaught(t *testing.T) {
	for _, call := range []string{`tonumber("inf")`, `contains(["a"], null)`, `contains([null], null)`} {
		e, diags := hclsyntax.ParseExpression([]byte("try("+call+", can("+call+"))"), "", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if v, diags := e.Value(&hcl.EvalContext{Functions: library("")}); diags.HasErrors() || !v.RawEquals(cty.False) {
			t.Errorf("%s: %#v, %v", call, v, diags)
		}
	}
}
