package report_test

import (
	"strings"
	"testing"

	"b2form/internal/report"
)

const firstLine = `{"@level":"info","@message":"b2form 1.0.0","type":"version","b2form":"1.0.0","ui":"1.3"}` + "\n"

// TestReadLinesRefuses says what is wrong with what is none of ours.
func TestReadLinesRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "it is empty",
		"{}\n":                          `it does not begin as what "-json-into=FILE" writes`,
		"b2form\n":                      `line 1 is no JSON as "-json-into=FILE" writes it`,
		firstLine + "null\n[]\n":        "line 3 is no JSON",
		firstLine + `{"type":"chan`:     "line 2 is no JSON",
		firstLine + `{"changes":{"a`:    "line 2 is no JSON",
		firstLine + "{\"changes\":1}\n": "line 2 is no JSON",
		strings.Replace(firstLine, "1.3", "2.0", 1): "b2form 1.0.0 wrote it in a later format, which that version reads",
	} {
		if _, err := report.ReadJSONLines(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// FuzzReadLines draws what others wrote into a file.
func FuzzReadLines(f *testing.F) {
	f.Add(firstLine + `{"type":"planned_change","@message":"x","change":{"resource":{"addr":"a"},"action":"create",` +
		`"hazards":[{"kind":"x"}]}}`)
	f.Add(firstLine + `{"type":"change_summary","@message":"Plan: zqx","changes":{"add":-1,"operation":"zqx"}}`)
	f.Add(firstLine + `{"type":"change_summary","@message":"Apply complete! zqx","changes":{"add":1}}` + "\n" +
		`{"type":"apply_errored","hook":{"resource":{"addr":"<b>@x zqx"}}}`)
	f.Add(firstLine + `{"type":"diagnostic","diagnostic":{"severity":"error","summary":"@zqx","range":{"filename":"../zqx"}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := report.ReadJSONLines(strings.NewReader(text))
		if err != nil {
			return
		}
		markdownIsHarmless(t, report.Markdown(r, 0))
		annotationsAreHarmless(t, report.GitHubAnnotations(r))
		variablesAreHarmless(t, report.GitHubOutputs(r))
		checkSARIF(t, report.SARIF(r))
	})
}
