package state_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"b2form/internal/state"
	"b2form/schema/addr"
)

func noon() time.Time { return time.Date(2026, 10, 2, 12, 0, 0, 0, time.UTC) }

func options() state.Options {
	return state.Options{Now: noon, Operation: "apply", LockOwner: "ann@build"}
}

func statePath(t testing.TB) string { return filepath.Join(t.TempDir(), "b2form.state.json") }

func open(t testing.TB, path string) *state.Store {
	t.Helper()
	s, err := state.Open(context.Background(), path, options())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) *state.State {
	t.Helper()
	s, err := state.ReadOrEmpty(path)
	must(t, err)
	return s
}

func address(t testing.TB, s string) addr.Addr {
	t.Helper()
	a, err := addr.Parse(s)
	must(t, err)
	return a
}

func diff(want, got *state.State) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b addr.Addr) bool { return a == b }))
}

// The file is read by people and merged by version control, so its text counts.
func TestFile(t *testing.T) {
	path := statePath(t)
	s := open(t, path)
	must(t, s.BindAccount("d2e6b27577ea", "https://api.backblazeb2.com"))
	s.SetApplied(state.AppliedDigests{Salt: "5a17", NonsensitiveVariablesDigest: "0a", ConfigFilesDigest: "0b", OutputDigests: "name:0c"})
	photos, app := address(t, "bucket.photos"), address(t, `key.app["<edge>"]`)
	must(t, s.AnnounceCreates(state.CreateIntent{Addr: app, Identity: "app"},
		state.CreateIntent{Addr: photos, Identity: "acme-photos", KnownIDs: []string{"b1"}}))
	must(t, s.PutEntriesCloseIntents(
		addr.StateEntry{Addr: app, Identity: "app", ID: "k1", Created: noon().In(time.FixedZone("", 3600)), Delivered: true,
			DeliveryDigest: "sha256:00"},
		addr.StateEntry{Addr: address(t, "bucket.logs[10]"), Identity: "acme-logs-10", ID: "b10", Adopted: noon(),
			DriftDigests: "abcd0123456789ab0123456789cd", Updated: noon().Add(time.Minute).In(time.FixedZone("", 3600))},
		addr.StateEntry{Addr: address(t, "bucket.logs[9]"), Identity: "acme-logs-9", ID: "b9", PreventDestroy: true, ForceDestroy: true},
	))
	during := s.State()
	if d := diff(during, read(t, path)); d != "" {
		t.Errorf("Read beside a running Store (-store +read):\n%s", d)
	}
	must(t, s.Close())
	must(t, s.Close())

	want := `{
  "version": 5,
  "account_id": "d2e6b27577ea",
  "realm": "https://api.backblazeb2.com",
  "applied": {"salt":"5a17","variables":"0a","files":"0b","outputs":"name:0c"},
  "entries": [
    {"address":"bucket.logs[9]","identity":"acme-logs-9","id":"b9","prevent_destroy":true,"force_destroy":true},
    {"address":"bucket.logs[10]","identity":"acme-logs-10","id":"b10","adopted":"2026-10-02T12:00:00Z",` +
		`"digests":"abcd0123456789ab0123456789cd","updated":"2026-10-02T12:01:00Z"},
    {"address":"key.app[\"<edge>\"]","identity":"app","id":"k1","created":"2026-10-02T12:00:00Z","delivered":true,"delivery":"sha256:00"}
  ],
  "open": [
    {"address":"bucket.photos","identity":"acme-photos","known":["b1"],"at":"2026-10-02T12:00:00Z"}
  ]
}
`
	got, err := os.ReadFile(path)
	must(t, err)
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("state file (-want +got):\n%s", d)
	}
	if d := diff(during, read(t, path)); d != "" {
		t.Errorf("read back (-stored +read):\n%s", d)
	}
	if names := beside(t, path); len(names) > 0 {
		t.Errorf("left beside the state: %q", names)
	}
}

// beside lists what else is in the state's folder.
func beside(t testing.TB, path string) []string {
	t.Helper()
	var names []string
	files, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	for _, f := range files {
		if f.Name() != filepath.Base(path) {
			names = append(names, f.Name())
		}
	}
	return names
}

func TestStateIsACopy(t *testing.T) {
	s := open(t, statePath(t))
	defer s.Close()
	a := address(t, "key.app")
	must(t, s.AnnounceCreates(state.CreateIntent{Addr: a, Identity: "app", KnownIDs: []string{"k0"}}))
	must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: a, Identity: "app", ID: "k0", Retiring: []addr.RetiringObject{{ID: "k9"}}}))
	got := s.State()
	got.Entries[0].Retiring[0].ID, got.OpenIntents[0].KnownIDs[0] = "changed", "changed"
	if e, ok := s.State().FindEntry(a); !ok || e.Retiring[0].ID != "k9" || s.State().OpenIntents[0].KnownIDs[0] != "k0" {
		t.Errorf("a change of the copy shows in the store: %+v", s.State())
	}
}

// A run that changes nothing must not touch the file, whoever formatted it.
func TestUnchangedFileStays(t *testing.T) {
	path := statePath(t)
	text := `{"entries":[{"id":"k1","identity":"app","address":"key.app"},{"id":"b1","identity":"x","address":"bucket.x"}],"version":1}`
	must(t, os.WriteFile(path, []byte(text), 0o600))
	before, err := os.Stat(path)
	must(t, err)

	s := open(t, path)
	a := address(t, "key.app")
	must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: a, Identity: "app", ID: "k1"}))
	must(t, s.AnnounceCreates(state.CreateIntent{Addr: a, Identity: "new"}))
	must(t, s.DropIntents(state.CreateIntent{Addr: a, Identity: "new"}))
	must(t, s.ForgetEntries(address(t, "key.never")))
	must(t, s.Close())

	after, err := os.Stat(path)
	must(t, err)
	got, _ := os.ReadFile(path)
	if !os.SameFile(before, after) || string(got) != text {
		t.Errorf("the file was rewritten: %s", got)
	}
	if names := beside(t, path); len(names) > 0 {
		t.Errorf("left beside the state: %q", names)
	}
}

// A run that only looks leaves nothing, not even a first state file.
func TestNothingToStore(t *testing.T) {
	path := statePath(t)
	s := open(t, path)
	must(t, s.Close())
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a state file was made: %v", err)
	}
	if got := s.Stats(); got != (state.WriteStats{}) {
		t.Errorf("Stats() = %+v, want nothing written", got)
	}
	if d := diff(&state.State{}, read(t, filepath.Join(filepath.Dir(path), "no", "such", "folder.json"))); d != "" {
		t.Errorf("Read of an absent state:\n%s", d)
	}
}

func TestSymlinkAndMode(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "shared", "state.json"), filepath.Join(dir, "b2form.state.json")
	must(t, os.Mkdir(filepath.Dir(target), 0o755))
	must(t, os.Symlink(filepath.Join("shared", "state.json"), link))
	put := func(id string) {
		s := open(t, link)
		must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.app"), Identity: "app", ID: id}))
		must(t, s.Close())
	}
	put("k1")
	must(t, os.Chmod(target, 0o666)) // more than a umask lets through
	must(t, os.WriteFile(target+".tmp", []byte("left by a killed run"), 0o644))
	put("k2")

	if to, err := os.Readlink(link); err != nil || to != filepath.Join("shared", "state.json") {
		t.Errorf("the link became %q, %v", to, err)
	}
	info, err := os.Stat(target)
	must(t, err)
	if info.Mode().Perm() != 0o666 {
		t.Errorf("mode is %v, want it kept at 0666", info.Mode().Perm())
	}
	if names := beside(t, target); len(names) > 0 {
		t.Errorf("left beside the state: %q", names)
	}
	if e, _ := read(t, target).FindEntry(address(t, "key.app")); e.ID != "k2" {
		t.Errorf("the target holds %+v", e)
	}
}

// An object may be recorded, in one write, while an earlier attempt at it stays in doubt.
func TestPutInDoubt(t *testing.T) {
	path := statePath(t)
	s := open(t, path)
	a := address(t, "key.app")
	must(t, s.AnnounceCreates(state.CreateIntent{Addr: a, Identity: "app", KnownIDs: []string{"k1"}}))
	must(t, s.PutKeepingIntent(addr.StateEntry{Addr: a, Identity: "app", ID: "k2"}))
	must(t, s.PutKeepingIntent(addr.StateEntry{Addr: address(t, "key.other"), Identity: "other", ID: "k3"})) // nothing is announced
	got := read(t, path)
	want := []state.CreateIntent{{Addr: a, Identity: "app", KnownIDs: []string{"k1", "k2"}, LaterAttemptObjectID: "k2",
		AnnouncedAt: noon()}}
	if d := cmp.Diff(want, got.OpenIntents, cmp.Comparer(func(a, b addr.Addr) bool { return a == b })); d != "" || len(got.Entries) != 2 {
		t.Errorf("%d entries; open (-want +got):\n%s", len(got.Entries), d)
	}
	must(t, s.Close())
	if n := len(read(t, path).OpenIntents); n != 1 {
		t.Errorf("%d are open after closing, want 1", n)
	}
}

// What is announced stays open until its own outcome is known.
func TestIntents(t *testing.T) {
	path := statePath(t)
	s := open(t, path)
	a := address(t, "key.app")
	at := noon().Add(-time.Hour)
	must(t, s.AnnounceCreates(state.CreateIntent{Addr: a, Identity: "app", KnownIDs: []string{"k1"}, AnnouncedAt: at}))
	// the older one's IDs hold, with the new time
	must(t, s.AnnounceCreates(state.CreateIntent{Addr: a, Identity: "app", KnownIDs: []string{"k1", "k2"}}))
	must(t, s.AnnounceCreates(state.CreateIntent{Addr: a, Identity: "renamed"}))
	first := state.CreateIntent{Addr: a, Identity: "app", KnownIDs: []string{"k1"}, AnnouncedAt: noon()}
	second := state.CreateIntent{Addr: a, Identity: "renamed", AnnouncedAt: noon()}

	steps := []struct {
		name string
		do   func() error
		want []state.CreateIntent
	}{
		{"two identities", func() error { return nil }, []state.CreateIntent{first, second}},
		{"the old object was seen again", func() error {
			return s.PutEntriesCloseIntents(addr.StateEntry{Addr: a, Identity: "app",
				ID: "k1"})
		},
			[]state.CreateIntent{first, second}},
		{"the object is gone", func() error { return s.ForgetEntries(a) }, []state.CreateIntent{first, second}},
		{"the announced one exists", func() error { return s.PutEntriesCloseIntents(addr.StateEntry{Addr: a, Identity: "app", ID: "k3"}) },
			[]state.CreateIntent{second}},
		{"never made", func() error { return s.DropIntents(state.CreateIntent{Addr: a, Identity: "renamed"}) }, nil},
		{"nothing left to drop", func() error { return s.DropIntents(state.CreateIntent{Addr: a, Identity: "renamed"}) }, nil},
	}
	for _, step := range steps {
		must(t, step.do())
		for from, got := range map[string]*state.State{"State": s.State(), "Read": read(t, path)} {
			same := cmp.Comparer(func(a, b addr.Addr) bool { return a == b })
			if d := cmp.Diff(step.want, got.OpenIntents, cmpopts.EquateEmpty(), same); d != "" {
				t.Errorf("%s: open by %s (-want +got):\n%s", step.name, from, d)
			}
		}
	}
	must(t, s.Close())
}

// Moves and records of one MoveAndPut are one write, and a chain of moves frees each
// address for the next.
func TestRevise(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	s := open(t, path)
	a, b, c := address(t, "key.a"), address(t, "key.b"), address(t, "key.c")
	must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: a, Identity: "a", ID: "1", Retiring: []addr.RetiringObject{{ID: "8"},
		{ID: "9"}}},
		addr.StateEntry{Addr: b, Identity: "b", ID: "2"}))
	before := s.Stats().Syncs
	must(t, s.MoveAndPut([]state.EntryMove{{From: b, To: c}, {From: a, To: b}}, []addr.StateEntry{{Addr: a, Identity: "new", ID: "3"}}))
	if n := s.Stats().Syncs - before; n != 1 {
		t.Errorf("%d syncs, want 1", n)
	}
	must(t, s.RemoveRetiree(b, "8"))
	must(t, s.RemoveRetiree(b, "no such retiree"))
	must(t, s.RemoveRetiree(address(t, "key.none"), "8"))
	want := map[addr.Addr]string{a: "3 []", b: "1 [9]", c: "2 []"}
	must(t, s.Close())
	s = open(t, path)
	for addr, what := range want {
		e, ok := s.Entry(addr)
		var retiring []string
		for _, old := range e.Retiring {
			retiring = append(retiring, old.ID)
		}
		if got := fmt.Sprint(e.ID, " ", retiring); !ok || got != what {
			t.Errorf("%s is %s, want %s", addr, got, what)
		}
	}
	if err := s.MoveAndPut([]state.EntryMove{{From: a, To: address(t, "key.d")}, {From: a, To: c}}, nil); err == nil {
		t.Error("an entry moved away can be moved again")
	}
	if _, ok := s.Entry(a); !ok {
		t.Error("a refused MoveAndPut has moved something")
	}
	must(t, s.Close())
}

// A record of an object whose address has just moved closes its announcement, which
// moved along.
func TestMoveAndPutClosesWhatMoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	s := open(t, path)
	from, to := address(t, "bucket.a"), address(t, "bucket.b")
	must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: from, Identity: "a", ID: "1"}))
	must(t, s.AnnounceCreates(state.CreateIntent{Addr: from, Identity: "new"}))
	must(t, s.MoveAndPut([]state.EntryMove{{From: from, To: to}}, []addr.StateEntry{{Addr: to, Identity: "new", ID: "2"}}))
	if open := s.State().OpenIntents; len(open) > 0 {
		t.Errorf("still announced: %v", open)
	}
	must(t, s.Close())
}

// What was applied is stored with the first change that follows, and without one by Close.
func TestApplied(t *testing.T) {
	path := statePath(t)
	want := state.AppliedDigests{Salt: "5a17"}
	s := open(t, path)
	s.SetApplied(want)
	if got := read(t, path).Applied; got != (state.AppliedDigests{}) {
		t.Errorf("stored at once: %v", got)
	}
	must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.a"), Identity: "a", ID: "1"}))
	if got := read(t, path).Applied; got != want {
		t.Errorf("stored with a change: %v", got)
	}
	want.NonsensitiveVariablesDigest, want.ConfigFilesDigest = "0a", "0b"
	s.SetApplied(want)
	must(t, s.Close())
	for range 2 {
		if got := read(t, path).Applied; got != want {
			t.Errorf("stored by Close: %v, want %v", got, want)
		}
		s = open(t, path)
		must(t, s.Clear())
		want = state.AppliedDigests{}
		must(t, s.Close())
	}
}

// To whom a state belongs is stored with the first change that can be.
func TestBindOutlivesAFailedWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	s := open(t, path)
	must(t, s.BindAccount("account", "realm"))
	must(t, os.Mkdir(path+".journal", 0o755))
	if s.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.a"), Identity: "a", ID: "1"}) == nil {
		t.Fatal("a folder was written to")
	}
	must(t, os.Remove(path+".journal"))
	must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.b"), Identity: "b", ID: "2"}))
	read, err := state.ReadOrEmpty(path)
	must(t, err)
	if read.AccountID != "account" || len(read.Entries) != 1 {
		t.Errorf("stored: %+v", read)
	}
	must(t, s.Close())
}

func TestMove(t *testing.T) {
	s := open(t, statePath(t))
	defer s.Close()
	from, to := address(t, "key.a"), address(t, `module.m["x"].key.b`)
	must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: from, Identity: "app", ID: "k1"}))
	must(t, s.AnnounceCreates(state.CreateIntent{Addr: from, Identity: "app", KnownIDs: []string{"k1"}}))
	must(t, s.MoveEntry(from, to))
	want := &state.State{
		Entries:     []addr.StateEntry{{Addr: to, Identity: "app", ID: "k1"}},
		OpenIntents: []state.CreateIntent{{Addr: to, Identity: "app", KnownIDs: []string{"k1"}, AnnouncedAt: noon()}},
	}
	if d := diff(want, s.State()); d != "" {
		t.Errorf("after Move (-want +got):\n%s", d)
	}
	must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: from, Identity: "other", ID: "k2"}))
	for _, bad := range [][2]addr.Addr{{from, to}, {address(t, "key.none"), address(t, "key.free")}, {from, address(t, "bucket.a")}} {
		var e *state.Error
		if err := s.MoveEntry(bad[0], bad[1]); !errors.As(err, &e) || !strings.Contains(e.Detail, "key.") {
			t.Errorf("Move(%s, %s) = %v", bad[0], bad[1], err)
		}
	}
}

func TestBind(t *testing.T) {
	path := statePath(t)
	for range 2 {
		s := open(t, path)
		must(t, s.BindAccount("acc1", "https://api.backblazeb2.com"))
		must(t, s.BindAccount("acc1", "https://api.backblazeb2.com"))
		for _, other := range [][2]string{{"acc2", "https://api.backblazeb2.com"}, {"acc1", "http://localhost"}} {
			err := s.BindAccount(other[0], other[1])
			for _, want := range []string{"acc1", "https://api.backblazeb2.com", other[0], other[1]} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("Bind(%v) = %v; it should name %s", other, err, want)
				}
			}
		}
		must(t, s.Close())
	}
}

// An emulator on this machine is the same account at whatever port it listens, also where
// the state or its journal was written by a b2form that recorded the port.
func TestRealmWithoutPort(t *testing.T) {
	for _, test := range []struct{ first, then, recorded string }{
		{"http://127.0.0.1:8025", "http://127.0.0.1:39121", "http://127.0.0.1"},
		{"http://localhost:8025", "http://localhost:39121", "http://localhost"},
		{"http://[::1]:8025", "http://[::1]", "http://[::1]"},
		{"https://127.0.0.9:8025/b2", "https://127.0.0.9:1/b2", "https://127.0.0.9/b2"},
		{"https://b2.example.com:8025", "https://b2.example.com:8026", "https://b2.example.com:8025"},
		{"http://10.0.0.1:8025", "http://10.0.0.1:8026", "http://10.0.0.1:8025"},
	} {
		same := test.recorded != test.first
		old := statePath(t)
		must(t, os.WriteFile(old, fmt.Appendf(nil, `{"version":2,"account_id":"acc1","realm":%q}`, test.first), 0o644))
		fresh := statePath(t)
		s := open(t, fresh)
		must(t, s.BindAccount("acc1", test.first))
		must(t, s.Close())
		for _, path := range []string{old, fresh} {
			s := open(t, path)
			if err := s.BindAccount("acc1", test.then); (err == nil) != same {
				t.Errorf("bound to %s, then to %s: %v", test.first, test.then, err)
			}
			must(t, s.Close())
			got := read(t, path)
			if got.Realm != test.recorded || got.CanBelongTo("acc1", test.then) != same || got.CanBelongTo("acc2", test.first) {
				t.Errorf("%s is recorded as %s, not as %s; it belongs to acc1 at %s: %v", test.first, got.Realm, test.recorded, test.then,
					got.CanBelongTo("acc1", test.then))
			}
		}
	}
}

// Work is linear in what changes: one line and at most one sync a change, and
// the file once. The bound on bytes fails for anything that rewrites as it goes.
func TestCost(t *testing.T) {
	cost := func(n int) state.WriteStats {
		s := open(t, statePath(t))
		for i := range n {
			a := addr.Addr{Kind: "key", Label: "app", Instance: addr.CountIndex(i)}
			name := fmt.Sprintf("app-%d", i)
			must(t, s.AnnounceCreates(state.CreateIntent{Addr: a, Identity: name}))
			must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: a, Identity: name, ID: name}))
		}
		must(t, s.Close())
		return s.Stats()
	}
	got := cost(50)
	if got.Syncs > 2*50+3 {
		t.Errorf("%d syncs for 100 changes one after the other", got.Syncs)
	}
	if double := cost(100); double.Bytes > got.Bytes*2+got.Bytes/10 {
		t.Errorf("50 creates write %d bytes, 100 write %d", got.Bytes, double.Bytes)
	}
	// Many facts at once are one sync.
	s := open(t, statePath(t))
	var many []addr.StateEntry
	for i := range 1000 {
		many = append(many, addr.StateEntry{Addr: addr.Addr{Kind: "key", Label: "k", Instance: addr.CountIndex(i)}, Identity: "x",
			ID: fmt.Sprint("y", i)})
	}
	must(t, s.PutEntriesCloseIntents(many...))
	if got := s.Stats(); got.Syncs > 2 {
		t.Errorf("%d syncs for one Put of 1000 entries", got.Syncs)
	}
	must(t, s.Close())
}
