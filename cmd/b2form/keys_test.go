package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestKeysOnNarrowScreen looks at keys of modules, whose names and addresses begin alike and are long.
func TestKeysOnNarrowScreen(t *testing.T) {
	b := newBench(t, `
module "app" {
  for_each = toset(["photos", "videos"])
  source   = "./app"
  name     = each.key
}
`)
	if err := os.Mkdir("app", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("app/main.b2.hcl", []byte(`
variable "name" { type = string }
key "reader" {
  name    = "acme-production-reader-${var.name}"
  access  = "read_only"
  buckets = [bucket.app]
  deliver "file" { path = "../${var.name}.env" }
}
bucket "app" { name = "acme-production-${var.name}" }
`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := b.run("apply", "-auto-approve"); code != 0 {
		t.Fatal(b.err)
	}
	rows := func(width int) string {
		b.out.buf.Reset()
		b.terminalWidth, b.stdoutTerminal, b.env["NO_COLOR"] = width, true, "1"
		if code := b.run("keys"); code != 0 {
			t.Fatal(b.err)
		}
		for line := range strings.Lines(b.out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns of %d: %s", n, width, line)
			}
		}
		return b.out.String()
	}
	for _, name := range []string{"photos", "videos"} {
		key, owner := "acme-production-reader-"+name, fmt.Sprintf("module.app[%q].key.reader", name)
		if text := rows(80); !strings.Contains(text, key+"  "+owner+"\n") || !strings.Contains(text, "acme-production-"+name+" ") {
			t.Errorf("no line has the whole of %s and %s:\n%s", key, owner, text)
		}
		if text := rows(60); !strings.Contains(text, "reader-"+name+"  ") {
			t.Errorf("the end of %s is cut:\n%s", key, text)
		}
		if text := rows(200); !strings.Contains(text, key+"  "+owner+"  ") {
			t.Errorf("there is room for a line of %s:\n%s", key, text)
		}
	}
}
