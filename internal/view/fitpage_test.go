package view_test

import (
	"strings"
	"testing"

	"b2form/internal/view"
	"b2form/schema"
)

// Pages keep to the screen but for examples and for words that are longer, and lose no
// word of what they say.
func TestPagesFitTheScreen(t *testing.T) {
	for _, page := range view.ReferencePages(schema.Kinds()) {
		if got := view.FitPage(page.Text, 0); got != page.Text {
			t.Errorf("%s is changed where there is no screen", page.Name)
		}
		for _, width := range []int{60, 80, 140} {
			got := view.FitPage(page.Text, width)
			example := false
			for _, line := range strings.Split(got, "\n") {
				if strings.HasPrefix(line, "```") {
					example = !example
				}
				words := strings.Fields(line)
				if !example && len([]rune(line)) > width && len(words) > 1 {
					t.Errorf("%s has a line of %d columns on a screen of %d: %s", page.Name, len([]rune(line)), width, line)
				}
			}
			shown := pageWords(got)
			for word := range pageWords(page.Text) {
				if !shown[word] {
					t.Errorf("%s on a screen of %d columns lacks the word %q", page.Name, width, word)
				}
			}
		}
	}
}

// pageWords are the words of a page without the headers of its tables.
func pageWords(text string) map[string]bool {
	words := map[string]bool{}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "|--") || i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|--") {
			continue
		}
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" |;:\\", r) }) {
			words[word] = true
		}
	}
	return words
}
