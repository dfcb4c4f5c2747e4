package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const environmentIntro = `# Environment variables

What b2form reads; ` + "`b2form help environment`" + ` prints the same. A value that is empty counts as not set.

Programs that a key is delivered to, the command of ` + "`b2form mint` and `B2_CREDENTIAL_COMMAND`" + ` find the whole
environment but what is for b2form alone: its credentials for B2 (B2_APPLICATION_KEY_ID, B2_APPLICATION_KEY, both with _FILE,
B2_ACCOUNT_ID, B2_ACCOUNT_KEY, B2_PROFILE, B2_CREDENTIAL_COMMAND) and for the state (PG_CONN_STR, PGPASSWORD, PGPASSFILE,
PGSERVICEFILE, PGSSLKEY, PGSSLPASSWORD, TF_HTTP_USERNAME, TF_HTTP_PASSWORD, TF_HTTP_CLIENT_PRIVATE_KEY_PEM), B2FORM_DIGEST_KEY,
B2FORM_NOTIFY, and all TF_VAR_NAME, B2FORM_VAR_NAME, B2FORM_CLI_ARGS and B2FORM_CLI_ARGS_COMMAND. GITHUB_TOKEN and its like stay: they
are not b2form's alone. The command of ` + "`b2form emulator`" + ` finds the whole, since it is mostly b2form itself.

Terraform's other variables have no effect: TF_DATA_DIR, TF_PLUGIN_CACHE_DIR and the like have no counterpart. b2form warns of TF_LOG and
TF_CLI_ARGS, in place of which it has B2FORM_LOG and B2FORM_CLI_ARGS, and of TF_WORKSPACE, in place of which there is a folder for each
environment and -chdir.
`

// TestEnvironmentPage keeps docs/environment.md as the table says.
func TestEnvironmentPage(t *testing.T) {
	var b strings.Builder
	b.WriteString(environmentIntro)
	for _, g := range environmentVariableGroups() {
		fmt.Fprintf(&b, "\n## %s\n\n| variable | |\n|---|---|\n", g.title)
		for _, v := range g.variables {
			fmt.Fprintf(&b, "| `%s` | %s |\n", v.name, v.doc)
		}
	}
	path := filepath.Join("../..", environmentPage)
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b.String(), string(got)); d != "" {
		t.Errorf("%s is stale; run `go test ./cmd/b2form -update` (-want +got):\n%s", path, d)
	}
}

// libraryVariables are variables that libraries read, or internal/forge, and not this package.
func libraryVariables() []string {
	return []string{"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE", "PGSSLMODE",
		"PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "PGSSLPASSWORD", "PGCONNECT_TIMEOUT", "PGTARGETSESSIONATTRS", "HTTPS_PROXY",
		"HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "GITHUB_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN", "GITLAB_TOKEN",
		"GITHUB_API_URL", "GITHUB_REF", "GITHUB_EVENT_PATH", "CHANGE_ID", "CI_API_V4_URL", "CI_PROJECT_ID",
		"CI_MERGE_REQUEST_PROJECT_ID", "CI_MERGE_REQUEST_IID"}
}

// TestEnvironmentIsWhole compares the table with the names that this package reads: what
// is given to getenv or Getenv, and the beginnings of names that environ is searched for.
func TestEnvironmentIsWhole(t *testing.T) {
	listed := libraryVariables()
	var missing []string
	for _, g := range environmentVariableGroups() {
		for _, v := range g.variables {
			if !slices.Contains(listed, v.name) {
				missing = append(missing, v.name)
			}
			listed = append(listed, v.name)
		}
	}
	for _, name := range readBySources(t) {
		switch {
		case strings.HasSuffix(name, "_ARGS_"):
			name += "COMMAND"
		case strings.HasSuffix(name, "_"):
			name += "NAME"
		}
		if !slices.Contains(listed, name) {
			t.Errorf("%s is read and not in the table", name)
		}
		missing = slices.DeleteFunc(missing, func(m string) bool { return m == name })
	}
	if len(missing) > 0 {
		t.Errorf("nothing reads %q", missing)
	}
}

func readBySources(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if called := calledName(n.Fun); called == "getenv" || called == "Getenv" || called == "set" {
					names = append(names, literals(n.Args)...)
				}
			case *ast.RangeStmt: // prefixes
				if list, ok := n.X.(*ast.CompositeLit); ok {
					names = append(names, slices.DeleteFunc(literals(list.Elts),
						func(s string) bool { return !strings.HasSuffix(s, "_VAR_") })...)
				}
			}
			return true
		})
	}
	return names
}

func calledName(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

// literals are the names of variables among expressions.
func literals(list []ast.Expr) []string {
	var out []string
	for _, e := range list {
		if sum, ok := e.(*ast.BinaryExpr); ok {
			e = sum.X
		}
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil && s != "" && s == strings.ToUpper(s) {
				out = append(out, s)
			}
		}
	}
	return out
}
