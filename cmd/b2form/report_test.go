package main

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"b2form/internal/report"
)

// A receiver takes notices, as Slack, ntfy and others do.
type receiver struct {
	*httptest.Server
	requests []string // method, path, title and body of each
}

func newReceiver(t *testing.T, status int) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		r.requests = append(r.requests, q.Method+" "+q.URL.Path+" "+q.Header.Get("Title")+"\n"+string(body))
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

// last is what was received last; "": nothing was since the last look.
func (r *receiver) last() (text string) {
	if len(r.requests) > 0 {
		text = r.requests[len(r.requests)-1]
	}
	r.requests = nil
	return text
}

const notifyConfig = `
bucket "web" {
  name = "acme-web"
  type = "allPublic"
}
`

// TestNotify sends what was asked for on the outcomes that are asked for.
func TestNotify(t *testing.T) {
	all := schemas(t)
	b := newBench(t, notifyConfig)
	to := newReceiver(t, http.StatusOK)
	b.env["B2FORM_NOTIFY"] = to.URL + "/canary-path"
	b.env["BUILD_URL"] = "https://ci.example.com/1"
	b.shown(t, 0, "plan")
	method, body, _ := strings.Cut(to.last(), "\n")
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err == nil {
		err = all["notice"].Validate(document)
	}
	if err != nil || method != "POST /canary-path " || !strings.Contains(body, `"outcome": "changes"`) ||
		!strings.Contains(body, `"job_url": "https://ci.example.com/1"`) {
		t.Errorf("%v: %s\n%s", err, method, body)
	}
	b.shown(t, 0, "apply", "-auto-approve", "-allow=exposes-files", "-notify=slack+"+to.URL+"/canary-slack")
	if got := to.last(); !strings.HasPrefix(got, "POST /canary-slack ") ||
		!strings.Contains(got, `b2form apply: applied\nApply complete!`) {
		t.Error(got)
	}
	b.shown(t, 0, "plan")
	if got := to.last(); got != "" {
		t.Errorf("without changes this was sent: %s", got)
	}
	b.env["B2FORM_NOTIFY"] = "ntfy+" + to.URL + "/canary-topic"
	b.shown(t, 0, "plan", "-notify-on=unchanged, failed")
	if got := to.last(); got != "POST /canary-topic b2form plan: unchanged\nNo changes.\nhttps://ci.example.com/1" {
		t.Error(got)
	}
	b.shown(t, 0, "apply", "-destroy", "-auto-approve", "-notify-on=failed")
	if got := to.last(); got != "" {
		t.Errorf("of a success this was sent: %s", got)
	}
	b.shown(t, 1, "apply", "-auto-approve")
	if got := to.last(); !strings.Contains(got, "b2form apply: failed\nFailed: 1 error.\nError: ") {
		t.Error(got)
	}
	if said := b.out.String() + b.err.String(); strings.Contains(said, "canary-") {
		t.Errorf("the URL is told:\n%s", said)
	}
}

// TestNotifyFails warns of what goes wrong, tells nothing of the URL, and leaves the run as it is.
func TestNotifyFails(t *testing.T) {
	b := newBench(t, notifyConfig)
	moved, broken, gone := newReceiver(t, http.StatusFound), newReceiver(t, http.StatusInternalServerError), newReceiver(t, 200)
	gone.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of every client that leaves
	secure.StartTLS()
	t.Cleanup(secure.Close)
	for url, want := range map[string]string{
		moved.URL + "/canary":               "the answer was HTTP 302.",
		broken.URL + "/canary":              "the answer was HTTP 500.",
		gone.URL + "/canary":                "the server refused the connection.",
		secure.URL + "/canary":              "the certificate of the server is not trusted.",
		"canary":                            "it is no URL: it needs to be https://HOST/PATH",
		"https://canary.invalid:x/canary":   "it is no URL",
		"https:///canary":                   "it is no URL",
		"\x7fcanary":                        "it is no URL",
		"canary+https://example.com/canary": "what is in front of + is not known",
		"ftp://canary.example.com/canary":   "it is neither of https nor of http",
	} {
		b.env["B2FORM_NOTIFY"] = url
		before := len(b.err.String())
		b.shown(t, 2, "plan", "-detailed-exitcode")
		if said := b.err.String()[before:]; !strings.Contains(said, "Warning: Notice was not sent") || !strings.Contains(said, want) ||
			strings.Contains(said, "canary") {
			t.Errorf("%q: want %q in\n%s", url, want, said)
		}
	}
	if got := moved.last(); strings.Contains(got, "elsewhere") {
		t.Errorf("a redirect was followed: %s", got)
	}
	b.shown(t, 1, "plan", "-notify=")
	b.shown(t, 1, "plan", "-notify-on=sometimes")
	b.wants(t, b.err, `there is no outcome "sometimes"; they are unchanged, changes, applied and failed`)
}

// TestReportsHoldNoSecret looks for secrets and sensitive values in all that pipelines get.
func TestReportsHoldNoSecret(t *testing.T) {
	b := newBench(t, documentConfig)
	to := newReceiver(t, http.StatusOK)
	b.env["GITHUB_ACTIONS"], b.env["GITHUB_OUTPUT"], b.env["GITHUB_STEP_SUMMARY"] = "true", "r.output", "r.summary"
	b.env["B2FORM_NOTIFY"] = to.URL
	args := []string{"-notify-on=unchanged,changes,applied,failed"}
	for format := range reportFormats(0) {
		args = append(args, "-report="+format+"=r."+format)
	}
	told := ""
	collect := func() {
		paths, err := filepath.Glob("r.*")
		if err != nil || len(paths) != len(reportFormats(0))+2 {
			t.Fatalf("%v: reports are missing: %q", err, paths)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil || len(text) == 0 {
				t.Errorf("%s: %v, %d bytes", path, err, len(text))
			}
			told += string(text)
		}
		told += to.last()
	}
	b.shown(t, 0, append([]string{"plan"}, args...)...)
	collect()
	b.shown(t, 0, append([]string{"apply", "-auto-approve", "-allow=exposes-files"}, args...)...)
	collect()
	env, err := os.ReadFile("app.env")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(env) {
		if _, value, ok := bytes.Cut(bytes.TrimSpace(line), []byte("B2_APPLICATION_KEY=")); ok && strings.Contains(told, string(value)) {
			t.Error("the secret of a key is in a report")
		}
	}
	told += b.err.String() // annotations
	if strings.Contains(told, "canary") || !strings.Contains(told, "(sensitive value)") {
		t.Errorf("a sensitive value is in a report, or nothing is:\n%s", told)
	}
}

// TestReadLines makes a report of what -json-into wrote.
func TestReadLines(t *testing.T) {
	b := newBench(t, documentConfig)
	read := func(want int, args ...string) *report.Run {
		t.Helper()
		b.shown(t, want, append(args, "-json-into=lines.json")...)
		f, err := os.Open("lines.json")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r, err := report.ReadJSONLines(f)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := read(2, "plan", "-detailed-exitcode")
	if r.Command != "plan" || r.Planned == nil || len(r.Planned.Changes) != 5 || r.DoneOrPlannedCounts().Add != 5 || r.Digest == "" ||
		r.HazardCount() == 0 || !strings.HasPrefix(r.OutputsDiff, "+   bucket\n") || r.Outcome() != report.Pending {
		t.Errorf("of a plan this was read: %+v", r)
	}
	r = read(0, "apply", "-auto-approve", "-allow=exposes-files")
	if r.Command != "apply" || r.Done == nil || r.DoneOrPlannedCounts().Add != 5 || r.Outcome() != report.Applied ||
		report.Headline(r) != "Apply complete! Resources: 5 added, 0 changed, 0 destroyed." {
		t.Errorf("of an apply this was read: %+v", r)
	}
	if r = read(0, "plan"); r.Outcome() != report.Unchanged {
		t.Errorf("of a plan without changes this was read: %+v", r)
	}
	if r = read(1, "destroy", "-auto-approve"); r.Outcome() != report.Failed || len(r.Diagnostics) == 0 || r.ExitCode != 1 {
		t.Errorf("of a failure this was read: %+v", r)
	}
}
