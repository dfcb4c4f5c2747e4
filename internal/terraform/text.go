package terraform

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/visible"
)

// An edit replaces bytes of a file.
type edit struct {
	startByte, endByte int
	text               string
}

// applyEdits carries edits out; what lies within another one is not.
func applyEdits(src []byte, edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int { return a.startByte - b.startByte })
	var b bytes.Buffer
	at := 0
	for _, e := range edits {
		if e.startByte < at {
			continue
		}
		b.Write(src[at:e.startByte])
		b.WriteString(e.text)
		at = e.endByte
	}
	b.Write(src[at:])
	return b.Bytes()
}

// quoted writes a text as HCL does.
func quoted(text string) string { return literalHCL(cty.StringVal(text)) }

// blockText is a block with what is in it, in whole lines.
func blockText(header, body string) string {
	return strings.Join([]string{header, " {\n", body, "}\n"}, "")
}

func literalHCL(v cty.Value) string { return string(hclwrite.TokensForValue(v).Bytes()) }

// remove takes out what stands in a range, with its line where it stands there alone.
func (r *rewriter) remove(at hcl.Range) {
	start, end := wholeLinesIfAlone(r.it.file.nativeText, at.Start.Byte, at.End.Byte)
	r.edits = slices.DeleteFunc(r.edits, func(e edit) bool { return e.startByte >= start && e.endByte <= end })
	r.edits = append(r.edits, edit{start, end, ""})
}

// unwrap takes the braces of a nested block away and leaves what is in them.
func (r *rewriter) unwrap(b *hclsyntax.Block) {
	for _, at := range []hcl.Range{hcl.RangeBetween(b.TypeRange, b.OpenBraceRange), b.CloseBraceRange} {
		start, end := wholeLinesIfAlone(r.it.file.nativeText, at.Start.Byte, at.End.Byte)
		r.edits = append(r.edits, edit{start, end, ""})
	}
}

// wholeLinesIfAlone widens a range to its lines where nothing else stands in them but a comment
// behind it.
func wholeLinesIfAlone(src []byte, start, end int) (from, to int) {
	from, to = start, end
	for from > 0 && (src[from-1] == ' ' || src[from-1] == '\t') {
		from--
	}
	for to < len(src) && (src[to] == ' ' || src[to] == '\t' || src[to] == '\r') {
		to++
	}
	if rest := src[to:]; bytes.HasPrefix(rest, []byte("#")) || bytes.HasPrefix(rest, []byte("//")) { // a comment about it
		if n := bytes.IndexByte(rest, '\n'); n >= 0 {
			to += n
		} else {
			to = len(src)
		}
	}
	if (from == 0 || src[from-1] == '\n') && (to == len(src) || src[to] == '\n') {
		return from, min(to+1, len(src))
	}
	return start, end
}

// withComments widens a range to the comments directly above it and one empty line below.
func withComments(src []byte, start, end int) (from, to int) {
	from, to = wholeLinesIfAlone(src, start, end)
	for from > 0 {
		line := bytes.LastIndexByte(src[:from-1], '\n') + 1
		text := bytes.TrimSpace(src[line:from])
		if !bytes.HasPrefix(text, []byte("#")) && !bytes.HasPrefix(text, []byte("//")) {
			break
		}
		from = line
	}
	if rest := src[to:]; len(rest) > 0 && rest[0] == '\n' {
		to++
	}
	return from, to
}

// commentedOut is what stands in a range as comments, under the reason.
func commentedOut(src []byte, at hcl.Range, why string) edit {
	start, end := wholeLinesIfAlone(src, at.Start.Byte, at.End.Byte)
	text := strings.TrimSuffix(string(src[start:end]), "\n")
	var b strings.Builder
	b.WriteString("# Not carried over: " + visible.EscapeLine(why) + "\n")
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(strings.TrimRight("# "+line, " \r") + "\n")
	}
	return edit{start, end, b.String()}
}

// writeModule writes the files of a module.
func (m *migration) writeModule(mod *module) {
	if mod != m.root && !mod.holdsB2 {
		return
	}
	for _, f := range mod.files {
		text := applyEdits(f.nativeText, m.fileEditsNotingPlaces(mod, f))
		if len(bytes.TrimSpace(text)) == 0 || f.hasNothingToWrite(mod) {
			continue
		}
		base := f.name
		for _, end := range []string{".json", ".tf", ".tofu"} {
			base = strings.TrimSuffix(base, end)
		}
		m.result.Files = append(m.result.Files, File{Path: path.Join(mod.dir, base+".b2.hcl"), Mode: f.source.Mode,
			Text: hclwrite.Format(bytes.TrimLeft(text, "\n")), source: path.Join(mod.dir, f.name)})
	}
	m.writeSubstituteVariables(mod)
	if mod == m.root {
		for _, s := range mod.tfvarsFiles {
			m.migrateTfvars(mod, s)
		}
	}
}

// hasNothingToWrite reports whether nothing of a file is carried over and nothing commented out.
func (f *sourceFile) hasNothingToWrite(mod *module) bool {
	return !slices.ContainsFunc(mod.items, func(it *item) bool { return it.file == f && (it.fate == carried || it.fate == uncarriable) })
}

// fileEditsNotingPlaces are what makes one of our files of one of theirs.
func (m *migration) fileEditsNotingPlaces(mod *module, f *sourceFile) []edit {
	var edits []edit
	for _, it := range mod.items {
		if it.file != f {
			continue
		}
		at := it.extent()
		switch it.fate {
		case carried:
			edits = append(edits, it.edits...)
			edits = append(edits, it.additions()...)
		case uncarriable:
			edits = append(edits, commentedOut(f.nativeText, at, it.notCarriedReason))
			m.result.NotCarriedOver = append(m.result.NotCarriedOver, it.place(it.notCarriedReason))
		case staysInTerraform, dropped:
			start, end := withComments(f.nativeText, at.Start.Byte, at.End.Byte)
			edits = append(edits, edit{start, end, ""})
			if it.fate == staysInTerraform && (it.referenceName == "" || it.localAttr == nil && !strings.HasPrefix(it.referenceName,
				"var.")) {
				m.result.Staying = append(m.result.Staying, it.place(""))
			}
		}
	}
	for _, b := range f.body.Blocks {
		if b.Type == "locals" && !mod.keepsLocals(b) {
			start, end := withComments(f.nativeText, b.TypeRange.Start.Byte, b.CloseBraceRange.End.Byte)
			edits = append(slices.DeleteFunc(edits, func(e edit) bool { return e.startByte >= start && e.endByte <= end }),
				edit{start, end, ""})
		}
	}
	return edits
}

func (mod *module) keepsLocals(b *hclsyntax.Block) bool {
	return slices.ContainsFunc(mod.items, func(it *item) bool { return it.block == b && (it.fate == carried || it.fate == uncarriable) })
}

// additions are what a block gets at its end: where a key's secret goes, and what a module
// is handed for what stays behind.
func (it *item) additions() []edit {
	if it.localAttr != nil {
		return nil
	}
	var b strings.Builder
	for _, arg := range it.substituteArguments {
		b.WriteString(arg + "\n")
	}
	if len(it.secretReaders) > 0 {
		b.WriteString("\n# Terraform read the secret in " + visible.EscapeLine(strings.Join(it.secretReaders, ", ")) + ".\n")
	}
	if len(it.secretReaders) > 0 && it.callee == nil {
		b.WriteString("deliver \"file\" {\npath = " + it.secretFileExpr() + "\n}\n")
	}
	if b.Len() == 0 {
		return nil
	}
	at := it.block.CloseBraceRange.Start.Byte
	return []edit{{at, at, b.String()}}
}

// secretFileExpr is the file of a key's secret: one for each name, since a block may make
// several keys.
func (it *item) secretFileExpr() string {
	name := it.block.Body.Attributes["key_name"]
	if name == nil { // the block is not valid
		return quoted(it.block.Labels[1] + ".env")
	}
	e := name.Expr
	from, to := e.Range().Start.Byte, e.Range().End.Byte
	var within []edit
	for _, one := range it.edits {
		if one.startByte >= from && one.endByte <= to {
			within = append(within, edit{one.startByte - from, one.endByte - from, one.text})
		}
	}
	text := string(applyEdits(it.file.nativeText[from:to], within))
	if _, template := e.(*hclsyntax.TemplateExpr); template && strings.HasSuffix(text, `"`) {
		text = text[1 : len(text)-1]
	} else {
		text = "${" + text + "}"
	}
	if it.module.dir != "." { // what lies beside a module may be published with it
		text = "${path.root}/" + text
	}
	return `"` + text + `.env"`
}
