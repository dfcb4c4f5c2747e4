package state_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"b2form/internal/state"
	"b2form/internal/testrun"
	"b2form/internal/testrun/engines"
	"b2form/schema/addr"
)

// This file is the contract of backends, for each of engines.

// underContract runs a test of the contract for each engine that is wanted.
func underContract(t *testing.T, wanted func(engines.BackendType) bool, test func(t *testing.T, e engines.BackendType, p place)) {
	for _, e := range engines.All() {
		if wanted == nil || wanted(e) {
			t.Run(e.Name, func(t *testing.T) { run(t, e, func(t *testing.T, p place) { test(t, e, p) }) })
		}
	}
}

func isBreakable(e engines.BackendType) bool { return !e.LockUnbreakable }

// afterDeath opens the state after the run that had it was killed.
func afterDeath(t *testing.T, e engines.BackendType, p place) *state.Store {
	t.Helper()
	next := p.machine(nil)
	if e.LockOutlivesRun {
		_, err := next.BreakLock(context.Background())
		must(t, err)
	}
	return opened(t, next, state.Options{LockTimeout: 5 * time.Minute})
}

func summaryOf(err error) string {
	e, _ := errors.AsType[*state.Error](err)
	if e == nil {
		return fmt.Sprint("no *state.Error: ", err)
	}
	return e.Summary
}

// What one run stores the next one reads, on whatever machine, also while it runs; who
// holds the lock is shown meanwhile, and nobody afterwards.
func TestContractRoundTrip(t *testing.T) {
	underContract(t, nil, func(t *testing.T, kind engines.BackendType, p place) {
		tellsHolder := !kind.LockOutlivesRun // not behind a server, whose protocol cannot ask
		var want *state.State
		for i := range 3 {
			s := opened(t, p.machine(nil), state.Options{Operation: "apply", LockOwner: "ann@one"})
			must(t, s.BindAccount("d2e6b27577ea", "https://api.backblazeb2.com"))
			s.SetApplied(state.AppliedDigests{Salt: fmt.Sprint("5a1", i)})
			must(t, s.AnnounceCreates(state.CreateIntent{Addr: address(t, "key.open"), Identity: "open", KnownIDs: []string{"k0"}}))
			must(t, s.PutEntriesCloseIntents(entryNumber("app", i)))
			must(t, s.CheckLocked())
			want = s.State()
			beside := readShared(t, p.machine(nil))
			if by := beside.HeldBy; want.HeldBy != nil || (by != nil) != tellsHolder || by != nil && by.Who != "ann@one" {
				t.Errorf("the lock is held by %+v, and beside the run by %+v", want.HeldBy, by)
			}
			beside.HeldBy = nil
			if d := diff(want, beside); d != "" {
				t.Errorf("Read beside a running Store (-store +read):\n%s", d)
			}
			unlocked := opened(t, p.machine(nil), state.Options{NoLock: true})
			if by := unlocked.State().HeldBy; (by != nil) != tellsHolder || by != nil && by.Operation != "apply" {
				t.Errorf("opened without the lock, it is held by %+v", by)
			}
			held, err := p.machine(nil).LockHolder(t.Context())
			if err != nil || held == nil || held.Who != "ann@one" || held.Operation != "apply" || held.Created.IsZero() || held.Path == "" {
				t.Errorf("LockHolder = %+v, %v", held, err)
			}
			must(t, s.Close())
			must(t, s.Close()) // again does nothing
		}
		if d := diff(want, readShared(t, p.machine(nil))); d != "" || len(want.Entries) != 3 || len(want.OpenIntents) != 1 {
			t.Errorf("read after Close, of %d entries (-want +got):\n%s", len(want.Entries), d)
		}
		if held, err := p.machine(nil).LockHolder(t.Context()); held != nil || err != nil {
			t.Errorf("LockHolder = %+v, %v after Close", held, err)
		}
		s := opened(t, p.machine(nil), state.Options{})
		must(t, s.Close()) // with nothing to store
		s = opened(t, p.machine(nil), state.Options{})
		must(t, s.Clear())
		must(t, s.Close())
		if d := diff(&state.State{}, readShared(t, p.machine(nil))); d != "" {
			t.Errorf("after Clear (-want +got):\n%s", d)
		}
	})
}

// Whoever finds the state locked is told by whom, and may wait.
func TestContractLock(t *testing.T) {
	underContract(t, nil, func(t *testing.T, _ engines.BackendType, p place) {
		first := opened(t, p.machine(nil), state.Options{Operation: "apply", LockOwner: "ann@one"})
		_, err := p.machine(nil).Open(t.Context(), state.Options{Now: time.Now})
		held, _ := errors.AsType[*state.LockedError](err)
		if summaryOf(err) != "State is locked" || held == nil || held.Who != "ann@one" || held.Operation != "apply" {
			t.Errorf("Open = %v of a locked state", err)
		}
		waits := make(chan *state.LockedError)
		type result struct {
			*state.Store
			error
		}
		done := make(chan result)
		open := func(ctx context.Context) {
			s, err := p.machine(nil).Open(ctx, state.Options{Now: time.Now, LockTimeout: time.Hour,
				OnWait: func(h *state.LockedError) { waits <- h }})
			done <- result{s, err}
		}
		impatient, giveUp := context.WithCancel(t.Context())
		go open(impatient)
		<-waits
		giveUp()
		if r := <-done; !errors.Is(r.error, context.Canceled) {
			t.Errorf("Open = %v after it was cancelled", r.error)
		}
		go open(t.Context())
		if h := <-waits; h == nil || h.Who != "ann@one" {
			t.Errorf("OnWait was told of %+v", h)
		}
		must(t, first.PutEntriesCloseIntents(entryNumber("app", 1)))
		must(t, first.Close())
		r := <-done
		must(t, r.error)
		if got := r.State(); len(got.Entries) != 1 {
			t.Errorf("the one who waited finds %+v", got)
		}
		must(t, r.Close())
	})
}

// A broken lock is noticed by the one who had it, who can store nothing any more.
func TestContractBreak(t *testing.T) {
	underContract(t, isBreakable, func(t *testing.T, _ engines.BackendType, p place) {
		if held, err := p.machine(nil).BreakLock(t.Context()); held != nil || err != nil {
			t.Errorf("BreakLock = %+v, %v of a state that is not locked", held, err)
		}
		s := opened(t, p.machine(nil), state.Options{LockOwner: "ann@one"})
		must(t, s.PutEntriesCloseIntents(entryNumber("app", 0)))
		broken, err := p.machine(nil).BreakLock(t.Context())
		if err != nil || broken == nil || broken.Who != "ann@one" {
			t.Errorf("BreakLock = %+v, %v", broken, err)
		}
		next := opened(t, p.machine(nil), state.Options{})
		if err := s.PutEntriesCloseIntents(entryNumber("stale", 1)); summaryOf(err) != "Another run has the state" {
			t.Errorf("PutEntries = %v after the lock was broken", err)
		}
		if err := s.CheckLocked(); summaryOf(err) != "Another run has the state" {
			t.Errorf("CheckLocked = %v after another run came", err)
		}
		if err := s.Close(); err == nil {
			t.Error("Close said nothing of the broken lock")
		}
		must(t, next.PutEntriesCloseIntents(entryNumber("app", 1)))
		must(t, next.Close())
		if got := readShared(t, p.machine(nil)); len(got.Entries) != 2 || got.Entries[1].Addr.Label != "app" {
			t.Errorf("in the end there is %+v", got)
		}
	})
}

// Without a lock, what is stored counts only on what was read: of two writers one is refused.
func TestContractStaleWriter(t *testing.T) {
	underContract(t, nil, func(t *testing.T, _ engines.BackendType, p place) {
		holder := opened(t, p.machine(nil), state.Options{})
		free := opened(t, p.machine(nil), state.Options{NoLock: true})
		refused := map[string]bool{ // the server may have refused who has no lock, and else the other one is too late
			"free": free.PutEntriesCloseIntents(entryNumber("free", 1)) != nil,
			"held": holder.PutEntriesCloseIntents(entryNumber("held", 1)) != nil,
		}
		if refused["free"] == refused["held"] {
			t.Errorf("refused is %v: two versions grew from one, or none", refused)
		}
		_ = free.Close()
		_ = holder.Close()
		if got := readShared(t, p.machine(nil)); len(got.Entries) != 1 || refused[got.Entries[0].Addr.Label] {
			t.Errorf("in the end there is %+v; refused is %v", got, refused)
		}
	})
}

// A shortRun is a run of a few changes. acknowledged are those whose method returned.
func shortRun(t *testing.T, b state.Backend) (acknowledged []string, err error) {
	s, err := b.Open(context.Background(), state.Options{Now: time.Now, LockTimeout: time.Minute})
	if err != nil {
		return nil, err
	}
	for _, change := range []struct {
		name string
		do   func() error
	}{
		{"key.open?", func() error {
			return s.AnnounceCreates(state.CreateIntent{Addr: address(t, "key.open"), Identity: "open"})
		}},
		{"key.b?", func() error { return s.AnnounceCreates(state.CreateIntent{Addr: address(t, "key.b"), Identity: "b"}) }},
		{"key.app[1]", func() error { return s.PutEntriesCloseIntents(entryNumber("app", 1)) }},
		{"key.b", func() error {
			return s.PutEntriesCloseIntents(addr.StateEntry{Addr: address(t, "key.b"), Identity: "b", ID: "k1"})
		}},
	} {
		if err = change.do(); err != nil {
			break
		}
		acknowledged = append(acknowledged, change.name)
	}
	return acknowledged, errors.Join(err, s.Close())
}

// lacks reports what a state lacks of that which a run was told is stored.
func lacks(t *testing.T, st *state.State, acknowledged []string) (missing []string) {
	for _, name := range acknowledged {
		announced, isIntent := strings.CutSuffix(name, "?")
		_, recorded := st.FindEntry(address(t, announced))
		open := false
		for _, i := range st.OpenIntents {
			open = open || i.Addr == address(t, announced)
		}
		if !recorded && !(isIntent && open) {
			missing = append(missing, name)
		}
	}
	return missing
}

// Every single request of a run fails once, before or after it took effect, while the run
// has the state: the run goes on, and the state comes out the same.
func TestContractEveryLineCutOnce(t *testing.T) {
	cutEverywhere(t, false, func(t *testing.T, e engines.BackendType, p place, l *engines.NetworkLine) {
		told, err := shortRun(t, p.machine(l))
		if err != nil && len(told) == 0 { // not even begun, which is no harm
			must(t, afterDeath(t, e, p).Close())
			told, err = shortRun(t, p.machine(nil))
		}
		if got := readShared(t, p.machine(nil)); err != nil || len(got.Entries) != 2 || len(got.OpenIntents) != 1 {
			t.Errorf("the run did %q and ended with %v; there is %+v", told, err, got)
		}
	})
}

// A machine dies at every single request of a run, before or after it took effect: what it
// was told is stored is there for the next one.
func TestContractDeathAtEveryRequest(t *testing.T) {
	cutEverywhere(t, true, func(t *testing.T, e engines.BackendType, p place, l *engines.NetworkLine) {
		told, err := shortRun(t, p.machine(l))
		s := afterDeath(t, e, p)
		if missing := lacks(t, s.State(), told); len(missing) > 0 {
			t.Errorf("the run was told %q and ended with %v; the next one misses %q", told, err, missing)
		}
		want := s.State()
		must(t, s.Close())
		if d := diff(want, readShared(t, p.machine(nil))); d != "" {
			t.Errorf("after closing (-want +got):\n%s", d)
		}
		again, err := shortRun(t, p.machine(nil))
		if got := readShared(t, p.machine(nil)); err != nil || len(again) != 4 || len(got.Entries) != 2 {
			t.Errorf("the run after it did %q and ended with %v; there is %+v", again, err, got)
		}
	})
}

// cutEverywhere runs a test for each request of it and each side of that: for one in two, or in five where that takes
// real connections, unless sweeps are exhaustive.
func cutEverywhere(t *testing.T, forGood bool, test func(*testing.T, engines.BackendType, place, *engines.NetworkLine)) {
	for _, e := range engines.All() {
		step := testrun.CaseCount(2, 1)
		if e.Name == "postgres" {
			step = testrun.CaseCount(5, 1)
		}
		for i, after := range []bool{false, true} {
			for k, reached := min(1+i, step), e.Remote; reached; k += step {
				reached = false
				t.Run(fmt.Sprintf("%s/after=%v/%d", e.Name, after, k), func(t *testing.T) {
					run(t, e, func(t *testing.T, p place) {
						l, was := engines.CutAt(k, after, forGood)
						test(t, e, p, l)
						reached = was() && !t.Failed()
					})
				})
			}
		}
	}
}

// A state that is carried from any backend to any other comes out the same.
func TestContractMigration(t *testing.T) {
	for _, from := range engines.All() {
		var st *state.State
		var want bytes.Buffer
		run(t, from, func(t *testing.T, p place) {
			s := opened(t, p.machine(nil), state.Options{})
			must(t, s.BindAccount("d2e6b27577ea", "https://api.backblazeb2.com"))
			must(t, s.AnnounceCreates(state.CreateIntent{Addr: address(t, "key.open"), Identity: "<open>", KnownIDs: []string{"k"}}))
			must(t, s.PutEntriesCloseIntents(entryNumber("app", 1), entryNumber("app", 2)))
			must(t, s.Close())
			st = readShared(t, p.machine(nil))
			must(t, st.Encode(&want))
		})
		underContract(t, nil, func(t *testing.T, _ engines.BackendType, to place) {
			s := opened(t, to.machine(nil), state.Options{})
			must(t, s.Restore(st))
			must(t, s.Close())
			var got bytes.Buffer
			must(t, readShared(t, to.machine(nil)).Encode(&got))
			if got.String() != want.String() {
				t.Errorf("from %s there is\n%s\nwant\n%s", from.Name, got.String(), want.String())
			}
		})
	}
}
