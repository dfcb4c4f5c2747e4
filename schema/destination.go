package schema

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"b2form/internal/agefile"
	"b2form/schema/kind"
)

// destination evaluates everything that is known before the key is made.
func (e *evaluation) destination(d *delivery, out *kind.Delivery) bool {
	if d.args["path"] == nil {
		out.Shown = "standard output"
	} else if !e.path(d.args["path"], out) {
		return false
	}
	if a := d.args["recipients"]; a != nil && !e.recipients(a, out) {
		return false
	}
	return e.format(d, out)
}

// path evaluates where a file goes.
func (e *evaluation) path(a *hcl.Attribute, out *kind.Delivery) bool {
	path, ok := e.text(a)
	if !ok {
		return false
	}
	why := ""
	switch {
	case path == "" || strings.HasSuffix(path, "/") || strings.ContainsRune(path, 0):
		why = "path needs the name of a file."
	case strings.HasPrefix(path, "~"):
		why = "path is taken as it is: ~ does not stand for a home folder. Write the whole path, or one relative to the configuration's folder."
	case strings.HasSuffix(path, ".b2.hcl") || strings.HasSuffix(path, ".b2vars.hcl"):
		why = "path names a file that b2form reads as configuration. Choose another name."
	}
	if why != "" {
		e.say(hcl.DiagError, a.Expr.Range(), "Invalid path", why)
		return false
	}
	out.Shown, out.Path = path, path
	if !filepath.IsAbs(path) {
		out.Path = filepath.Join(e.l.Dir, path)
	}
	return true
}

// format evaluates what is delivered, where that is no template.
func (e *evaluation) format(d *delivery, out *kind.Delivery) (ok bool) {
	a := d.args["format"]
	if a == nil {
		if d.args["content"] == nil {
			out.Format = "env"
		}
		return true
	}
	if out.Format, ok = e.text(a); ok && !slices.Contains(deliverFormats(), out.Format) {
		e.say(hcl.DiagError, a.Expr.Range(), "Unknown format", fmt.Sprintf("There is no format %q; use %s.%s",
			out.Format, strings.Join(deliverFormats(), ", "), didYouMean(out.Format, deliverFormats())))
		return false
	}
	return ok
}

// recipients evaluates for whom a file is encrypted.
func (e *evaluation) recipients(a *hcl.Attribute, out *kind.Delivery) bool {
	list, ok := e.texts(a)
	if !ok {
		return false
	}
	const summary = "Invalid recipient"
	if len(list) == 0 {
		e.say(hcl.DiagError, a.Expr.Range(), summary, "The list is empty, so nobody could read the file. Name at least one recipient, as \"age1…\" or \"ssh-ed25519 …\".")
		return false
	}
	for i, r := range list {
		if err := agefile.Check(r); err != nil {
			e.say(hcl.DiagError, locateIn(a.Expr, cty.IndexIntPath(i), false), summary, sentence(err.Error()))
			ok = false
		}
	}
	if !ok {
		return false
	}
	if _, err := agefile.Seal("", list); err != nil {
		e.say(hcl.DiagError, a.Expr.Range(), summary, sentence(err.Error()))
		return false
	}
	out.Recipients = list
	return true
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }

// texts evaluates an argument that must be a known list of strings.
func (e *evaluation) texts(a *hcl.Attribute) ([]string, bool) {
	v, ok := e.value(a)
	if !ok {
		return nil, false
	}
	list, err := convert.Convert(v, cty.List(cty.String))
	if err != nil || list.IsNull() {
		e.say(hcl.DiagError, a.Expr.Range(), wrongType, a.Name+" needs a list of strings.")
		return nil, false
	}
	out := make([]string, 0, list.LengthInt())
	for i, s := range list.AsValueSlice() {
		if s.IsNull() {
			e.say(hcl.DiagError, locateIn(a.Expr, cty.IndexIntPath(i), false), wrongType, a.Name+" needs strings; this one is null.")
			return nil, false
		}
		out = append(out, s.AsString())
	}
	return out, true
}

// text evaluates an argument that must be a known string.
func (e *evaluation) text(a *hcl.Attribute) (string, bool) {
	v, ok := e.value(a)
	if !ok {
		return "", false
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil || s.IsNull() {
		e.say(hcl.DiagError, a.Expr.Range(), wrongType, a.Name+" needs a string.")
		return "", false
	}
	return s.AsString(), true
}

// value evaluates an argument that must be known.
func (e *evaluation) value(a *hcl.Attribute) (cty.Value, bool) {
	v, diags := a.Expr.Value(e.ctx)
	e.l.add(diags...)
	if diags.HasErrors() {
		return v, false
	}
	v, marks := v.UnmarkDeep()
	e.collect(marks)
	if !v.IsWhollyKnown() {
		e.l.notKnown(a.Expr.Range(), marks, e.suffix())
		return v, false
	}
	return v, true
}
