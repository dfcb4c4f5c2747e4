package report

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/internal/words"
)

// How many bytes of Markdown there is room for, which are never fewer than characters.
const (
	// GitHubComment is what a comment on GitHub takes: "body is too long (maximum is 65536 characters)" is what its
	// REST API answers to more.
	GitHubComment = 65_535
	// GitLabComment is what a note on GitLab takes: 1 000 000 characters ("Application limits", size of comments).
	GitLabComment = 1_000_000
	// StepSummaryBytes is what GitHub shows of a step's summary: 1 MiB ("Workflow commands", step isolation and limits).
	StepSummaryBytes = 1 << 20

	leastMarkdown = 8000 // room for the parts that are never left out
)

// Markdown is the run for people in a comment or on a page: counts, then what went wrong, what the changes may cost, and a
// part to unfold for each resource. It is never longer than limit bytes, where that is 8000 or more: what there is no
// room for is left out in whole entries, and counted. Whatever others can choose stands in code, where GitHub,
// GitLab, Gitea and Forgejo see no markup, HTML, link or mention; what it ends with is never part of that.
func Markdown(r *Run, maxBytes int) string {
	tail := ""
	if r.Digest != "" {
		tail = "Plan digest: " + truncatedCodeSpan(r.Digest) + "\n"
	}
	var b strings.Builder
	b.WriteString("### " + title(r) + "\n\n**" + Headline(r) + "**" + hazardCountText(r) + "\n")
	room := max(maxBytes, leastMarkdown) - len(tail) - b.Len() - leftOutRoom
	list := sections(r, room/4)
	shares := shareRoom(room, list)
	for i, s := range list {
		s.write(&b, shares[i])
	}
	if tail != "" {
		b.WriteString("\n" + tail)
	}
	return b.String()
}

func title(r *Run) string {
	text := "b2form " + r.Command
	if r.Folder != "" {
		text += " in " + truncatedCodeSpan(r.Folder)
	}
	if r.State != "" {
		text += " (state " + truncatedCodeSpan(r.State) + ")"
	}
	return text
}

// Headline says in a sentence how the run ended, with the counts. Nothing that others can choose is in it.
func Headline(r *Run) string {
	switch {
	case r.Done != nil:
		return r.Done.Summary
	case r.Outcome() == Failed:
		return "Failed: " + words.Count(r.errorCount(), "error", "errors") + "."
	case len(r.Changes()) > 0:
		return r.Planned.Summary
	case r.OutputsDiff != "":
		return "No changes of objects; outputs change."
	case r.StateDiff != "":
		return "No changes of objects; what the state records changes."
	case len(r.Drift) > 0 || r.Command == "drift":
		return r.driftCounts().Summary()
	case r.ListedKeys != nil:
		return words.Count(len(r.ListedKeys), "live key", "live keys") + fmt.Sprintf(", %d with findings.", r.keysWithFindingsCount())
	case r.Planned != nil:
		return "No changes."
	}
	return "Success: " + words.Count(len(r.withSeverity("warning")), "warning", "warnings") + "."
}

func (r *Run) driftCounts() (n view.DriftCounts) {
	for _, d := range r.Drift {
		switch d.Type {
		case DriftGone:
			n.Gone++
		case DriftUnmanaged:
			n.Unmanaged++
		default:
			n.Differing++
		}
	}
	return n
}

func (r *Run) keysWithFindingsCount() (n int) {
	for _, k := range r.ListedKeys {
		if len(k.Findings) > 0 {
			n++
		}
	}
	return n
}

func hazardCountText(r *Run) string {
	if n := r.HazardCount(); n > 0 {
		return " **" + words.Count(n, "hazard", "hazards") + ".**"
	}
	return ""
}

// A section is entries under a heading.
type section struct {
	heading          string
	singular, plural string // of what the entries are
	intro            string
	entries          []string
}

// sections are what there is to say, the most important first. maxDiffBytes is how long a diff may be.
func sections(r *Run, maxDiffBytes int) []section {
	changedOutside, unmanaged := r.splitDrift()
	out := []section{
		{heading: "Errors", singular: "error", plural: "errors", entries: diagnosticEntries(r.withSeverity("error"))},
		{heading: "Not done", singular: "resource", plural: "resources", entries: notDoneEntries(r.Done)},
		{heading: "Hazards", singular: "hazard", plural: "hazards", entries: hazardEntries(r.Changes())},
		{heading: "Changed outside of b2form", singular: "object", plural: "objects",
			entries: driftEntries(changedOutside, maxDiffBytes)},
		{heading: "Not managed", singular: "object", plural: "objects", intro: managedCountText(r.ManagedCountTexts),
			entries: driftEntries(unmanaged, maxDiffBytes)},
		{heading: "Changes", singular: "resource", plural: "resources", entries: changeEntries(r.Changes(), maxDiffBytes)},
		{heading: "Changes to outputs", singular: "list of changed outputs", plural: "",
			entries: diffEntryOrOmission(r.OutputsDiff, maxDiffBytes)},
		{heading: "Changes to the state", singular: "list of changed records", plural: "",
			entries: diffEntryOrOmission(r.StateDiff, maxDiffBytes)},
		{heading: "Checks", singular: "check", plural: "checks", entries: checkEntries(r.Checks)},
		{heading: "Keys", singular: "key", plural: "keys", entries: keyEntries(r.ListedKeys)},
		{heading: "Exceptions from policies", singular: "exception", plural: "exceptions", entries: exceptionEntries(r.Exceptions)},
		{heading: "Warnings", singular: "warning", plural: "warnings", entries: diagnosticEntries(r.withSeverity("warning"))},
	}
	if r.Planned != nil {
		out = append(out, section{heading: "Left out of this plan", singular: "resource", plural: "resources",
			entries: codeItems(r.Planned.LeftOut)})
	}
	return out
}

// leftOutRoom is what headings and the sentences about what is left out take.
const leftOutRoom = 13 * 200

// shareRoom gives each section as much room as it takes, as long as the others have theirs: what one leaves, the others
// get.
func shareRoom(roomBytes int, list []section) (sizes []int) {
	sizes = make([]int, len(list))
	bySize := make([]int, len(list))
	for i, s := range list {
		bySize[i] = i
		for _, e := range s.entries {
			sizes[i] += len(e)
		}
	}
	slices.SortStableFunc(bySize, func(a, b int) int { return sizes[a] - sizes[b] })
	for n, i := range bySize {
		sizes[i] = min(sizes[i], roomBytes/(len(list)-n))
		roomBytes -= sizes[i]
	}
	return sizes
}

// write writes as many entries as there is room for, from the first on, and says how many are left out.
func (s section) write(b *strings.Builder, roomBytes int) {
	if len(s.entries) == 0 && s.intro == "" {
		return
	}
	b.WriteString("\n#### " + s.heading + "\n\n")
	if s.intro != "" {
		b.WriteString(s.intro + "\n")
	}
	for i, e := range s.entries {
		if roomBytes -= len(e); roomBytes < 0 {
			fmt.Fprintf(b, "\n_%s left out here: there is no room._\n", words.Count(len(s.entries)-i, s.singular, s.plural))
			return
		}
		b.WriteString(e)
	}
}

func diagnosticEntries(list []view.Diagnostic) (out []string) {
	for _, d := range list {
		text := truncatedCodeSpan(d.Summary)
		if d.Address != "" {
			text += " of " + truncatedCodeSpan(d.Address)
		}
		if d.Range != nil {
			text += " in " + truncatedCodeSpan(fmt.Sprintf("%s:%d", d.Range.Filename, d.Range.Start.Line))
		}
		out = append(out, text+"\n\n"+fence("text", d.Detail)+"\n")
	}
	return out
}

func notDoneEntries(d *ApplyResult) (out []string) {
	if d == nil {
		return nil
	}
	for _, a := range d.Failed {
		out = append(out, "- "+truncatedCodeSpan(a)+" failed\n")
	}
	for _, a := range d.Unfinished {
		out = append(out, "- "+truncatedCodeSpan(a)+" was not begun, or not finished\n")
	}
	return out
}

func hazardEntries(changes []Change) (out []string) {
	for _, c := range changes {
		for _, h := range c.Hazards {
			text := "- **" + h.Kind + "** " + truncatedCodeSpan(c.Address)
			if h.Detail != "" {
				text += ": " + truncatedCodeSpan(h.Detail)
			}
			out = append(out, text+"\n")
		}
	}
	return out
}

func driftEntries(list []Drift, maxDiffBytes int) (out []string) {
	for _, d := range list {
		if d.Diff == "" {
			out = append(out, "- "+truncatedCodeSpan(d.Text)+"\n")
			continue
		}
		out = append(out, details(d.Text, strings.Join(diffEntryOrOmission(d.Diff, maxDiffBytes), "")))
	}
	return out
}

func managedCountText(list []string) (text string) {
	for _, c := range list {
		text += "- " + truncatedCodeSpan(c) + "\n"
	}
	return text
}

func changeEntries(changes []Change, maxDiffBytes int) (out []string) {
	for _, c := range changes {
		body := ""
		for _, remark := range c.Remarks {
			body += "- " + truncatedCodeSpan(remark) + "\n"
		}
		for _, h := range c.Hazards {
			body += "- **" + h.Kind + "**\n"
		}
		switch {
		case c.Diff != "":
			body += "\n" + strings.Join(diffEntryOrOmission(c.Diff, maxDiffBytes), "")
		case len(c.Fields) > 0: // of JSON lines, which hold no values
			body += "- differs in " + truncatedCodeSpan(strings.Join(c.Fields, ", ")) + "\n"
		}
		out = append(out, details(strings.TrimSpace(c.Symbol+" "+c.Heading), body))
	}
	return out
}

// diffEntryOrOmission is a diff in a block, or a word about one that is too long; nothing for none.
func diffEntryOrOmission(diff string, maxBytes int) []string {
	switch {
	case diff == "":
		return nil
	case len(diff) > maxBytes:
		return []string{fmt.Sprintf("_The difference is not shown here: it has %d lines._\n", strings.Count(diff, "\n"))}
	}
	return []string{fence("diff", diff)}
}

func checkEntries(list []Check) (out []string) {
	for _, c := range list {
		word := "passed"
		switch {
		case c.Failed:
			word = "**failed**"
		case c.Unknown:
			word = "not known before apply"
		}
		text := "- " + truncatedCodeSpan(c.Name) + " " + word
		for _, said := range c.Messages {
			text += ": " + truncatedCodeSpan(truncateToLine(said))
		}
		out = append(out, text+"\n")
	}
	return out
}

func keyEntries(list []Key) (out []string) {
	for _, k := range list {
		text := "- " + truncatedCodeSpan(k.Name)
		for _, cell := range []struct{ label, text string }{{"", k.Owner}, {"may ", k.Capabilities}, {"in ", k.BucketsAndPrefix},
			{"ends ", k.Expiry}} {
			if cell.text != "" {
				text += ", " + cell.label + truncatedCodeSpan(cell.text)
			}
		}
		for _, f := range k.Findings {
			text += "\n  - " + truncatedCodeSpan(f.Rule+colonAndText(f.Detail))
		}
		out = append(out, text+"\n")
	}
	return out
}

func exceptionEntries(list []Exception) (out []string) {
	for _, x := range list {
		out = append(out, "- "+truncatedCodeSpan(x.Address)+" from "+truncatedCodeSpan(x.Policy)+": "+truncatedCodeSpan(x.Reason)+"\n")
	}
	return out
}

func codeItems(list []string) (out []string) {
	for _, s := range list {
		out = append(out, "- "+truncatedCodeSpan(s)+"\n")
	}
	return out
}

// mostInLine is how many characters of a text stand in a line.
const mostInLine = 500

// truncatedCodeSpan is a text as inline code, in one line. Neither markup nor references to people and issues count in
// it (CommonMark 0.31, code spans).
func truncatedCodeSpan(s string) string {
	s = visible.EscapeTruncated(s, mostInLine)
	if s == "" {
		return "(empty)"
	}
	around := strings.Repeat("`", longestBacktickRun(s)+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.Trim(s, " ") == "" ||
		strings.HasPrefix(s, " ") && strings.HasSuffix(s, " ") {
		s = " " + s + " " // one is taken off on each side
	}
	return around + s + around
}

// fence is a text as a block of code, which only a line of as many backticks ends.
func fence(language, text string) string {
	text = strings.TrimRight(visible.EscapeLines(text), "\n")
	around := strings.Repeat("`", max(3, longestBacktickRun(text)+1))
	return around + language + "\n" + text + "\n" + around + "\n"
}

// longestBacktickRun is how many backticks stand in a row.
func longestBacktickRun(s string) (longest int) {
	run := 0
	for i := range len(s) {
		if s[i] != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// details is what can be unfolded. The line of the summary is HTML, in which there is no Markdown.
func details(summary, body string) string {
	return "<details><summary><code>" + html.EscapeString(visible.EscapeTruncated(summary, mostInLine)) + "</code></summary>\n\n" +
		body + "\n</details>\n\n"
}
