package laws_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"b2form/schema"
	"b2form/schema/config"
)

// TestRenderedAgain: what a configuration declares, written down as plain HCL
// without any expression and loaded again, declares the same.
func TestRenderedAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rendersAgain(t, loaded(t, "", strings.Join(drawConfig(t, schema.Kinds()), "\n")), "")
	})
}

// TestWrittenRenderedAgain is the same for configurations that were written by
// hand, with all that the language offers.
func TestWrittenRenderedAgain(t *testing.T) {
	var dirs []string
	for _, pattern := range []string{"../../schema/testdata/good/*", "../../examples/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, found...)
	}
	seen := 0
	for _, dir := range dirs {
		config, diags := schema.Load(schema.Options{Dir: dir, Kinds: schema.Kinds()})
		if diags.HasErrors() || len(config.DataQueries) > 0 { // a folder without configuration, or one that asks B2
			continue
		}
		seen++
		t.Run(filepath.Base(dir), func(t *testing.T) { rendersAgain(t, config, dir) })
	}
	if seen < 6 {
		t.Errorf("only %d configurations were found", seen)
	}
}

type tester interface {
	Helper()
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

// loaded loads a configuration beside the other files of a folder; "": none.
func loaded(t tester, beside, source string) *config.Config {
	t.Helper()
	dir, err := os.MkdirTemp("", "render")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	err = writeSources(dir)
	if beside != "" {
		err = errors.Join(err, os.CopyFS(dir, os.DirFS(beside)))
	}
	old, _ := filepath.Glob(filepath.Join(dir, "*.b2*")) // the pattern is good
	for _, name := range old {
		err = errors.Join(err, os.RemoveAll(name)) // .b2form too, which somebody may have left
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.b2.hcl"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	config, diags := schema.Load(schema.Options{Dir: dir, Kinds: schema.Kinds()})
	if diags.HasErrors() {
		t.Fatal(errors.Join(diags.Errs()...), "\n", source)
	}
	return config
}

func rendersAgain(t tester, config *config.Config, dir string) {
	t.Helper()
	var b strings.Builder
	for i, r := range config.Resources {
		label := fmt.Sprintf("r%d", i)
		if r.Addr.Module == "" && r.Addr.Instance.IsSingle() {
			label = r.Addr.Label // which a reference to one of several keys with one name holds
		}
		b.WriteString(rendered(r, label))
	}
	if d := cmp.Diff(declared(config), declared(loaded(t, dir, b.String()))); d != "" {
		t.Errorf("%s\n%s", d, b.String())
	}
}

// rendered writes a resource as a block of constants. What follows from the
// rest is left out, as nobody may say both.
func rendered(r *config.Resource, label string) string {
	m := r.Value.ObjectWithoutUnset().AsValueMap()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q {\n", r.Kind.Name, label)
	for _, a := range r.Kind.SettableAttrs() {
		v := m[a.Name]
		if c := r.Kind.Content; c != nil && a.Name == c.TextAttr && m[c.SourceAttr].IsNull() {
			v = content(r)
		}
		m[a.Name] = cty.NullVal(a.ValueType())
		without, _ := r.Kind.NewCompleter().CompleteAndCheck(r.Kind.ValuesOf(cty.ObjectVal(m)), false)
		if v.IsNull() || without.GetAttr(a.Name).RawEquals(v) {
			continue
		}
		m[a.Name] = v
		text := literal(v)
		if a.IsDeferredLink() {
			text = regexp.MustCompile(`"(key\.\w+)"`).ReplaceAllString(text, "$1")
		}
		fmt.Fprintf(&b, "  %s = %s\n", a.Name, text)
	}
	if r.PreventDestroy {
		b.WriteString("  prevent_destroy = true\n")
	}
	if len(r.IgnoreChanges) > 0 {
		fmt.Fprintf(&b, "  ignore_changes = [%s]\n", strings.Join(r.IgnoreChanges, ", "))
	}
	return b.String() + "}\n"
}

// content is what a file is to hold.
func content(r *config.Resource) cty.Value {
	from, err := r.Payload.Open()
	if err != nil {
		panic(err)
	}
	text, err := io.ReadAll(from)
	if err != nil {
		panic(err)
	}
	return cty.StringVal(string(text))
}

// declared is what must not get lost, by identity.
func declared(c *config.Config) map[string]string {
	out := map[string]string{}
	for _, r := range c.Resources {
		out[r.Kind.Name+" "+r.Identity()] = fmt.Sprintf("%#v %v %v", r.Value.ObjectWithoutUnset(), r.PreventDestroy, r.IgnoreChanges)
	}
	return out
}
