package schema

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// A folder is where file functions read: the configuration's folder and that of
// the module, and nothing outside of them, symbolic links included, so that a
// configuration depends on itself alone. cwd is what a relative dir is relative to.
type folder struct{ dir, module, cwd string }

// in runs f on the folder, with path made relative to it.
func (d folder) in(path string, f func(root *os.Root, path string) error) error {
	if filepath.IsAbs(path) {
		base := d.dir
		if !filepath.IsAbs(base) {
			base = filepath.Join(d.cwd, base)
		}
		rel, err := filepath.Rel(base, path)
		if err != nil {
			return errOutside
		}
		path = rel
	}
	within, local := d.dir, filepath.Clean(path)
	if !filepath.IsLocal(local) {
		within = d.module
		rel, err := filepath.Rel(d.module, filepath.Join(d.dir, path))
		if err != nil || !filepath.IsLocal(rel) {
			return errOutside
		}
		local = rel
	}
	root, err := os.OpenRoot(within)
	if err != nil {
		return errors.New(reason(err))
	}
	defer root.Close()
	err = f(root, local)
	if err != nil && leads(root, local) {
		return errOutside
	}
	return err
}

// leads reports whether a path leads out of a folder by a symbolic link.
func leads(root *os.Root, path string) bool {
	if _, err := root.Stat(path); err == nil {
		return false
	}
	_, err := os.Stat(filepath.Join(root.Name(), path))
	return err == nil
}

var errOutside = errors.New("it is outside of the configuration's folder, and only files below that are read")

func (d folder) read(path string) ([]byte, error) {
	var content []byte
	err := d.in(path, func(root *os.Root, path string) (err error) {
		content, err = root.ReadFile(path)
		return err
	})
	if err != nil {
		return nil, d.unreadable(path, err)
	}
	return content, nil
}

func (d folder) readText(path string) (string, error) {
	content, err := d.read(path)
	if err == nil && !utf8.Valid(content) {
		return "", fmt.Errorf("%q is not text in UTF-8; use filebase64(), or source in a file block", path)
	}
	return string(content), err
}

// fileFunctions read below a folder.
func fileFunctions(d folder) map[string]function.Function {
	of := func(f func(path string) (string, error)) function.Function {
		return pure(cty.String, func(args []cty.Value) (cty.Value, error) {
			s, err := f(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.StringVal(s), nil
		}, takes("path", cty.String))
	}
	plain := func(f func(string) string) func(string) (string, error) {
		return func(path string) (string, error) { return f(path), nil }
	}
	out := map[string]function.Function{
		"basename": of(plain(filepath.Base)),
		"dirname":  of(plain(filepath.Dir)),
		"file":     of(d.readText),
		"filebase64": of(func(path string) (string, error) {
			content, err := d.read(path)
			return base64.StdEncoding.EncodeToString(content), err
		}),
		"fileexists": pure(cty.Bool, d.exists, takes("path", cty.String)),
		"fileset":    pure(cty.Set(cty.String), d.set, takes("folder", cty.String), takes("pattern", cty.String)),
	}
	for name, digest := range digesters() {
		out["file"+name] = of(func(path string) (string, error) {
			content, err := d.read(path)
			return digest(content), err
		})
	}
	return out
}

func (d folder) exists(args []cty.Value) (cty.Value, error) {
	found := false
	err := d.in(args[0].AsString(), func(root *os.Root, path string) error {
		info, err := root.Stat(path)
		found = err == nil && info.Mode().IsRegular()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		return cty.NilVal, function.NewArgError(0, d.unreadable(args[0].AsString(), err))
	}
	return cty.BoolVal(found), nil
}

// set lists the files below a folder whose paths match a pattern.
func (d folder) set(args []cty.Value) (cty.Value, error) {
	var found []string
	if !doublestar.ValidatePattern(args[1].AsString()) {
		return cty.NilVal, function.NewArgErrorf(1, "%q is no pattern: every [ and { must be closed", args[1].AsString())
	}
	err := d.in(args[0].AsString(), func(root *os.Root, path string) error {
		sub, err := fs.Sub(root.FS(), filepath.ToSlash(path))
		if err != nil {
			return err
		}
		found, err = doublestar.Glob(sub, args[1].AsString(), doublestar.WithFilesOnly())
		return err
	})
	if err != nil {
		return cty.NilVal, function.NewArgError(0, d.unreadable(args[0].AsString(), err))
	}
	if len(found) == 0 {
		return cty.SetValEmpty(cty.String), nil
	}
	list := make([]cty.Value, len(found))
	for i, path := range found {
		list[i] = cty.StringVal(path)
	}
	return cty.SetVal(list), nil
}

// templateFunctions render templates, which may use the other functions. They
// cannot render further templates, so none can contain itself.
func templateFunctions(d folder, others map[string]function.Function) map[string]function.Function {
	return map[string]function.Function{
		"templatefile": pure(cty.String, d.templateFile(others), takes("path", cty.String), takes("variables", cty.DynamicPseudoType)),
		"templatestring": pure(cty.String, func(args []cty.Value) (cty.Value, error) {
			return template(args[0].AsString(), "the template", args[1], others)
		}, takes("template", cty.String), takes("variables", cty.DynamicPseudoType)),
	}
}

func (d folder) templateFile(others map[string]function.Function) func([]cty.Value) (cty.Value, error) {
	return func(args []cty.Value) (cty.Value, error) {
		src, err := d.readText(args[0].AsString())
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		return template(src, args[0].AsString(), args[1], others)
	}
}

// template renders a template with the given variables; name is what messages
// call it.
func template(src, name string, vars cty.Value, others map[string]function.Function) (cty.Value, error) {
	if t := vars.Type(); !t.IsObjectType() && !t.IsMapType() {
		return cty.NilVal, function.NewArgErrorf(1, "an object with the template's variables is needed")
	}
	expr, diags := hclsyntax.ParseTemplate([]byte(src), name, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, function.NewArgError(0, diags)
	}
	v, diags := expr.Value(&hcl.EvalContext{Variables: vars.AsValueMap(), Functions: others})
	if diags.HasErrors() {
		return cty.NilVal, function.NewArgError(1, diags)
	}
	out, err := convert.Convert(v, cty.String)
	if err != nil || out.IsNull() {
		return cty.NilVal, function.NewArgErrorf(0, "the template does not render to a string")
	}
	return out, nil
}
