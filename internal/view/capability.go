package view

import (
	"fmt"
	"strings"
)

// RequiredKey writes a key that has these capabilities, as a block to paste.
func (t TextUI) RequiredKey(required []string) {
	fmt.Fprintf(t.Out, "key \"b2form\" {\n  name         = \"b2form\"\n  capabilities = [%s]\n}\n", quotedList(required))
}

// RequiredKey writes one line.
func (j JSONUI) RequiredKey(required []string) {
	j.emit("info", fmt.Sprintf("The plan takes %d capabilities", len(required)), "capabilities", jsonFields{"capabilities": required})
}

func quotedList(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return `"` + strings.Join(list, `", "`) + `"`
}

func backtickedListOrDash(list []string) string {
	text := strings.Join(list, "`, `")
	if text == "" {
		return "–"
	}
	return "`" + text + "`"
}
