package main

import (
	"context"
	"slices"

	"github.com/urfave/cli/v3"

	"b2form/internal/planfile"
	"b2form/internal/view"
	"b2form/schema"
	"b2form/schema/addr"
)

func (p *program) destroyCommand() *cli.Command {
	o := &runOptions{}
	return p.newCommand(&cli.Command{
		Name: "destroy", Usage: "Destroy everything that b2form owns here", ArgsUsage: "[ADDRESS ...]",
		Description: `Every object in the state is deleted; with addresses, those and what needs
them. What the state does not list is left alone. With -auto-approve this
revokes keys and deletes empty buckets; files are deleted only with
force_destroy and -allow=deletes-data.

Example:
  b2form destroy
  b2form destroy -auto-approve

` + approvalCodes,
		Flags: slices.Concat(p.configFlags(), p.accountFlags(), p.accountChangeFlags(o), o.targetAndExcludeFlags(), []cli.Flag{
			o.expectFlag(),
			p.jsonFlag("print JSON lines; needs -auto-approve or -expect"),
		}),
		Action: func(ctx context.Context, c *cli.Command) error {
			for _, arg := range c.Args().Slice() {
				if _, err := planfile.Read(arg, schema.Kinds()); err == nil {
					return failf("destroy takes no saved plan", "%s is one. To carry it out, run \"b2form %s %s\".", arg,
						view.Planning.ApplyingCommandName(), arg)
				}
			}
			named, err := parseAll(c.Args().Slice(), addr.ParseTarget)
			if err != nil {
				return err
			}
			o.target = append(o.target, named...)
			if err := o.checkExclusiveOptions(); err != nil {
				return err
			}
			return p.runApply(ctx, view.Destroying, o)
		},
	})
}
