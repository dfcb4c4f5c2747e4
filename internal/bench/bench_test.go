package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"testing"

	"b2form/internal/account"
	"b2form/internal/b2"
	"b2form/internal/state"
	"b2form/internal/testrun"
	"b2form/plan"
	"b2form/schema"
	"b2form/schema/config"
	"b2form/schema/kind"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == launchFlag {
		main()
	}
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() == "" { // benchmarks tell what a disk takes
		if err := testrun.UseMemoryTempDir(); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// fixed opens a fixture for the length of a test, live where wanted.
func fixed(t testing.TB, how configStyle, buckets, keys int, live bool) *fixture {
	t.Helper()
	f, err := newFixture(how, buckets, keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.close(); err != nil {
			t.Error(err)
		}
	})
	if live {
		if err := f.createObjectsAndState(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// A planned is everything that goes into a plan, and the plan.
type planned struct {
	way      http.RoundTripper // nil: over the network of this machine
	client   *b2.Client
	config   *config.Config
	state    *state.State
	snapshot *kind.Snapshot
	plan     *plan.Plan
}

// Each of the four steps of a plan takes what the ones before made.

func (p *planned) load(t testing.TB, f *fixture) {
	config, diags := f.load()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	p.config = config
}

func (p *planned) recall(t testing.TB, f *fixture) {
	s, err := state.ReadOrEmpty(f.statePath())
	if err != nil {
		t.Fatal(err)
	}
	p.state = s
}

func (p *planned) read(t testing.TB, f *fixture) {
	ctx := context.Background()
	client, err := f.client(p.way)
	if err != nil {
		t.Fatal(err)
	}
	p.client = client
	a, err := client.Authorize(ctx)
	if err != nil {
		t.Fatal(err)
	}
	kinds := schema.Kinds()
	p.snapshot, err = account.ReadSnapshot(ctx, client, a, kinds, account.QueryFor(p.config, p.state.Entries, kinds),
		account.RecentEntries{})
	if err != nil {
		t.Fatal(err)
	}
}

func (p *planned) make(t testing.TB) {
	made, diags := plan.Make(plan.Request{Config: p.config, Kinds: schema.Kinds(), Snapshot: p.snapshot, Entries: p.state.Entries})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	p.plan = made
}

func (p *planned) all(t testing.TB, f *fixture) {
	p.load(t, f)
	p.recall(t, f)
	p.read(t, f)
	p.make(t)
}

// BenchmarkPlan measures the steps of a plan with nothing to do, each by
// itself, and all of them: what b2form does between its start and its first
// line. The emulator's work is part of read.
func BenchmarkPlan(b *testing.B) {
	for _, keys := range []int{100, 1_000, 10_000} {
		buckets := min(keys, 100)
		b.Run(fmt.Sprintf("%d", keys), func(b *testing.B) {
			f := fixed(b, repeated, buckets, keys, true)
			var p planned
			if p.all(b, f); !p.plan.HasNoResourceChanges() {
				b.Fatal("something is to be done")
			}
			step := func(name string, do func()) {
				b.Run(name, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						do()
					}
					b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(buckets+keys), "µs/object")
				})
			}
			step("load", func() { p.load(b, f) })
			step("recall", func() { p.recall(b, f) })
			step("read", func() { p.read(b, f) })
			step("make", func() { p.make(b) })
			step("all", func() { new(planned).all(b, f) })
		})
	}
}
