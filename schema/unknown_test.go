package schema_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/schema"
	"b2form/schema/config"
	"b2form/schema/functions"
	"b2form/schema/kind"
)

// TestNullIsNoUnknown calls every function with null in the place of each argument. That
// is an error or a value, for plans and for validate: nothing waits for B2.
func TestNullIsNoUnknown(t *testing.T) {
	for _, unset := range []bool{false, true} {
		c, diags := loadAround(t, "", unset)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, call := range calls(t, "var.nothing") {
			v, diags := c.Eval(call, "", nil)
			for _, d := range diags {
				if strings.Contains(d.Detail, "made by B2") {
					t.Errorf("%s: %v", call, d)
				}
			}
			if !diags.HasErrors() && !v.IsWhollyKnown() {
				t.Errorf("%s is not known, and nothing says why: %#v", call, v)
			}
		}
	}
}

// TestUnknownKeepsItsCause does the same with what B2 makes, with a variable that has no
// value, and with data: what is not known then is no error of the expression, however
// deep in it.
func TestUnknownKeepsItsCause(t *testing.T) {
	forms := []string{"%s", "(%s)", "[%s]", "{ a = %s }", `"x${%s}"`, "[for x in [%s] : x]", "%s == null ? 1 : 2", "!can(%s)",
		"try(%s.a, 1)",
		"[for x in %s : x...]", "%s[*]", "{ for k, v in %s : k => v }", `"%%{ if %s == 1 }a%%{ endif }"`, "%s[0]", "-length(%s)",
		"true && %s == 1"}
	c, diags := loadAround(t, "", true)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, of := range []string{"bucket.b.id", "local.computed", "var.unset", "data.bucket.d.info", "bucket.each[\"a\"].name",
		"module.m.all"} {
		all := calls(t, of)
		for _, f := range forms {
			all = append(all, fmt.Sprintf(f, of))
		}
		for _, call := range all {
			v, diags := c.Eval(call, "", nil)
			for _, d := range diags {
				if d.Summary == "Value cannot be worked out" {
					t.Errorf("%s: %v", call, d)
				}
			}
			if of == "local.computed" && !diags.HasErrors() && !v.IsWhollyKnown() && kind.ComputedMarksIn(v) == nil {
				t.Errorf("%s does not tell what it is made from: %#v", call, v)
			}
		}
	}
}

// TestNullArguments wants one error about the expression wherever one may stand.
func TestNullArguments(t *testing.T) {
	const onNull = "contains([\"on\"], var.nothing)"
	for name, text := range map[string]string{
		"local":    "locals { x = " + onNull + " }",
		"count":    "bucket \"x\" {\n name = \"acme-x\"\n count = " + onNull + " ? 1 : 0\n}",
		"for_each": "bucket \"x\" {\n name = \"acme-x\"\n for_each = " + onNull + " ? {} : { a = 1 }\n}",
		"argument": "bucket \"x\" {\n name = \"acme-x\"\n force_destroy = " + onNull + "\n}",
		"member":   "bucket \"x\" {\n name = \"acme-x\"\n info = { a = " + onNull + " }\n}",
		"nested":   "bucket \"x\" {\n name = \"acme-x\"\n cors_rules {\n max_age_seconds = " + onNull + " ? 1 : 2\n }\n}",
		"dynamic": "bucket \"x\" {\n name = \"acme-x\"\n dynamic \"cors_rules\" {\n for_each = " + onNull +
			" ? [] : [1]\n content { name = \"x\" }\n }\n}",
		"protection":   "bucket \"x\" {\n name = \"acme-x\"\n prevent_destroy = " + onNull + "\n}",
		"precondition": "bucket \"x\" {\n name = \"acme-x\"\n precondition {\n condition = " + onNull + "\n error_message = \"x\"\n }\n}",
		"delivery":     "key \"x\" {\n name = \"x\"\n access = \"read_only\"\n deliver \"file\" {\n path = \"${" + onNull + "}\"\n }\n}",
		"content": "key \"x\" {\n name = \"x\"\n access = \"read_only\"\n deliver \"stdout\" {\n content = \"${" + onNull +
			"}\"\n }\n}",
		"output":     "output \"x\" { value = " + onNull + " }",
		"data":       "data \"bucket\" \"x\" { name = \"${" + onNull + "}\" }",
		"import":     "bucket \"x\" { name = \"acme-x\" }\nimport {\n to = bucket.x\n id = \"${" + onNull + "}\"\n}",
		"settings":   "b2form { account_id = \"${" + onNull + "}\" }",
		"validation": "variable \"x\" {\n default = 1\n validation {\n condition = " + onNull + "\n error_message = \"x\"\n }\n}",
		"input":      "module \"n\" {\n source = \"./m\"\n unset = " + onNull + "\n}",
	} {
		for _, unset := range []bool{false, true} {
			diags := loadText(t, text, unset)
			if len(diags) != 1 || diags[0].Summary != "Invalid function argument" ||
				diags[0].Detail != `Invalid value for "value" parameter: argument must not be null. Here var.nothing is null.` {
				t.Errorf("%s: %v", name, diags)
			}
		}
	}
}

// calls are the examples of all functions, with something else in the place of each
// argument in turn.
func calls(t *testing.T, of string) []string {
	t.Helper()
	var out []string
	for _, d := range functions.Docs() {
		e, diags := hclsyntax.ParseExpression([]byte(d.Example), "", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		call, ok := e.(*hclsyntax.FunctionCallExpr)
		if !ok {
			continue
		}
		for _, a := range call.Args {
			r := a.Range()
			out = append(out, d.Example[:r.Start.Byte]+of+d.Example[r.End.Byte:])
		}
	}
	return out
}

const around = `
variable "nothing" {
  default = null
}
bucket "b" {
  name = "acme-b"
}
bucket "each" {
  for_each = var.unset == null ? {} : { a = 1 }
  name     = "acme-${each.key}"
}
locals {
  computed = bucket.b.id
}
data "bucket" "d" {
  name = "acme-d"
}
module "m" {
  source = "./m"
  unset  = var.unset
}
variable "unset" {}
`

// loadText loads a text beside what it may refer to: without a value for var.unset, as
// validate does, or with one, as plan does before it has asked B2 for anything.
func loadText(t *testing.T, text string, unset bool) hcl.Diagnostics {
	t.Helper()
	_, diags := loadAround(t, text, unset)
	return diags
}

func loadAround(t *testing.T, text string, unset bool) (*config.Config, hcl.Diagnostics) {
	t.Helper()
	dir := write(t, map[string]string{"main.b2.hcl": around, "more.b2.hcl": text, "note.txt": "hello", "name.tpl": "${name}-logs"})
	module := filepath.Join(dir, "m")
	const source = "variable \"unset\" {}\noutput \"all\" {\n  value = [var.unset]\n}\n"
	err := errors.Join(os.Mkdir(module, 0o755), os.WriteFile(filepath.Join(module, "main.b2.hcl"), []byte(source), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	o := options(dir)
	o.AllowUnsetVariables = unset
	if !unset {
		o.Vars = []schema.VariableValue{{Name: "unset", Value: "x"}}
	}
	return schema.Load(o)
}
