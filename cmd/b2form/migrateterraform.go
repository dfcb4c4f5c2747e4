package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"b2form/internal/durable"
	"b2form/internal/state"
	"b2form/internal/terraform"
	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/schema"
	"b2form/schema/addr"
	"b2form/schema/folder"
	"b2form/schema/functions"
)

func (p *program) migrateCommand() *cli.Command {
	var stateName string
	var check bool
	return p.newCommand(&cli.Command{
		Name: "migrate", Usage: "Carry a configuration and its state over from Terraform", ArgsUsage: "[DIR]",
		Description: `Reads the *.tf, *.tf.json and *.tfvars files of a folder, those of the local
modules that it calls, and the state, and writes a *.b2.hcl file beside each and
a state of b2form. The files of Terraform stay as they are, no file is replaced,
and B2 is not asked. What cannot be carried over is listed and stands commented
out where it was; resources of other providers stay in their files. Where
Terraform keeps the state in a backend, hand it in.

Example:
  b2form migrate -check
  b2form migrate infra
  terraform state pull | b2form migrate -state=-

` + exitCodes,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "check", Usage: "only report, and write nothing", Destination: &check},
			&cli.StringFlag{Name: "state", Destination: &stateName,
				Usage: "read the state from `FILE`, - for standard input, " + noState + " to find what exists by its name " +
					"(default: " + terraformState + " in DIR)"},
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			if n := c.Args().Len(); n > 1 {
				return failf("Too many arguments", "migrate takes one folder, and here are %d words.", n)
			}
			return p.migrate(ctx, c.Args().First(), stateName, check)
		},
	})
}

// migrate works in the folder dir.
func (p *program) migrate(ctx context.Context, dir, stateFlagValue string, checkOnly bool) error {
	workspace := p.terraformWorkspace(dir, stateFlagValue)
	source, err := p.readTerraformStateIfAny(dir, stateFlagValue, workspace)
	if err != nil {
		return err
	}
	if dir != "" {
		if err := p.chdir(dir); err != nil {
			return failf("Folder cannot be entered", "%s: %s. Give the folder that holds the *.tf files.", dir, words.ErrorWithoutPath(err))
		}
	}
	r := terraform.Request{Kinds: schema.Kinds(), ReadFiles: p.readTerraformFiles, State: source, Now: p.now(),
		HasFunction: isUsableFunctionFunc(), Workspace: workspace, SHA1OfFile: p.sha1OfFileFunc()}
	if r.BackupsToSearch, err = readTerraformStateBackups(); err != nil {
		return err
	}
	result, err := terraform.Migrate(r)
	if err != nil {
		return err
	}
	if len(result.Files) == 0 && len(result.NotCarriedOver) == 0 {
		return failf("Nothing to carry over", "No *.tf file here has a resource of the provider for Backblaze B2. Name the folder: b2form "+
			"migrate DIR.")
	}
	if stateFlagValue == "" {
		if err := p.checkNoStateElsewhere(result, source != nil); err != nil {
			return err
		}
	}
	written, err := p.writeMigrated(ctx, result, checkOnly)
	if err != nil {
		return err
	}
	if dir != "" {
		p.printResult("In %s:", visible.EscapeLine(dir))
	}
	p.reportMigrated(result, written, source != nil, checkOnly)
	if checkOnly {
		return nil
	}
	return p.checkMigrated()
}

// readTerraformFiles reads the files of a folder that Terraform would read. Links are followed as far as they stay in the
// folder or in the git work tree around it: what is read is written anew, and may be committed.
func (p *program) readTerraformFiles(dir string) ([]terraform.Source, error) {
	within := folder.Folder{Dir: dir, ModuleDir: dir}
	if abs, err := filepath.Abs(dir); err == nil {
		within.ModuleDir = folder.WithoutLinks(abs)
		within.Dir = cmp.Or(folder.FindGitWorkTree(within.ModuleDir, p.homeDir()), within.ModuleDir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, failf("Folder cannot be read", "%s: %s. A module block names it, or the command line.", dir,
			words.ErrorWithoutPath(err))
	}
	var list []terraform.Source
	for _, e := range entries {
		if !terraform.IsConfigOrTfvars(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		if err != nil {
			return nil, failf("File cannot be read", "%s: %s.", path, words.ErrorWithoutPath(err))
		}
		if !info.Mode().IsRegular() {
			continue
		}
		text, err := within.ReadConfigFile(e.Name())
		switch {
		case errors.Is(err, folder.ErrOutside):
			return nil, failf("File cannot be read", "%s is a link that is absolute, or leads out of the folder and of the git work tree "+
				"around it. Put a copy of the file in its place.", path)
		case err != nil:
			return nil, failf("File cannot be read", "%s: %s.", path, words.ErrorWithoutPath(err))
		case len(text) > mostFileBytes:
			return nil, failf("File cannot be read", "%s is larger than %d MiB.", path, mostFileBytes>>20)
		}
		if !words.IsText(text) {
			return nil, failf("File cannot be read", "%s is not text in UTF-8.", path)
		}
		list = append(list, terraform.Source{Name: e.Name(), Text: text, Mode: info.Mode().Perm() | 0o600})
	}
	return list, nil
}

// mostFileBytes is how many bytes a file that others wrote has at most.
const mostFileBytes = 64 << 20

// isUsableFunctionFunc reports whether expressions may call a function, and get more than an error.
func isUsableFunctionFunc() func(name string) bool {
	all := functions.All(folder.Folder{}, nil)
	for _, name := range functions.ImpureNames() {
		delete(all, name)
	}
	return func(name string) bool { _, ok := all[name]; return ok }
}

// sha1OfFileFunc gives the SHA-1 of a file that a module of the configuration in this folder may read.
func (p *program) sha1OfFileFunc() func(moduleDir, path string) (string, error) {
	o := p.schemaOptions(schema.Kinds())
	o.Dir = cmp.Or(o.Dir, ".")
	boundary, _ := folder.NewBoundary(o.Dir, o.FilesRoot, o.HomeExcludedAsRoot) // checkMigrated tells what is wrong
	return func(moduleDir, path string) (string, error) {
		payload, err := folder.Folder{Dir: o.Dir, ModuleDir: moduleDir, WiderBoundary: boundary}.ReadPayload(path)
		if err != nil {
			return "", err
		}
		return payload.SHA1, nil
	}
}

// writeMigrated writes the files and the state, or nothing, and gives what was not there
// already. With check it finds that out alone.
func (p *program) writeMigrated(ctx context.Context, r *terraform.Result, checkOnly bool) (written *terraform.Result, err error) {
	if checkOnly {
		st, err := state.ReadOrEmpty(stateFile)
		if err != nil {
			return nil, err
		}
		return p.findNotYetWritten(r, st)
	}
	store, err := state.Open(ctx, stateFile, state.Options{Now: p.now, Sleep: p.sleep, Operation: "migrate", LockOwner: p.lockOwner()})
	if err != nil {
		return nil, err
	}
	defer func() { err = closeStore(store, err) }()
	if written, err = p.findNotYetWritten(r, store.State()); err != nil {
		return nil, err
	}
	if err := store.PutEntriesCloseIntents(written.Entries...); err != nil { // first: files without a state tell that it was moved
		return nil, err
	}
	for _, f := range written.Files {
		if err := writeNewWithMode(f); err != nil {
			return nil, failf("A file cannot be written", "%s: %s.", f.Path, words.ErrorWithoutPath(err))
		}
	}
	return written, nil
}

// findNotYetWritten finds what of the files and entries is not there yet. Something else in its
// place is an error.
func (p *program) findNotYetWritten(r *terraform.Result, st *state.State) (*terraform.Result, error) {
	missing := &terraform.Result{}
	for _, f := range r.Files {
		switch now, err := durable.ReadFile(f.Path, mostFileBytes); {
		case errors.Is(err, fs.ErrNotExist):
			missing.Files = append(missing.Files, f)
		case err != nil:
			return nil, failf("File cannot be read", "%s: %s.", f.Path, words.ErrorWithoutPath(err))
		case !bytes.Equal(now, f.Text):
			return nil, failf("A file exists already", "%s is there, and is not what would be written. Nothing was written. Move it away, "+
				"or delete it if it came from an earlier run.", f.Path)
		}
	}
	missing.Entries = slices.DeleteFunc(slices.Clone(r.Entries), func(e addr.StateEntry) bool {
		now, known := st.FindEntry(e.Addr)
		return known && now.ID == e.ID
	})
	if n := len(st.Entries); n > 0 && len(missing.Entries) > 0 {
		return nil, failf("There is a state already", "%s records %s, and nothing was written. Move it away to carry that of Terraform "+
			"over.", stateFile, words.Count(n, "object", "objects"))
	}
	if len(missing.Files) == 0 && len(missing.Entries) > 0 {
		return missing, p.checkB2formBackendIsLocal()
	}
	return missing, nil
}

// checkB2formBackendIsLocal refuses to write a state anew beside files of an earlier run that keep it elsewhere.
func (p *program) checkB2formBackendIsLocal() error {
	o := p.schemaOptions(schema.Kinds())
	o.AllowUnsetVariables, o.Ask = true, nil
	settings, _ := schema.LoadSettings(o) // what is wrong with them, the next command tells
	b := settings.Settings.Backend
	if b.Type == "" || b.Type == "local" {
		return nil
	}
	return failf("The state is elsewhere already", "All files are there already, and they keep the state by backend %q (%s:%d), so an "+
		"earlier run wrote it and `b2form state migrate` moved it there. Nothing was written: in %s it would not be read. To begin anew, "+
		"delete the files that were written.", b.Type, visible.EscapeLine(b.Range.Filename), b.Range.Start.Line, stateFile)
}

func writeNewWithMode(f terraform.File) error {
	if err := writeNewFile(f.Path, string(f.Text)); err != nil {
		return err
	}
	return os.Chmod(f.Path, f.Mode)
}

// checkMigrated loads what was written, and says what is wrong with it.
func (p *program) checkMigrated() error {
	o := p.schemaOptions(schema.Kinds())
	o.AllowUnsetVariables, o.Ask = true, nil
	config, diags := schema.Load(o)
	p.sourceFiles = config.Files
	if !diags.HasErrors() {
		return nil
	}
	p.printToStderr("What was written is not valid yet:")
	return diags
}

// reportMigrated says what was carried over, what of it was written, what was not carried
// over, and what to do next.
func (p *program) reportMigrated(r, written *terraform.Result, hadState, checkOnly bool) {
	did := map[bool]string{false: "Wrote", true: "Would write"}[checkOnly]
	for _, f := range r.Files {
		if path := visible.EscapeLine(f.Path); slices.ContainsFunc(written.Files, func(w terraform.File) bool { return w.Path == f.Path }) {
			p.printResult("%s %s", did, path)
		} else {
			p.printResult("%s is there already", path)
		}
	}
	if n := len(written.Entries); n > 0 {
		p.printResult("%s %s with %s", did, stateFile, words.Count(n, "object", "objects"))
	} else if n := len(r.Entries); n > 0 {
		p.printResult("%s records %s already", stateFile, words.Count(n, "object", "objects"))
	}
	p.printPlaces("Not carried over; it stands commented out where it was, or in the state only:", r.NotCarriedOver)
	p.printPlaces("Carried over with a difference:", r.ChangedMeaning)
	p.printPlaces("Stays in Terraform:", r.Staying)
	if len(r.Secrets) > 0 {
		p.printResult("\nSecrets stand in clear text in Terraform's states: whoever could read those has them. What replaces each:")
		for _, s := range r.Secrets {
			p.printResult("%s", visible.EscapeLine("  "+s.File+"  "+s.What+": "+s.HowToReplace))
		}
	}
	p.warnSensitiveValues(written.Files)
	if !hadState {
		p.printResult("\nNo state was read: what exists is found by its name, and b2form apply asks before it takes it over.")
	}
	if checkOnly {
		return
	}
	p.printNextSteps(r, hadState)
}

// warnSensitiveValues names the variables of which files hold secrets that git may have ignored so far: by *.tfvars.
func (p *program) warnSensitiveValues(files []terraform.File) {
	var list []string
	for _, f := range files {
		if len(f.SensitiveVariables) > 0 {
			list = append(list, visible.EscapeLine("  "+f.Path+": "+strings.Join(f.SensitiveVariables, ", ")))
		}
	}
	if len(list) > 0 {
		p.warn("Value files with secrets", fmt.Sprintf("These files hold secrets of these variables in clear text, as *.tfvars do:\n"+
			"%s\nLines that keep *.tfvars out of git do not match them. If they are not to be committed, add to .gitignore:\n"+
			"  *.b2vars.hcl\nOr give the values in the environment, as B2FORM_VAR_NAME, and delete them from the files.",
			strings.Join(list, "\n")))
	}
}

// printNextSteps says what to do next, and how Terraform forgets what is carried over.
func (p *program) printNextSteps(r *terraform.Result, hadState bool) {
	next := "Next: " + strings.Join(nextSteps(r), "; then ") + "."
	remains := func(l terraform.Place) bool { return l.File != r.RemoteState.File || l.Line != r.RemoteState.Line }
	if len(r.Staying) == 0 && !slices.ContainsFunc(r.NotCarriedOver, remains) {
		p.ui.Hint(next + " Then delete the files of Terraform, and its state with all backups: nothing else is in them.")
		return
	}
	next += " Then delete the blocks that were carried over from the files of Terraform"
	switch {
	case !hadState:
		p.ui.Hint(next + ", and let it forget their objects before it runs again: \"terraform state list\" names them, and " +
			"\"terraform state rm\" forgets them.")
		return
	case len(r.StateRemovals) == 0:
		p.ui.Hint(next + ".")
		return
	}
	next += ", and let it forget their objects before it runs again:"
	for _, a := range r.StateRemovals {
		next += "\n  terraform state rm '" + strings.ReplaceAll(visible.EscapeLine(a), "'", `'\''`) + "'"
	}
	p.ui.Hint(next)
}

// nextSteps is what is to be done with what was written, and what the first plan finds.
func nextSteps(r *terraform.Result) (steps []string) {
	if r.HasUnsetVariables {
		steps = append(steps, "give the variables above their values")
	}
	if r.KeepsStateInBucket && len(r.Entries) > 0 {
		steps = append(steps, "\"b2form state migrate\" moves the state into the bucket")
	}
	var finds []string
	if len(r.Entries) == 0 {
		finds = append(finds, "to take over what exists and create what does not")
	}
	if r.HasOutputs {
		finds = append(finds, "to record the outputs")
	}
	if r.UploadsChangedFiles {
		finds = append(finds, "to upload what changed in files, as listed above")
	}
	if r.ShowsNamesForIDs {
		finds = append(finds, "to set names where IDs were, as listed above")
	}
	if len(finds) == 0 {
		return append(steps, "\"b2form plan\", which should find nothing to do")
	}
	return append(steps, "\"b2form plan\", which should find nothing to do but "+strings.Join(finds, ", and "), "\"b2form apply\"")
}

func (p *program) printPlaces(title string, list []terraform.Place) {
	if len(list) == 0 {
		return
	}
	p.printResult("\n%s", title)
	for _, l := range list {
		at := l.File
		if l.Line > 0 {
			at += fmt.Sprintf(":%d", l.Line)
		}
		p.printResult("%s", visible.EscapeLine("  "+strings.TrimSuffix(at+"  "+l.Title+": "+l.Remark, ": ")))
	}
}
