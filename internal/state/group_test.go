package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"b2form/schema/addr"
)

// A disk is a journal's file whose syncs take until the test lets them go.
type disk struct {
	bytes.Buffer
	release chan struct{}
	fail    error // what the next Sync returns
	closed  bool
}

func (d *disk) Sync() error {
	<-d.release
	err := d.fail
	d.fail = nil
	return err
}

func (d *disk) Truncate(size int64) error { d.Buffer.Truncate(int(size)); return nil }

func (d *disk) Close() error { d.closed = true; return nil }

func onDisk(t *testing.T, d *disk) *Store {
	t.Helper()
	now := func() time.Time { return time.Unix(1_800_000_000, 0) }
	s, err := Open(context.Background(), filepath.Join(t.TempDir(), "state.json"), Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	s.storage.(*fileStorage).openJournalFile = func() (journalFile, error) { return d, nil }
	return s
}

// However many changes arrive while a sync is under way, one more sync stores
// them all, and none returns before.
func TestGroupCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 100
		d := &disk{release: make(chan struct{})}
		s := onDisk(t, d)
		var wg sync.WaitGroup
		returned := make(chan error, n)
		begin := func(i int) {
			returned <- s.AnnounceCreates(CreateIntent{Addr: addr.Addr{Kind: "key", Label: fmt.Sprint("k", i)}, Identity: "x"})
		}
		wg.Go(func() { begin(0) })
		synctest.Wait()
		for i := 1; i < n; i++ {
			wg.Go(func() { begin(i) })
		}
		synctest.Wait()
		if len(returned) > 0 {
			t.Fatal("a change returned before it was synced")
		}
		d.release <- struct{}{}
		synctest.Wait()
		if len(returned) != 1 {
			t.Fatalf("%d changes returned after the first sync", len(returned))
		}
		d.release <- struct{}{}
		wg.Wait()
		for range n {
			if err := <-returned; err != nil {
				t.Error(err)
			}
		}
		if got := s.Stats().Syncs; got != 2 {
			t.Errorf("%d syncs for %d changes", got, n)
		}
		if err := s.Close(); err != nil || !d.closed {
			t.Errorf("Close = %v; file closed: %v", err, d.closed)
		}
	})
}

// A sync that fails is told to everybody in its batch; a fact is saved by Close
// all the same, and an announcement is taken back.
func TestFailedSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("input/output error")
		d := &disk{release: make(chan struct{}), fail: broken}
		s := onDisk(t, d)
		a, b := addr.Addr{Kind: "key", Label: "a"}, addr.Addr{Kind: "key", Label: "b"}
		results := make(chan error, 2)
		go func() { results <- s.PutEntriesCloseIntents(addr.StateEntry{Addr: a, Identity: "a", ID: "k1"}) }()
		synctest.Wait()
		d.release <- struct{}{}
		if err := <-results; !errors.Is(err, broken) {
			t.Errorf("Put = %v", err)
		}
		d.fail = broken
		go func() { results <- s.AnnounceCreates(CreateIntent{Addr: b, Identity: "b"}) }()
		synctest.Wait()
		d.release <- struct{}{}
		if err := <-results; !errors.Is(err, broken) {
			t.Errorf("Begin = %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := ReadOrEmpty(s.displayName)
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := got.FindEntry(a); !ok || e.ID != "k1" || len(got.OpenIntents) > 0 {
			t.Errorf("saved: %+v", got)
		}
	})
}

// Close waits for what is being written, so that nothing is appended to a
// journal that was folded already.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{release: make(chan struct{})}
		s := onDisk(t, d)
		done := make(chan string, 2)
		a := addr.Addr{Kind: "key", Label: "a"}
		go func() { _ = s.PutEntriesCloseIntents(addr.StateEntry{Addr: a, Identity: "a", ID: "k1"}); done <- "put" }()
		synctest.Wait()
		go func() { _ = s.Close(); done <- "closed" }()
		synctest.Wait()
		if len(done) > 0 {
			t.Fatalf("%s before the sync", <-done)
		}
		close(d.release)
		synctest.Wait()
		if got, err := ReadOrEmpty(s.displayName); err != nil || len(got.Entries) != 1 {
			t.Errorf("saved: %+v, %v", got, err)
		}
	})
}

// The fast reader of addresses may give up, but never differ from the real one.
func TestPlainAddr(t *testing.T) {
	for _, s := range []string{`key.app`, `key.app["a b"]`, `key.app[0]`, `b2.x-y_z["é"]`, `bucket.logs[12]`} {
		a, ok := parseAddrFast(s)
		if want, err := addr.Parse(s); ok && (err != nil || a != want) {
			t.Errorf("plainAddr(%q) = %v, want %v, %v", s, a, want, err)
		}
	}
	if _, ok := parseAddrFast(`key.app["tenant-01"]`); !ok {
		t.Error("a plain address takes the slow way")
	}
	near := rapid.StringMatching(`(module\.m\.)?[a-z_0-9-]{1,3}\.[a-zA-Z_é-]{1,3}(\[("[a-z \\"$%{}é.-]{0,3}"|-?[0-9.]{1,3})\])?`)
	rapid.Check(t, func(r *rapid.T) {
		s := near.Draw(r, "address")
		a, ok := parseAddrFast(s)
		if !ok {
			return
		}
		if want, err := addr.Parse(s); err != nil || a != want {
			r.Fatalf("plainAddr(%q) = %#v, want %#v, %v", s, a, want, err)
		}
	})
}

// Copies are made field by field, so a field that shares memory needs a line in
// cloneEntry.
func TestCloneEntryIsComplete(t *testing.T) {
	var e addr.StateEntry
	v := reflect.ValueOf(&e).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Slice {
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		}
	}
	c := reflect.ValueOf(cloneEntry(e))
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Slice:
			if f.Pointer() == c.Field(i).Pointer() {
				t.Errorf("%s is shared by the copy", v.Type().Field(i).Name)
			}
		case reflect.Map, reflect.Pointer:
			t.Errorf("%s is not known to this test", v.Type().Field(i).Name)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	path := filepath.Join(b.TempDir(), "state.json")
	s, err := Open(context.Background(), path, Options{Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	entries := make([]addr.StateEntry, 100_000)
	for i := range entries {
		name := fmt.Sprintf("tenant-%06d", i)
		entries[i] = addr.StateEntry{
			Addr: addr.Addr{Kind: "key", Label: "app", Instance: addr.ForEachKey(name)}, Identity: name, ID: fmt.Sprintf("%025d", i),
			Created: time.Unix(1_800_000_000, 0), Delivered: true, DeliveryDigest: "sha256:0123456789abcdef0123456789abcdef",
			DriftDigests: "0123456789abcdefghijklmnopqr",
		}
	}
	if err := errors.Join(s.PutEntriesCloseIntents(entries...), s.Close()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadOrEmpty(path); err != nil {
			b.Fatal(err)
		}
	}
}
