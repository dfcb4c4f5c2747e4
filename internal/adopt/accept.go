package adopt

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// A ConfigEdits is how a configuration is to be edited so that it declares what is live.
type ConfigEdits struct {
	EditedFiles []EditedFile      // sorted by name
	ByHand      []UnacceptedDrift // in the order of the changes
	// AcceptedAttrs names the attributes that the edits are about, by address.
	AcceptedAttrs map[addr.Addr][]string
}

// An EditedFile is the text of a file before and after.
type EditedFile struct {
	Name          string // as ranges name it
	Before, After []byte
}

// A UnacceptedDrift is one that only the author can make.
type UnacceptedDrift struct {
	Addr     addr.Addr
	Attr     string    // "": the whole block
	Place    hcl.Range // the line
	Why      string
	LiveText string // the value that is live, in words; "": there is none
}

// AcceptDrift edits the sources so that they declare what is live, where a setting is written as a
// literal, in the only block of its object, or is not written at all. changes are those of
// [plan.FindDrift]; read gives the text of a file of the configuration, or says in a clause why that is not edited.
func AcceptDrift(c *config.Config, changes []plan.Change, read func(name string) ([]byte, error)) *ConfigEdits {
	e := &editor{read: read, sources: map[string]*source{}, declared: c.ResourcesByAddr(),
		blockObjectCount: map[hcl.Range]int{},
		out:              &ConfigEdits{AcceptedAttrs: map[addr.Addr][]string{}}}
	for _, r := range c.Resources {
		e.blockObjectCount[r.Block.HeaderRange]++
	}
	for i := range changes {
		e.accept(&changes[i])
	}
	for name, s := range e.sources {
		if len(s.edits) > 0 {
			e.out.EditedFiles = append(e.out.EditedFiles, EditedFile{Name: name, Before: s.text, After: s.edited()})
		}
	}
	slices.SortFunc(e.out.EditedFiles, func(a, b EditedFile) int { return strings.Compare(a.Name, b.Name) })
	return e.out
}

// An editor is one run of Accept.
type editor struct {
	read             func(string) ([]byte, error)
	sources          map[string]*source // by name
	declared         map[addr.Addr]*config.Resource
	blockObjectCount map[hcl.Range]int // how many objects a block declares, by its header
	out              *ConfigEdits
}

// A source is one file.
type source struct {
	text               []byte
	body               *hclsyntax.Body // nil: it cannot be edited
	reasonIfUneditable string          // why it cannot be edited; "": it can
	edits              []edit
}

// An edit puts text in the place of some bytes.
type edit struct {
	startByte, endByte int
	text               string
}

func (e *editor) accept(c *plan.Change) {
	r := e.declared[c.Addr]
	if r == nil {
		return
	}
	header := r.Block.HeaderRange
	if c.LiveDrift == plan.Gone {
		why := "it is gone: " + howToRemove(c.Addr, e.blockObjectCount[header]) + ", or let b2form apply make it anew"
		if c.Import {
			why = "it was made anew: b2form apply -refresh-only tells the state"
		}
		e.out.ByHand = append(e.out.ByHand, UnacceptedDrift{Addr: c.Addr, Place: header, Why: why})
		return
	}
	s := e.source(header.Filename)
	block := s.blockAt(header)
	for _, name := range c.Fields {
		why := s.reasonIfUneditable
		switch a := c.Kind.FindAttr(name); {
		case slices.Contains(c.Sensitive, name) || a.SendsSecret():
			why = "its value is sensitive"
		case block == nil:
		case e.blockObjectCount[header] > 1:
			why = "its block declares several objects"
		default:
			why = s.setAttr(block, c.Kind, a, c.After.GetAttr(name))
		}
		if why == "" {
			e.out.AcceptedAttrs[c.Addr] = append(e.out.AcceptedAttrs[c.Addr], name)
			continue
		}
		live := kind.SensitiveText
		if !slices.Contains(c.Sensitive, name) && !c.Kind.FindAttr(name).SendsSecret() {
			live = kind.FormatValue(c.After.GetAttr(name))
		}
		e.out.ByHand = append(e.out.ByHand, UnacceptedDrift{Addr: c.Addr, Attr: name, Place: r.Block.RangeOf(name), Why: why,
			LiveText: live})
	}
}

// howToRemove is what takes one object out of a configuration, and no other one with it.
func howToRemove(a addr.Addr, blockObjectCount int) string {
	const others = "its block declares several objects: "
	instanceOfModule := a.Module[:strings.LastIndex(a.Module, "]")+1] // module.app["x"] of module.app["x"].module.inner
	switch key := a.Instance; {
	case !key.IsSingle() && key.Value().Type() == cty.Number:
		return "it is one of the block's count: lower that, if it is the last"
	case !key.IsSingle():
		return "take " + strings.Trim(key.String(), "[]") + " out of the block's for_each"
	case instanceOfModule != "":
		return others + "take " + instanceOfModule + " out of its for_each or count, if all of that is to go, or give the block a " +
			"count that a variable of the module decides"
	case blockObjectCount > 1:
		return others + "its module is called several times. Give it a count that a variable of the module decides"
	}
	return "remove its block"
}

func (e *editor) source(name string) *source {
	if s := e.sources[name]; s != nil {
		return s
	}
	text, err := e.read(name)
	s := &source{text: text, reasonIfUneditable: "the file is not in native syntax"}
	if err != nil {
		s.reasonIfUneditable = err.Error()
	} else if !strings.HasSuffix(name, ".json") {
		if f, diags := hclsyntax.ParseConfig(text, name, hcl.InitialPos); !diags.HasErrors() {
			s.body, _ = f.Body.(*hclsyntax.Body)
		}
	}
	e.sources[name] = s
	return s
}

// blockAt is the block with a header; nil: there is none there.
func (s *source) blockAt(header hcl.Range) *hclsyntax.Block {
	if s.body == nil {
		return nil
	}
	for _, b := range s.body.Blocks {
		if b.TypeRange.Start.Byte == header.Start.Byte {
			return b
		}
	}
	return nil
}

// setAttr edits the block so that an attribute has a value; why says why that cannot be done.
func (s *source) setAttr(b *hclsyntax.Block, k *kind.Kind, a *kind.Attr, v cty.Value) (why string) {
	if a.Compare.StripB2formData != nil {
		v = a.Compare.StripB2formData(v)
	}
	if !v.IsWhollyKnown() || k.Content != nil {
		return "what it holds is not told by B2"
	}
	if config.HoldsEscapes(v) {
		return "a configuration holds text in Unicode's normal form C, and this is in another"
	}
	if slices.ContainsFunc(a.References(v), func(r kind.Reference) bool { return kind.IsDeletedRef(r.Name) }) {
		return "it names what is gone: remove that"
	}
	args := (&collector{writer: &writer{idOfName: map[ObjectID]string{}}, kind: k}).argsOf(nil, a, v, a.Name)
	written := b.Body.Attributes[a.Name]
	var nested []*hclsyntax.Block
	for _, inner := range b.Body.Blocks {
		switch {
		case inner.Type == "dynamic" && len(inner.Labels) == 1 && inner.Labels[0] == a.Name:
			return "a dynamic block makes it"
		case inner.Type != a.Name:
		case !isLiteralBody(inner.Body):
			return "it is not a literal"
		default:
			nested = append(nested, inner)
		}
	}
	inOneLine := b.OpenBraceRange.Start.Line == b.CloseBraceRange.Start.Line
	switch {
	case written != nil && !isLiteralOrPresetCall(written.Expr):
		return "it is not a literal"
	case written != nil && len(args) == 1 && !args[0].isBlock:
		s.replace(written.Expr.Range(), renderValue(args[0]))
	case inOneLine && (len(args) > 0 || len(nested) > 0 || len(b.Body.Attributes) > 0):
		return "its block is in one line"
	case written != nil:
		s.replaceStatement(written.SrcRange, render(args))
	case len(nested) > 0:
		for i, inner := range nested {
			text := ""
			if i == 0 {
				text = render(args)
			}
			s.replaceStatement(hcl.RangeBetween(inner.TypeRange, inner.CloseBraceRange), text)
		}
	default:
		s.insert(b, args)
	}
	return ""
}

// isLiteralOrPresetCall reports whether an expression says what its value is: it refers to nothing, and calls
// nothing but what stands for a usual value.
func isLiteralOrPresetCall(e hclsyntax.Expression) bool {
	literal := true
	hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.LiteralValueExpr, *hclsyntax.TemplateExpr, *hclsyntax.TupleConsExpr, *hclsyntax.ObjectConsExpr,
			*hclsyntax.ParenthesesExpr, *hclsyntax.UnaryOpExpr, hclsyntax.ChildScope:
		case *hclsyntax.ObjectConsKeyExpr:
		case *hclsyntax.ScopeTraversalExpr:
			literal = literal && isObjectKey(e, n)
		case *hclsyntax.FunctionCallExpr:
			literal = literal && slices.Contains(presetNames(), n.Name)
		default:
			literal = false
		}
		return nil
	})
	return literal
}

// isObjectKey reports whether a name is the key of an object: { team = "web" }.
func isObjectKey(within hclsyntax.Expression, name *hclsyntax.ScopeTraversalExpr) bool {
	found := false
	hclsyntax.VisitAll(within, func(n hclsyntax.Node) hcl.Diagnostics {
		if key, ok := n.(*hclsyntax.ObjectConsKeyExpr); ok && key.Wrapped == hclsyntax.Expression(name) && !key.ForceNonLiteral {
			found = found || len(name.Traversal) == 1
		}
		return nil
	})
	return found
}

// presetNames are the functions that this package writes in place of values.
func presetNames() []string {
	return []string{"keep_only_last_version", "keep_prior_versions", "keep_all_versions", "cors_for_downloads",
		"cors_for_browser_uploads", "all_capabilities"}
}

// isLiteralBody reports whether all that a nested block holds is literal.
func isLiteralBody(b *hclsyntax.Body) bool {
	for _, a := range b.Attributes {
		if !isLiteralOrPresetCall(a.Expr) {
			return false
		}
	}
	return !slices.ContainsFunc(b.Blocks, func(inner *hclsyntax.Block) bool {
		return inner.Type == "dynamic" || !isLiteralBody(inner.Body)
	})
}

// render writes arguments as they stand in a block, without the blanks before the first and the
// end of the last line.
func render(args []arg) string {
	var b strings.Builder
	(&writer{}).body(&b, args, 1)
	return strings.TrimSpace(b.String())
}

func renderValue(a arg) string {
	return strings.ReplaceAll((&writer{}).resolveMarks(a.value, ""), "\n", "\n  ")
}

func (s *source) replace(at hcl.Range, text string) {
	s.edits = append(s.edits, edit{at.Start.Byte, at.End.Byte, text})
}

// replaceStatement replaces an attribute or a block; with "" it goes, with its line where nothing
// else is in that.
func (s *source) replaceStatement(at hcl.Range, text string) {
	from, to := at.Start.Byte, at.End.Byte
	begin := bytes.LastIndexByte(s.text[:from], '\n') + 1
	end := len(s.text)
	if i := bytes.IndexByte(s.text[to:], '\n'); i >= 0 {
		end = to + i + 1
	}
	if text == "" && len(bytes.TrimSpace(s.text[begin:from])) == 0 && len(bytes.TrimSpace(s.text[to:end])) == 0 {
		from, to = begin, end
	}
	s.edits = append(s.edits, edit{from, to, text})
}

// insert adds arguments to a block that does not have them: attributes behind the last one, blocks
// at the end.
func (s *source) insert(b *hclsyntax.Block, args []arg) {
	if len(args) == 0 {
		return
	}
	at := bytes.LastIndexByte(s.text[:b.CloseBraceRange.Start.Byte], '\n') + 1
	text := "  " + render(args) + "\n"
	if args[0].isBlock {
		text = "\n" + text
	} else {
		last := 0
		for _, a := range b.Body.Attributes {
			last = max(last, a.SrcRange.End.Byte)
		}
		if last > 0 {
			at = last
			if i := bytes.IndexByte(s.text[at:], '\n'); i >= 0 && s.text[at-1] != '\n' { // which is that of a here document
				at += i + 1
			}
		}
	}
	s.edits = append(s.edits, edit{at, at, text})
}

// edited is the text with all edits. What was formatted stays so.
func (s *source) edited() []byte {
	slices.SortStableFunc(s.edits, func(a, b edit) int { return cmp.Compare(a.startByte, b.startByte) })
	var out bytes.Buffer
	at := 0
	for _, e := range s.edits {
		out.Write(s.text[at:e.startByte])
		out.WriteString(e.text)
		at = e.endByte
	}
	out.Write(s.text[at:])
	if bytes.Equal(hclwrite.Format(s.text), s.text) {
		return hclwrite.Format(out.Bytes())
	}
	return out.Bytes()
}

// String is what is to be done, in a line.
func (h UnacceptedDrift) String() string {
	text := fmt.Sprintf("%s:%d: %s", h.Place.Filename, h.Place.Start.Line, h.Addr)
	if h.Attr != "" {
		text += ", " + h.Attr
	}
	text += ": " + h.Why
	if h.LiveText != "" {
		text += "; live is " + h.LiveText
	}
	return text
}
