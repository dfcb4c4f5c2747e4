package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"
)

// terraformHintCommands are commands that people know from Terraform and that b2form does not
// need or does otherwise. Each answers in one line: with success where nothing
// is missing, with an error where an effect would be expected.
func (p *program) terraformHintCommands() []*cli.Command {
	return []*cli.Command{
		p.terraformHintCommand("refresh", "Not needed: every plan reads the live account", 0,
			"b2form needs no refresh: every plan reads the live account, and the state holds no settings. \"b2form apply -refresh-only\" "+
				"tells it what changed outside."),
		p.terraformHintCommand("get", "Not needed: there is nothing to download", 0,
			"b2form needs no get: modules are local folders."),
		p.terraformHintCommand("providers", "Not needed: there are no plugins", 0,
			"b2form has no providers: Backblaze B2 is built in."),
		p.terraformHintCommand("login", "Not needed: credentials are found where they are", 0,
			"b2form needs no login: it finds the credentials of the environment, of a secret store and of other tools. \"b2form "+
				"whoami\" says which it uses."),
		p.terraformHintCommand("logout", "Not needed: b2form keeps no credentials", 0,
			"b2form needs no logout: it keeps no credentials."),
		p.terraformHintCommand("modules", "Not needed: modules are local folders", 0,
			"b2form keeps no list of modules: each module block names its folder."),
		p.terraformHintCommand("metadata", "Use functions -json or schema -json", 1,
			"b2form prints its functions with \"b2form functions -json\" and its language with \"b2form schema -json\"."),
		p.terraformHintCommand("taint", "Use apply -replace", 1,
			"b2form marks nothing: run \"b2form apply -replace=ADDRESS\" to replace a key."),
		p.terraformHintCommand("untaint", "Not available: nothing is ever tainted", 1,
			"b2form marks nothing as tainted: what \"b2form apply -replace=ADDRESS\" does is decided in that run."),
		p.terraformHintCommand("force-unlock", "Use lock -break", 1,
			"b2form shows who holds the lock with \"b2form lock\" and removes that of a shared state with \"b2form lock -break\"; "+
				"\"b2form apply -lock-timeout=5m\" waits for it."),
		p.terraformHintCommand("workspace", "Not available: use one folder per environment", 1, noWorkspaces+
			" Or keep a state for each value of a variable: backend \"b2\" { prefix = \"${var.env}/\" } with -var env=prod."),
	}
}

const noWorkspaces = "b2form has no workspaces: keep one folder per environment and choose it with -chdir."

// answerHelpOrVersion answers -help and -version of a command whose flags are not parsed, where
// they are asked for.
func (p *program) answerHelpOrVersion(c *cli.Command) (asked bool, err error) {
	for _, arg := range c.Args().Slice() {
		switch arg {
		case "-h", "-help", "--help":
			p.printHelp(c)
			return true, nil
		case "-v", "-version", "--version":
			return true, p.printVersion(false)
		}
	}
	return false, nil
}

func (p *program) terraformHintCommand(name, usage string, code int, answer string) *cli.Command {
	return p.newCommand(&cli.Command{
		Name: name, Usage: usage, Hidden: true, SkipFlagParsing: true,
		Description: answer + "\n\nExample:\n  b2form " + name + "\n\nExit codes:\n  " + fmt.Sprint(code) + "  always",
		Action: func(_ context.Context, c *cli.Command) error {
			if asked, err := p.answerHelpOrVersion(c); asked {
				return err
			}
			if code == 0 {
				p.printResult("%s", answer)
				return nil
			}
			p.printToStderr(answer)
			return exitCode(code)
		},
	})
}

// terraformOptionHint says what to do instead of an option of Terraform's; "" for any
// other.
func terraformOptionHint(name string) string {
	switch name {
	case "refresh-only":
		return "\"b2form plan -refresh-only\" shows what changed outside, and \"b2form apply -refresh-only\" tells the state."
	case "refresh":
		return "Every plan reads the live account, in two round trips, and the state holds no setting that could be refreshed."
	case "lock", "lock-timeout":
		return "It takes no lock, since it changes nothing; apply, destroy and rotate have that option."
	case "state", "state-out", "backup":
		return "Say where the state is in the b2form block: backend \"local\" { path = \"…\" }."
	case "backend-config", "reconfigure", "migrate-state":
		return "A backend block may use variables; \"b2form state migrate\" moves the state to where the configuration keeps it now."
	case "generate-config-out":
		return "\"b2form plan\" has it: it writes the blocks, and says what apply would do."
	case "upgrade", "get", "plugin-dir", "from-module":
		return "There are no plugins, and modules are local folders."
	}
	return ""
}

// foreignCommandHint says which command does what a word of other programs stands for; ""
// for any other word.
func foreignCommandHint(name string) string {
	switch name {
	case "lint", "check", "verify", "test-config":
		return "\"b2form validate\" checks the configuration, and \"b2form keys\" looks over the live keys."
	case "list", "ls", "inventory":
		return "\"b2form state list\" lists what b2form owns, and \"b2form keys\" the live keys."
	case "dump", "get-zones", "inspect":
		return "\"b2form adopt\" writes configuration for what exists; \"b2form output -json\" prints the outputs, and \"b2form state " +
			"pull\" the state."
	case "diff", "preview", "drift", "dry-run", "status":
		return "\"b2form plan\" compares the configuration with the live account."
	case "up", "deploy", "create", "update", "push":
		return "\"b2form apply\" makes the account match the configuration."
	case "down", "delete", "remove", "rm":
		return "Remove the block and run \"b2form apply\"; \"b2form destroy\" deletes everything, \"b2form state rm\" forgets."
	case "mv", "rename", "move":
		return "Write a moved block, or use \"b2form state mv\"."
	case "capabilities":
		return "\"b2form plan -capabilities\" prints which ones a run needs."
	case "unlock":
		return "\"b2form lock -break\" removes the lock of a shared state."
	case "format":
		return "\"b2form fmt\" rewrites files in the usual style."
	case "convert":
		return "\"b2form migrate\" carries a configuration over from Terraform, and \"b2form export\" prints one for it."
	case "repl", "eval":
		return "\"b2form console\" evaluates expressions."
	case "env", "environment":
		return "\"b2form help environment\" lists the environment variables that are read."
	}
	return ""
}
