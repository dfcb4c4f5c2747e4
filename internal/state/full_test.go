//go:build unix

package state_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"b2form/internal/state"
	"b2form/schema/addr"
)

// No room while saving: what was stored before stays, what happened is kept as
// far as there is room for it, and an announcement that found none is not made.
// The child may write files of 4 KiB only, which a full disk comes down to.
func TestNoRoom(t *testing.T) {
	if path := os.Getenv(helper); path != "" {
		fillUp(t, path)
		return
	}
	for _, before := range []int{0, 200} { // with 200 entries the state alone has no room
		path := statePath(t)
		s := open(t, path)
		for i := range before {
			must(t, s.PutEntriesCloseIntents(entryNumber("old", i)))
		}
		must(t, s.Close())
		old, err := os.ReadFile(path)
		if before > 0 {
			must(t, err)
		}

		out, err := child(t, "TestNoRoom", path).Output()
		if err != nil {
			t.Fatalf("the child failed: %v\n%s", err, out)
		}
		var stored int
		if _, err := fmt.Sscanf(string(out), "stored %d\n", &stored); err != nil {
			t.Fatalf("the child said %s", out)
		}
		now, _ := os.ReadFile(path)
		if before > 0 && string(now) != string(old) {
			t.Errorf("the state file was changed without room for it:\n%s", now)
		}
		if names := strings.Join(beside(t, path), " "); before > 0 && names != filepath.Base(path)+".journal" {
			t.Errorf("left beside the state: %q", names)
		}
		got := read(t, path)
		for i := range stored {
			if _, ok := got.FindEntry(entryNumber("new", i).Addr); !ok {
				t.Errorf("entry %d of %d stored is gone", i, stored)
			}
		}
		if len(got.OpenIntents) > 0 {
			t.Errorf("an announcement that failed is open: %+v", got.OpenIntents)
		}
		must(t, open(t, path).Close())
		if d := diff(got, read(t, path)); d != "" {
			t.Errorf("the next run changed the state:\n%s", d)
		}
	}
}

func fillUp(t *testing.T, path string) {
	signal.Ignore(syscall.SIGXFSZ)
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: 4096}))
	s, err := state.Open(context.Background(), path, options())
	must(t, err)
	stored := 0
	for err == nil {
		if err = s.PutEntriesCloseIntents(entryNumber("new", stored)); err == nil {
			stored++
		}
	}
	fmt.Printf("stored %d\n", stored)
	begin := s.AnnounceCreates(state.CreateIntent{Addr: addr.Addr{Kind: "key", Label: "none"}, Identity: strings.Repeat("x", 4096)})
	for name, err := range map[string]error{"Put": err, "Begin": begin} {
		checkNoRoom(t, name, path+".journal", err)
	}
	if err := s.Close(); err != nil {
		checkNoRoom(t, "Close", path, err)
		if !strings.Contains(err.Error(), path+".journal") {
			t.Errorf("Close = %v; it should say where the changes are", err)
		}
	}
}

func checkNoRoom(t *testing.T, name, path string, err error) {
	t.Helper()
	var e *state.Error
	if !errors.As(err, &e) || e.Summary != "No space left for the state" || e.Path != path ||
		!strings.Contains(e.Detail, "Free some space") {
		t.Errorf("%s = %v", name, err)
	}
}
