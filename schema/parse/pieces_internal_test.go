package parse

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// TestPieces: a file that is parsed in pieces is the same as one that is parsed at once,
// wherever it is cut, and has the same mistakes.
func TestPieces(t *testing.T) {
	good := "bucket \"a\" {\n  name = \"x\"\n}\n\n# é\nlocals {\n  b = {\n    c = 1\n  }\n}\n"
	for name, src := range map[string]string{
		"blocks":             strings.Repeat(good, 5),
		"brace in a heredoc": good + "locals {\n  text = <<EOT\n{\n}\n}\nEOT\n}\n" + good,
		"brace in a comment": good + "/* {\n}\n*/\n" + good,
		"flat":               good + "locals {\nb = {\n}\n}\n" + good,
		"Windows":            strings.ReplaceAll(strings.Repeat(good, 3), "\n", "\r\n"),
		"attribute":          good + "x = 1\n" + good + "x = 2\n",
		"mistake":            good + "bucket \"b\" {\n" + good,
		"mistake at the end": good + good + "}\n",
		"no newline":         good + strings.TrimSuffix(good, "\n"),
		"marked":             "\ufeff" + good + good,
	} {
		want, wantDiags := hclsyntax.ParseConfig([]byte(src), "f", hcl.InitialPos)
		for size := range len(src) {
			got, diags := parseConfig([]byte(src), "f", size)
			if d := cmp.Diff(shape(want, wantDiags), shape(got, diags)); d != "" {
				t.Fatalf("%s, pieces of %d bytes (-whole +pieces):\n%s", name, size, d)
			}
		}
	}
}

// shape is all that a place in the file may be told by.
func shape(f *hcl.File, diags hcl.Diagnostics) []string {
	var out []string
	body := f.Body.(*hclsyntax.Body)
	out = append(out, fmt.Sprint(body.SrcRange, body.EndRange, body.MissingItemRange(), len(f.Bytes)))
	_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
		if _, set := n.(hclsyntax.Attributes); !set { // a map, in no order
			out = append(out, fmt.Sprintf("%T %v", n, n.Range()))
		}
		return nil
	})
	for _, d := range diags {
		out = append(out, fmt.Sprintf("%s %v", d.Summary, d.Subject))
	}
	return out
}
