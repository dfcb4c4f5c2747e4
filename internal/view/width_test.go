package view_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema/kind"
)

// tooWide lists lines that have more columns than the screen although they could be
// broken.
func tooWide(text string, width int) []string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		body := strings.TrimLeft(line, " │#!()+-~")
		if utf8.RuneCountInString(line) > width && strings.Contains(body, " ") {
			out = append(out, line)
		}
	}
	return out
}

// plainWords are the words of a text, without what only marks a line.
func plainWords(text string) []string {
	marks := []string{"#", "│", "╷", "╵", "+", "-", "~", "+/-", ".", "!"}
	return slices.DeleteFunc(strings.Fields(text), func(w string) bool { return slices.Contains(marks, w) })
}

// Plans, remarks and diagnostics keep to every screen and break no word; without a
// screen no line is broken.
func TestEveryWidth(t *testing.T) {
	far := plans()
	long := far["create"]
	long.Changes[0].Hazards = append(long.Changes[0].Hazards,
		kind.Hazard{Kind: kind.DeletesData, Detail: strings.Repeat("quite a lot of it ", 20)})
	long.Changes[0].Reason = strings.Repeat("there are so many reasons ", 10)
	diags := diagnostics()
	diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: strings.Repeat("a long summary ", 20),
		Detail: "A name:\n  " + strings.Repeat("indented words ", 30)})
	show := func(width int) (out, err string) {
		var o, e bytes.Buffer
		text := view.TextUI{Out: &o, Err: &e, ShowHints: true, Style: view.Style{Width: width, ErrWidth: width}}
		for _, name := range slices.Sorted(maps.Keys(far)) {
			text.Plan(far[name], view.Planning)
		}
		text.Diagnostics(diags, sources())
		text.Note(strings.Repeat("a note ", 30))
		text.Hint(strings.Repeat("a hint ", 30))
		return o.String(), e.String()
	}
	piped, pipedErr := show(0)
	if n := strings.Count(piped, "quite a lot"); n != 20 || !strings.Contains(piped, strings.Repeat("quite a lot of it ", 20)) {
		t.Errorf("a line is broken without a screen:\n%s", piped)
	}
	for _, width := range []int{60, 73, 80, 100, 140} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			out, err := show(width)
			for _, line := range append(tooWide(out, width), tooWide(err, width)...) {
				t.Errorf("%d columns: %s", utf8.RuneCountInString(line), line)
			}
			if !slices.Equal(plainWords(out), plainWords(piped)) || !slices.Equal(plainWords(err), plainWords(pipedErr)) {
				t.Error("words are other than without a screen")
			}
		})
	}
}

// A change takes no more lines than Terraform takes for the same one with the official
// provider, version 0.13, so that nine of them fit one screen where Terraform's do. What
// only b2form says, hazards and where secrets go, comes on top.
func TestNoLongerThanTerraform(t *testing.T) {
	all := plans()
	for _, c := range []struct {
		name, plan string
		index      int
		terraform  int // lines, from the heading to the closing bracket
	}{
		{"a bucket is created", "create", 0, 19}, // 7 attributes, a map of 2, 2 blocks
		{"a key is created", "create", 1, 30},    // 8 attributes, 2 lists with 16 elements
		{"a bucket is updated", "update-leaf", 0, 7},
		{"a key is replaced", "replace-requested", 0, 11},
		{"a key is destroyed", "delete", 2, 15},
	} {
		change := all[c.plan].Changes[c.index]
		change.Hazards, change.DeliverTo = nil, nil
		one := &plan.Plan{Changes: []plan.Change{change}}
		var out bytes.Buffer
		view.TextUI{Out: &out}.Plan(one, view.Planning)
		_, text, _ := strings.Cut(out.String(), "following actions:\n\n")
		text, _, _ = strings.Cut(text, "\n\nPlan:")
		if n := strings.Count(text, "\n") + 1; n > c.terraform {
			t.Errorf("%s: %d lines, Terraform takes %d:\n%s", c.name, n, c.terraform, text)
		}
	}
}
