package schema

import (
	"bytes"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"b2form/schema/kind"
)

// WithoutSecrets is the text of a configuration file as messages may quote it: of
// the same size, with stars for what is written down as the value of something
// sensitive. That is a secret attribute of a kind, the default of a sensitive
// variable, a sensitive output, and what sensitive() is called with. References
// stay. Where the text does not parse, more is hidden.
func WithoutSecrets(src []byte, kinds []*kind.Kind, parses bool) []byte {
	s := secretNamesOf(kinds)
	if parses && !s.mayOccurIn(src) {
		return src
	}
	out := bytes.Clone(src)
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	s.noteSensitiveOrRedact(tokens, nil) // finds what is declared sensitive
	s.noteSensitiveOrRedact(tokens, out)
	if parses {
		return out
	}
	// A quote that is missing turns texts inside out from there on: line by line.
	s.matchAtAnyDepth = true
	for at := 0; at < len(src); {
		line, _, _ := bytes.Cut(src[at:], []byte("\n"))
		tokens, _ := hclsyntax.LexConfig(line, "", hcl.Pos{Line: 1, Column: 1, Byte: at})
		s.noteSensitiveOrRedact(tokens, out)
		at += len(line) + 1
	}
	return out
}

// QuotableFile is a file for messages, which quote it as its text without secrets, of the same size: its body tells where that has
// stars in place of what is written.
func QuotableFile(src, withoutSecrets []byte, nav any) *hcl.File {
	return &hcl.File{Body: sourceBody{hcl.EmptyBody(), src}, Bytes: withoutSecrets, Nav: nav}
}

// secretNames says which values are secret by where they stand.
type secretNames struct {
	secretPaths       [][]string      // of secret attributes: the kind's name, then the attributes
	onlySecret        map[string]bool // names that only secret attributes have
	declaredSensitive map[string]bool // variables and outputs that are sensitive, as "variable.site"
	matchAtAnyDepth   bool            // names count wherever they stand
}

func secretNamesOf(kinds []*kind.Kind) *secretNames {
	s := &secretNames{onlySecret: map[string]bool{}, declaredSensitive: map[string]bool{}}
	other := map[string]bool{"value": true, "default": true, "content": true} // arguments of blocks
	var visit func(path []string, attrs []kind.Attr)
	visit = func(path []string, attrs []kind.Attr) {
		for i := range attrs {
			a := &attrs[i]
			here := append(slices.Clone(path), a.Name)
			if a.Secret && !a.Computed {
				s.secretPaths = append(s.secretPaths, here)
			} else {
				other[a.Name] = true
			}
			visit(here, a.Object)
		}
	}
	for _, k := range kinds {
		visit([]string{k.Name}, k.Attrs)
	}
	for _, p := range s.secretPaths {
		if name := p[len(p)-1]; !other[name] {
			s.onlySecret[name] = true
		}
	}
	return s
}

// mayOccurIn reports whether there may be a secret in a file: most have none.
func (s *secretNames) mayOccurIn(src []byte) bool {
	return bytes.Contains(src, []byte("sensitive")) || slices.ContainsFunc(s.secretPaths, func(p []string) bool {
		if last := p[len(p)-1]; s.onlySecret[last] {
			p = []string{"", last}
		}
		return !slices.ContainsFunc(p[1:], func(name string) bool { return !bytes.Contains(src, []byte(name)) })
	})
}

// isSecret reports whether what stands at a path of names is a secret.
func (s *secretNames) isSecret(path []string) bool {
	if len(path) == 0 {
		return false
	}
	name := path[len(path)-1]
	if s.onlySecret[name] || s.matchAtAnyDepth && (name == "default" ||
		slices.ContainsFunc(s.secretPaths, func(p []string) bool { return p[len(p)-1] == name })) {
		return true
	}
	if len(path) > 2 && s.declaredSensitive[path[0]+"."+path[1]] && (name == "default" || name == "value") {
		return true
	}
	return slices.ContainsFunc(s.secretPaths, func(p []string) bool {
		rest := path
		for _, want := range p {
			i := slices.Index(rest, want)
			if i < 0 {
				return false
			}
			rest = rest[i+1:]
		}
		return path[0] == p[0] && len(rest) == 0
	})
}

// A bracketFrame is one level of brackets.
type bracketFrame struct {
	path                []string // of names that lead here
	namesSinceSeparator []string // names since the last separator, such as variable "site"
	valuePath           []string // path of what a value is read for; nil: of nothing
	allSecret           bool     // every literal in here is
	hideNames           bool     // and every name, since no reference may stand here
}

// noteSensitiveOrRedact goes through the tokens of native or JSON syntax. With redacted it puts stars
// there for literals that are secret, without it notes what is declared sensitive.
func (s *secretNames) noteSensitiveOrRedact(tokens hclsyntax.Tokens, redacted []byte) {
	stack := []bracketFrame{{}}
	isJSON := len(tokens) > 0 && tokens[0].Type == hclsyntax.TokenOBrace && !s.matchAtAnyDepth
	for i, t := range tokens {
		top := &stack[len(stack)-1]
		switch t.Type {
		case hclsyntax.TokenIdent, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit, hclsyntax.TokenNumberLit:
			s.noteOrRedactToken(top, t, redacted)
		case hclsyntax.TokenEqual, hclsyntax.TokenColon:
			if len(top.namesSinceSeparator) > 0 && top.valuePath == nil {
				top.valuePath = append(slices.Clone(top.path), top.namesSinceSeparator[len(top.namesSinceSeparator)-1])
			}
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp,
			hclsyntax.TokenTemplateControl:
			stack = append(stack, s.openFrame(top, tokens, i))
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
			if len(stack) > 1 {
				stack = stack[:len(stack)-1]
			}
		case hclsyntax.TokenNewline, hclsyntax.TokenComma:
			if !isJSON || t.Type == hclsyntax.TokenComma {
				top.namesSinceSeparator, top.valuePath = nil, nil
			}
		}
	}
}

// noteOrRedactToken notes a name or a literal, and puts stars for it where it is secret.
func (s *secretNames) noteOrRedactToken(top *bracketFrame, t hclsyntax.Token, redacted []byte) {
	if top.valuePath == nil {
		top.namesSinceSeparator = append(top.namesSinceSeparator, string(t.Bytes))
	}
	if len(top.valuePath) > 2 && top.valuePath[len(top.valuePath)-1] == "sensitive" && redacted == nil {
		s.declaredSensitive[top.valuePath[0]+"."+top.valuePath[1]] = string(t.Bytes) != "false"
	}
	if secret, words := s.secrecyAt(top); redacted == nil || !secret || t.Type == hclsyntax.TokenIdent && !words {
		return
	}
	for i := t.Range.Start.Byte; i < t.Range.End.Byte; i++ {
		if redacted[i] != '\n' {
			redacted[i] = '*'
		}
	}
}

// secrecyAt says what of a level stands for secrets at this place: literals, and names.
func (s *secretNames) secrecyAt(top *bracketFrame) (secret, hideNames bool) {
	if top.allSecret || top.valuePath == nil || !s.isSecret(top.valuePath) {
		return top.allSecret, top.hideNames
	}
	return true, top.valuePath[len(top.valuePath)-1] == "default"
}

// openFrame is the frame within the bracket tokens[i].
func (s *secretNames) openFrame(top *bracketFrame, tokens hclsyntax.Tokens, i int) bracketFrame {
	next := bracketFrame{path: top.valuePath}
	next.allSecret, next.hideNames = s.secrecyAt(top)
	if top.valuePath == nil {
		next.path = append(slices.Clone(top.path), top.namesSinceSeparator...)
	}
	call := tokens[i].Type == hclsyntax.TokenOParen && i > 0 && string(tokens[i-1].Bytes) == "sensitive"
	next.allSecret = next.allSecret || call
	return next
}

// hideLiterals puts stars for the literals of a part of a file that was read before.
func (l *module) hideLiterals(at hcl.Range) {
	file := l.config.Files[at.Filename]
	if file == nil || !at.CanSliceBytes(file.Bytes) {
		return
	}
	file.Bytes = bytes.Clone(file.Bytes)
	part := at.SliceBytes(file.Bytes)
	tokens, _ := hclsyntax.LexExpression(part, "", hcl.InitialPos)
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit, hclsyntax.TokenNumberLit:
			copy(part[t.Range.Start.Byte:t.Range.End.Byte], strings.Repeat("*", len(t.Bytes)))
		}
	}
}
