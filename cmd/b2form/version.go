package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v3"

	"b2form/internal/visible"
)

// version is b2form's own; required_version is compared with it.
const version = "0.1.0"

func (p *program) versionCommand() *cli.Command {
	return p.newCommand(&cli.Command{
		Name: "version", Usage: "Show the version",
		Description: `With what it was built from, as far as that was recorded: in a git work tree by
"go build", and never by "go run". -json has the version once more under the
name terraform_version, which Terraform's tools look for.

Example:
  b2form version -json

` + exitCodes,
		Flags: []cli.Flag{p.jsonFlag("print JSON")},
		Action: func(_ context.Context, _ *cli.Command) error {
			return p.printVersion(p.json)
		},
	})
}

// A versionDocument is what version -json prints.
type versionDocument struct {
	Version                  string `json:"b2form_version"`
	VersionForTerraformTools string `json:"terraform_version"` // the same: what Terraform's tools look for
	Platform                 string `json:"platform"`
	Commit                   string `json:"commit,omitempty"` // left out: not recorded
	CommitDate               string `json:"date,omitempty"`   // of the commit, in UTC
	Modified                 bool   `json:"modified,omitempty"`
	GoVersion                string `json:"go_version"`
}

func versionOf(info *debug.BuildInfo) versionDocument {
	v := versionDocument{Version: version, VersionForTerraformTools: version, Platform: runtime.GOOS + "_" + runtime.GOARCH,
		GoVersion: runtime.Version()}
	if info == nil {
		return v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.time":
			v.CommitDate = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func (p *program) printVersion(asJSON bool) error {
	info, _ := debug.ReadBuildInfo()
	v := versionOf(info)
	if asJSON {
		return p.printJSON(v)
	}
	from := v.GoVersion
	if v.Commit != "" {
		from += ", commit " + v.Commit[:min(12, len(v.Commit))] + " of " + v.CommitDate
	}
	if v.Modified {
		from += ", modified"
	}
	_, err := fmt.Fprintf(p.stdout, "b2form v%s\non %s\nbuilt with %s\n", v.Version, v.Platform, from)
	return err
}

// printJSON prints one value, indented.
func (p *program) printJSON(v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stdout, string(visible.EscapeInvisibleInJSON(b)))
	return err
}

func checkNoArguments(c *cli.Command) error {
	if arg := c.Args().First(); arg != "" {
		return failf("Too many arguments", "%s takes no argument, but was given %q. Run %q for its options.", c.FullName(), arg,
			c.FullName()+" -help")
	}
	return nil
}
