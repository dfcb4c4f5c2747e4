package apply

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"b2form/plan"
)

// A drawn execution is a random graph of steps and what becomes of each.
type drawn struct {
	steps    []plan.Step
	fates    []stepStatus // done, failed or held
	most     int
	endAfter int // steps begun when nothing further may begin; -1: never
	badBatch int // which announcement fails, from 1; 0: none
}

func draw(t *rapid.T) drawn {
	d := drawn{most: rapid.IntRange(1, 4).Draw(t, "most"), endAfter: rapid.IntRange(-1, 12).Draw(t, "interrupt"),
		badBatch: rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "bad announcement")}
	ops := []plan.Op{plan.OpCreate, plan.OpVerify, plan.OpUpdate, plan.OpDelete, plan.OpForget}
	for i := range rapid.IntRange(0, 20).Draw(t, "steps") {
		s := plan.Step{Op: rapid.SampledFrom(ops).Draw(t, "op")}
		for need := range i {
			if rapid.IntRange(0, 5).Draw(t, "needs") == 0 {
				s.Needs = append(s.Needs, need)
			}
		}
		d.steps = append(d.steps, s)
		d.fates = append(d.fates, rapid.SampledFrom([]stepStatus{done, done, done, done, failed, held}).Draw(t, "fate"))
	}
	return d
}

// A witness notes what an executor does.
type witness struct {
	mu        sync.Mutex
	announced []int
	begun     []int
	running   int // steps that count
	most      int
	batches   int
	ended     map[int]bool
	wrong     []error
}

func (w *witness) check(ok bool, what string) {
	if !ok {
		w.wrong = append(w.wrong, errors.New(what))
	}
}

func (d *drawn) run(w *witness) []stepStatus {
	w.ended = map[int]bool{}
	e := executor{
		steps: d.steps, parallelism: d.most,
		announce: func(creates []int) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.batches++
			if w.batches == d.badBatch {
				return errors.New("the state cannot be written")
			}
			w.announced = append(w.announced, creates...)
			return nil
		},
		doStep: func(step int, freeSlot func()) stepStatus {
			counts := d.steps[step].Op != plan.OpVerify && d.steps[step].Op != plan.OpForget
			w.mu.Lock()
			w.begun = append(w.begun, step)
			for _, need := range d.steps[step].Needs {
				w.check(w.ended[need] && d.fates[need] == done, "a step begins before what it needs is done")
			}
			w.check(d.steps[step].Op != plan.OpCreate || slices.Contains(w.announced, step), "a create begins without an announcement")
			if counts {
				w.running++
				w.most = max(w.most, w.running)
			}
			w.mu.Unlock()
			if step%2 == 0 {
				w.leave(counts)
				freeSlot()
				counts = false
			}
			w.leave(counts)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.ended[step] = true
			return d.fates[step]
		},
		mayBegin: func(plan.Op) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return d.endAfter < 0 || len(w.begun) < d.endAfter
		},
	}
	return e.run()
}

func (w *witness) leave(counts bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if counts {
		w.running--
	}
}

// Over random graphs with failures, holds and interrupts: a step begins after what
// it needs, once, announced where it creates, in its place; and it is left out for
// one of the reasons there are.
func TestExecutor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, w := draw(t), &witness{}
		outcomes := d.run(w)
		for _, err := range w.wrong {
			t.Error(err)
		}
		if w.most > d.most {
			t.Errorf("%d steps at once, at most %d may be", w.most, d.most)
		}
		if slices.Sort(w.begun); len(slices.Compact(slices.Clone(w.begun))) != len(w.begun) {
			t.Errorf("begun twice: %v", w.begun)
		}
		for i, o := range outcomes {
			s := d.steps[i]
			of := func(want stepStatus) bool {
				return slices.ContainsFunc(s.Needs, func(n int) bool { return outcomes[n] == want })
			}
			_, begun := slices.BinarySearch(w.begun, i)
			announced := s.Op != plan.OpCreate || slices.Contains(w.announced, i)
			switch {
			case begun:
				if o != d.fates[i] {
					t.Errorf("step %d is %d, was made %d", i, o, d.fates[i])
				}
			case o == held:
				if !of(held) {
					t.Errorf("step %d is held, and nothing that it needs is", i)
				}
			case o == failed || o == done:
				t.Errorf("step %d is %d and was never begun", i, o)
			case d.badBatch > 0 && !announced:
			case d.endAfter < 0 && !of(failed) && !of(notBegun):
				t.Errorf("step %d was not begun for no reason", i)
			case of(held):
				t.Errorf("step %d needs a held one and is not held", i)
			}
		}
	})
}
