package report_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"

	"b2form/internal/report"
	"b2form/plan"
)

// mark stands in every hostile text, and in nothing that b2form says by itself.
const mark = "zqx"

// hostile are texts that would be more than text in one of the faces.
func hostile() []string {
	return []string{
		"plain", "", " ", "`", "``` x", "a\n```\n<script>alert(1)</script>\n", "~~~", strings.Repeat("`", 40),
		"</code></summary></details>",
		"<img src=x onerror=alert(1)>", "<!-- b2form -->", "-->", "@octocat", "@org/team", "#1", "owner/repo#1", "GH-1", "!23", "&1",
		"~label",
		"[a](https://example.com)", "![a](https://example.com/x.png)", "https://example.com", "www.example.com", "a@example.com",
		"<https://example.com>", "*a* _b_ ~~c~~ **d**", "| a | b |\n|---|---|\n| c | d |", "- [ ] x", "# heading", "> quote",
		"\n/close\n/merge",
		":tada:", "$`a`$", "$$x$$", "\\", "a\\`b", "&lt;b&gt; &#64; &amp;", "]]>", "<![CDATA[", "a\n::stop-commands::tok", "::error::x",
		"a%0A::error::x", "%25", "a,b:c=d", "a\r::error::x", "##[error]x", "section_start:1:x\r\x1b[0K", "\x1b[31m", "\x00\x07\x7f",
		"\u202egnp.exe", "a\u2028b", "\xff\xfe", "<!channel> <@U123> <https://e.com|x>", "{0} {{1}} [a](1) [a](sarif:/runs/0)", "a=b\nB=c",
		"EOF",
		"../../etc/passwd", "/etc/passwd", `C:\x\y`, "a b.hcl", strings.Repeat("long ", 5000), strings.Repeat("\n", 3000),
	}
}

// filled puts s into every text of what v points to, except those that only b2form chooses.
func filled(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			filled(v.Elem(), s)
		}
	case reflect.Slice:
		for i := range v.Len() {
			filled(v.Index(i), s)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			switch v.Type().Field(i).Name {
			case "Command", "Version", "Summary", "Kind", "AllowFlagValue", "Symbol", "Action", "Severity":
				if v.Type().Name() != "Diagnostic" || v.Type().Field(i).Name != "Summary" {
					continue
				}
			}
			filled(v.Field(i), s)
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() && v.CanSet() {
			v.SetString(s)
		}
	}
}

// hostileRuns are all runs of the tests with the text wherever one can be.
func hostileRuns(s string) map[string]*report.Run {
	all := runs()
	for _, r := range all {
		filled(reflect.ValueOf(r), s+" "+mark+" "+s)
	}
	return all
}

// harmless fails where a text would drive a terminal or a CI system, but for lines that b2form means.
func harmless(t *testing.T, from, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s is no UTF-8: %q", from, text)
	}
	for _, r := range text {
		if r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			t.Errorf("%s has %U: %q", from, r, text)
			return
		}
	}
	if m := regexp.MustCompile(`(?im)^[\s\p{Z}]*(::|section_)|##(vso|teamcity)?\[`).FindString(text); m != "" {
		t.Errorf("%s has the command %q", from, m)
	}
}

func TestFacesAreHarmless(t *testing.T) {
	for _, s := range hostile() {
		for name, r := range hostileRuns(s) {
			markdownIsHarmless(t, report.Markdown(r, report.GitHubComment))
			markdownIsHarmless(t, report.Markdown(r, 0))
			annotationsAreHarmless(t, report.GitHubAnnotations(r))
			variablesAreHarmless(t, report.GitHubOutputs(r))
			variablesAreHarmless(t, report.Dotenv(r))
			junitIsHarmless(t, report.JUnit(r))
			checkSARIF(t, report.SARIF(r))
			notice := report.NewNotice(r, s)
			for face, text := range map[string][]byte{"sarif": report.SARIF(r), "code quality": report.GitLabCodeQuality(r),
				"terraform": report.GitLabTerraform(r), "notice": notice.JSON(), "slack": notice.Slack()} {
				harmless(t, face, string(text))
				if !json.Valid(text) {
					t.Errorf("%s is no JSON: %s", face, text)
				}
			}
			slackIsHarmless(t, notice.Slack())
			if text := notice.Text(4096); len(text) > 4096 {
				t.Errorf("a notice has %d bytes", len(text))
			}
			harmless(t, "the title of a notice", notice.Title())
			if t.Failed() {
				t.Fatalf("of the run %s with %.100q", name, s)
			}
		}
	}
}

var htmlLine = regexp.MustCompile(`^(<details><summary><code>[^<>]*</code></summary>|</details>)?$`)

// markdownIsHarmless has another program read Markdown, as GitHub, GitLab and Gitea do: what others chose stands in code.
func markdownIsHarmless(t *testing.T, source string) {
	t.Helper()
	harmless(t, "Markdown", source)
	src := []byte(source)
	document := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(src))
	err := ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.CodeSpan, *ast.FencedCodeBlock:
			return ast.WalkSkipChildren, nil
		case *ast.HTMLBlock:
			lines := n.Lines()
			for i := range lines.Len() {
				at := lines.At(i)
				if line := strings.TrimRight(string(at.Value(src)), "\n"); !htmlLine.MatchString(line) {
					return ast.WalkStop, errors.New("HTML: " + line)
				}
			}
		case *ast.Text:
			if s := string(n.Segment.Value(src)); strings.Contains(s, mark) || strings.ContainsAny(s, "@#<>[]|`") {
				return ast.WalkStop, errors.New("text: " + s)
			}
		case *ast.Document, *ast.Heading, *ast.Paragraph, *ast.TextBlock, *ast.List, *ast.ListItem, *ast.Emphasis:
		default:
			return ast.WalkStop, errors.New("a node of the kind " + n.Kind().String())
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Errorf("Markdown holds %v in\n%s", err, source)
	}
}

// command is how the runner of GitHub reads a line.
var command = regexp.MustCompile(`^::(error|warning|notice) ([a-zA-Z]+=[^:,]*)(,[a-zA-Z]+=[^:,]*)*::(.+)$`)

func annotationsAreHarmless(t *testing.T, text string) {
	t.Helper()
	count := map[string]int{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		m := command.FindStringSubmatch(line)
		if m == nil || strings.ContainsAny(line, "\r\x1b\x00") {
			t.Errorf("no annotation: %q", line)
			return
		}
		if count[m[1]]++; count[m[1]] > 10 {
			t.Errorf("more than 10 of %s", m[1])
		}
	}
}

func variablesAreHarmless(t *testing.T, text string) {
	t.Helper()
	harmless(t, "variables", text)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != len(report.PipelineVariables(&report.Run{})) {
		t.Errorf("%d variables: %q", len(lines), text)
	}
	for _, l := range lines {
		if !regexp.MustCompile(`^[A-Za-z0-9_]+=`).MatchString(l) {
			t.Errorf("no variable: %q", l)
		}
	}
}

func junitIsHarmless(t *testing.T, document []byte) {
	t.Helper()
	harmless(t, "JUnit", string(document))
	d := xml.NewDecoder(strings.NewReader(string(document)))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("JUnit: %v in %s", err, document)
			return
		}
		if e, ok := token.(xml.StartElement); ok && !strings.Contains("testsuites testcase failure error skipped", e.Name.Local) {
			t.Errorf("JUnit has an element %s", e.Name.Local)
		}
	}
}

func slackIsHarmless(t *testing.T, document []byte) {
	t.Helper()
	var message struct {
		Text   string `json:"text"`
		Mrkdwn bool   `json:"mrkdwn"`
	}
	message.Mrkdwn = true
	if err := json.Unmarshal(document, &message); err != nil || message.Mrkdwn || strings.ContainsAny(message.Text, "<>") ||
		regexp.MustCompile(`&($|[^alg])`).MatchString(message.Text) || len(message.Text) > 40_000 {
		t.Errorf("%v: %s", err, document)
	}
}

// TestMarkdownLimit cuts between resources, and says how many are left out.
func TestMarkdownLimit(t *testing.T) {
	r := runs()["plan"]
	one := r.Planned.Changes[0]
	for range 3000 {
		r.Planned.Changes = append(r.Planned.Changes, one)
	}
	r.Planned.Changes[0].Diff = strings.Repeat("+   x = 1\n", 200_000)
	for _, limit := range []int{0, 8000, 8001, 20_000, report.GitHubComment, report.GitLabComment, report.StepSummaryBytes} {
		got := report.Markdown(r, limit)
		if len(got) > max(limit, 8000) {
			t.Errorf("%d bytes where %d are the limit", len(got), limit)
		}
		markdownIsHarmless(t, got)
		if !strings.HasSuffix(got, "\nPlan digest: `"+r.Digest+"`\n") || !strings.Contains(got, "1 to add, 1 to change") {
			t.Errorf("limit %d: counts or digest are missing", limit)
		}
		shown, left := strings.Count(got, "<details><summary><code>~ bucket.photos"), 0
		if m := regexp.MustCompile(`_(\d+) resources left out here: there is no room\._`).FindStringSubmatch(got); m != nil {
			left = len(m[1])
		}
		if limit <= report.GitHubComment && (left == 0 || limit > 20_000 && shown < 10) {
			t.Errorf("limit %d: %d are shown, and nobody knows of how many\n%s", limit, shown, got)
		}
	}
	r = &report.Run{Command: "plan", Digest: "d", Planned: &report.Plan{Summary: "Plan.", Counts: plan.Counts{}}}
	if got := report.Markdown(r, 1); strings.Contains(got, "left out") {
		t.Error(got)
	}
}
