package state_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"b2form/internal/state"
	"b2form/internal/testrun"
	"b2form/schema/addr"
)

// What cannot be understood is explained, placed, and left alone.
func TestBadFiles(t *testing.T) {
	const entry = `{"address":"key.app","identity":"app","id":"k1"}`
	tests := []struct{ name, text, summary, detail string }{
		{"empty", "", "State file is damaged", "line 1, column 1: the file ends too early"},
		{"cut off", "{\n  \"version\": 1,\n  \"entr", "State file is damaged", "line 3, column 8: the file ends too early"},
		{"cut in a list", `{"version":1,"entries":[` + entry, "State file is damaged", "the file ends too early"},
		{"not JSON", "{\n  \"version\": 1,\n  oops\n}", "State file is damaged", "line 3, column 3: what stands there is not JSON"},
		{"a list", "[]", "State file is damaged", `line 1, column 1: "{" was expected`},
		{"something else", `{"lineage":"x"}`, "State file is damaged", `line 1, column 2: "lineage" is not known here`},
		{"no version", `{"entries":[]}`, "State file is damaged", `no "version"`},
		{"wrong type", "{\"version\":1,\"entries\":[\n  {\"address\":\"key.app\",\"identity\":7}]}", "State file is damaged",
			"line 2, column 3: a JSON number stands where a string belongs"},
		{"unknown member", "{\"version\":1,\"entries\":[\n  {\"adress\":\"key.app\"}]}", "State file is damaged",
			`line 2, column 3: unknown field "adress"`},
		{"bad address", "{\"version\":1,\"entries\":[\n  " + entry + ",\n  {\"address\":\"key\"}]}", "State file is damaged",
			`line 3, column 3: "key" is not a resource address`},
		{"no ID", `{"version":1,"entries":[{"address":"key.app","identity":"app"}]}`, "State file is damaged", "an entry lacks"},
		{"digests cut off", `{"version":4,"entries":[{"address":"key.app","identity":"app","id":"k1","digests":"abcd"}]}`,
			"State file is damaged", "the digests of key.app have 4 characters, which none have"},
		{"no identity", `{"version":1,"open":[{"address":"key.app"}]}`, "State file is damaged", "an open create lacks"},
		{"twice", `{"version":1,"entries":[` + entry + "," + entry + `]}`, "State file is damaged", "key.app stands twice"},
		{"open twice", `{"version":1,"open":[{"address":"key.app","identity":"a"},{"address":"key.app","identity":"a"}]}`,
			"State file is damaged", "key.app stands twice"},
		{"entries twice", `{"version":1,"entries":[` + entry + `],"entries":[]}`, "State file is damaged", `"entries" stands twice`},
		{"an ID twice", `{"version":1,"entries":[{"address":"key.app","identity":"app","id":"k1","id":"k2"}]}`, "State file is damaged",
			`"id" stands twice`},
		{"an ID in two spellings", `{"version":1,"entries":[{"address":"key.app","identity":"app","id":"k1","ID":"k2"}]}`,
			"State file is damaged", `"id" stands twice`},
		{"a predecessor's ID twice", `{"version":2,"entries":[{"address":"key.app","identity":"app","id":"k1",` +
			`"retiring":[{"id":"k2","name":"app","id":"k3"}]}]}`, "State file is damaged", `"id" stands twice`},
		{"version below one", `{"version":-5,"entries":[]}`, "State file is damaged", `no "version"`},
		{"two files", `{"version":1}{"version":1}`, "State file is damaged", "line 1, column 14: something follows"},
		{"merge conflict", "{\"version\":1,\"entries\":[\n<<<<<<< HEAD\n" + entry, "State file holds a merge conflict",
			"has the marks of a merge conflict at line 2. It was left as it is. Delete the marks"},
		{"Terraform's", `{"version":4,"terraform_version":"1.9.0","serial":3,"lineage":"x","outputs":{},"resources":[]}`,
			"State is one of Terraform's", "takes it over with one approval"},
		{"newer", `{"version":6,"entries":{"of":"another shape"}}`, "State was written by a newer b2form",
			"format version 6; this b2form knows version 5"},
		{"one object at two addresses", `{"version":2,"entries":[` + entry + `,{"address":"key.web","identity":"web","id":"k1"}]}`,
			"State names one object twice", `key.app (named "app") and key.web (named "web")`},
		{"a retiree is another's live object", `{"version":2,"entries":[` + entry + `,{"address":"key.web","identity":"web","id":"k2",` +
			`"retiring":[{"id":"k1"}]}]}`,
			"State names one object twice", `key.app (named "app") and key.web (under "retiring")`},
		{"a retiree of two", `{"version":1,"entries":[{"address":"key.a","identity":"a","id":"1","retiring":[{"id":"3"}]},` +
			`{"address":"key.b","identity":"b","id":"2","retiring":[{"id":"3"}]}]}`,
			"State names one object twice", `key.a (under "retiring") and key.b (under "retiring")`},
		{"a retiree is the live object", `{"version":1,"entries":[{"address":"key.a","identity":"a","id":"1","retiring":[{"id":"1"}]}]}`,
			"State names one object twice", `key.a (named "a") more than once`},
		{"a retiree without an ID", `{"version":2,"entries":[{"address":"key.a","identity":"a","id":"1","retiring":[{"name":"a"}]}]}`,
			"State file is damaged", `what key.a lists under "retiring" lacks "id"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := statePath(t)
			must(t, os.WriteFile(path, []byte(test.text), 0o644))
			_, readErr := state.ReadOrEmpty(path)
			_, openErr := state.Open(context.Background(), path, options())
			for _, err := range []error{readErr, openErr} {
				var e *state.Error
				if !errors.As(err, &e) {
					t.Fatalf("error is %v, want an *Error", err)
				}
				if e.Summary != test.summary || !strings.Contains(e.Detail, test.detail) || e.Path != path ||
					!strings.Contains(e.Detail, path) {
					t.Errorf("error is %q: %q (%s)", e.Summary, e.Detail, e.Path)
				}
			}
			got, err := os.ReadFile(path)
			must(t, err)
			if string(got) != test.text {
				t.Errorf("the file was changed to %q", got)
			}
			if names := beside(t, path); len(names) > 0 {
				t.Errorf("left beside the state: %q", names)
			}
		})
	}
}

// A byte order mark, as editors on Windows write one, is no damage.
func TestByteOrderMark(t *testing.T) {
	path := statePath(t)
	text := "\ufeff" + `{"version":1,"entries":[{"address":"key.app","identity":"app","id":"k1"}]}`
	must(t, os.WriteFile(path, []byte(text), 0o644))
	s, err := state.ReadOrEmpty(path)
	if must(t, err); len(s.Entries) != 1 || s.Entries[0].ID != "k1" {
		t.Errorf("read %+v", s)
	}
}

func TestBadPlaces(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o644))
	locked := filepath.Join(dir, "locked.json")
	must(t, os.MkdirAll(filepath.Join(locked+".lock", "full"), 0o755))
	loop := filepath.Join(dir, "loop.json")
	must(t, os.Symlink(loop, loop))
	tests := []struct{ name, path, summary, detail string }{
		{"a directory", dir, "State cannot be used", "is a directory"},
		{"not a file", os.DevNull, "State cannot be used", "is not a regular file"},
		{"below a file", filepath.Join(file, "b2form.state.json"), "State cannot be saved", "not a directory"},
		{"no folder", filepath.Join(dir, "none", "b2form.state.json"), "State cannot be saved", "no such file or directory"},
		{"nothing may be written beside it", locked, "State cannot be saved", "is a directory"},
		{"a link to itself", loop, "State cannot be read", "too many symbolic links"},
	}
	for _, test := range tests {
		var e *state.Error
		_, err := state.Open(context.Background(), test.path, options())
		if !errors.As(err, &e) || e.Summary != test.summary || !strings.Contains(e.Detail, test.detail) {
			t.Errorf("%s: Open = %v", test.name, err)
		}
	}
	if _, err := state.ReadOrEmpty(locked); err != nil {
		t.Errorf("Read needs no lock, but says %v", err)
	}
}

func TestLocked(t *testing.T) {
	path := statePath(t)
	first := open(t, path)
	o := options()
	o.Operation = "destroy"
	_, err := state.Open(context.Background(), path, o)
	var e *state.Error
	var held *state.LockedError
	if !errors.As(err, &e) || !errors.As(err, &held) {
		t.Fatalf("Open of a locked state = %v", err)
	}
	want := state.LockedError{Path: path, Operation: "apply", Who: "ann@build", PID: os.Getpid(), Created: noon()}
	if d := cmp.Diff(want, *held, cmpopts.IgnoreUnexported(want)); d != "" {
		t.Errorf("holder (-want +got):\n%s", d)
	}
	for _, line := range []string{"Lock Info:\n", "  Path:      " + path, "  Operation: apply\n", "  Who:       ann@build",
		"  Created:   2026-10-02T12:00:00Z"} {
		if !strings.Contains(e.Detail, line) {
			t.Errorf("detail lacks %q:\n%s", line, e.Detail)
		}
	}
	if _, err := state.ReadOrEmpty(path); err != nil {
		t.Errorf("Read of a locked state: %v", err)
	}

	gone, cancel := context.WithCancel(context.Background())
	cancel()
	o.LockTimeout = time.Hour
	if _, err := state.Open(gone, path, o); !errors.Is(err, context.Canceled) {
		t.Errorf("Open with a cancelled context = %v", err)
	}

	// Whoever waits gets it, one after the other, and nothing is lost.
	got := make(chan error)
	for _, name := range []string{"a", "b", "c"} {
		go func() {
			s, err := state.Open(context.Background(), path, o)
			if err != nil {
				got <- err
				return
			}
			a := addr.Addr{Kind: "key", Label: name}
			got <- errors.Join(s.PutEntriesCloseIntents(addr.StateEntry{Addr: a, Identity: name, ID: name}), s.Close())
		}()
	}
	must(t, first.Close())
	for range 3 {
		must(t, <-got)
	}
	if n := len(read(t, path).Entries); n != 3 {
		t.Errorf("%d entries, want those of all three", n)
	}
}

// Runs that come and go: never two at once, and who reads meanwhile never sees
// an older state than before.
func TestContention(t *testing.T) {
	path := statePath(t)
	must(t, os.WriteFile(path, []byte(`{"version":1}`), 0o644))
	runs := int64(testrun.CaseCount(30, 100))
	var holders, done atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for done.Load() < runs {
				s, err := state.Open(context.Background(), path, options())
				var held *state.LockedError
				if errors.As(err, &held) {
					continue
				}
				if err != nil || holders.Add(1) > 1 {
					t.Errorf("two runs at once, or: %v", err)
				}
				id := fmt.Sprintf("%06d", done.Add(1))
				err = s.PutEntriesCloseIntents(addr.StateEntry{Addr: addr.Addr{Kind: "key", Label: "app"}, Identity: "app", ID: id})
				holders.Add(-1)
				if err := errors.Join(err, s.Close()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	last := ""
	for done.Load() < runs {
		s, err := state.ReadOrEmpty(path)
		if err != nil {
			t.Fatal(err)
		}
		e, _ := s.FindEntry(addr.Addr{Kind: "key", Label: "app"})
		if e.ID < last {
			t.Fatalf("read %s after %s", e.ID, last)
		}
		last = e.ID
	}
	wg.Wait()
}

func TestClosed(t *testing.T) {
	s := open(t, statePath(t))
	must(t, s.Close())
	if err := s.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.app"), Identity: "app", ID: "k1"}); err == nil {
		t.Error("Put after Close succeeds")
	}
}

func TestForeignJournal(t *testing.T) {
	path := statePath(t)
	s := open(t, path)
	must(t, s.BindAccount("acc1", "https://api.backblazeb2.com"))
	must(t, s.Close())
	s = open(t, path)
	must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.app"), Identity: "app", ID: "k1"}))
	other := filepath.Join(t.TempDir(), "b2form.state.json")
	copyFile(t, path+".journal", other+".journal")
	must(t, s.Close())

	if e, ok := read(t, other).FindEntry(address(t, "key.app")); !ok || e.ID != "k1" {
		t.Errorf("a journal without its state gives %+v", e)
	}
	must(t, os.WriteFile(other, []byte(`{"version":1,"account_id":"acc2","realm":"https://api.backblazeb2.com"}`), 0o644))
	var e *state.Error
	if _, err := state.ReadOrEmpty(other); !errors.As(err, &e) || !strings.Contains(e.Detail, "acc1") ||
		!strings.Contains(e.Detail, "acc2") {
		t.Errorf("Read beside another account's journal = %v", err)
	}
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, data, 0o644))
}

// Steps that look at the state while another one makes its journal see nobody else's
// work in it.
func TestLooksWhileTheJournalIsMade(t *testing.T) {
	for range testrun.CaseCount(50, 200) {
		s := open(t, statePath(t))
		var looking sync.WaitGroup
		stop := make(chan struct{})
		for range 2 {
			looking.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if err := s.CheckLocked(); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.app"), Identity: "app", ID: "k1"}))
		close(stop)
		looking.Wait()
		must(t, s.Close())
		if t.Failed() {
			return
		}
	}
}
