package schema

import (
	"bytes"
	"slices"
	"strings"

	"b2form/internal/words"
	"b2form/schema/kind"
	"b2form/schema/syntax"
)

// secretNames says which values are secret by where they stand.
type secretNames struct {
	secretPaths       [][]string      // of secret attributes: the kind's name, then the attributes
	other             map[string]bool // names of attributes that are not secret
	backendArguments  map[string]bool
	roots             map[string]bool // what references begin with, and words of the language
	declaredSensitive map[string]bool // variables and outputs that are sensitive, as "variable.site"
	isBroken, isJSON  bool            // the text does not parse; it is JSON
}

func newSecretNames(kinds []*kind.Kind) *secretNames {
	s := &secretNames{other: map[string]bool{}, declaredSensitive: map[string]bool{}, backendArguments: map[string]bool{},
		roots: map[string]bool{}}
	for _, root := range []string{"var", "local", "each", "count", "self", "path", "data", "module", "true", "false", "null", "for", "in",
		"if"} {
		s.roots[root] = true
	}
	var visit func(path []string, attrs []kind.Attr)
	visit = func(path []string, attrs []kind.Attr) {
		for i := range attrs {
			a := &attrs[i]
			here := append(slices.Clone(path), a.Name)
			switch {
			case !a.Secret:
				s.other[a.Name] = true
			case !a.Computed:
				s.secretPaths = append(s.secretPaths, here)
			}
			visit(here, a.Object)
		}
	}
	for _, k := range kinds {
		s.roots[k.Name] = true
		visit([]string{k.Name}, k.Attrs)
	}
	for _, b := range syntax.FindFixedBlock("b2form").Blocks {
		for _, a := range b.Arguments {
			s.backendArguments[a.Name] = b.Type == "backend"
		}
	}
	return s
}

// isSecret says what is hidden of what stands at a path of names.
func (s *secretNames) isSecret(path []string) secrecy {
	if len(path) == 0 {
		return isShown
	}
	name, block := path[len(path)-1], path[0]
	isLabel := s.isJSON && len(path) == 2 && block != "locals" && block != "b2form"
	described := slices.Contains([]string{"description", "error_message", "type", "sensitive", "nullable"}, name)
	switch {
	case isOfHeaders(path):
		if name != "name" {
			return literalsSecret
		}
	case block == "provider" && len(path) > 1:
		return allSecret
	case len(path) > 2 && s.declaredSensitive[block+"."+path[1]] && (block == "variable" || block == "output") && !described:
		if name == "default" || block == "variable" && len(path) == 3 {
			return allSecret
		}
		return literalsSecret
	case !isLabel && s.isCalledLikeSecret(name),
		block == "b2form" && len(path) > 3 && path[1] == "backend" && !s.backendArguments[name] && name != "#",
		(block == "variables" || block == "run") && slices.Contains(path[:len(path)-1], "variables"), // of a test
		s.isBroken && block == "module" && len(path) > 2 && name != "source",
		s.isSecretAttr(path):
		return literalsSecret
	}
	return isShown
}

// isSecretAttr reports whether a path leads to a secret attribute of a kind, or to one that is called almost so.
func (s *secretNames) isSecretAttr(path []string) bool {
	return slices.ContainsFunc(s.secretPaths, func(p []string) bool {
		rest := path[:len(path)-1]
		for _, want := range p[:len(p)-1] {
			i := slices.Index(rest, want)
			if i < 0 {
				return false
			}
			rest = rest[i+1:]
		}
		return path[0] == p[0] && s.isOrResembles(path[len(path)-1], p[len(p)-1])
	})
}

// isOrResembles reports whether a name is that of something secret, or is none and like it.
func (s *secretNames) isOrResembles(name, secret string) bool {
	return name == secret || !s.other[name] && isTypoOf(name, secret)
}

// isTypoOf reports whether a name is another one but for a slip of the keys.
func isTypoOf(name, meant string) bool {
	longer := len(name) - len(meant)
	return len(name) > 4 && -1 <= longer && longer <= 1 && words.FindSimilar(name, []string{meant}) != ""
}

// isCalledLikeSecret reports whether a value is secret wherever it stands, by its name in whatever spelling.
func (s *secretNames) isCalledLikeSecret(name string) bool {
	plain := plainName(name)
	if s.other[name] || strings.HasSuffix(plain, "keyid") || len(plain) < 4 {
		return false
	}
	return slices.ContainsFunc([]string{"password", "passwd", "passphrase", "secret", "token", "authorization", "credential", "hmac",
		"connstr", "apikey", "accesskey", "applicationkey", "customerkey", "encryptionkey", "privatekey", "signingkey"},
		func(part string) bool { return strings.Contains(plain, part) || isTypoOf(plain, part) }) || isTypoOf(plain, "signingsecret")
}

// maySecretBeCalled reports whether a name on a line of which nothing else is known may be that of a secret.
func (s *secretNames) maySecretBeCalled(name string) bool {
	return isHeaderName(name) || s.isCalledLikeSecret(name) || s.isOrResembles(name, "default") ||
		slices.ContainsFunc(s.secretPaths, func(p []string) bool { return s.isOrResembles(name, p[len(p)-1]) })
}

// mayOccurIn reports whether there may be a secret in a file: most have none.
func (s *secretNames) mayOccurIn(src []byte) bool {
	seen := map[string]bool{}
	for at := 0; at < len(src); {
		end := at
		for end < len(src) && isNameByte(src[end]) {
			end++
		}
		if word := src[at:end]; len(word) > 3 && mayNameValue(src[end:]) && !seen[string(word)] {
			name := string(word)
			seen[name] = true
			if slices.Contains([]string{"sensitive", "provider", "backend", "variables"}, name) ||
				name != "default" && s.maySecretBeCalled(name) {
				return true
			}
		}
		at = end + 1
	}
	return false
}

// mayNameValue reports whether what stands before a text may be the name of a value, or the word of a block or call.
func mayNameValue(rest []byte) bool {
	after := bytes.TrimLeft(rest, " \t")
	if bytes.HasPrefix(rest, []byte(`"`)) { // the end of a label, mostly
		after = bytes.TrimLeft(rest[1:], " \t\r\n")
		return len(after) > 0 && (after[0] == '=' || after[0] == ':')
	}
	return len(after) > 0 && strings.IndexByte("=:\"{(", after[0]) >= 0
}

// isOfHeaders reports whether a path leads into headers of requests.
func isOfHeaders(path []string) bool { return slices.ContainsFunc(path, isHeaderName) }

func isHeaderName(name string) bool {
	return strings.Contains(plainName(name), "customheader") || isTypoOf(plainName(name), "customheaders")
}

// plainName is a name without its case and what stands between its words.
func plainName(name string) string {
	return strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(name, "_", ""), "-", ""))
}

func isNameByte(c byte) bool {
	return c == '_' || c == '-' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
