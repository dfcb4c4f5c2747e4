package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/testfile"
	"b2form/schema"
)

// inlineConfigFile is the file that holds a configuration written in a test, while it is used.
func (t *tester) inlineConfigFile() string { return filepath.Join(t.inlineConfigDir, "main.b2.hcl") }

// An inlineLine is a line of a configuration that is written in a test.
type inlineLine struct {
	start  int     // its first byte in the configuration
	inTest hcl.Pos // that byte in the file of the test
	found  bool    // it stands there as it is, but for an indentation
}

// placeInTestFile makes diagnostics about a configuration that is written in the test point into the file of the test: no other
// file is there afterwards.
func (t *tester) placeInTestFile(diags hcl.Diagnostics, r *testfile.Run) hcl.Diagnostics {
	if r.ConfigurationText == "" {
		return diags
	}
	lines := t.redactShownSource(r)
	path, name := t.inlineConfigFile(), fmt.Sprintf("configuration of run %q", r.Name)
	names := strings.NewReplacer(path, name, t.inlineConfigDir, "the folder of the "+name)
	out := make(hcl.Diagnostics, len(diags))
	for i, d := range diags {
		moved := *d
		moved.Detail = names.Replace(d.Detail)
		if d.Subject != nil && d.Subject.Filename == path {
			moved.Context = nil
			if n := d.Subject.Start.Line; n > 0 && n <= len(lines) {
				moved.Subject = &hcl.Range{Filename: t.file.Path, Start: placeInLines(lines, d.Subject.Start),
					End: placeInLines(lines, d.Subject.End)}
			} else {
				moved.Subject = &r.Range
				moved.Detail += fmt.Sprintf("\n\nThis is about line %d of the %s.", n, name)
			}
		}
		out[i] = &moved
	}
	return out
}

func placeInLines(lines []inlineLine, p hcl.Pos) hcl.Pos {
	line := lines[min(max(p.Line, 1), len(lines))-1]
	at := line.inTest
	if line.found {
		at.Byte += p.Byte - line.start
		at.Column += p.Column - 1
	}
	return at
}

// redactShownSource lets messages quote the test's file with the configuration as the loader lets it be quoted: without secrets.
// lines are where its lines are in that file; nil: they are not there line by line.
func (t *tester) redactShownSource(r *testfile.Run) (lines []inlineLine) {
	out := bytes.Clone(t.shownSource.Bytes)
	from, to := r.ConfigurationRange.Start.Byte, r.ConfigurationRange.End.Byte
	written := t.file.Source.Bytes[from:to]
	config := strings.SplitAfter(r.ConfigurationText, "\n")
	inTest := bytes.SplitAfter(written, []byte("\n"))
	isHeredoc := bytes.HasPrefix(written, []byte("<<")) && len(inTest) == len(config)+1
	if isHeredoc {
		from += len(inTest[0])
	}
	for i := from; i < to; i++ {
		if out[i] != '\n' {
			out[i] = '*'
		}
	}
	t.shownSource = schema.QuotableFile(t.file.Source.Bytes, out, t.file.Source.Nav)
	if !isHeredoc {
		return nil
	}
	start := 0
	for n, text := range config {
		line := inlineLine{start: start, inTest: hcl.Pos{Line: r.ConfigurationRange.Start.Line + 1 + n, Column: 1, Byte: from}}
		whole := inTest[n+1]
		indent := len(whole) - len(text)
		if bytes.HasSuffix(whole, []byte(text)) && len(bytes.TrimSpace(whole[:indent])) == 0 {
			line.found = true
			line.inTest.Column += indent
			line.inTest.Byte += indent
			if file := t.sourceFiles[t.inlineConfigFile()]; file != nil && start+len(text) <= len(file.Bytes) {
				copy(out[from:], whole[:indent])
				copy(out[line.inTest.Byte:], file.Bytes[start:start+len(text)])
			}
		}
		lines = append(lines, line)
		from += len(whole)
		start += len(text)
	}
	return lines
}
