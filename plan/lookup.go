package plan

import (
	"sort"

	"b2form/schema/addr"
	"b2form/schema/config"
)

// A addrLookup finds addresses in a list that is sorted by them. Most are asked for
// in the order of the list, where this takes less time and memory than a map.
type addrLookup struct {
	n    int
	at   func(i int) *addr.Addr
	next int // behind the last one found
}

// find gives the index of an address; -1: it is not in the list.
func (l *addrLookup) find(addr *addr.Addr) int {
	i := l.next
	if i >= l.n || *l.at(i) != *addr {
		var found bool
		if i, found = sort.Find(l.n, func(i int) int { return addr.Compare(*l.at(i)) }); !found {
			return -1
		}
	}
	l.next = i + 1
	return i
}

// declaration is what is declared under an address; nil: nothing.
func (p *planner) declaration(addr addr.Addr) *config.Resource {
	if i := p.resources.find(&addr); i >= 0 {
		return p.declared[i]
	}
	return nil
}

// entry is what the state records of an address; nil: nothing.
func (p *planner) entry(addr addr.Addr) *addr.Entry {
	if i := p.entries.find(&addr); i >= 0 {
		return &p.Entries[i]
	}
	return nil
}

// owner is the address under which the state records an object; nil: none. Few
// plans ask, so the index is made when the first one does.
func (p *planner) owner(o objectID) *addr.Addr {
	if p.owners == nil {
		p.owners = make(map[objectID]*addr.Addr, len(p.Entries))
		for i := range p.Entries {
			e := &p.Entries[i]
			for _, old := range e.Retiring {
				p.owners[objectID{e.Addr.Kind, old.ID}] = &e.Addr
			}
		}
		for i := range p.Entries { // what lives for an address is never another one's to delete
			e := &p.Entries[i]
			p.owners[objectID{e.Addr.Kind, e.ID}] = &e.Addr
		}
	}
	return p.owners[o]
}
