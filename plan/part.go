package plan

import (
	"fmt"
	"slices"
	"strings"

	"b2form/schema/kind"
)

// A change has two parts. The first makes, changes or deletes the object; the
// last sets the attributes in Late, and then deletes what the change supersedes.
// Where LateNeeds is empty nothing comes between the two.

// A Need is a change that another one waits for.
type Need struct {
	Addr kind.Addr
	// First says that its first part is enough: its last part waits for who needs it.
	First bool
}

func (n Need) String() string {
	if n.First {
		return "the first part of " + n.Addr.String()
	}
	return n.Addr.String()
}

// Divided reports whether something else must be done between the two parts.
func (c *Change) Divided() bool { return len(c.LateNeeds) > 0 }

// First lists the attributes that the first part of an update sends.
func (c *Change) First() []string {
	return slices.DeleteFunc(slices.Clone(c.Fields), func(name string) bool { return slices.Contains(c.Late, name) })
}

// last fills in what comes last in each change, and what it waits for.
func (o *orderer) last() {
	users := o.usersByID()
	ends := map[owned]*Change{}
	for i := range o.plan.Changes {
		c := &o.plan.Changes[i]
		o.late(c)
		for _, id := range c.ends() {
			ends[id] = c
			for _, user := range users[id] {
				switch {
				case user == c:
				case removes(c):
					o.wait(c, user)
				default:
					c.LateNeeds = append(c.LateNeeds, Need{Addr: user.Addr})
				}
			}
		}
	}
	o.orphans(ends, users)
}

// late sets apart the attributes that are set last: in a create all of them, since
// B2 does not take them there; in an update where what they name is changed first.
func (o *orderer) late(c *Change) {
	if c.Action != Create && c.Action != Update {
		return
	}
	r, knots := o.declaration(c.Addr), false
	for i := range c.Kind.Attrs {
		a := &c.Kind.Attrs[i]
		if !a.Later {
			continue
		}
		if c.Action == Update && slices.Contains(c.Fields, a.Name) || c.Action == Create && !c.After.GetAttr(a.Name).IsNull() {
			c.Late = append(c.Late, a.Name)
			knots = knots || a.Knots()
		}
	}
	if knots {
		o.follow(c.Addr, r.Later, func(to *Change) bool {
			if !removes(to) {
				c.LateNeeds = append(c.LateNeeds, Need{Addr: to.Addr})
			}
			return true
		})
	}
	if c.Action == Update && len(c.LateNeeds) == 0 {
		c.Late = nil
	}
}

// ends lists what the change deletes, as live objects name it: by remote IDs, and
// by the name where that is nobody else's.
func (c *Change) ends() []owned {
	var out []owned
	if c.Action == Delete || c.Action == Replace {
		out = append(out, owned{c.Kind.Name, c.ID})
	}
	if c.Action == Delete && !c.Kind.Namesake {
		out = append(out, owned{c.Kind.Name, c.Identity})
	}
	for _, id := range c.Leftovers {
		out = append(out, owned{c.Kind.Name, id})
	}
	return out
}

// usersByID lists, by what a live object names, the updates that end that.
func (o *orderer) usersByID() map[owned][]*Change {
	users := map[owned][]*Change{}
	for i := range o.plan.Changes {
		c := &o.plan.Changes[i]
		if c.Action != Update || !slices.ContainsFunc(c.Fields, func(f string) bool { return c.Kind.Attr(f).Knots() }) {
			continue
		}
		for _, id := range o.uses[c.Addr] {
			users[id] = append(users[id], c)
		}
	}
	return users
}

// orphans adds the hazard of an object that is deleted while another one, which
// stays as it is, names it.
func (o *orderer) orphans(ends map[owned]*Change, users map[owned][]*Change) {
	if len(ends) == 0 {
		return
	}
	going := map[owned]bool{}
	for i := range o.plan.Changes {
		if c := &o.plan.Changes[i]; c.Action == Delete {
			going[owned{c.Kind.Name, c.ID}] = true
		}
	}
	for _, k := range o.Kinds {
		if len(o.knots(k)) == 0 {
			continue
		}
		for _, object := range o.Snapshot.All(k) {
			live, err := object.Values()
			if err != nil || going[ownedAs(object)] {
				continue // what is unreadable and matters was reported
			}
			for _, m := range o.mentions(k, live) {
				id := owned{m.By.Ref, m.Name}
				updated := slices.ContainsFunc(users[id], func(c *Change) bool { return c.Kind == k && c.ID == object.ID })
				if c := ends[id]; c != nil && !updated {
					c.Hazards = tidy(append(c.Hazards, kind.Hazard{Kind: kind.WeakensProtection,
						Detail: fmt.Sprintf("%s %q names it in its %s, which stops working", k.Name, object.Identity, topOf(k, o.knots(k)))}))
				}
			}
		}
	}
}

// topOf names the attributes.
func topOf(k *kind.Kind, attrs []int) string {
	names := make([]string, len(attrs))
	for i, a := range attrs {
		names[i] = k.Attrs[a].Name
	}
	return strings.Join(names, " or ")
}

// whole decides for each need whether the change that is needed is waited for to
// its end: always, unless its last part waits in turn for the one that needs it.
func (o *orderer) whole() {
	divided := false
	for i := range o.plan.Changes {
		c := &o.plan.Changes[i]
		divided = divided || c.Divided()
		for _, needs := range [][]Need{c.Needs, c.LateNeeds} {
			for j := range needs {
				to := o.changes[needs[j].Addr]
				needs[j].First = to != nil && to.Divided()
			}
		}
	}
	if !divided {
		return
	}
	// What is superseded must not go before its users have let go of it.
	for _, superseding := range []bool{true, false} {
		for i := range o.plan.Changes {
			c := &o.plan.Changes[i]
			if (c.Divided() && len(c.Late) == 0) == superseding {
				o.complete(half{c.Addr, c.Divided()}, c.LateNeeds)
				o.complete(half{c.Addr, false}, c.Needs)
			}
		}
	}
}

// A half is a part of a change; undivided changes have the first only.
type half struct {
	addr kind.Addr
	last bool
}

// complete waits for the whole of what a part of a change needs, where it can.
func (o *orderer) complete(h half, needs []Need) {
	for i := range needs {
		n := &needs[i]
		n.First = n.First && o.leads(half{n.Addr, true}, h, map[half]bool{})
	}
}

// leads reports whether one part waits for another.
func (o *orderer) leads(from, to half, seen map[half]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	c := o.changes[from.addr]
	needs := c.Needs
	if from.last {
		if o.leads(half{from.addr, false}, to, seen) {
			return true
		}
		needs = c.LateNeeds
	}
	return slices.ContainsFunc(needs, func(n Need) bool {
		next := o.changes[n.Addr]
		return next != nil && o.leads(half{n.Addr, next.Divided() && !n.First}, to, seen)
	})
}

// usesOf lists what a live object names: by its ID, or by a name that nothing else
// has.
func (p *planner) usesOf(k *kind.Kind, raw kind.Values) []owned {
	var out []owned
	for _, m := range p.mentions(k, raw) {
		out = append(out, owned{m.By.Ref, m.Name})
	}
	return out
}
