package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/urfave/cli/v3"

	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/schema"
	"b2form/schema/folder"
	"b2form/schema/parse"
)

const (
	fmtParseError  exitCode = 2
	fmtUnformatted exitCode = 3
)

// A formatter is one run of fmt.
type formatter struct {
	*program
	check, diff, recursive, write, list bool
	anyUnformatted, anyUnparsable       bool
}

func (p *program) fmtCommand() *cli.Command {
	f := &formatter{program: p}
	return p.newCommand(&cli.Command{
		Name: "fmt", Usage: "Rewrite files in the usual style", ArgsUsage: "[FILE or FOLDER ...]",
		Description: `Without arguments, the files *.b2.hcl, *.b2vars.hcl and *.b2test.hcl of the
folder are rewritten in place. The names of the files that change are printed. The
argument - formats standard input to standard output.

Example:
  b2form fmt -recursive
  # in a pipeline
  b2form fmt -check -diff

Exit codes:
  0  everything is formatted
  1  a file could not be read or written
  2  a file could not be parsed
  3  with -check: a file is not formatted`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "check", Usage: "change nothing; exit with 3 if a file is not formatted", Destination: &f.check},
			&cli.BoolFlag{Name: "diff", Usage: "show what changes", Destination: &f.diff},
			&cli.BoolFlag{Name: "list", Value: true, Usage: "print the names of files that change; -list=false does not",
				Destination: &f.list},
			&cli.BoolFlag{Name: "recursive", Usage: "also format the folders below", Destination: &f.recursive},
			&cli.BoolFlag{Name: "write", Value: true, Usage: "rewrite the files; -write=false only lists them", Destination: &f.write},
		},
		Action: func(_ context.Context, c *cli.Command) error { return f.run(c.Args().Slice()) },
	})
}

func (f *formatter) run(args []string) error {
	if len(args) == 0 {
		args = []string{"."}
	}
	for _, arg := range args {
		if err := f.formatArgument(arg); err != nil {
			return err
		}
	}
	switch {
	case f.anyUnparsable:
		return fmtParseError
	case f.check && f.anyUnformatted:
		return fmtUnformatted
	}
	return nil
}

func (f *formatter) formatArgument(arg string) error {
	if arg == "-" {
		src, err := io.ReadAll(f.stdin)
		if err != nil {
			return failf("Standard input cannot be read", "%s.", words.ErrorWithoutPath(err))
		}
		return f.formatSource("<stdin>", src, func(out []byte) error {
			_, err := f.stdout.Write(out)
			return err
		})
	}
	info, err := os.Stat(arg)
	if err != nil {
		return failf("File cannot be read", "%s: %s.", arg, words.ErrorWithoutPath(err))
	}
	if !info.IsDir() {
		return f.formatFile(folder.Folder{Dir: ".", ModuleDir: filepath.Dir(arg)}, filepath.Base(arg), arg, info)
	}
	within := folder.Folder{Dir: ".", ModuleDir: arg}
	return filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return failf("Folder cannot be read", "%s: %s.", path, words.ErrorWithoutPath(err))
		case d.IsDir():
			hidden := strings.HasPrefix(d.Name(), ".") && path != arg
			if path != arg && (hidden || !f.recursive) {
				return fs.SkipDir
			}
			return nil
		case !slices.ContainsFunc([]string{".b2.hcl", ".b2vars.hcl", ".b2test.hcl"},
			func(end string) bool { return strings.HasSuffix(path, end) }):
			return nil
		}
		info, err := os.Stat(path)
		if err != nil {
			return failf("File cannot be read", "%s: %s.", path, words.ErrorWithoutPath(err))
		}
		below, err := filepath.Rel(arg, path)
		if err != nil {
			return failf("File cannot be read", "%s: %s.", path, words.ErrorWithoutPath(err))
		}
		return f.formatFile(within, below, path, info)
	})
}

// formatFile formats one file, which is called name in the folder where it is read.
// Links that lead out of it are not followed, since what does not parse is quoted.
func (f *formatter) formatFile(from folder.Folder, name, path string, info fs.FileInfo) error {
	if strings.HasSuffix(path, ".json") || !strings.HasSuffix(path, ".hcl") {
		return failf("File cannot be formatted", "%s is not HCL in native syntax: only files ending in .hcl are formatted.", path)
	}
	src, err := from.ReadConfigFile(name)
	if err != nil {
		return failf("File cannot be read", "%s: %s.", path, words.ErrorWithoutPath(err))
	}
	return f.formatSource(path, src, func(out []byte) error {
		if bytes.Equal(src, out) {
			return nil
		}
		if f.list {
			fmt.Fprintln(f.stdout, visible.EscapeTextAtLineStart(path))
		}
		if f.check || !f.write {
			return nil
		}
		if err := os.WriteFile(path, out, info.Mode().Perm()); err != nil {
			return failf("File cannot be written", "%s: %s.", path, words.ErrorWithoutPath(err))
		}
		return nil
	})
}

// formatSource gives the formatted source to use. A file that does not parse is
// reported and left alone.
func (f *formatter) formatSource(name string, src []byte, use func([]byte) error) error {
	if !words.IsText(src) {
		f.anyUnparsable = true
		f.ui.Diagnostics(hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "File cannot be formatted",
			Detail: name + " is not text in UTF-8. Save it in that encoding; if it is no configuration at all, give it another name."}},
			nil)
		return nil
	}
	file, diags := parse.Config(src, name, nil)
	if diags.HasErrors() {
		f.anyUnparsable = true
		files := map[string]*hcl.File{name: file}
		if file != nil {
			files[name] = schema.QuotableFile(src, schema.WithoutSecrets(src, schema.Kinds(), false), file.Nav)
		}
		if file == nil || strings.HasSuffix(name, ".b2vars.hcl") { // its lines may hold secrets
			files = nil
		}
		f.ui.Diagnostics(diags, files)
		return nil
	}
	out := modernise(src, name)
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, '\n')
	}
	changed := !bytes.Equal(src, out)
	f.anyUnformatted = f.anyUnformatted || changed
	if name != "<stdin>" || !f.check && !f.diff {
		if err := use(out); err != nil {
			return err
		}
	}
	if f.diff && changed {
		shown := visible.EscapeLine(name)
		_, err := io.WriteString(f.stdout, visible.EscapeLines(string(diff.Diff("old/"+shown, src, "new/"+shown, out))))
		return err
	}
	return nil
}
