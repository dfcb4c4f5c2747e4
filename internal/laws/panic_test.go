package laws_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"b2form/apply"
	"b2form/internal/emulator"
	"b2form/internal/secret"
)

// crashVariable makes this test the process that crashes.
const crashVariable = "B2FORM_TEST_CRASH"

// What Go prints of every goroutine when a run crashes, with secrets on their
// way, holds none of them.
func TestCrashTellsNoSecret(t *testing.T) {
	if os.Getenv(crashVariable) != "" {
		crash(t)
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashTellsNoSecret$", "-test.count=1")
	cmd.Env = append(os.Environ(), crashVariable+"=1", "GOTRACEBACK=all", "TMPDIR="+dir)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "goroutine ") || !strings.Contains(string(out), "b2form/apply.") {
		t.Fatalf("no crash: %v\n%s", err, out)
	}
	c := &canaries{}
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "json.secret" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var delivered struct {
			Key string `json:"application_key"`
		}
		err = json.Unmarshal(text, &delivered)
		c.keys = append(c.keys, delivered.Key)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(c.keys) != 1 || len(c.keys[0]) < 20 {
		t.Fatal("no secret was delivered: the search proves nothing")
	}
	c.nowhere(t, "what the crash printed", string(out))
}

// crash is a run that panics once a key is delivered.
func crash(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	w.configure(deliveries)
	store, err := w.lock()
	w.must(err)
	a, err := w.planFrom(store.State(), mode{})
	w.must(err)
	apply.Run(t.Context(), apply.Options{
		API: a.client, Kinds: w.kinds, Config: a.config, Snapshot: a.snapshot, Plan: a.plan, State: store, Parallelism: 1, Now: w.Now,
		RunStart: w.Now(),
		Delivery: secret.DeliveryOptions{Stdout: &w.printed},
		OnEvent: func(e apply.Event) {
			if e.Stage == apply.Delivered && e.Addr.Label == "formats" {
				panic(e)
			}
		},
	})
}
