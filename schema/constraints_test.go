package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/schema"
	"b2form/schema/kind"
)

// required are the arguments that a resource of a kind cannot do without.
func required(kindName string) map[string]string {
	return map[string]map[string]string{
		"bucket": {"name": `"acme-photos"`},
		"key":    {"name": `"camera"`, "access": `"read_only"`},
		"file":   {"bucket": `"acme-photos"`, "name": `"index.html"`, "content": `""`},
		"notification_rules": {"bucket": `"acme-photos"`,
			"rules": `[{ name = "thumbnails", event_types = ["b2:ObjectCreated:*"], target_configuration = { url = ` +
				`"https://www.example.com" } }]`},
	}[kindName]
}

// TestConstraints breaks everything that the reference says is demanded, one by one.
func TestConstraints(t *testing.T) {
	for _, k := range schema.Kinds() {
		if diags := loadOne(t, k, ""); len(diags) > 0 {
			t.Errorf("%s without anything wrong: %v", k.Name, diags)
		}
		for _, l := range k.Constraints {
			if l.Counterexample == "" {
				continue
			}
			t.Run(fmt.Sprintf("%s %s %s", k.Name, l.Attr, l.Rule), func(t *testing.T) {
				diags := loadOne(t, k, l.Counterexample)
				if len(diags) == 0 || l.Warns == diags.HasErrors() {
					t.Errorf("%s\n%v", l.Counterexample, diags)
				}
				for _, d := range diags {
					// the example itself is wrong
					if d.Expression != nil || strings.Contains(d.Summary, "Unsupported") ||
						strings.Contains(d.Summary, "Missing required") {
						t.Error(d)
					}
				}
			})
		}
	}
}

// TestChecksAreDocumented holds of every attribute with a check: the reference
// says what is demanded of it, or of what it is a member of.
func TestChecksAreDocumented(t *testing.T) {
	for _, k := range schema.Kinds() {
		var walk func(attrs []kind.Attr, path string)
		walk = func(attrs []kind.Attr, path string) {
			for i := range attrs {
				at := path + attrs[i].Name
				documented := false
				for _, l := range k.Constraints {
					documented = documented || l.Attr == at || strings.HasPrefix(l.Attr, at+".")
				}
				if attrs[i].Check != nil && !documented {
					t.Errorf("%s: nothing says what is demanded of %s", k.Name, at)
				}
				walk(attrs[i].Object, at+".")
			}
		}
		walk(k.Attrs, "")
	}
}

// loadOne loads one resource with the given arguments and what else it needs.
func loadOne(t *testing.T, k *kind.Kind, args string) hcl.Diagnostics {
	t.Helper()
	f, diags := hclsyntax.ParseConfig([]byte(args), "", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	given := f.Body.(*hclsyntax.Body).Attributes
	text := args + "\n"
	for name, value := range required(k.Name) {
		instead := name == "access" && given["capabilities"] != nil
		if given[name] == nil && !instead {
			text += name + " = " + value + "\n"
		}
	}
	dir := write(t, map[string]string{"main.b2.hcl": k.Name + " \"x\" {\n" + text + "}\n"})
	_, diags = schema.Load(options(dir))
	return diags
}
