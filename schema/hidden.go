package schema

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/internal/words"
	"b2form/schema/kind"
)

// WithoutSecrets is the text of a configuration file as messages may quote it: of
// the same size, with stars for what is written down as the value of something
// sensitive. That is an argument that is, or is called like, a secret one, headers but for
// their names, everything in the block of a sensitive variable or output and of a provider
// but its descriptions, what a backend does not know, and what sensitive() is called with.
// References stay. Where the text does not parse, more is hidden.
func WithoutSecrets(src []byte, kinds []*kind.Kind, parses bool) []byte {
	s := newSecretNames(kinds)
	s.isBroken = !parses
	if parses && !s.mayOccurIn(src) {
		return src
	}
	out := bytes.Clone(src)
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	s.noteSensitiveOrRedact(tokens, nil) // finds what is declared sensitive
	s.noteSensitiveOrRedact(tokens, out)
	if !parses { // a quote that is missing turns texts inside out from there on
		s.redactLines(src, out, 0)
	}
	return out
}

// QuotableFile is a file for messages, which quote it as its text without secrets, of the same size: its body tells where that has
// stars in place of what is written.
func QuotableFile(src, withoutSecrets []byte, nav any) *hcl.File {
	return &hcl.File{Body: sourceBody{hcl.EmptyBody(), src}, Bytes: withoutSecrets, Nav: nav}
}

// A bracketFrame is one level of brackets.
type bracketFrame struct {
	path                []string // of names that lead here
	namesSinceSeparator []string // names since the last separator, such as variable "site"
	valuePath           []string // path of what a value is read for; nil: of nothing
	isList              bool     // no names stand here: what does belongs to path
	hasQuestion         bool     // a colon belongs to a condition
	isAfterSecret       bool     // a secret stood here since the last separator, so that what follows may be of it
	inside              secrecy  // of all that is in here
}

// A secrecy says what of a value is hidden.
type secrecy int

const (
	isShown        secrecy = iota
	literalsSecret         // and words that refer to nothing
	allSecret              // every word, since no reference may stand here
)

// noteSensitiveOrRedact goes through the tokens of native or JSON syntax. With redacted it puts stars
// there for what is secret, without it notes what is declared sensitive.
func (s *secretNames) noteSensitiveOrRedact(tokens hclsyntax.Tokens, redacted []byte) {
	stack := []bracketFrame{{}}
	s.isJSON = len(tokens) > 0 && tokens[0].Type == hclsyntax.TokenOBrace
	for i, t := range tokens {
		top := &stack[len(stack)-1]
		switch t.Type {
		case hclsyntax.TokenQuestion:
			top.hasQuestion = true
		case hclsyntax.TokenEqual, hclsyntax.TokenColon:
			s.beginValue(top, tokens, i)
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp,
			hclsyntax.TokenTemplateControl:
			stack = append(stack, s.openFrame(top, tokens, i))
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
			if len(stack) > 1 {
				stack = stack[:len(stack)-1]
			}
		default:
			s.noteOrRedactToken(top, tokens, i, redacted)
		}
		endsLine := t.Type == hclsyntax.TokenNewline || t.Type == hclsyntax.TokenComment && bytes.HasSuffix(t.Bytes, []byte("\n"))
		if endsLine && !s.isJSON || t.Type == hclsyntax.TokenComma {
			top.namesSinceSeparator, top.valuePath, top.hasQuestion, top.isAfterSecret = nil, nil, false, false
		}
	}
}

// beginValue notes whose value follows the equals sign or colon tokens[i]. A second one, where a separator is missing, is of the
// name right before it.
func (s *secretNames) beginValue(top *bracketFrame, tokens hclsyntax.Tokens, i int) {
	name := ""
	if before := tokensBefore(tokens, i); before.Type == hclsyntax.TokenIdent || before.Type == hclsyntax.TokenQuotedLit {
		name = string(before.Bytes)
	}
	isOfCondition := top.hasQuestion && tokens[i].Type == hclsyntax.TokenColon
	if top.valuePath == nil && len(top.namesSinceSeparator) > 0 {
		name = top.namesSinceSeparator[len(top.namesSinceSeparator)-1]
	} else if top.valuePath == nil || name == "" || isOfCondition {
		return
	}
	top.isAfterSecret = top.isAfterSecret || s.secrecyAt(top) > isShown
	top.valuePath = append(slices.Clone(top.path), name)
}

// tokensBefore is the last token before tokens[i] that is no quotation mark.
func tokensBefore(tokens hclsyntax.Tokens, i int) hclsyntax.Token {
	for i--; i >= 0; i-- {
		if tokens[i].Type != hclsyntax.TokenCQuote {
			return tokens[i]
		}
	}
	return hclsyntax.Token{}
}

// noteOrRedactToken notes a name or a literal, and puts stars for it where it is secret.
func (s *secretNames) noteOrRedactToken(top *bracketFrame, tokens hclsyntax.Tokens, i int, redacted []byte) {
	t := tokens[i]
	isWord := slices.Contains([]hclsyntax.TokenType{hclsyntax.TokenIdent, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit,
		hclsyntax.TokenNumberLit}, t.Type)
	isName := isWord && top.valuePath == nil && !top.isList
	level := s.secrecyAt(top)
	switch {
	case isName && len(top.namesSinceSeparator) > 0 && t.Type != hclsyntax.TokenIdent &&
		s.isSecret(append(slices.Clone(top.path), top.namesSinceSeparator[len(top.namesSinceSeparator)-1])) > isShown:
		level = max(level, literalsSecret) // an equals sign is missing
	case isOfHeaders(top.valuePath) && bytes.ContainsAny(t.Bytes, ": "):
		level = max(level, literalsSecret) // the value, too, as the name of a header
	case t.Type == hclsyntax.TokenComment && top.valuePath == nil:
		level = max(level, s.isSecret(append(slices.Clone(top.path), "#")))
	}
	if isName {
		top.namesSinceSeparator = append(top.namesSinceSeparator, string(t.Bytes))
	}
	if v := top.valuePath; isWord && len(v) > 2 && v[len(v)-1] == "sensitive" && redacted == nil {
		s.declaredSensitive[v[0]+"."+v[1]] = string(t.Bytes) != "false"
	}
	switch {
	case redacted == nil:
	case t.Type == hclsyntax.TokenComment && level == isShown:
		s.redactLines(t.Bytes, redacted, t.Range.Start.Byte)
	case !isName || t.Type != hclsyntax.TokenIdent || level == allSecret:
		s.redactToken(tokens, i, level, redacted)
	}
}

// redactToken puts stars for a token, if it is none that may be shown of a value of this secrecy.
func (s *secretNames) redactToken(tokens hclsyntax.Tokens, i int, level secrecy, redacted []byte) {
	t := tokens[i]
	from := t.Range.Start.Byte
	switch t.Type {
	case hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit, hclsyntax.TokenNumberLit, hclsyntax.TokenInvalid:
	case hclsyntax.TokenComment:
		from++
	case hclsyntax.TokenIdent:
		if level < allSecret && s.isOfReference(tokens, i) {
			return
		}
	default:
		return
	}
	if level > isShown {
		putStars(redacted[from:t.Range.End.Byte], "\r\n")
	}
}

// isOfReference reports whether a word is of a reference to something that is there, the name of a function or one of the language.
func (s *secretNames) isOfReference(tokens hclsyntax.Tokens, i int) bool {
	if i+1 < len(tokens) && tokens[i+1].Type == hclsyntax.TokenOParen || i > 0 && tokens[i-1].Type == hclsyntax.TokenOParen {
		return true
	}
	for i > 1 && tokens[i-1].Type == hclsyntax.TokenDot {
		i -= 2
		for i > 0 && tokens[i].Type != hclsyntax.TokenIdent && tokens[i].Type != hclsyntax.TokenNewline { // an index
			i--
		}
	}
	root := string(tokens[i].Bytes)
	return s.roots[root] || i+1 < len(tokens) && tokens[i+1].Type == hclsyntax.TokenDot &&
		words.FindSimilar(root, slices.Collect(maps.Keys(s.roots))) != ""
}

// putStars puts stars for all bytes but those of kept.
func putStars(text []byte, kept string) {
	for i, c := range text {
		if strings.IndexByte(kept, c) < 0 {
			text[i] = '*'
		}
	}
}

// secrecyAt says what of a level is hidden at this place.
func (s *secretNames) secrecyAt(top *bracketFrame) secrecy {
	level := top.inside
	if top.isAfterSecret {
		level = max(level, literalsSecret)
	}
	switch {
	case top.valuePath != nil:
		level = max(level, s.isSecret(top.valuePath))
	case top.isList:
		level = max(level, s.isSecret(top.path))
	}
	return level
}

// openFrame is the frame within the bracket tokens[i].
func (s *secretNames) openFrame(top *bracketFrame, tokens hclsyntax.Tokens, i int) bracketFrame {
	next := bracketFrame{path: top.valuePath, inside: top.inside, isList: tokens[i].Type != hclsyntax.TokenOBrace}
	switch {
	case top.valuePath == nil:
		next.path = append(slices.Clone(top.path), top.namesSinceSeparator...)
	case !isOfHeaders(top.valuePath) || top.isAfterSecret:
		next.inside = s.secrecyAt(top)
	}
	if tokens[i].Type == hclsyntax.TokenOParen && i > 0 && string(tokens[i-1].Bytes) == "sensitive" {
		next.inside = max(next.inside, literalsSecret)
	}
	return next
}

// redactLines puts stars for what follows the name of something secret on its line, and for the text of a heredoc there. src begins
// at a byte of redacted. It takes no token for what it seems: a file may not parse, and a comment may be of an old value.
func (s *secretNames) redactLines(src, redacted []byte, begin int) {
	heredocEnd := ""
	for at := 0; at < len(src); {
		line, _, _ := bytes.Cut(src[at:], []byte("\n"))
		out := redacted[begin+at : begin+at+len(line)]
		at += len(line) + 1
		if heredocEnd != "" {
			if string(bytes.TrimSpace(line)) == heredocEnd {
				heredocEnd = ""
			}
			putStars(out, " \t\r")
			continue
		}
		from := s.secretFrom(line)
		if from < 0 {
			continue
		}
		_, marker, _ := bytes.Cut(line[from:], []byte("<<"))
		if end := string(bytes.TrimSpace(bytes.TrimPrefix(marker, []byte("-")))); hclsyntax.ValidIdentifier(end) {
			heredocEnd = end
		}
		putStars(out[from:], " \t\r\"'()[]{},=:")
	}
}

// secretFrom is where on a line what may be secret begins, after the name of it; -1: nowhere.
func (s *secretNames) secretFrom(line []byte) int {
	isFirst := true
	for at := 0; at < len(line); {
		if !isNameByte(line[at]) {
			at++
			continue
		}
		end := at
		for end < len(line) && isNameByte(line[end]) {
			end++
		}
		rest := bytes.TrimLeft(line[end:], "\" \t")
		if len(rest) > 0 && (rest[0] == '=' || rest[0] == ':' || isFirst || isHeaderName(string(line[at:end]))) &&
			s.maySecretBeCalled(string(line[at:end])) {
			return end
		}
		isFirst, at = false, end
	}
	return -1
}

// hideLiterals puts stars for a value that was read before, and for what follows it on its line.
func (l *module) hideLiterals(at hcl.Range) {
	file := l.config.Files[at.Filename]
	if file == nil || !at.CanSliceBytes(file.Bytes) {
		return
	}
	file.Bytes = bytes.Clone(file.Bytes)
	part := file.Bytes[at.Start.Byte:]
	end := at.End.Byte - at.Start.Byte
	if !isJSONFile(at.Filename) {
		rest, _, _ := bytes.Cut(part[end:], []byte("\n"))
		end += len(rest)
	}
	part = part[:end]
	s := newSecretNames(l.shared.rootOptions.Kinds)
	tokens, _ := hclsyntax.LexExpression(bytes.Clone(part), "", hcl.Pos{Line: 1, Column: 1})
	for i := range tokens {
		s.redactToken(tokens, i, literalsSecret, part)
	}
}

// hidesTextIn reports whether messages quote a part of a file with stars for something in it.
func (l *module) hidesTextIn(at hcl.Range) bool {
	file := l.config.Files[at.Filename]
	if file == nil || !at.CanSliceBytes(file.Bytes) {
		return false
	}
	body, ok := file.Body.(sourceBody)
	return ok && body.HidesText(file.Bytes, at.Start.Byte, at.End.Byte)
}
