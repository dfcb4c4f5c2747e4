package main

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

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
	walk(p.rootCommand())
}

// TestHelpKeepsToTheScreen looks at the help of each command at several widths. Who
// asks for no approval has no exit code for it.
func TestHelpKeepsToTheScreen(t *testing.T) {
	b := newBench(t, "")
	var walk func(c *cli.Command, path ...string)
	walk = func(c *cli.Command, path ...string) {
		for _, width := range []int{0, 40, 60, 80, 140, 200} {
			b.out.buf.Reset()
			b.terminalWidth, b.stdoutTerminal = width, width != 0
			b.run(append([]string{"help"}, path...)...)
			most := min(max(width, 60), 140)
			for line := range strings.SplitSeq(b.out.String(), "\n") {
				if width > 0 && utf8.RuneCountInString(line) > most {
					t.Errorf("help %s, %d columns: %s", strings.Join(path, " "), width, line)
				}
			}
			_, examples, _ := strings.Cut(b.out.String(), "\nExample:\n")
			examples, _, _ = strings.Cut(examples, "\n\n")
			for line := range strings.SplitSeq(examples, "\n") {
				if utf8.RuneCountInString(line) > 60 {
					t.Errorf("the example does not fit the smallest screen: %s", line)
				}
			}
			asks := len(path) == 0 || slices.Contains([]string{"apply", "destroy", "import", "rotate"}, path[0])
			if strings.Contains(b.out.String(), "approval was refused") != asks && width == 0 {
				t.Errorf("help %s speaks of an approval, or does not", strings.Join(path, " "))
			}
		}
		for _, sub := range c.Commands {
			walk(sub, append(slices.Clip(path), sub.Name)...)
		}
	}
	p := &program{system: b.system}
	walk(p.rootCommand())
	walk(&cli.Command{}, "environment")
}
