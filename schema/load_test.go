package schema_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"golang.org/x/tools/txtar"

	"b2form/schema"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func options(dir string) schema.Options {
	o := schema.Options{Dir: dir, Kinds: schema.Kinds(), Version: "1.2.3", Cwd: "/somewhere"}
	o.Snapshot = snapshot(filepath.Join(dir, "account.json"), o.Kinds)
	return o
}

// snapshot is the account in a file: what B2 answers, by kind. nil: there is no
// such file.
func snapshot(path string, kinds []*kind.Kind) *kind.Snapshot {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var raw map[string][]wire.RawJSON
	account := &wire.Account{
		ID: "d2e6b27577ea", KeyID: "004d2e6b27577ea0000000001", Realm: "https://api.backblazeb2.com",
		S3URL: "https://s3.us-west-004.backblazeb2.com", DownloadURL: "https://f004.backblazeb2.com",
		Capabilities: []string{"listKeys", "listBuckets"},
	}
	if err := json.Unmarshal(src, &raw); err != nil {
		panic(err)
	}
	s, err := kind.NewSnapshot(account, kinds, raw)
	if err != nil {
		panic(err)
	}
	return s
}

// TestGood loads each folder of testdata/good and compares what it declares
// with its want.json.
func TestGood(t *testing.T) {
	dirs, err := filepath.Glob("testdata/good/*")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no configurations", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			config, diags := schema.Load(options(dir))
			for _, d := range diags {
				t.Errorf("%s", d)
			}
			got := show(t, config)
			golden := filepath.Join(dir, "want.json")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Error(d)
			}
		})
	}
}

// show writes a configuration as JSON, with live values made up by liveSample.
func show(t *testing.T, c *config.Config) string {
	t.Helper()
	resources := map[string]any{}
	for _, r := range c.Resources {
		m := map[string]any{"value": plain(t, r.Value.ObjectWithoutUnset())}
		if len(r.Needs) > 0 {
			m["needs"] = r.Needs
		}
		if len(r.DeferredNeeds) > 0 {
			m["later"] = r.DeferredNeeds
		}
		if r.PreventDestroy {
			m["prevent_destroy"] = true
		}
		if len(r.IgnoreChanges) > 0 {
			m["ignore_changes"] = r.IgnoreChanges
		}
		if len(r.Deliveries) > 0 {
			m["deliver"] = deliveries(t, r)
		}
		resources[r.Addr.String()] = m
	}
	outputs := map[string]any{}
	for _, o := range c.Outputs {
		v, diags := o.Value(liveSample)
		for _, x := range diags {
			t.Error(x)
		}
		outputs[o.Name] = map[string]any{"value": plain(t, v), "sensitive": o.Sensitive, "description": o.Description}
	}
	var imports []string
	for _, i := range c.Imports {
		imports = append(imports, i.To.String()+" = "+i.IDOrIdentity)
	}
	all := map[string]any{
		"resources": resources, "outputs": outputs, "imports": imports,
		"account_id": c.Settings.AccountID, "allow": c.Settings.Allow,
	}
	for _, c := range c.Checks {
		said := []string{}
		failed, _ := c.Evaluate(liveSample)
		for _, d := range failed {
			said = append(said, severity(d)+": "+d.Summary+": "+d.Detail)
		}
		all[c.Name] = said
	}
	for _, m := range c.Moves {
		all["moved "+m.From.String()] = m.To
	}
	for _, r := range c.Removals {
		all["removed "+r.From.String()] = map[string]any{"destroy": r.Destroy}
	}
	out, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out) + "\n"
}

func deliveries(t *testing.T, r *config.Resource) []any {
	t.Helper()
	var out []any
	for _, d := range r.Deliveries {
		one := map[string]any{"type": d.Type, "shown": d.DisplayName, "path": d.Path, "format": d.Format, "digest": d.SettingsDigest}
		if d.Recipients != nil {
			one["recipients"] = d.Recipients
		}
		if d.Command != nil {
			one["command"], one["folder"], one["timeout"] = d.Command, d.ProgramDir, d.ProgramTimeout.String()
		}
		self := map[string]cty.Value{"application_key": cty.StringVal("SECRET"), "application_key_id": cty.StringVal("ID")}
		if d.RenderEnvironment != nil {
			vars, diags := d.RenderEnvironment(self, liveSample)
			for _, x := range diags {
				t.Error(x)
			}
			one["environment"] = vars
		}
		if d.RenderContent != nil {
			text, diags := d.RenderContent(self, liveSample)
			for _, x := range diags {
				t.Error(x)
			}
			one["content"] = text
		}
		out = append(out, one)
	}
	return out
}

// plain leaves out what is null, so that goldens show what matters.
func plain(t *testing.T, v cty.Value) any {
	t.Helper()
	v, _ = v.UnmarkDeep()
	if !v.IsWhollyKnown() {
		return "(not known)"
	}
	b, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return withoutNulls(out)
}

func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if e == nil {
				delete(v, k)
				continue
			}
			v[k] = withoutNulls(e)
		}
	case []any:
		for i := range v {
			v[i] = withoutNulls(v[i])
		}
	}
	return v
}

// liveSample is an account in which every bucket exists and no key does.
func liveSample(a addr.Addr) (map[string]cty.Value, bool) {
	if a.Kind != "bucket" {
		return nil, false
	}
	return map[string]cty.Value{
		"id":          cty.StringVal("id of " + a.String()),
		"s3_endpoint": cty.StringVal("https://s3.us-west-004.backblazeb2.com"),
		"s3_region":   cty.StringVal("us-west-004"),
	}, true
}

// TestBad loads each file of testdata/bad as a configuration of its own. What
// is expected stands in comments on the line of the diagnostic's subject:
// # ERROR: summary, # WARNING: summary; several are separated by " + ".
func TestBad(t *testing.T) { expectDiagnostics(t, "testdata/bad/*", options) }

// TestReal loads what people write for the official Terraform provider, put into
// this language: each has its own lines to say, and no complaint.
func TestReal(t *testing.T) { expectDiagnostics(t, "testdata/real/*", options) }

// TestUnset does the same where variables may lack their values.
func TestUnset(t *testing.T) {
	expectDiagnostics(t, "testdata/unset/*", func(dir string) schema.Options {
		o := options(dir)
		o.AllowUnsetVariables = true
		return o
	})
}

func expectDiagnostics(t *testing.T, pattern string, options func(dir string) schema.Options) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatal("no configurations", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			dir := t.TempDir()
			want := map[string][]string{}
			for name, src := range filesOf(t, file) {
				path := filepath.Join(dir, name)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, src, 0o644)); err != nil {
					t.Fatal(err)
				}
				expected(name, string(src), want)
			}
			config, diags := schema.Load(options(dir))
			got := map[string][]string{}
			for _, d := range diags {
				checkPlace(t, config, d)
				if d.Subject != nil {
					summary, _, _ := strings.Cut(d.Summary, ` "`)
					place := strings.TrimPrefix(fmt.Sprintf("%s:%d", d.Subject.Filename, d.Subject.Start.Line), dir+"/")
					got[place] = append(got[place], severity(d)+": "+summary)
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
				for _, x := range diags {
					t.Log(x)
				}
			}
		})
	}
}

// filesOf is one file, or the files of an archive, by name.
func filesOf(t *testing.T, path string) map[string][]byte {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(path) != ".txtar" {
		return map[string][]byte{filepath.Base(path): src}
	}
	files := map[string][]byte{}
	for _, f := range txtar.Parse(src).Files {
		files[f.Name] = f.Data
	}
	return files
}

func severity(d *hcl.Diagnostic) string {
	if d.Severity == hcl.DiagWarning {
		return "WARNING"
	}
	return "ERROR"
}

// expected reads the comments by file and line.
func expected(name, src string, out map[string][]string) {
	for i, line := range strings.Split(src, "\n") {
		for _, mark := range []string{"# ERROR: ", "# WARNING: "} {
			_, text, found := strings.Cut(line, mark)
			if !found {
				continue
			}
			for n, one := range strings.Split(text, " + ") {
				if n == 0 {
					one = strings.TrimPrefix(mark, "# ") + one // the others say it themselves
				}
				one, _, _ = strings.Cut(one, `"`) // the end of a comment in JSON
				place := fmt.Sprintf("%s:%d", name, i+1)
				out[place] = append(out[place], strings.TrimSpace(one))
			}
		}
	}
}

// checkPlace holds of every diagnostic: it has a place in a file that was read,
// and says in whole sentences what to do.
func checkPlace(t *testing.T, c *config.Config, d *hcl.Diagnostic) {
	t.Helper()
	if d.Summary == "" || d.Detail == "" {
		t.Errorf("diagnostic without words: %#v", d)
	}
	if strings.Contains(d.Detail, "hunter2") {
		t.Errorf("%s: a sensitive value is repeated", d)
	}
	if d.Subject == nil {
		return
	}
	if strings.Contains(filepath.Base(d.Subject.Filename), ".b2vars.hcl") {
		return // a value file is not shown
	}
	f := c.Files[d.Subject.Filename]
	if f == nil || d.Subject.End.Byte > len(f.Bytes) || d.Subject.Start.Byte > d.Subject.End.Byte {
		t.Errorf("%s: the subject does not lie in a file", d)
	}
}
