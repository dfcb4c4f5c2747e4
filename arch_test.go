// Package b2form_test holds the rules of the house that a machine can check.
package b2form_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "b2form"

// A pkg is what `go list -json` tells of a package.
type pkg struct {
	ImportPath   string
	Dir          string
	Imports      []string
	Deps         []string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,Deps,GoFiles,TestGoFiles,XTestGoFiles", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// mayImport says which of our packages each package may import directly. A
// trailing /* stands for everything below. A package that is not listed may
// import nothing of ours.
func mayImport() map[string][]string {
	return map[string][]string{
		"schema/addr":               {},
		"schema/wire":               {},
		"internal/words":            {},
		"schema/kind":               {"schema/addr", "schema/wire"},
		"schema/config":             {"schema/addr", "schema/kind", "schema/wire"},
		"schema/bucket":             {"internal/words", "schema/kind", "schema/wire"},
		"schema/key":                {"internal/words", "schema/kind", "schema/wire"},
		"schema/notification":       {"internal/words", "schema/kind", "schema/wire"},
		"schema/file":               {"internal/words", "schema/kind", "schema/wire"},
		"schema/syntax":             {"schema/config", "schema/kind"},
		"schema/folder":             {"internal/words", "schema/wire"},
		"schema/functions":          {"schema/folder", "schema/bucket", "schema/kind"},
		"schema":                    {"schema/*", "internal/agefile", "internal/words"},
		"plan":                      {"internal/words", "schema/addr", "schema/config", "schema/kind", "schema/wire"},
		"internal/account":          {"schema/addr", "schema/config", "schema/kind", "schema/wire"},
		"internal/durable":          {},
		"internal/pause":            {},
		"internal/state":            {"schema/addr", "schema/wire", "internal/durable", "internal/pause"},
		"internal/agefile":          {},
		"internal/audit":            {"schema/addr", "schema/config", "schema/kind", "schema/wire"},
		"internal/secret":           {"schema/addr", "schema/config", "schema/wire", "internal/agefile", "internal/durable"},
		"internal/b2":               {"internal/words", "schema/wire", "internal/pause"},
		"internal/emulator":         {},
		"internal/view":             {"internal/words", "plan", "apply", "schema/addr", "schema/config", "schema/kind", "schema/syntax", "schema/wire", "internal/secret", "internal/audit"},
		"apply":                     {"internal/words", "plan", "schema/addr", "schema/config", "schema/kind", "schema/wire", "internal/pause", "internal/state", "internal/secret"},
		"cmd/b2form":                {"*"},
		"internal/bench":            {"*"},
		"internal/emulator/conform": {"internal/emulator"},
	}
}

func TestImports(t *testing.T) {
	rules := mayImport()
	for _, p := range packages(t) {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		allowed := rules[name]
		for _, imp := range p.Imports {
			ours, isOurs := strings.CutPrefix(imp, module+"/")
			if isOurs && !slices.ContainsFunc(allowed, func(rule string) bool { return matches(rule, ours) }) {
				t.Errorf("%s imports %s; it may import %v", name, ours, allowed)
			}
			if strings.HasPrefix(imp, "github.com/Backblaze/blazer") && name != "internal/b2" {
				t.Errorf("%s imports blazer; only internal/b2 may", name)
			}
			if imp == "testing" {
				t.Errorf("%s imports testing outside of tests", name)
			}
		}
	}
}

func matches(rule, path string) bool {
	if rule == "*" || rule == path {
		return true
	}
	prefix, ok := strings.CutSuffix(rule, "/*")
	return ok && strings.HasPrefix(path, prefix+"/")
}

// TestPurity keeps what decides away from the network and other programs, even
// through what it imports.
func TestPurity(t *testing.T) {
	pure := []string{"schema/kind", "schema/bucket", "schema/key", "schema/syntax", "plan"}
	for _, p := range packages(t) {
		if !slices.Contains(pure, strings.TrimPrefix(p.ImportPath, module+"/")) {
			continue
		}
		for _, banned := range []string{"net", "net/http", "os/exec"} {
			if slices.Contains(p.Deps, banned) {
				t.Errorf("%s reaches %s", p.ImportPath, banned)
			}
		}
	}
	for _, p := range packages(t) {
		if p.ImportPath == module+"/apply" && slices.Contains(p.Imports, "net/http") {
			t.Errorf("%s imports net/http; it is handed an API", p.ImportPath)
		}
	}
}

const (
	maxFile     = 500
	maxFunction = 80
)

// TestSource checks every file: limits, no init, no package variable that is
// assigned, and nothing but cmd touches exit, environment or clock.
func TestSource(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, f := range p.GoFiles {
			checkFile(t, filepath.Join(p.Dir, f), strings.HasPrefix(name, "cmd/") || name == "internal/bench")
		}
		for _, f := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
			checkSize(t, filepath.Join(p.Dir, f))
		}
	}
}

func checkSize(t *testing.T, path string) (*token.FileSet, *ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	if n := fset.Position(file.End()).Line; n > maxFile {
		t.Errorf("%s has %d lines; the limit is %d", path, n, maxFile)
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			if n := fset.Position(f.End()).Line - fset.Position(f.Pos()).Line + 1; n > maxFunction {
				t.Errorf("%s: %s has %d lines; the limit is %d", path, f.Name.Name, n, maxFunction)
			}
		}
	}
	return fset, file
}

func checkFile(t *testing.T, path string, isCmd bool) {
	t.Helper()
	fset, file := checkSize(t, path)
	vars := map[string]bool{}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.Name == "init" && d.Recv == nil {
				t.Errorf("%s has an init function", fset.Position(d.Pos()))
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok && d.Tok == token.VAR {
					for _, n := range v.Names {
						vars[n.Name] = true
					}
				}
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				if id, ok := root(l).(*ast.Ident); ok && vars[id.Name] && n.Tok == token.ASSIGN && isPackageLevel(id) {
					t.Errorf("%s assigns the package variable %s", fset.Position(n.Pos()), id.Name)
				}
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && !isCmd && isBanned(x.Name, n.Sel.Name) {
				t.Errorf("%s uses %s.%s; only cmd may", fset.Position(n.Pos()), x.Name, n.Sel.Name)
			}
		}
		return true
	})
}

// root is the variable that an assignment to l.a[i] changes.
func root(e ast.Expr) ast.Expr {
	for {
		switch x := e.(type) {
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return e
		}
	}
}

// isPackageLevel reports whether the name was resolved to a declaration outside
// of functions. The parser's object resolution is enough for one file.
func isPackageLevel(id *ast.Ident) bool {
	if id.Obj == nil {
		return true
	}
	_, ok := id.Obj.Decl.(*ast.ValueSpec)
	return ok
}

func isBanned(pkg, name string) bool {
	banned := map[string][]string{
		"os":   {"Exit", "Args", "Getenv", "LookupEnv", "Environ", "Setenv"},
		"time": {"Now", "Since", "Until", "Sleep"},
		"log":  {"Fatal", "Fatalf", "Fatalln"},
	}
	return slices.Contains(banned[pkg], name)
}
