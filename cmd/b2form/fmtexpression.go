package main

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"b2form/schema/parse"
)

// modernise writes a file that parses as terraform fmt does, where that is more than spaces: labels in quotes,
// "${x}" as x, and the types of variables as Terraform 0.12 and later have them.
func modernise(src []byte, name string) []byte {
	file, diags := hclwrite.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		return hclwrite.Format(src)
	}
	moderniseBody(file.Body(), "")
	out := file.Bytes()
	if _, diags := parse.Config(out, name, nil); diags.HasErrors() { // a comment inside of "${x}" may have ended lines
		return hclwrite.Format(src)
	}
	return out
}

func moderniseBody(body *hclwrite.Body, block string) {
	for name, attr := range body.Attributes() {
		old := attr.Expr().BuildTokens(nil)
		tokens := withoutTemplate(old)
		if block == "variable" && name == "type" {
			tokens = modernType(old)
		}
		if !bytes.Equal(tokens.Bytes(), old.Bytes()) {
			body.SetAttributeRaw(name, tokens)
		}
	}
	for _, inner := range body.Blocks() {
		inner.SetLabels(inner.Labels())
		moderniseBody(inner.Body(), inner.Type())
	}
}

// withoutTemplate is x for "${x}", which is x itself and not a text; and for "${"${x}"}", of which terraform fmt takes a part at a time.
func withoutTemplate(tokens hclwrite.Tokens) hclwrite.Tokens {
	last := len(tokens) - 1
	if last < 4 || tokens[0].Type != hclsyntax.TokenOQuote || tokens[1].Type != hclsyntax.TokenTemplateInterp ||
		tokens[last-1].Type != hclsyntax.TokenTemplateSeqEnd || tokens[last].Type != hclsyntax.TokenCQuote {
		return tokens
	}
	inside := tokens[2 : last-1]
	quotes, lines := 0, false
	for _, t := range inside {
		switch t.Type {
		case hclsyntax.TokenOQuote:
			quotes++
		case hclsyntax.TokenCQuote:
			quotes--
		case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenQuotedLit:
			if quotes == 0 { // "${x}${y}", "${x} and ${y}"
				return tokens
			}
		}
	}
	for len(inside) > 0 && inside[0].Type == hclsyntax.TokenNewline {
		inside = inside[1:]
	}
	for len(inside) > 0 && inside[len(inside)-1].Type == hclsyntax.TokenNewline {
		inside = inside[:len(inside)-1]
	}
	for _, t := range inside {
		lines = lines || t.Type == hclsyntax.TokenNewline
	}
	if !lines {
		return withoutTemplate(inside)
	}
	if inside[0].Type == hclsyntax.TokenOParen && inside[len(inside)-1].Type == hclsyntax.TokenCParen {
		return inside
	}
	return append(append(hclwrite.Tokens{{Type: hclsyntax.TokenOParen, Bytes: []byte("(")}}, inside...),
		&hclwrite.Token{Type: hclsyntax.TokenCParen, Bytes: []byte(")")})
}

// modernType is list(any) for list, and string for "string".
func modernType(tokens hclwrite.Tokens) hclwrite.Tokens {
	modern := map[string]string{
		"list": "list(any)", "map": "map(any)", "set": "set(any)",
		`"string"`: "string", `"list"`: "list(string)", `"map"`: "map(string)",
	}[strings.TrimSpace(string(tokens.Bytes()))]
	if modern == "" {
		return tokens
	}
	return hclwrite.Tokens{{Type: hclsyntax.TokenIdent, Bytes: []byte(modern)}}
}
