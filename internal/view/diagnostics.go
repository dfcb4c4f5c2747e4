package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcled"

	"b2form/internal/visible"
	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
)

// Diagnostics writes errors and warnings as boxes: what is wrong, where in
// which file, what to do. Many alike become one with a count.
func (t TextUI) Diagnostics(diags hcl.Diagnostics, files map[string]*hcl.File) {
	var b strings.Builder
	groups := groupAlike(diags)
	if t.CompactWarnings && len(diags) > 0 && !diags.HasErrors() {
		t.writeWarningSummaries(&b, groups)
	} else {
		for _, g := range groups {
			t.writeDiagnosticGroup(&b, g, files)
		}
	}
	io.WriteString(t.Err, b.String())
}

// writeWarningSummaries writes what warnings are about, and where the first of each stands.
func (t TextUI) writeWarningSummaries(b *strings.Builder, groups []diagGroup) {
	b.WriteString(t.Style.paint("Warnings:", bold, yellow) + "\n\n")
	for _, g := range groups {
		text := "- " + visible.EscapeLine(g.Summary)
		if g.Subject != nil {
			text += fmt.Sprintf("\n  on %s line %d", visible.EscapeLine(g.Subject.Filename), g.Subject.Start.Line)
		}
		if n := len(g.similar); n > 0 {
			text += fmt.Sprintf(" (and %d more)", n)
		}
		b.WriteString(Wrap(text, t.Style.ErrWidth) + "\n")
	}
	b.WriteString("\n" + Wrap("To see the full warning notes, run b2form without -compact-warnings.", t.Style.ErrWidth) + "\n\n")
}

// A diagGroup is one diagnostic that stands for further ones of its kind.
type diagGroup struct {
	*hcl.Diagnostic
	similar []*hcl.Diagnostic
}

// shownMessages is how many messages of one condition are shown, each with all the instances that it is about.
const shownMessages = 5

// groupAlike keeps the order and folds what has one severity and summary: warnings, errors of one cause or about instances of
// one block, and other errors where there are many.
func groupAlike(diags hcl.Diagnostics) []diagGroup {
	type key struct {
		severity        hcl.DiagnosticSeverity
		summary, policy string
	}
	type blockKey struct {
		key
		at hcl.Range
		of addr.Addr // instead, where the block is gone
		// What the author of a condition says, without the instance; "": where they say more than is shown of one block.
		message string
	}
	keyOf := func(d *hcl.Diagnostic) key {
		_, policy, _ := addressAndPolicyOf(d)
		return key{d.Severity, d.Summary, policy}
	}
	var out []diagGroup
	seen, ofBlock := map[key][]int{}, map[blockKey]int{}
	count := map[key]int{}
	messages := map[blockKey]int{}
	for _, d := range diags {
		count[keyOf(d)]++
	}
	for _, d := range diags {
		_, own := d.Extra.(config.UserMessageExtra)
		k := keyOf(d)
		about, _, isShared := addressAndPolicyOf(d)
		block := blockKey{key: k}
		if of, ok := d.Extra.(addr.Addr); d.Subject != nil && about != "" {
			block.at = *d.Subject
		} else if ok {
			block.of = of.WithoutKey()
		}
		wholeBlock := block
		if own && about != "" && messages[block] < shownMessages {
			block.message = strings.ReplaceAll(d.Detail, about, "")
		}
		if i, ok := ofBlock[block]; ok {
			out[i].similar = append(out[i].similar, d)
			continue
		}
		limit := count[k]
		switch {
		case own:
		case isShared || d.Severity == hcl.DiagWarning:
			limit = 1
		case limit >= manyAlike:
			limit = shownAlike
		}
		if places := seen[k]; len(places) >= limit {
			last := places[len(places)-1]
			out[last].similar = append(out[last].similar, d)
			continue
		}
		seen[k] = append(seen[k], len(out))
		if block != (blockKey{key: k}) {
			ofBlock[block] = len(out)
			messages[wholeBlock]++
		}
		out = append(out, diagGroup{Diagnostic: d})
	}
	return out
}

func (t TextUI) writeDiagnosticGroup(b *strings.Builder, g diagGroup, files map[string]*hcl.File) {
	_, ink := g.severityWordAndInk()
	b.WriteString(t.Style.paint("╷", ink) + "\n")
	bar := t.Style.paint("│", ink)
	for _, s := range t.groupLines(g, files) {
		b.WriteString(strings.TrimRight(bar+" "+s, " ") + "\n")
	}
	b.WriteString(t.Style.paint("╵", ink) + "\n")
}

func (g diagGroup) severityWordAndInk() (word string, ink sgr) {
	if g.Severity == hcl.DiagWarning {
		return "Warning", yellow
	}
	return "Error", red
}

// groupLines are what stands in the box of a group.
func (t TextUI) groupLines(g diagGroup, files map[string]*hcl.File) (out []string) {
	word, ink := g.severityWordAndInk()
	for i, s := range wrapLines(visible.EscapeLines(g.Summary), t.boxWidthOrZero(len(word)+2)) {
		if i == 0 {
			s = t.Style.paint(word+": ", bold, ink) + t.Style.paint(s, bold)
		}
		out = append(out, s)
	}
	if g.Subject != nil {
		out = append(append(out, ""), t.sourceLines(g.Diagnostic, files)...)
	}
	if g.Detail != "" {
		out = append(append(out, ""), wrapLines(escapedTruncatedDetail(g.Diagnostic), t.boxWidthOrZero(0))...)
	}
	if len(g.similar) > 0 {
		out = append(append(out, ""), wrapLines(similarText(g.similar, word), t.boxWidthOrZero(0))...)
	}
	return out
}

// DiagnosticsText is what [TextUI.Diagnostics] writes, without boxes, colours and line breaks of its own: for what
// programs show. An empty line stands between two diagnostics.
func DiagnosticsText(diags hcl.Diagnostics, files map[string]*hcl.File) string {
	var all []string
	for _, g := range groupAlike(diags) {
		all = append(all, strings.Join(TextUI{}.groupLines(g, files), "\n")+"\n")
	}
	return strings.Join(all, "\n")
}

// mostDetail is how many bytes of a detail are shown: messages of functions repeat what they
// were given, which may be of any size.
const mostDetail = 10_000

func escapedTruncatedDetail(d *hcl.Diagnostic) string {
	detail := d.Detail
	if len(detail) > mostDetail {
		detail = strings.ToValidUTF8(detail[:mostDetail], "") + "…"
	}
	return visible.EscapeLines(detail)
}

// maxSimilarDiagsNamed is how many similar diagnostics are named.
const maxSimilarDiagsNamed = 10

// similarText says how many more there are, and of what or where.
func similarText(more []*hcl.Diagnostic, severityWord string) string {
	text := "(and " + words.Count(len(more), "similar "+strings.ToLower(severityWord), "similar "+strings.ToLower(severityWord)+"s")
	var names []string
	seen := map[string]bool{"": true}
	for _, d := range more {
		name := ""
		if about, _, _ := addressAndPolicyOf(d); about != "" {
			name = about
		} else if d.Subject != nil {
			name = fmt.Sprintf("%s:%d", visible.EscapeLine(d.Subject.Filename), d.Subject.Start.Line)
		}
		if !seen[name] {
			names = append(names, name)
		}
		seen[name] = true
	}
	if len(names) > 0 {
		text += ": " + words.JoinAtMost(names, maxSimilarDiagsNamed)
	}
	return text + ")"
}

// sourceLines is where the diagnostic lies: file, line, block, and the line itself
// with the subject underlined.
func (t TextUI) sourceLines(d *hcl.Diagnostic, files map[string]*hcl.File) []string {
	where := fmt.Sprintf("  on %s line %d", visible.EscapeLine(d.Subject.Filename), d.Subject.Start.Line)
	file := files[d.Subject.Filename]
	if file == nil {
		return []string{where}
	}
	if in := hcled.ContextString(file, d.Subject.Start.Byte); in != "" {
		where += ", in " + visible.EscapeLine(in)
	}
	s := newSnippet(d, file)
	if s == nil {
		return []string{where + ":"}
	}
	out := []string{where + ":"}
	for i, text := range s.lines {
		number := fmt.Sprintf("%4d: ", s.firstLine+i)
		before, marked, after := s.splitMarked(i)
		if marked == "" {
			before, marked, after = "", "", text
		}
		before, marked, after = t.cutAroundMarked(before, marked, after)
		if marked == "" {
			out = append(out, number+before+after)
			continue
		}
		out = append(out, number+before+t.Style.paint(marked, underline)+after)
		if !t.Style.Color {
			out = append(out, strings.Repeat(" ", len(number))+blankExceptTabs(before)+strings.Repeat("^", max(1, displayWidth(marked))))
		}
	}
	if s.hidesText {
		out = append(out, wrapLine("  "+hiddenTextNote, t.boxWidthOrZero(0), "  ")...)
	}
	return out
}

// boxWidthOrZero is how many columns a box leaves, less so many; 0: lines are not broken.
func (t TextUI) boxWidthOrZero(less int) int {
	if t.Style.ErrWidth == 0 {
		return 0
	}
	return t.Style.ErrWidth - 2 - less
}

// maxSnippetPart is how much of a line is shown on each side of what is marked:
// generated files have lines without end.
const maxSnippetPart = 200

// cutAroundMarked takes from a line of source what there is room for, around what is marked.
func (t TextUI) cutAroundMarked(before, marked, after string) (shownBefore, shownMarked, shownAfter string) {
	before, marked, after = truncateStart(before, maxSnippetPart), truncateEnd(marked, maxSnippetPart), truncateEnd(after, maxSnippetPart)
	room := t.boxWidthOrZero(len("1234: "))
	if room == 0 || displayWidth(before)+displayWidth(marked)+displayWidth(after) <= room {
		return before, marked, after
	}
	marked = truncateEnd(marked, room)
	before = truncateStart(before, room-displayWidth(marked))
	return before, marked, truncateEnd(after, room-displayWidth(marked)-displayWidth(before))
}

func truncateEnd(s string, maxRunes int) string {
	if r := []rune(s); len(r) > maxRunes {
		return string(r[:max(0, maxRunes-1)]) + "…"[:min(maxRunes, 1)*len("…")]
	}
	return s
}

// truncateMiddle keeps both ends: names that begin alike differ in the other.
func truncateMiddle(s string, maxRunes int) string {
	r := []rune(s)
	if len(r) <= maxRunes {
		return s
	}
	kept := max(0, maxRunes-1)
	return string(r[:(kept+1)/2]) + "…" + string(r[len(r)-kept/2:])
}

func truncateStart(s string, maxRunes int) string {
	if r := []rune(s); len(r) > maxRunes {
		return "…"[:min(maxRunes, 1)*len("…")] + string(r[len(r)-max(0, maxRunes-1):])
	}
	return s
}

// blankExceptTabs replaces everything but tabs by spaces, so that what follows stands
// below what followed.
func blankExceptTabs(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, s)
}
