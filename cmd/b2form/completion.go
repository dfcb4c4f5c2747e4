package main

import (
	"context"

	"github.com/urfave/cli/v3"
)

// completion gives the library's own completion command our help.
func (p *program) completion(c *cli.Command) {
	c.Hidden = false
	c.Usage = "Print a completion script for a shell"
	c.ArgsUsage = "bash|zsh|fish|pwsh"
	c.Description = `Source the script to complete commands and options with the tab key.

Example:
  source <(b2form completion bash)                                       # in ~/.bashrc
  source <(b2form completion zsh)                                        # in ~/.zshrc
  b2form completion fish > ~/.config/fish/completions/b2form.fish
  b2form completion pwsh > b2form.ps1                                    # then run it

` + exitCodes
	c.Action = func(_ context.Context, c *cli.Command) error {
		if name := c.Args().First(); name != "" {
			return unknownCommand(c, name)
		}
		p.help(c)
		return exitCode(1)
	}
	p.command(c)
	for _, shell := range c.Commands {
		shell.Description = "Example:\n  b2form completion " + shell.Name + "\n\n" + exitCodes
		p.command(shell)
	}
}
