package functions

import (
	_ "embed"
	"strings"
)

// The list has one function a line: how it is called, what it does, an example
// and what that comes to, with tabs between them. Tests hold it to the truth.
//
//go:embed docs.txt
var docsText string

// A Doc tells what one function of the language does.
type Doc struct {
	Name      string `json:"name"`
	Signature string `json:"signature"` // "join(separator, list)"
	Group     string `json:"group"`     // "Texts"
	Summary   string `json:"doc"`       // one sentence
	Example   string `json:"example"`   // an expression
	Result    string `json:"result"`    // what the example comes to, as an expression
}

// Docs lists the functions of the language by groups and, within one, by name.
// Those that are refused are not among them.
func Docs() []Doc {
	var out []Doc
	group := ""
	for line := range strings.Lines(docsText) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "# "); ok {
			group = name
			continue
		}
		if parts := strings.Split(line, "\t"); len(parts) == 4 {
			name, _, _ := strings.Cut(parts[0], "(")
			out = append(out, Doc{Name: name, Signature: parts[0], Group: group, Summary: parts[1], Example: parts[2], Result: parts[3]})
		}
	}
	return out
}
