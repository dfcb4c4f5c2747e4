package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema"
)

func (p *program) graphCommand() *cli.Command {
	var (
		format string
		steps  bool
	)
	return p.newCommand(&cli.Command{
		Name: "graph", Usage: "Draw which resource needs which, or the steps of a plan",
		Description: `An arrow leads from a resource to what it refers to and what is therefore made
before it. A dashed arrow leads to what is made before the last settings of a
resource only: replication needs a key, which needs the bucket. B2 is not asked.

With -plan the account is read, and the graph is that of the steps that an apply
would take now, each with an arrow to those that must be done before it.

Example:
  b2form graph | dot -Tsvg > graph.svg
  b2form graph -plan -format=mermaid

` + exitCodes,
		Flags: slices.Concat(p.configFlags(), p.accountFlags(), []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "dot", Usage: "`FORMAT`: dot (for Graphviz) or mermaid", Destination: &format,
				Validator: oneOfWords(graphFormats())},
			&cli.BoolFlag{Name: "plan", Usage: "draw the steps that an apply would take", Destination: &steps},
		}),
		Action: func(ctx context.Context, _ *cli.Command) error {
			draw := map[string]func(view.Graph) string{"dot": view.Graph.DOT, "mermaid": view.Graph.Mermaid}[format]
			if steps {
				return p.withPlan(ctx, &runOptions{}, func(_ *session, made *plan.Plan, broken hcl.Diagnostics) error {
					_, err := fmt.Fprint(p.stdout, draw(view.StepGraph(made)))
					if err != nil || broken == nil {
						return err
					}
					return broken
				})
			}
			o := p.schemaOptions(schema.Kinds())
			o.AllowUnsetVariables = true
			config, diags := schema.Load(o)
			p.ui.Diagnostics(diags, config.Files)
			if diags.HasErrors() {
				return exitCode(1)
			}
			_, err := fmt.Fprint(p.stdout, draw(view.ResourceGraph(config)))
			return err
		},
	})
}

func graphFormats() []string { return []string{"dot", "mermaid"} }
