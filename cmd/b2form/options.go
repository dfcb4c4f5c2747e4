package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/urfave/cli/v3"

	"b2form/internal/view"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// options are the values of flags that several commands share. What a command does
// not offer keeps its zero value.
type options struct {
	reportOptions

	workDir       string // -chdir
	noColor       bool
	helpWanted    bool
	versionWanted bool

	vars                     []schema.VariableValue // -var and -var-file, in the order given
	json                     bool
	verbose                  bool
	quiet                    bool // -q
	timings                  bool
	hideProgress             bool
	compactWarnings          bool
	jsonIntoPath             string
	allowInput               bool     // -input
	filesRoot                string   // -root
	policyDirs               []string // -policy, in the order given
	allowNoConfig            bool     // the command works in a folder without configuration
	endpoint                 string
	useEmulator              bool
	parallelism              int
	lockTimeout              time.Duration
	takeLock                 bool
	profile                  string
	allowImportsOfUndeclared bool // import blocks may name what nobody declares
}

// runOptions are those of plan, apply, destroy and rotate. Each command has its own,
// and binds the flags that it offers.
type runOptions struct {
	detailedExitCode   bool
	autoApprove        bool
	allowImports       bool
	showSecrets        bool
	replace            []addr.Addr
	rotate             []addr.Addr
	allowedHazards     []kind.HazardKind
	liftedLimits       []string    // limits that do not hold
	destroy            bool        // plan the end of everything
	refreshOnly        bool        // plan what the state is to be told
	target             []addr.Addr // see plan.Request
	exclude            []addr.Addr
	showCapabilities   bool           // print what a plan takes
	expectedDigest     *plan.Digest   // nil: any plan
	needsDigest        bool           // of the plan
	outPath            string         // where the plan is saved; "": nowhere
	onlyImport         *config.Import // the only thing to do; nil: everything
	generateConfigPath string         // where blocks go that import blocks name and nobody declares
}

// purpose is what plan and apply plan.
func (o *runOptions) purpose() view.PlanPurpose {
	switch {
	case o.destroy:
		return view.Destroying
	case o.refreshOnly:
		return view.Refreshing
	}
	return view.Planning
}

// checkExclusiveOptions refuses options that exclude each other.
func (o *runOptions) checkExclusiveOptions() error {
	for _, a := range o.target {
		if slices.Contains(o.exclude, a) {
			return failf("Invalid command line", "-target=%s and -exclude=%s contradict each other: give one of them.", a, a)
		}
	}
	switch {
	case o.destroy && len(o.replace) > 0:
		return failf("Incompatible plan mode options", "-replace makes an object anew, and -destroy destroys all: give one of them.")
	case !o.refreshOnly:
		return nil
	case o.destroy:
		return failf("Incompatible plan mode options", "The -destroy and -refresh-only options are mutually-exclusive.")
	case len(o.replace) > 0:
		return failf("Incompatible plan mode options", "-replace replaces an object, and -refresh-only changes none: give one of them.")
	}
	return nil
}

func (p *program) globalFlags() []cli.Flag {
	o := &p.options
	return []cli.Flag{
		&cli.StringFlag{Name: "chdir", Usage: "work in the folder `DIR`", Destination: &o.workDir},
		&cli.BoolFlag{Name: "input", Value: true, Usage: "with `false`, never ask for anything", Destination: &o.allowInput},
		&cli.BoolFlag{Name: "q", Usage: "print results (plans are results), warnings and errors only", Destination: &o.quiet},
		&cli.BoolFlag{Name: "timings", Usage: "print at the end where the run spent its time, and its requests", Destination: &o.timings},
		&cli.BoolFlag{Name: "no-color", Usage: "never use colours (NO_COLOR does the same)", Destination: &o.noColor},
		&cli.GenericFlag{Name: "help", Aliases: []string{"h"}, Usage: "show this help", Value: boolFlag{&o.helpWanted}},
		&cli.BoolFlag{Name: "version", Aliases: []string{"v"}, Usage: "show the version", Destination: &o.versionWanted},
	}
}

// configFlags are those of every command that reads the configuration.
func (p *program) configFlags() []cli.Flag {
	o := &p.options
	return []cli.Flag{
		&cli.GenericFlag{Name: "var", Usage: "give a variable a value, as `'NAME=VALUE'`; repeatable",
			Value: funcFlag{func(s string) error {
				name, value, ok := strings.Cut(s, "=")
				switch trimmed := strings.TrimSpace(name); {
				case !ok && hclsyntax.ValidIdentifier(trimmed):
					return fmt.Errorf("%q has no equals sign; write it like -var 'site=acme'", trimmed)
				case !ok || trimmed == "": // what there is may be a value
					return errors.New("what is given has no name with an equals sign; write it like -var 'site=acme'")
				case trimmed != name: // the value may begin with a space by intent
					return fmt.Errorf("the name %q has a space before or after it; write it like -var '%s=…', without spaces around "+
						"the equals sign", name, trimmed)
				}
				o.vars = append(o.vars, schema.VariableValue{Name: name, Value: value})
				return nil
			}}},
		&cli.GenericFlag{Name: "var-file", Usage: "read values of variables from `FILE`; repeatable",
			Value: funcFlag{func(s string) error {
				o.vars = append(o.vars, schema.VariableValue{VarFile: s})
				return nil
			}}},
		&cli.StringFlag{Name: "root", Usage: "let files be read below `DIR`, instead of the git work tree (B2FORM_ROOT does the same)",
			Destination: &o.filesRoot},
	}
}

func (p *program) jsonFlag(usage string) cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: usage, Destination: &p.json}
}

// accountFlags are those of every command that speaks to B2.
func (p *program) accountFlags() []cli.Flag {
	o := &p.options
	return []cli.Flag{
		&cli.StringFlag{Name: "endpoint", Usage: "realm name or root `URL` of the native API (default: B2_ENDPOINT, else production)",
			Destination: &o.endpoint},
		&cli.StringFlag{Name: "profile", Destination: &o.profile,
			Usage: "use the profile `NAME` of the b2 command, or rclone:REMOTE of rclone (B2_PROFILE does the same)"},
		p.emulatorFlag(),
		&cli.IntFlag{Name: "parallelism", Value: 10, Usage: "at most `N` requests at once, beside those that try new keys",
			Destination: &o.parallelism, Validator: checkAtLeastOne},
	}
}

func (p *program) emulatorFlag() cli.Flag {
	return &cli.BoolFlag{Name: "emulator", Usage: "work on the emulator, kept in .b2form/emulator; nothing real is touched",
		Destination: &p.useEmulator}
}

// lockFlags are those of every command that changes the state.
func (p *program) lockFlags() []cli.Flag {
	return []cli.Flag{
		durationFlag("lock-timeout", "wait `DURATION`, such as 30s, for another run to end", &p.lockTimeout),
		&cli.BoolFlag{Name: "lock", Value: true, Usage: "with `false`, take no lock: only when nobody else can be working",
			Destination: &p.takeLock},
	}
}

// unusedLockFlags are those that people give to plan, which takes no lock.
func (p *program) unusedLockFlags() []cli.Flag {
	return []cli.Flag{
		durationFlag("lock-timeout", "accepted as in Terraform, with any `DURATION`: plan takes no lock", &p.lockTimeout),
		&cli.BoolFlag{Name: "lock", Value: true, Usage: "accepted as in Terraform, also with `false`: plan takes no lock",
			Destination: &p.takeLock},
	}
}

// accountChangeFlags are those of every command that changes the account.
func (p *program) accountChangeFlags(o *runOptions) []cli.Flag {
	return slices.Concat(p.lockFlags(), p.planDisplayFlags(), p.reportFlags(), p.notifyFlags(), []cli.Flag{
		&cli.BoolFlag{Name: "auto-approve", Usage: "do not ask; some hazards also need -allow", Destination: &o.autoApprove},
		&cli.GenericFlag{Name: "allow", Usage: "with -auto-approve, carry out the hazards in `LIST`: " +
			strings.Join(syntax.HazardNames(true), ", ") + "; " + words.JoinAnd(syntax.HazardNames(false)) + " are only shown",
			Value: funcFlag{o.allowHazards}},
		o.allowOverFlag(), p.policyFlag(),
		p.planVerboseFlag(),
	})
}

// verboseFlag is that of every command that folds what it shows.
func (p *program) verboseFlag(usage string) cli.Flag {
	return &cli.BoolFlag{Name: "verbose", Usage: usage, Destination: &p.verbose}
}

func (p *program) planVerboseFlag() cli.Flag {
	return p.verboseFlag("show every object and every capability, also where many are alike")
}

func (o *runOptions) destroyFlag() cli.Flag {
	return &cli.BoolFlag{Name: "destroy", Usage: "plan the end of everything that b2form owns here", Destination: &o.destroy}
}

func (o *runOptions) refreshOnlyFlag() cli.Flag {
	return &cli.BoolFlag{Name: "refresh-only", Usage: "plan only what the state is told of changes outside of b2form",
		Destination: &o.refreshOnly}
}

func (o *runOptions) targetAndExcludeFlags() []cli.Flag {
	return []cli.Flag{
		addressesFlag("target", "plan only the resource, instance or module at `ADDRESS` and what it needs; repeatable", &o.target),
		addressesFlag("exclude", "leave out what is at `ADDRESS` and what needs it; repeatable", &o.exclude),
	}
}

func addressesFlag(name, usage string, to *[]addr.Addr) cli.Flag {
	return &cli.GenericFlag{Name: name, Usage: usage, Value: funcFlag{func(s string) error {
		a, err := parseAddress(s, addr.ParseTarget)
		*to = append(*to, a)
		return err
	}}}
}

func (o *runOptions) replaceFlag() cli.Flag {
	return addressesFlag("replace", "replace the key, or all keys of the resource or module, at `ADDRESS` even if nothing differs; "+
		"repeatable", &o.replace)
}

func (o *runOptions) allowHazards(list string) error {
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		i := slices.IndexFunc(kind.HazardKinds(), func(h kind.HazardKind) bool { return h.AllowFlagValue() == name })
		if i < 0 { // one that needs no -allow is known, but not named in the error
			return checkKnownName(name, "hazard", syntax.HazardNames(true))
		}
		o.allowedHazards = append(o.allowedHazards, kind.HazardKinds()[i])
	}
	return nil
}

// addKnownNames takes the names of a list with commas between, all of which must be known. noun is what one names.
func addKnownNames(list, noun string, known []string, add func(name string)) error {
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if err := checkKnownName(name, noun, known); err != nil {
			return err
		}
		add(name)
	}
	return nil
}

func checkKnownName(name, noun string, known []string) error {
	if !slices.Contains(known, name) {
		return fmt.Errorf("there is no %s %q; they are %s", noun, name, words.JoinAnd(known))
	}
	return nil
}

// funcFlag is a flag that may be repeated: a function called with every value.
type funcFlag struct{ set func(string) error }

// Set takes one value.
func (e funcFlag) Set(s string) error { return e.set(s) }

// Get has nothing to give: the values are with the function.
func (e funcFlag) Get() any { return nil }

// String is the default: none.
func (e funcFlag) String() string { return "" }

// listFlag is a flag that may be repeated, whose values are taken as they are.
func listFlag(name, usage string, to *[]string) cli.Flag {
	return &cli.GenericFlag{Name: name, Usage: usage, Value: funcFlag{func(s string) error { *to = append(*to, s); return nil }}}
}

func durationFlag(name, usage string, to *time.Duration) cli.Flag {
	return &cli.GenericFlag{Name: name, Usage: usage, Value: funcFlag{func(s string) error {
		d, ok := words.ParseDuration(s)
		if !ok {
			return fmt.Errorf("that is no duration; %s", words.Durations)
		}
		*to = d
		return nil
	}}}
}

func checkAtLeastOne(n int) error {
	if n < 1 {
		return fmt.Errorf("%d is less than 1", n)
	}
	return nil
}

// boolFlag is a flag without value. The library shows its own help for a boolean
// flag of the name "help"; it takes no notice of this one.
type boolFlag struct{ on *bool }

// Set takes "true" or "false".
func (t boolFlag) Set(s string) (err error) { *t.on, err = strconv.ParseBool(s); return err }

// Get has nothing to give: the value is where it points.
func (t boolFlag) Get() any { return nil }

// String is the default.
func (t boolFlag) String() string { return "false" }

// IsBoolFlag says that no value follows.
func (t boolFlag) IsBoolFlag() bool { return true }
