package laws_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"b2form/internal/emulator"
	"b2form/internal/secret"
	"b2form/schema/wire"
)

const confirmed = `
bucket "photos" { name = "acme-photos" }
key "app" {
  name           = "app"
  capabilities   = ["readFiles", "listFiles"]
  buckets        = [bucket.photos]
  name_prefix    = "library/"
  valid_duration = "90d"
  deliver "file" { path = "app.secret" }
}
`

// trying makes the world try every new key.
func (w *world) trying() {
	w.verify = func(ctx context.Context, keyID string, key secret.Value) (*wire.Account, error) {
		c, err := w.connect().WithCredentials(keyID, key.Reveal())
		if err != nil {
			return nil, err
		}
		return c.Authorize(ctx)
	}
}

// A new key is tried once, and waited for while B2 does not know it.
func TestNewKeyIsTried(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	w.trying()
	w.configure(confirmed)
	store, err := w.lock()
	w.must(err)
	a, err := w.planFrom(store.State(), mode{})
	w.must(err)
	w.b2.QueueFault(emulator.Fault{Method: "b2_authorize_account", Status: 401, Code: "bad_auth_token", Count: 3})
	w.b2.ResetCalls()
	began := w.Now()
	r, err := w.carryOut(store, a)
	w.must(err)
	w.must(store.Close())
	if len(r.Warnings) > 0 || w.Now().Sub(began) != 7*time.Second {
		t.Errorf("after %s: %v", w.Now().Sub(began), r.Warnings)
	}
	n := 0
	for _, c := range w.b2.Calls() {
		if c.Method == "b2_authorize_account" {
			n++
		}
	}
	if n != 4 {
		t.Errorf("tried %d times, want 4", n)
	}
	w.settled(mode{})
}

// A key that B2 does not confirm stays, and so does the one that it replaces,
// for the next run to delete.
func TestUnconfirmedKeyStays(t *testing.T) {
	for name, test := range map[string]struct {
		fault emulator.Fault
		lie   func(*wire.Account)
		want  string
	}{
		"refused": {fault: emulator.Fault{Status: 401, Code: "bad_auth_token", Count: 99}, want: "does not accept it yet"},
		"capped":  {fault: emulator.Fault{Status: 403, Code: "transaction_cap_exceeded", Count: 99}, want: "could not be tried"},
		"wider": {lie: func(a *wire.Account) { a.AllowedBuckets, a.Capabilities = nil, append(a.Capabilities, "writeFiles") },
			want: "something else than planned of capabilities, buckets."},
		"other": {lie: func(a *wire.Account) { a.NamePrefix, a.KeyExpires = "", time.Time{} }, want: "something else than planned of " +
			"name_prefix, valid_duration."},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			defer w.close()
			w.trying()
			w.configure(confirmed)
			w.done(mode{})
			old := w.entryID("key.app")

			w.configure(strings.ReplaceAll(confirmed, `"listFiles"`, `"shareFiles"`))
			store, err := w.lock()
			w.must(err)
			a, err := w.planFrom(store.State(), mode{})
			w.must(err)
			if test.lie == nil {
				test.fault.Method = "b2_authorize_account"
				w.b2.QueueFault(test.fault)
			} else {
				honest := w.verify
				w.verify = func(ctx context.Context, id string, key secret.Value) (*wire.Account, error) {
					account, err := honest(ctx, id, key)
					if err == nil {
						test.lie(account)
					}
					return account, err
				}
			}
			r, err := w.carryOut(store, a)
			w.must(err)
			w.must(store.Close())
			if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Detail, test.want) ||
				!strings.Contains(r.Warnings[0].Detail, "still works") {
				t.Errorf("warnings: %v", r.Warnings)
			}
			if r.Counts.Add != 1 || r.Counts.Destroy != 0 {
				t.Errorf("counts: %+v", r.Counts)
			}
			live := w.dump()
			if next := w.entryID("key.app"); next == old || !strings.Contains(live, old) || !strings.Contains(live, next) {
				t.Errorf("both keys must live: %s and %s", old, next)
			}
			if test.lie == nil {
				return // B2 still fails
			}
			w.done(mode{})
			if strings.Contains(w.dump(), old) {
				t.Error("the next run leaves the old key")
			}
			w.settled(mode{})
		})
	}
}

// A key that B2 is slow to accept does not hold up the rest of the run: even one
// step at a time makes the second key while the first is waited for.
func TestWaitingLeavesItsPlace(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	w.parallelism = 1
	var all sync.WaitGroup
	all.Add(2)
	w.verify = func(context.Context, string, secret.Value) (*wire.Account, error) {
		all.Done()
		all.Wait() // for the other key
		return nil, &wire.Error{Status: 503, Code: "service_unavailable"}
	}
	w.configure(strings.ReplaceAll(confirmed, `"app`, `"one`) + strings.ReplaceAll(strings.ReplaceAll(confirmed, `"app`, `"two`),
		`bucket "photos" { name = "acme-photos" }`, ""))
	w.done(mode{})
	w.settled(mode{})
}
