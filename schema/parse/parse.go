// Package parse turns text into the syntax of configurations, within bounds: what is
// nested too deeply never reaches a parser, whose stack would overflow, and what is
// parsed counts the steps that evaluating it takes.
package parse

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"

	"b2form/schema/wire"
)

// Config parses a file in HCL's native syntax. The file is nil where it is nested
// too deeply.
func Config(src []byte, name string, b *Budget) (*hcl.File, hcl.Diagnostics) {
	if d := check(src, name, hcl.InitialPos, code); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	file, diags := parseConfig(src, name, pieceSize)
	if body, ok := file.Body.(*hclsyntax.Body); ok {
		b.countBody(body)
	}
	return file, diags
}

// JSON parses a file in HCL's JSON syntax. The file is nil where it is nested too
// deeply.
func JSON(src []byte, name string) (*hcl.File, hcl.Diagnostics) {
	if at := wire.TooDeep(src, MostNested); at >= 0 {
		return nil, hcl.Diagnostics{tooDeep(src, name, hcl.InitialPos, at)}
	}
	if d := checkTexts(src, name); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	return json.Parse(src, name)
}

// Expression parses an expression that begins at a place. It is nil where it is
// nested too deeply.
func Expression(src []byte, name string, start hcl.Pos, b *Budget) (hclsyntax.Expression, hcl.Diagnostics) {
	if d := check(src, name, start, code); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	e, diags := hclsyntax.ParseExpression(src, name, start)
	b.count(e)
	return e, diags
}

// Template parses a template that begins at a place. It is nil where it is nested
// too deeply.
func Template(src []byte, name string, start hcl.Pos, b *Budget) (hclsyntax.Expression, hcl.Diagnostics) {
	if d := check(src, name, start, text); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	e, diags := hclsyntax.ParseTemplate(src, name, start)
	b.count(e)
	return e, diags
}

func check(src []byte, name string, start hcl.Pos, as byte) *hcl.Diagnostic {
	switch at, number := deepest(src, as); {
	case at < 0:
		return nil
	case number:
		return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: numberTooLarge, Detail: writeSmaller, Subject: place(src, name, start, at)}
	default:
		return tooDeep(src, name, start, at)
	}
}

// tooDeep is the error about what stands at a byte of a text.
func tooDeep(src []byte, name string, start hcl.Pos, at int) *hcl.Diagnostic {
	subject := place(src, name, start, at)
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Nested too deeply",
		Detail: fmt.Sprintf("At column %d something stands inside of more than %d others, or among more than %d operators. Split it up, "+
			"for example into local values.", subject.Start.Column, MostNested, mostOperators),
		Subject: subject,
	}
}

// place is where a byte of a text stands.
func place(src []byte, name string, start hcl.Pos, at int) *hcl.Range {
	pos := start
	if lines := bytes.Count(src[:at], []byte("\n")); lines > 0 {
		pos.Line, pos.Column = pos.Line+lines, 1
	}
	pos.Byte += at
	pos.Column += utf8.RuneCount(src[bytes.LastIndexByte(src[:at], '\n')+1 : at])
	end := pos
	end.Byte, end.Column = end.Byte+1, end.Column+1
	return &hcl.Range{Filename: name, Start: pos, End: end}
}
