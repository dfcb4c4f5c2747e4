package laws_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"b2form/apply"
	"b2form/internal/emulator"
	"b2form/internal/secret"
	"b2form/internal/state"
	"b2form/internal/testrun/engines"
	"b2form/schema/addr"
	"b2form/schema/wire"
)

// announced lists what the state holds open.
func (w *world) announced() []state.CreateIntent {
	w.Helper()
	st := w.stored()
	return st.OpenIntents
}

// inState changes the state by hand.
func (w *world) inState(change func(*state.Store)) {
	w.Helper()
	s, err := w.lock()
	w.must(err)
	change(s)
	w.must(s.Close())
}

// planned is a run up to its plan, with the state open.
func (w *world) planned() (*state.Store, *attempt) {
	w.Helper()
	s, err := w.lock()
	w.must(err)
	a, err := w.planFrom(s.State(), mode{})
	w.must(err)
	return s, a
}

// never is B2 that confirms no key.
func never(context.Context, string, secret.Value) (*wire.Account, error) {
	return nil, &wire.Error{Status: 503, Code: "service_unavailable"}
}

const aKey = `
key "app" {
  name         = "app"
  capabilities = ["listFiles"]
  deliver "file" { path = "app.env" }
}
`

// What an earlier run announced and whose outcome nobody knows stays announced
// until a run has dealt with it, whatever becomes of that run.
func TestAnnouncementsStayUntilDealtWith(t *testing.T) {
	capped := emulator.Fault{Status: 403, Code: "transaction_cap_exceeded"}
	t.Run("the create waits for what fails", func(t *testing.T) {
		onEach(t, engines.All(), func(t *testing.T, w *world) {
			w.configure(aKey)
			w.b2.QueueFault(emulator.Fault{Method: "b2_create_key", Count: -1, Status: 503, Code: "service_unavailable"})
			if _, _, err := w.apply(mode{}); err == nil {
				t.Fatal("the create did not fail")
			}
			w.pass(longDoubt)
			w.configure(replace(aKey, `["listFiles"]`, "[\"listFiles\"]\n  buckets = [bucket.b]"), `bucket "b" { name = "acme-b" }`)
			capped.Method = "b2_create_bucket"
			w.b2.QueueFault(capped)
			if _, _, err := w.apply(mode{}); err == nil {
				t.Fatal("the bucket did not fail")
			}
			if n := len(w.announced()); n != 1 {
				t.Errorf("%d creates are announced, want 1", n)
			}
		})
	})
	t.Run("the block has another label now", func(t *testing.T) {
		onEach(t, engines.All(), func(t *testing.T, w *world) {
			w.inState(func(s *state.Store) {
				w.must(s.AnnounceCreates(state.CreateIntent{Addr: addr.Addr{Kind: "key", Label: "old"}, Identity: "app"}))
			})
			w.by("b2_create_key", `{"keyName":"app","capabilities":["listFiles"]}`)
			w.configure(aKey)
			capped.Method = "b2_create_key"
			w.b2.QueueFault(capped)
			if _, _, err := w.apply(mode{}); err == nil {
				t.Fatal("the create did not fail")
			}
			a, err := w.plan(mode{})
			w.must(err)
			if c := a.plan.Changes[0]; len(w.announced()) == 0 || c.Import {
				t.Errorf("announced: %v; next: %s %s, import %v", w.announced(), c.Action, c.Addr, c.Import)
			}
		})
	})
	t.Run("its object's deletion is held", func(t *testing.T) {
		onEach(t, engines.All(), func(t *testing.T, w *world) {
			w.configure(confirmed)
			w.done(mode{})
			photos := addr.Addr{Kind: "bucket", Label: "photos"}
			w.inState(func(s *state.Store) {
				w.must(s.ForgetEntries(photos))
				w.must(s.AnnounceCreates(state.CreateIntent{Addr: photos, Identity: "acme-photos"}))
			})
			w.verify = never
			w.configure(aKey)
			w.done(mode{})
			if len(w.announced()) != 1 {
				t.Errorf("announced: %v", w.announced())
			}
			w.verify = nil
			w.done(mode{})
			w.settled(mode{})
			if strings.Contains(w.dump(), "acme-photos") {
				t.Error("the bucket is forgotten")
			}
		})
	})
}

// An old key that is held for want of a confirmation is not deleted while the
// outcome of a create is looked for.
func TestHeldKeyOutlivesUnknownCreates(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	w.configure(confirmed)
	w.done(mode{})
	old := w.entryID("key.app")
	w.verify = never
	w.configure(replace(confirmed, `"listFiles"`, `"shareFiles"`))
	w.done(mode{})
	w.configure(replace(confirmed, `"listFiles"`, `"writeFiles"`))
	w.b2.QueueFault(emulator.Fault{Method: "b2_create_key", TakesEffect: true, Status: 500, Code: "internal_error"})
	if _, _, err := w.apply(mode{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(w.dump(), old) {
		t.Error("the old key is gone, and none of its successors is confirmed")
	}
}

// An interrupt is told as it is: what was done is recorded, what is left is counted.
func TestInterruptTellsWhatIsLeft(t *testing.T) {
	interrupted := func(w *world, when func(apply.Event) bool) *apply.Result {
		w.Helper()
		s, a := w.planned()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		w.onEvent = func(e apply.Event) {
			if when(e) {
				cancel()
			}
		}
		r, _ := w.carryOutIn(ctx, s, a)
		w.onEvent = nil
		w.must(s.Close())
		return r
	}
	t.Run("while an object is deleted", func(t *testing.T) {
		w := newWorld(t, emulator.Options{})
		defer w.close()
		w.configure(`bucket "photos" { name = "acme-photos" }`)
		w.done(mode{})
		w.configure()
		r := interrupted(w, func(e apply.Event) bool { return e.Stage == apply.Started })
		if r.Counts.Destroy != 1 || len(r.PartlySkipped) > 0 {
			t.Errorf("counts %+v, not finished %v", r.Counts, r.PartlySkipped)
		}
		w.settled(mode{})
	})
	t.Run("before a new key is tried", func(t *testing.T) {
		w := newWorld(t, emulator.Options{})
		defer w.close()
		w.trying()
		w.configure(aKey)
		r := interrupted(w, func(e apply.Event) bool { return e.Stage == apply.Done })
		if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Detail, "interrupted before it was tried") {
			t.Errorf("warnings: %v", r.Warnings)
		}
	})
	t.Run("while a new key is tried", func(t *testing.T) {
		w := newWorld(t, emulator.Options{})
		defer w.close()
		w.configure(aKey)
		w.done(mode{})
		w.configure(replace(aKey, "listFiles", "listBuckets"))
		w.verify = func(context.Context, string, secret.Value) (*wire.Account, error) {
			return nil, &wire.Error{Status: 401, Code: "bad_auth_token"}
		}
		r := interrupted(w, func(e apply.Event) bool { return e.Stage == apply.KeyNotYetAccepted })
		if len(r.PartlySkipped) != 1 {
			t.Errorf("not finished: %v, warnings %v", r.PartlySkipped, r.Warnings)
		}
	})
	t.Run("while a new key is tried that replaces none", func(t *testing.T) {
		w := newWorld(t, emulator.Options{})
		defer w.close()
		w.configure(aKey)
		w.verify = func(context.Context, string, secret.Value) (*wire.Account, error) {
			return nil, &wire.Error{Status: 401, Code: "bad_auth_token"}
		}
		r := interrupted(w, func(e apply.Event) bool { return e.Stage == apply.KeyNotYetAccepted })
		if r.Incomplete() || r.Counts.Add != 1 || len(r.Warnings) != 1 {
			t.Errorf("counts %+v, not finished: %v, warnings %v", r.Counts, r.PartlySkipped, r.Warnings)
		}
		w.verify = nil
		w.settled(mode{})
	})
}

// An import is recorded before the first step, and counted, whatever becomes of its
// update.
func TestImportIsCountedAlthoughItsUpdateWaits(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	w.by("b2_create_bucket", `{"bucketName":"acme-photos","bucketType":"allPrivate"}`)
	w.configure(`
bucket "other" { name = "acme-other" }
bucket "photos" {
  name = "acme-photos"
  info = { other = bucket.other.name }
}
`)
	w.b2.QueueFault(emulator.Fault{Method: "b2_create_bucket", Status: 403, Code: "transaction_cap_exceeded"})
	_, r, err := w.apply(mode{})
	if err == nil || r.Counts.Import != 1 || w.entryID("bucket.photos") == "" {
		t.Errorf("%v; counts %+v", err, r.Counts)
	}
}

// What blocks say of an order gives way to what B2 demands.
func TestDestroyAgainstTheOrderOfBlocks(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	const file = `
file "page" {
  bucket        = bucket.a
  name          = "page.html"
  content       = "x"
  force_destroy = true
}
`
	const buckets = "bucket \"a\" {\n  name = \"acme-a\"\n}\nbucket \"b\" { name = \"acme-b\" }\n"
	w.configure(buckets + file)
	w.done(mode{})
	w.configure(replace(buckets, `"acme-a"`, "\"acme-a\"\n  info = { page = file.page.name }") + replace(file, "bucket.a", "bucket.b"))
	w.done(mode{destroy: true})
	w.settled(mode{destroy: true})
}

// Announcements that cannot be written are one failure, and nothing is sent.
func TestAnnouncementFails(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	w.configure(`
bucket "b" {
  for_each = toset(["acme-1", "acme-2", "acme-3"])
  name     = each.key
}
`)
	s, a := w.planned()
	w.must(blockJournal(w.statePath()))
	r, _ := w.carryOut(s, a)
	if r.StateErr == nil || len(r.Skipped) != 3 || len(r.BegunChanges) != 0 {
		t.Errorf("state: %v; not begun %v; begun %v", r.StateErr, r.Skipped, r.BegunChanges)
	}
	if strings.Contains(w.dump(), "acme-1") {
		t.Error("a bucket was made without an announcement")
	}
	_ = s.Close() // it cannot be saved either
}

// blockJournal puts a folder where the journal of a state would be.
func blockJournal(path string) error { return os.Mkdir(path+".journal", 0o755) }
