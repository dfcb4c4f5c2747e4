package schema

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/schema/parse"
)

// MeaningDigest stands for what the files of a configuration, as in [config.Config.Files], say.
// Comments, layout, the names of files within their folder, and the order of blocks and of
// arguments do not count.
func MeaningDigest(files map[string]*hcl.File) string {
	folders := map[string][]string{}
	for name, f := range files {
		folder := path.Dir(filepath.ToSlash(name))
		folders[folder] = append(folders[folder], canonicalStatements(name, f)...)
	}
	for _, said := range folders {
		slices.Sort(said)
	}
	text, err := json.Marshal(folders) // sorts the folders
	if err != nil {
		panic(err) // texts always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// canonicalStatements are what a file says, each in one form.
func canonicalStatements(name string, f *hcl.File) []string {
	if strings.HasSuffix(name, ".json") {
		return jsonStatements(f.Bytes)
	}
	text := f.Bytes
	if o, hidden := f.Body.(sourceBody); hidden { // what stands in for secrets may be no syntax
		text = o.src
	}
	file, diags := parse.Outline(text, name, func(string) bool { return true }, nil)
	if diags.HasErrors() {
		return []string{string(f.Bytes)}
	}
	var out []string
	for _, b := range file.Body.(*hclsyntax.Body).Blocks { // there is nothing else in a configuration without errors
		at := b.Range()
		b.Body = parse.ReparseBlock(text, at, nil).Body
		tokens := tokensWithoutLayout(at.SliceBytes(f.Bytes), at)
		out = append(out, bodyStatements(&hclsyntax.Body{Blocks: hclsyntax.Blocks{b}}, tokens)...)
		b.Body = nil // only one is needed at a time
	}
	return out
}

// tokensWithoutLayout are those of the text at a place, without comments and ends of lines.
func tokensWithoutLayout(text []byte, at hcl.Range) hclsyntax.Tokens {
	tokens, _ := hclsyntax.LexConfig(text, at.Filename, at.Start)
	return slices.DeleteFunc(tokens, func(t hclsyntax.Token) bool {
		return t.Type == hclsyntax.TokenComment || t.Type == hclsyntax.TokenNewline
	})
}

// bodyStatements are arguments by name, then blocks in their order.
func bodyStatements(b *hclsyntax.Body, tokens hclsyntax.Tokens) []string {
	var out []string
	within := func(r hcl.Range) hclsyntax.Tokens {
		first, _ := slices.BinarySearchFunc(tokens, r.Start.Byte, func(t hclsyntax.Token, at int) int { return t.Range.Start.Byte - at })
		last, _ := slices.BinarySearchFunc(tokens, r.End.Byte, func(t hclsyntax.Token, at int) int { return t.Range.Start.Byte - at })
		return tokens[first:last]
	}
	for _, a := range b.Attributes {
		out = append(out, lengthPrefixedTokens(within(a.SrcRange)))
	}
	slices.Sort(out)
	for _, block := range b.Blocks {
		inside := bodyStatements(block.Body, within(block.Range()))
		header := append([]string{block.Type}, block.Labels...)
		out = append(out, fmt.Sprintf("%q {%d %q}", header, len(inside), inside))
	}
	return out
}

// lengthPrefixedTokens is unlike that of all other tokens.
func lengthPrefixedTokens(tokens hclsyntax.Tokens) string {
	var out strings.Builder
	for _, t := range tokens {
		fmt.Fprintf(&out, "%d:%s", len(t.Bytes), bytes.ReplaceAll(t.Bytes, []byte("\r\n"), []byte("\n")))
	}
	return out.String()
}

// jsonStatements are the members of the object that a file holds, without the one for editors. What it holds twice counts twice.
func jsonStatements(src []byte) []string {
	in := json.NewDecoder(bytes.NewReader(src))
	in.UseNumber()
	if open, err := in.Token(); err != nil || open != json.Delim('{') {
		return []string{string(src)}
	}
	return slices.DeleteFunc(jsonMembers(in), func(m string) bool {
		return strings.HasPrefix(m, fmt.Sprintf("%q:", editorSchemaMember))
	})
}

// jsonMembers reads an object behind its bracket, without comments: members that are called //.
func jsonMembers(in *json.Decoder) []string {
	var out []string
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return append(out, err.Error())
		}
		if value := readValueText(in); name != "//" {
			out = append(out, fmt.Sprintf("%q:%s", name, value))
		}
	}
	_, _ = in.Token() // the closing bracket; else More ended at the end of the text
	return out
}

func readValueText(in *json.Decoder) string {
	token, err := in.Token()
	if err != nil {
		return err.Error()
	}
	switch token {
	case json.Delim('{'):
		return fmt.Sprintf("{%q}", jsonMembers(in))
	case json.Delim('['):
		var list []string
		for in.More() {
			list = append(list, readValueText(in))
		}
		_, _ = in.Token()
		return fmt.Sprintf("%q", list)
	}
	return fmt.Sprintf("%T %v", token, token)
}
