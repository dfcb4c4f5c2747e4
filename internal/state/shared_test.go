package state_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"b2form/internal/b2"
	"b2form/internal/emulator"
	"b2form/internal/state"
	"b2form/internal/testrun/engines"
	"b2form/schema/addr"
	"b2form/schema/config"
)

// A cloud is an emulated account that clients reach without a network, so that
// time stands still while they work.
type cloud struct {
	*emulator.Server
	t *testing.T
}

func newCloud(t *testing.T, now func() time.Time) *cloud {
	t.Helper()
	s, err := emulator.Open(emulator.Options{Now: now, Seed: 1, URL: "https://b2.test"})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return &cloud{s, t}
}

// A wire carries requests to a service in this process.
type wire struct {
	service http.Handler
	engines.NetworkLine
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	method := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	if err := w.RunBeforeRequest(method); err != nil {
		return nil, err
	}
	rec := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w.service.ServeHTTP(rec, r)
	if err := w.RunAfterRequest(method); err != nil {
		return nil, err
	}
	return rec.Result(), nil
}

// client is one machine with a clock of its own.
func (c *cloud) client(w *wire, now func() time.Time) *b2.Client {
	c.t.Helper()
	w.service = c
	client, err := b2.New(b2.Options{KeyID: c.MasterKeyID(), Key: c.MasterKey(), Endpoint: "https://b2.test", Transport: w, Now: now})
	must(c.t, err)
	return client
}

func (c *cloud) shared(w *wire, now func() time.Time) state.BucketBackend {
	return state.BucketBackend{Remote: c.client(w, now), BucketName: "acme-states", Prefix: config.DefaultPrefix}
}

// info is the bucket's info as it is.
func (c *cloud) info() map[string]string {
	c.t.Helper()
	d, err := c.Dump()
	must(c.t, err)
	raw, err := json.Marshal(d.Buckets[0]["bucketInfo"])
	must(c.t, err)
	var info map[string]string
	must(c.t, json.Unmarshal(raw, &info))
	return info
}

func opened(t *testing.T, b state.Backend, o state.Options) *state.Store {
	t.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	s, err := b.Open(context.Background(), o)
	must(t, err)
	return s
}

func readShared(t *testing.T, b state.Backend) *state.State {
	t.Helper()
	s, err := b.Read(context.Background())
	must(t, err)
	return s
}

// inCloud runs f in a bubble of fake time, with a bucket for states.
func inCloud(t *testing.T, f func(t *testing.T, c *cloud)) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, time.Now)
		existed, err := c.shared(&wire{}, time.Now).CreateBucket(context.Background(), 30)
		if must(t, err); existed {
			t.Fatal("the bucket existed already")
		}
		f(t, c)
	})
}

// Nothing but the pair of the state changes in the bucket, and superseded objects are hidden.
func TestSharedLeavesTheRestAlone(t *testing.T) {
	inCloud(t, func(t *testing.T, c *cloud) {
		a := c.shared(&wire{}, time.Now)
		must(t, a.Remote.Call(t.Context(), "b2_update_bucket",
			map[string]any{"bucketId": c.bucketID(), "bucketInfo": map[string]string{"team": "web"}}, nil))
		for i := range 3 {
			s := opened(t, a, state.Options{})
			must(t, s.PutEntriesCloseIntents(entryNumber("app", i)))
			if held, err := a.LockHolder(t.Context()); err != nil || held == nil || held.Expires.IsZero() {
				t.Errorf("LockHolder = %+v, %v", held, err)
			}
			must(t, s.Close())
		}
		if info := c.info(); len(info) != 2 || info["team"] != "web" {
			t.Errorf("the bucket's info is %v", info)
		}
		if visible := c.visible(); len(visible) != 1 || !strings.HasSuffix(visible[0], ".state") {
			t.Errorf("visible are %v", visible)
		}
	})
}

// A run that begins the state between another one's looks at the bucket and at its files has not lost the pointer.
func TestPointerNotLostWhileStateBegins(t *testing.T) {
	inCloud(t, func(t *testing.T, c *cloud) {
		for i, look := range []func(state.BucketBackend) error{
			func(b state.BucketBackend) error { _, err := b.Read(t.Context()); return err },
			func(b state.BucketBackend) error {
				s, err := b.Open(t.Context(), state.Options{Now: time.Now})
				if err == nil {
					err = s.Close()
				}
				return err
			},
		} {
			b := c.shared(&wire{}, time.Now)
			b.Prefix = fmt.Sprintf("state%d/", i)
			begin := b
			begin.Remote = c.client(&wire{}, time.Now)
			w := &wire{}
			w.BeforeRequest = func(method string) error {
				if method == "b2_list_file_names" {
					s := opened(t, begin, state.Options{ReplacesLost: true})
					must(t, s.PutEntriesCloseIntents(entryNumber("app", 1)))
					must(t, s.Close())
				}
				return nil
			}
			b.Remote = c.client(w, time.Now)
			if err := look(b); err != nil {
				t.Errorf("look %d: %v", i, err)
			}
		}
	})
}

func (c *cloud) bucketID() string {
	d, err := c.Dump()
	must(c.t, err)
	return fmt.Sprint(d.Buckets[0]["bucketId"])
}

// visible lists the files that are not hidden.
func (c *cloud) visible() []string {
	var out struct {
		Files []struct{ FileName, Action string }
	}
	client := c.client(&wire{}, time.Now)
	must(c.t, client.Call(context.Background(), "b2_list_file_names", map[string]any{"bucketId": c.bucketID(), "maxFileCount": 1000}, &out))
	var names []string
	for _, f := range out.Files {
		names = append(names, f.FileName)
	}
	return names
}

// A run whose lock was broken is told so before a delivery, though the next heartbeat is far off. Where the lock was confirmed a moment ago
// nobody is asked.
func TestSharedConfirm(t *testing.T) {
	inCloud(t, func(t *testing.T, c *cloud) {
		w, asked := &wire{}, 0
		w.BeforeRequest = func(string) error { asked++; return nil }
		s := opened(t, c.shared(w, time.Now), state.Options{})
		asked = 0
		must(t, s.ConfirmLocked())
		time.Sleep(time.Second)
		must(t, s.ConfirmLocked())
		if asked != 0 {
			t.Errorf("%d requests although the lock was taken a second ago", asked)
		}
		time.Sleep(5 * time.Second)
		must(t, s.ConfirmLocked())
		must(t, s.ConfirmLocked())
		if asked != 1 {
			t.Errorf("%d requests, want one that both go by", asked)
		}
		other := c.shared(&wire{}, time.Now)
		_, err := other.BreakLock(t.Context())
		must(t, err)
		next := opened(t, other, state.Options{})
		time.Sleep(5 * time.Second)
		must(t, s.CheckLocked()) // else the test tests nothing
		if err := s.ConfirmLocked(); summaryOf(err) != "Another run has the state" {
			t.Errorf("ConfirmLocked = %v after another run came", err)
		}
		if err := s.Close(); err == nil {
			t.Error("Close said nothing of the broken lock")
		}
		must(t, next.Close())
	})
}

// Where B2 cannot be asked, the lease counts as long as it has time.
func TestSharedConfirmWithoutAnswer(t *testing.T) {
	inCloud(t, func(t *testing.T, c *cloud) {
		w := &wire{}
		s := opened(t, c.shared(w, time.Now), state.Options{})
		w.BeforeRequest = func(string) error { return errors.New("no route") }
		time.Sleep(5 * time.Second)
		must(t, s.ConfirmLocked())
		time.Sleep(2 * time.Minute)
		if err := s.ConfirmLocked(); err == nil {
			t.Error("a lease without time left counts")
		}
		_ = s.Close()
	})
}

// A run that stops without a word keeps the lock until its lease ends on B2's
// clock; what it announced and recorded is there for the next one. Clocks of
// machines do not matter.
func TestSharedTakeover(t *testing.T) {
	inCloud(t, func(t *testing.T, c *cloud) {
		var dead atomic.Bool
		w := &wire{}
		w.BeforeRequest = func(string) error {
			if dead.Load() {
				return errors.New("gone")
			}
			return nil
		}
		s := opened(t, c.shared(w, time.Now), state.Options{})
		must(t, s.AnnounceCreates(state.CreateIntent{Addr: address(t, "key.b"), Identity: "b"}))
		must(t, s.PutEntriesCloseIntents(entryNumber("app", 1)))
		dead.Store(true)
		fast := c.shared(&wire{}, func() time.Time { return time.Now().Add(time.Hour) })
		var e *state.Error
		var held *state.LockedError
		if _, err := fast.Open(t.Context(), state.Options{Now: time.Now}); !errors.As(err, &e) || !errors.As(err, &held) ||
			e.Summary != "State is locked" {
			t.Fatalf("Open = %v while the lease runs", err)
		}
		start := time.Now()
		next := opened(t, fast, state.Options{LockTimeout: 5 * time.Minute})
		if waited := time.Since(start); waited > 2*time.Minute+time.Second {
			t.Errorf("waited %s", waited)
		}
		if got := next.State(); len(got.Entries) != 1 || len(got.OpenIntents) != 1 {
			t.Errorf("took over %+v", got)
		}
		must(t, next.PutEntriesCloseIntents(entryNumber("app", 2)))
		dead.Store(false)
		if err := s.CheckLocked(); !errors.As(err, &e) {
			t.Errorf("Check = %v", err)
		}
		if err := s.PutEntriesCloseIntents(entryNumber("stale", 1)); !errors.As(err, &e) || e.Summary != "Another run has the state" {
			t.Errorf("Put = %v", err)
		}
		if err := s.Close(); !errors.As(err, &e) {
			t.Errorf("Close = %v", err)
		}
		must(t, next.Close())
		if got := readShared(t, fast); len(got.Entries) != 2 {
			t.Errorf("in the end there is %+v", got)
		}
	})
}

// Whoever sleeps longer than the lease must not act, but may go on when nobody
// came meanwhile: the heartbeat finds its lease untouched.
func TestSharedSleeper(t *testing.T) {
	inCloud(t, func(t *testing.T, c *cloud) {
		var offset time.Duration // the wall clock runs on while the machine sleeps
		now := func() time.Time { return time.Now().Add(offset) }
		b := c.shared(&wire{}, now)
		s := opened(t, b, state.Options{Now: now})
		must(t, s.CheckLocked())
		offset = time.Hour
		if err := s.CheckLocked(); err == nil || !strings.Contains(err.Error(), "ran out") {
			t.Errorf("Check = %v after an hour of sleep", err)
		}
		time.Sleep(21 * time.Second) // fake: one heartbeat
		synctest.Wait()
		must(t, s.CheckLocked())
		must(t, s.PutEntriesCloseIntents(entryNumber("app", 1)))
		must(t, s.Close())
	})
}

// A broken lock is noticed by the heartbeat of the one who had it.
func TestSharedBreak(t *testing.T) {
	inCloud(t, func(t *testing.T, c *cloud) {
		s := opened(t, c.shared(&wire{}, time.Now), state.Options{LockOwner: "ann@one"})
		_, err := c.shared(&wire{}, time.Now).BreakLock(t.Context())
		must(t, err)
		time.Sleep(21 * time.Second)
		synctest.Wait()
		if err := s.CheckLocked(); err == nil {
			t.Error("the heartbeat did not notice")
		}
		if err := s.Close(); err == nil {
			t.Error("Close said nothing of the broken lock")
		}
	})
}

// A state whose object somebody deleted is told of as such, and its pointer is
// left alone.
func TestSharedGone(t *testing.T) {
	inCloud(t, func(t *testing.T, c *cloud) {
		b := c.shared(&wire{}, time.Now)
		s := opened(t, b, state.Options{})
		must(t, s.PutEntriesCloseIntents(entryNumber("app", 1)))
		must(t, s.Close())
		d, err := c.Dump()
		must(t, err)
		for _, f := range d.FileVersions {
			must(t, b.Remote.Call(t.Context(), "b2_delete_file_version", map[string]any{"fileId": f["fileId"], "fileName": f["fileName"]},
				nil))
		}
		var e *state.Error
		if _, err := b.Read(t.Context()); !errors.As(err, &e) || e.Summary != "The state is gone" {
			t.Errorf("Read = %v", err)
		}
		if _, err := b.Open(t.Context(), state.Options{Now: time.Now}); !errors.As(err, &e) || e.Summary != "The state is gone" {
			t.Errorf("Open = %v", err)
		}
		if held, err := b.LockHolder(t.Context()); held != nil || err != nil || len(c.info()) != 1 {
			t.Errorf("Holder = %v, %v; info %v", held, err, c.info())
		}
	})
}

func entryNumber(label string, i int) addr.StateEntry {
	return addr.StateEntry{Addr: addr.Addr{Kind: "key", Label: label, Instance: addr.CountIndex(i)}, Identity: fmt.Sprint("name-", i),
		ID: fmt.Sprint(label, "-", i)}
}
