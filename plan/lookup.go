package plan

import (
	"sort"

	"b2form/schema/addr"
	"b2form/schema/config"
)

// An addrLookup finds addresses in a list that is sorted by them. Most are asked for
// in the order of the list, where this takes less time and memory than a map.
type addrLookup struct {
	length    int
	addrAt    func(i int) *addr.Addr
	nextGuess int // behind the last one found
}

// find gives the index of an address; -1: it is not in the list.
func (l *addrLookup) find(addr *addr.Addr) (indexOrNegative int) {
	i := l.nextGuess
	if i >= l.length || *l.addrAt(i) != *addr {
		var found bool
		if i, found = sort.Find(l.length, func(i int) int { return addr.Compare(*l.addrAt(i)) }); !found {
			return -1
		}
	}
	l.nextGuess = i + 1
	return i
}

// declaration is what is declared under an address; nil: nothing.
func (p *planner) declaration(addr addr.Addr) *config.Resource {
	if i := p.declaredLookup.find(&addr); i >= 0 {
		return p.declared[i]
	}
	return nil
}

// entry is what the state records of an address; nil: nothing.
func (p *planner) entry(addr addr.Addr) *addr.StateEntry {
	if i := p.entryLookup.find(&addr); i >= 0 {
		return &p.Entries[i]
	}
	return nil
}

// ownerAddr is the address under which the state records an object; nil: none. Few
// plans ask, so the index is made when the first one does.
func (p *planner) ownerAddr(o objectID) *addr.Addr {
	if p.ownerByObject == nil {
		p.ownerByObject = make(map[objectID]*addr.Addr, len(p.Entries))
		for i := range p.Entries {
			e := &p.Entries[i]
			for _, old := range e.Retiring {
				p.ownerByObject[objectID{e.Addr.Kind, old.ID}] = &e.Addr
			}
		}
		for i := range p.Entries { // what lives for an address is never another one's to delete
			e := &p.Entries[i]
			p.ownerByObject[objectID{e.Addr.Kind, e.ID}] = &e.Addr
		}
	}
	return p.ownerByObject[o]
}
