package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"b2form/schema/addr"
	"b2form/schema/kind"
)

// A need says that one step waits for another. A hard one must hold: the object must exist, or what
// is deleted must be let go of first. A soft one is better kept, and dropped where keeping it would
// make steps wait for each other.
type need struct {
	step, on int32
	hard     bool
}

func (g *graph) need(step int, hard bool, on ...int) {
	for _, i := range on {
		if step != none && i != none && i != step {
			g.needs = append(g.needs, need{int32(step), int32(i), hard})
		}
	}
}

// needWithin orders the steps of one change.
func (g *graph) needWithin(i int) {
	s := &g.of[i]
	g.need(s.verify, true, s.create)
	g.need(s.deferred, true, present(s.create, s.update)...)
	for _, d := range s.deletes {
		g.need(d, true, present(s.create, s.verify, s.update, s.deferred)...)
	}
	g.need(s.forget, true, s.deletes...)
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
		case makes(c) && makes(other):
			g.needMade(g.of[i].first(), to)
		case removes(c) && removes(other):
			for _, d := range g.of[to].deletes {
				g.need(d, true, g.of[i].deletes...)
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
		if !makes(&g.plan.Changes[to]) {
			return false
		}
		g.needMade(step, to)
		return true
	})
}

// needMade lets a step wait for the object of a change, and better for its settings.
func (g *graph) needMade(step, change int) {
	g.need(step, true, g.of[change].create)
	g.need(step, false, g.of[change].sets()...)
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

// needRelease lets the deletion of what links name wait for the updates that end those links.
func (g *graph) needRelease() {
	users := g.linkUpdates()
	if len(users) == 0 {
		return
	}
	for i := range g.plan.Changes {
		for _, d := range g.of[i].deletes {
			for _, end := range g.plan.Changes[i].endsWith(g.steps[d].Target) {
				for _, user := range users[end] {
					if g.steps[user].Change != i {
						g.need(d, true, user)
					}
				}
			}
		}
	}
}

// linkUpdates lists the steps that change links, by what the links name so far.
func (g *graph) linkUpdates() map[objectID][]int {
	users := map[objectID][]int{}
	for i := range g.plan.Changes {
		c := &g.plan.Changes[i]
		if !c.changesLinks() {
			continue
		}
		for _, step := range g.of[i].sets() {
			if slices.ContainsFunc(g.steps[step].Fields, func(f string) bool { return c.Kind.Attr(f).IsLink() && slices.Contains(c.Fields, f) }) {
				for _, id := range g.links.liveTargets[c.Addr] {
					users[id] = append(users[id], step)
				}
			}
		}
	}
	return users
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
			s, child := &g.of[user], g.plan.Changes[user].Kind.ParentKind() == c.Kind.Name
			for _, d := range g.of[i].deletes {
				g.need(d, child, s.deletes...)
				g.need(d, false, s.sets()...)
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
		references(c.Kind, c.Before, func(_ string, by *kind.Attr, name string) {
			if k := g.kinds[by.Ref]; k != nil && !k.NamesRepeat { // the others are known by their IDs
				to := reference{by.Ref, name}
				users[to] = append(users[to], i)
			}
		})
	}
	return users
}

// ordered gives the steps with their needs, in an order in which needs come first. Soft needs within
// a cycle are dropped; a cycle of hard needs is an error.
func (g *graph) ordered() []Step {
	slices.SortFunc(g.needs, func(a, b need) int {
		return cmp.Or(cmp.Compare(a.step, b.step), cmp.Compare(a.on, b.on), -compareBool(a.hard, b.hard))
	})
	g.needs = slices.CompactFunc(g.needs, func(a, b need) bool { return a.step == b.step && a.on == b.on }) // a hard one wins
	order, of := components(len(g.steps), g.needs)
	if isCyclic(of) {
		g.needs = slices.DeleteFunc(g.needs, func(n need) bool { return !n.hard && of[n.step] == of[n.on] })
		if order, of = components(len(g.steps), g.needs); isCyclic(of) {
			g.circular(order, of)
			return nil
		}
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

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
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
		"No order carries out all of these: %s. Apply a part of the change first. This is a defect of b2form: please report it with this text.", strings.Join(names, ", "))
}
