package laws_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"b2form/apply"
	"b2form/internal/testrun"
	"b2form/plan"
)

// inOrder is the plan with its steps in another order that their needs allow, to be
// done one after the other.
func inOrder(p *plan.Plan, r *rand.Rand) *plan.Plan {
	var order []int // indices in p.Steps
	for len(order) < len(p.Steps) {
		var ready []int
		for i, s := range p.Steps {
			waits := func(need int) bool { return !slices.Contains(order, need) }
			if !slices.Contains(order, i) && !slices.ContainsFunc(s.Needs, waits) {
				ready = append(ready, i)
			}
		}
		order = append(order, ready[r.IntN(len(ready))])
	}
	q := *p
	q.Steps = make([]plan.Step, len(order))
	for place, i := range order {
		s := p.Steps[i]
		s.Needs = nil
		if place > 0 {
			s.Needs = []int{place - 1}
		}
		q.Steps[place] = s
	}
	return &q
}

// one applies a story's plan in an order drawn from the seed. After so many reports
// that something was done or failed, the run is interrupted; none: it is not.
func (l story) one(w *world, seed uint64, interrupt int) (reports int) {
	w.Helper()
	store, err := w.lock()
	w.must(err)
	a, err := w.planFrom(store.State(), l.mode)
	w.must(err)
	a.plan = inOrder(a.plan, rand.New(rand.NewPCG(seed, 9)))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if interrupt == 0 {
		cancel()
	}
	w.onEvent = func(e apply.Event) {
		if e.Stage == apply.Done || e.Stage == apply.Failed {
			if reports++; reports == interrupt {
				cancel()
			}
		}
	}
	defer func() { w.onEvent = nil }()
	r, err := w.carryOutIn(ctx, store, a)
	if err != nil && ctx.Err() == nil {
		w.Fatalf("%v", err)
	}
	if r.Interrupted != (ctx.Err() != nil) {
		w.Errorf("interrupted: %v", r.Interrupted)
	}
	w.must(store.Close())
	return reports
}

const uninterrupted = -1

// Whatever order the needs of steps leave, the account comes out the same.
func TestAnyOrderOfSteps(t *testing.T) {
	for _, l := range stories() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			want, _ := l.undisturbed(t)
			for seed := range uint64(testrun.CaseCount(1, 5)) {
				w := l.begin(t)
				l.one(w, seed, uninterrupted)
				w.settled(l.mode)
				w.usable()
				if diff := cmp.Diff(want, w.account()); diff != "" {
					t.Errorf("order %d: another account (-want +got):\n%s", seed, diff)
				}
				w.close()
			}
		})
	}
}

// However far an order of the steps has come when the run is interrupted, the next
// runs do the rest, and nothing is announced that was never begun.
func TestInterruptedAfterEveryStep(t *testing.T) {
	for n, l := range stories() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			want, _ := l.undisturbed(t)
			whole := l.begin(t)
			all := make([]int, l.one(whole, 0, uninterrupted))
			whole.close()
			for i := range all {
				all[i] = i
			}
			for _, steps := range testrun.SampleUnlessExhaustive(t, 23, n, all) {
				w := l.begin(t)
				l.one(w, uint64(steps), steps)
				if a, err := w.plan(l.mode); err != nil {
					t.Errorf("interrupted after %d of %d: %v", steps, len(all), err)
				} else if len(a.open) > 0 {
					t.Errorf("interrupted after %d of %d: still announced: %v", steps, len(all), a.open)
				}
				l.converge(w, want)
				w.close()
			}
		})
	}
}
