package plan

import (
	"slices"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// An EntryMove is one state entry that gets another address.
type EntryMove struct {
	From addr.Addr `json:"from"`
	To   addr.Addr `json:"to"`
}

// applyMoves gives the entries the addresses that moved blocks say, following chains
// to their end, and sorts them.
func (p *planner) applyMoves() {
	byAddr := func(a, b addr.StateEntry) int { return a.Addr.Compare(b.Addr) }
	if len(p.Config.Moves) > 0 || !slices.IsSortedFunc(p.Entries, byAddr) {
		p.Entries = slices.Clone(p.Entries)
		slices.SortFunc(p.Entries, byAddr)
	}
	if len(p.Config.Moves) == 0 {
		return
	}
	taken := make(map[addr.Addr]addr.Addr, len(p.Entries)) // now: before
	for i := range p.Entries {
		e := &p.Entries[i]
		from := e.Addr
		e.Addr = p.moveDestination(from)
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

// moveDestination follows the moves from one address. They form no cycle.
func (p *planner) moveDestination(addr addr.Addr) addr.Addr {
	for range p.Config.Moves {
		next := addr
		for _, m := range p.Config.Moves {
			if to, ok := m.Apply(addr); ok {
				next = to
				break
			}
		}
		if next == addr {
			break
		}
		addr = next
	}
	return addr
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

// removalFor is the removed block that speaks of an address; nil: none.
func (p *planner) removalFor(addr addr.Addr) *config.Removal {
	for i := range p.Config.Removals {
		if r := &p.Config.Removals[i]; r.Covers(addr) {
			return r
		}
	}
	return nil
}

// planForget plans to forget an object that stays in B2.
func (p *planner) planForget(addr addr.Addr, k *kind.Kind, h match) {
	c := Change{
		Addr:     addr,
		Kind:     k,
		Action:   Forget,
		Identity: h.identity(),
		Reason:   "a removed block says that it is not managed here any more",
	}
	if h.entry != nil {
		c.RemoteID = h.entry.ID
	}
	c.Before, c.After = p.nullValues(k)
	p.addChange(c)
}

// identity is the name of what is ours; "" where nothing is.
func (h *match) identity() string {
	switch {
	case h.object != nil:
		return h.object.Identity
	case h.entry != nil:
		return h.entry.Identity
	}
	return ""
}
