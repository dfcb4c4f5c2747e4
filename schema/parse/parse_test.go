package parse_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"b2form/schema/parse"
)

const many = 160_000

// What nests without end is refused at its place, before a parser's stack overflows.
func TestNestedTooDeeply(t *testing.T) {
	for name, one := range map[string]string{
		"parentheses": "(", "lists": "[", "objects": "{a=", "calls": "abs(", "for": "[for x in ", "quotes": `"${`,
		"heredocs": "<<A\n${", "not": "!", "minus": "-", "conditions": "true?1:", "sums": "1+", "indices": "x[y]",
		"splats": "x[*]", "behind comments": "( # )\n", "behind texts": `[")", `, "directives": `"%{if true}`,
	} {
		src := "a = " + strings.Repeat(one, many)
		file, diags := parse.Config([]byte(src), "main.b2.hcl", parse.NewBudget(0))
		if file != nil || len(diags) != 1 || diags[0].Summary != "Nested too deeply" || diags[0].Subject.Start.Byte == 0 {
			t.Errorf("%s: %v", name, diags)
		}
		if _, diags := parse.Expression([]byte(src[4:]), "", hcl.InitialPos, nil); len(diags) != 1 {
			t.Errorf("%s, an expression: %v", name, diags)
		}
	}
	for name, src := range map[string]string{"blocks": "a {", "loops": "%{for x in y}", "conditions": "%{if x}"} {
		text := []byte(strings.Repeat(src, many))
		_, code := parse.Config(text, "", nil)
		_, template := parse.Template(text, "", hcl.InitialPos, nil)
		if d := append(code, template...); len(d) == 0 || d[len(d)-1].Summary != "Nested too deeply" {
			t.Errorf("%s: %v", name, d)
		}
	}
	for name, src := range map[string]string{
		"lists": strings.Repeat("[", many), "objects": strings.Repeat(`{"a":`, many),
		"a template":     `{"a": "${` + strings.Repeat("(", many) + `}"}`,
		"an escaped one": `{"a": "\u0024{` + strings.Repeat("(", many) + `}"}`,
		"closed wrongly": strings.Repeat("[}", many),
	} {
		if _, diags := parse.JSON([]byte(src), "main.b2.hcl.json"); len(diags) != 1 || diags[0].Summary != "Nested too deeply" {
			t.Errorf("JSON, %s: %v", name, diags)
		}
	}
}

// What people write is not refused, however long it is.
func TestNestedEnough(t *testing.T) {
	for name, src := range map[string]string{
		"brackets":    "a = " + strings.Repeat("(", 200) + "1" + strings.Repeat(")", 200),
		"a long list": "a = [" + strings.Repeat(`[-1, "x)", { a = b[0] }], `, many/100) + "]",
		"a long sum":  "a = 1" + strings.Repeat(" + 1", 2000),
		"texts":       "a = \"" + strings.Repeat("(((", 400) + "\"",
		"a heredoc":   "a = <<EOT\n" + strings.Repeat("{{{ \" %% $${ %%{\n", many/400) + "EOT\n",
		"comments":    strings.Repeat("# ((((\n// [[[[\n/* {{{{ */\n", many/400),
		"directives":  "a = \"" + strings.Repeat("%{ if true }x%{ else }y%{~ endif ~}", 300) + "\"",
		"blocks":      strings.Repeat("a \"b\" {\n  c = d == 1 || !e ? [1] : [2]\n}\n", 300),
	} {
		t.Run(name, func(t *testing.T) {
			if _, diags := parse.Config([]byte(src), "", parse.NewBudget(0)); diags.HasErrors() {
				t.Error(diags)
			}
		})
	}
}

// FuzzNesting parses any text without overflowing the stack, and refuses none that is
// short.
func FuzzNesting(f *testing.F) {
	for _, seed := range []string{"a = [1]", `a = "$${x}%%{y}${"z"}"`, "a = <<E\n${<<F\nx\nF\n}\nE\n", "a = /* ( */ b # )",
		"a = \"%{if x}%{endif}\""} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, src string, times int) {
		long := strings.Repeat(src, max(0, min(times, 400_000/(len(src)+1))))
		file, diags := parse.Config([]byte(long), "", parse.NewBudget(0))
		if file == nil && len(diags) != 1 {
			t.Error(diags)
		}
		if len(src) < 200 {
			if _, diags := parse.Config([]byte(src), "", nil); len(diags) == 1 && diags[0].Summary == "Nested too deeply" {
				t.Error(diags)
			}
		}
	})
}
