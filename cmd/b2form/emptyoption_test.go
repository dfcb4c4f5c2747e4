package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"
)

// TestEmptyOptionIsRefused gives each option of each command an empty value, as a variable of the shell does that
// is not set: the error names the option, and nothing is done.
func TestEmptyOptionIsRefused(t *testing.T) {
	b := newBench(t, "")
	root := (&program{system: b.system}).rootCommand()
	refused := func(name string, args ...string) {
		b.err.buf.Reset()
		if code := b.run(args...); code != 1 || !strings.Contains(b.err.String(), "option -"+name+": it is empty") {
			t.Errorf("b2form %q: exit code %d\n%s", args, code, b.err)
		}
	}
	tried := 0
	var walk func(c *cli.Command, path ...string)
	walk = func(c *cli.Command, path ...string) {
		for _, f := range c.Flags {
			for _, name := range f.Names() {
				refused(name, append(slices.Clip(path), "-"+name+"=")...)
				if !isBoolFlag(f) {
					refused(name, append(slices.Clip(path), "--"+name, "")...)
				}
				tried++
			}
		}
		for _, sub := range c.Commands {
			walk(sub, append(slices.Clip(path), sub.Name)...)
		}
	}
	walk(root)
	if tried < 200 {
		t.Errorf("only %d options were tried", tried)
	}
}
