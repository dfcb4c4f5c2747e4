// Package scrub takes secrets out of texts that others wrote.
package scrub

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Placeholder stands where a secret stood.
const Placeholder = "(sensitive value)"

// RemoveSecret takes the secret out of a text, in every form in which programs are known to
// repeat what they were given. A text that still holds a piece of it is given up as
// a whole.
func RemoveSecret(text, secret string) string {
	text = RemoveWholeSecret(text, secret)
	for i := 0; i+pieceSize <= len(secret); i++ {
		if strings.Contains(text, secret[i:i+pieceSize]) {
			return "(left out, since it holds a piece of the secret)"
		}
	}
	return text
}

// RemoveWholeSecret is RemoveSecret for a secret of which a part is no secret: its pieces stay. In
// base64 it is found within a longer text too, as in that of "id:secret".
func RemoveWholeSecret(text, secret string) string {
	if secret == "" {
		return text
	}
	for _, form := range encodings(secret) {
		text = strings.ReplaceAll(text, form, Placeholder)
	}
	return text
}

var escapes = regexp.MustCompile(`%[0-9A-F]{2}`)

// pieceSize is the length at which a run of characters of the key is no chance.
const pieceSize = 8

// encodings are the spellings of a key, the longest first.
func encodings(key string) []string {
	quoted, _ := json.Marshal(key) // strings always encode
	inner := string(quoted[1 : len(quoted)-1])
	percent := url.QueryEscape(key)
	all := []string{
		key, percent, url.PathEscape(key), escapes.ReplaceAllStringFunc(percent, strings.ToLower),
		inner, strings.ReplaceAll(inner, "/", `\/`), strings.ReplaceAll(key, "'", `'\''`),
		hex.EncodeToString([]byte(key)), strings.ToUpper(hex.EncodeToString([]byte(key))),
	}
	for shift := range min(3, max(0, len(key)-pieceSize)) { // wherever the key stands in a longer text
		whole := key[shift : shift+(len(key)-shift)/3*3]
		all = append(all, base64.StdEncoding.EncodeToString([]byte(whole)), base64.URLEncoding.EncodeToString([]byte(whole)))
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(all)
}
