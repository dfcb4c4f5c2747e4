package schema_test

import (
	"bytes"
	"strings"
	"testing"

	"b2form/schema"
)

// What a file may be quoted as has the size of the file, and none of the values
// that are sensitive: these all begin with hush. Others, beginning with seen, stay.
func TestWithoutSecrets(t *testing.T) {
	const quoted = "\"hush\\\"\\n${var.seen}hush2\""
	for name, src := range map[string]string{
		"attribute": `notification_rules "x" { rules { target_configuration { hmac_sha256_signing_secret = ` + quoted +
			`, url = "seen" }}}`,
		"object": "locals {\n target = {\n  hmac_sha256_signing_secret = \"hush\"\n  seen = \"seen\"\n }\n}",
		"header": "notification_rules \"x\" {\n rules {\n target_configuration {\n  custom_headers { # \"\n name = \"seen\"\n " +
			"value = \"hush\"\n}\n}\n}\n}",
		"dynamic": "notification_rules \"x\" {\n dynamic \"rules\" {\n for_each = [\"seen\"]\n content {\n target_configuration " +
			"{\n custom_headers = [{ name = \"seen\", value = \"hush\" }]\n}\n}\n}\n}",
		"heredoc": "file \"seen\" {\n  content = <<-EOT\n    hush\n    hush ${var.seen}\n  EOT\n  name = \"seen\"\n}",
		"default": "variable \"seen\" {\n  default = { hush = [\"hush\", 1, hush] }\n  sensitive = true\n}\nvariable \"b\" { " +
			"default = \"seen\" }",
		"not sensitive": "variable \"seen\" {\n  default = \"seen\"\n  sensitive = false\n}\noutput \"o\" { value = \"seen\" }",
		"output":        "output \"o\" {\n  value = [\"hush\",\n \"hush\", bucket.seen]\n  sensitive = true\n}",
		"call":          "locals {\n  a = [\"seen\", sensitive(\n \"hush\"), \"seen\"]\n}",
		"backend":       "b2form {\n account_id = \"seen\"\n backend \"http\" { # seen\n  address = \"seen\"\n  pin = \"hush\"\n }\n}",
		"descriptions": "variable \"seen\" { # hush\n  description = \"seen\"\n  type = seen\n  sensitive = true\n  validation {\n" +
			"  condition = var.seen != \"hush\"\n  error_message = \"seen\"\n}\n}",
		"like secrets": "key \"seen_token\" {\n name = \"seen\"\n}\nfile \"seen\" {\n count = \"seen\"\n contents = \"hush\"\n}\n" +
			"locals {\n key_id = \"seen\"\n application_key_id = \"seen\"\n APIKey = \"hush\"\n region = \"seen\" # token: hush\n}",
		"names of headers": "x {\n custom_headers {\n name = \"seen\" # hush\n}\n custom_headers {\n name = \"hush: hush\"\n}\n}",
		"JSON of names":    `{"key": {"token": {"name": "seen"}}, "locals": {"token": "hush", "x": {"password": ["hush"], "seen": 1}}}`,
		"JSON": "{\"variable\": {\"seen\": {\"default\"\n:\n \"hush\\u0022hush\", \"sensitive\": true}},\n \"output\": " +
			"[{\"b\": {\"value\": \"seen\"}}]}",
		"JSON of kinds": `{"notification_rules": [{"x": {"rules": {"target_configuration": {"hmac_sha256_signing_secret": "hush", ` +
			`"url": "seen"}}}}]}`,
	} {
		got := schema.WithoutSecrets([]byte(src), schema.Kinds(), true)
		if len(got) != len(src) || bytes.Count(got, []byte("\n")) != strings.Count(src, "\n") {
			t.Errorf("%s: not of one size: %s", name, got)
		}
		if bytes.Contains(got, []byte("hush")) || bytes.Count(got, []byte("seen")) != strings.Count(src, "seen") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// In a file that does not parse, more is hidden than would have to be.
func TestWithoutSecretsInBrokenFiles(t *testing.T) {
	for name, src := range map[string]string{
		"quote missing":  "bucket \"seen\" {\n name = \"seen\n}\nvariable \"s\" {\n  sensitive = true\n  default = \"hush\"\n}\n",
		"no end":         "notification_rules \"seen\" {\n hmac_sha256_signing_secret = \"hush\n",
		"header":         "seen = \"\n value = \"hush\"\n",
		"bracket":        "locals {\n a = [ \"seen\", {\n}\nfile \"seen\" {\n content = \"hush\"\n",
		"JSON":           "{\"variable\": {\"seen\": {\"default\": \"hush\", \"sensitive\": true}}",
		"JSON and quote": "{\"seen: 1,\n\"hmac_sha256_signing_secret\": \"hush\"\n}",
	} {
		got := schema.WithoutSecrets([]byte(src), schema.Kinds(), false)
		if len(got) != len(src) || bytes.Contains(got, []byte("hush")) || !bytes.Contains(got, []byte("seen")) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// What fails because of a value that sensitive() was called with does not repeat it.
func TestMessagesOfSensitiveCalls(t *testing.T) {
	for _, e := range []string{
		`tonumber(sensitive("hush"))`, `sensitive("hush") + 1`, `[for s in [sensitive("hush")] : tonumber(s)]`,
		`"${tonumber(sensitive("hush"))}x"`,
		`{ a = 1 }[sensitive("hush")]`, `parseint(sensitive("hush"), 10)`, `jsondecode(sensitive("hush"))`, `file(sensitive("hush"))`,
		`sensitive("hush") ? 1 : 2`, `regex("x", sensitive("hush"))`,
	} {
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace("${" + e + "}")
		for name, src := range map[string]string{
			"main.b2.hcl":      "locals {\n  a = " + e + "\n}\n",
			"main.b2.hcl.json": `{"locals": {"a": "` + quoted + `"}}`,
		} {
			_, diags := schema.Load(options(write(t, map[string]string{name: src})))
			if !diags.HasErrors() || strings.Contains(diags.Error(), "hush") {
				t.Errorf("%s in %s: %v", e, name, diags)
			}
		}
	}
}
