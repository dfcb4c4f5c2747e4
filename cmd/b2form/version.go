package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/urfave/cli/v3"

	"b2form/internal/visible"
)

// version is b2form's own; required_version is compared with it.
const version = "0.1.0"

func (p *program) versionCommand() *cli.Command {
	return p.command(&cli.Command{
		Name: "version", Usage: "Show the version",
		Description: "Example:\n  b2form version -json\n\n" + exitCodes,
		Flags:       []cli.Flag{p.jsonFlag("print JSON")},
		Action: func(_ context.Context, c *cli.Command) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return p.printVersion(p.json)
		},
	})
}

func (p *program) printVersion(asJSON bool) error {
	platform := runtime.GOOS + "_" + runtime.GOARCH
	if !asJSON {
		_, err := fmt.Fprintf(p.stdout, "b2form v%s\non %s\n", version, platform)
		return err
	}
	return p.printJSON(struct {
		Version  string `json:"b2form_version"`
		Platform string `json:"platform"`
	}{version, platform})
}

// printJSON prints one value, indented.
func (p *program) printJSON(v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, string(visible.JSON(b)))
	return err
}

func noArguments(c *cli.Command) error {
	if arg := c.Args().First(); arg != "" {
		return failf("Too many arguments", "%s takes no argument, but was given %q. Run %q for its options.", c.FullName(), arg,
			c.FullName()+" -help")
	}
	return nil
}
