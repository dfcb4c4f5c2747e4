package schema_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema"
	"b2form/schema/addr"
	"b2form/schema/config"
)

// write makes a folder with the given files.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// output evaluates one output against an account in which nothing is live.
func output(t *testing.T, c *config.Config, name string) cty.Value {
	t.Helper()
	for _, o := range c.Outputs {
		if o.Name == name {
			v, diags := o.Value(func(addr.Addr) (map[string]cty.Value, bool) { return nil, false })
			if diags.HasErrors() {
				t.Error(diags)
			}
			return v
		}
	}
	t.Fatalf("no output %s", name)
	return cty.NilVal
}

func TestLaterValuesOfAVariableWin(t *testing.T) {
	files := map[string]string{"main.b2.hcl": `
		variable "v" { default = "default" }
		output "v" { value = var.v }`}
	var o schema.Options
	step := func(want string) {
		t.Helper()
		base := options(write(t, files))
		base.Env, base.Vars = o.Env, o.Vars
		config, diags := schema.Load(base)
		if len(diags) > 0 {
			t.Error(diags)
		}
		if got := output(t, config, "v").AsString(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	step("default")
	o.Env = []schema.VariableValue{{Name: "v", Value: "environment"}, {Name: "undeclared", Value: "passed over"}}
	step("environment")
	files["b2form.b2vars.hcl"] = `v = "own file"`
	step("own file")
	files["a.auto.b2vars.hcl"] = `v = "auto a"`
	files["b.auto.b2vars.hcl"] = `v = "auto b"`
	step("auto b")
	o.Vars = append(o.Vars, schema.VariableValue{Name: "v", Value: "command line"})
	step("command line")
	file := filepath.Join(write(t, map[string]string{"live.b2vars.hcl": `v = "named file"`}), "live.b2vars.hcl")
	o.Vars = append(o.Vars, schema.VariableValue{VarFile: file})
	step("named file")
	o.Vars = append(o.Vars, schema.VariableValue{Name: "v", Value: "last"})
	step("last")
}

func TestTextsFromOutsideFollowTheType(t *testing.T) {
	o := options(write(t, map[string]string{"main.b2.hcl": `
		variable "text"   { type = string }
		variable "number" { type = number }
		variable "list"   { type = list(string) }
		variable "none"   {}
		variable "any" {
			type = any
		}
		variable "null"   {
			type     = list(string)
			nullable = false
			default  = ["kept"]
		}
		output "all" { value = [var.text, var.number, var.list, var.none, var.any, var.null] }`}))
	o.Env = []schema.VariableValue{{Name: "text", Value: `["a"]`}, {Name: "number", Value: "12"}, {Name: "null", Value: "null"}}
	o.Vars = []schema.VariableValue{{Name: "list", Value: `["a", "b"]`}, {Name: "any", Value: "{x = 1}"}}
	o.Ask = func(q schema.VariableQuestion) (string, error) { return "asked for " + q.Name, nil }
	config, diags := schema.Load(o)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	want := []any{`["a"]`, 12.0, []any{"a", "b"}, "asked for none", map[string]any{"x": 1.0}, []any{"kept"}}
	if d := cmp.Diff(any(want), plain(t, output(t, config, "all"))); d != "" {
		t.Error(d)
	}
}

func TestDiagnosticsWithoutAPlace(t *testing.T) {
	const main = `variable "site" { type = list(string) }`
	for _, c := range []struct {
		name  string
		files map[string]string
		set   func(*schema.Options)
		want  string
	}{
		{"empty folder", nil, nil, "Write one, or name the configuration's folder with -chdir."},
		{"a folder of such a name", map[string]string{"main.b2.hcl/a": ""}, nil,
			"Write one, or name the configuration's folder with -chdir."},
		{"Terraform's files", map[string]string{"main.tf": ""}, nil,
			"It holds main.tf: b2form reads only files whose names end in .b2.hcl."},
		{"no folder", nil, func(o *schema.Options) { o.Dir += "/none" }, "does not exist"},
		{"undeclared -var", map[string]string{"main.b2.hcl": `variable "site" { default = 1 }`},
			func(o *schema.Options) { o.Vars = []schema.VariableValue{{Name: "sight"}} }, `Did you mean "site"?`},
		{"no value file", map[string]string{"main.b2.hcl": ""}, func(o *schema.Options) {
			o.Vars = []schema.VariableValue{{VarFile: "none.hcl"}}
		}, "none.hcl does not exist"},
		{"wrong type", map[string]string{"main.b2.hcl": main},
			func(o *schema.Options) { o.Vars = []schema.VariableValue{{Name: "site", Value: `{}`}} }, "from -var does not fit its type"},
		{"no expression", map[string]string{"main.b2.hcl": main},
			func(o *schema.Options) { o.Env = []schema.VariableValue{{Name: "site", Value: `hunter2]`}} },
			"from the environment variable B2FORM_VAR_site is not a valid expression"},
		{"reference", map[string]string{"main.b2.hcl": main},
			func(o *schema.Options) { o.Vars = []schema.VariableValue{{Name: "site", Value: `[hunter2]`}} }, "must be a constant"},
		{"a variable in another case", map[string]string{"main.b2.hcl": `variable "token" { sensitive = true }`},
			func(o *schema.Options) { o.Env = []schema.VariableValue{{Name: "TOKEN", Value: "hunter2"}} },
			`gives a value to "TOKEN": upper and lower case count in names of variables, so write B2FORM_VAR_token.`},
		{"a value file of Terraform's", map[string]string{"main.b2.hcl": main, "b2form.b2vars.hcl": "", "dev.tfvars": "token = 1",
			"prod.tfvars": "site = []"}, nil, "One stands in prod.tfvars, which b2form does not read by itself: give it with " +
			"-var-file=prod.tfvars."},
		{"a value file of Terraform's without it", map[string]string{"main.b2.hcl": main, "prod.tfvars": "token = 1"}, nil,
			"or with -var=site=…."},
		{"failed question", map[string]string{"main.b2.hcl": main}, func(o *schema.Options) {
			o.Ask = func(schema.VariableQuestion) (string, error) { return "", errors.New("end of input") }
		}, "No value for var.site could be read: end of input."},
		{"a broken value file", map[string]string{"main.b2.hcl": "", "b2form.b2vars.hcl": "site = hunter2 hunter2"}, nil,
			"Details are left out"},
		{"undeclared in a value file", map[string]string{"main.b2.hcl": "", "b2form.b2vars.hcl": "site = 1"}, nil,
			`declares no variable "site"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(write(t, c.files))
			if c.set != nil {
				c.set(&o)
			}
			_, diags := schema.Load(o)
			if len(diags) != 1 || !strings.Contains(diags[0].Detail, c.want) {
				t.Errorf("got %v, want %s", diags, c.want)
			}
			if strings.Contains(diags.Error(), "hunter2") {
				t.Errorf("a value from outside is repeated: %v", diags)
			}
		})
	}
}

// Blocks may be spread over files in any way and order.
func TestOrderMeansNothing(t *testing.T) {
	src, err := os.ReadFile("testdata/good/whole/main.b2.hcl")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(src), "\n\n")
	for i := 0; i < len(blocks); i++ { // a blank line inside a block
		for strings.Count(blocks[i], "{") != strings.Count(blocks[i], "}") {
			blocks[i] += "\n\n" + blocks[i+1]
			blocks = slices.Delete(blocks, i+1, i+2)
		}
	}
	want := ""
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		rnd.Shuffle(len(blocks), func(i, j int) { blocks[i], blocks[j] = blocks[j], blocks[i] })
		files := map[string]string{}
		for _, b := range blocks {
			files[string(rune('a'+rnd.IntN(3)))+".b2.hcl"] += b + "\n"
		}
		dir := write(t, files)
		config, diags := schema.Load(options(dir))
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		got := strings.ReplaceAll(show(t, config), dir, "")
		if want == "" {
			want = got
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	}
}

func TestSources(t *testing.T) {
	dir := write(t, map[string]string{
		"b.b2.hcl": "", "a.b2.hcl.json": "", ".hidden.b2.hcl": "", "main.tf": "", "a.auto.tfvars": "", "b2form.b2vars.json": "",
		"a.auto.b2vars.hcl": "", "b2form.b2vars.hcl": "", "live.b2vars.hcl": "",
		"a.auto.b2vars.hcl.json": "", "b2form.b2vars.hcl.json": "", "live.b2vars.hcl.json": "",
	})
	got, err := schema.ListConfigDirFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	in := func(names ...string) (out []string) {
		for _, n := range names {
			out = append(out, filepath.Join(dir, n))
		}
		return out
	}
	want := schema.ConfigDirFiles{ConfigFiles: in("a.b2.hcl.json", "b.b2.hcl"),
		OtherValueFiles:    in("live.b2vars.hcl", "live.b2vars.hcl.json"),
		AutoValueFiles:     in("b2form.b2vars.hcl", "b2form.b2vars.hcl.json", "a.auto.b2vars.hcl", "a.auto.b2vars.hcl.json"),
		MisnamedValueFiles: in("b2form.b2vars.json"), TerraformFiles: in("main.tf")}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// What live answers may be a secret: it stands in what was asked for and in no
// message.
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	config, diags := schema.Load(options(write(t, map[string]string{"main.b2.hcl": `
		key "x" {
			name   = "app"
			access = "read_only"
			deliver "file" {
				path    = "x"
				content = "id ${self.application_key_id}, secret ${tonumber(self.application_key)}"
			}
		}
		output "plain"  { value = key.x.application_key }
		output "number" { value = parseint(key.x.application_key, 10) }`})))
	if len(diags) != 1 || diags[0].Subject.Start.Line != 7 {
		t.Errorf("the template was not tried with a sample: %v", diags)
	}
	const canary = "K004canary"
	live := func(addr.Addr) (map[string]cty.Value, bool) {
		return map[string]cty.Value{"application_key": cty.StringVal(canary)}, true
	}
	for _, o := range config.Outputs {
		v, diags := o.Value(live)
		v, _ = v.Unmark()
		if o.Name == "plain" && (diags.HasErrors() || v.AsString() != canary) {
			t.Errorf("%s = %#v, %v", o.Name, v, diags)
		}
		if o.Name == "number" {
			if !diags.HasErrors() {
				t.Error("a secret was read as a number")
			}
			for _, d := range diags {
				if strings.Contains(d.Error()+d.Detail, canary) || d.EvalContext != nil {
					t.Errorf("%v holds the secret", d)
				}
			}
		}
	}
}

// Without an account data blocks stand for anything, and say what they ask for.
func TestDataAsksBeforeItIsAnswered(t *testing.T) {
	o := options("testdata/good/data")
	o.Snapshot = nil
	config, diags := schema.Load(o)
	for _, d := range diags {
		t.Error(d)
	}
	got := map[string]bool{}
	for _, q := range config.DataQueries {
		if q.Kind == nil {
			got["account"] = true
			continue
		}
		got[q.Kind.Name+" "+q.Identity] = true
	}
	want := map[string]bool{"account": true, "bucket ": true, "bucket acme-logs": true, "bucket acme-photos": true, "key ": true,
		"key camera": true, "file ": true, "notification_rules ": true}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
