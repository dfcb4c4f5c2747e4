package main

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v3"
)

const exitCodes = `Exit codes:
  0  success, or nothing to do
  1  an error, or the approval was refused`

func (p *program) helpCommand() *cli.Command {
	return p.command(&cli.Command{
		Name: "help", Usage: "Show help for a command", ArgsUsage: "[COMMAND]",
		Description: "Example:\n  b2form help plan\n\n" + exitCodes,
		Action: func(_ context.Context, c *cli.Command) error {
			at := c.Root()
			for _, name := range c.Args().Slice() {
				next := at.Command(name)
				if next == nil {
					return unknownCommand(at, name)
				}
				at = next
			}
			p.help(at)
			return nil
		},
	})
}

// help prints the page of a command. Options are written with one dash; two
// work as well.
func (p *program) help(c *cli.Command) {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s", strings.Replace(c.FullName(), "b2form", "b2form [global options]", 1))
	if len(c.VisibleFlags()) > 0 && c != c.Root() {
		b.WriteString(" [options]")
	}
	if c.ArgsUsage != "" {
		b.WriteString(" " + c.ArgsUsage)
	}
	fmt.Fprintf(&b, "\n\n%s.\n\n%s\n", c.Usage, c.Description)
	section(&b, "Commands", commandRows(c))
	if c != c.Root() {
		section(&b, "Options", flagRows(c.VisibleFlags()))
	}
	global := c.Root().VisiblePersistentFlags()
	if c == c.Root() {
		global = c.VisibleFlags()
	}
	section(&b, "Global options", flagRows(global))
	fmt.Fprint(p.stdout, b.String())
}

type row struct{ left, right string }

func commandRows(c *cli.Command) []row {
	var rows []row
	for _, sub := range c.VisibleCommands() {
		rows = append(rows, row{sub.Name, sub.Usage})
	}
	return rows
}

// flagRows takes the value's placeholder from the backquoted word of a flag's
// usage, as the standard library's flag package does.
func flagRows(flags []cli.Flag) []row {
	var rows []row
	for _, f := range flags {
		usage := f.(cli.DocGenerationFlag).GetUsage()
		left := "-" + f.Names()[0]
		if before, rest, ok := strings.Cut(usage, "`"); ok {
			value, after, _ := strings.Cut(rest, "`")
			left += "=" + value
			usage = before + value + after
		}
		rows = append(rows, row{left, usage})
	}
	return rows
}

func section(b *strings.Builder, title string, rows []row) {
	if len(rows) == 0 {
		return
	}
	width := 0
	for _, r := range rows {
		width = max(width, utf8.RuneCountInString(r.left))
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	for _, r := range rows {
		fmt.Fprintf(b, "  %-*s  %s\n", width, r.left, r.right)
	}
}
