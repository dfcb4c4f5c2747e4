package clients_test

import (
	_ "embed"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A page is what docs/clients.md says about one client.
type page struct {
	client
	seen requests
	// needs has a row of the table for each capability of each job.
	needs []string
}

func (p *page) add(j job, seen requests) {
	if p.seen == nil {
		p.seen = requests{}
	}
	for _, what := range seen.sorted() {
		p.seen.add(what, seen[what])
	}
	for _, capability := range slices.Sorted(maps.Keys(j.needs)) {
		p.needs = append(p.needs, fmt.Sprintf("| %s | `%s` | %s |\n", j.name, capability, j.needs[capability]))
	}
}

func (p *page) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s.\n\n| job | without | is refused |\n|---|---|---|\n%s\n", p.name, p.source, strings.Join(p.needs, ""))
	fmt.Fprintln(&b, "| call | version | verb | members | headers |\n|---|---|---|---|---|")
	for _, what := range p.seen.sorted() {
		s := p.seen[what]
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", what.call, what.version, what.verb, list(s.members), list(s.headers))
	}
	return b.String()
}

// list prints names, and a member that may be null only once.
func list(names map[string]bool) string {
	var b []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		plain, isNull := strings.CutSuffix(name, " null")
		switch {
		case isNull && names[plain]:
		case isNull:
			b = append(b, "`"+plain+"` (null)")
		default:
			b = append(b, "`"+name+"`")
		}
	}
	return strings.Join(b, ", ")
}

// head begins the page.
//
//go:embed testdata/head.md
var head string

// compare compares a page of docs with its head and the pages of the clients that
// are here.
func compare(t *testing.T, name, head string, pages []string) {
	t.Helper()
	if t.Failed() {
		return
	}
	path := filepath.Join("..", "..", "docs", name)
	whole := strings.Join(append([]string{head}, pages...), "\n")
	if updating() {
		if err := os.WriteFile(path, []byte(whole), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range append([]string{head}, pages...) {
		if !strings.Contains(string(data), part) {
			t.Errorf("docs/%s is stale; run `go test ./internal/clients -update` (-page +seen):\n%s", name, cmp.Diff(string(data), whole))
			return
		}
	}
}
