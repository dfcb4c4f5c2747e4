package functions

import (
	"encoding/base64"
	"path"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"b2form/schema/folder"
)

// MayReadFiles reports whether a function reads files, or renders templates, which may.
func MayReadFiles(name string) bool {
	return strings.HasPrefix(name, "file") || name == "templatefile" || name == "templatestring"
}

// fileFunctions read below a folder.
func fileFunctions(d folder.Folder) map[string]function.Function {
	of := func(f func(path string) (string, error)) function.Function {
		return whollyKnownFunction(cty.String, func(args []cty.Value) (cty.Value, error) {
			s, err := f(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.StringVal(s), nil
		}, param("path", cty.String))
	}
	plain := func(f func(string) string) func(string) (string, error) {
		return func(path string) (string, error) { return f(path), nil }
	}
	out := map[string]function.Function{
		"basename": of(plain(filepath.Base)),
		"dirname":  of(plain(filepath.Dir)),
		"file":     of(d.ReadText),
		"filebase64": of(func(path string) (string, error) {
			content, err := d.Read(path)
			return base64.StdEncoding.EncodeToString(content), err
		}),
		"fileexists": whollyKnownFunction(cty.Bool, func(args []cty.Value) (cty.Value, error) {
			found, err := d.FileExists(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.BoolVal(found), nil
		}, param("path", cty.String)),
		"fileset": whollyKnownFunction(cty.Set(cty.String), fileset(d), param("folder", cty.String), param("pattern", cty.String)),
	}
	for name, digest := range digesters() {
		out["file"+name] = of(func(path string) (string, error) {
			content, err := d.Read(path)
			return digest(content), err
		})
	}
	return out
}

// mostAlternatives is how many patterns the braces of one may stand for, and maxDoubleStars
// how often ** may stand in it: matching takes longer with the power of both.
const (
	mostAlternatives = 1000
	maxDoubleStars   = 5
)

// countGlobAlternatives is at least how many patterns without braces one stands for.
func countGlobAlternatives(pattern string) float64 {
	n, commas, depth := 1.0, 1.0, 0
	for _, c := range pattern {
		switch {
		case c == '{':
			depth++
		case c == ',' && depth > 0:
			commas++
		case c == '}' && depth > 0:
			if depth--; depth == 0 {
				n, commas = n*commas, 1
			} else {
				commas *= 2 // whatever stands before and behind it
			}
		}
	}
	return n
}

// fileset lists the files below a folder whose paths match a pattern.
func fileset(d folder.Folder) func(args []cty.Value) (cty.Value, error) {
	return func(args []cty.Value) (cty.Value, error) {
		pattern := path.Clean(strings.TrimLeft(args[1].AsString(), "/"))
		if pattern == ".." || strings.HasPrefix(pattern, "../") {
			return cty.NilVal, function.NewArgErrorf(1, "the pattern leads out of the folder; name the folder above it instead")
		}
		if !doublestar.ValidatePattern(pattern) {
			return cty.NilVal, function.NewArgErrorf(1, "%q is no pattern: every [ and { must be closed", pattern)
		}
		if n := countGlobAlternatives(pattern); n > mostAlternatives || strings.Count(pattern, "**") > maxDoubleStars {
			return cty.NilVal, function.NewArgErrorf(1, "the pattern stands for more than %d others, or has ** more than %d times",
				mostAlternatives, maxDoubleStars)
		}
		found, err := d.GlobPermittedFiles(args[0].AsString(), pattern)
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
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
}
