package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/urfave/cli/v3"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/credentials"
	"b2form/internal/view"
	"b2form/schema"
)

func (p *program) consoleCommand() *cli.Command {
	return p.newCommand(&cli.Command{
		Name: "console", Usage: "Try expressions against configuration and account", ArgsUsage: "[EXPRESSION]",
		Description: `Prints the value of an expression; without one it reads an expression per line
and prints the value of each, until "exit". Variables, local values, resources and
functions are those of the configuration. Without credentials what B2 makes is not
known and the rest works. type(x) says the type of x. Nothing is changed.
On a terminal lines can be edited, the arrow keys bring earlier ones back, and the
tab key completes names; "help" says more.

A folder without configuration will do: data.buckets.all, data.keys.all and
data.account.this are there as if they were declared.

Example:
  b2form console
  b2form console 'bucket.photos.name'
  b2form console 'data.buckets.all.names'

Exit codes:
  0  every expression had a value
  1  an error; without a terminal the first one ends the command`,
		Flags: slices.Concat(p.configFlags(), p.accountFlags()),
		Action: func(ctx context.Context, c *cli.Command) error {
			if n := c.Args().Len(); n > 1 {
				return failf("Invalid command line", "%s takes one expression, and here are %d words. Put it into quotes, as in %s "+
					"'1 + 1'.", c.FullName(), n, c.FullName())
			}
			ctx, stop := p.withInterrupt(ctx)
			defer stop()
			p.allowNoConfig = true
			return p.runConsole(ctx, c.Args().First(), c.Args().Present())
		},
	})
}

// runConsole answers one expression, or those that it reads.
func (p *program) runConsole(ctx context.Context, expression string, onlyExpression bool) (err error) {
	seen, err := p.newConsoleScope(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, seen.close()) }()
	if onlyExpression {
		if !p.printValue(seen, expression, "<expression>") {
			return exitCode(1)
		}
		return nil
	}
	if p.interactive() && p.stderrTerminal && p.newLineEditor != nil && p.getenv("TERM") != "dumb" {
		p.consoleEditor = p.newLineEditor(seen.complete)
	}
	for n := 1; ; n++ {
		source, err := p.readExpression(ctx)
		switch {
		case errors.Is(err, io.EOF) || source == "exit" || source == "quit":
			return nil
		case source == "help":
			p.printResult("%s", consoleHelp)
			continue
		}
		if err != nil {
			return err
		}
		if source == "" {
			continue
		}
		if ok := p.printValue(seen, source, fmt.Sprintf("<console-input-%d>", n)); !ok && !p.interactive() {
			return exitCode(1)
		}
	}
}

// A consoleScope is what expressions see.
type consoleScope struct {
	eval           func(source, name string) (cty.Value, hcl.Diagnostics)
	referenceNames func() []string        // what they may refer to
	missingText    func(cty.Value) string // what stands for a value that is not known
	close          func() error
}

// newConsoleScope reads configuration and account. Without credentials nothing is
// live.
func (p *program) newConsoleScope(ctx context.Context) (*consoleScope, error) {
	found, err := p.findCredentials(ctx)
	switch {
	case err != nil && found.Source == credentials.AccountFile: // nobody asked for it
		p.ui.Diagnostics(asWarnings(err), p.sourceFiles)
	case err != nil:
		return nil, err
	}
	if !p.useEmulator && found.KeyID == "" {
		config, err := p.loadConfig(schema.Kinds())
		if err != nil {
			return nil, err
		}
		return &consoleScope{
			eval:           func(source, name string) (cty.Value, hcl.Diagnostics) { return config.Eval(source, name, nil) },
			referenceNames: func() []string { return config.ValidReferences() },
			missingText:    func(cty.Value) string { return "(not known: there are no credentials to ask B2 with)" },
			close:          func() error { return nil },
		}, nil
	}
	s, err := p.openSession(ctx)
	if err != nil {
		return nil, err
	}
	r, err := s.openOutputReader(ctx)
	if err != nil {
		return nil, errors.Join(err, s.stopLocalB2())
	}
	missing := r.unknownValueText
	if len(s.config.Resources) == 0 {
		missing = func(cty.Value) string { return "(not known: the credentials in use may not read it)" }
	}
	return &consoleScope{
		eval: func(source, name string) (cty.Value, hcl.Diagnostics) {
			return s.config.Eval(source, name, r.lookUpLive)
		},
		referenceNames: func() []string { return s.config.ValidReferences() },
		missingText:    missing,
		close:          s.stopLocalB2,
	}, nil
}

// readExpression reads lines until their brackets are closed.
func (p *program) readExpression(ctx context.Context) (string, error) {
	var lines []string
	for {
		prompt := "> "
		if len(lines) > 0 {
			prompt = "  "
		}
		line, err := p.readPromptedLine(ctx, prompt)
		if line != "" {
			lines = append(lines, line)
		}
		source := strings.Join(lines, "\n")
		switch {
		case errors.Is(err, io.EOF) && source != "":
			return source, nil
		case err != nil:
			return "", err
		case line == "" || !hasOpenBrackets(source):
			return strings.TrimSpace(source), nil
		}
	}
}

// readPromptedLine reads one line, where there is a terminal with a prompt and, where that
// can do it, with editing.
func (p *program) readPromptedLine(ctx context.Context, prompt string) (string, error) {
	switch {
	case p.consoleEditor != nil:
		return p.consoleEditor.readLine(ctx, p.stdinReader, prompt)
	case p.interactive():
		fmt.Fprint(p.stderr, prompt)
	}
	return p.nextLine(ctx)
}

// hasOpenBrackets reports whether source has brackets, templates or heredocs that want
// more lines.
func hasOpenBrackets(source string) bool {
	depth := 0
	tokens, _ := hclsyntax.LexExpression([]byte(source), "", hcl.InitialPos)
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp,
			hclsyntax.TokenTemplateControl, hclsyntax.TokenOHeredoc:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd,
			hclsyntax.TokenCHeredoc:
			depth--
		}
	}
	return depth > 0
}

// printValue prints the value of an expression and reports whether it has one.
func (p *program) printValue(scope *consoleScope, source, name string) (hasValue bool) {
	v, diags := scope.eval(source, name)
	p.sourceFiles[name] = &hcl.File{Bytes: []byte(source)}
	p.ui.Diagnostics(diags, p.sourceFiles)
	if diags.HasErrors() {
		return false
	}
	fmt.Fprintln(p.stdout, view.Output{Value: v, MissingText: scope.missingText, ShowTypes: true}.Text(false))
	return true
}
