package main

import (
	"strings"
	"testing"

	"github.com/urfave/cli/v3"
)

// TestEveryCommandExplainsItself looks at the help of each command, found by
// walking the command line itself.
func TestEveryCommandExplainsItself(t *testing.T) {
	b := newBench(t, "")
	var walk func(c *cli.Command, path ...string)
	walk = func(c *cli.Command, path ...string) {
		b.out.buf.Reset()
		if code := b.run(append([]string{"help"}, path...)...); code != 0 {
			t.Errorf("help %s: exit code %d", strings.Join(path, " "), code)
		}
		b.wants(t, b.out, "Usage: b2form [global options] "+strings.Join(path, " "), "\nExample:\n  ", "\nExit codes:\n  ")
		for _, sub := range c.Commands {
			walk(sub, append(path, sub.Name)...)
		}
	}
	p := &program{system: b.system}
	walk(p.root())
}
