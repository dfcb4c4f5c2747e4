package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"b2form/internal/view"
)

// The exit codes of most commands, and of those that ask for an approval.
const (
	exitCodes = `Exit codes:
  0  success
  1  an error`
	approvalCodes = `Exit codes:
  0  success, or nothing to do
  1  an error, or the approval was refused`
)

const environmentTopic = "environment"

func (p *program) helpCommand() *cli.Command {
	return p.newCommand(&cli.Command{
		Name: "help", Usage: "Show help for a command", ArgsUsage: "[COMMAND]",
		Description: `"b2form help environment" lists the environment variables that b2form reads.

Example:
  b2form help plan
  b2form help environment

` + exitCodes,
		Action: func(_ context.Context, c *cli.Command) error {
			if slices.Equal(c.Args().Slice(), []string{environmentTopic}) {
				fmt.Fprint(p.stdout, environmentHelp().render(p.outputStyle().Width))
				return nil
			}
			at := c.Root()
			for _, name := range c.Args().Slice() {
				next := at.Command(name)
				if next == nil {
					return unknownCommandError(at, name)
				}
				at = next
			}
			p.printHelp(at)
			return nil
		},
	})
}

// A helpPage is text and tables.
type helpPage struct {
	text     string
	sections []helpSection
}

type helpSection struct {
	title string
	rows  []view.TwoColumnRow
}

// render breaks the page to a width; 0: no line is broken.
func (h helpPage) render(width int) string {
	var b strings.Builder
	b.WriteString(view.Wrap(unwrapParagraphs(h.text), width) + "\n")
	for _, s := range h.sections {
		if len(s.rows) > 0 {
			b.WriteString("\n" + s.title + ":\n" + view.TwoColumnTable(s.rows, width))
		}
	}
	return b.String()
}

// unwrapParagraphs joins the lines of each paragraph. Lines that are indented stay.
func unwrapParagraphs(text string) string {
	var out []string
	joins := false
	for line := range strings.SplitSeq(text, "\n") {
		flowing := line != "" && line[0] != ' '
		if flowing && joins {
			out[len(out)-1] += " " + line
		} else {
			out = append(out, line)
		}
		joins = flowing
	}
	return strings.Join(out, "\n")
}

// printHelp prints the page of a command. Options are written with one dash; two
// work as well.
func (p *program) printHelp(c *cli.Command) {
	usage := "Usage: " + strings.Replace(c.FullName(), "b2form", "b2form [global options]", 1)
	if len(c.VisibleFlags()) > 0 && c != c.Root() {
		usage += " [options]"
	}
	if c.ArgsUsage != "" {
		usage += " " + c.ArgsUsage
	}
	page := helpPage{text: fmt.Sprintf("%s\n\n%s.\n\n%s", usage, c.Usage, c.Description)}
	page.sections = append(page.sections, helpSection{"Commands", commandRows(c)})
	if c != c.Root() {
		page.sections = append(page.sections, helpSection{"Options", flagRows(c.VisibleFlags())})
	}
	global := c.Root().VisiblePersistentFlags()
	if c == c.Root() {
		global = c.VisibleFlags()
	}
	page.sections = append(page.sections, helpSection{"Global options", flagRows(global)})
	fmt.Fprint(p.stdout, page.render(p.outputStyle().Width))
}

func commandRows(c *cli.Command) []view.TwoColumnRow {
	var rows []view.TwoColumnRow
	for _, sub := range c.VisibleCommands() {
		rows = append(rows, view.TwoColumnRow{Name: sub.Name, Text: sub.Usage})
	}
	return rows
}

// flagRows takes the value's placeholder from the backquoted word of a flag's
// usage, as the standard library's flag package does.
func flagRows(flags []cli.Flag) []view.TwoColumnRow {
	var rows []view.TwoColumnRow
	for _, f := range flags {
		usage := f.(cli.DocGenerationFlag).GetUsage()
		left := "-" + f.Names()[0]
		if before, rest, ok := strings.Cut(usage, "`"); ok {
			value, after, _ := strings.Cut(rest, "`")
			left += "=" + value
			usage = before + value + after
		}
		rows = append(rows, view.TwoColumnRow{Name: left, Text: usage})
	}
	return rows
}
