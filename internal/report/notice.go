package report

import (
	"encoding/json"
	"fmt"
	"strings"

	"b2form/internal/visible"
	"b2form/internal/words"
)

// A Notice is what somebody is told of a run who is not looking at it: a sentence, and what it may cost.
type Notice struct {
	FormatVersion  string         `json:"format_version"`
	ProgramVersion string         `json:"b2form_version"`
	Command        string         `json:"command"`
	Folder         string         `json:"folder"`
	State          string         `json:"state"` // of several that the folder may have; "": it has one
	Outcome        Outcome        `json:"outcome"`
	Headline       string         `json:"headline"`
	Counts         noticeCounts   `json:"changes"`
	FirstHazards   []noticeHazard `json:"hazards"` // at most 50
	FirstErrors    []string       `json:"errors"`  // at most 10, each in a line
	HazardCount    int            `json:"hazard_count"`
	ErrorCount     int            `json:"error_count"`
	DriftCount     int            `json:"drift_count"`     // objects that are not as b2form left them
	UnmanagedCount int            `json:"unmanaged_count"` // objects that are not declared here
	Digest         string         `json:"digest"`
	ExitCode       int            `json:"exit_code"`
	JobURL         string         `json:"job_url"` // of the job in the pipeline; "": not known
}

type noticeCounts struct {
	Import  int `json:"import"`
	Add     int `json:"add"`
	Change  int `json:"change"`
	Destroy int `json:"remove"`
	Forget  int `json:"forget"`
}

type noticeHazard struct {
	Address        string `json:"addr"`
	AllowFlagValue string `json:"hazard"` // as -allow takes it
	Detail         string `json:"detail"`
}

// How many are told of in a notice.
const (
	mostNoticeHazards = 50
	mostNoticeErrors  = 10
)

// NewNotice puts a run into a notice. jobURL is where the job is shown.
func NewNotice(r *Run, jobURL string) Notice {
	n := r.DoneOrPlannedCounts()
	changedOutside, unmanaged := r.splitDrift()
	notice := Notice{FormatVersion: "1.2", ProgramVersion: r.ProgramVersion, Command: r.Command,
		Folder: visible.EscapeTruncated(r.Folder, mostInLine), State: visible.EscapeTruncated(r.State, mostInLine),
		Outcome: r.Outcome(), Headline: Headline(r), Counts: noticeCounts{n.Import, n.Add, n.Change, n.Destroy, n.Forget},
		FirstHazards: []noticeHazard{}, FirstErrors: []string{}, HazardCount: r.HazardCount(), ErrorCount: r.errorCount(),
		DriftCount: len(changedOutside), UnmanagedCount: len(unmanaged),
		Digest: visible.EscapeLine(r.Digest), ExitCode: r.ExitCode, JobURL: visible.EscapeTruncated(jobURL, mostInLine)}
	for _, c := range r.Changes() {
		for _, h := range c.Hazards {
			if len(notice.FirstHazards) < mostNoticeHazards {
				notice.FirstHazards = append(notice.FirstHazards,
					noticeHazard{visible.EscapeTruncated(c.Address, mostInLine), h.AllowFlagValue,
						visible.EscapeTruncated(h.Detail, mostInLine)})
			}
		}
	}
	for _, d := range r.withSeverity("error") {
		if len(notice.FirstErrors) < mostNoticeErrors {
			notice.FirstErrors = append(notice.FirstErrors, visible.EscapeTruncated(d.Summary, mostInLine))
		}
	}
	return notice
}

// JSON is the notice as one document.
func (n Notice) JSON() []byte { return encodeJSON(n) }

// Title is the notice in a few words, in which nothing is that others can choose.
func (n Notice) Title() string { return "b2form " + n.Command + ": " + string(n.Outcome) }

// Text is the notice for people, in at most so many bytes.
func (n Notice) Text(maxBytes int) string {
	lines := []string{n.Headline}
	for _, where := range []string{n.State, n.Folder} {
		if where != "" {
			lines[0] = where + ": " + lines[0]
		}
	}
	for _, text := range n.FirstErrors {
		lines = append(lines, "Error: "+text)
	}
	for _, h := range n.FirstHazards {
		lines = append(lines, h.AllowFlagValue+": "+h.Address+colonAndText(h.Detail))
	}
	link := ""
	if n.JobURL != "" {
		link = "\n" + n.JobURL
	}
	text := ""
	for i, l := range lines {
		if len(text)+len(l) > maxBytes-len(link)-40 {
			text += "\n(" + words.Count(len(lines)-i, "line", "lines") + " left out)"
			break
		}
		text += "\n" + l
	}
	return strings.TrimPrefix(text, "\n") + link
}

// slackText is how much of a message Slack shows in one piece ("Formatting text for app surfaces": at most 4,000
// characters are recommended).
const slackText = 3500

// Slack is the notice for an incoming webhook of Slack, and of what imitates it. "&", "<" and ">" begin references to
// people, channels and links there ("Formatting text": escaping text), and are escaped; nothing else is formatted.
func (n Notice) Slack() []byte {
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(n.Title() + "\n" + n.Text(slackText/2))
	text, err := json.Marshal(map[string]any{"text": escaped, "mrkdwn": false, "unfurl_links": false, "unfurl_media": false})
	if err != nil {
		panic(fmt.Sprintf("report: a message cannot be encoded: %v", err))
	}
	return visible.EscapeInvisibleInJSON(text)
}
