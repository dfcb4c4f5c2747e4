package state_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"b2form/internal/state"
	"b2form/schema/addr"
)

// Whatever is cut off the end of a journal, the state is the one after the last
// change that is whole, and going on from it works.
func TestEveryPrefixOfTheJournal(t *testing.T) {
	t.Parallel()
	path := statePath(t)
	s := open(t, path)
	must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.old"), Identity: "old", ID: "k0"}))
	must(t, s.Close())
	s = open(t, path)
	a, b := address(t, "key.a"), address(t, "key.b")
	after := []*state.State{s.State(), s.State()} // nothing, and the journal's first line, change nothing
	for _, change := range []func() error{
		func() error { return s.BindAccount("acc1", "https://api.backblazeb2.com") },
		func() error { return s.AnnounceCreates(state.CreateIntent{Addr: a, Identity: "a"}) },
		func() error { return s.PutEntriesCloseIntents(addr.StateEntry{Addr: a, Identity: "a", ID: "k1"}) },
		func() error {
			return s.AnnounceCreates(state.CreateIntent{Addr: a, Identity: "a2", KnownIDs: []string{"k1"}})
		},
		func() error { return s.MoveEntry(a, b) },
		func() error { return s.ForgetEntries(address(t, "key.old")) },
		func() error { return s.DropIntents(state.CreateIntent{Addr: b, Identity: "a2"}) },
	} {
		must(t, change())
		after = append(after, s.State())
	}
	journal, err := os.ReadFile(path + ".journal")
	must(t, err)
	if lines := bytes.Count(journal, []byte("\n")); lines != len(after)-1 {
		t.Fatalf("%d lines for %d changes", lines, len(after)-2)
	}
	defer s.Close()

	crashed := statePath(t)
	for n := range len(journal) + 1 {
		copyFile(t, path, crashed)
		must(t, os.WriteFile(crashed+".journal", journal[:n], 0o644))
		whole := bytes.Count(journal[:n], []byte("\n"))
		if n < len(journal) && journal[n] == '\n' {
			whole++ // only the end of the line is missing
		}
		want := after[whole]
		if d := diff(want, read(t, crashed)); d != "" {
			t.Fatalf("Read after %d bytes (-want +got):\n%s", n, d)
		}
		if n%17 != 0 && n != len(journal) && journal[n] != '\n' {
			continue // the rest syncs, which takes its time
		}
		next := open(t, crashed)
		must(t, next.AnnounceCreates(state.CreateIntent{Addr: address(t, "key.next"), Identity: "next"}))
		if d := diff(next.State(), read(t, crashed)); d != "" {
			t.Fatalf("going on after %d bytes (-store +read):\n%s", n, d)
		}
		must(t, next.DropIntents(state.CreateIntent{Addr: address(t, "key.next"), Identity: "next"}))
		must(t, next.Close())
		if d := diff(want, read(t, crashed)); d != "" {
			t.Fatalf("folded after %d bytes (-want +got):\n%s", n, d)
		}
	}
}

// The journal is read as strictly as the state: what is not understood is reported with
// its line, and nothing is written.
func TestDamagedJournal(t *testing.T) {
	path := statePath(t)
	s := open(t, path)
	for _, id := range []string{"k1", "k2", "k3"} {
		must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key."+id), Identity: id, ID: id}))
	}
	journal, err := os.ReadFile(path + ".journal")
	must(t, err)
	must(t, s.Close())
	valid := func(do string) string {
		return fmt.Sprintf("{\"sum\":\"%08x\",\"do\":%s}\n", crc32.ChecksumIEEE([]byte(do)), do)
	}
	put := func(entry string) string { return valid(`{"put":` + entry + `}`) }
	whole := string(journal)
	for name, test := range map[string]struct{ text, summary, detail string }{
		"a line in the middle": {strings.Replace(whole, `"id":"k2"`, `"id":"kX"`, 1), "Journal of the state is damaged",
			"line 3 is not understood: it does not have the checksum"},
		"the first line": {"x" + whole, "Journal of the state is damaged", "line 1 is not understood"},
		"an unknown kind": {whole + valid(`{"explode":{"address":"key.k1"}}`), "Journal of the state is damaged",
			`line 5 is not understood: unknown field "explode"`},
		"an unknown member": {whole + put(`{"address":"key.a","identity":"a","id":"1","colour":"red"}`),
			"Journal of the state is damaged", `unknown field "colour"`},
		"an entry without its ID": {whole + put(`{"address":"key.a","identity":"a"}`), "Journal of the state is damaged",
			"an entry lacks"},
		"an entry without address": {whole + put(`{"identity":"a","id":"1"}`), "Journal of the state is damaged", "an entry lacks"},
		"no address": {whole + put(`{"address":"key","identity":"a","id":"1"}`), "Journal of the state is damaged",
			"not a resource address"},
		"a create without a name": {whole + valid(`{"begin":[{"address":"key.a"}]}`), "Journal of the state is damaged",
			"an open create lacks"},
		"nothing":         {whole + valid(`{}`), "Journal of the state is damaged", "it says nothing"},
		"a newer version": {whole + valid(`{"version":6,"put":7}`), "State was written by a newer b2form", "format version 6"},
		"one object twice": {whole + put(`{"address":"key.a","identity":"a","id":"k1"}`), "State names one object twice",
			`key.a (named "a") and key.k1 (named "k1")`},
	} {
		t.Run(name, func(t *testing.T) {
			path := statePath(t)
			must(t, os.WriteFile(path+".journal", []byte(test.text), 0o644))
			_, readErr := state.ReadOrEmpty(path)
			_, openErr := state.Open(context.Background(), path, options())
			for _, err := range []error{readErr, openErr} {
				var e *state.Error
				if !errors.As(err, &e) || e.Summary != test.summary || !strings.Contains(e.Detail, test.detail) ||
					!strings.Contains(e.Detail, path) {
					t.Errorf("error is %v", err)
				}
			}
			if left, err := os.ReadFile(path + ".journal"); err != nil || string(left) != test.text {
				t.Errorf("the journal was changed: %v\n%s", err, left)
			}
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a state was written: %v", err)
			}
		})
	}
}

// What a run did not write to its end is cut off by the next one that writes, so a
// damaged line among whole ones is always somebody else's doing. A journal that an
// older b2form left is marked before it gets lines that that one would misread.
func TestGoingOnCutsOffWhatIsTorn(t *testing.T) {
	path := statePath(t)
	s := open(t, path)
	must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.a"), Identity: "a", ID: "1"}))
	journal, err := os.ReadFile(path + ".journal")
	must(t, err)
	must(t, s.Close())
	old := `{"version":1}`
	head := fmt.Sprintf("{\"sum\":\"%08x\",\"do\":%s}\n", crc32.ChecksumIEEE([]byte(old)), old)
	_, put, _ := strings.Cut(string(journal), "\n")
	for name, test := range map[string]struct{ left, want string }{
		"torn":             {string(journal) + `{"sum":"00`, string(journal)},
		"without its end":  {strings.TrimSuffix(string(journal), "\n"), string(journal)},
		"torn at once":     {`{"sum":`, strings.TrimSuffix(string(journal), put)},
		"of an older form": {head + put, head + put + strings.TrimSuffix(string(journal), put)},
	} {
		path := statePath(t)
		must(t, os.WriteFile(path+".journal", []byte(test.left), 0o644))
		s := open(t, path)
		must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.b"), Identity: "b", ID: "2"}))
		got, err := os.ReadFile(path + ".journal")
		must(t, err)
		if rest, ok := strings.CutPrefix(string(got), test.want); !ok || strings.Count(rest, "\n") != 1 {
			t.Errorf("%s: the journal is\n%s", name, got)
		}
		must(t, s.Close())
	}
}

// Any sequence of changes, crashes and clean runs: what Store, Read and the file
// say is what a plain map says.
func TestHistories(t *testing.T) {
	t.Parallel()
	steps := rapid.SliceOfN(rapid.SampledFrom([]string{"put", "put", "forget", "move", "crash", "crash while closing", "close"}), 1, 12)
	rapid.Check(t, func(r *rapid.T) {
		h := &history{t: t, model: map[addr.Addr]string{}, root: t.TempDir()}
		h.restart(h.newPath())
		for _, step := range steps.Draw(r, "steps") {
			h.step(r, step)
			h.check(r)
		}
		must(t, h.store.Close())
		h.check(r)
	})
}

// A history is a state that lives through several processes, of which each has
// a folder of its own after a crash: the lock of the crashed one is still held.
type history struct {
	t     *testing.T
	root  string
	runs  int
	puts  int
	path  string
	store *state.Store
	model map[addr.Addr]string // IDs
}

func (h *history) step(r *rapid.T, step string) {
	pick := func(name string) addr.Addr {
		return addr.Addr{Kind: "key", Label: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, name)}
	}
	switch step {
	case "put":
		a := pick("addr")
		h.puts++
		id := fmt.Sprint("k", h.puts) // no object has two addresses
		must(h.t, h.store.PutEntriesCloseIntents(addr.StateEntry{Addr: a, Identity: "n", ID: id}))
		h.model[a] = id
	case "forget":
		a := pick("addr")
		must(h.t, h.store.ForgetEntries(a))
		delete(h.model, a)
	case "move":
		from, to := pick("from"), pick("to")
		id, has := h.model[from]
		_, taken := h.model[to]
		err := h.store.MoveEntry(from, to)
		if (err == nil) != (has && !taken) {
			r.Fatalf("Move(%s, %s) = %v", from, to, err)
		}
		if err == nil {
			h.model[to] = id
			delete(h.model, from)
		}
	case "close":
		h.restart(h.path)
	case "crash":
		next := h.newPath()
		copyAll(h.t, filepath.Dir(h.path), filepath.Dir(next))
		h.restart(next)
	case "crash while closing": // the state is replaced, the journal still there
		next := h.newPath()
		copyAll(h.t, filepath.Dir(h.path), filepath.Dir(next))
		must(h.t, h.store.Close())
		copyAll(h.t, filepath.Dir(h.path), filepath.Dir(next))
		h.restart(next)
	}
}

func (h *history) newPath() string {
	h.runs++
	dir := filepath.Join(h.root, fmt.Sprint(h.runs))
	must(h.t, os.Mkdir(dir, 0o755))
	return filepath.Join(dir, "state.json")
}

func (h *history) restart(path string) {
	if h.store != nil {
		must(h.t, h.store.Close())
	}
	h.path, h.store = path, open(h.t, path)
}

func (h *history) check(r *rapid.T) {
	if d := diff(h.store.State(), read(h.t, h.path)); d != "" {
		r.Fatalf("Read (-store +read):\n%s", d)
	}
	got := map[addr.Addr]string{}
	for _, e := range h.store.State().Entries {
		got[e.Addr] = e.ID
	}
	if d := cmp.Diff(h.model, got, cmp.Comparer(func(a, b addr.Addr) bool { return a == b })); d != "" {
		r.Fatalf("entries (-want +got):\n%s", d)
	}
}

func copyAll(t testing.TB, from, to string) {
	t.Helper()
	files, err := os.ReadDir(from)
	must(t, err)
	for _, f := range files {
		copyFile(t, filepath.Join(from, f.Name()), filepath.Join(to, f.Name()))
	}
}

// helper, in the environment, makes the test binary play another process.
const helper = "B2FORM_STATE_TEST_HELPER"

// child runs a Test function of this binary with the state's path.
func child(t *testing.T, test, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), helper+"="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

// A process that is killed loses nothing that it was told is stored, and the
// lock with its life.
func TestKill(t *testing.T) {
	if path := os.Getenv(helper); path != "" {
		announceForever(t, path)
	}
	for _, survive := range []int{1, 7, 40} {
		path := statePath(t)
		cmd := child(t, "TestKill", path)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		told := bufio.NewScanner(out)
		var last string
		for n := 0; n < survive && told.Scan(); n++ {
			last = told.Text()
		}
		must(t, cmd.Process.Kill())
		for told.Scan() {
			last = told.Text()
		}
		_ = cmd.Wait()

		s := open(t, path)
		var n int
		if _, err := fmt.Sscan(last, &n); err != nil {
			t.Fatalf("the child said %q", last)
		}
		got := s.State()
		if len(got.Entries) < n || len(got.Entries) > n+1 || len(got.OpenIntents) > 1 {
			t.Errorf("told of %d entries, found %d and %d open", n, len(got.Entries), len(got.OpenIntents))
		}
		must(t, s.Close())
		if d := diff(got, read(t, path)); d != "" {
			t.Errorf("after closing:\n%s", d)
		}
	}
}

// announceForever creates keys and prints how many are stored.
func announceForever(t *testing.T, path string) {
	s, err := state.Open(context.Background(), path, options())
	must(t, err)
	for i := 0; ; i++ {
		a := addr.Addr{Kind: "key", Label: "app", Instance: addr.CountIndex(i)}
		must(t, s.AnnounceCreates(state.CreateIntent{Addr: a, Identity: a.String()}))
		must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: a, Identity: a.String(), ID: fmt.Sprint("k", i)}))
		fmt.Println(i + 1)
	}
}
