package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/internal/words"
)

// withDefaultArgs puts the options that the environment gives in front of those that follow the command.
// B2FORM_CLI_ARGS is for all commands: what this one does not have, and another one has, is left out.
func (p *program) withDefaultArgs(root *cli.Command, args []string) ([]string, error) {
	at, path, end := commandIn(root, args)
	if at == root || at.Name == completeName {
		return args, nil
	}
	own := strings.ReplaceAll(strings.Join(path, "_"), "-", "_")
	all, err := splitEnvArgs("B2FORM_CLI_ARGS", p.getenv("B2FORM_CLI_ARGS"))
	if err != nil {
		return nil, err
	}
	more, err := splitEnvArgs("B2FORM_CLI_ARGS_"+own, p.getenv("B2FORM_CLI_ARGS_"+own))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"B2FORM_CLI_ARGS", "B2FORM_CLI_ARGS_" + own} {
		if p.getenv(name) != "" {
			p.argsEnvVariables = append(p.argsEnvVariables, name)
		}
	}
	return slices.Concat(args[:end], withoutOtherCommandsOptions(root, at, all), more, args[end:]), nil
}

// commandIn finds the command that a line is for, its names, and where its own arguments begin.
func commandIn(root *cli.Command, args []string) (at *cli.Command, path []string, end int) {
	at, end = root, 1
	for i := 1; i < len(args); i++ {
		if strings.HasPrefix(args[i], "-") {
			i += followingValueCount(findFlag(root, at, optionName(args[i])), args[i])
			continue
		}
		next := at.Command(args[i])
		if next == nil {
			break
		}
		at, path, end = next, append(path, args[i]), i+1
	}
	return at, path, min(end, len(args))
}

// checkNoEmptyOption refuses an option that is given an empty value, as by a variable of the shell that is not set: most mean
// something else without one, -chdir= another folder. No option has a meaning for it.
func (p *program) checkNoEmptyOption(root *cli.Command, args []string) error {
	at, path := root, []string{root.Name}
	for i := 1; i < len(args) && !at.SkipFlagParsing && args[i] != "--"; i++ {
		if !strings.HasPrefix(args[i], "-") {
			if next := at.Command(args[i]); next != nil {
				at, path = next, append(path, next.Name)
			}
			continue
		}
		name, value, given := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		f := findFlag(root, at, name)
		if i+1 < len(args) && followingValueCount(f, args[i]) > 0 {
			i++
			value, given = args[i], true
		}
		if f != nil && given && value == "" {
			return failf("Invalid command line", "Invalid value \"\" for option -%s: it is empty, as of a variable of the shell that is "+
				"not set. Run %q for all options.%s", name, strings.Join(path, " ")+" -help", p.argsSourceHint())
		}
	}
	return nil
}

// isBoolFlag reports whether an option needs no value: one can only follow an equals sign.
func isBoolFlag(f cli.Flag) bool {
	if g, ok := f.(*cli.GenericFlag); ok {
		_, ok = g.Value.(boolFlag)
		return ok
	}
	_, ok := f.(*cli.BoolFlag)
	return ok
}

func optionName(arg string) string {
	name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	return name
}

// followingValueCount is how many arguments behind an option are its value.
func followingValueCount(f cli.Flag, arg string) int {
	if f != nil && !isBoolFlag(f) && !strings.Contains(arg, "=") {
		return 1
	}
	return 0
}

// withoutOtherCommandsOptions are the arguments without options that the command does not have, though another one does.
func withoutOtherCommandsOptions(root, at *cli.Command, args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		if name := optionName(args[i]); strings.HasPrefix(args[i], "-") && findFlag(root, at, name) == nil {
			if other := findFlagAnywhere(root, name); other != nil {
				i += followingValueCount(other, args[i])
				continue
			}
		}
		out = append(out, args[i])
	}
	return out
}

// findFlagAnywhere finds an option of whatever command; nil: none has it.
func findFlagAnywhere(c *cli.Command, name string) cli.Flag {
	if f := findFlag(c, c, name); f != nil {
		return f
	}
	for _, sub := range c.Commands {
		if f := findFlagAnywhere(sub, name); f != nil {
			return f
		}
	}
	return nil
}

// splitEnvArgs splits what a variable gives as a shell would.
func splitEnvArgs(name, text string) ([]string, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	list, _, quote := splitShellLine(strings.TrimSpace(text))
	if quote != 0 {
		return nil, failf("Environment variable cannot be read", "In %s a quotation mark %c is not closed. Arguments are separated by "+
			"spaces; quote those with spaces, as in -var 'site=acme photos'.", name, quote)
	}
	return list, nil
}

// hintAtSplitArgument says of errors that quote a part of an argument why it is in parts: "-out=b2.plan" without quotes reaches
// programs as "-out=b2" and ".plan" (PowerShell/PowerShell#6291). No value is repeated, as it may be a secret.
func hintAtSplitArgument(diags hcl.Diagnostics, args []string) {
	for i := 2; i < len(args); i++ {
		_, value, given := strings.Cut(args[i-1], "=")
		if !given || !strings.HasPrefix(args[i-1], "-") || !strings.HasPrefix(args[i], ".") {
			continue
		}
		for _, d := range diags {
			text := d.Summary + d.Detail
			if d.Subject == nil && (strings.Contains(text, strconv.Quote(args[i])) || strings.Contains(text, strconv.Quote(value))) {
				d.Detail += fmt.Sprintf(" PowerShell splits an argument that begins with a dash at its first period: put the whole of it "+
					"into quotes, as in \"-%s=…\".", optionName(args[i-1]))
				return
			}
		}
	}
}

// argsSourceHint says where arguments come from beside the command line.
func (p *program) argsSourceHint() string {
	if len(p.argsEnvVariables) == 0 {
		return ""
	}
	return " Arguments also come from " + words.JoinAnd(p.argsEnvVariables) + "."
}
