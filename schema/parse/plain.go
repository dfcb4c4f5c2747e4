package parse

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A subsetParser parses blocks as nearly all are written, to what hclsyntax.ParseConfig makes of
// them, at a tenth of its cost: words, texts in ASCII without escapes, whole numbers, references
// by names, calls without arguments, and lists and objects of these. Whatever it does not know is
// no mistake, but left to hclsyntax.
type subsetParser struct {
	src       []byte
	filename  string
	offset    int           // of the next byte in src
	start     hcl.Pos       // of src
	line      int           // of the next byte
	lineStart int           // where in src its line begins
	outline   bool          // no tree is made of what stands in blocks
	scanned   *ScannedBlock // what is found in the outermost block; nil: nobody asks
}

// A ScannedBlock is what a block holds, found without making its tree.
type ScannedBlock struct {
	Items             []ScannedItem   // in order
	currentReferences []hcl.Traversal // of the argument that is scanned
}

// A ScannedItem is one argument, or one nested block.
type ScannedItem struct {
	Name       []byte          // a part of the text
	References []hcl.Traversal // of an argument
	IsBlock    bool
	LabelCount int       // of a block
	BlockRange hcl.Range // of a block, to its closing brace
}

// ScanBlock scans a block of a file that was parsed before without a mistake; ok is false where its
// tree is needed to know what it holds. The memory of an earlier scan is used again.
func ScanBlock(src []byte, at hcl.Range, s *ScannedBlock) (ok bool) {
	s.Items = s.Items[:0]
	p := newSubsetParser(src[at.Start.Byte:at.End.Byte], at.Filename, at.Start)
	p.outline, p.scanned = true, s
	p.word()
	_, ok = p.blockAfterType()
	return ok
}

func newSubsetParser(src []byte, name string, start hcl.Pos) *subsetParser {
	return &subsetParser{src: src, filename: name, start: start, line: start.Line, lineStart: 1 - start.Column}
}

// maxBodyArguments is how many arguments a body may have: they are compared with one another.
const maxBodyArguments = 24

func (p *subsetParser) pos() hcl.Pos { return p.posOnLine(p.offset) }

// posOnLine is the place of a byte of the line of the next one.
func (p *subsetParser) posOnLine(offset int) hcl.Pos {
	return hcl.Pos{Line: p.line, Column: offset - p.lineStart + 1, Byte: p.start.Byte + offset}
}

// rangeFrom reaches from a byte of this line to before the next byte.
func (p *subsetParser) rangeFrom(offset int) hcl.Range { return p.rangeSince(p.posOnLine(offset)) }

func (p *subsetParser) rangeSince(start hcl.Pos) hcl.Range {
	return hcl.Range{Filename: p.filename, Start: start, End: p.pos()}
}

// peek is the next byte; 0: there is none.
func (p *subsetParser) peek() byte {
	if p.offset < len(p.src) {
		return p.src[p.offset]
	}
	return 0
}

func (p *subsetParser) skipSpaces() {
	for p.peek() == ' ' {
		p.offset++
	}
}

// takeAfterSpaces goes over one byte, and spaces before it, if it is the next.
func (p *subsetParser) takeAfterSpaces(c byte) bool {
	p.skipSpaces()
	if p.peek() != c {
		return false
	}
	p.offset++
	return true
}

func (p *subsetParser) takeNewline() bool {
	if !p.takeAfterSpaces('\n') {
		return false
	}
	p.line++
	p.lineStart = p.offset
	return true
}

// skipBlanksAndComments goes on to what is neither space nor an empty line nor a line that is a comment.
func (p *subsetParser) skipBlanksAndComments() {
	for {
		for p.takeNewline() {
		}
		if rest := p.src[p.offset:]; p.peek() != '#' && !bytes.HasPrefix(rest, []byte("//")) {
			return
		}
		end := p.offset
		for end < len(p.src) && isPrintableASCII(p.src[end]) {
			end++
		}
		if end == len(p.src) || p.src[end] != '\n' {
			return
		}
		p.offset = end
	}
}

func isPrintableASCII(c byte) bool { return ' ' <= c && c <= '~' }

func isNameStart(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }

// word reads a name. It is empty where none is next.
func (p *subsetParser) word() []byte {
	from := p.offset
	if !isNameStart(p.peek()) {
		return nil
	}
	for c := p.peek(); isNameStart(c) || isDigit(c) || c == '-'; c = p.peek() {
		p.offset++
	}
	if p.peek() >= utf8.RuneSelf { // it may go on
		return nil
	}
	return p.src[from:p.offset]
}

// IsASCIIName reports whether a text is a name in ASCII. hclsyntax.ValidIdentifier knows more names,
// and takes a scanner for it.
func IsASCIIName(text string) bool {
	return len(text) > 0 && isNameStart(text[0]) && strings.IndexFunc(text, func(r rune) bool {
		return r >= utf8.RuneSelf || !isNameStart(byte(r)) && !isDigit(byte(r)) && r != '-'
	}) < 0
}

// quoted reads a text in quotes: what stands between them.
func (p *subsetParser) quoted() (text []byte, ok bool) {
	if p.peek() != '"' {
		return nil, false
	}
	p.offset++
	from := p.offset
	for ; p.offset < len(p.src); p.offset++ {
		switch c := p.src[p.offset]; {
		case c == '"':
			p.offset++
			return p.src[from : p.offset-1], true
		case c == '\\' || c == '$' || c == '%' || !isPrintableASCII(c):
			return nil, false
		}
	}
	return nil, false
}

// addSubsetBlocks adds the blocks to a body that the parser knows how to read, to before one that it does
// not. It is handed the place behind the blocks that the body has, and gives the place where it ends.
func addSubsetBlocks(to *hclsyntax.Body, src []byte, name string, outlined func(string) bool, at hcl.Pos) (end hcl.Pos) {
	p := newSubsetParser(src[at.Byte:], name, at)
	for {
		p.skipBlanksAndComments()
		before := *p
		b, ok := p.block(outlined)
		if !ok {
			*p = before
			break
		}
		to.Blocks = append(to.Blocks, b)
	}
	to.SrcRange.End = p.pos()
	to.EndRange = hcl.Range{Filename: name, Start: p.pos(), End: p.pos()}
	return p.pos()
}

// block parses one block to the end of its last line. Its body is empty if its type is outlined.
func (p *subsetParser) block(outlined func(string) bool) (b *hclsyntax.Block, ok bool) {
	from := p.offset
	typ := p.word()
	if len(typ) == 0 {
		return nil, false
	}
	p.outline = outlined != nil && outlined(string(typ))
	at := p.rangeFrom(from)
	rest, ok := p.blockAfterType()
	if !ok {
		return nil, false
	}
	if p.outline {
		rest.body = &hclsyntax.Body{}
	}
	return rest.tree(typ, at), true
}

// A blockRest is what stands behind the type of a block.
type blockRest struct {
	labels      [2]plainLabel
	labelCount  int
	open, close hcl.Range       // of the braces
	body        *hclsyntax.Body // nil in an outline
}

type plainLabel struct {
	text []byte
	at   hcl.Range
}

// tree is the block that begins with a type.
func (r *blockRest) tree(typ []byte, at hcl.Range) *hclsyntax.Block {
	b := &hclsyntax.Block{Type: string(typ), TypeRange: at, OpenBraceRange: r.open, CloseBraceRange: r.close, Body: r.body}
	for _, l := range r.labels[:r.labelCount] {
		b.Labels, b.LabelRanges = append(b.Labels, string(l.text)), append(b.LabelRanges, l.at)
	}
	b.Body.SrcRange = hcl.RangeBetween(r.open, r.close)
	b.Body.EndRange = hcl.Range{Filename: at.Filename, Start: r.close.End, End: r.close.End}
	return b
}

// blockAfterType parses a block of which the type was read.
func (p *subsetParser) blockAfterType() (r blockRest, ok bool) {
	for p.skipSpaces(); p.peek() == '"'; p.skipSpaces() {
		from := p.offset
		label, ok := p.quoted()
		if !ok || r.labelCount == len(r.labels) {
			return r, false
		}
		r.labels[r.labelCount] = plainLabel{label, p.rangeFrom(from)}
		r.labelCount++
	}
	open := p.offset
	if !p.takeAfterSpaces('{') {
		return r, false
	}
	r.open = p.rangeFrom(open)
	if !p.takeNewline() {
		return r, false
	}
	if r.body, ok = p.body(); !ok {
		return r, false
	}
	r.close = p.rangeFrom(p.offset - 1)
	p.skipSpaces()
	return r, p.takeNewline() || p.offset == len(p.src)
}

// body parses a body to behind its closing brace. It is nil in an outline, and has no places yet.
func (p *subsetParser) body() (b *hclsyntax.Body, ok bool) {
	if !p.outline {
		b = &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, Blocks: hclsyntax.Blocks{}}
	}
	var names [maxBodyArguments][]byte
	for n := 0; ; {
		p.skipBlanksAndComments()
		if p.takeAfterSpaces('}') {
			return b, true
		}
		from := p.offset
		name := p.word()
		at := p.rangeFrom(from)
		if p.skipSpaces(); len(name) == 0 {
			return nil, false
		}
		equals := p.offset
		if !p.takeAfterSpaces('=') {
			scan := p.scanned
			p.scanned = nil
			rest, ok := p.blockAfterType()
			if !ok {
				return nil, false
			}
			if p.scanned = scan; scan != nil {
				scan.Items = append(scan.Items, ScannedItem{Name: name, IsBlock: true, LabelCount: rest.labelCount,
					BlockRange: hcl.RangeBetween(at, rest.close)})
			}
			if !p.outline {
				b.Blocks = append(b.Blocks, rest.tree(name, at))
			}
			continue
		}
		equalsRange := p.rangeFrom(equals)
		for _, earlier := range names[:n] {
			if bytes.Equal(earlier, name) {
				return nil, false
			}
		}
		if n == maxBodyArguments {
			return nil, false
		}
		names[n] = name
		n++
		if p.scanned != nil {
			p.scanned.currentReferences = nil
		}
		e, ok := p.expression()
		if !ok {
			return nil, false
		}
		whole := p.rangeSince(at.Start)
		if !p.takeNewline() {
			return nil, false
		}
		if p.scanned != nil {
			p.scanned.Items = append(p.scanned.Items, ScannedItem{Name: name, References: p.scanned.currentReferences})
		}
		if !p.outline {
			b.Attributes[string(name)] = &hclsyntax.Attribute{Name: string(name), Expr: e, SrcRange: whole, NameRange: at,
				EqualsRange: equalsRange}
		}
	}
}

// A textNode is a text in quotes, in one piece of memory: most of a tree are these.
type textNode struct {
	template hclsyntax.TemplateExpr
	parts    [1]hclsyntax.Expression
	literal  hclsyntax.LiteralValueExpr
}

// expression parses what stands behind an equals sign or in a list. What follows it shows
// whether it ends there.
func (p *subsetParser) expression() (e hclsyntax.Expression, ok bool) {
	p.skipSpaces()
	from := p.offset
	switch c := p.peek(); {
	case c == '"':
		text, ok := p.quoted()
		if !ok || len(text) == 0 || p.outline { // an empty text has a place of its own
			return nil, ok && len(text) > 0
		}
		t := &textNode{literal: hclsyntax.LiteralValueExpr{Val: cty.StringVal(string(text)),
			SrcRange: hcl.Range{Filename: p.filename, Start: p.posOnLine(from + 1), End: p.posOnLine(p.offset - 1)}}}
		t.parts[0] = &t.literal
		t.template = hclsyntax.TemplateExpr{Parts: t.parts[:], SrcRange: p.rangeFrom(from)}
		return &t.template, true
	case c == '[':
		return p.list()
	case c == '{':
		return p.object()
	case isDigit(c):
		for isDigit(p.peek()) {
			p.offset++
		}
		number, err := cty.ParseNumberVal(string(p.src[from:p.offset]))
		return &hclsyntax.LiteralValueExpr{Val: number, SrcRange: p.rangeFrom(from)}, err == nil
	}
	return p.nameExpression()
}

// nameExpression parses true, false, null, a reference, or a call without arguments.
func (p *subsetParser) nameExpression() (e hclsyntax.Expression, ok bool) {
	from := p.offset
	name := p.word()
	at := p.rangeFrom(from)
	literal := cty.NilVal
	switch string(name) {
	case "", "for":
		return nil, false
	case "true":
		literal = cty.True
	case "false":
		literal = cty.False
	case "null":
		literal = cty.NullVal(cty.DynamicPseudoType)
	}
	switch c := p.peek(); {
	case c == '(':
		return p.emptyCall(name, at)
	case p.outline && literal != cty.NilVal:
		return nil, c != '.'
	case literal != cty.NilVal:
		return &hclsyntax.LiteralValueExpr{Val: literal, SrcRange: at}, c != '.'
	}
	var t hcl.Traversal
	if !p.outline || p.scanned != nil {
		t = make(hcl.Traversal, 1, 2)
		t[0] = hcl.TraverseRoot{Name: string(name), SrcRange: at}
	}
	for p.peek() == '.' {
		dot := p.offset
		p.offset++
		step := p.word()
		if len(step) == 0 {
			return nil, false
		}
		if t != nil {
			t = append(t, hcl.TraverseAttr{Name: string(step), SrcRange: p.rangeFrom(dot)})
		}
	}
	if p.outline {
		if p.scanned != nil {
			p.scanned.currentReferences = append(p.scanned.currentReferences, t)
		}
		return nil, true
	}
	return &hclsyntax.ScopeTraversalExpr{Traversal: t, SrcRange: p.rangeFrom(from)}, true
}

func (p *subsetParser) emptyCall(name []byte, at hcl.Range) (e hclsyntax.Expression, ok bool) {
	c := &hclsyntax.FunctionCallExpr{Name: string(name), NameRange: at}
	p.offset++
	c.OpenParenRange = p.rangeFrom(p.offset - 1)
	if !p.takeAfterSpaces(')') {
		return nil, false
	}
	c.CloseParenRange = p.rangeFrom(p.offset - 1)
	return c, true
}

func (p *subsetParser) list() (e hclsyntax.Expression, ok bool) {
	start := p.pos()
	p.offset++
	list := &hclsyntax.TupleConsExpr{OpenRange: p.rangeSince(start)}
	for {
		p.skipBlanksAndComments()
		if p.takeAfterSpaces(']') {
			break
		}
		item, ok := p.expression()
		if !ok {
			return nil, false
		}
		if !p.outline {
			list.Exprs = append(list.Exprs, item)
		}
		if p.skipBlanksAndComments(); !p.takeAfterSpaces(',') && p.peek() != ']' {
			return nil, false
		}
	}
	list.SrcRange = p.rangeSince(start)
	return list, true
}

func (p *subsetParser) object() (e hclsyntax.Expression, ok bool) {
	start := p.pos()
	p.offset++
	object := &hclsyntax.ObjectConsExpr{OpenRange: p.rangeSince(start)}
	for {
		p.skipBlanksAndComments()
		if p.takeAfterSpaces('}') {
			break
		}
		if c := p.peek(); c != '"' && !isNameStart(c) {
			return nil, false
		}
		key, ok := p.objectKey()
		if !ok || !p.takeAfterSpaces('=') || p.peek() == '=' || p.peek() == '>' {
			return nil, false
		}
		value, ok := p.expression()
		if !ok {
			return nil, false
		}
		if !p.outline {
			object.Items = append(object.Items, hclsyntax.ObjectConsItem{
				KeyExpr: &hclsyntax.ObjectConsKeyExpr{Wrapped: key}, ValueExpr: value})
		}
		if !p.takeAfterSpaces(',') && p.peek() != '\n' && p.peek() != '}' {
			return nil, false
		}
	}
	object.SrcRange = p.rangeSince(start)
	return object, true
}

// objectKey parses what stands before an equals sign in an object. A word alone is no reference there.
func (p *subsetParser) objectKey() (e hclsyntax.Expression, ok bool) {
	s := p.scanned
	if s == nil {
		return p.expression()
	}
	before := len(s.currentReferences)
	e, ok = p.expression()
	if len(s.currentReferences) > before && len(s.currentReferences[before]) == 1 {
		s.currentReferences = s.currentReferences[:before]
	}
	return e, ok
}
