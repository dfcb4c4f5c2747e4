package apply

import (
	"slices"

	"b2form/plan"
	"b2form/schema/kind"
)

// A task is what is carried out at once: a change, or one part of a divided one.
type task struct {
	change      *plan.Change
	first, last bool
	id          string // the object's remote ID after the first part; "" where that is in the same task
}

// A half names a task. An undivided change has only the half that is not last.
type half struct {
	addr kind.Addr
	last bool
}

func (t *task) half() half { return half{t.change.Addr, !t.first} }

// A queue hands out tasks whose needs are done, in the plan's order.
type queue struct {
	tasks   map[half]*task
	waits   map[half]int    // needs that are not done
	needed  map[half][]half // who waits for a task
	ready   []half
	begun   map[half]bool
	failed  map[kind.Addr]bool
	divided map[kind.Addr]bool
}

func newQueue(changes []plan.Change) *queue {
	q := &queue{
		tasks:   make(map[half]*task, len(changes)),
		waits:   make(map[half]int, len(changes)),
		needed:  map[half][]half{},
		begun:   make(map[half]bool, len(changes)),
		failed:  map[kind.Addr]bool{},
		divided: map[kind.Addr]bool{},
	}
	for i := range changes {
		c := &changes[i]
		q.tasks[half{c.Addr, false}] = &task{change: c, first: true, last: !c.Divided()}
		if c.Divided() {
			q.divided[c.Addr] = true
			q.tasks[half{c.Addr, true}] = &task{change: c, last: true}
		}
	}
	for i := range changes {
		c := &changes[i]
		q.wait(half{c.Addr, false}, c.Needs)
		if c.Divided() {
			q.depend(half{c.Addr, true}, half{c.Addr, false})
			q.wait(half{c.Addr, true}, c.LateNeeds)
		}
		if first := (half{c.Addr, false}); q.waits[first] == 0 {
			q.ready = append(q.ready, first)
		}
	}
	return q
}

// wait lets a half wait for what it needs, to its end unless the plan says that
// its first part is enough.
func (q *queue) wait(h half, needs []plan.Need) {
	for _, n := range needs {
		q.depend(h, half{n.Addr, q.divided[n.Addr] && !n.First})
	}
}

func (q *queue) depend(h, on half) {
	if q.tasks[on] != nil {
		q.waits[h]++
		q.needed[on] = append(q.needed[on], h)
	}
}

// next is the next task that may begin; nil: none may now.
func (q *queue) next() *task {
	if len(q.ready) == 0 {
		return nil
	}
	h := q.ready[0]
	q.ready = q.ready[1:]
	q.begun[h] = true
	return q.tasks[h]
}

// finish lets those begin that waited only for t. After a failure they never
// will. id is the object's remote ID.
func (q *queue) finish(t *task, id string, ok bool) {
	addr := t.change.Addr
	if !ok {
		q.failed[addr] = true
		return
	}
	if other := q.tasks[half{addr, true}]; other != nil {
		other.id = id
	}
	for _, h := range q.needed[t.half()] {
		if q.waits[h]--; q.waits[h] == 0 {
			q.ready = append(q.ready, h)
		}
	}
}

// left are the changes that were not begun, and those that lack their last part
// although nothing in them failed; sorted.
func (q *queue) left() (skipped, unfinished []kind.Addr) {
	for h := range q.tasks {
		switch {
		case q.begun[h] || q.failed[h.addr]:
		case !h.last:
			skipped = append(skipped, h.addr)
		case q.begun[half{h.addr, false}]:
			unfinished = append(unfinished, h.addr)
		}
	}
	slices.SortFunc(skipped, kind.Addr.Compare)
	slices.SortFunc(unfinished, kind.Addr.Compare)
	return skipped, unfinished
}
