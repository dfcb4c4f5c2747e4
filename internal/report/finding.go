package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"b2form/internal/view"
	"b2form/internal/visible"
)

// A finding is a diagnostic, a broken policy or a hazard as reports for other programs tell of it.
type finding struct {
	rule        string // what sort of finding it is: the same in every run
	level       string // of SARIF: "error", "warning" or "note"
	title, text string
	path        string // from where the pipeline works, with slashes; "": about no file
	place       *view.Range
	fingerprint string // each once
}

// mostFindings is how many a report has: of a SARIF file with more, GitHub shows 5000 ("SARIF results exceed limits").
const mostFindings = 5000

// findings are errors, then warnings, then hazards, then what was found about keys.
func (r *Run) findings() (list []finding) {
	for _, severity := range []string{"error", "warning"} {
		for _, d := range r.withSeverity(severity) {
			f := finding{rule: slug(d.Summary), level: severity, title: visible.EscapeLine(d.Summary), text: d.Detail, place: d.Range}
			if d.Policy != "" {
				f.rule = "policy/" + slug(d.Policy)
			}
			list = append(list, f)
		}
	}
	for i := range r.Changes() {
		c := &r.Planned.Changes[i]
		for _, h := range c.Hazards {
			list = append(list, finding{rule: "hazard/" + h.AllowFlagValue, level: "note", title: "Hazard: " + h.Kind,
				text: c.Address + " " + h.Kind + colonAndText(h.Detail), place: c.Range})
		}
	}
	for _, k := range r.ListedKeys {
		for _, f := range k.Findings {
			list = append(list, finding{rule: "key/" + slug(f.Rule), level: "warning", title: "Key: " + visible.EscapeLine(f.Rule),
				text: k.Name + colonAndText(f.Detail)})
		}
	}
	list = list[:min(len(list), mostFindings)]
	seen := map[string]int{}
	for i := range list {
		f := &list[i]
		if f.path = r.pipelinePathIfAny(f.place); f.path == "" {
			f.place = nil
		}
		parts := []string{f.rule, f.path, f.title, f.text}
		key := strings.Join(parts, "\x00")
		seen[key]++
		f.fingerprint = fingerprint(append(parts, strconv.Itoa(seen[key]))...)
	}
	return list
}

// pipelinePathIfAny is the file of a place from where the pipeline works; "": there is none, or it is elsewhere.
func (r *Run) pipelinePathIfAny(place *view.Range) string {
	if place == nil || place.Filename == "" {
		return ""
	}
	name := path.Clean(path.Join(r.Folder, filepath.ToSlash(place.Filename)))
	if path.IsAbs(place.Filename) || name == ".." || strings.HasPrefix(name, "../") {
		return ""
	}
	return visible.EscapeTruncated(name, mostInLine)
}

// slug is a name of small letters, digits and dashes.
func slug(s string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(s) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 80 {
			break
		}
	}
	if name := strings.Trim(b.String(), "-"); name != "" {
		return name
	}
	return "diagnostic"
}

// hazardAllowFlagValues are the hazards of the changes as -allow takes them, each once, sorted.
func (r *Run) hazardAllowFlagValues() []string {
	var flags []string
	for i := range r.Changes() {
		for _, h := range r.Planned.Changes[i].Hazards {
			flags = append(flags, h.AllowFlagValue)
		}
	}
	slices.Sort(flags)
	return slices.Compact(flags)
}

// encodeJSON writes a document of texts and numbers, in which nothing is invisible.
func encodeJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("report: a document cannot be encoded: %v", err))
	}
	return visible.EscapeInvisibleInJSON(b.Bytes())
}
