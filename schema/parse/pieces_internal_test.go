package parse

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

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
			got, diags := parseConfig([]byte(src), "f", nil, size)
			if d := cmp.Diff(shape(want, wantDiags), shape(got, diags)); d != "" {
				t.Fatalf("%s, pieces of %d bytes (-whole +pieces):\n%s", name, size, d)
			}
		}
	}
}

// FuzzPlain: a file that is read by the parser of plain blocks is the same as one that is not, and so is
// each block of it that is parsed or scanned alone.
func FuzzPlain(f *testing.F) {
	for _, seed := range []string{
		"  a = \"x\"\n  b=[c.d-e, f() , 12,[], {}]\n", "  # why\n  // x\n\n a = {b = null, \"c d\" = true # x\n e=1\n}\n",
		"a = [\n # x\n 1\n , 2,\n]\n",
		"a = true.b\n", "a = for\n", "a = b == c\n", "a = 1.5\n", "a = 1\na = 2\n", "a \"b\" \"\" {\n b = 1\n}\n", "a {}\n",
		"a = \"\\n\"\n",
		"a = \"${b}\"\n", "a = <<E\n}\nE\n", "é = \"é\"\n", "a = { b = c.d }\n", "a = { b == c }\n", "a = { b => c }\n", "a = b (\n)\n",
		"a = b::c()\n", "a = [for b in c : d]\n", "a = {for b in c : d => e}\n", "a = b.1\n", "a = b.*.c\n", "a = 007\n", "a = -1\n",
		"a = (1)\n",
		"a = 1 # x\n", "a = 1 }\n", "a b {\n}\n", "\ta = 1\r\n", "a = [1 2]\n", "a = [,]\n", "a = {b = 1 c = 2}\n", "a = \"b\nc\"\n",
		"a = \"\"\n",
		"a = true()\n", "a = b.c.d.e\n", "a = {\n b = 1,\n\n c = [{}],\n}\n", "a = $b\n", "# é\n", "a = \"$\"\n", "a = 1e5\n", "a = 1x\n",
		"_-a = _-\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, inside string) {
		if !utf8.ValidString(inside) {
			return // refused before it is parsed
		}
		block := "k \"a\" {\n" + inside + "}\n"
		src := []byte("k \"a\" {\n}\n" + block + "\n" + block)
		want, wantDiags := hclsyntax.ParseConfig(src, "f", hcl.InitialPos)
		got, diags := parseConfig(src, "f", nil, 1)
		if d := cmp.Diff(wantDiags.Errs(), diags.Errs(), cmp.Comparer(func(a, b error) bool { return a.Error() == b.Error() })); d != "" {
			t.Fatalf("(-whole +pieces):\n%s", d)
		}
		if len(diags) > 0 {
			return
		}
		if !reflect.DeepEqual(want.Body, got.Body) {
			t.Fatalf("not the same tree (-whole +pieces):\n%s", cmp.Diff(shape(want, nil), shape(got, nil)))
		}
		outline, _ := parseConfig(src, "f", func(string) bool { return true }, 1)
		for i, b := range outline.Body.(*hclsyntax.Body).Blocks {
			at := hcl.RangeBetween(b.TypeRange, b.Body.SrcRange)
			if !reflect.DeepEqual(ReparseBlock(src, at, nil), want.Body.(*hclsyntax.Body).Blocks[i]) {
				t.Fatalf("block %d is not the same", i)
			}
			var found ScannedBlock
			wanted := scanOf(want.Body.(*hclsyntax.Body).Blocks[i].Body)
			if ScanBlock(src, at, &found) && fmt.Sprintf("%+v", found.Items) != fmt.Sprintf("%+v", wanted.Items) {
				t.Fatalf("block %d holds %+v, but %+v was found", i, wanted, found)
			}
		}
	})
}

// scanOf is what a scan of a block with a body finds.
func scanOf(body *hclsyntax.Body) (s ScannedBlock) {
	places := map[int]ScannedItem{} // by where they begin
	for name, a := range body.Attributes {
		places[a.SrcRange.Start.Byte] = ScannedItem{Name: []byte(name), References: a.Expr.Variables()}
	}
	for _, b := range body.Blocks {
		places[b.TypeRange.Start.Byte] = ScannedItem{Name: []byte(b.Type), IsBlock: true, LabelCount: len(b.Labels), BlockRange: b.Range()}
	}
	for _, at := range slices.Sorted(maps.Keys(places)) {
		s.Items = append(s.Items, places[at])
	}
	return s
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
