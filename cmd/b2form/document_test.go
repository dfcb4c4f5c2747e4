package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/urfave/cli/v3"
)

// schemas reads the published schemas before a test leaves the folder of its package.
func schemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	paths, err := filepath.Glob("../../docs/schemas/*.schema.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no schemas: %v", err)
	}
	out := map[string]*jsonschema.Schema{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		if err := c.AddResource(filepath.Base(path), doc); err != nil {
			t.Fatal(err)
		}
		compiled, err := c.Compile(filepath.Base(path))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		out[strings.TrimSuffix(filepath.Base(path), ".schema.json")] = compiled
	}
	return out
}

// TestEveryJSONHasASchema looks for each command with -json in the table of the schemas.
func TestEveryJSONHasASchema(t *testing.T) {
	text, err := os.ReadFile("../../docs/schemas/README.md")
	if err != nil {
		t.Fatal(err)
	}
	inLines := regexp.MustCompile("(?m)^.*lines.schema.json.*$").FindString(string(text))
	found := 0
	var walk func(c *cli.Command, path string)
	walk = func(c *cli.Command, path string) {
		if slices.ContainsFunc(c.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), "json") }) {
			found++
			if !strings.Contains(string(text), "`"+path+" -json") && !strings.Contains(inLines, "`"+path+"`") {
				t.Errorf("docs/schemas/README.md names no schema for %s -json", path)
			}
		}
		for _, sub := range c.Commands {
			walk(sub, strings.TrimSpace(path+" "+sub.Name))
		}
	}
	walk((&program{}).rootCommand(), "")
	if found < 15 {
		t.Errorf("only %d commands have -json", found)
	}
}

const documentConfig = `
variable "token" {
  default   = "canary-token"
  sensitive = true
}
variable "site" {
  default = "acme"
}
bucket "photos" {
  name = "acme-photos"
  type = "allPublic"
  info = { token = var.token }
  lifecycle_rules = keep_only_last_version()
}
bucket "logs" {
  for_each = toset(["a", "b"])
  name     = "acme-logs-${each.key}"
}
key "app" {
  name    = "app"
  access  = "read_only"
  buckets = [bucket.photos]
  policy_exceptions = { short = "until June" }
  deliver "file" {
    path = "app.env"
  }
}
file "f" {
  bucket  = bucket.photos
  name    = "f.txt"
  content = "canary-content"
  force_destroy = true
}
output "bucket" {
  value = bucket.photos.name
}
output "hidden" {
  value     = var.token
  sensitive = true
}
check "private" {
  assert {
    condition     = bucket.photos.type == "allPrivate"
    error_message = "It is public."
  }
}
`

// shown runs a command and gives what it printed.
func (b *bench) shown(t *testing.T, want int, args ...string) string {
	t.Helper()
	before := len(b.out.String())
	if code := b.run(args...); code != want {
		t.Fatalf("b2form %s: exit code %d\n%s", strings.Join(args, " "), code, b.err)
	}
	select {
	case <-b.ticks: // of an apply
	default:
	}
	return b.out.String()[before:]
}

// planRefresh is what plan -refresh-only -json prints after the bucket was changed outside.
func planRefresh(t *testing.T, b *bench) string {
	t.Helper()
	recorded, err := os.ReadFile(stateFile)
	if err != nil {
		t.Fatal(err)
	}
	writeConfig(t, strings.Replace(documentConfig, `"allPublic"`, `"allPrivate"`, 1))
	b.shown(t, 0, "apply", "-auto-approve")
	if err := os.WriteFile(stateFile, recorded, 0o600); err != nil { // the change was not this folder's
		t.Fatal(err)
	}
	writeConfig(t, documentConfig)
	refreshed := b.shown(t, 0, "plan", "-refresh-only", "-json")
	if !strings.Contains(refreshed, `"refresh"`) {
		t.Error("nothing differs from what is recorded")
	}
	return refreshed
}

// TestSchemas compares what is printed with the published schemas, and looks for secrets in it.
func TestSchemas(t *testing.T) {
	all := schemas(t)
	used := map[string]bool{}
	b := newBench(t, documentConfig)
	check := func(name, text string) {
		t.Helper()
		used[name] = true
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if err := all[name].Validate(doc); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		if strings.Contains(text, "canary") {
			t.Errorf("%s shows a secret:\n%s", name, text)
		}
	}
	lines := func(text string) {
		t.Helper()
		for line := range strings.Lines(text) {
			check("lines", line)
		}
	}
	saved := func(args ...string) string {
		t.Helper()
		b.shown(t, 0, append([]string{"plan", "-out=saved.plan"}, args...)...)
		return b.shown(t, 0, "show", "-json", "saved.plan")
	}
	check("plan", saved())
	lines(b.shown(t, 0, "plan", "-json"))
	lines(b.shown(t, 0, "apply", "-json", "-auto-approve", "-allow=exposes-files"))
	check("plan", saved())
	writeConfig(t, strings.ReplaceAll(strings.Replace(documentConfig, `"allPublic"`, `"allPrivate"`, 1), "read_only", "write_only"))
	check("plan", saved())
	check("plan", saved("-destroy"))
	check("plan", saved("-refresh-only"))
	check("state", b.shown(t, 0, "show", "-json"))
	check("state", b.shown(t, 0, "export", "-format=json"))
	lines(b.shown(t, 0, "plan", "-json"))
	check("state-list", b.shown(t, 0, "state", "list", "-json"))
	check("state-show", b.shown(t, 0, "state", "show", "-json", "bucket.photos"))
	check("validate", b.shown(t, 0, "validate", "-json"))
	check("whoami", b.shown(t, 0, "whoami", "-json"))
	check("lock", b.shown(t, 0, "lock", "-json"))
	check("version", b.shown(t, 0, "version", "-json"))
	check("functions", b.shown(t, 0, "functions", "-json"))
	check("keys", b.shown(t, 0, "keys", "-json"))
	check("prove", b.shown(t, 1, "prove", "-json"))
	check("drift", b.shown(t, 0, "drift", "-json"))
	check("drift", b.shown(t, 0, "drift", "-json", "-unmanaged=report"))
	check("schema", b.shown(t, 0, "schema", "-json"))
	writeConfig(t, documentConfig)
	b.shown(t, 0, "apply", "-auto-approve", "-allow=exposes-files")
	used["output"], used["notice"] = true, true                                               // TestNotify sends one
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(b.shown(t, 0, "output", "-json"))) // which shows what is asked for
	if err == nil {
		err = all["output"].Validate(doc)
	}
	if err != nil {
		t.Error(err)
	}
	if err := os.WriteFile("a.b2test.hcl", []byte("run \"a\" {\n  changes = {}\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lines(b.shown(t, 1, "test", "-json"))
	lines(planRefresh(t, b))
	lines(b.shown(t, 0, "destroy", "-json", "-auto-approve", "-allow=deletes-data"))
	if missing := slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(name string) bool { return used[name] }); len(missing) > 0 {
		t.Errorf("nothing is compared with %v", missing)
	}
	wrong, _ := jsonschema.UnmarshalJSON(strings.NewReader(`{"format_version": "2.0", "valid": true, "error_count": 0, "warning_count": 0,
		"diagnostics": []}`))
	if all["validate"].Validate(wrong) == nil {
		t.Error("a schema takes a version that it does not know")
	}
}

// TestPlanDocumentReadBack reads plans with Terraform's own types and compares them with the
// lines of plan -json.
func TestPlanDocumentReadBack(t *testing.T) {
	b := newBench(t, documentConfig)
	read := func(args ...string) *tfjson.Plan {
		t.Helper()
		b.shown(t, 0, append([]string{"plan", "-out=saved.plan"}, args...)...)
		text := b.shown(t, 0, "show", "-json", "saved.plan")
		var p tfjson.Plan
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		for line := range strings.Lines(b.shown(t, 0, append([]string{"plan", "-json"}, args...)...)) {
			var l struct {
				Type   string
				Change struct {
					Action   string
					Resource struct{ Addr string }
				}
			}
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			if l.Type == "planned_change" {
				want[l.Change.Resource.Addr] = l.Change.Action
			}
		}
		got := map[string]string{}
		for _, c := range p.ResourceChanges {
			got[c.Address] = actionOf(c.Change.Actions)
		}
		if !maps.Equal(got, want) {
			t.Errorf("changes %v, want %v", got, want)
		}
		checkValues(t, &p)
		return &p
	}
	p := read()
	app, photos := changeAt(p, "key.app"), changeAt(p, "bucket.photos")
	values := photos.After.(map[string]any)
	if values["name"] != "acme-photos" || values["type"] != "allPublic" || values["info"] != nil {
		t.Errorf("after is %v", values)
	}
	if !reflect.DeepEqual(photos.AfterSensitive, map[string]any{"info": true}) {
		t.Errorf("sensitive after is %v", photos.AfterSensitive)
	}
	if unknown := app.AfterUnknown.(map[string]any); unknown["application_key_id"] != true || unknown["application_key"] != true {
		t.Errorf("unknown after is %v", unknown)
	}
	if n := len(p.PlannedValues.RootModule.Resources); n != 5 {
		t.Errorf("%d planned resources", n)
	}
	if p.OutputChanges["hidden"].After != nil || p.OutputChanges["hidden"].AfterSensitive != true ||
		p.OutputChanges["bucket"].After != "acme-photos" {
		t.Errorf("outputs are %v and %v", p.OutputChanges["hidden"], p.OutputChanges["bucket"])
	}
	b.shown(t, 0, "apply", "-auto-approve", "-allow=exposes-files")
	if p = read(); len(p.ResourceChanges) != 0 || len(p.PriorState.Values.RootModule.Resources) != 5 {
		t.Errorf("after apply: %d changes, %d in the state", len(p.ResourceChanges), len(p.PriorState.Values.RootModule.Resources))
	}
	if c := p.Checks[0]; c.Status != tfjson.CheckStatusFail || c.Address.ToDisplay != "check.private" {
		t.Errorf("the check is %v", c)
	}
	writeConfig(t, strings.ReplaceAll(strings.Replace(documentConfig, `"allPublic"`, `"allPrivate"`, 1), "read_only", "write_only"))
	p = read()
	if len(p.ResourceDrift) != 0 {
		t.Errorf("the configuration was edited, and %v is told to have changed outside", p.ResourceDrift[0])
	}
	if c := changeAt(p, "key.app"); len(c.ReplacePaths) == 0 || c.Before.(map[string]any)["name"] != "app" {
		t.Errorf("the replacement is %v", c)
	}
	read("-destroy")
}

// actionOf is our word for Terraform's actions.
func actionOf(a tfjson.Actions) string {
	if a.Replace() {
		return "replace"
	}
	return fmt.Sprint(a[0])
}

func changeAt(p *tfjson.Plan, address string) *tfjson.Change {
	i := slices.IndexFunc(p.ResourceChanges, func(c *tfjson.ResourceChange) bool { return c.Address == address })
	return p.ResourceChanges[i].Change
}

// checkValues compares what is planned and what is live of everything with the changes.
func checkValues(t *testing.T, p *tfjson.Plan) {
	t.Helper()
	planned, prior := valuesByAddress(p.PlannedValues), valuesByAddress(p.PriorState.Values)
	for _, c := range p.ResourceChanges {
		if after, _ := c.Change.After.(map[string]any); !reflect.DeepEqual(planned[c.Address], after) {
			t.Errorf("%s: planned are %v, want %v", c.Address, planned[c.Address], after)
		}
		if before, _ := c.Change.Before.(map[string]any); !reflect.DeepEqual(prior[c.Address], before) {
			t.Errorf("%s: live are %v, want %v", c.Address, prior[c.Address], before)
		}
		delete(planned, c.Address)
		delete(prior, c.Address)
	}
	if !reflect.DeepEqual(planned, prior) {
		t.Errorf("nothing changes of %v, and planned is %v", prior, planned)
	}
}

func valuesByAddress(v *tfjson.StateValues) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, r := range v.RootModule.Resources {
		out[r.Address] = r.AttributeValues
	}
	return out
}
