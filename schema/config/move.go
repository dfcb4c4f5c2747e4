package config

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"b2form/schema/addr"
)

// A Move says that what was declared at one address is declared at another now.
// Both are resources, or both are whole modules, whose Kind is "".
type Move struct {
	From, To addr.Addr
	Range    hcl.Range
}

// Apply is where an object recorded at addr belongs now; ok is false where the
// move does not concern it. Between two addresses without instance keys all
// instances move and keep their keys.
func (m Move) Apply(addr addr.Addr) (to addr.Addr, ok bool) {
	keys := m.From.Kind == "" && (endsInInstanceKey(m.From.Module) || endsInInstanceKey(m.To.Module))
	if m.From.Kind == "" {
		rest, ok := strings.CutPrefix(addr.Module, m.From.Module)
		if !ok || rest != "" && rest[0] != '.' && (keys || rest[0] != '[') {
			return addr, false
		}
		addr.Module = m.To.Module + rest
		return addr, true
	}
	if addr.WithoutKey() != m.From.WithoutKey() {
		return addr, false
	}
	if m.From.Instance.IsSingle() && m.To.Instance.IsSingle() {
		to = m.To
		to.Instance = addr.Instance
		return to, true
	}
	return m.To, addr == m.From
}

// MovedAddrs are the addresses to which recorded objects belong now, of those that belong to others than they are recorded
// at. Moved blocks say so; and where what they lead to is declared no more, the address that differs from it only in the index 0
// of a count is meant, if that is declared and no other object belongs to it: `bucket.a[0]` for `bucket.a`, or the other
// way round, of the block itself or of modules around it.
func (c *Config) MovedAddrs(recorded []addr.StateEntry) map[addr.Addr]addr.Addr {
	moved := map[addr.Addr]addr.Addr{}
	var undeclared []addr.Addr // as recorded
	for i := range recorded {
		from := recorded[i].Addr
		to := c.moveDestination(from)
		if to != from {
			moved[from] = to
		}
		if !c.declares(to) && c.FindRemoval(to) == nil {
			undeclared = append(undeclared, from)
		}
	}
	if len(undeclared) == 0 {
		return moved
	}
	declared := make(map[addr.Addr]addr.Addr, len(c.Resources)) // by their addresses without indexes 0
	for _, r := range c.Resources {
		declared[r.Addr.WithoutZeroIndexes()] = r.Addr
	}
	taken := make(map[addr.Addr]bool, len(recorded))
	for i := range recorded {
		taken[cmp.Or(moved[recorded[i].Addr], recorded[i].Addr)] = true
	}
	for _, from := range undeclared {
		to, ok := declared[cmp.Or(moved[from], from).WithoutZeroIndexes()]
		if ok && !taken[to] {
			moved[from], taken[to] = to, true
		}
	}
	return moved
}

func (c *Config) declares(a addr.Addr) bool {
	_, found := slices.BinarySearchFunc(c.Resources, a, func(r *Resource, a addr.Addr) int { return r.Addr.Compare(a) })
	return found
}

// moveDestination follows the moves from the address of an object that is recorded. They form no cycle.
func (c *Config) moveDestination(recorded addr.Addr) (now addr.Addr) {
	now = recorded
	for range c.Moves {
		next := now
		for _, m := range c.Moves {
			if to, ok := m.Apply(now); ok {
				next = to
				break
			}
		}
		if next == now {
			break
		}
		now = next
	}
	return now
}

// endsInInstanceKey reports whether a module path ends in an instance key.
func endsInInstanceKey(module string) bool { return strings.HasSuffix(module, "]") }

// A Removal says that what was declared at an address is declared no more, and
// what becomes of the object.
type Removal struct {
	From         addr.Addr // a resource, or with Kind "" a whole module; without an instance key all instances
	Destroy      bool      // false: the object stays, and nobody manages it
	ForceDestroy *bool     // with Destroy: whether it goes with everything it holds; nil: as the state remembers
	Range        hcl.Range
}

// FindRemoval is the removed block that speaks of an address, of several the one that names the least beside it; nil: none.
func (c *Config) FindRemoval(a addr.Addr) *Removal {
	var narrowest *Removal
	for i := range c.Removals {
		if r := &c.Removals[i]; r.Covers(a) && (narrowest == nil || r.isNarrowerThan(narrowest)) {
			narrowest = r
		}
	}
	return narrowest
}

// isNarrowerThan compares two removals that cover one address: an instance is less than its resource, that is less than
// its module, and that is less than the modules around it.
func (r *Removal) isNarrowerThan(other *Removal) bool {
	switch {
	case (r.From.Kind == "") != (other.From.Kind == ""):
		return r.From.Kind != ""
	case r.From.Kind == "":
		return len(r.From.Module) > len(other.From.Module)
	}
	return other.From.Instance.IsSingle()
}

// Covers reports whether the removal speaks of an address.
func (r Removal) Covers(addr addr.Addr) bool {
	if r.From.Kind == "" {
		_, ok := Move{From: r.From, To: r.From}.Apply(addr)
		return ok
	}
	return r.From == addr || r.From == addr.WithoutKey()
}
