package main

import (
	"context"
	"io"
	"strings"

	"github.com/urfave/cli/v3"

	"b2form/internal/view"
	"b2form/internal/words"
	"b2form/schema"
	"b2form/schema/functions"
)

func (p *program) schemaCommand() *cli.Command {
	var editor bool
	return p.newCommand(&cli.Command{
		Name: "schema", Usage: "Print the language as data, or one page about it", ArgsUsage: "[NAME]",
		Description: `Every kind of resource with its attributes, every other block with its
arguments, and every function, as JSON: types, defaults, what is required, made
by B2 or secret, what a change means, and where what is checked is documented.
With the name of a kind or block: its page of the reference, in Markdown; the
name language is that of the overview. A terminal's width is kept to. With
-editor: a JSON Schema, for editors that complete and check *.b2.hcl.json files.
A file names it as "$schema": "./b2form.schema.json"; the page language tells
what to put into the settings of an editor instead.

Example:
  b2form schema bucket
  b2form schema -json
  b2form schema -editor > b2form.schema.json

Exit codes:
  0  success
  1  an error`,
		Flags: []cli.Flag{
			p.jsonFlag("print JSON; there is no other form, so it may be left out"),
			&cli.BoolFlag{Name: "editor", Usage: "print a JSON Schema (draft 2020-12) of *.b2.hcl.json files", Destination: &editor},
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if name := c.Args().First(); name != "" && !editor && !p.json {
				return p.printReferencePage(name, c.Args().Tail())
			}
			if err := checkNoArguments(c); err != nil {
				return err
			}
			if editor {
				return p.printJSON(view.EditorSchema(schema.Kinds()))
			}
			return p.printJSON(struct {
				view.LanguageDocument
				Functions []functions.Doc `json:"functions"`
			}{view.NewLanguageDocument(schema.Kinds()), functions.Docs()})
		},
	})
}

// printReferencePage prints one page of the reference.
func (p *program) printReferencePage(name string, extraArgs []string) error {
	if len(extraArgs) > 0 {
		return failf("Too many arguments", "schema takes one name, but was given %q too.", extraArgs[0])
	}
	var names []string
	for _, page := range view.ReferencePages(schema.Kinds()) {
		if page.Name == name {
			_, err := io.WriteString(p.stdout, view.FitPage(page.Text, p.outputStyle().Width))
			return err
		}
		names = append(names, page.Name)
	}
	return failf("There is no page \""+name+"\"", "The pages are %s.%s", strings.Join(names, ", "), words.DidYouMean(name, "", names))
}
