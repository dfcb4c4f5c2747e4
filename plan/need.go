package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"b2form/schema/addr"
	"b2form/schema/kind"
)

// A need says that one step waits for another.
type need struct {
	step, on int32
	strength strength
}

// A strength says what becomes of a need where keeping it would make steps wait for
// each other: the weakest within the cycle are dropped.
type strength byte

const (
	hard     strength = iota // kept: the object must exist, or what is deleted must be let go of first
	declared                 // of deletions: what blocks say, which may be other than what is live; of creates: see needNamesakes
	soft                     // better so
)

func (g *graph) need(step int, s strength, on ...int) {
	for _, i := range on {
		if step != none && i != none && i != step {
			g.needs = append(g.needs, need{int32(step), int32(i), s})
		}
	}
}

// needWithin orders the steps of one change.
func (g *graph) needWithin(i int) {
	s := &g.of[i]
	g.need(s.verify, hard, s.create)
	g.need(s.deferred, hard, present(s.create, s.update)...)
	for j, d := range s.deletes {
		g.need(d, hard, present(s.create, s.verify, s.update, s.deferred)...)
		if j > 0 {
			g.need(d, hard, s.deletes[j-1]) // one after the other, as people are told
		}
	}
	g.need(s.forget, hard, s.deletes...)
}

// needDeclared follows what the change's block refers to, through blocks that do not change. What
// is made waits until that exists, and better until it is set up. What is deleted waits for the end
// of those that refer to it.
func (g *graph) needDeclared(i int) {
	c := &g.plan.Changes[i]
	r := g.declaration(c.Addr)
	if r == nil || len(r.Needs) == 0 {
		return
	}
	g.follow(i, r.Needs, func(to int) bool {
		other := &g.plan.Changes[to]
		switch {
		case createsOrUpdates(c) && createsOrUpdates(other):
			g.needMade(g.of[i].first(), to)
		case removes(c) && removes(other):
			for _, d := range g.of[to].deletes {
				g.need(d, declared, g.of[i].deletes...)
			}
		default:
			return false
		}
		return true
	})
}

// needDeferred lets links wait for what they lead to.
func (g *graph) needDeferred(i int) {
	c, step := &g.plan.Changes[i], g.of[i].deferred
	if step == none || !slices.ContainsFunc(g.steps[step].Fields, func(f string) bool { return c.Kind.Attr(f).IsLink() }) {
		return
	}
	g.follow(i, g.declaration(c.Addr).DeferredNeeds, func(to int) bool {
		if !createsOrUpdates(&g.plan.Changes[to]) {
			return false
		}
		g.needMade(step, to)
		return true
	})
}

// needMade lets a step wait for the object of a change, and better for its settings.
func (g *graph) needMade(step, change int) {
	g.need(step, hard, g.of[change].create)
	g.need(step, soft, g.of[change].sets()...)
}

// follow gives f the changes that addresses lead to. Where there is none, or f does not take it,
// what that block refers to is followed. from is passed over.
func (g *graph) follow(from int, addrs []addr.Addr, f func(to int) bool) {
	if len(addrs) == 1 && addrs[0] != g.plan.Changes[from].Addr {
		if to := g.changes.find(&addrs[0]); to >= 0 && f(to) {
			return // as most do, and needs no memory
		}
	}
	seen := map[addr.Addr]bool{g.plan.Changes[from].Addr: true}
	var follow func([]addr.Addr)
	follow = func(addrs []addr.Addr) {
		for _, addr := range addrs {
			if seen[addr] {
				continue
			}
			seen[addr] = true
			if to := g.changes.find(&addr); to >= 0 && f(to) {
				continue
			}
			if r := g.declaration(addr); r != nil {
				follow(r.Needs)
			}
		}
	}
	follow(addrs)
}

// needNamesakes lets creates under one name follow each other. So each is announced when the
// ones before are known, and none is taken for what another one made.
func (g *graph) needNamesakes() {
	last := map[reference]int{}
	for i := range g.plan.Changes {
		c := &g.plan.Changes[i]
		if create := g.of[i].create; c.Kind.NamesRepeat && create != none {
			name := reference{c.Kind.Name, c.Identity}
			if before, has := last[name]; has {
				g.need(create, declared, before)
			}
			last[name] = create
		}
	}
}

// needRelease lets the deletion of what links lead to wait for the updates that end those links,
// and better for the deletion of what has them.
func (g *graph) needRelease() {
	users := g.linkEnds()
	if len(users) == 0 {
		return
	}
	for i := range g.plan.Changes {
		for _, d := range g.of[i].deletes {
			for _, end := range g.plan.Changes[i].endsWith(g.steps[d].RemoteID) {
				for _, user := range users[end] {
					if s := &g.steps[user]; s.Change != i {
						how := soft
						if s.Op == OpUpdate {
							how = hard
						}
						g.need(d, how, user)
					}
				}
			}
		}
	}
}

// linkEnds lists the steps that end links of live objects, by what those lead to.
func (g *graph) linkEnds() map[objectID][]int {
	ends := map[objectID][]int{}
	for addr, targets := range g.links.liveTargets {
		i := g.changes.find(&addr)
		if i < 0 {
			continue
		}
		c, steps := &g.plan.Changes[i], g.of[i].deletes
		if c.Action != Delete {
			steps = slices.DeleteFunc(g.of[i].sets(), func(step int) bool {
				return !slices.ContainsFunc(g.steps[step].Fields,
					func(f string) bool { return c.Kind.Attr(f).IsLink() && slices.Contains(c.Fields, f) })
			})
		}
		for _, id := range targets {
			ends[id] = append(ends[id], steps...)
		}
	}
	return ends
}

// needLive lets deletions wait for the end of references that live objects have, whether or not
// a block speaks of them. B2 demands that of children only.
func (g *graph) needLive() {
	users := g.liveUsers()
	for i := range g.plan.Changes {
		c := &g.plan.Changes[i]
		if c.Action != Delete {
			continue
		}
		for _, user := range users[reference{c.Kind.Name, c.Identity}] {
			u, s := &g.plan.Changes[user], &g.of[user]
			if slices.Contains(g.links.liveTargets[c.Addr], objectID{u.Kind.Name, u.ID}) {
				continue // the other one waits for the end of that link
			}
			for _, d := range g.of[i].deletes {
				how := soft
				if u.Kind.ParentKind() == c.Kind.Name {
					how = hard
				}
				g.need(d, how, s.deletes...)
				g.need(d, soft, s.sets()...)
			}
		}
	}
}

// liveUsers lists, by what is referred to, the changes of live objects that refer to it by name.
func (g *graph) liveUsers() map[reference][]int {
	if !slices.ContainsFunc(g.plan.Changes, func(c Change) bool { return c.Action == Delete }) {
		return nil
	}
	users := map[reference][]int{}
	for i := range g.plan.Changes {
		c := &g.plan.Changes[i]
		if c.Before.IsNull() {
			continue
		}
		references(c.Kind, c.Before, func(_ string, m kind.Reference) {
			by, name := m.Attr, m.Name
			if k := g.kinds[by.Link.Ref]; k != nil && !k.NamesRepeat { // the others are known by their IDs
				to := reference{by.Link.Ref, name}
				users[to] = append(users[to], i)
			}
		})
	}
	return users
}

// ordered gives the steps with their needs, in an order in which needs come first. Of the needs
// within a cycle the weakest are dropped; a cycle of hard ones is an error.
func (g *graph) ordered() []Step {
	slices.SortFunc(g.needs, func(a, b need) int {
		return cmp.Or(cmp.Compare(a.step, b.step), cmp.Compare(a.on, b.on), cmp.Compare(a.strength, b.strength))
	})
	g.needs = slices.CompactFunc(g.needs, func(a, b need) bool { return a.step == b.step && a.on == b.on }) // the strongest stays
	order, of := components(len(g.steps), g.needs)
	for weakest := soft; isCyclic(of); weakest-- {
		if weakest == hard {
			g.circular(order, of)
			return nil
		}
		g.needs = slices.DeleteFunc(g.needs, func(n need) bool { return n.strength == weakest && of[n.step] == of[n.on] })
		order, of = components(len(g.steps), g.needs)
	}
	at := make([]int, len(order)) // in the plan, by index here
	for i, step := range order {
		at[step] = i
	}
	steps, needs := make([]Step, len(order)), make([]int, len(g.needs))
	for i, n := range g.needs {
		needs[i] = at[n.on]
	}
	next := 0
	for i, s := range g.steps {
		from := next
		for next < len(g.needs) && int(g.needs[next].step) == i {
			next++
		}
		if next > from {
			s.Needs = needs[from:next:next]
			slices.Sort(s.Needs)
		}
		steps[at[i]] = s
	}
	return steps
}

// circular reports steps that wait for each other.
func (g *graph) circular(order, of []int) {
	size := map[int]int{}
	for _, component := range of {
		size[component]++
	}
	var names []string
	for _, step := range order {
		if size[of[step]] > 1 {
			s := &g.steps[step]
			names = append(names, fmt.Sprintf("%s of %s", s.Op, g.plan.Changes[s.Change].Addr))
		}
	}
	g.errorf(nil, "Steps wait for each other",
		"No order carries out all of these: %s. Apply a part of the change first. This is a defect of b2form: please report it with "+
			"this text.", strings.Join(names, ", "))
}
