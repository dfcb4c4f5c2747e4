package main

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"b2form/internal/visible"
)

// The scripts ask the hidden command __complete for what fits.
//
//go:embed shells
var shellScripts embed.FS

const completeName = "__complete"

func shells() []string { return []string{"bash", "zsh", "fish", "pwsh"} }

func (p *program) completionCommand() *cli.Command {
	c := p.newCommand(&cli.Command{
		Name: "completion", Usage: "Print a completion script for a shell", ArgsUsage: "bash|zsh|fish|pwsh",
		Description: `The script completes commands, options, addresses, outputs, names of files and
whatever else the command line takes. B2 is not asked. In ~/.bashrc or ~/.zshrc:

  source <(b2form completion bash)

Example:
  b2form completion zsh
  b2form completion fish | source

` + exitCodes,
		Action: p.requireSubcommand,
	})
	for _, shell := range shells() {
		c.Commands = append(c.Commands, p.newCommand(&cli.Command{
			Name: shell, Usage: "Print the script for " + shell,
			Description: "Example:\n  b2form completion " + shell + "\n\n" + exitCodes,
			Action: func(_ context.Context, _ *cli.Command) error {
				script, err := shellScripts.ReadFile("shells/" + shell)
				if err != nil {
					return err
				}
				_, err = p.stdout.Write(script)
				return err
			},
		}))
	}
	return c
}

// hiddenCompleteCommand answers the scripts: a candidate a line, with a tab and a text behind
// it. How the words come depends on the shell: "words" is one argument each, the last
// of which is to be completed, "pwsh" the same with a bar at the end, since an empty
// argument is lost there, and "bash" the line up to the cursor and what of it bash
// replaces.
func (p *program) hiddenCompleteCommand() *cli.Command {
	return &cli.Command{
		Name: completeName, Hidden: true, SkipFlagParsing: true, HideHelp: true,
		Usage:       "Answer a completion script",
		Description: "Example:\n  b2form __complete words state l\n\n" + exitCodes,
		Action: func(_ context.Context, c *cli.Command) error {
			args := c.Args().Slice()
			if slices.Contains(args, "-help") && len(args) == 1 {
				p.printHelp(c)
				return nil
			}
			if len(args) < 2 {
				return nil
			}
			if args[0] == "bash" {
				p.completeBashLine(c.Root(), args[1], args[len(args)-1])
				return nil
			}
			last := len(args) - 1
			if args[0] == "pwsh" {
				args[last] = strings.TrimSuffix(args[last], "|")
			}
			for _, found := range p.completionCandidates(c.Root(), args[1:]) {
				fmt.Fprintln(p.stdout, strings.TrimSuffix(found.text+"\t"+found.doc, "\t"))
			}
			return nil
		},
	}
}

// completeBashLine answers bash: candidates with a space behind what is complete, quoted as
// the line goes on, and without what stands before the text that bash replaces.
func (p *program) completeBashLine(root *cli.Command, line, replaced string) {
	args, raw, quote := splitShellLine(line)
	if len(args) < 2 {
		return
	}
	word := args[len(args)-1]
	for _, found := range p.completionCandidates(root, args[1:]) {
		rest, ok := strings.CutPrefix(found.text, word)
		if !ok {
			continue
		}
		if quote != 0 {
			inside := raw[strings.LastIndexByte(raw, quote)+1:]
			fmt.Fprintln(p.stdout, inside+rest)
			continue
		}
		text := shellEscape(rest)
		if !found.wantsMore() {
			text += " "
		}
		fmt.Fprintln(p.stdout, raw[max(0, len(raw)-len(replaced)):]+text)
	}
}

// splitShellLine splits a line as shells do. raw is the last word as it was typed, quote the
// quotation mark that is open in it; 0: none.
func splitShellLine(line string) (list []string, rawLastWord string, openQuote byte) {
	var word strings.Builder
	begin, started := 0, false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case openQuote != 0 && c == openQuote:
			openQuote = 0
		case openQuote == 0 && (c == '\'' || c == '"'):
			openQuote, started = c, true
		case c == '\\' && openQuote != '\'' && i+1 < len(line):
			i++
			word.WriteByte(line[i])
			started = true
		case openQuote == 0 && (c == ' ' || c == '\t'):
			if started {
				list = append(list, word.String())
			}
			word.Reset()
			begin, started = i+1, false
		default:
			word.WriteByte(c)
			started = true
		}
	}
	return append(list, word.String()), line[begin:], openQuote
}

// shellEscape keeps a shell from taking anything in text for its own.
func shellEscape(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(" \t\"'`$\\[](){}<>|&;*?!~#", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// A completionCandidate is one way to go on with a word.
type completionCandidate struct{ text, doc string }

// wantsMore reports whether more follows: a value, a file of the folder, one more of a list.
func (c completionCandidate) wantsMore() bool {
	return c.text != "" && strings.ContainsRune("=/,", rune(c.text[len(c.text)-1]))
}

// completionCandidates are the ways to go on with the last word.
func (p *program) completionCandidates(at *cli.Command, args []string) []completionCandidate {
	word, before := args[len(args)-1], args[:len(args)-1]
	root, rest := at, 0
	var waiting cli.Flag // the one whose value comes next
	for _, arg := range before {
		name, value, given := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch {
		case waiting != nil:
			p.rememberCompletionFlag(waiting.Names()[0], arg)
			waiting = nil
		case strings.HasPrefix(arg, "-"):
			f := findFlag(root, at, name)
			switch {
			case f == nil:
			case given:
				p.rememberCompletionFlag(name, value)
			case !isBoolFlag(f):
				waiting = f
			default:
				p.rememberCompletionFlag(name, "true")
			}
		case at.Command(arg) != nil && rest == 0:
			at = at.Command(arg)
		default:
			rest++
		}
	}
	name, value, given := strings.Cut(strings.TrimLeft(word, "-"), "=")
	var found []completionCandidate
	prefix := ""
	switch {
	case waiting != nil:
		prefix, found = p.flagValueCandidates(at.Name, waiting.Names()[0], word)
	case strings.HasPrefix(word, "-") && given:
		if f := findFlag(root, at, name); f != nil {
			prefix, found = p.flagValueCandidates(at.Name, f.Names()[0], value)
			prefix = word[:len(word)-len(value)] + prefix
		}
	case strings.HasPrefix(word, "-"):
		found = flagCandidates(root, at, strings.HasPrefix(word, "--"))
	case len(at.Commands) > 0 && rest == 0:
		found = commandCandidates(at)
	default:
		found = p.argumentCandidates(root, at, word)
	}
	for i := range found {
		found[i].text = prefix + found[i].text
	}
	return slices.DeleteFunc(found, func(c completionCandidate) bool {
		return !strings.HasPrefix(c.text, word) || visible.EscapeLine(c.text) != c.text
	})
}

// rememberCompletionFlag remembers what decides where the configuration is, and which state is meant.
func (p *program) rememberCompletionFlag(name, value string) {
	switch name {
	case "chdir":
		p.workDir = value
	case "emulator":
		p.useEmulator = true
	}
}

func findFlag(root, at *cli.Command, name string) cli.Flag {
	for _, f := range slices.Concat(at.Flags, root.Flags) {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

// takesValue reports whether a value is offered: also to a switch whose usage names one, as -lock=false.
func takesValue(f cli.Flag) bool {
	return strings.Contains(f.(cli.DocGenerationFlag).GetUsage(), "`")
}

func flagCandidates(root, at *cli.Command, twoDashes bool) []completionCandidate {
	var found []completionCandidate
	flags := at.Flags
	if at != root {
		flags = slices.Concat(at.Flags, root.Flags)
	}
	dash := "-"
	if twoDashes {
		dash = "--"
	}
	for _, f := range flags {
		text := dash + f.Names()[0]
		if takesValue(f) {
			text += "="
		}
		found = append(found, completionCandidate{text, strings.ReplaceAll(f.(cli.DocGenerationFlag).GetUsage(), "`", "")})
	}
	return found
}

func commandCandidates(at *cli.Command) []completionCandidate {
	var found []completionCandidate
	for _, c := range at.VisibleCommands() {
		found = append(found, completionCandidate{c.Name, c.Usage})
	}
	return found
}

// textCandidates are candidates without a text of their own.
func textCandidates(names ...string) []completionCandidate {
	found := make([]completionCandidate, len(names))
	for i, name := range names {
		found[i].text = name
	}
	return found
}

// commaListCandidates completes the last part of a list with commas, with what is not in it yet; what stands before is the
// prefix.
func commaListCandidates(value string, names []string) (prefix string, unfiltered []completionCandidate) {
	i := strings.LastIndexByte(value, ',') + 1
	given := strings.Split(value[:i], ",")
	return value[:i], textCandidates(slices.DeleteFunc(names, func(name string) bool { return slices.Contains(given, name) })...)
}
