package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

const deliveredOutput = `
key "app" {
  name         = "app"
  capabilities = ["listFiles"]
  deliver "file" {
    path    = "app.key"
    content = self.application_key
  }
}

output "key" { value = key.app.application_key }
output "url" { value = "b2://${key.app.application_key_id}:${key.app.application_key}@host" }
`

// A terminal is no reason to show what went to a file.
func TestOutputOfDeliveredSecret(t *testing.T) {
	b := newBench(t, deliveredOutput)
	b.stdoutTerminal = true
	wants := func(line string) {
		t.Helper()
		if !regexp.MustCompile("(?m)^" + line + "$").MatchString(b.out.String()) {
			t.Errorf("no line %s in:\n%s", line, b.out)
		}
	}
	secret := func() string {
		t.Helper()
		content, err := os.ReadFile("app.key")
		if err != nil || len(content) < 20 {
			t.Fatalf("%v: %q", err, content)
		}
		return string(content)
	}
	if code := b.run("apply", "-auto-approve"); code != 0 {
		t.Fatal(b.err)
	}
	<-b.ticks
	if strings.Contains(b.out.String()+b.err.String(), secret()) {
		t.Errorf("the secret is shown:\n%s", b.out)
	}
	wants(`key = \(delivered to app\.key; not stored\)`)
	wants(`url = \(delivered to app\.key; not stored\)`)

	if code := b.run("apply", "-auto-approve", "-show-secrets", "-replace=key.app"); code != 0 {
		t.Fatal(b.err)
	}
	wants(`key = "` + regexp.QuoteMeta(secret()) + `"`)
}
