package plan

import (
	"cmp"
	"slices"

	"b2form/schema/addr"
)

// An EntryMove is one state entry that gets another address.
type EntryMove struct {
	From addr.Addr `json:"from"`
	To   addr.Addr `json:"to"`
}

// applyMoves gives the entries the addresses to which their objects belong now, and sorts them.
func (p *planner) applyMoves() {
	byAddr := func(a, b addr.StateEntry) int { return a.Addr.Compare(b.Addr) }
	moved := p.Config.MovedAddrs(p.Entries)
	if len(moved) > 0 || !slices.IsSortedFunc(p.Entries, byAddr) {
		p.Entries = slices.Clone(p.Entries)
		slices.SortFunc(p.Entries, byAddr)
	}
	if len(moved) == 0 {
		return
	}
	taken := make(map[addr.Addr]addr.Addr, len(p.Entries)) // now: before
	for i := range p.Entries {
		e := &p.Entries[i]
		from := e.Addr
		e.Addr = cmp.Or(moved[from], from)
		if other, has := taken[e.Addr]; has {
			p.errorf(nil, "Two objects for one address",
				"By the moved blocks both %s and %s of the state become %s, but only one can. Remove the moved block, or "+
					"forget one of them with `b2form state rm`.", other, from, e.Addr)
		}
		taken[e.Addr] = from
		if e.Addr != from {
			p.movedFrom[e.Addr] = from
			p.plan.Moves = append(p.plan.Moves, EntryMove{From: from, To: e.Addr})
		}
	}
	p.plan.Moves = orderMoves(p.plan.Moves)
	slices.SortFunc(p.Entries, byAddr)
}

// orderMoves sorts moves so that each address is free when something moves to it.
func orderMoves(moves []EntryMove) []EntryMove {
	from := make(map[addr.Addr]EntryMove, len(moves))
	for _, m := range moves {
		from[m.From] = m
	}
	out := make([]EntryMove, 0, len(moves))
	var visit func(m EntryMove)
	visit = func(m EntryMove) {
		if _, open := from[m.From]; !open {
			return
		}
		delete(from, m.From)
		if next, has := from[m.To]; has {
			visit(next)
		}
		out = append(out, m)
	}
	for _, m := range moves {
		visit(m)
	}
	return out
}
