package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"b2form/apply"
	"b2form/internal/secret"
	"b2form/internal/state"
	"b2form/internal/tfserver"
	"b2form/schema"
)

// A run is what an apply of n buckets and n keys to an empty account took, with the
// opening and the closing of the state.
type run struct {
	took     time.Duration
	requests map[string]int // by method
}

// applied applies, ten requests at a time, with the state that open gives.
func applied(t *testing.T, n int, open func(*fixture, *planned) state.Backend) (r run) {
	t.Helper()
	f := fixed(t, repeated, n, n, false)
	synctest.Test(t, func(t *testing.T) {
		p := planned{way: direct{f.service}}
		p.all(t, f)
		backend := open(f, &p)
		f.resetCounts(away)
		began := time.Now()
		store, err := backend.Open(context.Background(), state.Options{Now: time.Now, Operation: "benchmark", LockOwner: "somebody"})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.BindAccount(p.snapshot.Account.ID, p.snapshot.Account.Realm); err != nil {
			t.Fatal(err)
		}
		result := apply.Run(context.Background(), apply.Options{
			API: p.client, Kinds: schema.Kinds(), Config: p.config, Snapshot: p.snapshot, Plan: p.plan,
			State: store, Delivery: secret.DeliveryOptions{}, Parallelism: 10, Now: time.Now, RunStart: time.Now(), VerifyKey: p.verify,
		})
		if result.Incomplete() || result.Counts.Add != 2*n {
			t.Fatalf("%d of %d made, %v", result.Counts.Add, 2*n, result.StateErr)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		r.took, r.requests = time.Since(began), map[string]int{}
		for _, c := range f.Calls() {
			r.requests[c.Method]++
		}
	})
	return r
}

// A state in a bucket costs at most twice the time of one in a folder: what is
// written to it is written while requests are under way.
func TestSharedStateBudget(t *testing.T) {
	const n = 100
	local := applied(t, n, func(f *fixture, _ *planned) state.Backend { return state.LocalFile{Path: f.statePath()} })
	shared := applied(t, n, func(_ *fixture, p *planned) state.Backend {
		b := state.SharedBucket{Remote: p.client, Bucket: "acme-state", Prefix: "b2form/"}
		if _, err := b.CreateBucket(context.Background(), 30); err != nil {
			t.Fatal(err)
		}
		return b
	})
	t.Logf("in a folder %s, %v; in a bucket %s, %v", local.took, local.requests, shared.took, shared.requests)
	if shared.took > 2*local.took {
		t.Errorf("with the state in a bucket the apply takes %s, more than twice the %s of one in a folder", shared.took, local.took)
	}
}

// A delayed server is one at some distance.
type delayed struct {
	handler http.Handler
	by      time.Duration
}

func (d delayed) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(d.by) // fake
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// With the state behind a server that is near, an apply takes little more than with one in a
// folder; with one that is as far as B2, at most twice as long.
func TestEngineBudget(t *testing.T) {
	const n = 100
	local := applied(t, n, func(f *fixture, _ *planned) state.Backend { return state.LocalFile{Path: f.statePath()} })
	for by, most := range map[time.Duration]float64{time.Millisecond: 1.1, away: 2} {
		server := applied(t, n, func(*fixture, *planned) state.Backend {
			const address = "https://state.test/web"
			return state.HTTPServer{Address: address, UpdateMethod: "POST", LockAddress: address, LockMethod: "LOCK",
				UnlockAddress: address, UnlockMethod: "UNLOCK", Transport: delayed{&tfserver.Server{}, by}}
		})
		t.Logf("in a folder %s; behind a server at %s %s", local.took, by, server.took)
		if server.took > time.Duration(most*float64(local.took)) {
			t.Errorf("with the server at %s the apply takes %s, more than %v times the %s of a state in a folder", by, server.took, most,
				local.took)
		}
	}
}
