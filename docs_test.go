package b2form_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"b2form/internal/view"
	"b2form/schema"
	"b2form/schema/functions"
	"b2form/schema/kind"
)

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write generated documentation instead of comparing it")
	flag.Parse()
	os.Exit(m.Run())
}

// TestReferencePages keeps the pages about the language as the descriptors say.
func TestReferencePages(t *testing.T) {
	written := map[string]bool{}
	for _, p := range view.ReferencePages(schema.Kinds()) {
		path := filepath.Join("docs", p.Path)
		written[path] = true
		generated(t, path, p.Text)
	}
	for _, folder := range []string{"kinds", "blocks"} {
		pages, err := filepath.Glob(filepath.Join("docs", folder, "*"))
		if err != nil || len(pages) == 0 {
			t.Fatalf("no pages in docs/%s: %v", folder, err)
		}
		for _, path := range pages {
			if !written[path] {
				t.Errorf("%s is about nothing; delete it", path)
			}
		}
	}
}

// TestHazardsPage keeps the table of docs/plans.md as -auto-approve treats each hazard.
func TestHazardsPage(t *testing.T) {
	text, err := os.ReadFile("docs/plans.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range kind.HazardKinds() {
		row := "only shown"
		if h.NeedsAllow() {
			row = "held back"
		}
		if want := fmt.Sprintf("\n| `%s` | %s |", h.AllowFlagValue(), row); strings.Count(string(text), want) != 1 {
			t.Errorf("docs/plans.md has no row %q", want)
		}
	}
}

// TestDecisionsAreNumbered keeps docs/adr without gaps and without two of one number.
func TestDecisionsAreNumbered(t *testing.T) {
	pages, err := filepath.Glob("docs/adr/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no decisions: %v", err)
	}
	for i, path := range pages {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name, title := fmt.Sprintf("%04d-", i+1), fmt.Sprintf("# %d. ", i+1)
		if !strings.HasPrefix(filepath.Base(path), name) || !strings.HasPrefix(string(text), title) {
			t.Errorf("%s stands in the place of decision %d, %s", path, i+1, title)
		}
	}
}

// TestFunctionsPage keeps docs/functions.md as the list of functions says.
func TestFunctionsPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Functions\n\nWhat expressions may call; `b2form functions` prints the same. File functions read below the " +
		"configuration's folder\n" +
		"and the module's, and in the git work tree around it or what `-root=DIR` names; what git ignores outside of that folder,\n" +
		"the state and what deliveries write is not read ([decision 19](adr/0019-how-far-files-reach.md)). Functions that read the\n" +
		"clock, the machine or random numbers are left out: a plan comes out the same every time. The functions of Terraform's that\n" +
		"are here answer as they do there, unless it is said of one.\n")
	group := ""
	for _, d := range functions.Docs() {
		if d.Group != group {
			group = d.Group
			b.WriteString("\n## " + group + "\n\n| function | | example |\n|---|---|---|\n")
		}
		cells := strings.ReplaceAll(fmt.Sprintf("`%s` | %s | `%s` = `%s`", d.Signature, d.Summary, d.Example, d.Result), "||", "\\|\\|")
		b.WriteString("| " + cells + " |\n")
	}
	generated(t, filepath.Join("docs", "functions.md"), b.String())
}

// TestCapabilitiesPage keeps docs/capabilities.md as the descriptors say.
func TestCapabilitiesPage(t *testing.T) {
	generated(t, filepath.Join("docs", "capabilities.md"), capabilitiesPage(schema.Kinds()))
}

// generated compares a page with what it is generated from, or writes it.
func generated(t *testing.T, path, want string) {
	t.Helper()
	if updating() {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(want), 0o644)); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("%s is stale; run `go test . -update` (-want +got):\n%s", path, d)
	}
}

// TestExamplesInProse loads every configuration on the pages that are written by
// hand, each of which is formatted. Those of deliveries are parts of keys, which have a test of their own.
func TestExamplesInProse(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range append(pages, "README.md") {
		src, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split(string(src), "```hcl\n")[1:] {
			found++
			text, _, _ := strings.Cut(part, "```")
			if d := cmp.Diff(string(hclwrite.Format([]byte(text))), text); d != "" {
				t.Errorf("example %d of %s is not formatted (-formatted +is):\n%s", i+1, page, d)
			}
			if filepath.Base(page) == "deliver.md" {
				continue
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "main.b2.hcl"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			_, diags := schema.Load(schema.Options{Dir: dir, Kinds: schema.Kinds(), Version: "1.5.0", AllowUnsetVariables: true})
			for _, d := range diags {
				t.Errorf("example %d of %s: %s", i+1, page, d)
			}
		}
	}
	if found < 10 {
		t.Errorf("found %d examples only", found)
	}
}

// capabilitiesPage writes the page about what the credentials of b2form must be allowed to do, from
// the descriptors.
func capabilitiesPage(kinds []*kind.Kind) string {
	var b strings.Builder
	b.WriteString(`# Capabilities

What the application key in B2_APPLICATION_KEY_ID must be allowed to do. "b2form plan -capabilities" prints a key block with the
least that one plan takes. plan warns of what is missing, and apply refuses before it changes anything.

| command | takes |
|---|---|
| validate, fmt, graph, schema, functions, version, state list | no credentials at all |
| show FILE | no credentials at all |
| plan, output, show, keys, console, graph -plan | reading, of the kinds that are declared, recorded or asked for by data |
| apply, destroy, rotate | reading, and what the steps of the plan take |
| all, with the state in a bucket | listBuckets, readFiles and writeFiles in that bucket; changing the state also writeBuckets |

| | reading | making and changing | destroying | destroying with force_destroy |
|---|---|---|---|---|
`)
	for _, k := range kinds {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", k.Name, codeList(k.ReadCapabilities), codeList([]string{k.WriteCapability}),
			codeList([]string{k.DeleteCapability}), codeList(k.Destroy.ForcedDestroyCapabilities))
	}
	b.WriteString("\nWith `listFiles`, apply looks whether a bucket that goes without force_destroy is empty before anything is deleted.\n")
	b.WriteString("\nSome attributes take more:\n\n| attribute | comparing it | setting it |\n|---|---|---|\n")
	for _, k := range kinds {
		for _, a := range k.SettableAttrs() {
			if a.WirePath != "" && (a.ReadCapability != "" || a.WriteCapability != "") {
				fmt.Fprintf(&b, "| `%s` of %s | %s | %s |\n", a.Name, k.Name, codeList([]string{a.ReadCapability}),
					codeList([]string{a.WriteCapability}))
			}
		}
	}
	b.WriteString(`
A key that is limited to buckets sees only these, and can make neither buckets nor keys; one that is limited to a prefix of file names can
make files of such names only. A key with writeKeys may make keys that can do more than itself: B2 allows it.
`)
	return b.String()
}

func codeList(list []string) string {
	text := strings.Join(list, "`, `")
	if text == "" {
		return "–"
	}
	return "`" + text + "`"
}
