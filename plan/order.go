package plan

import (
	"slices"
	"strconv"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// A reference is one mention of an object by its name.
type reference struct{ kind, identity string }

// references calls f with every name of another object in v, and with the
// attribute of the top level in which it stands. v is not null; what is hidden
// is passed over.
func references(k *kind.Kind, v cty.Value, f func(attr, ref, name string)) {
	for i := range k.Attrs {
		a := &k.Attrs[i]
		if !a.Computed {
			referencesIn(a, v.GetAttr(a.Name), func(ref, name string) { f(a.Name, ref, name) })
		}
	}
}

func referencesIn(a *kind.Attr, v cty.Value, f func(ref, name string)) {
	switch {
	case a.Ref == "" && a.Object == nil, v.IsNull(), !v.IsKnown():
	case v.Type() == cty.String:
		f(a.Ref, v.AsString())
	case v.Type().IsObjectType():
		for i := range a.Object {
			referencesIn(&a.Object[i], v.GetAttr(a.Object[i].Name), f)
		}
	case v.CanIterateElements():
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			referencesIn(a, e, f)
		}
	}
}

// checkReferences reports names of objects that neither exist nor will: B2 wants
// their IDs.
func (p *planner) checkReferences(r *kind.Resource, c *Change) {
	if c.Action == NoOp {
		return
	}
	references(r.Kind, c.After, func(attr, ref, name string) {
		k := p.kinds[ref]
		if k == nil || c.Action == Update && !slices.Contains(c.Fields, attr) || p.exists(k, k.Fold(name)) {
			return
		}
		shown := strconv.Quote(name)
		if slices.Contains(c.Sensitive, attr) {
			shown = kind.Hidden
		}
		rng := r.Block.RangeOf(attr)
		p.errorf(&rng, "No such "+ref,
			"%s of %s names the %s %s, which neither exists in this account nor is in the configuration. "+
				"Correct the name, or declare the %s.", attr, r.Addr, ref, shown, ref)
	})
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

// order fills in Needs. What is made waits for what its block refers to; what
// is deleted waits for what refers to it, in blocks and in B2.
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
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		slices.SortFunc(c.Needs, kind.Addr.Compare)
		c.Needs = slices.Compact(c.Needs)
	}
}

type orderer struct {
	*planner
	changes map[kind.Addr]*Change
}

func removes(c *Change) bool { return c.Action == Delete || c.Action == Forget }

// declared follows what the change's block refers to, through blocks that do
// not change.
func (o *orderer) declared(c *Change) {
	r := o.resources[c.Addr]
	if r == nil || len(r.Needs) == 0 {
		return
	}
	seen := map[kind.Addr]bool{c.Addr: true}
	var follow func(needs []kind.Addr)
	follow = func(needs []kind.Addr) {
		for _, addr := range needs {
			if seen[addr] {
				continue
			}
			seen[addr] = true
			switch to := o.changes[addr]; {
			case to != nil && removes(c) && removes(to):
				to.Needs = append(to.Needs, c.Addr)
			case to != nil && !removes(c) && !removes(to):
				c.Needs = append(c.Needs, addr)
			case o.resources[addr] != nil:
				follow(o.resources[addr].Needs)
			}
		}
	}
	follow(r.Needs)
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
		references(c.Kind, c.Before, func(_, ref, name string) {
			to := reference{ref, name}
			users[to] = append(users[to], c)
		})
	}
	return users
}

// wait lets c wait for the other change, unless blocks say that the other one
// waits for c.
func (o *orderer) wait(c, other *Change) {
	if c != other && !o.waits(other, c, map[kind.Addr]bool{}) {
		c.Needs = append(c.Needs, other.Addr)
	}
}

func (o *orderer) waits(c, other *Change, seen map[kind.Addr]bool) bool {
	for _, addr := range c.Needs {
		if addr == other.Addr {
			return true
		}
		if to := o.changes[addr]; to != nil && !seen[addr] {
			seen[addr] = true
			if o.waits(to, other, seen) {
				return true
			}
		}
	}
	return false
}
