package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v3"

	"b2form/internal/terraform"
	"b2form/internal/view"
)

func (p *program) exportCommand() *cli.Command {
	var format string
	return p.newCommand(&cli.Command{
		Name: "export", Usage: "Print the configuration for Terraform, or as JSON, with everything resolved",
		Description: `With -format=terraform, the default, a file for the official provider: a block
for each resource, without variables, modules and repetition, and import blocks
for the buckets and keys that the state records under the same names. What the
provider lacks is said in comments, which name what is left out too, as outputs
are, and secrets become variables. Relative paths of files stay as they are. With
-format=json, the attributes of every resource as one JSON document; what else
its block says, as deliver and prevent_destroy, is not in it. B2 is asked only
where data blocks, or a state in a bucket, need it.

Example:
  b2form export -format=terraform >../terraform/main.tf
  b2form export -format=json

` + exitCodes,
		Flags: slices.Concat(p.configFlags(), p.accountFlags(), []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "terraform", Usage: "`FORMAT`: terraform or json (default: terraform)",
				Destination: &format, Validator: oneOfWords(exportFormats())},
		}),
		Action: func(ctx context.Context, _ *cli.Command) error {
			ctx, stop := p.withInterrupt(ctx)
			defer stop()
			return p.export(ctx, format)
		},
	})
}

func (p *program) export(ctx context.Context, format string) (err error) {
	s, err := p.openStateOnlySession(ctx)
	if err != nil {
		return err
	}
	if s.config, err = p.loadConfig(s.kinds); err != nil {
		return err
	}
	if len(s.config.DataQueries) > 0 || p.useEmulator {
		if err := s.prepareClientOrEmulator(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.stopLocalB2()) }()
	}
	st, err := s.readState(ctx)
	if err != nil {
		return err
	}
	s.state = st
	if len(s.config.DataQueries) > 0 {
		a, err := s.authorize(ctx)
		if err != nil {
			return err
		}
		warnings, err := s.readLiveAndAnswerData(ctx, a, s.configAndStateQuery)
		if err != nil {
			return err
		}
		p.ui.Diagnostics(warnings, p.sourceFiles)
	}
	if format == "json" {
		return p.printJSON(view.ConfigDocument(version, s.config.Resources))
	}
	text, warnings := terraform.Export(s.config, st.Entries)
	p.ui.Diagnostics(warnings, p.sourceFiles)
	_, err = fmt.Fprintf(p.stdout, "%s", text)
	return err
}

func exportFormats() []string { return []string{"terraform", "json"} }
