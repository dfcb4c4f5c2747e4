package view_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/internal/view"
)

const source = "# é\nbucket \"logs\" {\n\tname = \"logs\"\n  info = {\n    a = 1\n  }\n}\n"

// place is the range of a part of source.
func place(part string) *hcl.Range {
	from := strings.Index(source, part)
	pos := func(n int) hcl.Pos {
		before := source[:n]
		line := strings.Count(before, "\n")
		return hcl.Pos{Line: line + 1, Column: n - strings.LastIndex(before, "\n"), Byte: n}
	}
	return &hcl.Range{Filename: "main.b2.hcl", Start: pos(from), End: pos(from + len(part))}
}

func sources() map[string]*hcl.File {
	f, diags := hclsyntax.ParseConfig([]byte(source), "main.b2.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		panic(diags)
	}
	return map[string]*hcl.File{"main.b2.hcl": f}
}

func diagnostics() hcl.Diagnostics {
	long := "B2 bucket names are unique across all accounts. Choose another name, or import the bucket if it is yours:\n  import { to = " +
		"bucket.logs  id = \"logs\" }\nThen run the command again."
	diags := hcl.Diagnostics{
		{Severity: hcl.DiagError, Summary: "Bucket name is already in use", Detail: long, Subject: place(`"logs"` + "\n  info")},
		{Severity: hcl.DiagError, Summary: "Invalid info", Detail: "Too odd.", Subject: place("{\n    a = 1\n  }"),
			Extra: address("bucket.logs")},
		{Severity: hcl.DiagError, Summary: "Elsewhere", Subject: &hcl.Range{Filename: "other.b2.hcl", Start: hcl.Pos{Line: 9, Column: 1}}},
		{Severity: hcl.DiagError, Summary: "No place", Detail: "Control \x1b[31mcharacters\x07 do not reach the terminal."},
		{Severity: hcl.DiagError, Summary: "End of file", Detail: "A range may be empty.", Subject: &hcl.Range{Filename: "main.b2.hcl",
			Start: hcl.Pos{Line: 8, Column: 1, Byte: len(source)}, End: hcl.Pos{Line: 8, Column: 1, Byte: len(source)}}},
	}
	for range 3 {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Unknown capability", Detail: "B2 may have added it.",
			Subject: place("name")})
	}
	for range 22 {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Many alike", Subject: place("a = 1")})
	}
	return diags
}

func TestDiagnosticsText(t *testing.T) {
	var plain, coloured bytes.Buffer
	view.TextUI{Err: &plain}.Diagnostics(diagnostics(), sources())
	golden(t, "diagnostics.txt", plain.String())
	view.TextUI{Err: &coloured, Style: view.Style{Color: true, ErrWidth: 60}}.Diagnostics(diagnostics()[:1], sources())
	golden(t, "diagnostics-colour.txt", coloured.String())
}

func TestDiagnosticsJSON(t *testing.T) {
	b, err := json.MarshalIndent(view.NewValidation(diagnostics()[:6], sources()), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "diagnostics.json", string(b)+"\n")
}

// What a message repeats is cut where nobody would read on.
func TestLongDetailsAreCut(t *testing.T) {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Invalid argument", Detail: strings.Repeat("é", 100_000)}
	var b bytes.Buffer
	view.TextUI{Err: &b}.Diagnostics(hcl.Diagnostics{d}, nil)
	if inJSON := view.DiagnosticJSON(d, nil).Detail; b.Len() > 11_000 || len(inJSON) > 11_000 || !strings.HasSuffix(inJSON, "é…") {
		t.Errorf("%d bytes as text, %d in JSON", b.Len(), len(inJSON))
	}
}
