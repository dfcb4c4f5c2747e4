package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v3"

	"b2form/internal/credentials"
	"b2form/internal/durable"
	"b2form/internal/planfile"
	"b2form/internal/report"
	"b2form/internal/trace"
	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/schema"
)

// A program is one run of b2form.
type program struct {
	system
	options
	foundCredentials credentials.Credentials // those in use
	stdinReader      *bufio.Reader           // over stdin, shared by everything that asks
	ui               ui                      // how this command speaks
	sourceFiles      map[string]*hcl.File    // sources that diagnostics may point into
	warningsWhenSet  hcl.Diagnostics         // of the configuration: each is for a plan that sets what it is about

	recorder  *report.Recorder // of what pipelines are told; nil: of nothing
	jsonFile  *jsonLinesFile   // of -json-into; nil: there is none
	savedPlan *planfile.File   // what apply is to carry out; nil: it makes a plan

	argsEnvVariables []string // variables that gave arguments

	trace        *trace.Recorder
	status       *statusLine // nil: there is none
	stopProgress func()      // nil: nobody is told of progress
	commandName  string      // "state list"

	// testAccount is the account that a test works on; nil: there is none. configDir is the folder of
	// the configuration; "": where the program works.
	testAccount    *localB2
	configDir      string
	testPolicyDirs []string // of the run of a test, beside others

	consoleEditor   lineEditor        // of the console; nil: lines are read as they come
	variableAnswers map[string]string // values of variables that were asked for
	untilInterrupt  context.Context   // ends with the first interrupt; nil: none is waited for yet
}

// exitCode ends the program with a code and without further words.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// run carries one command line out and returns the exit code.
func run(args []string, w system) int {
	out := &stdoutWriter{dest: w.stdout}
	w.stdout = out
	p := &program{system: w, stdinReader: bufio.NewReader(w.stdin), sourceFiles: map[string]*hcl.File{},
		variableAnswers: map[string]string{}}
	p.trace = trace.New(w.now, w.getenv("B2FORM_TRACE") != "")
	p.ui = p.textUI()
	root := p.rootCommand()
	args, err := p.withDefaultArgs(root, args)
	if err == nil {
		err = p.checkNoEmptyOption(root, args)
	}
	if err == nil {
		err = root.Run(context.Background(), args)
	}
	if p.stopProgress != nil {
		p.stopProgress()
	}
	diags := explainAsDiagnostics(err)
	hintAtSplitArgument(diags, args)
	p.ui.Diagnostics(diags, p.sourceFiles)
	// JSON lines go where nothing can be written.
	if unwritten := append(out.missingOutputError(), p.closeJSONFile()...); len(unwritten) > 0 {
		p.textUI().Diagnostics(unwritten, p.sourceFiles)
		diags = append(diags, unwritten...)
	}
	var code exitCode
	if diags.HasErrors() {
		code = 1
	} else {
		errors.As(err, &code)
	}
	p.finishReport(int(code))
	p.printTimings()
	p.writeTrace(int(code))
	return int(code)
}

// rootCommand is the whole command line.
func (p *program) rootCommand() *cli.Command {
	root := p.newCommand(&cli.Command{
		Name:      "b2form",
		Usage:     "Provision Backblaze B2 from HCL files",
		ArgsUsage: "COMMAND",
		Description: `b2form compares the files of a folder with the live account and carries out
what differs. Nothing needs to be initialised.

Example:
  b2form plan
  b2form apply

"b2form help environment" lists the environment variables that are read.

` + approvalCodes,
		Flags:  p.globalFlags(),
		Action: p.requireSubcommand,
	})
	root.Commands = []*cli.Command{
		p.initCommand(), p.validateCommand(), p.planCommand(), p.applyCommand(), p.destroyCommand(), p.rotateCommand(),
		p.driftCommand(), p.commentCommand(), p.adoptCommand(), p.migrateCommand(), p.exportCommand(), p.importCommand(), p.mintCommand(),
		p.proveCommand(),
		p.keysCommand(), p.whoamiCommand(),
		p.outputCommand(), p.showCommand(), p.stateCommand(), p.lockCommand(), p.fmtCommand(), p.testCommand(), p.consoleCommand(),
		p.graphCommand(), p.schemaCommand(), p.functionsCommand(), p.versionCommand(), p.emulatorCommand(), p.completionCommand(),
		p.helpCommand(), p.hiddenCompleteCommand(),
	}
	root.Commands = append(root.Commands, p.terraformHintCommands()...)
	return root
}

// newCommand completes what all commands share: help, errors of usage, and where
// to write.
func (p *program) newCommand(c *cli.Command) *cli.Command {
	act := c.Action
	c.HideHelp = true
	c.Writer, c.ErrWriter = p.stdout, p.stderr
	c.ExitErrHandler = func(context.Context, *cli.Command, error) {}
	c.OnUsageError = p.usageError
	c.Action = func(ctx context.Context, c *cli.Command) error {
		if p.helpWanted {
			p.printHelp(c)
			return nil
		}
		if p.versionWanted {
			return p.printVersion(p.json)
		}
		if c != c.Root() {
			p.commandName = strings.TrimPrefix(c.FullName(), c.Root().Name+" ")
			if err := p.applyGlobalOptions(); err != nil {
				return err
			}
		}
		if c.ArgsUsage == "" && !c.SkipFlagParsing {
			if err := checkNoArguments(c); err != nil {
				return err
			}
		}
		return act(ctx, c)
	}
	return c
}

// applyGlobalOptions makes the global options good, before the command itself begins.
func (p *program) applyGlobalOptions() error {
	p.status = p.statusLineIfAny()
	p.ui = p.textUI()
	p.warnIgnoredTerraformEnvironment()
	if p.workDir != "" {
		if err := p.chdir(p.workDir); err != nil {
			return failf("Folder cannot be entered", "-chdir=%s: %s. Give the folder that holds the *.b2.hcl files.", p.workDir,
				words.ErrorWithoutPath(err))
		}
	}
	return p.readVarFilePipes()
}

// readVarFilePipes reads the value files that are pipes of the shell, once: the configuration is loaded
// several times. An interrupt still ends the program at once.
func (p *program) readVarFilePipes() error {
	for i, v := range p.vars {
		info, err := os.Stat(v.VarFile)
		isPipe := v.VarFile == "/dev/stdin" || strings.HasPrefix(v.VarFile, "/dev/fd/") || strings.HasPrefix(v.VarFile, "/proc/self/fd/")
		if v.VarFile == "" || !isPipe || err != nil || info.Mode().IsRegular() || info.IsDir() {
			continue // loading the configuration says what is wrong
		}
		f, err := os.Open(v.VarFile)
		if err == nil {
			p.vars[i].VarFileContent, err = durable.ReadAll(f, mostFileBytes)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			return failf("Unreadable file", "%s cannot be read: %s.", visible.EscapeLine(v.VarFile), words.ErrorWithoutPath(err))
		}
	}
	return nil
}

// homeDir is the home folder of whoever runs the program; "": none is known.
func (p *program) homeDir() string { return cmp.Or(p.getenv("HOME"), p.getenv("USERPROFILE")) }

// failf is an error for people.
func failf(summary, detail string, args ...any) error {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...)}}
}

func (p *program) usageError(_ context.Context, c *cli.Command, err error, _ bool) error {
	text := err.Error()
	more := fmt.Sprintf("Run %q for all options.", c.FullName()+" -help") + p.argsSourceHint()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		hint := words.DidYouMean(name, "-", flagNamesWithParents(c))
		if answer := terraformOptionHint(name); answer != "" {
			hint = " " + answer
		}
		return failf("Unknown option -"+name, "%s has no option -%s.%s %s", c.FullName(), name, hint, more)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: "); ok {
		return failf("Value missing", "The option %s needs a value, as in %s=VALUE. %s", name, name, more)
	}
	if at := strings.LastIndex(text, " for flag -var: "); at >= 0 { // before that the library repeats the value, which may be secret
		text = "invalid value" + text[at:]
	}
	// The library puts its own words and those of strconv around a value.
	text, _, _ = strings.Cut(text, ": strconv.")
	text = strings.TrimSuffix(strings.TrimSuffix(text, ": parse error"), ".")
	return failf("Invalid command line", "%s. %s", words.CapitalizeUnlessName(strings.Replace(text, "for flag -", "for option -", 1)), more)
}

// requireSubcommand is the action of what only has commands below it.
func (p *program) requireSubcommand(_ context.Context, c *cli.Command) error {
	if name := c.Args().First(); name != "" {
		return unknownCommandError(c, name)
	}
	p.printHelp(c)
	return exitCode(1)
}

func unknownCommandError(c *cli.Command, name string) error {
	var names []string
	for _, sub := range c.Commands {
		names = append(names, sub.Name)
	}
	hint := strings.TrimPrefix(words.DidYouMean(name, "", names)+" ", " ")
	isPage := slices.ContainsFunc(view.ReferencePages(schema.Kinds()), func(page view.ReferencePage) bool { return page.Name == name })
	if c == c.Root() && isPage {
		hint = fmt.Sprintf("\"b2form schema %s\" prints the page about it. ", name)
	} else if answer := foreignCommandHint(name); answer != "" && c == c.Root() {
		hint = answer + " "
	}
	return failf(fmt.Sprintf("There is no command %q", strings.TrimSpace(strings.TrimPrefix(c.FullName(), "b2form")+" "+name)),
		"%sRun %q for all commands.", hint, c.FullName()+" -help")
}

func flagNamesWithParents(c *cli.Command) []string {
	var names []string
	for _, within := range c.Lineage() {
		for _, f := range within.Flags {
			names = append(names, f.Names()[0])
		}
	}
	return names
}

// textUI is the ui for people on the screen at hand.
func (p *program) textUI() view.TextUI {
	return view.TextUI{Out: p.status.above(p.stdout), Err: p.status.above(p.stderr), Style: p.outputStyle(), Verbose: p.verbose,
		CompactWarnings: p.compactWarnings, Fold: p.findTextFoldFunc(),
		ShowHints: p.getenv("TF_IN_AUTOMATION") == "" && !p.quiet, Quiet: p.quiet, HideProgress: p.hideProgress}
}

// printResult writes a sentence as a result, tell one beside the results.
func (p *program) printResult(format string, args ...any) {
	fmt.Fprintln(p.stdout, view.Wrap(fmt.Sprintf(format, args...), p.outputStyle().Width))
}

func (p *program) printToStderr(text string) {
	fmt.Fprintln(p.stderr, view.Wrap(text, p.outputStyle().ErrWidth))
}
