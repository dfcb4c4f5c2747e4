package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"b2form/internal/visible"
)

// A codeQualityIssue is one finding as GitLab reads it ("Code Quality", code quality report format).
type codeQualityIssue struct {
	Description string              `json:"description"`
	CheckName   string              `json:"check_name"`
	Fingerprint string              `json:"fingerprint"` // each once in a report
	Severity    string              `json:"severity"`    // info, minor, major, critical or blocker
	Location    codeQualityLocation `json:"location"`
}

type codeQualityLocation struct {
	Path  string           `json:"path"` // relative to the repository, without ./ in front
	Lines codeQualityLines `json:"lines"`
}

type codeQualityLines struct {
	Begin int `json:"begin"`
}

// GitLabCodeQuality is the report for artifacts:reports:codequality: diagnostics and hazards.
func GitLabCodeQuality(r *Run) []byte {
	issues := []codeQualityIssue{}
	for _, f := range r.findings() {
		i := codeQualityIssue{Description: truncateToLine(f.title + colonAndText(f.text)), CheckName: f.rule, Fingerprint: f.fingerprint,
			Severity: map[string]string{"error": "critical", "warning": "minor", "note": "major"}[f.level],
			Location: codeQualityLocation{Path: f.path, Lines: codeQualityLines{1}}}
		if f.path == "" {
			i.Location.Path = placeholderPath
		}
		if f.place != nil {
			i.Location.Lines.Begin = max(1, f.place.Start.Line)
		}
		issues = append(issues, i)
	}
	return encodeJSON(issues)
}

// placeholderPath is where what is about no file is shown: GitLab wants a path.
const placeholderPath = "b2form"

// truncateToLine is a text in one line.
func truncateToLine(s string) string {
	return visible.EscapeLine(strings.Join(strings.Fields(truncateMessage(s)), " "))
}

// GitLabTerraform is the report for artifacts:reports:terraform, which the widget of a merge request reads ("Terraform
// integration in merge requests": create, update and delete, each a number).
func GitLabTerraform(r *Run) []byte {
	n := r.DoneOrPlannedCounts()
	return encodeJSON(map[string]int{"create": n.Add, "update": n.Change, "delete": n.Destroy})
}

// Dotenv is the report for artifacts:reports:dotenv: B2FORM_ADD=1. GitLab reads no quotes, no blank lines and no
// comments there.
func Dotenv(r *Run) string {
	var b strings.Builder
	for _, v := range PipelineVariables(r) {
		b.WriteString("B2FORM_" + strings.ToUpper(v.Name) + "=" + v.Value + "\n")
	}
	return b.String()
}

// GitLabSection puts a text into a section of the job log that is folded ("CI/CD job logs", custom collapsible
// sections). The name has letters, digits, _, . and - only.
func GitLabSection(unixSeconds int64, name, header, text string) string {
	return fmt.Sprintf("\x1b[0Ksection_start:%d:%s[collapsed=true]\r\x1b[0K%s\n%s\x1b[0Ksection_end:%d:%s\r\x1b[0K\n",
		unixSeconds, name, header, text, unixSeconds, name)
}

// GitHubGroup puts a text into a group of the job log that is folded ("Workflow commands for GitHub Actions", grouping
// log lines). The pages of Forgejo and Gitea fold it too.
func GitHubGroup(header, text string) string {
	return "::group::" + header + "\n" + text + "::endgroup::\n"
}

// fingerprint stands for a finding.
func fingerprint(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}
