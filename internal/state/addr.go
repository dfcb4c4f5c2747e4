package state

import (
	"strconv"
	"strings"

	"b2form/schema/addr"
)

// A fastDecodedAddr decodes addresses without the HCL parser where they are plain, which
// is what makes reading a state of a hundred thousand entries fast.
type fastDecodedAddr addr.Addr

func (a *fastDecodedAddr) UnmarshalText(text []byte) error {
	s := string(text)
	if plain, ok := parseAddrFast(s); ok {
		*a = fastDecodedAddr(plain)
		return nil
	}
	parsed, err := addr.Parse(s)
	*a = fastDecodedAddr(parsed)
	return err
}

// parseAddrFast reads kind.label, kind.label["text"] and kind.label[0] in plain
// ASCII without escapes. Where ok is false the address may still be a good one.
func parseAddrFast(s string) (a addr.Addr, ok bool) {
	k, rest, _ := strings.Cut(s, ".")
	label, index, indexed := strings.Cut(rest, "[")
	if !isIdentifier(k) || !isIdentifier(label) || k == "module" {
		return addr.Addr{}, false
	}
	a = addr.Addr{Kind: k, Label: label}
	if !indexed {
		return a, true
	}
	a.Instance, ok = parseInstanceFast(index)
	return a, ok
}

// parseInstanceFast reads what stands behind the opening bracket.
func parseInstanceFast(s string) (instance addr.InstanceKey, ok bool) {
	s, closed := strings.CutSuffix(s, "]")
	if !closed || s == "" {
		return addr.InstanceKey{}, false
	}
	if text, quoted := strings.CutPrefix(s, `"`); quoted {
		text, quoted = strings.CutSuffix(text, `"`)
		return addr.ForEachKey(text), quoted && !strings.ContainsFunc(text, needsHCLParser)
	}
	n, err := strconv.Atoi(s)
	return addr.CountIndex(n), err == nil && strconv.Itoa(n) == s && n >= 0
}

func needsHCLParser(r rune) bool {
	return r < ' ' || r > '~' || r == '"' || r == '\\' || r == '$' || r == '%'
}

func isIdentifier(s string) bool {
	for i, r := range []byte(s) {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		inner := r >= '0' && r <= '9' || r == '_' || r == '-'
		if !letter && (i == 0 || !inner) {
			return false
		}
	}
	return s != ""
}
