package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"

	"b2form/internal/view"
	"b2form/schema"
)

func (p *program) graphCommand() *cli.Command {
	var format string
	return p.command(&cli.Command{
		Name: "graph", Usage: "Draw which resource needs which",
		Description: `An arrow leads from a resource to what it refers to and what is therefore made
before it. A dashed arrow leads to what is made before the last settings of a
resource only: replication needs a key, which needs the bucket. B2 is not asked.

Example:
  b2form graph | dot -Tsvg > graph.svg
  b2form graph -format=mermaid

` + exitCodes,
		Flags: append(p.configFlags(),
			&cli.StringFlag{Name: "format", Value: "dot", Usage: "`FORMAT`: dot (for Graphviz) or mermaid", Destination: &format}),
		Action: func(_ context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			draw := map[string]func(view.Graph) string{"dot": view.Graph.DOT, "mermaid": view.Graph.Mermaid}[format]
			if draw == nil {
				return failf("Unknown format", "-format=%s is not known. Use dot or mermaid.", format)
			}
			o := p.loadOptions(schema.Kinds())
			o.AllowUnset = true
			config, diags := schema.Load(o)
			p.face.Diagnostics(diags, config.Files)
			if diags.HasErrors() {
				return exitCode(1)
			}
			_, err := fmt.Fprint(p.stdout, draw(view.GraphOf(config)))
			return err
		},
	})
}
