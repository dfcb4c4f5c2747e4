package wire

import "strings"

// MemberAt follows a dotted path into a decoded object of B2's; nil: there is nothing. A wrapper
// {isClientAuthorizedToRead, value} on the way is opened; hidden says that the credentials may not look inside.
func MemberAt(m map[string]any, path string) (v any, hidden bool) {
	v = m
	for path != "" {
		var step string
		step, path, _ = strings.Cut(path, ".")
		obj, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		v = obj[step]
		if w, ok := v.(map[string]any); ok {
			if may, isWrapper := w["isClientAuthorizedToRead"]; isWrapper {
				if may == false {
					return nil, true
				}
				v = w["value"]
			}
		}
	}
	return v, false
}
