package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// literalCanary is what somebody wrote down who should not have.
const literalCanary = "CANARY0123456789abcdefghijklmnop"

// inTarget is a rule with more in its target_configuration, on line 8.
func inTarget(more string) string {
	return `bucket "a" { name = "acme-literals" }
notification_rules "n" {
  bucket = bucket.a
  rules {
    name        = "rule-one"
    event_types = ["b2:ObjectCreated:*"]
    target_configuration {
      ` + more + `
      url = "https://www.example.com"
    }
  }
}
`
}

// literalMistakes are mistakes with a secret that is written down, by what is wrong.
func literalMistakes() map[string]string {
	all := map[string]string{
		"password of a backend":   "b2form {\n  backend \"http\" {\n    address = \"https://x.example\"\n    password = \"@\"\n  }\n}",
		"password of a database":  "b2form {\n  backend \"postgres\" {\n    name = \"x\"\n    password = \"@\"\n  }\n}",
		"argument of no backend":  "b2form {\n  backend \"b2\" {\n    bucket = \"x\"\n    pass_phrase = \"@\"\n    k = \"@\"\n  }\n}",
		"key in one line":         "b2form {\n  backend \"b2\" { application_key = \"@\" }\n}",
		"key of b2form":           "b2form {\n  application_key = \"@\"\n}",
		"provider in one line":    `provider "b2" { application_key = "@" }`,
		"provider without quotes": "provider \"b2\" {\n  application_key = @\n}",
		"provider of another":     `provider "x" { what = '@' }`,
		"customer key":            "bucket \"a\" {\n  name = \"acme-a\"\n  default_server_side_encryption { customer_key = \"@\" }\n}",
		"resource of Terraform":   `resource "b2_bucket_notification_rules" "n" { hmac_sha256_signing_secret = "@" }`,
		"call of a module":        "module \"m\" {\n  source = \"./m\"\n  s = tonumber(\"@\")\n}",
		"broken call of a module": "module \"m\" {\n  source = \"./m\"\n  s = \"@\" x = 1\n}",
		"word for a module":       "module \"m\" {\n  source = \"./m\"\n  s = @\n}",
		"text after an open quote": "locals {\n  seen = \"seen\n}\nvariable \"s\" {\n  sensitive = true\n  default = \"@\"\n}\n" +
			inTarget(`hmac_sha256_signing_secret = "@" foo`),
	}
	for name, body := range map[string]string{
		"one line": `sensitive = true default = "@" }`, "commas": `default = "@", sensitive = true }`,
		"typo": "\n sensitive = true\n defualt = \"@\"\n}", "other name": "\n sensitive = true\n value = \"@\"\n}",
		"colon": "\n sensitive = true\n default: \"@\"\n}", "single quotes": "\n sensitive = true\n default = '@'\n}",
		"no quotes": "\n sensitive = true\n default = @\n}", "no equals sign": "\n sensitive = true\n default \"@\"\n}",
		"heredoc": "\n sensitive = true\n defualt = <<-E\n  @\n E\n}", "comment": "\n sensitive = true\n default = nope() # was @\n}",
		"function": "\n sensitive = true\n default = base64decode(\"@!\")\n}",
	} {
		all["variable: "+name] = `variable "s" { ` + body
	}
	for name, body := range map[string]string{
		"one line": `custom_headers { name = "Authorization" value = "Bearer @" }`,
		"map":      `custom_headers = { Authorization = "Bearer @" }`,
		"colons":   `custom_headers = [{name: "A" value: "@"}]`, "typo": `custom_headers = [{ name = "Authorization", valeu = "@" }]`,
		"block with a typo": "custom_headers {\n name = \"Authorization\"\n valeu = \"Bearer @\"\n }", "texts": `custom_headers = ["A: @"]`,
		"name with its value": "custom_headers {\n name = \"A: @\"\n value = var.x\n }",
		"label":               "custom_headers \"@\" {\n name = \"A\"\n }",
		"in the singular":     `custom_header { value = "@" }`, "number": "custom_headers {\n name = \"A\"\n value = tonumber(\"@\")\n }",
		"commas": "custom_headers {\n name = \"Authorization\",\n value = \"Bearer @\" }", "no quotes": "custom_headers {\n value = @\n }",
	} {
		all["header: "+name] = inTarget(body)
	}
	for name, body := range map[string]string{
		"wire name": `hmacSha256SigningSecret = "@"`, "typo": `hmac_sha256_signing_secrt = "@"`, "short": `signing_secret = "@"`,
		"dashes": `hmac-sha256 = "@"`, "single quotes": `hmac_sha256_signing_secret = '@'`, "no quotes": `hmac_sha256_signing_secret = @`,
		"dotted word": `hmac_sha256_signing_secret = @.x`, "comment": `hmac_sha256_signing_secret = 1 # was @`,
		"comment between": "hmac_sha256_signing_secret = var.nope /* @ */", "colon": `hmac_sha256_signing_secret : "@"`,
		"old line": "events = [\n # hmac_sha256_signing_secret = \"@\"\n nope()]", "commas": `hmac_sha256_signing_secret = 'a,@'`,
		"braces": `hmac_sha256_signing_secret = 'a}@'`, "heredoc": "hmac_sha256_signing_secret = <<E\n@ ${nope}\nE",
		"file": `hmac_sha256_signing_secret = file("@")`, "tonumber": `hmac_sha256_signing_secret = tonumber("@")`,
		"parseint": `hmac_sha256_signing_secret = parseint("@", 10)`, "upper": `hmac_sha256_signing_secret = tonumber(upper("@"))`,
		"index":          `hmac_sha256_signing_secret = { a = "@" }["b"]`,
		"unquoted block": "target_config {\n hmac_sha256_signing_secret = \"@\"\n }",
	} {
		all["signing secret: "+name] = inTarget(body)
	}
	return all
}

// TestLiteralSecretsAreNotQuoted looks for secrets that are written down in the messages about them, and for each form whether
// anything is said at all.
func TestLiteralSecretsAreNotQuoted(t *testing.T) {
	b := newBench(t, "")
	if err := os.Mkdir("m", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("m/main.b2.hcl", []byte("variable \"s\" {\n  sensitive = true\n  type = number\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range literalMistakes() {
		writeConfig(t, strings.ReplaceAll(text, "@", literalCanary))
		for _, args := range [][]string{{"validate"}, {"validate", "-json"}, {"plan"}, {"fmt", "-check"}} {
			beforeOut, beforeErr := len(b.out.String()), len(b.err.String())
			code := b.run(args...)
			said := b.out.String()[beforeOut:] + b.err.String()[beforeErr:]
			if strings.Contains(strings.ToUpper(said), strings.ToUpper(literalCanary)) || code == 0 && args[0] != "fmt" {
				t.Errorf("%s, %s: exit code %d\n%s", name, args, code, said)
			}
		}
	}
}

// TestLiteralsOfTestsAreNotQuoted is the same for variables of tests.
func TestLiteralsOfTestsAreNotQuoted(t *testing.T) {
	b := newBench(t, "variable \"s\" {\n  sensitive = true\n  type = number\n}\n")
	for _, body := range []string{`{ s = "@" x = 1 }`, "{\n s = '@'\n}", "{\n s = tonumber(\"@\")\n}", "{\n s = \"@${nope}\"\n}",
		"{\n s = @\n}"} {
		for _, in := range []string{"run \"a\" {\n  variables %s\n}\n", "variables %s\nrun \"a\" {}\n"} {
			text := strings.ReplaceAll(fmt.Sprintf(in, body), "@", literalCanary)
			if err := os.WriteFile("a.b2test.hcl", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if code := b.run("test", "-junit-xml=out.xml"); code == 0 {
				t.Errorf("%s: nothing is wrong", text)
			}
			report, _ := os.ReadFile("out.xml")
			if said := b.out.String() + b.err.String() + string(report); strings.Contains(said, literalCanary) {
				t.Errorf("%s:\n%s", text, said)
			}
		}
	}
}
