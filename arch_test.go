// Package b2form_test holds the rules of the house that a machine can check: here
// who may import whom, in the files beside this one what the sources must keep.
// Every rule is a function from packages to what it has against them, and is given
// counterexamples that it must find.
package b2form_test

import (
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"os/exec"

	"slices"
	"strings"
	"sync"
	"testing"

	"b2form/schema"
)

const module = "b2form"

// A pkg is what `go list -json` tells of a package.
type pkg struct {
	ImportPath     string
	Dir            string
	Export         string // the file that the compiler wrote of what it exports
	DepOnly        bool   // it is none of ours
	Imports        []string
	Deps           []string
	GoFiles        []string
	IgnoredGoFiles []string // of other systems
	TestGoFiles    []string
	XTestGoFiles   []string
}

// name is the path inside the module.
func (p *pkg) name() string { return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/") }

// listed asks the go command once for our packages and all that they import.
var listed = sync.OnceValues(func() ([]pkg, error) {
	out, err := exec.Command("go", "list", "-export", "-deps", "-json="+
		"ImportPath,Dir,Export,DepOnly,Imports,Deps,GoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles", "./...").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
})

// packages lists ours.
func packages(t *testing.T) []pkg {
	t.Helper()
	all, err := listed()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(slices.Clone(all), func(p pkg) bool { return p.DepOnly })
}

// mayImport says which of our packages each package may import directly. A
// trailing /* stands for everything below. A package that is not listed may
// import nothing of ours.
func mayImport() map[string][]string {
	return map[string][]string{
		"internal/scrub":      {},
		"internal/visible":    {},
		"schema/addr":         {"internal/visible"},
		"schema/wire":         {},
		"internal/words":      {},
		"schema/kind":         {"schema/addr", "schema/wire"},
		"schema/config":       {"schema/addr", "schema/kind", "schema/wire"},
		"schema/bucket":       {"schema/kind", "schema/wire"},
		"schema/key":          {"internal/words", "schema/kind", "schema/wire"},
		"schema/notification": {"internal/words", "schema/kind", "schema/wire"},
		"schema/file":         {"internal/words", "schema/kind", "schema/wire"},
		"schema/syntax":       {"schema/config", "schema/kind"},
		"schema/folder":       {"internal/words", "schema/wire"},
		"schema/parse":        {"schema/wire"},
		"schema/functions": {"schema/folder", "schema/bucket", "schema/key", "schema/kind", "schema/parse", "schema/wire",
			"internal/words"},
		"schema":           {"schema/*", "internal/agefile", "internal/words"},
		"plan":             {"internal/words", "schema/addr", "schema/config", "schema/kind", "schema/wire"},
		"internal/account": {"schema/addr", "schema/config", "schema/kind", "schema/wire"},
		"internal/durable": {},
		"internal/pause":   {},
		"internal/planfile": {"internal/durable", "internal/visible", "internal/words", "plan", "schema/addr", "schema/kind",
			"schema/wire"},
		"internal/state": {"internal/scrub", "internal/secret", "internal/visible", "schema/addr", "schema/wire", "internal/durable",
			"internal/pause", "internal/reach"},
		"internal/reach":    {},
		"internal/agefile":  {},
		"internal/trace":    {},
		"internal/testfile": {"internal/words", "schema/parse"},
		"internal/prove":    {"schema/wire"},
		"internal/adopt": {"internal/view", "internal/visible", "plan", "schema/addr", "schema/config", "schema/functions",
			"schema/kind"},
		"internal/terraform": {"internal/visible", "schema/addr", "schema/config", "schema/kind", "schema/parse",
			"schema/wire"},
		"internal/audit":  {"internal/words", "schema/addr", "schema/config", "schema/kind"},
		"internal/secret": {"internal/scrub", "internal/visible", "schema/config", "internal/agefile", "internal/durable"},
		"internal/b2": {"internal/scrub", "internal/visible", "internal/words", "schema/wire", "internal/pause",
			"internal/reach"},
		"internal/emulator": {},
		"internal/forge": {"internal/reach", "internal/scrub", "internal/secret", "internal/visible",
			"internal/words"},
		"internal/credentials": {"internal/durable", "internal/scrub", "internal/secret", "internal/words"},
		"internal/view": {"internal/visible", "internal/words", "plan", "apply", "schema/addr", "schema/config", "schema/kind",
			"schema/syntax", "internal/secret", "internal/audit", "internal/prove"},
		"internal/notify": {"internal/reach", "internal/report"},
		"internal/report": {"internal/audit", "internal/view", "internal/visible", "internal/words", "plan", "apply", "schema/addr",
			"schema/kind"},
		"apply": {"internal/words", "plan", "schema/addr", "schema/config", "schema/kind", "schema/wire",
			"internal/pause", "internal/state", "internal/secret"},
		"cmd/b2form":       {"*"},
		"examples":         {},
		"internal/bench":   {"*"},
		"internal/testrun": {},
		"internal/testrun/engines": {"internal/b2", "internal/emulator", "internal/pause", "internal/secret", "internal/state",
			"internal/testrun", "internal/tfserver", "schema/config"},
		"internal/tfserver":         {},
		"internal/emulator/conform": {},
		"internal/forge/imitation":  {},
	}
}

func TestImports(t *testing.T) {
	for _, fault := range checkImports(packages(t), mayImport()) {
		t.Error(fault)
	}
}

func TestImportsCounterexamples(t *testing.T) {
	rules := map[string][]string{"plan": {"schema/kind"}, "schema": {"schema/*"}, "cmd/b2form": {"*"}}
	good := []pkg{
		{ImportPath: module},
		{ImportPath: module + "/plan", Imports: []string{"fmt", module + "/schema/kind"}},
		{ImportPath: module + "/schema"},
		{ImportPath: module + "/cmd/b2form"},
	}
	if faults := checkImports(good, rules); faults != nil {
		t.Errorf("what is allowed is found wrong: %q", faults)
	}
	for want, bad := range map[string]pkg{
		"plan imports apply; it may import [schema/kind]":  {Imports: []string{module + "/schema/kind", module + "/apply"}},
		"plan imports schema; it may import [schema/kind]": {Imports: []string{module + "/schema/kind", module + "/schema"}},
		"plan imports blazer; only internal/b2 may": {Imports: []string{module + "/schema/kind",
			"github.com/Backblaze/blazer/base"}},
		"plan imports testing outside of tests":    {Imports: []string{module + "/schema/kind", "testing"}},
		"plan may import schema/kind and does not": {},
	} {
		bad.ImportPath = module + "/plan"
		if faults := checkImports([]pkg{good[0], bad, good[2], good[3]}, rules); !slices.Equal(faults, []string{want}) {
			t.Errorf("found %q, want %q", faults, want)
		}
	}
	if faults := checkImports(good[2:], rules); !slices.Equal(faults, []string{"there is no package plan for the rule about it"}) {
		t.Errorf("found %q of a rule about no package", faults)
	}
}

// checkImports holds packages to the rules about who may import whom, and the rules
// to what is imported.
func checkImports(all []pkg, rules map[string][]string) []string {
	var faults []string
	ruled := maps.Clone(rules)
	for _, p := range all {
		name := p.name()
		delete(ruled, name)
		for _, imp := range p.Imports {
			ours, isOurs := strings.CutPrefix(imp, module+"/")
			if isOurs && !slices.ContainsFunc(rules[name], func(rule string) bool { return matches(rule, ours) }) {
				faults = append(faults, fmt.Sprintf("%s imports %s; it may import %v", name, ours, rules[name]))
			}
			if strings.HasPrefix(imp, "github.com/Backblaze/blazer") && name != "internal/b2" {
				faults = append(faults, name+" imports blazer; only internal/b2 may")
			}
			if imp == "testing" {
				faults = append(faults, name+" imports testing outside of tests")
			}
		}
		for _, rule := range rules[name] {
			if !strings.HasSuffix(rule, "*") && !slices.Contains(p.Imports, module+"/"+rule) {
				faults = append(faults, fmt.Sprintf("%s may import %s and does not", name, rule))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ruled)) {
		faults = append(faults, fmt.Sprintf("there is no package %s for the rule about it", name))
	}
	return faults
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
	all := packages(t)
	pure := []string{"schema/wire", "schema/addr", "schema/kind", "schema/config", "schema/syntax", "plan"}
	pure = append(pure, kindFolders(t)...)
	for _, fault := range checkPurity(all, pure) {
		t.Error(fault)
	}
	for _, p := range all {
		if p.name() == "apply" && slices.Contains(p.Imports, "net/http") {
			t.Errorf("%s imports net/http; it is handed an API", p.ImportPath)
		}
	}
}

func TestPurityCounterexamples(t *testing.T) {
	deps := func(deps ...string) []pkg { return []pkg{{ImportPath: module + "/plan", Deps: deps}} }
	if faults := checkPurity(deps("fmt", "net/url", "net/netip"), []string{"plan"}); faults != nil {
		t.Errorf("what is allowed is found wrong: %q", faults)
	}
	for _, banned := range []string{"net", "net/http", "os/exec"} {
		if faults := checkPurity(deps("fmt", banned), []string{"plan"}); !slices.Equal(faults, []string{"plan reaches " + banned}) {
			t.Errorf("found %q of a package that reaches %s", faults, banned)
		}
	}
	if faults := checkPurity(nil, []string{"plan"}); !slices.Equal(faults, []string{"there is no package plan"}) {
		t.Errorf("found %q of a package that is not there", faults)
	}
}

func checkPurity(all []pkg, pure []string) []string {
	var faults []string
	for _, name := range pure {
		i := slices.IndexFunc(all, func(p pkg) bool { return p.name() == name })
		if i < 0 {
			faults = append(faults, "there is no package "+name)
			continue
		}
		for _, banned := range []string{"net", "net/http", "os/exec"} {
			if slices.Contains(all[i].Deps, banned) {
				faults = append(faults, name+" reaches "+banned)
			}
		}
	}
	return faults
}

// kindFolders are the packages that the list of kinds is made from.
func kindFolders(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "schema/kinds.go", nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, imp := range file.Imports {
		if name, ok := strings.CutPrefix(strings.Trim(imp.Path.Value, `"`), module+"/"); ok && name != "schema/kind" {
			folders = append(folders, name)
		}
	}
	if len(folders) != len(schema.Kinds()) {
		t.Errorf("schema/kinds.go imports %v, and there are %d kinds", folders, len(schema.Kinds()))
	}
	return folders
}
