package report

import (
	"net/url"
	"slices"
	"strings"
)

// The parts of SARIF 2.1.0 (OASIS Standard, errata 01) that are written.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		ColumnKind  string            `json:"columnKind"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string       `json:"id"`
		ShortDescription sarifMessage `json:"shortDescription"`
	}
	sarifInvocation struct {
		ExecutionSuccessful bool `json:"executionSuccessful"`
		ExitCode            int  `json:"exitCode"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifMessage      `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		Physical sarifPlace `json:"physicalLocation"`
	}
	sarifPlace struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndLine     int `json:"endLine,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
)

// SARIF is diagnostics, broken policies and hazards in SARIF 2.1.0, as code scanning reads it. What is
// about no file has a placeholder for its location: GitHub refuses a file in which any result has none
// (github/codeql-action#1738).
func SARIF(r *Run) []byte {
	driver := sarifDriver{Name: "b2form", Version: r.ProgramVersion, Rules: []sarifRule{}}
	results := []sarifResult{}
	for _, f := range r.findings() {
		i := slices.IndexFunc(driver.Rules, func(known sarifRule) bool { return known.ID == f.rule })
		if i < 0 {
			i = len(driver.Rules)
			driver.Rules = append(driver.Rules, sarifRule{f.rule, sarifText(f.title)})
		}
		result := sarifResult{RuleID: f.rule, RuleIndex: i, Level: f.level, Message: sarifText(f.title + colonAndText(f.text)),
			Fingerprints: map[string]string{"b2form/v1": f.fingerprint}}
		at, path := sarifRegion{StartLine: 1}, placeholderPath
		if f.place != nil {
			path = f.path
			at = sarifRegion{StartLine: max(1, f.place.Start.Line), StartColumn: f.place.Start.Column,
				EndLine: f.place.End.Line, EndColumn: f.place.End.Column}
			if at.EndLine < at.StartLine || at.StartColumn < 1 || at.EndColumn < 1 {
				at = sarifRegion{StartLine: at.StartLine}
			}
		}
		result.Locations = []sarifLocation{{sarifPlace{sarifArtifact{(&url.URL{Path: path}).String()}, at}}}
		results = append(results, result)
	}
	return encodeJSON(sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0",
		Runs: []sarifRun{{Tool: sarifTool{driver}, ColumnKind: "unicodeCodePoints", Results: results,
			Invocations: []sarifInvocation{{r.Outcome() != Failed, r.ExitCode}}}},
	})
}

// sarifText is a plain text message that is nothing but text: braces stand for arguments there, and brackets before
// parentheses for links (SARIF 2.1.0, 3.11.5 and 3.11.6).
func sarifText(s string) sarifMessage {
	s = strings.NewReplacer("{", "{{", "}", "}}", "](", "] (").Replace(truncateMessage(s))
	if s == "" {
		s = "(no text)"
	}
	return sarifMessage{s}
}
