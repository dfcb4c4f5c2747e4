package view

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Wrap breaks text at spaces, so that no line has more than width columns but for
// words that are longer; 0: nothing is broken. What a line goes on with stands below
// the line's beginning or, where that is a name with two spaces behind it, below what
// follows them.
func Wrap(text string, width int) string {
	return strings.Join(wrapLines(text, width), "\n")
}

func wrapLines(text string, width int) []string {
	var out []string
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		out = append(out, wrapLine(line, width, strings.Repeat(" ", hangingIndent(line)))...)
	}
	return out
}

// wrapLine breaks one line. rest is what further lines begin with.
func wrapLine(line string, width int, continuationPrefix string) []string {
	if width <= 0 || displayWidth(line) <= width {
		return []string{line}
	}
	body := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(body)]
	var out []string
	var b strings.Builder
	b.WriteString(indent)
	used, fresh := displayWidth(indent), true
	for i, word := range strings.Split(body, " ") {
		n := displayWidth(word)
		switch {
		case i == 0:
		case used+1+n > width && !fresh && word != "":
			out = append(out, strings.TrimRight(b.String(), " "))
			b.Reset()
			b.WriteString(continuationPrefix)
			used, fresh = displayWidth(continuationPrefix), true
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
		fresh = fresh && word == ""
	}
	return append(out, b.String())
}

// hangingIndent is the column below which the rest of a line stands.
func hangingIndent(line string) int {
	body := strings.TrimLeft(line, " ")
	indent := len(line) - len(body)
	if indent == 0 {
		return 0
	}
	if name, _, found := strings.Cut(body, "  "); found {
		gap := body[len(name):]
		if column := indent + displayWidth(name) + len(gap) - len(strings.TrimLeft(gap, " ")); column <= 36 {
			return column
		}
	}
	return indent + 2
}

// displayWidth is how wide text is on the screen; colours take no room.
func displayWidth(text string) int {
	n := 0
	for {
		before, rest, painted := strings.Cut(text, "\x1b")
		n += utf8.RuneCountInString(before)
		if !painted {
			return n
		}
		_, text, _ = strings.Cut(rest, "m")
	}
}

// A TwoColumnRow is a name and what it stands for.
type TwoColumnRow struct{ Name, Text string }

// TwoColumnTable writes a table of two columns, indented by two; the second one is broken to
// the width, 0 for none.
func TwoColumnTable(rows []TwoColumnRow, width int) string {
	most := 0
	for _, r := range rows {
		most = max(most, displayWidth(r.Name))
	}
	var b strings.Builder
	for _, r := range rows {
		line := "  " + padRight(r.Name, most) + "  " + r.Text
		b.WriteString(strings.Join(wrapLine(line, width, strings.Repeat(" ", most+4)), "\n") + "\n")
	}
	return b.String()
}

// narrowest is how many columns of a table's column are kept at least, narrowestBeforeLastCut before those are cut that are cut last.
const narrowest, narrowestBeforeLastCut = 5, 9

// columnWidths are how wide the columns of a table are.
func columnWidths(rows [][]string) []int {
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, c := range r {
			widths[i] = max(widths[i], displayWidth(c))
		}
	}
	return widths
}

// tableWidth is how wide a table is as alignColumns writes it, if nothing is cut.
func tableWidth(rows [][]string) int {
	total := 2 * (len(rows[0]) - 1)
	for _, w := range columnWidths(rows) {
		total += w
	}
	return total
}

// alignColumns writes rows of cells, the first of which is a header. Where they take more than width, 0 being any, the widest columns
// are cut in their middle: last those that a header of lastCut names, never the one with uncutHeader. A row is always a line.
func (t TextUI) alignColumns(rows [][]string, width int, uncutHeader string, lastCut ...string) string {
	widths, total := columnWidths(rows), tableWidth(rows)
	for width > 0 && total > width {
		widest := -1
		for _, least := range []int{narrowestBeforeLastCut, narrowest} {
			for i, header := range rows[0] {
				mayCut := header != uncutHeader && widths[i] > least && (least == narrowest || !slices.Contains(lastCut, header))
				if mayCut && (widest < 0 || widths[i] > widths[widest]) {
					widest = i
				}
			}
			if widest >= 0 {
				break
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
		total--
	}
	var b strings.Builder
	for n, r := range rows {
		cells := make([]string, len(r))
		for i, c := range r {
			cells[i] = padRight(truncateMiddle(c, widths[i]), widths[i])
		}
		line := strings.TrimRight(strings.Join(cells, "  "), " ")
		if n == 0 {
			line = t.Style.paint(line, bold)
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
