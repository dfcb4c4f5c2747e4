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

// parseConfig is hclsyntax.ParseConfig, piece by piece where the text is large.
func parseConfig(src []byte, name string, sizes ...int) (*hcl.File, hcl.Diagnostics) {
	for _, size := range sizes {
		if len(src) <= 2*size {
			continue
		}
		if file := parsePieces(src, name, size); file != nil {
			return file, nil
		}
	}
	return hclsyntax.ParseConfig(src, name, hcl.InitialPos)
}

// parsePieces parses a text cut behind lines that hold a closing brace alone, as those
// that end a block. A piece without an error ends where the parser is between two blocks,
// so the pieces together are the whole. nil: a cut was within something else, as a
// heredoc, or there is a mistake; then the whole must be parsed.
func parsePieces(src []byte, name string, size int) *hcl.File {
	var whole *hcl.File
	var body *hclsyntax.Body
	for at := hcl.InitialPos; at.Byte < len(src); {
		end := cut(src, at.Byte, size)
		file, diags := hclsyntax.ParseConfig(src[at.Byte:end], name, at)
		piece, ok := file.Body.(*hclsyntax.Body)
		if len(diags) > 0 || !ok || len(piece.Attributes) > 0 {
			return nil
		}
		if whole == nil {
			whole, body = file, piece
		} else {
			body.Blocks = append(body.Blocks, piece.Blocks...)
			body.SrcRange.End, body.EndRange = piece.SrcRange.End, piece.EndRange
		}
		at.Line, at.Byte = at.Line+bytes.Count(src[at.Byte:end], []byte("\n")), end
	}
	whole.Bytes = src
	return whole
}

// cut is the end of the piece that begins at from.
func cut(src []byte, from, size int) int {
	if len(src)-from <= size {
		return len(src)
	}
	ending := []byte("\n}\n")
	i := bytes.Index(src[from+size:], ending)
	if i < 0 {
		return len(src)
	}
	return from + size + i + len(ending)
}
