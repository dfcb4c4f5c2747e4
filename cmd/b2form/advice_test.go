package main

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/urfave/cli/v3"
)

// texts calls f with every text that is written in the program, and where. What is
// put together of several is one; a value among them is x.
func texts(t *testing.T, f func(at token.Position, text string)) {
	files := token.NewFileSet()
	for _, dir := range []string{"../../schema", "../../plan", "../../apply", "../../internal", "."} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() && slices.Contains([]string{"testdata", "emulator", "bench", "clients", "laws"}, d.Name()) {
				return cmp.Or(err, fs.SkipDir)
			}
			if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n.(type) {
				case *ast.BinaryExpr, *ast.BasicLit:
					text, literal := joined(n.(ast.Expr))
					if literal {
						f(files.Position(n.Pos()), text)
					}
					return !literal
				case *ast.ImportSpec, *ast.Field:
					return false // a path, or a tag
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// joined is what an expression comes to, and whether a text is written in it.
func joined(e ast.Expr) (text string, literal bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, err := strconv.Unquote(e.Value)
			return text, err == nil
		}
	case *ast.BinaryExpr:
		left, inLeft := joined(e.X)
		right, inRight := joined(e.Y)
		if e.Op == token.ADD && (inLeft || inRight) {
			return left + right, true
		}
		return "", false
	}
	return "x", false
}

// blanks are what stands for something else in advice: verbs of Printf, dots, and
// names in capitals.
var blanks = strings.NewReplacer("%q", `"x"`, "%s", "x", "%d", "1", "%v", "x", "…", "x", "...", "x")

var header = regexp.MustCompile(`([a-z_0-9]+( [a-z_]+)?( "[^"]*")*) \{`)

// Every piece of HCL in a message parses, as it is written: on one line. A piece is
// whatever stands in braces, with what stands before them.
func TestAdviceParses(t *testing.T) {
	pieces := 0
	texts(t, func(at token.Position, text string) {
		text = strings.ReplaceAll(blanks.Replace(text), "{ x }", "{ }")
		for i := 0; i < len(text); i++ {
			if text[i] != '{' {
				continue
			}
			end := closing(text[i:])
			if end < 0 || strings.HasPrefix(text[i:], "{{") || i > 0 && text[i-1] == '$' {
				continue
			}
			piece := text[i : i+end]
			start := header.FindAllStringIndex(text[:i+1], -1)
			before := strings.TrimRight(text[:i], " ")
			switch {
			case strings.HasSuffix(before, "=") || strings.HasSuffix(before, "(") || strings.HasSuffix(before, "["):
				_, diags := hclsyntax.ParseExpression([]byte(piece), "", hcl.InitialPos)
				pieces++
				if diags.HasErrors() {
					t.Errorf("%s: %s: %v", at, piece, diags)
				}
			case len(start) > 0 && start[len(start)-1][1] == i+1:
				piece = text[start[len(start)-1][0] : i+end]
				words := strings.Fields(strings.SplitN(piece, " {", 2)[0])
				if len(words) > 1 && !strings.HasPrefix(words[1], `"`) {
					piece = strings.TrimPrefix(piece, words[0]+" ")
				}
				_, diags := hclsyntax.ParseConfig([]byte(piece+"\n"), "", hcl.InitialPos)
				pieces++
				if diags.HasErrors() {
					t.Errorf("%s: %s: %v", at, piece, diags)
				}
			default:
				continue // a value alone, or no HCL
			}
			i += end - 1
		}
	})
	if pieces < 40 {
		t.Errorf("only %d pieces were found", pieces)
	}
}

// closing is where the first brace of a text is closed; -1: nowhere.
func closing(text string) int {
	depth, quoted := 0, false
	for i, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case quoted:
		case r == '{':
			depth++
		case r == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

var command = regexp.MustCompile(`\bb2form((?: +[a-zA-Z-][^ "` + "`" + `,;:()]*)+)`)

// Every command in a message is one of the command line, with options that it has.
func TestAdvisedCommands(t *testing.T) {
	root := (&program{}).rootCommand()
	commands := 0
	texts(t, func(at token.Position, text string) {
		for _, m := range command.FindAllStringSubmatch(text, -1) {
			words := strings.Fields(m[1])
			c := root
			for len(words) > 0 && c.Command(words[0]) != nil {
				c, words = c.Command(words[0]), words[1:]
			}
			if c == root && !strings.HasPrefix(words[0], "-") {
				continue // a sentence about the program
			}
			commands++
			for _, w := range words {
				if w == "--" {
					break
				}
				name, _, _ := strings.Cut(strings.TrimRight(strings.TrimLeft(w, "-"), "."), "=")
				if strings.HasPrefix(w, "-") && name != "" && !takes(c, name) && !takes(root, name) {
					t.Errorf("%s: b2form%s: %s has no option -%s", at, m[1], c.Name, name)
				}
			}
		}
	})
	if commands < 40 {
		t.Errorf("only %d commands were found", commands)
	}
}

func takes(c *cli.Command, name string) bool {
	return name == "help" || name == "h" || slices.ContainsFunc(c.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
}
