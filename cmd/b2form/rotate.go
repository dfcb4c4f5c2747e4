package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema/addr"
)

func (p *program) rotateCommand() *cli.Command {
	var scheduleOnly bool
	o := &runOptions{}
	return p.newCommand(&cli.Command{
		Name: "rotate", Usage: "Renew keys, and delete old ones whose overlap has ended", ArgsUsage: "[ADDRESS ...]",
		Description: `Without an address: what the rotate blocks ask for now, and nothing else. A job
that runs this every day needs no other schedule. With addresses, also of a
block with for_each or of a module: renew these keys although they are not due.
The old key works on for the overlap; a later run deletes it. Other changes are left to "b2form apply", which rotates too.

Example:
  # what is due when
  b2form rotate -schedule
  # in a daily job
  b2form rotate -auto-approve -detailed-exitcode
  # now
  b2form rotate key.camera

Exit codes:
  0  success; with -detailed-exitcode: nothing was due
  1  an error, or the approval was refused
  2  with -detailed-exitcode: keys were made or deleted`,
		Flags: slices.Concat(p.configFlags(), p.accountFlags(), p.accountChangeFlags(o), []cli.Flag{
			&cli.BoolFlag{Name: "schedule", Usage: "only show what is due when", Destination: &scheduleOnly},
			&cli.BoolFlag{Name: "detailed-exitcode", Usage: "exit with 2 if keys were made or deleted", Destination: &o.detailedExitCode},
			&cli.BoolFlag{Name: "show-secrets", Usage: "print the secrets of new keys and sensitive outputs, wherever the output goes",
				Destination: &o.showSecrets},
			p.jsonFlag("print JSON lines; needs -auto-approve or -schedule"),
		}),
		Action: func(ctx context.Context, c *cli.Command) (err error) {
			if o.rotate, err = parseAll(c.Args().Slice(), addr.ParseTarget); err != nil {
				return err
			}
			if scheduleOnly {
				return p.showRotationSchedule(ctx, o)
			}
			return p.runApply(ctx, view.Rotating, o)
		},
	})
}

// showRotationSchedule tells what is due when, and changes nothing.
func (p *program) showRotationSchedule(ctx context.Context, o *runOptions) error {
	if err := p.beginOutput("rotate"); err != nil {
		return err
	}
	return p.withSession(ctx, func(ctx context.Context, s *session) error {
		if err := s.setRunOptions(o); err != nil {
			return err
		}
		made, err := s.readStateAndPlan(ctx, view.Rotating)
		if err != nil {
			return err
		}
		s.ui.Diagnostics(made.Warnings, s.sourceFiles)
		s.showRotations(made)
		return nil
	})
}

// showRotations tells what is due when, and what this command does not touch.
func (s *session) showRotations(p *plan.Plan) {
	s.ui.Rotations(p, s.b2Time())
	if len(p.LeftOut) == 0 {
		return
	}
	s.ui.Note(fmt.Sprintf("Left to \"b2form apply\": changes of %s.\n", strings.Join(addr.Strings(p.LeftOut), ", ")))
}
