package secret

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// scrub takes the secret out of a text, in every form in which programs are
// known to repeat what they were given. A text that still holds a piece of it
// is given up as a whole.
func scrub(text string, v Value) string {
	key := v.Reveal()
	if key == "" {
		return text
	}
	for _, form := range encodings(key) {
		text = strings.ReplaceAll(text, form, redacted)
	}
	for i := 0; i+pieceSize <= len(key); i++ {
		if strings.Contains(text, key[i:i+pieceSize]) {
			return "(left out, since it holds a piece of the secret)"
		}
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
		inner, strings.ReplaceAll(inner, "/", `\/`), shellWord(key),
		hex.EncodeToString([]byte(key)), strings.ToUpper(hex.EncodeToString([]byte(key))),
	}
	for shift := range 3 { // wherever the key stands in a longer text
		whole := key[shift : shift+(len(key)-shift)/3*3]
		all = append(all, base64.StdEncoding.EncodeToString([]byte(whole)), base64.URLEncoding.EncodeToString([]byte(whole)))
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(all)
}
