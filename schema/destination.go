package schema

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/internal/agefile"
	"b2form/internal/words"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// evalNonSecretArgs evaluates everything that is known before the key is made.
func (e *instanceEvaluation) evalNonSecretArgs(d *deliverBlock, out *config.Delivery) (ok bool) {
	switch d.typ {
	case "stdout":
		out.DisplayName = "standard output"
	case "command":
		return e.evalCommand(d, out) && e.evalFormat(d, out)
	default:
		if !e.evalPath(d.args["path"], out) {
			return false
		}
	}
	if a := d.args["recipients"]; a != nil && !e.evalRecipients(a, out) {
		return false
	}
	return e.evalFormat(d, out)
}

// defaultProgramTimeout is what a program gets that says nothing of it, and
// maxProgramTimeout the most that it can ask for.
const (
	defaultProgramTimeout = time.Minute
	maxProgramTimeout     = time.Hour
)

// evalCommand evaluates which program is run, where and for how long.
func (e *instanceEvaluation) evalCommand(d *deliverBlock, out *config.Delivery) (ok bool) {
	a := d.args["command"]
	list, ok := e.evalStringList(a)
	if !ok {
		return false
	}
	why := ""
	switch {
	case len(list) == 0 || list[0] == "":
		why = "command needs a program and its arguments, as [\"gh\", \"secret\", \"set\", \"B2_KEY\"]. No shell reads it."
	case slices.ContainsFunc(list, func(s string) bool { return strings.ContainsRune(s, 0) }):
		why = "An element of command holds a NUL character."
	case len(list) == 1 && strings.ContainsAny(list[0], " \t") && !strings.ContainsAny(list[0], `/\`):
		why = "No shell takes this apart: write each argument as an element of its own, as [\"gh\", \"secret\", \"set\", \"B2_KEY\"]."
	case strings.HasPrefix(list[0], "~"):
		why = "~ does not stand for a home folder. Write the program's name, its whole path, or one relative to the configuration's folder."
	}
	if why != "" {
		e.reportAt(hcl.DiagError, a.Expr.Range(), "Invalid command", why)
		return false
	}
	if d.args["content"] == nil && d.args["format"] == nil && d.args["environment"] == nil {
		e.reportAt(hcl.DiagError, d.place, "Nothing to deliver",
			"Say what the program is given: content or format for its standard input, "+
				"as content = self.application_key, or environment for its variables.")
		return false
	}
	out.Command, out.ProgramDir, out.DisplayName = list, e.module.Dir, "command "+shortenCommand(list)
	return e.evalTimeout(d.args["timeout"], out) && e.evalShowOutput(d.args["show_output"], out)
}

func (e *instanceEvaluation) evalShowOutput(a *hcl.Attribute, out *config.Delivery) (ok bool) {
	if a == nil {
		return true
	}
	v, ok := e.evalKnownNonsensitive(a)
	if !ok {
		return false
	}
	b, err := convert.Convert(v, cty.Bool)
	if err != nil || b.IsNull() {
		e.reportAt(hcl.DiagError, a.Expr.Range(), wrongType, a.Name+" needs true or false.")
		return false
	}
	out.ShowProgramOutput = b.True()
	return true
}

func (e *instanceEvaluation) evalTimeout(a *hcl.Attribute, out *config.Delivery) (ok bool) {
	out.ProgramTimeout = defaultProgramTimeout
	if a == nil {
		return true
	}
	text, ok := e.evalString(a)
	if !ok {
		return false
	}
	t, ok := words.ParseDuration(text)
	if !ok || t <= 0 || t > maxProgramTimeout {
		e.reportAt(hcl.DiagError, a.Expr.Range(), "Invalid timeout",
			fmt.Sprintf("%q is not a time up to an hour; %s.", text, words.Durations))
		return false
	}
	out.ProgramTimeout = t
	return true
}

// shortenCommand is a command in words that fit into a line.
func shortenCommand(command []string) string {
	const most = 60
	words := make([]string, len(command))
	for i, w := range command {
		if words[i] = w; w == "" || strings.ContainsFunc(w, func(r rune) bool { return r <= ' ' || r == '"' || r == 0x7f }) {
			words[i] = strconv.Quote(w)
		}
	}
	runes := []rune(strings.Join(words, " "))
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}

// evalPath evaluates where a file goes.
func (e *instanceEvaluation) evalPath(a *hcl.Attribute, out *config.Delivery) (ok bool) {
	v, marks, ok := e.evalKnownNonsensitiveAndMarks(a)
	if !ok {
		return false
	}
	path, ok := e.stringFrom(a, v)
	if !ok {
		return false
	}
	why := ""
	switch {
	case path == "" || strings.HasSuffix(path, "/") || strings.ContainsRune(path, 0):
		why = "path needs the name of a file."
	case strings.HasPrefix(path, "~"):
		why = "path is taken as it is: ~ does not stand for a home folder. Write the whole path, or one relative to the configuration's " +
			"folder."
	case IsConfigOrValueFile(path):
		why = "path names a file that b2form reads as configuration. Choose another name."
	}
	if why != "" {
		e.reportAt(hcl.DiagError, a.Expr.Range(), "Invalid path", why)
		return false
	}
	out.DisplayName, out.Path = e.module.pathFromRoot(path), path
	switch fromRoot := marks.Has(fromRootMark{}); {
	case filepath.IsAbs(path):
	case fromRoot && e.module.caller != nil:
		e.earlierDestination = out.DisplayName // when every path began at the module's folder
		out.DisplayName, out.Path = filepath.ToSlash(filepath.Clean(path)), filepath.Join(e.module.shared.rootOptions.Dir, path)
	default:
		out.Path = filepath.Join(e.module.Dir, path)
		if e.module.caller != nil && filepath.IsLocal(path) {
			e.reportAt(hcl.DiagWarning, a.Expr.Range(), "Secret inside a module's folder",
				fmt.Sprintf("A relative path begins at the module's "+
					"folder, so the secret lands in %s, where it may be published together with the module. Let the path be a variable of "+
					"the module, and give it as \"${path.root}/NAME.env\".", out.DisplayName))
		}
	}
	return true
}

// evalFormat evaluates what is delivered, where that is no template.
func (e *instanceEvaluation) evalFormat(d *deliverBlock, out *config.Delivery) (ok bool) {
	a := d.args["format"]
	if a == nil {
		if d.args["content"] == nil && d.typ != "command" {
			out.Format = "env"
		}
		return true
	}
	if out.Format, ok = e.evalString(a); ok && !slices.Contains(syntax.DeliverFormats(), out.Format) {
		e.reportAt(hcl.DiagError, a.Expr.Range(), "Unknown format", fmt.Sprintf("There is no format %q; use %s.%s",
			out.Format, strings.Join(syntax.DeliverFormats(), ", "), words.DidYouMean(out.Format, "", syntax.DeliverFormats())))
		return false
	}
	return ok
}

// evalRecipients evaluates for whom a file is encrypted.
func (e *instanceEvaluation) evalRecipients(a *hcl.Attribute, out *config.Delivery) (ok bool) {
	list, ok := e.evalStringList(a)
	if !ok {
		return false
	}
	const summary = "Invalid recipient"
	if len(list) == 0 {
		e.reportAt(hcl.DiagError, a.Expr.Range(), summary,
			"The list is empty, so nobody could read the file. Name at least one recipient, "+
				"as \"age1…\" or \"ssh-ed25519 …\".")
		return false
	}
	for i, r := range list {
		if err := agefile.CheckRecipient(r); err != nil {
			e.reportAt(hcl.DiagError, locateIn(a.Expr, cty.IndexIntPath(i), false), summary, words.Sentence(err.Error()))
			ok = false
		}
	}
	if !ok {
		return false
	}
	if _, err := agefile.Encrypt("", list); err != nil {
		e.reportAt(hcl.DiagError, a.Expr.Range(), summary, words.Sentence(err.Error()))
		return false
	}
	out.Recipients = list
	return true
}

// evalStringList evaluates an argument that must be a known list of strings.
func (e *instanceEvaluation) evalStringList(a *hcl.Attribute) (texts []string, ok bool) {
	v, ok := e.evalKnownNonsensitive(a)
	if !ok {
		return nil, false
	}
	list, err := convert.Convert(v, cty.List(cty.String))
	if err != nil || list.IsNull() {
		e.reportAt(hcl.DiagError, a.Expr.Range(), wrongType, a.Name+" needs a list of strings.")
		return nil, false
	}
	out := make([]string, 0, list.LengthInt())
	for i, s := range list.AsValueSlice() {
		if s.IsNull() {
			e.reportAt(hcl.DiagError, locateIn(a.Expr, cty.IndexIntPath(i), false), wrongType, a.Name+" needs strings; this one is null.")
			return nil, false
		}
		out = append(out, s.AsString())
	}
	return out, true
}

// evalString evaluates an argument that must be a known string.
func (e *instanceEvaluation) evalString(a *hcl.Attribute) (text string, ok bool) {
	v, ok := e.evalKnownNonsensitive(a)
	if !ok {
		return "", false
	}
	return e.stringFrom(a, v)
}

func (e *instanceEvaluation) stringFrom(a *hcl.Attribute, v cty.Value) (text string, ok bool) {
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() {
		e.reportAt(hcl.DiagError, a.Expr.Range(), wrongType, a.Name+" needs a string.")
		return "", false
	}
	return s.AsString(), true
}

// evalKnownNonsensitive evaluates an argument that must be known.
func (e *instanceEvaluation) evalKnownNonsensitive(a *hcl.Attribute) (value cty.Value, ok bool) {
	value, _, ok = e.evalKnownNonsensitiveAndMarks(a)
	return value, ok
}

func (e *instanceEvaluation) evalKnownNonsensitiveAndMarks(a *hcl.Attribute) (value cty.Value, marks cty.ValueMarks, ok bool) {
	v, diags := e.module.evalWithHints(a.Expr, e.ctx)
	e.report().add(diags...)
	if diags.HasErrors() {
		return v, nil, false
	}
	v, marks = v.UnmarkDeep()
	e.collectMarks(marks)
	if marks.Has(kind.Sensitive) {
		e.reportAt(hcl.DiagError, a.Expr.Range(), "Sensitive value",
			fmt.Sprintf("%s must not hold a sensitive value: it is shown in plans, and others on the machine can read a program's "+
				"arguments. Use content or environment for it, or nonsensitive() where that is harmless.", a.Name))
		return v, marks, false
	}
	if !v.IsWhollyKnown() {
		e.module.reportUnknownUnlessPending(e.report(), a.Expr.Range(), marks)
		return v, marks, false
	}
	return v, marks, true
}
