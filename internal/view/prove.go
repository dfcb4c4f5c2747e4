package view

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/prove"
	"b2form/internal/visible"
)

// Proof writes a line for each promise, with why it was not tried, and below it what is wrong.
func (t TextUI) Proof(results []prove.Result) {
	var b strings.Builder
	at := ""
	for _, r := range results {
		if r.ResourceAddr != at {
			at = r.ResourceAddr
			b.WriteString(t.Style.paint(visible.EscapeLine(at), bold) + "\n")
		}
		status := t.paintTestStatus(TestStatus(r.Status))
		line := "  " + status + strings.Repeat(" ", max(0, 7-len(r.Status))) + visible.EscapeLine(r.PromiseText)
		if r.Status == prove.Skipped {
			line += " (" + visible.EscapeLine(r.Detail) + ")"
		}
		b.WriteString(strings.Join(wrapLine(line, t.Style.Width, strings.Repeat(" ", 9)), "\n") + "\n")
		if r.Detail != "" && r.Status != prove.Skipped {
			detail := strings.Repeat(" ", 9) + visible.EscapeLine(r.Detail)
			b.WriteString(strings.Join(wrapLine(detail, t.Style.Width, strings.Repeat(" ", 9)), "\n") + "\n")
		}
	}
	b.WriteString(t.testSummary(CountTestRuns(ProofAsTestFiles(results))))
	io.WriteString(t.Out, b.String())
}

// ProofAsTestFiles are the results as those of tests: an address is a file, a promise a run.
func ProofAsTestFiles(results []prove.Result) (files []TestFileResult) {
	for _, r := range results {
		if len(files) == 0 || files[len(files)-1].Path != r.ResourceAddr {
			files = append(files, TestFileResult{Path: r.ResourceAddr})
		}
		run := TestRunResult{Name: r.PromiseText, Status: TestStatus(r.Status), Took: r.Took}
		if r.Status != prove.Kept && r.Status != prove.Skipped {
			run.Diagnostics = hcl.Diagnostics{{Severity: hcl.DiagError, Summary: r.PromiseText, Detail: r.Detail}}
		}
		f := &files[len(files)-1]
		f.Runs = append(f.Runs, run)
	}
	return files
}

// ProofJSON is the results as one JSON document.
func ProofJSON(results []prove.Result) json.RawMessage {
	promises := []jsonFields{}
	for _, r := range results {
		p := jsonFields{"address": r.ResourceAddr, "promise": r.PromiseText, "status": r.Status, "elapsed": r.Took.Milliseconds()}
		if r.Detail != "" {
			p["detail"] = r.Detail
		}
		promises = append(promises, p)
	}
	n := CountTestRuns(ProofAsTestFiles(results))
	doc, err := json.Marshal(jsonFields{"format_version": "1.0", "passed": n[TestPass], "failed": n[TestFail], "errored": n[TestError],
		"skipped": n[TestSkip], "promises": promises})
	if err != nil {
		panic(fmt.Sprintf("view: results cannot be encoded: %v", err))
	}
	return doc
}
