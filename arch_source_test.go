package b2form_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	maxFile     = 500
	maxFunction = 80
	maxColumns  = 140
	tabColumns  = 4
)

// A source is one of our packages as the compiler sees it. Its tests are parsed only.
type source struct {
	name  string // path inside the module
	fset  *token.FileSet
	files []goFile
	tests []goFile // and files of other systems
	pkg   *types.Package
	info  types.Info
}

type goFile struct {
	path string
	text string
	*ast.File
}

// A finding is a place that breaks a rule.
type finding struct {
	token.Position
	text string
}

func (s *source) finding(at ast.Node, format string, args ...any) finding {
	return finding{s.fset.Position(at.Pos()), fmt.Sprintf(format, args...)}
}

// A rule says what a package has in it that no package should have.
type rule struct {
	name  string
	check func(*source) []finding
}

func rules() []rule {
	return []rule{
		{"sizes", checkSizes},
		{"columns", checkColumns},
		{"package comment", checkPackageComment},
		{"init", checkInit},
		{"package variables", checkPackageVariables},
		{"exit, environment and clock", checkSystem},
		{"names of kinds", checkKindNames},
		{"retired names", checkRetired},
		{"exports of kind", checkKindExports},
	}
}

// TestSource holds every package to the rules about what stands in it.
func TestSource(t *testing.T) {
	load := newLoader(t)
	var all []*source
	for _, p := range packages(t) {
		all = append(all, load.source(t, &p))
	}
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			for _, s := range all {
				for _, f := range r.check(s) {
					t.Errorf("%s: %s", f.Position, f.text)
				}
			}
		})
	}
	for _, fault := range checkRetiredList(all, retired()) {
		t.Error(fault)
	}
}

// A loader checks the types of packages by what the compiler wrote of those that
// they import.
type loader struct {
	fset   *token.FileSet
	config types.Config
}

func newLoader(t *testing.T) *loader {
	t.Helper()
	all, err := listed()
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	for _, p := range all {
		exports[p.ImportPath] = p.Export
	}
	fset := token.NewFileSet()
	open := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	return &loader{fset, types.Config{Importer: importer.ForCompiler(fset, "gc", open)}}
}

func (l *loader) source(t *testing.T, p *pkg) *source {
	t.Helper()
	read := func(names []string) []goFile {
		var files []goFile
		for _, name := range names {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, l.parse(t, filepath.Join(p.name(), name), string(text)))
		}
		return files
	}
	return l.check(t, &source{
		name:  p.name(),
		files: read(p.GoFiles),
		tests: read(slices.Concat(p.TestGoFiles, p.XTestGoFiles, p.IgnoredGoFiles)),
	})
}

func (l *loader) parse(t *testing.T, path, text string) goFile {
	t.Helper()
	file, err := parser.ParseFile(l.fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return goFile{path, text, file}
}

// check finds out what every name in the files of s means.
func (l *loader) check(t *testing.T, s *source) *source {
	t.Helper()
	s.fset = l.fset
	s.info = types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}
	var files []*ast.File
	for _, f := range s.files {
		files = append(files, f.File)
	}
	checked, err := l.config.Check(module+"/"+s.name, l.fset, files, &s.info)
	if err != nil {
		t.Fatal(err)
	}
	s.pkg = checked
	return s
}

// inspect calls visit for all that stands in the files, and gathers what it finds.
func (s *source) inspect(visit func(ast.Node) []finding) []finding {
	var found []finding
	for _, f := range s.files {
		ast.Inspect(f.File, func(n ast.Node) bool {
			found = append(found, visit(n)...)
			return true
		})
	}
	return found
}

func checkColumns(s *source) []finding {
	var found []finding
	for _, f := range slices.Concat(s.files, s.tests) {
		line := 0
		for text := range strings.Lines(f.text) {
			line++
			if n := columns(strings.TrimRight(text, "\n")); n > maxColumns {
				at := token.Position{Filename: f.path, Line: line}
				found = append(found, finding{at, fmt.Sprintf("the line has %d columns; the limit is %d", n, maxColumns)})
			}
		}
	}
	return found
}

// columns is the width of a line. A tab counts as much wherever it stands.
func columns(line string) int {
	return len([]rune(line)) + (tabColumns-1)*strings.Count(line, "\t")
}

func checkSizes(s *source) []finding {
	var found []finding
	for _, f := range slices.Concat(s.files, s.tests) {
		if n := strings.Count(f.text, "\n"); n > maxFile {
			found = append(found, s.finding(f, "the file has %d lines; the limit is %d", n, maxFile))
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := s.fset.Position(fn.End()).Line - s.fset.Position(fn.Pos()).Line + 1; n > maxFunction {
				found = append(found, s.finding(fn, "%s has %d lines; the limit is %d", fn.Name.Name, n, maxFunction))
			}
		}
	}
	return found
}

// checkPackageComment wants to be told what a package is for. Where there are only
// tests, one of them says it.
func checkPackageComment(s *source) []finding {
	files := s.files
	if len(files) == 0 {
		files = s.tests
	}
	for _, f := range files {
		word := "Package " + f.Name.Name + " "
		if f.Name.Name == "main" {
			word = "Command " + s.name[strings.LastIndex(s.name, "/")+1:] + " "
		}
		if strings.HasPrefix(f.Doc.Text(), word) {
			return nil
		}
	}
	return []finding{s.finding(files[0], "the package %s has no comment that says what it is for", files[0].Name.Name)}
}

func checkInit(s *source) []finding {
	return s.inspect(func(n ast.Node) []finding {
		if f, ok := n.(*ast.FuncDecl); ok && f.Name.Name == "init" && f.Recv == nil {
			return []finding{s.finding(f, "there is an init function")}
		}
		return nil
	})
}

// checkSystem leaves what differs from run to run to the commands.
func checkSystem(s *source) []finding {
	if strings.HasPrefix(s.name, "cmd/") || s.name == "internal/bench" || s.name == "internal/testrun" {
		return nil
	}
	banned := map[string][]string{
		"os":   {"Exit", "Args", "Getenv", "LookupEnv", "Environ", "Setenv"},
		"time": {"Now", "Since", "Until", "Sleep"},
		"log":  {"Fatal", "Fatalf", "Fatalln"},
	}
	return s.inspect(func(n ast.Node) []finding {
		id, ok := n.(*ast.Ident)
		if !ok {
			return nil
		}
		used := s.info.Uses[id]
		if used == nil || used.Pkg() == nil || used.Parent() != used.Pkg().Scope() ||
			!slices.Contains(banned[used.Pkg().Path()], used.Name()) {
			return nil
		}
		return []finding{s.finding(id, "%s.%s is used; only cmd may", used.Pkg().Path(), used.Name())}
	})
}
