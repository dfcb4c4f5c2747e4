package main

import (
	"cmp"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"b2form/internal/adopt"
	"b2form/internal/audit"
	"b2form/internal/emulator"
	"b2form/internal/state"
	"b2form/internal/view"
	"b2form/schema"
	"b2form/schema/config"
	"b2form/schema/functions"
	"b2form/schema/key"
	"b2form/schema/syntax"
)

// This file knows which values options and arguments of commands have, for
// completion.

// flagValueCandidates are the values of an option of a command. prefix is what of value stands before the part
// that they are for.
func (p *program) flagValueCandidates(command, name, value string) (prefix string, found []completionCandidate) {
	switch name {
	case "chdir", "data":
		return "", dirEntryCandidates(value, true)
	case "policy": // found from where b2form is started
		return "", dirEntryCandidates(value, false)
	case "root":
		p.enterWorkDir()
		return "", dirEntryCandidates(value, true)
	case "var-file", "out", "json-into", "secrets-from", "state", "junit-xml", "generate-config-out":
		p.enterWorkDir()
		return "", dirEntryCandidates(value, false)
	case "report":
		format, path, given := strings.Cut(value, "=")
		if given {
			return format + "=", dirEntryCandidates(path, false)
		}
		for _, name := range reportFormatNames() {
			found = append(found, completionCandidate{text: name + "="})
		}
	case "filter":
		p.enterWorkDir()
		paths, _ := testFilePaths()
		return "", textCandidates(paths...)
	case "var":
		for _, name := range variableNames(p.loadConfigOrEmpty()) {
			found = append(found, completionCandidate{text: name + "="})
		}
	case "replace":
		return "", p.secretAddrCandidates(func(*config.Resource) bool { return true })
	case "target", "exclude":
		return "", declaredAddrCandidates(p.loadConfigOrEmpty())
	case "bucket":
		for _, r := range p.loadConfigOrEmpty().Resources {
			if name := r.Value.GetAttr(r.Kind.IdentityAttr); r.Kind.Name == "bucket" && name.IsKnown() && !name.IsNull() {
				found = append(found, completionCandidate{name.AsString(), r.Addr.String()})
			}
		}
	case "allow":
		return commaListCandidates(value, syntax.HazardNames(true))
	case "finding":
		return commaListCandidates(value, findingNames())
	case "sort":
		return "", textCandidates(audit.SortColumns()...)
	case "layout":
		return "", textCandidates(adopt.Layouts()...)
	case "fold":
		return "", textCandidates("auto", "never")
	case "access":
		return "", textCandidates(key.AccessNames()...)
	case "format":
		if command == "graph" {
			return "", textCandidates(graphFormats()...)
		}
		return "", textCandidates(exportFormats()...)
	case "ci":
		return "", textCandidates(ciSystems()...)
	case "notify-on":
		return commaListCandidates(value, noticeOutcomes())
	case "unmanaged":
		return "", textCandidates(unmanagedModes()...)
	case "allow-writes", "input", "lock":
		return "", textCandidates("false")
	case "switch":
		for _, s := range emulator.AllSwitches() {
			found = append(found, completionCandidate{s.Name + strings.Repeat("=", min(1, len(s.ValuePlaceholder))), s.Doc})
		}
	}
	return "", found
}

// argumentCandidates are what a command takes beside options.
func (p *program) argumentCandidates(root, at *cli.Command, word string) (found []completionCandidate) {
	switch strings.TrimPrefix(at.FullName(), "b2form ") {
	case "rotate":
		return p.secretAddrCandidates(func(r *config.Resource) bool { _, ok := r.Kind.RotationOf(r.Value); return ok })
	case "destroy", "state list", "state show", "state rm", "state mv":
		return p.stateOrDeclaredAddrCandidates()
	case "import", "prove":
		return declaredAddrCandidates(p.loadConfigOrEmpty())
	case "output":
		for _, o := range p.loadConfigOrEmpty().Outputs {
			found = append(found, completionCandidate{text: o.Name})
		}
	case "schema":
		for _, page := range view.ReferencePages(schema.Kinds()) {
			found = append(found, completionCandidate{text: page.Name})
		}
	case "functions":
		for _, d := range functions.Docs() {
			found = append(found, completionCandidate{d.Name, d.Summary})
		}
	case "help":
		return append(commandCandidates(root), completionCandidate{environmentTopic, "Environment variables that are read"})
	case "apply", "show", "fmt", "state push", "state migrate":
		p.enterWorkDir()
		return dirEntryCandidates(word, false)
	}
	return found
}

// enterWorkDir goes where -chdir leads. If that is nowhere, nothing is found there.
func (p *program) enterWorkDir() {
	if p.workDir != "" {
		_ = p.chdir(p.workDir)
		p.workDir = ""
	}
}

// loadConfigOrEmpty is what can be read of it; whatever is wrong with it, completion is not
// the place to say so.
func (p *program) loadConfigOrEmpty() *config.Config {
	p.enterWorkDir()
	o := p.schemaOptions(schema.Kinds())
	o.AllowUnsetVariables, o.Ask = true, nil
	c, _ := schema.Load(o)
	if c == nil {
		c = &config.Config{}
	}
	return c
}

// secretAddrCandidates are the addresses of what yields secrets and fits.
func (p *program) secretAddrCandidates(fits func(*config.Resource) bool) (found []completionCandidate) {
	for _, r := range p.loadConfigOrEmpty().Resources {
		if r.Kind.YieldsSecret() && fits(r) {
			found = append(found, completionCandidate{r.Addr.String(), r.Kind.Name})
		}
	}
	return found
}

// stateOrDeclaredAddrCandidates are the addresses in the state, if it is in a file, and else the declared ones.
func (p *program) stateOrDeclaredAddrCandidates() (found []completionCandidate) {
	s := &session{program: p, config: p.loadConfigOrEmpty()}
	if local, ok := s.backend().(state.LocalFile); ok {
		st, err := local.Read(context.Background())
		if err != nil {
			return nil
		}
		for _, e := range st.Entries {
			found = append(found, completionCandidate{e.Addr.String(), e.Identity})
		}
		return found
	}
	return declaredAddrCandidates(s.config)
}

// declaredAddrCandidates are the addresses of what a configuration declares.
func declaredAddrCandidates(c *config.Config) (found []completionCandidate) {
	for _, r := range c.Resources {
		found = append(found, completionCandidate{text: r.Addr.String()})
	}
	return found
}

// dirEntryCandidates lists what is in the folder that a word leads to; folders end in a slash.
func dirEntryCandidates(word string, foldersOnly bool) (found []completionCandidate) {
	dir, name := filepath.Split(word)
	entries, err := os.ReadDir(cmp.Or(dir, "."))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		info, err := os.Stat(filepath.Join(dir, e.Name()))
		hidden := strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(name, ".")
		switch {
		case err != nil || hidden:
		case info.IsDir():
			found = append(found, completionCandidate{text: dir + e.Name() + "/"})
		case !foldersOnly:
			found = append(found, completionCandidate{text: dir + e.Name()})
		}
	}
	return found
}

// variableNames are the variables that a configuration declares: those that are not sensitive, then the others.
func variableNames(c *config.Config) []string {
	return slices.Concat(slices.Sorted(maps.Keys(c.NonsensitiveVariables)), slices.Sorted(maps.Keys(c.SensitiveVariables)))
}
