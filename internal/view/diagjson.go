package view

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcled"

	"b2form/internal/visible"
	"b2form/schema/config"
)

// A Diagnostic is an error or warning in Terraform's JSON shape.
type Diagnostic struct {
	Severity string       `json:"severity"` // "error" or "warning"
	Summary  string       `json:"summary"`
	Detail   string       `json:"detail"`
	Address  string       `json:"address,omitempty"` // of the object that it is about
	Policy   string       `json:"policy,omitempty"`  // the policy that is broken
	Range    *Range       `json:"range,omitempty"`
	Snippet  *CodeSnippet `json:"snippet,omitempty"`
}

// A Range is a part of a file. Lines and columns count from 1; bytes from 0.
type Range struct {
	Filename string   `json:"filename"`
	Start    Position `json:"start"`
	End      Position `json:"end"`
}

// A Position is a place in a file.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// A CodeSnippet is the source that a diagnostic is about.
type CodeSnippet struct {
	Context              *string    `json:"context"` // the block around it; null: none
	Code                 string     `json:"code"`
	StartLine            int        `json:"start_line"`
	HighlightStartOffset int        `json:"highlight_start_offset"`
	HighlightEndOffset   int        `json:"highlight_end_offset"`
	Values               []struct{} `json:"values"` // always empty: values may be secret
}

// DiagnosticJSON brings a diagnostic into its JSON shape. files holds the
// sources it may point into.
func DiagnosticJSON(d *hcl.Diagnostic, files map[string]*hcl.File) Diagnostic {
	out := Diagnostic{Severity: "error", Summary: visible.EscapeLines(d.Summary), Detail: escapedTruncatedDetail(d)}
	if d.Severity == hcl.DiagWarning {
		out.Severity = "warning"
	}
	out.Address, out.Policy, _ = addressAndPolicyOf(d)
	if d.Subject == nil {
		return out
	}
	out.Range = NewRange(d.Subject)
	file := files[d.Subject.Filename]
	if file == nil {
		return out
	}
	s := newSnippet(d, file)
	if s == nil {
		return out
	}
	code := &CodeSnippet{Code: s.text(), StartLine: s.firstLine, HighlightStartOffset: s.markedTextStart,
		HighlightEndOffset: s.markedTextEnd,
		Values:             []struct{}{}}
	if in := hcled.ContextString(file, d.Subject.Start.Byte); in != "" {
		code.Context = &in
	}
	out.Snippet = code
	if s.hidesText {
		out.Detail = strings.TrimPrefix(out.Detail+"\n\n"+hiddenTextNote, "\n\n")
	}
	return out
}

// addressAndPolicyOf is the object that a diagnostic is about, if any, and the policy that it breaks. With isShared others of its summary
// have the same cause.
func addressAndPolicyOf(d *hcl.Diagnostic) (address, policy string, hasSharedCause bool) {
	violation, breaksPolicy := d.Extra.(config.ViolationExtra)
	_, hasSharedCause = d.Extra.(config.SharedCauseExtra)
	return config.AffectedAddrText(d), violation.Policy, hasSharedCause || breaksPolicy
}

// NewRange brings a range into its JSON shape.
func NewRange(r *hcl.Range) *Range {
	return &Range{Filename: r.Filename, Start: position(r.Start), End: position(r.End)}
}

func position(p hcl.Pos) Position { return Position{Line: p.Line, Column: p.Column, Byte: p.Byte} }

// A Validation is what `validate -json` prints.
type Validation struct {
	FormatVersion string       `json:"format_version"`
	Valid         bool         `json:"valid"`
	ErrorCount    int          `json:"error_count"`
	WarningCount  int          `json:"warning_count"`
	Diagnostics   []Diagnostic `json:"diagnostics"`
}

// NewValidation counts and converts.
func NewValidation(diags hcl.Diagnostics, files map[string]*hcl.File) Validation {
	v := Validation{FormatVersion: "1.0", Valid: !diags.HasErrors(), Diagnostics: []Diagnostic{}}
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			v.ErrorCount++
		} else {
			v.WarningCount++
		}
		v.Diagnostics = append(v.Diagnostics, DiagnosticJSON(d, files))
	}
	return v
}
