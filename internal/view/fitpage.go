package view

import (
	"slices"
	"strings"
)

// FitPage brings a page of the reference, which is Markdown, to a screen: paragraphs
// are broken anew, and the row of a table is what its first column holds, with the
// others below it. Examples stay as they are. 0: so does the page.
func FitPage(page string, width int) string {
	if width <= 0 {
		return page
	}
	var b strings.Builder
	lines := strings.Split(strings.TrimRight(page, "\n"), "\n")
	for len(lines) > 0 {
		n := markdownBlockLineCount(lines)
		switch first := lines[0]; {
		case strings.HasPrefix(first, "|"):
			writeTableAsList(&b, lines[:n], width)
		case strings.HasPrefix(first, "```"), first == "":
			b.WriteString(strings.Join(lines[:n], "\n") + "\n")
		default:
			rest := ""
			if strings.HasPrefix(first, "* ") {
				rest = "  "
			}
			text := strings.Join(strings.Fields(strings.Join(lines[:n], " ")), " ")
			b.WriteString(strings.Join(wrapLine(text, width, rest), "\n") + "\n")
		}
		lines = lines[n:]
	}
	return b.String()
}

// markdownBlockLineCount is how many lines belong to what begins with the first one: an example, a
// table, an item of a list, a heading or a paragraph.
func markdownBlockLineCount(lines []string) int {
	first := lines[0]
	end := func(is func(string) bool) int {
		if i := slices.IndexFunc(lines[1:], is); i >= 0 {
			return i + 1
		}
		return len(lines)
	}
	switch {
	case strings.HasPrefix(first, "```"):
		return min(len(lines), end(func(l string) bool { return strings.HasPrefix(l, "```") })+1)
	case strings.HasPrefix(first, "|"):
		return end(func(l string) bool { return !strings.HasPrefix(l, "|") })
	case first == "", strings.HasPrefix(first, "#"):
		return 1
	}
	begins := []string{"|", "```", "#", "* "}
	return end(func(l string) bool {
		return l == "" || slices.ContainsFunc(begins, func(mark string) bool { return strings.HasPrefix(l, mark) })
	})
}

// writeTableAsList writes the rows of a table, of which the first one is the header and the
// second one a line.
func writeTableAsList(b *strings.Builder, rows []string, width int) {
	const indent = "    "
	header := tableCells(rows[0])
	for _, row := range rows[min(2, len(rows)):] {
		cells := tableCells(row)
		b.WriteString(strings.Join(wrapLine(cells[0], width, indent), "\n") + "\n")
		var facts, texts []string
		for i, c := range cells[1:] {
			switch name := header[min(i+1, len(header)-1)]; {
			case c == "":
			case name == "":
				texts = append(texts, c)
			default:
				facts = append(facts, name+": "+c)
			}
		}
		if len(facts) > 0 {
			texts = append([]string{strings.Join(facts, "; ")}, texts...)
		}
		for _, text := range texts {
			b.WriteString(strings.Join(wrapLine(indent+text, width, indent), "\n") + "\n")
		}
	}
}

// tableCells takes a row apart. What is escaped in a cell stays so where it was.
func tableCells(row string) []string {
	row = strings.ReplaceAll(strings.Trim(strings.TrimSpace(row), "|"), `\|`, "\x00")
	cells := strings.Split(row, "|")
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(strings.TrimSpace(c), "\x00", "|")
	}
	return cells
}
