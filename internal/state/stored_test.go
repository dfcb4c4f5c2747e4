package state_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"b2form/internal/state"
	"b2form/schema/addr"
)

func refused(t *testing.T, what string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}

// A link in the place of the lock or the journal leads to a file that is somebody
// else's, and stays as it is.
func TestLinksAreNotWrittenThrough(t *testing.T) {
	for _, suffix := range []string{".lock", ".journal"} {
		path := statePath(t)
		for _, there := range []bool{true, false} {
			target := filepath.Join(t.TempDir(), "precious")
			if there {
				must(t, os.WriteFile(target, []byte("precious\n"), 0o644))
			}
			must(t, os.Symlink(target, path+suffix))
			s, err := state.Open(t.Context(), path, options())
			if err == nil {
				err = s.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.app"), Identity: "app", ID: "k1"})
				_ = s.Close()
			}
			refused(t, suffix, err, "is a symbolic link")
			if suffix == ".lock" {
				_, err = state.LocalFile{Path: path}.LockHolder(t.Context())
				refused(t, "Holder", err, "is a symbolic link")
			} else {
				_, err = state.ReadOrEmpty(path)
				refused(t, "Read", err, "is a symbolic link")
			}
			if got, err := os.ReadFile(target); there && string(got) != "precious\n" || !there && !os.IsNotExist(err) {
				t.Errorf("%s: the target holds %q, %v", suffix, got, err)
			}
			must(t, os.Remove(path+suffix))
		}
	}
	// Also one that appears while a run has the lock.
	path, target := statePath(t), filepath.Join(t.TempDir(), "precious")
	must(t, os.WriteFile(target, []byte("precious\n"), 0o644))
	s := open(t, path)
	must(t, os.Symlink(target, path+".journal"))
	refused(t, "Begin", s.AnnounceCreates(state.CreateIntent{Addr: address(t, "key.app"), Identity: "app"}), "symbolic link")
	if got, _ := os.ReadFile(target); string(got) != "precious\n" {
		t.Errorf("the target holds %q", got)
	}
}

// A run whose lock file was removed does nothing more, and leaves the lock, the
// journal and the state to the run that has them now.
func TestRemovedLock(t *testing.T) {
	path := statePath(t)
	first := open(t, path)
	must(t, first.AnnounceCreates(state.CreateIntent{Addr: address(t, "key.a"), Identity: "a"}))
	must(t, first.CheckLocked())
	must(t, os.Remove(path+".lock"))
	refused(t, "Check without a lock file", first.CheckLocked(), "lock was lost")
	second := open(t, path)
	refused(t, "Check beside another run", first.CheckLocked(), "lock was lost")
	refused(t, "Put", first.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.a"), Identity: "a", ID: "k1"}), "lock was lost")
	must(t, second.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.a"), Identity: "a", ID: "k2"}))
	refused(t, "Close", first.Close(), "lock was lost")
	must(t, second.CheckLocked())
	must(t, second.Close())
	if e, _ := read(t, path).FindEntry(address(t, "key.a")); e.ID != "k2" {
		t.Errorf("stored: %+v", e)
	}
	if names := beside(t, path); len(names) > 0 {
		t.Errorf("left beside the state: %q", names)
	}
}

// Without a lock, of two runs that read the same the second to write is refused,
// before it does anything, and what the first stored stays.
func TestWithoutLock(t *testing.T) {
	free := options()
	free.NoLock = true
	a, b := addr.StateEntry{Addr: address(t, "key.a"), Identity: "a", ID: "k1"},
		addr.StateEntry{Addr: address(t, "key.a"), Identity: "a", ID: "k2"}
	intent := state.CreateIntent{Addr: a.Addr, Identity: "a"}
	for name, o := range map[string]state.Options{"neither locks": free, "the first has the lock": options()} {
		path := statePath(t)
		first, err := state.Open(t.Context(), path, o)
		must(t, err)
		second, err := state.Open(t.Context(), path, free)
		must(t, err)
		must(t, first.AnnounceCreates(intent))
		refused(t, name+": Check", second.CheckLocked(), "changed by another run")
		refused(t, name+": Begin", second.AnnounceCreates(intent), "changed by another run")
		must(t, first.CheckLocked())
		must(t, first.PutEntriesCloseIntents(a))
		must(t, first.Close())
		refused(t, name+": Put", second.PutEntriesCloseIntents(b), "changed by another run")
		refused(t, name+": Close", second.Close(), "changed by another run")
		if e, _ := read(t, path).FindEntry(a.Addr); e.ID != "k1" {
			t.Errorf("%s: stored: %+v", name, e)
		}

		// One that read what the first has begun, and goes on from there, ends the first.
		first, err = state.Open(t.Context(), path, o)
		must(t, err)
		must(t, first.AnnounceCreates(state.CreateIntent{Addr: address(t, "key.b"), Identity: "b"}))
		second, err = state.Open(t.Context(), path, free)
		must(t, err)
		must(t, second.PutEntriesCloseIntents(b))
		refused(t, name+": Check of the first", first.CheckLocked(), "changed by another run")
		must(t, second.Close())
		refused(t, name+": Close of the first", first.PutEntriesCloseIntents(a), "changed by another run")
		_ = first.Close()
		if e, _ := read(t, path).FindEntry(a.Addr); e.ID != "k2" {
			t.Errorf("%s: stored: %+v", name, e)
		}
	}
}
