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
	step, dependsOn int32
	strength        needStrength
}

// A needStrength says what becomes of a need where keeping it would make steps wait for
// each other: the weakest within the cycle are dropped.
type needStrength byte

const (
	hard needStrength = iota // kept: the object must exist, or what is deleted must be let go of first
	// of deletions: what blocks say, which may be other than what is live; of creates: see serializeNamesakeCreates; of
	// updates: see addNeedsOnMembersSetFirst
	medium
	soft // better so
)

func (g *stepGraph) addNeed(step int, s needStrength, on ...int) {
	for _, i := range on {
		if step != none && i != none && i != step {
			g.needs = append(g.needs, need{int32(step), int32(i), s})
		}
	}
}

// addNeedsWithinChange orders the steps of one change.
func (g *stepGraph) addNeedsWithinChange(i int) {
	s := &g.stepsByChange[i]
	g.addNeed(s.verify, hard, s.create)
	g.addNeed(s.deferredUpdate, hard, withoutNone(s.create, s.update)...)
	for j, d := range s.deletes {
		g.addNeed(d, hard, withoutNone(s.create, s.verify, s.update, s.deferredUpdate)...)
		if j > 0 {
			g.addNeed(d, hard, s.deletes[j-1]) // one after the other, as people are told
		}
	}
	g.addNeed(s.forget, hard, s.deletes...)
}

// addDeclaredNeeds follows what the change's block refers to, through blocks that do not change. What
// is made waits until that exists, and better until it is set up. What is deleted waits for the end
// of those that refer to it.
func (g *stepGraph) addDeclaredNeeds(i int) {
	c := &g.plan.Changes[i]
	r := g.declaration(c.Addr)
	if r == nil || len(r.Needs) == 0 {
		return
	}
	g.visitNeededChanges(i, r.Needs, func(to int) bool {
		other := &g.plan.Changes[to]
		switch {
		case createsOrUpdates(c) && createsOrUpdates(other):
			g.addObjectNeeds(g.stepsByChange[i].firstCreateOrUpdateStep(), to)
		case deletesOrForgets(c) && deletesOrForgets(other):
			for _, d := range g.stepsByChange[to].deletes {
				g.addNeed(d, medium, g.stepsByChange[i].deletes...)
			}
		default:
			return false
		}
		return true
	})
}

// addDeferredUpdateNeeds lets links wait for what they lead to.
func (g *stepGraph) addDeferredUpdateNeeds(i int) {
	c, step := &g.plan.Changes[i], g.stepsByChange[i].deferredUpdate
	if step == none || !slices.ContainsFunc(g.steps[step].Fields, func(f string) bool { return c.Kind.FindAttr(f).IsDeferredLink() }) {
		return
	}
	g.visitNeededChanges(i, g.declaration(c.Addr).DeferredNeeds, func(to int) bool {
		if !createsOrUpdates(&g.plan.Changes[to]) {
			return false
		}
		g.addObjectNeeds(step, to)
		g.addNeedsOnMembersSetFirst(step, to)
		return true
	})
}

// addObjectNeeds lets a step wait for the object of a change, and better for its settings.
func (g *stepGraph) addObjectNeeds(step, change int) {
	g.addNeed(step, hard, g.stepsByChange[change].create)
	g.addNeed(step, soft, g.stepsByChange[change].updateSteps()...)
}

// visitNeededChanges gives f the changes that addresses lead to. Where there is none, or f does not take it,
// what that block refers to is followed. from is passed over.
func (g *stepGraph) visitNeededChanges(from int, addrs []addr.Addr, f func(to int) (taken bool)) {
	if len(addrs) == 1 && addrs[0] != g.plan.Changes[from].Addr {
		if to := g.changeLookup.find(&addrs[0]); to >= 0 && f(to) {
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
			if to := g.changeLookup.find(&addr); to >= 0 && f(to) {
				continue
			}
			if r := g.declaration(addr); r != nil {
				follow(r.Needs)
			}
		}
	}
	follow(addrs)
}

// serializeNamesakeCreates lets creates under one name follow each other. So each is announced when the
// ones before are known, and none is taken for what another one made.
func (g *stepGraph) serializeNamesakeCreates() {
	last := map[identityKey]int{}
	for i := range g.plan.Changes {
		c := &g.plan.Changes[i]
		if create := g.stepsByChange[i].create; c.Kind.NamesRepeat && create != none {
			name := identityKey{c.Kind.Name, c.Identity}
			if before, has := last[name]; has {
				g.addNeed(create, medium, before)
			}
			last[name] = create
		}
	}
}

// addLinkRemovalNeeds lets the deletion of what links lead to wait for the updates that end those links,
// and better for the deletion of what has them.
func (g *stepGraph) addLinkRemovalNeeds() {
	users := g.stepsThatEndLinks()
	if len(users) == 0 {
		return
	}
	for i := range g.plan.Changes {
		for _, d := range g.stepsByChange[i].deletes {
			for _, end := range g.plan.Changes[i].deletedIDAndName(g.steps[d].RemoteID) {
				for _, user := range users[end] {
					if s := &g.steps[user]; s.Change != i {
						how := soft
						if s.Op == OpUpdate {
							how = hard
						}
						g.addNeed(d, how, user)
					}
				}
			}
		}
	}
}

// stepsThatEndLinks lists the steps that end links of live objects, by what those lead to.
func (g *stepGraph) stepsThatEndLinks() (stepsByTarget map[objectID][]int) {
	ends := map[objectID][]int{}
	for addr, targets := range g.linkPlanner.liveLinkTargets {
		i := g.changeLookup.find(&addr)
		if i < 0 {
			continue
		}
		c, steps := &g.plan.Changes[i], g.stepsByChange[i].deletes
		if c.Action != Delete {
			steps = slices.DeleteFunc(g.stepsByChange[i].updateSteps(), func(step int) bool {
				return !slices.ContainsFunc(g.steps[step].Fields,
					func(f string) bool { return c.Kind.FindAttr(f).IsDeferredLink() && slices.Contains(c.Fields, f) })
			})
		}
		for _, id := range targets {
			ends[id] = append(ends[id], steps...)
		}
	}
	return ends
}

// addLiveReferenceNeeds lets deletions wait for the end of references that live objects have, whether or not
// a block speaks of them. B2 demands that of children only.
func (g *stepGraph) addLiveReferenceNeeds() {
	users := g.liveReferrerChanges()
	for i := range g.plan.Changes {
		c := &g.plan.Changes[i]
		if c.Action != Delete {
			continue
		}
		for _, user := range users[identityKey{c.Kind.Name, c.Identity}] {
			u, s := &g.plan.Changes[user], &g.stepsByChange[user]
			if slices.Contains(g.linkPlanner.liveLinkTargets[c.Addr], objectID{u.Kind.Name, u.RemoteID}) {
				continue // the other one waits for the end of that link
			}
			for _, d := range g.stepsByChange[i].deletes {
				how := soft
				if u.Kind.ParentKind() == c.Kind.Name {
					how = hard
				}
				g.addNeed(d, how, s.deletes...)
				g.addNeed(d, soft, s.updateSteps()...)
			}
		}
	}
}

// liveReferrerChanges lists, by what is referred to, the changes of live objects that refer to it by name.
func (g *stepGraph) liveReferrerChanges() (changesByReferent map[identityKey][]int) {
	if !slices.ContainsFunc(g.plan.Changes, func(c Change) bool { return c.Action == Delete }) {
		return nil
	}
	users := map[identityKey][]int{}
	for i := range g.plan.Changes {
		c := &g.plan.Changes[i]
		if c.Before.IsNull() {
			continue
		}
		visitReferences(c.Kind, c.Before, func(_ string, m kind.Reference) {
			by, name := m.Attr, m.Name
			if k := g.kinds[by.Link.RefKind]; k != nil && !k.NamesRepeat { // the others are known by their IDs
				to := identityKey{by.Link.RefKind, name}
				users[to] = append(users[to], i)
			}
		})
	}
	return users
}

// sortNeeds sorts the needs, by step. Of several between the same steps the strongest stays.
func (g *stepGraph) sortNeeds() {
	slices.SortFunc(g.needs, func(a, b need) int {
		return cmp.Or(cmp.Compare(a.step, b.step), cmp.Compare(a.dependsOn, b.dependsOn), cmp.Compare(a.strength, b.strength))
	})
	g.needs = slices.CompactFunc(g.needs, func(a, b need) bool { return a.step == b.step && a.dependsOn == b.dependsOn })
}

// orderedSteps gives the steps with their needs, in an order in which needs come first. Of the needs
// within a cycle the weakest are dropped; a cycle of hard ones is an error.
func (g *stepGraph) orderedSteps() []Step {
	g.sortNeeds()
	g.splitUpdatesInLinkCycles()
	order, of := strongComponents(len(g.steps), g.needs)
	for weakest := soft; isCyclic(of); weakest-- {
		if weakest == hard {
			g.reportCycle(order, of)
			return nil
		}
		g.needs = slices.DeleteFunc(g.needs, func(n need) bool { return n.strength == weakest && of[n.step] == of[n.dependsOn] })
		order, of = strongComponents(len(g.steps), g.needs)
	}
	at := make([]int, len(order)) // in the plan, by index here
	for i, step := range order {
		at[step] = i
	}
	steps, needs := make([]Step, len(order)), make([]int, len(g.needs))
	for i, n := range g.needs {
		needs[i] = at[n.dependsOn]
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

// reportCycle reports steps that wait for each other.
func (g *stepGraph) reportCycle(order, componentOf []int) {
	size := map[int]int{}
	for _, component := range componentOf {
		size[component]++
	}
	var names []string
	for _, step := range order {
		if size[componentOf[step]] > 1 {
			s := &g.steps[step]
			names = append(names, fmt.Sprintf("%s of %s", s.Op, g.plan.Changes[s.Change].Addr))
		}
	}
	g.errorf(nil, "Steps wait for each other",
		"No order carries out all of these: %s. Apply a part of the change first. This is a defect of b2form: please report it with "+
			"this text.", strings.Join(names, ", "))
}
