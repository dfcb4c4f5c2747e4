package view

import (
	"fmt"
	"strings"
)

// Capabilities writes a key that has these capabilities, as a block to paste.
func (t TextUI) Capabilities(required []string) {
	fmt.Fprintf(t.Out, "key \"b2form\" {\n  name         = \"b2form\"\n  capabilities = [%s]\n}\n", quotedList(required))
}

// Capabilities writes one line.
func (j JSONUI) Capabilities(required []string) {
	j.emit("info", fmt.Sprintf("The plan takes %d capabilities", len(required)), "capabilities", jsonFields{"capabilities": required})
}

func quotedList(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return `"` + strings.Join(list, `", "`) + `"`
}

func backtickedList(list []string) string {
	text := strings.Join(list, "`, `")
	if text == "" {
		return "–"
	}
	return "`" + text + "`"
}
