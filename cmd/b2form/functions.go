package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"b2form/internal/words"
	"b2form/schema/functions"
)

func (p *program) functionsCommand() *cli.Command {
	return p.newCommand(&cli.Command{
		Name: "functions", Usage: "List the functions that expressions may use", ArgsUsage: "[NAME]",
		Description: `Every function with what it does and an example; with a name, only that one.

Example:
  b2form functions
  b2form functions cidrsubnet
  b2form functions -json

Exit codes:
  0  success
  1  there is no function of that name`,
		Flags: []cli.Flag{p.jsonFlag("print them as a JSON array")},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Len() > 1 {
				return failf("Wrong number of arguments", "Usage: %s %s.", c.FullName(), c.ArgsUsage)
			}
			docs, err := functionDocs(c.Args().First())
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(docs)
			}
			p.printResult("%s", functionsText(docs))
			return nil
		},
	})
}

// functionDocs is the list, or what a name finds in it.
func functionDocs(name string) ([]functions.Doc, error) {
	docs := functions.Docs()
	if name == "" {
		return docs, nil
	}
	var names []string
	for _, d := range docs {
		if d.Name == name {
			return []functions.Doc{d}, nil
		}
		names = append(names, d.Name)
	}
	if slices.Contains(functions.ImpureNames(), name) {
		return nil, failf("There is no function \""+name+"\"", "A plan must come out the same on every run and machine, so b2form has "+
			"no %s(). Give such a value as a variable.", name)
	}
	return nil, failf("There is no function \""+name+"\"", "Expressions cannot call %s().%s Run \"b2form functions\" for all.", name,
		words.DidYouMean(name, "", names))
}

// functionsText shows the groups with their functions, each with its example.
func functionsText(docs []functions.Doc) string {
	var b strings.Builder
	group := ""
	for _, d := range docs {
		if d.Group != group {
			if group != "" {
				b.WriteByte('\n')
			}
			group = d.Group
			b.WriteString(group + "\n")
		}
		fmt.Fprintf(&b, "\n  %s\n      %s\n      %s = %s\n", d.Signature, d.Summary, d.Example, d.Result)
	}
	return b.String()
}
