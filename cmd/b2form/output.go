package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/urfave/cli/v3"

	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/schema/config"
)

func (p *program) outputCommand() *cli.Command {
	var raw bool
	return p.newCommand(&cli.Command{
		Name: "output", Usage: "Show the values of the outputs", ArgsUsage: "[NAME]",
		Description: `The outputs are evaluated against the live account, and are about what was
applied: where the configuration, a variable or what is live differs from that,
the command says so and prints none. Application keys are not known any more;
the output says where they went.

Example:
  b2form output
  b2form output -raw endpoint

` + exitCodes,
		Flags: slices.Concat(p.configFlags(), p.accountFlags(), []cli.Flag{
			p.jsonFlag("print JSON"),
			&cli.BoolFlag{Name: "raw", Usage: "print the one value without quotes and line break", Destination: &raw},
		}),
		Action: func(ctx context.Context, c *cli.Command) error {
			name := c.Args().First()
			switch {
			case c.Args().Len() > 1:
				return failf("Too many arguments", "output takes the name of one output, or none for all.")
			case raw && p.json:
				return failf("Invalid command line", "-raw and -json exclude each other.")
			case raw && name == "":
				return failf("Name missing", "-raw prints one output: give its name, as in \"b2form output -raw endpoint\".")
			}
			return p.withSession(ctx, func(ctx context.Context, s *session) error { return s.showRequestedOutputs(ctx, name, raw) })
		},
	})
}

func (s *session) showRequestedOutputs(ctx context.Context, name string, raw bool) (err error) {
	wanted := s.config.Outputs
	if name != "" {
		i := slices.IndexFunc(wanted, func(o *config.Output) bool { return o.Name == name })
		if i < 0 {
			return unknownOutputError(name, wanted)
		}
		wanted = wanted[i : i+1]
	}
	var outs []view.Output
	if len(wanted) > 0 {
		if outs, err = s.appliedOutputs(ctx, wanted); err != nil {
			return err
		}
	}
	switch {
	case name != "":
		return s.printRevealedOutput(outs[0], raw)
	case s.json:
		return s.printOutputsJSON(outs)
	case len(outs) == 0:
		s.warn("No outputs", "The configuration declares no output. Write one, such as: output \"endpoint\" { value = "+
			"bucket.photos.s3_endpoint }.")
	}
	fmt.Fprint(s.stdout, view.OutputsText(outs, false))
	return nil
}

// appliedOutputs evaluates outputs by what is live, where that is what was applied.
func (s *session) appliedOutputs(ctx context.Context, wanted []*config.Output) ([]view.Output, error) {
	r, err := s.openOutputReader(ctx)
	if err != nil {
		return nil, err
	}
	// What data blocks answered has made the configuration anew.
	wanted = slices.DeleteFunc(slices.Clone(s.config.Outputs), func(o *config.Output) bool {
		return !slices.ContainsFunc(wanted, func(w *config.Output) bool { return w.Name == o.Name })
	})
	outs, diags := r.evaluateOutputs(wanted)
	diags = append(r.checkConfigIsApplied(wanted), diags...)
	s.ui.Diagnostics(diags, s.sourceFiles)
	if diags.HasErrors() {
		return nil, exitCode(1)
	}
	return outs, nil
}

// openOutputReader reads what is live, without planning.
func (s *session) openOutputReader(ctx context.Context) (*outputReader, error) {
	warnings, err := s.readStateAndLive(ctx, s.configAndStateQuery)
	if err != nil {
		return nil, err
	}
	s.ui.Diagnostics(warnings, s.sourceFiles)
	return s.newOutputReader(s.snapshot, s.state.Entries, nil), nil
}

func unknownOutputError(name string, outs []*config.Output) error {
	var names []string
	for _, o := range outs {
		names = append(names, o.Name)
	}
	return failf("There is no output \""+name+"\"", "The configuration declares no output %q.%s Run \"b2form output\" for all.", name,
		words.DidYouMean(name, "", names))
}

// printRevealedOutput prints one value; who names an output wants to see it, also a
// sensitive one.
func (p *program) printRevealedOutput(o view.Output, raw bool) error {
	switch {
	case raw:
		text, err := o.Raw()
		if err != nil {
			return failf("Output cannot be printed raw", "%s", words.Sentence(err.Error()))
		}
		switch {
		case visible.HasCICommand(text):
			return failf("Output cannot be printed raw",
				"The output %q holds a text that CI systems take for a command, such as :: at the beginning of a line. Print it with "+
					"-json, which means the same to programs.", o.Name)
		case p.stdoutTerminal:
			text = visible.EscapeLines(text)
		}
		_, err = fmt.Fprint(p.stdout, text)
		return err
	case p.json:
		v, err := o.JSON()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(p.stdout, string(visible.EscapeInvisibleInJSON(v.Value)))
		return err
	}
	_, err := fmt.Fprintln(p.stdout, o.Text(true))
	return err
}

func (p *program) printOutputsJSON(outs []view.Output) error {
	all := make(map[string]view.OutputValue, len(outs))
	for _, o := range outs {
		v, err := o.JSON()
		if err != nil {
			return err
		}
		all[o.Name] = v
	}
	return p.printJSON(all)
}
