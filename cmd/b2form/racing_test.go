package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"b2form/internal/testrun"
)

const fourKeys = `
bucket "photos" {
  name = "acme-photos"
}

key "app" {
  for_each     = toset(["a", "b", "c", "d"])
  name         = "app-${each.key}"
  capabilities = ["listFiles"]
  buckets      = [bucket.photos]
  deliver "file" {
    path   = "${each.key}.json"
    format = "json"
  }
}
`

const lockFile = "b2form.state.json.lock"

// A racer is one run in a process of its own.
type racer struct {
	*exec.Cmd
	out, err bytes.Buffer
	ended    chan struct{}
}

func (b *bench) race(t *testing.T, args ...string) *racer {
	t.Helper()
	r := &racer{Cmd: exec.Command(b2formProgram(t), append([]string{"apply", "-auto-approve"}, args...)...), ended: make(chan struct{})}
	r.Env = append(os.Environ(), "B2_ENDPOINT="+b.http.URL, "B2_APPLICATION_KEY_ID="+b.MasterKeyID(), "B2_APPLICATION_KEY="+b.MasterKey())
	r.Stdout, r.Stderr = &r.out, &r.err
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.ended)
		_ = r.Wait() // its code says more
	}()
	return r
}

func (r *racer) code() int {
	<-r.ended
	return r.ProcessState.ExitCode()
}

// b2formProgram is this test's program under a name that makes it b2form: see
// TestMain.
func b2formProgram(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("b2form")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// liveKeys are the IDs of the account's keys by their names.
func (b *bench) liveKeys(t *testing.T) map[string]string {
	t.Helper()
	d, err := b.Dump()
	if err != nil {
		t.Fatal(err)
	}
	live := map[string]string{}
	for _, k := range d.Keys {
		name := k["keyName"].(string)
		if live[name] != "" {
			t.Errorf("two keys %s", name)
		}
		live[name] = k["applicationKeyId"].(string)
	}
	return live
}

// settled runs once more alone, and then holds what must be true whatever runs there were
// before: one object for each block, recorded, with its secret delivered.
func (b *bench) settled(t *testing.T, runs []*racer) {
	t.Helper()
	if code := b.run("apply", "-auto-approve"); code != 0 {
		t.Fatalf("exit code %d of the last run:\n%s", code, b.err)
	}
	live := b.liveKeys(t)
	var state struct {
		Entries []struct{ Address, Identity, ID string }
	}
	text, err := os.ReadFile("b2form.state.json")
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	if err != nil || len(state.Entries) != 5 || len(live) != 4 {
		t.Fatalf("%v; state: %s\nkeys: %v", err, text, live)
	}
	unrecorded := slices.ContainsFunc(runs, func(r *racer) bool { return strings.Contains(r.err.String(), "A delivery is not recorded") })
	for _, e := range state.Entries {
		if !strings.HasPrefix(e.Address, "key.") {
			continue
		}
		if live[e.Identity] != e.ID {
			t.Errorf("%s: the state has %s, alive is %s", e.Address, e.ID, live[e.Identity])
		}
		var delivered struct {
			ID string `json:"application_key_id"`
		}
		text, err := os.ReadFile(strings.TrimPrefix(e.Identity, "app-") + ".json")
		if err == nil {
			err = json.Unmarshal(text, &delivered)
		}
		if err != nil || delivered.ID != e.ID && !unrecorded {
			t.Errorf("%s: the state has %s, delivered was %s, %v", e.Address, e.ID, delivered.ID, err)
		}
	}
	if code := b.run("plan", "-detailed-exitcode"); code != 0 {
		t.Errorf("exit code %d of a plan after that:\n%s%s", code, b.out, b.err)
	}
	if left, _ := filepath.Glob("b2form.state.json.*"); len(left) > 0 {
		t.Errorf("left beside the state: %q", left)
	}
	if t.Failed() {
		for i, r := range runs {
			t.Logf("run %d ended with %d:\n%s%s", i, r.ProcessState.ExitCode(), &r.out, &r.err)
		}
	}
}

// Of several runs at once on one local state none makes a second object for a block or
// forgets one, though the lock file is removed under their requests, or none takes a lock.
func TestRuns(t *testing.T) {
	for name, flag := range map[string]string{"the lock file is removed": "-lock-timeout=1m", "without a lock": "-lock=false"} {
		for round := range testrun.CaseCount(1, 10) {
			t.Run(fmt.Sprint(name, round), func(t *testing.T) {
				b := newBench(t, fourKeys)
				var runs []*racer
				for range 5 {
					runs = append(runs, b.race(t, flag))
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					for _, r := range runs {
						<-r.ended
					}
				}()
				if flag != "-lock=false" {
					b.removeLock(round, done)
				}
				<-done
				for i, r := range runs {
					if code := r.code(); code > 1 || code == 1 && !strings.Contains(r.err.String(), "Error: ") {
						t.Errorf("run %d ended with %d:\n%s", i, code, &r.err)
					}
				}
				b.settled(t, runs)
			})
		}
	}
}

// removeLock removes the lock file each time that a request of a kind arrives.
func (b *bench) removeLock(round int, done <-chan struct{}) {
	methods := []string{"b2_create_key", "b2_create_bucket", "b2_list_keys", "b2_create_key"}
	for i := round; ; i++ {
		_ = b.hold(nil, methods[i%len(methods):][:1])
		select {
		case <-b.arrived:
			_ = os.Remove(lockFile)
			b.letGo()
		case <-done:
			b.letGo()
			return
		}
	}
}

// A run whose create is on its way when its lock goes, or another run takes none, does
// nothing more: the other makes what there is, and a later one removes what the first
// has made.
func TestRunsWithARequestUnderWay(t *testing.T) {
	for _, c := range []struct{ name, method, flag, refused string }{
		{"a key, and the lock is removed", "b2_create_key", "-lock=true", "State lock was lost"},
		{"a bucket, and the lock is removed", "b2_create_bucket", "-lock=true", "State lock was lost"},
		{"a key without a lock", "b2_create_key", "-lock=false", "State was changed by another run"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, fourKeys)
			_ = b.hold(nil, []string{c.method})
			first := b.race(t, c.flag)
			<-b.arrived
			_ = os.Remove(lockFile)
			second := b.race(t, c.flag)
			if code := second.code(); code != 0 {
				t.Fatalf("the second ended with %d:\n%s", code, &second.err)
			}
			made := b.liveKeys(t)
			b.letGo()
			if code := first.code(); code != 1 || !strings.Contains(first.err.String(), c.refused) {
				t.Errorf("the first ended with %d, want %q:\n%s", code, c.refused, &first.err)
			}
			b.settled(t, []*racer{first, second})
			for name, id := range b.liveKeys(t) {
				if made[name] != id {
					t.Errorf("%s is %s, and was delivered as %s", name, id, made[name])
				}
			}
		})
	}
}

// A run that has read only a part of what another one makes meanwhile is refused, and what
// the other has delivered stays alive.
func TestStaleRunIsRefused(t *testing.T) {
	b := newBench(t, fourKeys)
	_ = b.hold(nil, []string{"b2_list_keys"})
	second := b.race(t, "-lock=false")
	<-b.arrived
	first := b.race(t, "-lock=false")
	if code := first.code(); code != 0 {
		t.Fatalf("the first ended with %d:\n%s", code, &first.err)
	}
	made := b.liveKeys(t)
	b.letGo()
	if code := second.code(); code != 1 {
		t.Errorf("the second ended with %d:\n%s", code, &second.err)
	}
	b.settled(t, []*racer{first, second})
	for name, id := range b.liveKeys(t) {
		if made[name] != id {
			t.Errorf("%s is %s, and was delivered as %s", name, id, made[name])
		}
	}
}
