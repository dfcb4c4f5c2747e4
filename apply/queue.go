package apply

import (
	"slices"

	"b2form/plan"
	"b2form/schema/kind"
)

// A queue hands out changes whose needs are done, in the plan's order.
type queue struct {
	changes map[kind.Addr]*plan.Change
	waits   map[kind.Addr]int         // needs that are not done
	needed  map[kind.Addr][]kind.Addr // who waits for an address
	ready   []kind.Addr
	begun   map[kind.Addr]bool
}

func newQueue(changes []plan.Change) *queue {
	q := &queue{
		changes: make(map[kind.Addr]*plan.Change, len(changes)),
		waits:   make(map[kind.Addr]int, len(changes)),
		needed:  map[kind.Addr][]kind.Addr{},
		begun:   make(map[kind.Addr]bool, len(changes)),
	}
	for i := range changes {
		q.changes[changes[i].Addr] = &changes[i]
	}
	for i := range changes {
		c := &changes[i]
		for _, need := range c.Needs {
			if q.changes[need] != nil {
				q.waits[c.Addr]++
				q.needed[need] = append(q.needed[need], c.Addr)
			}
		}
		if q.waits[c.Addr] == 0 {
			q.ready = append(q.ready, c.Addr)
		}
	}
	return q
}

// next is the next change that may begin; nil: none may now.
func (q *queue) next() *plan.Change {
	if len(q.ready) == 0 {
		return nil
	}
	addr := q.ready[0]
	q.ready = q.ready[1:]
	q.begun[addr] = true
	return q.changes[addr]
}

// finish lets those begin that waited only for addr. After a failure they never
// will.
func (q *queue) finish(addr kind.Addr, ok bool) {
	if !ok {
		return
	}
	for _, a := range q.needed[addr] {
		if q.waits[a]--; q.waits[a] == 0 {
			q.ready = append(q.ready, a)
		}
	}
}

// left are the changes that were never begun, sorted.
func (q *queue) left() []kind.Addr {
	var out []kind.Addr
	for addr := range q.changes {
		if !q.begun[addr] {
			out = append(out, addr)
		}
	}
	slices.SortFunc(out, kind.Addr.Compare)
	return out
}
