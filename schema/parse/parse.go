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
func Config(src []byte, name string, evalBudget *Budget) (*hcl.File, hcl.Diagnostics) {
	return Outline(src, name, nil, evalBudget)
}

// Outline is Config, but the bodies of blocks of some types are left out: of each only its place is
// kept, as its SrcRange. The tree of a file takes twenty times as much memory as its text, so
// [Block] makes that of one block when it is needed. Where there is a mistake nothing is left out.
func Outline(src []byte, name string, outlined func(blockType string) bool, evalBudget *Budget) (*hcl.File, hcl.Diagnostics) {
	if d := checkNestingAndNumbers(src, name, hcl.InitialPos, code); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	file, diags := parseConfig(src, name, outlined, pieceSizes()...)
	hintAtBackslashes(src, diags)
	if body, ok := file.Body.(*hclsyntax.Body); ok {
		evalBudget.wrapBodyCounted(body)
	}
	return file, diags
}

// ReparseBlock parses a block of a file, at any depth, that was parsed before without a mistake.
func ReparseBlock(src []byte, at hcl.Range, evalBudget *Budget) *hclsyntax.Block {
	text := src[at.Start.Byte:at.End.Byte]
	block, ok := newSubsetParser(text, at.Filename, at.Start).block(nil)
	if !ok {
		file, _ := hclsyntax.ParseConfig(text, at.Filename, at.Start)
		block = file.Body.(*hclsyntax.Body).Blocks[0]
	}
	evalBudget.wrapBodyCounted(block.Body)
	return block
}

// JSON parses a file in HCL's JSON syntax. The file is nil where it is nested too
// deeply.
func JSON(src []byte, name string) (*hcl.File, hcl.Diagnostics) {
	if at := wire.FindTooDeep(src, MostNested); at >= 0 {
		return nil, hcl.Diagnostics{tooDeepError(src, name, hcl.InitialPos, at)}
	}
	if d := checkJSONTemplateNesting(src, name); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	file, diags := json.Parse(src, name)
	hintAtBackslashes(src, diags)
	return file, diags
}

// hintAtBackslashes says of escape sequences that are none how a backslash is written, once a line: mostly they are those of a
// path of Windows.
func hintAtBackslashes(src []byte, diags hcl.Diagnostics) {
	hintedLine := 0
	for _, d := range diags {
		if d.Summary != "Invalid escape sequence" && d.Summary != "Invalid JSON string" || d.Subject.Start.Line == hintedLine {
			continue
		}
		text := d.Subject
		if d.Context != nil { // the whole string of JSON
			text = d.Context
		}
		if bytes.IndexByte(text.SliceBytes(src), '\\') >= 0 {
			hintedLine = d.Subject.Start.Line
			d.Detail += ` A path of Windows may have / in place of each \, as in "C:/Users"; else write a backslash as \\.`
		}
	}
}

// Expression parses an expression that begins at a place. It is nil where it is
// nested too deeply.
func Expression(src []byte, name string, start hcl.Pos, evalBudget *Budget) (hclsyntax.Expression, hcl.Diagnostics) {
	if d := checkNestingAndNumbers(src, name, start, code); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	e, diags := hclsyntax.ParseExpression(src, name, start)
	evalBudget.wrapCounted(e)
	return e, diags
}

// Template parses a template that begins at a place. It is nil where it is nested
// too deeply.
func Template(src []byte, name string, start hcl.Pos, evalBudget *Budget) (hclsyntax.Expression, hcl.Diagnostics) {
	if d := checkNestingAndNumbers(src, name, start, templateText); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	e, diags := hclsyntax.ParseTemplate(src, name, start)
	evalBudget.wrapCounted(e)
	return e, diags
}

func checkNestingAndNumbers(src []byte, name string, start hcl.Pos, as byte) *hcl.Diagnostic {
	switch at, number := findTooDeepOrLongNumber(src, as); {
	case at < 0:
		return nil
	case number:
		return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: numberTooLarge, Detail: numberTooLargeDetail,
			Subject: rangeOfByte(src, name, start, at)}
	default:
		return tooDeepError(src, name, start, at)
	}
}

// tooDeepError is the error about what stands at a byte of a text.
func tooDeepError(src []byte, name string, start hcl.Pos, at int) *hcl.Diagnostic {
	subject := rangeOfByte(src, name, start, at)
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "Nested too deeply",
		Detail: fmt.Sprintf("At column %d something stands inside of more than %d others, or among more than %d operators. Split it up, "+
			"for example into local values.", subject.Start.Column, MostNested, mostOperators),
		Subject: subject,
	}
}

// rangeOfByte is where a byte of a text stands.
func rangeOfByte(src []byte, name string, start hcl.Pos, at int) *hcl.Range {
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
