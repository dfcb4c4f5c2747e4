package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/visible"
)

// A TestStatus is what came of a run of a test.
type TestStatus string

// The statuses. An error is what nobody expected, and ends the file.
const (
	TestPass  TestStatus = "pass"
	TestFail  TestStatus = "fail"
	TestError TestStatus = "error"
	TestSkip  TestStatus = "skip"
)

// A TestFileResult is what came of one file of tests.
type TestFileResult struct {
	Path    string
	Runs    []TestRunResult
	Sources map[string]*hcl.File // that diagnostics may point into
	// Warnings are about the file itself, whatever came of its runs. The one who has the result shows them.
	Warnings hcl.Diagnostics
}

// A TestRunResult is what came of one run.
type TestRunResult struct {
	Name        string
	Range       hcl.Range
	Status      TestStatus
	Took        time.Duration
	Diagnostics hcl.Diagnostics // what failed
	PlanText    string          // in words; "": it is not to be shown
}

// Status is that of the whole file.
func (f *TestFileResult) Status() TestStatus {
	worst := TestPass
	for _, r := range f.Runs {
		if r.Status == TestError || r.Status == TestFail && worst == TestPass {
			worst = r.Status
		}
	}
	return worst
}

// TestCounts are how many runs ended how.
type TestCounts map[TestStatus]int

// CountTestRuns counts the runs of all files.
func CountTestRuns(files []TestFileResult) TestCounts {
	n := TestCounts{}
	for _, f := range files {
		for _, r := range f.Runs {
			n[r.Status]++
		}
	}
	return n
}

// Failed reports whether a run did not do what was expected.
func (n TestCounts) Failed() bool { return n[TestFail]+n[TestError] > 0 }

func (n TestCounts) summaryText() string {
	out := "Success!"
	if n.Failed() {
		out = "Failure!"
	}
	out += fmt.Sprintf(" %d passed, %d failed", n[TestPass], n[TestFail]+n[TestError])
	if n[TestSkip] > 0 {
		out += fmt.Sprintf(", %d skipped", n[TestSkip])
	}
	return out + "."
}

// Tests writes a line for each run, and what failed after that.
func (t TextUI) Tests(files []TestFileResult) {
	for i := range files {
		f := &files[i]
		fmt.Fprintf(t.Out, "%s... %s\n", visible.EscapeLine(f.Path), t.paintTestStatus(f.Status()))
		for _, r := range f.Runs {
			fmt.Fprintf(t.Out, "  run %q... %s\n", visible.EscapeLine(r.Name), t.paintTestStatus(r.Status))
			if r.PlanText != "" {
				io.WriteString(t.Out, "\n"+r.PlanText+"\n")
			}
			t.Diagnostics(r.Diagnostics, f.Sources)
		}
	}
	io.WriteString(t.Out, t.testSummary(CountTestRuns(files)))
}

// testSummary is the closing line, behind an empty one.
func (t TextUI) testSummary(n TestCounts) string {
	ink := green
	if n.Failed() {
		ink = red
	}
	head, rest, _ := strings.Cut(n.summaryText(), " ")
	return fmt.Sprintf("\n%s %s\n", t.Style.paint(head, bold, ink), rest)
}

func (t TextUI) paintTestStatus(s TestStatus) string {
	switch s {
	case TestPass:
		return t.Style.paint(string(s), green)
	case TestSkip:
		return string(s)
	}
	return t.Style.paint(string(s), red)
}

// Tests writes a line for each run and each file, and a summary.
func (j JSONUI) Tests(files []TestFileResult) {
	for i := range files {
		f := &files[i]
		for _, r := range f.Runs {
			j.emit("info", fmt.Sprintf("  run %q... %s", visible.EscapeLine(r.Name), r.Status), "test_run",
				jsonFields{"test_run": jsonFields{
					"path": f.Path, "run": r.Name, "progress": "complete", "status": r.Status, "elapsed": r.Took.Milliseconds(),
				}})
			j.Diagnostics(r.Diagnostics, f.Sources)
		}
		j.emit("info", fmt.Sprintf("%s... %s", visible.EscapeLine(f.Path), f.Status()), "test_file", jsonFields{"test_file": jsonFields{
			"path": f.Path, "progress": "complete", "status": f.Status(),
		}})
	}
	n := CountTestRuns(files)
	status := TestPass
	if n.Failed() {
		status = TestFail
	}
	j.emit("info", n.summaryText(), "test_summary",
		jsonFields{"test_summary": jsonFields{"status": status, "passed": n[TestPass], "failed": n[TestFail],
			"errored": n[TestError], "skipped": n[TestSkip]}})
}
