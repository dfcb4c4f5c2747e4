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

// TestCompletedOptionIsAccepted gives each option of each command the values that completion offers for it.
func TestCompletedOptionIsAccepted(t *testing.T) {
	b := newBench(t, bucketAndKey)
	root := (&program{system: b.system}).rootCommand()
	tried := 0
	var walk func(c *cli.Command, path ...string)
	walk = func(c *cli.Command, path ...string) {
		for _, f := range c.Flags {
			option := "-" + f.Names()[0] + "="
			b.out.buf.Reset()
			b.run(slices.Concat([]string{completeName, "words"}, path, []string{option})...)
			for line := range strings.Lines(b.out.String()) {
				text, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
				if strings.HasSuffix(text, "=") {
					continue // a value follows
				}
				tried++
				if code := b.run(slices.Concat(path, []string{text, "-help"})...); code != 0 {
					t.Errorf("b2form %s %s is offered and refused:\n%s", strings.Join(path, " "), text, b.err)
				}
			}
		}
		for _, sub := range c.Commands {
			walk(sub, append(slices.Clip(path), sub.Name)...)
		}
	}
	walk(root)
	if tried < 100 {
		t.Errorf("only %d values were tried", tried)
	}
}
