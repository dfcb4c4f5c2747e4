package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema"
	"b2form/schema/config"
	"b2form/schema/parse"
)

const cubic = "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a]]]"

// lists is a text of levels, each of which holds the one before it ten times.
func lists(level string) string {
	var b strings.Builder
	for i := range 12 {
		fmt.Fprintf(&b, level+"\n", i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("local.a%d, ", i), 10), ", "))
	}
	return b.String()
}

func nested(begin, next, end string) string {
	return begin + strings.Repeat(next, 40) + "1" + strings.Repeat(end, 41)
}

// What takes too much to evaluate ends as an error at the expression, wherever it
// stands.
func TestEvaluationIsBounded(t *testing.T) {
	yaml := "a0: &a0 [x]\n"
	for i := range 12 {
		yaml += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	out := func(e string) string { return `output "a" { value = ` + e + " }" }
	for name, src := range map[string]string{
		"loops":          out(cubic),
		"tried":          out("try(" + cubic + `, "x")`),
		"conditions":     out("[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a if false]]]"),
		"keys":           out("{for a in range(1000) : a => [for b in range(1000) : {for c in range(1000) : c => c}]}"),
		"template loops": out(`"%{for a in range(1000)}%{for b in range(1000)}%{for c in range(1000)}xx%{endfor}%{endfor}%{endfor}"`),
		"lists of lists": "locals {\n  a0 = [1]\n" + lists("  a%d = [%s]") + "}\n",
		"texts doubled":  out(nested("[for a in [\"xxxx\"] : ", "[for a in [\"${a}${a}\"] : ", "]")),
		"lists doubled":  out(strings.Replace(nested("[for a in [[1, 2]] : ", "[for a in [[a, a]] : ", "]"), " 1]", " a]", 1)),
		"setproduct":     out("setproduct(range(1000), range(1000), range(1000))"),
		"range":          out("range(1000000000)"),
		"indent":         out(`indent(2000000000, "a\nb")`),
		"indent no line": out(`indent(2000000000, "a")`),
		"format":         out(`format("%2000000000s", "a")`),
		"format 2":       out(`format("%-+ #2000000000s", "a")`),
		"format 3":       out(`format("%.2000000000f", 1)`),
		"distinct":       out("distinct([for i in range(300) : [" + strings.Repeat("i, ", 19) + "i]])"),
		"formatlist":     out(`formatlist("%2000000s", range(1000))`),
		"long elements":  out(`formatlist(join("", [for i in range(1000): "%[1]s%[1]s%[1]s"]), [format("%1000000s", "x")])`),
		"format a list":  out(`format(join("", [for i in range(1000): "%[1]v%[1]v%[1]v"]), flatten([for i in range(20): range(1000)]))`),
		"join":           out(`join(format("%1000000s", ""), range(1000))`),
		"replace":        out(`replace(format("%100000s", ""), " ", format("%100000s", ""))`),
		"regexall":       out(`regexall("((a{0,10}){0,10}){0,10}", format("%100000s", ""))`),
		"yaml":           out(`yamldecode(file("aliases.yaml"))`),
		"a template":     out(`templatefile("loops.tpl", {})`),
		"count":          "bucket \"a\" {\n  count = 1000000\n  name  = \"acme-${count.index}\"\n}\n",
		"a delivery": "key \"a\" {\n  name   = \"a\"\n  access = \"read_only\"\n  deliver \"file\" {\n    path    = \"a.env\"\n" +
			"    content = jsonencode(" + cubic + ")\n  }\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			o := options(write(t, map[string]string{"main.b2.hcl": src, "aliases.yaml": yaml,
				"loops.tpl": "%{for a in range(1000)}%{for b in range(1000)}%{for c in range(1000)}xx%{endfor}%{endfor}%{endfor}"}))
			o.MaxEvaluationSteps = 200_000
			_, diags := schema.Load(o)
			if len(diags) == 0 || diags[0].Summary != "Evaluation too large" || diags[0].Subject.Filename == "" ||
				!strings.Contains(diags[0].Detail, "B2FORM_MAX_EVALUATION") {
				t.Error(diags)
			}
		})
	}
}

// What a hundred thousand keys that refer to a thousand buckets take is below the default,
// told by a fiftieth of them.
func TestLargeConfigurationsAreWithinTheBound(t *testing.T) {
	o := options(write(t, map[string]string{"main.b2.hcl": `locals {
  buckets = [for i in range(20) : format("acme-data-%04d", i)]
  keys    = merge([for t in range(2) : { for i in range(1000 * t, 1000 * t + 1000) : format("app-%06d", i) => local.buckets[i % 20] }]...)
}
bucket "data" {
  for_each        = toset(local.buckets)
  name            = each.key
  info            = { team = "web" }
  lifecycle_rules = keep_only_last_version()
}
key "app" {
  for_each = local.keys
  name     = each.key
  access   = "read_write"
  buckets  = [bucket.data[each.value]]
  deliver "file" {
    path = "${each.key}.env"
  }
}
`}))
	o.MaxEvaluationSteps = parse.DefaultSteps / 50 * 3 / 4
	if _, diags := schema.Load(o); diags.HasErrors() {
		t.Error(diags)
	}
	o.MaxEvaluationSteps = parse.DefaultSteps / 50 / 2
	config, diags := schema.Load(o)
	if len(diags) != 1 || diags[0].Summary != "Evaluation too large" || len(config.Resources) == 0 {
		t.Error(diags)
	}
}

// Texts are made distinct in linear time, so that twenty thousand of them are within the bound,
// told by eight thousand.
func TestDistinctTextsAreWithinTheBound(t *testing.T) {
	o := options(write(t, map[string]string{"main.b2.hcl": `locals {
  n = distinct(flatten([for t in range(8) : [for i in range(1000) : "a-${t}-${i % 900}"]]))
}
output "a" { value = length(local.n) }
`}))
	o.MaxEvaluationSteps = parse.DefaultSteps * 8 / 20
	c, diags := schema.Load(o)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if v, diags := c.Eval("length(local.n)", "<console>", nil); diags.HasErrors() || !v.RawEquals(cty.NumberIntVal(7_200)) {
		t.Error(v, diags)
	}
}

// Values in JSON, defaults and modules count too, and alternatives of a pattern.
func TestEvaluationIsBoundedElsewhere(t *testing.T) {
	for name, src := range map[string]string{
		"main.b2.hcl.json": `{"output": {"a": {"value": "${` + cubic + `}"}}}`,
		"values.b2.hcl": `variable "v" { default = [for a in ` + "[" + strings.Repeat("1, ", 3000) + "] : [for b in [" +
			strings.Repeat("1, ", 3000) + "] : 1]] }",
	} {
		o := options(write(t, map[string]string{name: src}))
		o.MaxEvaluationSteps = 200_000
		if _, diags := schema.Load(o); len(diags) == 0 || diags[0].Summary != "Evaluation too large" {
			t.Errorf("%s: %v", name, diags)
		}
	}
	o := options(write(t, map[string]string{
		"main.b2.hcl": "check \"c\" {\n  assert {\n    condition     = length(" + cubic + ") > 0\n    error_message = \"x\"\n  }\n}\n"}))
	o.MaxEvaluationSteps = 200_000
	checked, diags := schema.Load(o)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if diags, _ := checked.Checks[0].Evaluate(nil); len(diags) != 1 || !strings.Contains(diags[0].Detail, "B2FORM_MAX_EVALUATION") {
		t.Error("a check:", diags)
	}
	for _, pattern := range []string{strings.Repeat("{a,b}", 40), strings.Repeat("**/", 40) + "x"} {
		_, diags := schema.Load(
			options(write(t, map[string]string{"main.b2.hcl": `output "a" { value = fileset(".", "` + pattern + `") }`})))
		if len(diags) != 1 || !strings.Contains(diags[0].Detail, "the pattern stands for more than") {
			t.Errorf("%s: %v", pattern, diags)
		}
	}
	for _, call := range []string{"jsondecode", "yamldecode"} {
		o := options(write(t, map[string]string{"main.b2.hcl": `output "a" { value = ` + call + `(file("deep")) }`,
			"deep": strings.Repeat("[", 1_000_000)}))
		if _, diags := schema.Load(o); len(diags) != 1 || !strings.Contains(diags[0].Detail, "inside of more than 250 others") {
			t.Errorf("%s: %v", call, diags)
		}
	}
}

// Later evaluations have steps of their own, also after one that had too few.
func TestLaterEvaluationsAreBoundedByThemselves(t *testing.T) {
	o := options(write(t, map[string]string{"main.b2.hcl": `output "a" { value = [for a in range(1000) : a] }`}))
	o.MaxEvaluationSteps = 40_000
	c, diags := schema.Load(o)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for range 20 {
		if v := output(t, c, "a"); v.LengthInt() != 1000 {
			t.Fatal(v)
		}
	}
	for range 2 {
		if _, diags := c.Eval(cubic, "<console>", nil); len(diags) != 1 || diags[0].Summary != "Evaluation too large" {
			t.Error(diags)
		}
		if v, diags := c.Eval("1 + 1", "<console>", nil); diags.HasErrors() {
			t.Error(v, diags)
		}
	}
}

// What earlier evaluations left makes room for none that is too large, be it one call or many.
func TestUnusedStepsAreNotSaved(t *testing.T) {
	const product = "length(setproduct(range(1000), range(1000), range(1000), range(1000))) == 0"
	policies := ""
	for i := range 20 {
		policies += fmt.Sprintf("policy \"p%d\" {\n  kinds = [\"bucket\"]\n  require = true\n  message = \"x\"\n}\n", i)
	}
	for _, too := range []string{product, "length([for a in range(100) : [for b in range(60) : b]]) == 0"} {
		o := options(write(t, map[string]string{"main.b2.hcl": "bucket \"a\" {\n  name = \"acme-a\"\n}\n" +
			policies + "policy \"z\" {\n  kinds = [\"bucket\"]\n  require = " + too + "\n  message = \"x\"\n}\n"}))
		o.MaxEvaluationSteps = 100_000
		c, diags := schema.Load(o)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		subjects := []config.PolicySubject{{Addr: c.Resources[0].Addr, Kind: c.Resources[0].Kind, Resource: c.Resources[0]}}
		if diags := c.Judge(subjects, nil); len(diags) != 1 || diags[0].Summary != "Evaluation too large" {
			t.Errorf("a policy with %s: %v", too, diags)
		}
		for range 20 {
			if _, diags := c.Eval("1 + 1", "<console>", nil); diags.HasErrors() {
				t.Error(diags)
			}
		}
		if _, diags := c.Eval(too, "<console>", nil); len(diags) != 1 || diags[0].Summary != "Evaluation too large" {
			t.Errorf("%s: %v", too, diags)
		}
	}
}

// A number with more digits than anybody writes is refused before it is written, or
// handed to an operator that is not made for it, wherever it comes from.
func TestLargeNumbersAreRefused(t *testing.T) {
	for _, e := range []string{
		"1e99999999", "-1e999999999", "1e-99999999", strings.Repeat("7", 1001), "0." + strings.Repeat("7", 1001), `"${1e99999999}x"`,
		"{1e99999999 = 1}", "{(1e99999999) = 1}", "{a = 1}[1e99999999]", "local.m[1e99999999]", "1e999999999 % 3",
		`"1e999999999" % 3`, "local.text % 3", "local.text * local.text", `{a = 1}[tonumber("1e99999999")]`, `tonumber("1e99999999")`,
		`floor("1e999999999")`, "pow(10, 300) * pow(10, 300) * pow(10, 300) * pow(10, 300) * 1",
		`jsondecode("1e99999999")`,
		`yamldecode("1e9999999")`, `"${jsondecode("{\"a\": 1e99999999}").a}x"`, `try(tonumber("1e99999999"), 1)`,
		`{for k in ["1e99999999"] : k * 1 => 1}`, "var.n", `"${var.n}"`,
	} {
		c, diags := schema.Load(options(write(t, map[string]string{"main.b2.hcl": "variable \"n\" {\n  type    = number\n  default = \"" +
			map[bool]string{true: "1e99999999", false: "1"}[strings.Contains(e, "var.n")] + "\"\n}\nlocals {\n  m    = { a = 1 }\n" +
			"  text = \"1e999999999\"\n}\noutput \"a\" { value = " + e + " }\n"})))
		if c == nil || len(diags) != 1 || !strings.Contains(diags[0].Detail, "more than 1000 digits") {
			t.Errorf("%s: %v", e, diags)
		}
	}
	for _, e := range []string{"1 / 0", "0 / 0", "-1 % 0", "1 / (local.zero * 2)", "\"${7 % -0}\"", "[for n in [1, 0] : 2 / n]"} {
		_, diags := schema.Load(options(write(t, map[string]string{"main.b2.hcl": "locals {\n  zero = 0\n}\noutput \"a\" { value = " + e +
			" }\n"})))
		if len(diags) != 1 || !strings.Contains(diags[0].Detail, "division by zero") {
			t.Errorf("%s: %v", e, diags)
		}
	}
	o := options(
		write(t, map[string]string{"main.b2.hcl.json": `{"output": {"a": {"value": {"b": 1e99999999}, "description": 1e99999999}}}`}))
	if _, diags := schema.Load(o); !diags.HasErrors() || !strings.Contains(diags[0].Detail, "more than 1000 digits") {
		t.Error("in JSON:", diags)
	}
	for _, e := range []string{"1e999", strings.Repeat("7", 1000), "{ a-1e5000 = 1 }", "\"1e99999999\"", "7 % 4", `"7" % 4`,
		"1.5e10 /* 1e9999 */"} {
		o := options(write(t, map[string]string{"main.b2.hcl": "output \"a\" { value = " + e + " }\n"}))
		if _, diags := schema.Load(o); len(diags) > 0 {
			t.Errorf("%s: %v", e, diags)
		}
	}
}

// Null is no condition: && and || refuse it, as Terraform does, but for one behind a value that decides alone.
func TestNullIsNoCondition(t *testing.T) {
	const variable = "variable \"n\" {\n  type    = bool\n  default = null\n}\n"
	for expression, fails := range map[string]bool{
		"true && null": true, "null && true": true, "var.n && true": true, "null && false": true, "null || true": true,
		"false || var.n": true, "!(var.n && 5 > 3)": true,
		"false && null": false, "true || null": false, "var.n != null && var.n": false, "var.n == null || var.n": false,
	} {
		_, diags := schema.Load(options(write(t, map[string]string{"main.b2.hcl": variable + "output \"a\" {\n  value = " + expression +
			"\n}\n"})))
		if diags.HasErrors() != fails || fails && !strings.Contains(diags[0].Detail, "null") {
			t.Errorf("%s: %v", expression, diags)
		}
	}
}
