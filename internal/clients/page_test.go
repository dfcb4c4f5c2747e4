package clients_test

import (
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

const head = `# Programs that judge the emulator

The tests in internal/clients run programs that others wrote for Backblaze B2 against the emulator, with keys that
` + "`b2form apply`" + ` made. Each program has jobs, and each job a key with exactly the capabilities in the first table:
with all of them the job succeeds; without one it is refused at the step that stands beside it. So the table says what
the least is that such a job needs.

The second table says what the program sent while its jobs succeeded: the members of the JSON and, after a question
mark, the parameters of the query; and the headers that tell something. Calls other than b2_authorize_account carry a
token, those without one are links that were shared.

The keys of the folders in examples/ are tried with both versions of rclone, which works in their buckets as the
applications do, must stay in there, and looks at what the lifecycle rules leave as days go by.

| program | install |
|---|---|
| rclone, restic, b2sdk | ` + "`apt-get install rclone restic python3-b2sdk`" + ` on Debian |
| rclone-current | ` + "`go build -C internal/clients/testdata/rclone -o ~/go/bin/rclone-current .`" + ` |

A program that is missing is skipped, but not where the variable CI is set. ` + "`go test ./internal/clients -update`" + `
writes this page from what it sees.

## Their own tests

The authors of rclone and blazer test against the real service. By hand, their tests run against
` + "`b2form emulator -listen=127.0.0.1:8025`" + ` too, rclone's with a remote TestB2 that has its key and endpoint, blazer's with
B2_ACCOUNT_ID and B2_SECRET_KEY and a copy of blazer whose APIBase is the emulator's address:

| tests | result |
|---|---|
| rclone 1.75.1, ` + "`go test ./backend/b2 -remote TestB2:`" + ` | pass |
| rclone 1.75.1, ` + "`go test ./fs/sync -remote TestB2:`" + ` | pass |
| rclone 1.75.1, ` + "`go test ./fs/operations -remote TestB2:`" + ` | pass, but for TestRmdirsNoLeaveRoot, which rclone lists as impossible on B2 |
| blazer 0.7.2, ` + "`go test ./b2 ./base`" + ` | pass, but for TestUnknownCA, which needs TLS; blazer's own writer panics in some runs of TestResumeWriter |
`

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
