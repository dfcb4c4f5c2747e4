package laws_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"b2form/internal/emulator"
	"b2form/internal/state"
	"b2form/internal/testrun"
	"b2form/internal/testrun/engines"
	"b2form/schema/kind"
)

// This file has the state on each of engines: what holds of keys and of their secrets does so
// wherever the state is.

// newWorldOn is newWorld with the state on an engine; none: in the folder.
func newWorldOn(j judge, o emulator.Options, e engines.BackendType) *world {
	j.Helper()
	w := newWorld(j, o)
	if e.Remote {
		var err error
		w.engine = e
		w.site, w.stopSite, err = e.Serve(w.Now)
		w.must(err)
		w.reach(nil)
	}
	return w
}

// reach has the state reached over a line from now on.
func (w *world) reach(l *engines.NetworkLine) {
	w.Helper()
	var err error
	w.remote, err = w.site.Connect(w.here, l)
	w.must(err)
}

// backend is where the state is.
func (w *world) backend() state.Backend {
	if w.remote != nil {
		return w.remote
	}
	return state.LocalFile{Path: w.statePath()}
}

// stored is what the state says.
func (w *world) stored() *state.State {
	w.Helper()
	st, err := w.backend().Read(context.Background())
	w.must(err)
	return st
}

// loseState is somebody who throws the state away.
func (w *world) loseState() { w.inState(func(s *state.Store) { w.must(s.Clear()) }) }

// freeLock does what the user does about the lock of a run that is gone.
func (w *world) freeLock() {
	w.Helper()
	if w.engine.LockExpires || w.engine.LockOutlivesRun {
		_, err := w.backend().BreakLock(context.Background())
		w.must(err)
	}
}

// keysAreKnown demands that every key is one of those before or one of which the state knows, if
// only that its creation was announced.
func (w *world) keysAreKnown() {
	w.Helper()
	st := w.stored()
	known := map[any]bool{}
	for _, k := range w.before {
		known[k["applicationKeyId"]] = true
	}
	for _, i := range st.OpenIntents {
		known[i.Identity] = true
	}
	for _, e := range st.Entries {
		known[e.ID] = true
		for _, old := range e.Retiring {
			known[old.ID] = true
		}
	}
	for _, k := range w.live("b2_list_keys", "keys") {
		name, _, _ := kind.ParseTimestampedName(fmt.Sprint(k["keyName"]))
		if !known[k["applicationKeyId"]] && !known[k["keyName"]] && !known[name] {
			w.Errorf("nobody knows of the key %s %s", k["keyName"], k["applicationKeyId"])
		}
	}
}

// ofKeys are the requests that make or delete a key, which are where one could get lost.
func ofKeys[T interface{ request() string }](whats []T) []T {
	return slices.DeleteFunc(whats, func(what T) bool { return !strings.HasSuffix(what.request(), "_key") })
}

// remotes are the engines that are not in the folder.
func remotes() []engines.BackendType {
	return slices.DeleteFunc(engines.All(), func(e engines.BackendType) bool { return !e.Remote })
}

// onRemotes tries a sample of the cases about keys with the state elsewhere than in the folder: each on one engine in
// turn, and of all cases each third, since more would take too long. In the folder all of them are tried.
func onRemotes[T interface{ request() string }](t *testing.T, oneIn, offset int, cases []T, try func(e engines.BackendType, c T)) {
	all := remotes()
	for i, c := range testrun.SampleUnlessExhaustive(t, oneIn, offset, ofKeys(cases)) {
		if !testrun.Exhaustive() || i%3 == 0 {
			try(all[(offset+i)%len(all)], c)
		}
	}
}

// onEach runs a test of a world with the state on each of some engines.
func onEach(t *testing.T, on []engines.BackendType, test func(t *testing.T, w *world)) {
	for _, e := range on {
		t.Run(e.Name, func(t *testing.T) {
			w := newWorldOn(t, emulator.Options{}, e)
			defer w.close()
			test(t, w)
		})
	}
}

// A cut is what happens to the line between a run and its state, at a request.
type cut struct {
	nth            int
	after, forGood bool
}

func (c cut) String() string {
	return fmt.Sprintf("%d after=%v for good=%v", c.nth, c.after, c.forGood)
}

// At every request to the state, the line to it is cut, once or for good: no key is made of
// which nobody knows, and the next runs complete what this one left.
func TestStateIsOutOfReach(t *testing.T) {
	for n, l := range fileStories() {
		for _, e := range testrun.SampleUnlessExhaustive(t, len(remotes()), n, remotes()) {
			t.Run(l.name+" "+e.Name, func(t *testing.T) {
				t.Parallel()
				want, _ := l.undisturbed(t)
				for _, c := range testrun.SampleUnlessExhaustive(t, 53, 5*n, l.on(e).cuts(t, want)) {
					t.Run(c.String(), func(t *testing.T) { l.on(e).isCutOff(t, c, want) })
				}
			})
		}
	}
}

// cuts counts the requests of a run to its state.
func (l story) cuts(t *testing.T, want string) (all []cut) {
	w := l.begin(t)
	defer w.close()
	var requests atomic.Int64
	w.reach(&engines.NetworkLine{BeforeRequest: func(string) error { requests.Add(1); return nil }})
	w.done(l.mode)
	w.reach(nil)
	l.converge(w, want)
	for k := range int(requests.Load()) {
		all = append(all, cut{k + 1, false, false}, cut{k + 1, true, false}, cut{k + 1, false, true}, cut{k + 1, true, true})
	}
	return all
}

func (l story) isCutOff(t *testing.T, c cut, want string) {
	w := l.begin(t)
	defer w.close()
	line, reached := engines.CutAt(c.nth, c.after, c.forGood)
	w.reach(line)
	_, _, err := w.apply(l.mode)
	if !reached() && err != nil {
		t.Fatal(err)
	}
	w.reach(nil)
	if litter := w.litter(); litter != "[]" {
		t.Errorf("the run left %s behind", litter)
	}
	w.freeLock()
	w.keysAreKnown()
	l.converge(w, want)
	if t.Failed() {
		t.Logf("the run said: %v", err)
	}
}

// A sharedBuffer is written to by several requests at once.
type sharedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *sharedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *sharedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Of what is sent to where the state is kept, nothing holds a secret.
func TestStateHoldsNoSecret(t *testing.T) {
	onEach(t, remotes(), func(t *testing.T, w *world) {
		c := w.watch()
		var sent sharedBuffer
		w.reach(&engines.NetworkLine{SentCopy: &sent})
		w.configure(deliveries)
		for range 2 { // made, and replaced
			w.done(mode{})
			w.reached(c)
			w.configure(strings.ReplaceAll(deliveries, `["readFiles"]`, `["listFiles"]`))
		}
		if !strings.Contains(sent.String(), w.entryID("key.env")) {
			t.Error("the state was not sent: the search proves nothing")
		}
		c.nowhere(t, "what was sent", sent.String())
	})
}
