package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"b2form/apply"
	"b2form/internal/secret"
	"b2form/internal/state"
	"b2form/schema"
	"b2form/schema/wire"
)

// The budgets are counted where time stands still until everybody waits: what
// is sent at once is answered at once, and a round trip is a round trip however
// slow the machine is.
const away = 50 * time.Millisecond

// A plan with nothing to do costs authorize, one listing of buckets and one of
// keys, in two round trips, at any size up to a page of keys.
func TestPlanBudget(t *testing.T) {
	for _, n := range []int{10, 100} {
		f := fixed(t, repeated, n, 10*n, true)
		synctest.Test(t, func(t *testing.T) {
			f.resetCountsAndLatency(away)
			p := planned{way: directTransport{f.service}}
			if p.all(t, f); !p.plan.HasNoResourceChanges() {
				t.Errorf("%d changes", len(p.plan.Changes))
			}
			requests, roundTrips := f.counts()
			if requests != 3 || roundTrips != 2 {
				t.Errorf("%d buckets: %d requests in %d round trips, want 3 in 2", n, requests, roundTrips)
			}
		})
	}
}

// A spending is what an apply came to.
type spending struct {
	requests, roundTrips int
	state.WriteStats
}

// spend applies a configuration of n buckets and n keys to an empty account,
// ten requests at a time.
func spend(t *testing.T, n int) (s spending) {
	f := fixed(t, repeated, n, n, false)
	synctest.Test(t, func(t *testing.T) {
		f.resetCountsAndLatency(away)
		store, err := f.openStore(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		p := planned{way: directTransport{f.service}}
		p.all(t, f)
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
		s.requests, s.roundTrips = f.counts()
		s.WriteStats = store.Stats()
	})
	return s
}

// verify asks the service what a new key may do, as the program does.
func (p *planned) verify(ctx context.Context, keyID string, key secret.Value) (*wire.Account, error) {
	c, err := p.client.WithCredentials(keyID, key.Reveal())
	if err != nil {
		return nil, err
	}
	return c.Authorize(ctx)
}

// An apply costs one request for each object beside the plan, which lists keys through two API versions where some are
// new, ten at a time, and
// one to try each key, of which only the last is waited for.
// What it stores grows with what it makes and no faster, and is synced at most
// twice for each object: announced and recorded. How many share a sync depends
// on how long the disk takes; that they do is tested where the journal is.
func TestApplyBudget(t *testing.T) {
	const few, many = 20, 100
	small, large := spend(t, few), spend(t, many)
	t.Logf("%d + %d: %+v; %d + %d: %+v", few, few, small, many, many, large)
	for n, s := range map[int]spending{few: small, many: large} {
		if want := 4 + 3*n; s.requests != want {
			t.Errorf("%d buckets and keys: %d requests, want %d", n, s.requests, want)
		}
		if most := 2 + 2*n/10 + 1 + 1; s.roundTrips > most {
			t.Errorf("%d buckets and keys: %d round trips, want at most %d", n, s.roundTrips, most)
		}
		const openAndFold = 4
		if most := int64(2*2*n + openAndFold); s.Syncs > most {
			t.Errorf("%d buckets and keys: %d syncs, want at most %d", n, s.Syncs, most)
		}
	}
	// Numbers in names have more digits where there are more of them.
	if most := small.Bytes * many / few * 11 / 10; large.Bytes > most {
		t.Errorf("%d bytes stored for %d buckets and keys, more than in proportion to the %d for %d", large.Bytes, many, small.Bytes, few)
	}
}
