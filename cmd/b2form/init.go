package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"github.com/urfave/cli/v3"

	"b2form/examples"
	"b2form/internal/adopt"
	"b2form/internal/credentials"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/schema"
)

const initNotNeeded = "b2form needs no init: there are no plugins to download. Run \"b2form plan\"."

func (p *program) initCommand() *cli.Command {
	return p.newCommand(&cli.Command{
		Name: "init", Usage: "Begin in an empty folder", SkipFlagParsing: true,
		Description: `In a folder with configuration nothing is needed. In an empty one, on a
terminal: looks for credentials, shows what the account holds, and offers to
write configuration for it, as "b2form adopt" does, or to begin with an example.
Nothing is written before a choice, and nothing is changed in B2. Options of
Terraform's init are passed over.

Example:
  b2form init

` + exitCodes,
		Action: func(ctx context.Context, c *cli.Command) error {
			args := c.Args().Slice()
			if asked, err := p.answerHelpOrVersion(c); asked {
				return err
			}
			if slices.Contains(args, "-input=false") || slices.Contains(args, "--input=false") {
				p.allowInput = false
			}
			return p.init(ctx)
		},
	})
}

// gitignore is what a folder with configuration keeps out of git: what README.md says.
const gitignore = `# Secrets: every file that a deliver block writes.
*.env
# What a killed run leaves of one, until the next run removes it.
.b2form-*.tmp
# The account of -emulator, and what was tried on it.
.b2form/
# Lock, journal and list of temporary files of a run, and the state.
b2form.state.json*
# Values of variables that hold secrets.
*.auto.b2vars.hcl
`

func (p *program) init(ctx context.Context) error {
	if hasConfiguration() {
		p.printResult("%s", initNotNeeded)
		return nil
	}
	if !p.interactive() {
		p.printResult("b2form needs no init. Write a configuration as *.b2.hcl, or let \"b2form adopt\" write one for what the account " +
			"holds. \"b2form whoami\" shows the credentials in use.")
		return nil
	}
	ctx, stop := p.withInterrupt(ctx)
	defer stop()
	choices, err := p.initChoices(ctx)
	if err != nil {
		return err
	}
	p.printResult("\nHow do you want to begin?")
	for i, c := range choices {
		p.printResult("  %d  %s", i+1, c.title)
	}
	fmt.Fprint(p.stderr, "\n  Enter a number, or nothing to leave: ")
	line, err := p.readAnswer(ctx)
	fmt.Fprintln(p.stderr)
	if errors.Is(err, context.Canceled) {
		return failf("Interrupted", "Nothing was written.")
	}
	n, _ := strconv.Atoi(line)
	switch {
	case err != nil:
		return err
	case line == "":
		p.printResult("Nothing was written.")
		return nil
	case n < 1 || n > len(choices):
		return failf("No such choice", "%q is none of the numbers 1 to %d. Nothing was written.", line, len(choices))
	}
	if err := choices[n-1].run(ctx); err != nil {
		return err
	}
	return p.writeGitignoreIfMissing()
}

// hasConfiguration reports whether the folder has files of a configuration.
func hasConfiguration() bool {
	files, err := schema.ListConfigDirFiles(".")
	return err == nil && len(files.ConfigFiles) > 0
}

// An initChoice is one way to begin.
type initChoice struct {
	title string
	run   func(context.Context) error
}

// initChoices tells what credentials there are and what the account holds, and gives the ways
// to begin.
func (p *program) initChoices(ctx context.Context) ([]initChoice, error) {
	var all []initChoice
	found, err := p.findCredentials(ctx)
	switch {
	case err != nil:
		return nil, err
	case found.Source == credentials.None:
		p.printResult(
			"No credentials were found. \"b2form help whoami\" says where they are looked for; without any, an example can be tried with " +
				"\"b2form apply -emulator\".")
	default:
		holds, err := p.describeAccountContents(ctx)
		if err != nil {
			return nil, err
		}
		p.printResult("Credentials: %s\nThe account holds %s.", visible.EscapeLine(found.SourceText), holds)
		all = append(all, initChoice{"Write configuration for all that the account holds (adopt)", func(ctx context.Context) error {
			return p.adopt(ctx, &adoptOptions{layout: string(adopt.OneFile), notificationRules: true}, "")
		}})
	}
	for _, e := range examples.All() {
		all = append(all, initChoice{"Begin with the example " + e.Title, func(context.Context) error { return p.writeExample(e) }})
	}
	return all, nil
}

// describeAccountContents says what the credentials see, in words.
func (p *program) describeAccountContents(ctx context.Context) (text string, err error) {
	s, err := p.openSessionWithoutConfig(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	a, err := s.client.Authorize(ctx)
	if err != nil {
		return "", err
	}
	if _, err := s.readLive(ctx, a, s.bucketsAndKeysQuery); err != nil {
		return "", err
	}
	for _, k := range s.kinds {
		if k.ParentKind() != "" {
			continue
		}
		if text != "" {
			text += " and "
		}
		if s.snapshot.WasRead(k) {
			text += words.Count(len(s.snapshot.All(k)), k.Name, k.Plural)
		} else {
			text += k.Plural + " that these credentials may not list"
		}
	}
	return text, nil
}

func (p *program) writeExample(e examples.Example) error {
	name, err := writeUnderFreeName("main", adopt.Suffix, examples.Configuration(e.Name))
	if err != nil {
		return err
	}
	p.printResult("Wrote %s.", name)
	p.ui.Hint("Next: correct the names in it, which must be unique across all of B2. Then \"b2form plan\" shows what would be made, and " +
		"\"b2form apply -emulator\" tries it without an account.")
	return nil
}

// writeGitignoreIfMissing writes one where there is none.
func (p *program) writeGitignoreIfMissing() error {
	if err := writeNewFile(".gitignore", gitignore); err != nil && !errors.Is(err, fs.ErrExist) {
		return failf("A file cannot be written", ".gitignore: %s.", words.ErrorWithoutPath(err))
	}
	return nil
}
