package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"b2form/internal/view"
	"b2form/schema"
)

func (p *program) schemaCommand() *cli.Command {
	var editor bool
	return p.command(&cli.Command{
		Name: "schema", Usage: "Print the resources and functions of the language as data",
		Description: `Every kind of resource with its attributes, as JSON: types, defaults, what is
required, made by B2 or secret, and what a change means; and every function.
With -editor: a JSON Schema, for editors that complete and check *.b2.hcl.json
files.

Example:
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
			if err := noArguments(c); err != nil {
				return err
			}
			if editor {
				return p.printJSON(view.EditorSchema(schema.Kinds()))
			}
			return p.printJSON(struct {
				view.Language
				Functions []schema.FunctionDoc `json:"functions"`
			}{view.NewLanguage(schema.Kinds()), schema.FunctionDocs()})
		},
	})
}
