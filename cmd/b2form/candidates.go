package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
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
)

// This file knows which values options and arguments of commands have, for
// completion.

// valuesOf are the values of an option. prefix is what of value stands before the part
// that they are for.
func (p *program) valuesOf(name, value string) (prefix string, found []candidate) {
	switch name {
	case "chdir", "data":
		return "", filesFor(value, true)
	case "var-file", "out", "json-into":
		p.enter()
		return "", filesFor(value, false)
	case "replace":
		return "", p.credentials()
	case "target", "exclude":
		return "", declared(p.configuration())
	case "bucket":
		for _, r := range p.configuration().Resources {
			if name := r.Value.GetAttr(r.Kind.IdentityAttr); r.Kind.Name == "bucket" && name.IsKnown() && !name.IsNull() {
				found = append(found, candidate{name.AsString(), r.Addr.String()})
			}
		}
	case "allow":
		return listed(value, consentNames())
	case "finding":
		return listed(value, strings.Split(joinedRules(), ", "))
	case "sort":
		return "", oneOf(audit.Columns()...)
	case "layout":
		return "", oneOf(adopt.Layouts()...)
	case "fold":
		return "", oneOf("auto", "never")
	case "access":
		return "", oneOf("read_only", "read_write", "write_only")
	case "format":
		return "", oneOf("dot", "mermaid")
	case "input", "lock":
		return "", oneOf("false")
	case "switch":
		for _, s := range emulator.AllSwitches() {
			found = append(found, candidate{s.Name + strings.Repeat("=", min(1, len(s.Value))), s.Doc})
		}
	}
	return "", found
}

// argumentsOf are what a command takes beside options.
func (p *program) argumentsOf(root, at *cli.Command, word string) (found []candidate) {
	switch strings.TrimPrefix(at.FullName(), "b2form ") {
	case "rotate":
		return p.credentials()
	case "destroy", "state list", "state show", "state rm", "state mv":
		return p.owned()
	case "import":
		for _, r := range p.configuration().Resources {
			found = append(found, candidate{text: r.Addr.String()})
		}
	case "output":
		for _, o := range p.configuration().Outputs {
			found = append(found, candidate{text: o.Name})
		}
	case "schema":
		for _, page := range view.Pages(schema.Kinds()) {
			found = append(found, candidate{text: page.Name})
		}
	case "functions":
		for _, d := range functions.Docs() {
			found = append(found, candidate{d.Name, d.Summary})
		}
	case "help":
		return append(commandCandidates(root), candidate{environmentTopic, "Environment variables that are read"})
	case "apply", "show", "fmt", "state push", "state migrate":
		p.enter()
		return filesFor(word, false)
	}
	return found
}

// enter goes where -chdir leads. If that is nowhere, nothing is found there.
func (p *program) enter() {
	if p.dir != "" {
		_ = p.chdir(p.dir)
		p.dir = ""
	}
}

// configuration is what can be read of it; whatever is wrong with it, completion is not
// the place to say so.
func (p *program) configuration() *config.Config {
	p.enter()
	o := p.loadOptions(schema.Kinds())
	o.AllowUnset, o.Ask = true, nil
	c, _ := schema.Load(o)
	if c == nil {
		c = &config.Config{}
	}
	return c
}

// credentials are the addresses of what yields secrets.
func (p *program) credentials() (found []candidate) {
	for _, r := range p.configuration().Resources {
		if r.Kind.YieldsSecret() {
			found = append(found, candidate{r.Addr.String(), r.Kind.Name})
		}
	}
	return found
}

// owned are the addresses in the state, if it is in a file, and else the declared ones.
func (p *program) owned() (found []candidate) {
	s := &session{program: p, config: p.configuration()}
	if local, ok := s.backend().(state.Local); ok {
		st, err := local.Read(context.Background())
		if err != nil {
			return nil
		}
		for _, e := range st.Entries {
			found = append(found, candidate{e.Addr.String(), e.Identity})
		}
		return found
	}
	return declared(s.config)
}

// declared are the addresses of what a configuration declares.
func declared(c *config.Config) (found []candidate) {
	for _, r := range c.Resources {
		found = append(found, candidate{text: r.Addr.String()})
	}
	return found
}

// filesFor lists what is in the folder that a word leads to; folders end in a slash.
func filesFor(word string, foldersOnly bool) (found []candidate) {
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
			found = append(found, candidate{text: dir + e.Name() + "/"})
		case !foldersOnly:
			found = append(found, candidate{text: dir + e.Name()})
		}
	}
	return found
}
