package parse

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// pieceSizes are how much of a large file is parsed at once. The parser holds all tokens of
// what it is given, which take fifty times as much memory as the text, and copies a list of
// many of them five times while it grows. Where small pieces would cut something else than
// two blocks apart, large ones may not.
func pieceSizes() []int { return []int{1 << 10, 256 << 10} }

// parseConfig is hclsyntax.ParseConfig, piece by piece where the text is large. Blocks of
// which the type is outlined are in an outline.
func parseConfig(src []byte, name string, outlined func(string) bool, pieceLengths ...int) (*hcl.File, hcl.Diagnostics) {
	for _, size := range pieceLengths {
		if len(src) <= 2*size {
			continue
		}
		if file := tryParsePieces(src, name, outlined, size); file != nil {
			return file, nil
		}
	}
	file, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if body, ok := file.Body.(*hclsyntax.Body); ok && len(diags) == 0 {
		dropBodies(body.Blocks, outlined)
	}
	return file, diags
}

// tryParsePieces parses a text cut behind lines that hold a closing brace alone, as those
// that end a block. A piece without an error ends where the parser is between two blocks,
// so the pieces together are the whole. nil: a cut was within something else, as a
// heredoc, or there is a mistake; then the whole must be parsed.
func tryParsePieces(src []byte, name string, outlined func(string) bool, pieceSize int) *hcl.File {
	var whole *hcl.File
	var body *hclsyntax.Body
	for at := hcl.InitialPos; at.Byte < len(src); {
		if whole != nil {
			if at = addSubsetBlocks(body, src, name, outlined, at); at.Byte == len(src) {
				break
			}
		}
		end := pieceEnd(src, at.Byte, pieceSize)
		file, diags := hclsyntax.ParseConfig(src[at.Byte:end], name, at)
		piece, ok := file.Body.(*hclsyntax.Body)
		if len(diags) > 0 || !ok || len(piece.Attributes) > 0 {
			return nil
		}
		dropBodies(piece.Blocks, outlined)
		if whole == nil {
			whole, body = file, piece
		} else {
			body.Blocks = append(body.Blocks, piece.Blocks...)
			body.SrcRange.End, body.EndRange = piece.SrcRange.End, piece.EndRange
		}
		at.Column, at.Line, at.Byte = 1, at.Line+bytes.Count(src[at.Byte:end], []byte("\n")), end
	}
	whole.Bytes = src
	return whole
}

// dropBodies keeps only the places of the bodies of outlined blocks.
func dropBodies(blocks hclsyntax.Blocks, outlined func(string) bool) {
	if outlined == nil {
		return
	}
	for _, b := range blocks {
		if outlined(b.Type) {
			whole := hcl.RangeBetween(b.OpenBraceRange, b.CloseBraceRange)
			b.Body = &hclsyntax.Body{SrcRange: whole, EndRange: hcl.Range{Filename: whole.Filename, Start: whole.End, End: whole.End}}
		}
	}
}

// pieceEnd is the end of the piece that begins at from.
func pieceEnd(src []byte, from, pieceSize int) int {
	if len(src)-from <= pieceSize {
		return len(src)
	}
	ending := []byte("\n}\n")
	i := bytes.Index(src[from+pieceSize:], ending)
	if i < 0 {
		return len(src)
	}
	return from + pieceSize + i + len(ending)
}
