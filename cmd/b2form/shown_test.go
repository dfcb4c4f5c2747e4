package main

import (
	"os"
	"strings"
	"testing"
)

// A watchedOutput calls something before a text is written.
type watchedOutput struct {
	*screen
	text   string
	before func()
}

func (w watchedOutput) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.text) {
		w.before()
	}
	return w.screen.Write(p)
}

const keyToShow = `
key "app" {
  name   = "app"
  access = "read_only"
}
`

// A secret that is only shown is shown before the state calls it delivered: whoever ends the run
// earlier gets another key from the next one.
func TestSecretIsShownBeforeItIsRecorded(t *testing.T) {
	b := newBench(t, keyToShow)
	shown := 0
	b.stdout = watchedOutput{b.out, `application_key    = "K00`, func() {
		shown++
		for _, name := range []string{"b2form.state.json", "b2form.state.json.journal"} {
			if text, _ := os.ReadFile(name); strings.Contains(string(text), `"delivered"`) {
				t.Errorf("%s says so already:\n%s", name, text)
			}
		}
	}}
	if code := b.run("apply", "-auto-approve", "-show-secrets"); code != 0 || shown != 1 {
		t.Errorf("exit code %d, shown %d times:\n%s%s", code, shown, b.out, b.err)
	}
	text, err := os.ReadFile("b2form.state.json")
	if err != nil || !strings.Contains(string(text), `"delivered":true`) {
		t.Errorf("%v, and in the state:\n%s", err, text)
	}
}

// Where the secret of a new key cannot be printed there is no new key, and the error says why. What
// another destination has got stays.
func TestSecretThatCannotBePrinted(t *testing.T) {
	const why = "standard output was closed by the program that reads it"
	for name, c := range map[string]struct {
		deliver string
		code    int
	}{
		"shown":             {"", 1},
		"delivered":         {`deliver "stdout" {}`, 1},
		"delivered to file": {`deliver "file" { path = "app.env" }`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, strings.Replace(keyToShow, "\n}", "\n  "+c.deliver+"\n}", 1))
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer writer.Close()
			reader.Close()
			b.stdout = writer
			code := b.run("apply", "-auto-approve", "-show-secrets")
			if said := strings.Contains(b.err.String(), why); code != c.code || said != (c.code != 0) {
				t.Errorf("exit code %d:\n%s", code, b.err)
			}
			if made := b.liveKeys(t); (made["app"] != "") != (c.code == 0) {
				t.Errorf("live keys: %v", made)
			}
			b.stdout = b.out
			if code := b.run("apply", "-auto-approve", "-show-secrets"); code != 0 || b.liveKeys(t)["app"] == "" {
				t.Errorf("the next run ends with %d:\n%s", code, b.err)
			}
		})
	}
}
