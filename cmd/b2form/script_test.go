package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"b2form/internal/forge/imitation"
	"b2form/internal/pause"
	"b2form/internal/testrun"
	"b2form/internal/tfserver"
)

var update = flag.Bool("update", false, "rewrite the golden parts of scripts")

// TestMain makes the test binary b2form where it is started by that name, as
// scripts do.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "b2form" {
		s := hostSystem()
		s.slowHash, s.sleep = quickHash, sleepBriefly
		os.Exit(start(s))
	}
	code, err := withProgram(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// quickHash stands in for [plan.SlowHashIfSalted], which takes longer than all else that most commands do.
func quickHash(texts []string, salt []byte) (string, error) {
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%q %q", texts, salt))), nil
}

// sleepBriefly waits a small part of what the program wants to wait between tries.
func sleepBriefly(ctx context.Context, d time.Duration) error { return pause.For(ctx, d/1000) }

// withProgram runs something with b2form in PATH.
func withProgram(f func() int) (code int, err error) {
	if err := testrun.UseMemoryTempDir(); err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "b2form-bin-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	self, err := os.Executable()
	if err := errors.Join(err, os.Symlink(self, filepath.Join(dir, "b2form"))); err != nil {
		return 0, err
	}
	if err := os.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH")); err != nil {
		return 0, err
	}
	return f(), nil
}

// TestScripts runs every script of testdata/script over the real program. Each
// has a B2 account of its own, on loopback; the command b2 reaches behind
// b2form's back:
//
//	b2 dump                                  print the account, without secrets
//	b2 put METHOD JSON                       one raw call; "@name" stands for the ID of a bucket or key
//	b2 fail METHOD N before|after STATUS CODE [MESSAGE]
//	b2 upload BUCKET NAME
//	b2 hold METHOD, b2 await, b2 release     stop the next such request on its way
//	b2 unlist METHOD N NAME                  the next N replies to METHOD lack a bucket or key; -1: all
//	b2 calls [METHOD=N ...] [writes=N]       requests since the last look
//	b2 as CAPABILITY,... [BUCKET]            continue with a restricted key
//
// "b2form ..." runs in the process of the test, which is quicker than "exec
// b2form ...", and "b2form ... <FILE" reads a file. Scripts need the latter in the background, after ttyin,
// and where other programs, or variables that no script sets, matter. "exits CODE
// b2form ..." and "exits CODE exec PROGRAM ..." want a certain exit code, and
// "canary FILE OTHER ..." wants the secret that is in FILE in no other one. "cmpplan FILE"
// compares what a plan printed, "digest VARIABLE" keeps its digest, and "await FILE TEXT" waits
// until a program in the background has written the text. "hosted" reaches a service that hosts
// repositories; see there.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Abs("testdata/script") // the host changes its folder
	if err != nil {
		t.Fatal(err)
	}
	inProcess := newHost(t, scripts)
	testscript.Run(t, testscript.Params{
		Dir:                 scripts,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup:               setup,
		Condition: func(name string) (bool, error) {
			if name != "postgres" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return testrun.UsesPostgres(), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"b2": behind, "b2form": inProcess.b2form, "exits": inProcess.exits, "canary": canary,
			"cmpplan": comparePlan, "postgres": startDatabase, "await": await, "digest": setDigest, "hosted": hosted},
	})
}

// startDatabase sets PG_CONN_STR and PGDIR to the database of this test process.
func startDatabase(ts *testscript.TestScript, _ bool, _ []string) {
	server, err := testrun.SharedPostgres()
	ts.Check(err)
	ts.Setenv("PGDIR", server.SocketDir)
	ts.Setenv("PG_CONN_STR", "host="+server.SocketDir+" user=postgres dbname=postgres password='"+statePassword+"'")
}

type serviceKey struct{}

// statePassword is what the servers of states want to be told.
const statePassword = "Pa55word-of/the+state"

func setup(env *testscript.Env) error {
	a, err := newService(time.Now)
	if err != nil {
		return err
	}
	env.Defer(a.close)
	env.Values[serviceKey{}] = a
	// Servers that keep states: one as most are, and one as GitLab.
	for name, server := range map[string]*tfserver.Server{
		"STATE_SERVER":  {Username: "tester", Password: statePassword},
		"GITLAB_SERVER": {GitLab: true, Username: "gitlab-ci-token", Password: statePassword},
	} {
		s := httptest.NewServer(server)
		env.Defer(s.Close)
		env.Setenv(name, s.URL)
	}
	env.Values[hostKey{}] = new(*imitation.Host)
	env.Setenv("B2_ENDPOINT", a.http.URL)
	env.Setenv("B2_APPLICATION_KEY_ID", a.MasterKeyID())
	env.Setenv("B2_APPLICATION_KEY", a.MasterKey())
	env.Setenv("USER", "tester")
	env.Setenv("GORACE", "atexit_sleep_ms=0") // else every command of a script ends a second late
	return nil
}

// A host is where scripts run b2form without a process. It is in one folder at a
// time.
type host struct {
	mu    sync.Mutex
	names []string // of the variables that scripts set
}

func newHost(t *testing.T, scripts string) *host {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(scripts, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	h := &host{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, set := range regexp.MustCompile(`(?m)^env (\w+)=`).FindAllStringSubmatch(string(text), -1) {
			h.names = append(h.names, set[1])
		}
	}
	slices.Sort(h.names)
	h.names = slices.Compact(h.names)
	return h
}

// environ gives what the script has set, but for empty values.
func (h *host) environ(ts *testscript.TestScript) (all []string) {
	for _, name := range h.names {
		if value := ts.Getenv(name); value != "" {
			all = append(all, name+"="+value)
		}
	}
	return all
}

// run gives the exit code.
func (h *host) run(ts *testscript.TestScript, args []string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	before, err := os.Getwd()
	ts.Check(err)
	defer func() { ts.Check(os.Chdir(before)) }()
	cwd := ts.MkAbs(".")
	ts.Check(os.Chdir(cwd))
	stdin := ""
	if last := len(args) - 1; last >= 0 && strings.HasPrefix(args[last], "<") {
		stdin, args = ts.ReadFile(args[last][1:]), args[:last]
	}
	out, errOut := newScreen(), newScreen()
	code := run(append([]string{"b2form"}, args...), system{
		stdin: strings.NewReader(stdin), stdout: out, stderr: errOut, startDir: cwd, host: "localhost", osUser: osUserOrUnknown,
		getenv:           ts.Getenv,
		environ:          func() []string { return h.environ(ts) },
		now:              time.Now,
		chdir:            os.Chdir,
		exit:             func(code int) { panic(code) },
		interruptSignals: func() (<-chan os.Signal, func(bool)) { return nil, func(bool) {} },
		repeatEvery:      repeatEvery,
		sleep:            sleepBriefly,
		slowHash:         quickHash,
	})
	_, err = io.WriteString(ts.Stdout(), out.String())
	ts.Check(err)
	_, err = io.WriteString(ts.Stderr(), errOut.String())
	ts.Check(err)
	return code
}

func (h *host) b2form(ts *testscript.TestScript, neg bool, args []string) {
	if code := h.run(ts, args); (code != 0) != neg {
		ts.Fatalf("exit code %d", code)
	}
}

func (h *host) exits(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: exits CODE b2form ... or exits CODE exec PROGRAM ...")
	}
	code := 0
	switch args[1] {
	case "b2form":
		code = h.run(ts, args[2:])
	case "exec":
		code = exitCodeOf(ts, ts.Exec(args[2], args[3:]...))
	default:
		ts.Fatalf("exits: %s is neither b2form nor exec", args[1])
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

func exitCodeOf(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

// canary first makes sure that there is a secret, then looks for it in every
// spelling.
func canary(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: canary FILE OTHER ...")
	}
	var delivered struct {
		Key string `json:"application_key"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &delivered))
	if len(delivered.Key) < 20 {
		ts.Fatalf("%s holds no application key", args[0])
	}
	quoted, err := json.Marshal(delivered.Key)
	ts.Check(err)
	for _, name := range args[1:] {
		for _, spelling := range []string{
			delivered.Key, url.QueryEscape(delivered.Key), url.PathEscape(delivered.Key), strings.Trim(string(quoted), `"`),
			strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(delivered.Key)), "="),
		} {
			if strings.Contains(ts.ReadFile(name), spelling) {
				ts.Fatalf("the secret is in %s", name)
			}
		}
	}
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: await FILE TEXT")
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for last := time.After(time.Minute); ; {
		if text, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && strings.Contains(string(text), args[1]) {
			return
		}
		select {
		case <-tick.C:
		case <-last:
			ts.Fatalf("%s never said %q", args[0], args[1])
		}
	}
}
