package plan

import (
	"slices"
	"strconv"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// A reference is one mention of an object by its name.
type reference struct{ kind, identity string }

// references calls f with every name of another object in v, with the attribute
// of the top level in which it stands, and with the one that holds it. v is not
// null; what is hidden is passed over.
func references(k *kind.Kind, v cty.Value, f func(attr string, by *kind.Attr, name string)) {
	for i := range k.Attrs {
		a := &k.Attrs[i]
		if a.Computed || !a.Refers() {
			continue
		}
		for _, m := range a.Mentions(v.GetAttr(a.Name)) {
			f(a.Name, m.By, m.Name)
		}
	}
}

// checkReferences reports names of objects that neither exist nor will, or that
// several have: B2 wants their IDs.
func (p *planner) checkReferences(r *kind.Resource, c *Change) {
	if c.Action == NoOp {
		return
	}
	references(r.Kind, c.After, func(attr string, by *kind.Attr, name string) {
		k := p.kinds[by.Ref]
		if k == nil || c.Action == Update && !slices.Contains(c.Fields, attr) || p.isID(by, k, name) {
			return
		}
		if k.Namesake {
			p.checkShared(r, c, attr, k, name)
		}
		if p.exists(k, k.Fold(name)) {
			return
		}
		rng := r.Block.RangeOf(attr)
		p.errorf(&rng, "No such "+by.Ref,
			"%s of %s names the %s %s, which neither exists in this account nor is in the configuration. "+
				"Correct the name, or declare the %s.", attr, r.Addr, by.Ref, shown(c, attr, name), by.Ref)
	})
}

// shown is a name in an attribute, in quotes.
func shown(c *Change, attr, name string) string {
	if slices.Contains(c.Sensitive, attr) {
		return kind.Hidden
	}
	return strconv.Quote(name)
}

// exists reports whether a name leads to something. Where the credentials do
// not show everything, it may.
func (p *planner) exists(k *kind.Kind, identity string) bool {
	if !p.Snapshot.WasRead(k) || p.restricted(k) || len(p.Snapshot.ByIdentity(k, identity)) > 0 {
		return true
	}
	_, ok := p.declaredAs(k, identity)
	return ok
}

// declaredAs finds the resource that declares an identity. Few plans ask, so
// the index is made when the first one does.
func (p *planner) declaredAs(k *kind.Kind, identity string) (kind.Addr, bool) {
	if p.identities == nil {
		p.identities = make(map[reference]kind.Addr, len(p.declared))
		for _, r := range p.declared {
			p.identities[reference{r.Kind.Name, r.Identity()}] = r.Addr
		}
	}
	addr, ok := p.identities[reference{k.Name, identity}]
	return addr, ok
}

// order fills in what each change waits for. What is made waits for what its
// block refers to; what is deleted waits for what refers to it, in blocks and in
// B2.
func (p *planner) order() {
	o := orderer{planner: p, changes: make(map[kind.Addr]*Change, len(p.plan.Changes))}
	for i := range p.plan.Changes {
		o.changes[p.plan.Changes[i].Addr] = &p.plan.Changes[i]
	}
	for i := range p.plan.Changes {
		o.declared(&p.plan.Changes[i])
	}
	users := o.users()
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		if !removes(c) {
			continue
		}
		for _, user := range users[reference{c.Kind.Name, c.Identity}] {
			o.wait(c, user)
		}
	}
	o.last()
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		c.Needs, c.LateNeeds = tidyNeeds(c.Needs), tidyNeeds(c.LateNeeds)
	}
	o.whole()
}

func tidyNeeds(needs []Need) []Need {
	slices.SortFunc(needs, func(a, b Need) int { return a.Addr.Compare(b.Addr) })
	return slices.Compact(needs)
}

type orderer struct {
	*planner
	changes map[kind.Addr]*Change
}

func removes(c *Change) bool { return c.Action == Delete || c.Action == Forget }

// declared follows what the change's block refers to, through blocks that do
// not change.
func (o *orderer) declared(c *Change) {
	r := o.declaration(c.Addr)
	if r == nil || len(r.Needs) == 0 {
		return
	}
	o.follow(c.Addr, r.Needs, func(to *Change) bool {
		switch {
		case removes(c) != removes(to):
			return false
		case removes(c):
			to.Needs = append(to.Needs, Need{Addr: c.Addr})
		default:
			c.Needs = append(c.Needs, Need{Addr: to.Addr})
		}
		return true
	})
}

// follow gives f the changes that addresses lead to. Where there is none, or f
// does not take it, what that block refers to is followed. from is passed over.
func (o *orderer) follow(from kind.Addr, addrs []kind.Addr, f func(*Change) bool) {
	seen := map[kind.Addr]bool{from: true}
	var follow func([]kind.Addr)
	follow = func(addrs []kind.Addr) {
		for _, addr := range addrs {
			if seen[addr] {
				continue
			}
			seen[addr] = true
			to, r := o.changes[addr], o.declaration(addr)
			if (to == nil || !f(to)) && r != nil {
				follow(r.Needs)
			}
		}
	}
	follow(addrs)
}

// users lists, by what is referred to, the changes that end a reference of a
// live object. It may be one that no block speaks of.
func (o *orderer) users() map[reference][]*Change {
	users := map[reference][]*Change{}
	if !slices.ContainsFunc(o.plan.Changes, func(c Change) bool { return removes(&c) }) {
		return users
	}
	for i := range o.plan.Changes {
		c := &o.plan.Changes[i]
		if c.Before.IsNull() || c.Action == NoOp {
			continue
		}
		references(c.Kind, c.Before, func(_ string, by *kind.Attr, name string) {
			if k := o.kinds[by.Ref]; k != nil && !k.Namesake { // the others are known by their IDs
				to := reference{by.Ref, name}
				users[to] = append(users[to], c)
			}
		})
	}
	return users
}

// wait lets c wait for the other change, unless blocks say that the other one
// waits for c.
func (o *orderer) wait(c, other *Change) {
	if c != other && !o.waits(other, c, map[kind.Addr]bool{}) {
		c.Needs = append(c.Needs, Need{Addr: other.Addr})
	}
}

func (o *orderer) waits(c, other *Change, seen map[kind.Addr]bool) bool {
	for _, n := range c.Needs {
		if n.Addr == other.Addr {
			return true
		}
		if to := o.changes[n.Addr]; to != nil && !seen[n.Addr] {
			seen[n.Addr] = true
			if o.waits(to, other, seen) {
				return true
			}
		}
	}
	return false
}
