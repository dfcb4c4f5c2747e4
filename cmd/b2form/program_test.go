package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A screen is an output that tests can wait on.
type screen struct {
	mu      sync.Mutex
	changed *sync.Cond
	buf     bytes.Buffer
}

func newScreen() *screen {
	s := &screen{}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changed.Broadcast()
	return s.buf.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// await returns when one of the texts is on the screen.
func (s *screen) await(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(s.buf.String(), text) }) {
		s.changed.Wait()
	}
}

// A bench is a folder with a configuration, an account, and a world around the
// program of which the test holds all ends.
type bench struct {
	*service
	system
	out, err *screen
	env      map[string]string
	signals  chan os.Signal
	ticks    chan func() // what the program wants to be reminded of
}

func newBench(t *testing.T, config string) *bench {
	t.Helper()
	t.Chdir(t.TempDir())
	writeConfig(t, config)
	a, err := newService(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	b := &bench{service: a, out: newScreen(), err: newScreen(), signals: make(chan os.Signal, 2), ticks: make(chan func(), 1)}
	b.env = map[string]string{"B2_ENDPOINT": a.http.URL, "B2_APPLICATION_KEY_ID": a.MasterKeyID(), "B2_APPLICATION_KEY": a.MasterKey()}
	b.system = system{
		stdin: strings.NewReader(""), stdout: b.out, stderr: b.err, stderrTerminal: true, terminalWidth: 200,
		getenv:           func(name string) string { return b.env[name] },
		environ:          func() []string { return nil },
		osUser:           func() string { return "tester" },
		now:              time.Now,
		chdir:            os.Chdir,
		exit:             func(int) {},
		interruptSignals: func() (<-chan os.Signal, func(bool)) { return b.signals, func(bool) {} },
		repeatEvery: func(_ time.Duration, f func()) func() {
			select {
			case b.ticks <- f:
			default: // nobody looks at this one
			}
			return func() {}
		},
		sleep:    sleepBriefly,
		slowHash: quickHash,
	}
	return b
}

func writeConfig(t *testing.T, config string) {
	t.Helper()
	if err := os.WriteFile("main.b2.hcl", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
}

// newKey makes a key behind b2form's back and gives its two halves.
func (b *bench) newKey(t *testing.T, name string, capabilities ...string) (id, key string) {
	t.Helper()
	list, err := json.Marshal(capabilities)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := b.call("b2_create_key", fmt.Sprintf(`{"keyName":%q,"capabilities":%s}`, name, list))
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ ApplicationKeyID, ApplicationKey string }
	if err := json.Unmarshal(reply, &made); err != nil {
		t.Fatal(err)
	}
	return made.ApplicationKeyID, made.ApplicationKey
}

// run runs b2form and gives its exit code.
func (b *bench) run(args ...string) int { return run(append([]string{"b2form"}, args...), b.system) }

func (b *bench) wants(t *testing.T, s *screen, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(s.String(), text) {
			t.Errorf("%q is missing in:\n%s", text, s)
		}
	}
}

const bucketAndKey = `
bucket "photos" {
  name = "acme-photos"
}

key "app" {
  name         = "app"
  capabilities = ["listFiles"]
  buckets      = [bucket.photos]
  deliver "file" {
    path = "app.env"
  }
}
`

// The first interrupt lets the step under way finish and begins no other; the
// next run does the rest.
func TestInterrupt(t *testing.T) {
	b := newBench(t, bucketAndKey)
	_ = b.hold(nil, []string{"b2_create_bucket"})
	code := make(chan int)
	go func() { code <- b.run("apply", "-auto-approve") }()
	_ = b.await(nil, nil)
	b.signals <- os.Interrupt
	b.err.await("Gracefully shutting down...")
	_ = b.release(nil, nil)
	if got := <-code; got != 1 {
		t.Errorf("exit code %d", got)
	}
	b.wants(t, b.err, "Interrupt received.", "bucket.photos: Creation complete", "Error: Interrupted")
	b.wants(t, b.out, "1 added, 0 changed, 0 destroyed, 1 not begun")
	if _, err := os.Stat("app.env"); err == nil {
		t.Error("a step was begun after the interrupt")
	}
	<-b.ticks
	if got := b.run("apply", "-auto-approve"); got != 0 {
		t.Fatalf("exit code %d of the next run:\n%s", got, b.err)
	}
	b.wants(t, b.out, "Resources: 1 added, 0 changed, 0 destroyed.")
}

// An interrupt that comes when the last step is under way leaves nothing undone.
func TestInterruptAtTheEnd(t *testing.T) {
	b := newBench(t, "bucket \"photos\" {\n  name = \"acme-photos\"\n}\n")
	_ = b.hold(nil, []string{"b2_create_bucket"})
	code := make(chan int)
	go func() { code <- b.run("apply", "-auto-approve") }()
	_ = b.await(nil, nil)
	b.signals <- os.Interrupt
	b.err.await("Gracefully shutting down...")
	_ = b.release(nil, nil)
	if got := <-code; got != 0 {
		t.Errorf("exit code %d", got)
	}
	b.wants(t, b.out, "Apply complete! Resources: 1 added")
	if strings.Contains(b.err.String(), "Error") || strings.Contains(b.out.String(), "incomplete") {
		t.Errorf("it is called incomplete:\n%s%s", b.out, b.err)
	}
}

// The second interrupt ends the program on the spot.
func TestSecondInterrupt(t *testing.T) {
	for _, flag := range []string{"-concise", "-q", "-json"} {
		b := newBench(t, bucketAndKey)
		exited := make(chan int)
		b.exit = func(code int) { exited <- code }
		_ = b.hold(nil, []string{"b2_create_bucket"})
		code := make(chan int)
		go func() { code <- b.run("apply", "-auto-approve", flag) }()
		_ = b.await(nil, nil)
		b.signals <- syscall.SIGTERM
		b.signals <- os.Interrupt
		if got := <-exited; got != 1 {
			t.Errorf("exit code %d", got)
		}
		out := b.err
		if flag == "-json" {
			out = b.out
		}
		b.wants(t, out, "Please wait for b2form to exit", "Two interrupts received. Exiting immediately. Note that data loss may have "+
			"occurred.")
		_ = b.release(nil, nil)
		<-code
	}
}

// A step that takes long is not forgotten.
func TestStillCreating(t *testing.T) {
	b := newBench(t, bucketAndKey)
	var mu sync.Mutex
	later := time.Duration(0)
	b.now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(later)
	}
	_ = b.hold(nil, []string{"b2_create_bucket"})
	code := make(chan int)
	go func() { code <- b.run("apply", "-auto-approve") }()
	_ = b.await(nil, nil)
	remind := <-b.ticks
	remind() // nothing is late yet
	mu.Lock()
	later = 20 * time.Second
	mu.Unlock()
	remind()
	_ = b.release(nil, nil)
	<-code
	if n := strings.Count(b.err.String(), "Still creating..."); n != 1 {
		t.Errorf("%d reminders", n)
	}
	b.wants(t, b.err, "bucket.photos: Still creating... [20s elapsed]")
}

// -concise leaves the log of a job without progress, of plan and of drift.
func TestConciseTellsOfNoProgress(t *testing.T) {
	for _, command := range []string{"plan", "drift"} {
		b := newBench(t, bucketAndKey)
		_ = b.run("apply", "-auto-approve") // drift wants a state
		b.ticks = make(chan func(), cap(b.ticks))
		b.env["CI"] = "true"
		if b.run(command, "-concise") != 0 || len(b.ticks) != 0 {
			t.Errorf("%s: somebody is to be told of progress\n%s", command, b.err)
		}
		if b.run(command) != 0 || len(b.ticks) != 1 {
			t.Errorf("%s: nobody is to be told of progress\n%s", command, b.err)
		}
	}
}

// An answer is somebody at the terminal who first does something else.
type answer struct {
	first func()
	text  *strings.Reader
}

func (a *answer) Read(p []byte) (int, error) {
	if a.first != nil {
		a.first()
		a.first = nil
	}
	return a.text.Read(p)
}

// What was approved is what is carried out, or nothing is.
func TestAccountChangesAtThePrompt(t *testing.T) {
	b := newBench(t, bucketAndKey)
	if got := b.run("apply", "-auto-approve"); got != 0 {
		t.Fatal(b.err)
	}
	<-b.ticks
	changed := strings.Replace(bucketAndKey, `"acme-photos"`, "\"acme-photos\"\n  info = { team = \"web\" }", 1)
	if err := os.WriteFile("main.b2.hcl", []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	b.ResetCalls()
	b.stdinTerminal = true
	b.stdin = &answer{text: strings.NewReader("yes\n"), first: func() {
		if _, err := b.call("b2_update_bucket", `{"bucketId":"@acme-photos","bucketInfo":{"by":"hand"}}`); err != nil {
			t.Error(err)
		}
	}}
	if got := b.run("apply"); got != 1 {
		t.Errorf("exit code %d", got)
	}
	b.wants(t, b.err, "Do you want to perform these actions?", "Error: The account changed since the plan was made")
	for _, c := range b.Calls() {
		if c.Method == "b2_update_bucket" && !strings.Contains(string(c.Body), "by") {
			t.Errorf("b2form wrote: %s", c.Body)
		}
	}
}

// Who approved the loss of what a bucket holds approved that and no more.
func TestFilesAppearAtThePrompt(t *testing.T) {
	b := newBench(t, "bucket \"photos\" {\n  name = \"acme-photos\"\n  force_destroy = true\n}\n")
	if got := b.run("apply", "-auto-approve"); got != 0 {
		t.Fatal(b.err)
	}
	b.stdinTerminal = true
	b.stdin = &answer{text: strings.NewReader("yes\n"), first: func() {
		if err := b.upload(nil, []string{"acme-photos", "a.txt"}); err != nil {
			t.Error(err)
		}
	}}
	b.ResetCalls()
	if got := b.run("destroy"); got != 1 {
		t.Errorf("exit code %d", got)
	}
	b.wants(t, b.out, "there are none")
	b.wants(t, b.err, "Error: The account changed since the plan was made", "bucket.photos: what would be deleted with it: 1 version with",
		"when the plan was shown: there are none")
	for _, c := range b.Calls() {
		if strings.HasPrefix(c.Method, "b2_delete_") {
			t.Errorf("b2form called %s", c.Method)
		}
	}
	b.stdin = strings.NewReader("yes\n")
	if got := b.run("destroy"); got != 0 {
		t.Errorf("exit code %d: %s", got, b.err)
	}
}

// A bucket that something is uploaded to while it is emptied stays, with what came since.
func TestFilesAppearAfterEmptying(t *testing.T) {
	b := newBench(t, "bucket \"photos\" {\n  name = \"acme-photos\"\n  force_destroy = true\n}\n")
	b.shown(t, 0, "apply", "-auto-approve")
	for range 3 {
		if err := b.upload(nil, []string{"acme-photos", "a.txt"}); err != nil {
			t.Fatal(err)
		}
	}
	_ = b.hold(nil, []string{"b2_delete_bucket"})
	code := make(chan int)
	go func() { code <- b.run("destroy", "-auto-approve", "-allow=deletes-data") }()
	_ = b.await(nil, nil)
	if err := b.upload(nil, []string{"acme-photos", "late.txt"}); err != nil {
		t.Error(err)
	}
	_ = b.release(nil, nil)
	if got := <-code; got != 1 {
		t.Errorf("exit code %d", got)
	}
	said := strings.Join(strings.Fields(b.err.String()), " ") // however it is wrapped
	if !strings.Contains(strings.ReplaceAll(said, "│ ", ""), "was deleted (versions: 3), and then it held 1 version with") {
		t.Errorf("it says:\n%s", b.err)
	}
	if strings.Contains(said, "set force_destroy") || strings.Contains(said, "Nothing") {
		t.Errorf("it is not true that:\n%s", b.err)
	}
	<-b.ticks
	b.shown(t, 0, "destroy", "-auto-approve", "-allow=deletes-data")
}

// What is typed for a sensitive variable is not shown while it is typed.
func TestSensitiveAnswersAreNotSeen(t *testing.T) {
	b := newBench(t, `
variable "hush" {
  type      = string
  sensitive = true
}

output "length" { value = nonsensitive(length(var.hush)) }
`)
	b.stdinTerminal = true
	b.readHidden = func(prompt string) (string, error) {
		_, err := b.err.Write([]byte(prompt))
		return "four", err
	}
	if got := b.run("output", "length"); got != 0 {
		t.Fatal(b.err)
	}
	b.wants(t, b.err, "var.hush", "Enter a value:")
	b.wants(t, b.out, "4")
}

// A key without a delivery is shown once, on a terminal and nowhere else. One
// with a delivery is not, whatever the outputs ask for.
func TestSecretOnTheTerminal(t *testing.T) {
	const config = `
key "app" {
  name         = "app"
  capabilities = ["listFiles"]
}

key "sent" {
  name         = "sent"
  capabilities = ["listFiles"]
  deliver "file" {
    path = "sent.env"
  }
}

output "secret" {
  value = key.app.application_key
}

output "combined" {
  value = "id=${key.sent.application_key_id} key=${key.sent.application_key}"
}
`
	b := newBench(t, config)
	b.stdinTerminal, b.stdoutTerminal = true, true
	b.stdin = strings.NewReader("yes\n")
	if got := b.run("-no-color", "apply"); got != 0 {
		t.Fatalf("exit code %d:\n%s", got, b.err)
	}
	b.wants(t, b.out, "Secret of key.app, shown this once", `application_key    = "K00`, `secret = "K00`, "key.sent → sent.env")
	if n := strings.Count(b.out.String(), `application_key    = "`); n != 1 {
		t.Errorf("%d secrets are shown by themselves, want that of key.app only", n)
	}
	if strings.Contains(b.out.String(), "key=K00") {
		t.Error("the delivered secret is shown")
	}
	if strings.Contains(b.err.String(), "K00") {
		t.Error("the secret is on standard error")
	}
	b.out.buf.Reset()
	if got := b.run("-no-color", "output"); got != 0 || strings.Contains(b.out.String(), "K00") {
		t.Errorf("exit code %d, output:\n%s", got, b.out)
	}
}

// An interrupt at the prompt changes nothing.
func TestInterruptAtThePrompt(t *testing.T) {
	b := newBench(t, bucketAndKey)
	b.stdinTerminal = true
	never := make(chan struct{})
	b.stdin = &answer{text: strings.NewReader(""), first: func() { <-never }}
	code := make(chan int)
	go func() { code <- b.run("apply") }()
	b.err.await("Enter a value:")
	b.signals <- os.Interrupt
	if got := <-code; got != 1 {
		t.Errorf("exit code %d", got)
	}
	close(never)
	b.wants(t, b.err, "Error: Interrupted", "Nothing was changed.")
	if _, err := os.Stat("b2form.state.json"); err == nil {
		t.Error("a state was written")
	}
}

// The emulator prints what points other programs to it, keeps its account, and
// ends with an interrupt.
func TestEmulatorCommand(t *testing.T) {
	b := newBench(t, bucketAndKey)
	serve := func() string {
		b.out.buf.Reset()
		code := make(chan int)
		go func() { code <- b.run("emulator", "-data=account", "-latency", "1ms") }()
		b.out.await("B2_ENDPOINT")
		lines := b.out.String()
		var id, key, url string
		if _, err := fmt.Sscanf(lines, "export B2_APPLICATION_KEY_ID=%s\nexport B2_APPLICATION_KEY=%s\nexport B2_ENDPOINT=%s\n", &id, &key,
			&url); err != nil {
			t.Fatalf("%v in:\n%s", err, lines)
		}
		_, err := fetch(http.MethodGet, url+"/b2api/v4/b2_authorize_account", "",
			func(r *http.Request) { r.SetBasicAuth(id, key) })
		if err != nil {
			t.Error(err)
		}
		b.signals <- os.Interrupt
		if got := <-code; got != 0 {
			t.Errorf("exit code %d:\n%s", got, b.err)
		}
		return id + key
	}
	if first, second := serve(), serve(); first != second {
		t.Error("the account was not kept")
	}
	if got := b.run("emulator", "-listen=0.0.0.0:0"); got != 1 {
		t.Errorf("exit code %d for an address that others can reach", got)
	}
	b.wants(t, b.err, "is not an address of this machine alone")
}
