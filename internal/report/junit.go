package report

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/view"
	"b2form/internal/visible"
)

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure"`
	Error   *junitFailure `xml:"error"`
	Skipped *struct{}     `xml:"skipped"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// TestsJUnit is the results of b2form test as programs read them that know JUnit's XML: a suite for each file.
func TestsJUnit(files []view.TestFileResult) []byte {
	var out junitSuites
	for i := range files {
		f := &files[i]
		suite := junitSuite{Name: visible.EscapeLine(f.Path)}
		for _, r := range f.Runs {
			c := junitCase{Name: visible.EscapeLine(r.Name), Time: fmt.Sprintf("%.3f", r.Took.Seconds())}
			switch r.Status {
			case view.TestFail:
				c.Failure = newJUnitFailure(r.Diagnostics, f.Sources)
			case view.TestError:
				c.Error = newJUnitFailure(r.Diagnostics, f.Sources)
			case view.TestSkip:
				c.Skipped = &struct{}{}
			}
			suite.add(c)
		}
		out.Suites = append(out.Suites, suite)
	}
	return out.encode()
}

func newJUnitFailure(diags hcl.Diagnostics, sources map[string]*hcl.File) *junitFailure {
	f := &junitFailure{Text: view.DiagnosticsText(diags, sources)}
	if len(diags) > 0 {
		f.Message = visible.EscapeLine(diags[0].Summary)
	}
	return f
}

// JUnit is a run as programs read it that know JUnit's XML: a suite of the check blocks, one of what differs outside of
// b2form and one of what is not declared here where that was asked for, skipped where it is only listed, and one with a case for
// the run itself, which fails with its errors.
func JUnit(r *Run) []byte {
	run := junitCase{Name: r.Command}
	if r.Outcome() == Failed {
		run.Error = &junitFailure{Message: Headline(r)}
		for _, d := range r.withSeverity("error") {
			run.Error.Text += visible.EscapeLine(d.Summary) + "\n" + visible.EscapeLines(truncateMessage(d.Detail)) + "\n"
		}
	}
	suites := []junitSuite{{Name: "b2form"}, {Name: "checks"}, {Name: "drift"}, {Name: "unmanaged"}}
	suites[0].add(run)
	for _, check := range r.Checks {
		c := junitCase{Name: visible.EscapeLine(check.Name)}
		if check.Failed {
			c.Failure = &junitFailure{Message: truncateToLine(strings.Join(check.Messages, " ")),
				Text: visible.EscapeLines(strings.Join(check.Messages, "\n"))}
		}
		suites[1].add(c)
	}
	if r.Command == "drift" || r.Planned != nil && r.Planned.Purpose == view.Refreshing { // it is what was asked for
		for _, d := range r.Drift {
			one, suite := junitCase{Name: visible.EscapeLine(d.Address)}, &suites[2]
			if d.Type == DriftUnmanaged {
				one, suite = junitCase{Name: visible.EscapeLine(d.Text)}, &suites[3]
			}
			if d.IsListedOnly {
				one.Skipped = &struct{}{}
			} else {
				one.Failure = &junitFailure{Message: truncateToLine(d.Text), Text: visible.EscapeLines(truncateMessage(d.Diff))}
			}
			suite.add(one)
		}
	}
	var out junitSuites
	for _, s := range suites {
		if s.Tests > 0 {
			out.Suites = append(out.Suites, s)
		}
	}
	return out.encode()
}

// add adds a case to the suite, and counts it.
func (s *junitSuite) add(c junitCase) {
	c.Class = s.Name
	if c.Time == "" {
		c.Time = "0.000"
	}
	s.Cases = append(s.Cases, c)
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
}

func (out junitSuites) encode() []byte {
	b, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("report: results cannot be encoded: %v", err))
	}
	return append([]byte(xml.Header), append(b, '\n')...)
}
