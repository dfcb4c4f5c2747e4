package report

import (
	"fmt"
	"strconv"
	"strings"

	"b2form/internal/view"
	"b2form/internal/visible"
	"b2form/internal/words"
)

// mostAnnotationsPerLevel is how many annotations of each level GitHub keeps of one step ("Troubleshooting workflows", usage
// limits: 10 warning, 10 error and 10 notice annotations per step).
const mostAnnotationsPerLevel = 10

// An annotation is one remark beside the source.
type annotation struct {
	level, title, message string
	place                 *view.Range
}

// annotations are the diagnostics, and a notice for each hazard, the most severe first.
func (r *Run) annotations() (list []annotation) {
	for _, severity := range []string{"error", "warning"} {
		for _, d := range r.withSeverity(severity) {
			list = append(list, annotation{severity, d.Summary, d.Detail, d.Range})
		}
	}
	for i := range r.Changes() {
		c := &r.Planned.Changes[i]
		for _, h := range c.Hazards {
			list = append(list, annotation{"notice", "Hazard: " + h.Kind, c.Address + " " + h.Kind + colonAndText(h.Detail), c.Range})
		}
	}
	return list
}

// colonAndText is a text behind a colon; nothing for none.
func colonAndText(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

// GitHubAnnotations are the lines that make a step of GitHub Actions show diagnostics and hazards beside the source
// ("Workflow commands for GitHub Actions": ::error file={name},line={line},endLine={endLine},title={title}::{message}).
func GitHubAnnotations(r *Run) string {
	var b strings.Builder
	shown := map[string]int{}
	for _, a := range r.annotations() {
		if shown[a.level]++; shown[a.level] > mostAnnotationsPerLevel {
			continue
		}
		var properties []string
		set := func(name, value string) { properties = append(properties, name+"="+githubProperties.Replace(value)) }
		if file := r.pipelinePathIfAny(a.place); file != "" {
			set("file", file)
			set("line", strconv.Itoa(a.place.Start.Line))
			set("endLine", strconv.Itoa(a.place.End.Line))
		}
		set("title", visible.EscapeTruncated(a.title, mostInLine))
		message := visible.EscapeLines(truncateMessage(a.message))
		if message == "" {
			message = a.title
		}
		fmt.Fprintf(&b, "::%s %s::%s\n", a.level, strings.Join(properties, ","), githubData.Replace(message))
	}
	return b.String()
}

// truncateMessage is as much of a message as an annotation or a report carries.
func truncateMessage(s string) string {
	const maxBytes = 10_000
	if len(s) <= maxBytes {
		return s
	}
	return strings.ToValidUTF8(s[:maxBytes], "") + "…"
}

// What a command would end at, in its data and in a property (actions/toolkit, core/src/command.ts).
var (
	githubData       = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperties = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// GitHubMask is the line that has a runner hide a secret in the log from then on ("Workflow commands for GitHub Actions",
// masking a value in a log). The runners of Forgejo and Gitea know it too.
func GitHubMask(secret string) string { return "::add-mask::" + githubData.Replace(secret) + "\n" }

// GitHubSummary is the Markdown of a step's summary. It counts what has no annotation.
func GitHubSummary(r *Run) string {
	count := map[string]int{}
	for _, a := range r.annotations() {
		count[a.level]++
	}
	var more []string
	for _, level := range []string{"error", "warning", "notice"} {
		if n := count[level] - mostAnnotationsPerLevel; n > 0 {
			more = append(more, words.Count(n, level, level+"s"))
		}
	}
	text := ""
	if len(more) > 0 {
		text = "\n_Without annotation, since GitHub shows " + strconv.Itoa(mostAnnotationsPerLevel) + " of each level: " +
			words.JoinAnd(more) +
			"._\n"
	}
	return Markdown(r, StepSummaryBytes-len(text)) + text
}

// A PipelineVariable is one result of a run for later steps of a pipeline. Its value has one line.
type PipelineVariable struct{ Name, Value string }

// PipelineVariables are the results of a run. hazards are the spellings of -allow, each once.
func PipelineVariables(r *Run) []PipelineVariable {
	n := r.DoneOrPlannedCounts()
	return []PipelineVariable{
		{"changes", strconv.FormatBool(len(r.Changes()) > 0 || r.OutputsDiff != "" || r.StateDiff != "" || len(r.Drift) > 0)},
		{"outcome", string(r.Outcome())},
		{"import", strconv.Itoa(n.Import)}, {"add", strconv.Itoa(n.Add)}, {"change", strconv.Itoa(n.Change)},
		{"destroy", strconv.Itoa(n.Destroy)}, {"forget", strconv.Itoa(n.Forget)},
		{"hazards", strings.Join(r.hazardAllowFlagValues(), ",")},
		{"digest", visible.EscapeLine(r.Digest)},
		{"exitcode", strconv.Itoa(r.ExitCode)},
	}
}

// GitHubOutputs is what GITHUB_OUTPUT takes: a name and a value a line.
func GitHubOutputs(r *Run) string {
	var b strings.Builder
	for _, v := range PipelineVariables(r) {
		b.WriteString(v.Name + "=" + v.Value + "\n")
	}
	return b.String()
}
