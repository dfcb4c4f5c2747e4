package report_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/report"
	"b2form/internal/view"
	"b2form/plan"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update)", err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

// runs are one of each sort, by name.
func runs() map[string]*report.Run {
	warning := view.Diagnostic{Severity: "warning", Summary: "Nobody can list buckets with this key",
		Detail: "key.app may not list buckets.\nMost programs ask for that.", Address: "key.app", Policy: "policy.keys",
		Range: &view.Range{Filename: "main.b2.hcl", Start: view.Position{Line: 7, Column: 3, Byte: 90},
			End: view.Position{Line: 7, Column: 9, Byte: 96}}}
	failure := view.Diagnostic{Severity: "error", Summary: "B2 refused: bucket name taken",
		Detail: "Somebody else has a bucket of this name. Choose another."}
	planned := &report.Plan{Summary: "Plan: 1 to add, 1 to change, 0 to destroy.", Counts: plan.Counts{Add: 1, Change: 1},
		Changes: []report.Change{
			{Address: "bucket.photos", Action: "update", Symbol: "~", Fields: []string{"type"},
				ChangeText: view.ChangeText{Heading: "bucket.photos will be updated in-place",
					Diff: "!   bucket \"photos\" {\n!       type = \"allPrivate\" -> \"allPublic\"\n    }\n"},
				Hazards: []report.Hazard{{Kind: "exposes files", AllowFlagValue: "exposes-files",
					Detail: "every file becomes readable by anyone"}}},
			{Address: "key.app", Action: "create", Symbol: "+", ChangeText: view.ChangeText{Heading: "key.app will be created",
				Remarks: []string{"because it was asked for"}, Diff: "+   key \"app\" {\n+       name = \"app\"\n    }\n"}},
		}, LeftOut: []string{"bucket.other"}}
	drift := []report.Drift{
		{Address: "bucket.photos", Type: report.DriftChanged, Text: "bucket.photos has changed: type", Fields: []string{"type"},
			Diff: "!   bucket \"photos\" {\n!       type = \"allPublic\" -> \"allPrivate\"\n    }\n"},
		{Address: "key.app", Type: report.DriftGone, Text: "key.app has been deleted"},
		{Type: report.DriftUnmanaged, Text: "bucket acme-stray is not declared"},
	}
	digest := "b2form-1:0123456789abcdef"
	return map[string]*report.Run{
		"plan": {ProgramVersion: "1.0.0", Command: "plan", Folder: "live/prod", Planned: planned, Drift: drift[:1], Digest: digest,
			ExitCode: 2, OutputsDiff: "+   url = \"https://example.com\"\n", Diagnostics: []view.Diagnostic{warning},
			Checks: []report.Check{{Name: "check.public"},
				{Name: "check.small", Failed: true, Messages: []string{"It is large.\n\nThis was asserted by check.small."}}},
			Exceptions: []report.Exception{{Address: "bucket.photos", Policy: "policy.private", Reason: "a web site"}}},
		"unchanged": {ProgramVersion: "1.0.0", Command: "plan",
			Planned: &report.Plan{Summary: "Plan: 0 to add, 0 to change, 0 to destroy."},
			Digest:  digest},
		"apply": {ProgramVersion: "1.0.0", Command: "apply", Planned: planned,
			Done: &report.ApplyResult{Counts: plan.Counts{Add: 1, Change: 1},
				Summary: "Apply complete! Resources: 1 added, 1 changed, 0 destroyed."}},
		"failed": {ProgramVersion: "1.0.0", Command: "apply", Planned: planned, ExitCode: 1,
			Diagnostics: []view.Diagnostic{failure, warning},
			Done: &report.ApplyResult{Summary: "Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed, 1 failed, 1 not begun.",
				Incomplete: true, Failed: []string{"bucket.photos"}, Unfinished: []string{"key.app"}}},
		"drift": {ProgramVersion: "1.0.0", Command: "drift", State: "b2://acme-states/prod/", Drift: drift,
			ManagedCountTexts: []string{"41 of 44 buckets managed, 93 %"}, ExitCode: 2},
		"keys": {ProgramVersion: "1.0.0", Command: "keys", ExitCode: 2, ListedKeys: []report.Key{
			{Name: "app", Owner: "key.app", Capabilities: "read_write", BucketsAndPrefix: "acme-photos", Expiry: "never"},
			{Name: "old", Owner: "not in the state", Capabilities: "9 capabilities", BucketsAndPrefix: "every bucket", Expiry: "2027-01-01",
				Findings: []report.KeyFinding{{Rule: "unowned", Detail: "the state here does not know it"}}}}},
		"validate": {ProgramVersion: "1.0.0", Command: "validate", Diagnostics: []view.Diagnostic{warning}},
	}
}

func TestMarkdown(t *testing.T) {
	for name, r := range runs() {
		golden(t, name+".md", report.Markdown(r, report.GitHubComment))
	}
}

func TestOutcome(t *testing.T) {
	want := map[string]report.Outcome{"plan": report.Pending, "unchanged": report.Unchanged, "apply": report.Applied,
		"failed": report.Failed, "drift": report.Pending, "keys": report.Pending, "validate": report.Unchanged}
	for name, r := range runs() {
		if got := r.Outcome(); got != want[name] {
			t.Errorf("%s: %s, want %s", name, got, want[name])
		}
	}
}

// TestFaces keeps every face of every run, but Markdown and SARIF, which have files of their own.
func TestFaces(t *testing.T) {
	for name, r := range runs() {
		notice := report.NewNotice(r, "https://ci.example.com/job/1")
		var b strings.Builder
		for _, face := range []struct{ name, text string }{
			{"annotations of GitHub", report.GitHubAnnotations(r)}, {"outputs of GitHub", report.GitHubOutputs(r)},
			{"dotenv", report.Dotenv(r)}, {"code quality", string(report.GitLabCodeQuality(r))},
			{"terraform", string(report.GitLabTerraform(r))}, {"JUnit", string(report.JUnit(r))},
			{"notice", string(notice.JSON())}, {"Slack", string(notice.Slack()) + "\n"}, {"text", notice.Text(1000) + "\n"},
		} {
			b.WriteString("== " + face.name + "\n" + face.text)
		}
		golden(t, name+".txt", b.String())
	}
}

// TestManyAnnotations shows ten of each level, and counts the others in the summary.
func TestManyAnnotations(t *testing.T) {
	r := runs()["failed"]
	for range 12 {
		r.Diagnostics = append(r.Diagnostics, r.Diagnostics[0])
	}
	if n := strings.Count(report.GitHubAnnotations(r), "::error "); n != 10 {
		t.Errorf("%d errors", n)
	}
	if got := report.GitHubSummary(r); !strings.Contains(got, "\n_Without annotation, since GitHub shows 10 of each level: 3 errors._\n") {
		t.Error(got)
	}
}
