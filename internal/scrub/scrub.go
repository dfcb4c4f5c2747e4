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
	"sync"
)

// Placeholder stands where a secret stood.
const Placeholder = "(sensitive value)"

// RemoveSecretOrWithholdText takes the secret out of a text, in every form in which programs are known to
// repeat what they were given. A text that still holds a piece of it is given up as
// a whole.
func RemoveSecretOrWithholdText(text, secret string) string {
	text = RemoveSecretKeepParts(text, secret)
	for i := 0; i+pieceSize <= len(secret); i++ {
		if strings.Contains(text, secret[i:i+pieceSize]) {
			return "(left out, since it holds a piece of the secret)"
		}
	}
	return text
}

// RemoveSecretKeepParts is RemoveSecret for a secret of which a part is no secret: its pieces stay. In
// base64 it is found within a longer text too, as in that of "id:secret", which goes with it.
func RemoveSecretKeepParts(text, secret string) string {
	if secret == "" {
		return text
	}
	if forms := base64Forms(secret); len(forms) > 0 {
		const around = `(?:[0-9A-Za-z+/_-]|%2[BbFf]|\\/)*`
		whole := regexp.MustCompile(around + "(?:" + strings.Join(forms, "|") + ")" + around + "(?:=|%3[Dd])*")
		text = whole.ReplaceAllString(text, Placeholder)
	}
	for _, form := range escapedForms(secret) {
		text = strings.ReplaceAll(text, form, Placeholder)
	}
	return text
}

// RemoveApplicationKeys takes out whatever has the form of an application key of B2.
func RemoveApplicationKeys(text string) string {
	return applicationKey().ReplaceAllString(text, Placeholder)
}

var applicationKey = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`K[0-9]{3}(?:[0-9A-Za-z+/]|%2[BbFf]|\\/){27,}`)
})

// RemoveTokens takes out whatever may be a key or a token, in plain text, hex, base64 or percent-encoding: twenty
// characters of these or more in a row, with a digit.
func RemoveTokens(text string) string {
	return longRun().ReplaceAllStringFunc(text, func(run string) string {
		if strings.ContainsAny(run, "0123456789") {
			return Placeholder
		}
		return run
	})
}

var longRun = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[0-9A-Za-z+/=_%\\-]{20,}`) })

var percentEscape = regexp.MustCompile(`%[0-9A-F]{2}`)

// pieceSize is the length at which a run of characters of the key is no chance.
const pieceSize = 8

// escapedForms are the other spellings of a key, the longest first.
func escapedForms(key string) []string {
	quoted, _ := json.Marshal(key) // strings always encode
	inner := string(quoted[1 : len(quoted)-1])
	percent := url.QueryEscape(key)
	all := []string{
		key, percent, url.PathEscape(key), percentEscape.ReplaceAllStringFunc(percent, strings.ToLower),
		inner, strings.ReplaceAll(inner, "/", `\/`), strings.ReplaceAll(key, "'", `'\''`),
		hex.EncodeToString([]byte(key)), strings.ToUpper(hex.EncodeToString([]byte(key))),
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(all)
}

// base64Forms are patterns of what a key becomes in base64, wherever it stands in a longer
// text, without what depends on its neighbours.
func base64Forms(key string) (patterns []string) {
	for shift := range min(3, max(0, len(key)-pieceSize)) {
		whole := key[shift : shift+(len(key)-shift)/3*3]
		form := regexp.QuoteMeta(base64.StdEncoding.EncodeToString([]byte(whole)))
		form = strings.ReplaceAll(form, `\+`, `(?:[+-]|%2[Bb])`)
		patterns = append(patterns, strings.ReplaceAll(form, "/", `(?:[/_]|%2[Ff]|\\/)`))
	}
	return patterns
}
