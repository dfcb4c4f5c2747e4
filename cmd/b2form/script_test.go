package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the golden parts of scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"b2form": main})
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
//	b2 calls [METHOD=N ...] [writes=N]       requests since the last look
//	b2 as CAPABILITY,... [BUCKET]            continue with a restricted key
//
// "exits CODE COMMAND ..." is exec that wants a certain exit code, and "canary
// FILE OTHER ..." wants the secret that is in FILE in no other one.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup:               setup,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"b2": behind, "exits": exits, "canary": canary},
	})
}

type serviceKey struct{}

func setup(env *testscript.Env) error {
	a, err := newService(time.Now)
	if err != nil {
		return err
	}
	env.Defer(a.close)
	env.Values[serviceKey{}] = a
	env.Setenv("B2_ENDPOINT", a.http.URL)
	env.Setenv("B2_APPLICATION_KEY_ID", a.MasterKeyID())
	env.Setenv("B2_APPLICATION_KEY", a.MasterKey())
	env.Setenv("USER", "tester")
	env.Setenv("GORACE", "atexit_sleep_ms=0") // else every command of a script ends a second late
	return nil
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: exits CODE COMMAND ...")
	}
	code := 0
	var exit *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
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
