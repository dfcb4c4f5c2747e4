package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"b2form/examples"
	"b2form/internal/adopt"
	"b2form/internal/credentials"
	"b2form/internal/durable"
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
Where the credentials are of no use, it says why, and examples are left. Nothing
is written before a choice, and nothing is changed in B2. Options of Terraform's
init are passed over.

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
const gitignore = `# Secrets: the files that deliver blocks write. Add those that are called otherwise.
*.env
# What a killed run leaves of one, until the next run removes it.
.b2form-*.tmp
# The account of -emulator, and what was tried on it.
.b2form/
# Saved plans: no secret is in them, but each is good once.
*.plan
# Lock, journal and list of temporary files of a run, and the state.
b2form.state.json*
# Values of variables, among which are secrets. To commit a file without any, add !NAME.b2vars.hcl.
*.b2vars.hcl
*.b2vars.hcl.json
`

func (p *program) init(ctx context.Context) error {
	if hasConfiguration() {
		p.printResult("%s", initNotNeeded)
		return nil
	}
	if files, err := schema.ListConfigDirFiles("."); err == nil && len(files.TerraformFiles) > 0 {
		p.printResult("%s is a file of Terraform. \"b2form migrate\" carries a configuration over and leaves Terraform's as it is.",
			visible.EscapeTruncated(filepath.Base(files.TerraformFiles[0]), 80))
	}
	if !p.interactive() {
		p.printResult("b2form needs no init. Write a configuration as *.b2.hcl, or let \"b2form adopt\" write one for what the account " +
			"holds. \"b2form whoami\" shows the credentials in use.")
		return nil
	}
	ctx, stop := p.withInterrupt(ctx)
	defer stop()
	choices, err := p.printAccountAndListChoices(ctx)
	if err != nil {
		return err
	}
	p.printResult("\nHow do you want to begin?")
	for i, c := range choices {
		p.printResult("  %d  %s", i+1, c.title)
	}
	fmt.Fprint(p.stderr, "\n  Enter a number, or nothing to leave: ")
	line, err := p.readAnswerOrEmpty(ctx)
	fmt.Fprintln(p.stderr)
	if errors.Is(err, context.Canceled) {
		return failf("Interrupted", "Nothing was written. Run \"b2form init\" again to choose.")
	}
	n, _ := strconv.Atoi(line)
	switch {
	case err != nil:
		return err
	case line == "":
		p.printResult("Nothing was written. \"b2form init\" offers the same again.")
		return nil
	case n < 1 || n > len(choices):
		return failf("No such choice", "%q is none of the numbers 1 to %d. Nothing was written. Run \"b2form init\" again.", line,
			len(choices))
	}
	return choices[n-1].run(ctx)
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

// printAccountAndListChoices tells what credentials there are and what the account holds, and gives the ways
// to begin. Credentials that are of no use leave the examples.
func (p *program) printAccountAndListChoices(ctx context.Context) (all []initChoice, _ error) {
	found, err := p.findCredentials(ctx)
	if err == nil && found.Source == credentials.None {
		p.printResult(
			"No credentials were found. \"b2form help whoami\" says where they are looked for; without any, an example can be tried with " +
				"\"b2form apply -emulator\".")
	} else {
		var holds string
		var objects int
		if err == nil {
			holds, objects, err = p.describeAccountContents(ctx)
		}
		switch {
		case errors.Is(err, context.Canceled):
			return nil, err
		case err != nil:
			p.warnUnusableCredentials(found.SourceText, err)
		case objects == 0:
			p.printResult("Credentials: %s\nThe account holds %s, so there is nothing to adopt.", visible.EscapeLine(found.SourceText),
				holds)
		default:
			p.printResult("Credentials: %s\nThe account holds %s.", visible.EscapeLine(found.SourceText), holds)
			all = append(all, initChoice{"Write configuration for all that the account holds (adopt)", p.adoptAll})
		}
	}
	for _, e := range examples.All() {
		all = append(all, initChoice{"Begin with the example " + e.Title,
			func(context.Context) error { return p.writeExampleUnderFreeName(e) }})
	}
	return all, nil
}

// warnUnusableCredentials says what is wrong with the credentials from a source; "": the error names it.
func (p *program) warnUnusableCredentials(source string, err error) {
	diags := asWarnings(err)
	for _, d := range diags {
		if !strings.Contains(d.Detail, source) {
			d.Detail += " The credentials come from " + source + "."
		}
	}
	p.ui.Diagnostics(diags, p.sourceFiles)
	p.printResult("What the account holds is not known. \"b2form whoami\" says whether the credentials work once they are corrected; an " +
		"example can be tried with \"b2form apply -emulator\" meanwhile.")
}

// adoptAll writes configuration for all that the account holds.
func (p *program) adoptAll(ctx context.Context) error {
	var wrote bool
	err := p.adopt(ctx, &adoptOptions{layout: string(adopt.OneFile), notificationRules: true, writeBeside: func() []string {
		wrote = true
		return p.writeGitignoreIfMissing()
	}}, "")
	if err == nil && !wrote {
		p.ui.Hint("Next: \"b2form init\" offers examples to begin with.")
	}
	return err
}

// describeAccountContents says what the credentials see, in words, and how many objects these are.
func (p *program) describeAccountContents(ctx context.Context) (text string, objectCount int, err error) {
	s, err := p.openSessionWithoutConfig(ctx)
	if err != nil {
		return "", 0, err
	}
	defer func() { err = errors.Join(err, s.stopLocalB2()) }()
	a, err := s.client.Authorize(ctx)
	if err != nil {
		return "", 0, err
	}
	if _, err := s.readLiveAndAnswerData(ctx, a, s.bucketsKeysAndDataQuery); err != nil {
		return "", 0, err
	}
	for _, k := range s.kinds {
		if k.ParentKind() != "" {
			continue
		}
		if text != "" {
			text += " and "
		}
		if s.snapshot.WasReadAtAll(k) {
			n := len(s.snapshot.AllRead(k))
			text += words.Count(n, k.Name, k.Plural)
			objectCount += n
		} else {
			text += k.Plural + " that these credentials may not list"
		}
	}
	return text, objectCount, nil
}

func (p *program) writeExampleUnderFreeName(e examples.Example) error {
	name, err := writeUnderFreeName("main", adopt.Suffix, examples.Configuration(e.Name))
	if err != nil {
		return err
	}
	p.printResult("Wrote %s.", words.JoinAnd(append([]string{name}, p.writeGitignoreIfMissing(e.SecretFiles...)...)))
	p.ui.Hint("Next: correct the names in it, which must be unique across all of B2. Then \"b2form plan\" shows what would be made, and " +
		"\"b2form apply -emulator\" tries it without an account.")
	return nil
}

// writeGitignoreIfMissing writes one where there is none, with patterns for more secret files, and gives its name. One that
// is there is kept; a warning says what it lacks.
func (p *program) writeGitignoreIfMissing(secretFiles ...string) (written []string) {
	const name = ".gitignore"
	want := strings.Replace(gitignore, "*.env", strings.Join(append([]string{"*.env"}, secretFiles...), "\n"), 1)
	err := writeNewFile(name, want)
	if err == nil {
		return []string{name}
	}
	var present []byte
	if errors.Is(err, fs.ErrExist) {
		present, err = durable.ReadFile(name, mostFileBytes)
	}
	missing := missingIgnorePatterns(want, string(present))
	if len(missing) == 0 {
		return nil
	}
	advice := "Add these lines, so that secrets stay out of git:\n\n" + indented(strings.Join(missing, "\n"))
	if err != nil {
		p.warn(name+" cannot be read or written", fmt.Sprintf("%s: %s. %s", name, words.ErrorWithoutPath(err), advice))
	} else {
		p.warn(name+" lacks lines", advice)
	}
	return nil
}

// missingIgnorePatterns are the wanted patterns that a file does not have. The state may be committed, so
// that the files beside it are enough.
func missingIgnorePatterns(want, text string) (missing []string) {
	present := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(strings.TrimSpace(line), "/")
		present[line] = true
		if beside, ok := strings.CutSuffix(line, ".*"); ok {
			present[beside+"*"] = true
		}
	}
	for line := range strings.Lines(want) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "#") && !present[strings.TrimSuffix(line, "/")] {
			missing = append(missing, line)
		}
	}
	return missing
}
