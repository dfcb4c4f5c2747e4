package plan

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
)

// tagErrors notes of every error that f reports which address it is about: where that is left out,
// so is the error.
func (p *planner) tagErrors(a addr.Addr, f func()) {
	before := len(p.diags)
	f()
	for _, d := range p.diags[before:] {
		d.Extra = a
	}
}

// checkTargets refuses addresses of nothing.
func (p *planner) checkTargets() {
	for _, a := range p.Target {
		p.checkTarget("", a) // destroy takes it without the option
	}
	for _, a := range p.Exclude {
		p.checkTarget("-exclude=", a)
	}
}

func (p *planner) checkTarget(prefix string, a addr.Addr) {
	if slices.ContainsFunc(p.recordedOrAnnouncedAddrs, func(b *addr.Addr) bool { return a.Covers(*b) }) {
		return
	}
	if slices.ContainsFunc(p.declared, func(r *config.Resource) bool { return a.Covers(r.Addr) }) {
		if p.Destroy {
			p.errorf(nil, "Nothing to destroy has this address", "%s%s: it is declared, but the state lists nothing of that address, "+
				"so b2form owns nothing there. Correct the address.", prefix, a)
		}
		return
	}
	p.errorf(nil, "Nothing has this address", "%s%s: nothing is declared at that address, and the state lists nothing there.%s", prefix,
		a, AddressAdvice(a, addrsOf(p.declared)))
}

// AddressAdvice says behind a sentence, for an address of nothing, which of the known ones differ from it in instance keys
// only, else which are like it; "" where none are.
func AddressAdvice(a addr.Addr, known []addr.Addr) string {
	var sameButKeys, names []string
	block, seen := a.WithoutKeys(), map[addr.Addr]bool{}
	for _, k := range known {
		candidates, whole := []addr.Addr{k}, addr.Addr.WithoutKey
		if a.Kind == "" {
			candidates, whole = k.EnclosingModules(), addr.Addr.WithoutKeys
		}
		for _, c := range candidates {
			if seen[c] {
				continue
			}
			seen[c] = true
			names = append(names, c.String(), whole(c).String())
			if c.WithoutKeys() == block {
				sameButKeys = append(sameButKeys, "'"+c.String()+"'")
			}
		}
	}
	switch len(sameButKeys) {
	case 0:
		return words.DidYouMean(a.String(), "", names)
	case 1:
		return " There is " + sameButKeys[0] + "."
	}
	return " There are " + words.JoinAtMost(sameButKeys, 5) + "."
}

func addrsOf(resources []*config.Resource) []addr.Addr {
	out := make([]addr.Addr, len(resources))
	for i, r := range resources {
		out[i] = r.Addr
	}
	return out
}

// isSelected reports whether the address may be planned: it is a target, where there are any, and
// not excluded.
func (p *planner) isSelected(a addr.Addr) bool {
	return (len(p.Target) == 0 || coveredByAny(p.Target, a)) && !coveredByAny(p.Exclude, a)
}

// coveredByAny reports whether one of the addresses covers another.
func coveredByAny(by []addr.Addr, a addr.Addr) bool {
	return slices.ContainsFunc(by, func(b addr.Addr) bool { return b.Covers(a) })
}

// keepSelectedChanges leaves out what is no target. What a target needs comes along; what needs something
// excluded is left out with it.
func (p *planner) keepSelectedChanges() {
	if len(p.Target) == 0 && len(p.Exclude) == 0 {
		return
	}
	needs := p.changeDependencies()
	kept := make([]bool, len(p.plan.Changes))
	var brought, broughtDeletes, dragged []addr.Addr
	var keep func(i int)
	keep = func(i int) {
		if kept[i] {
			return
		}
		kept[i] = true
		switch c := &p.plan.Changes[i]; {
		case p.isSelected(c.Addr):
		case c.Action == Delete:
			broughtDeletes = append(broughtDeletes, c.Addr)
		default:
			brought = append(brought, c.Addr)
		}
		for _, on := range needs[i] {
			keep(on)
		}
	}
	excluded := p.excludedChanges(needs)
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		switch {
		case excluded[i]:
			if p.isSelected(c.Addr) {
				dragged = append(dragged, c.Addr)
			}
		case p.isSelected(c.Addr) || c.IsMoveOnly():
			keep(i)
		}
	}
	p.keepChanges(func(i int) bool { return kept[i] })
	p.leaveOutUnplannedRecords(func(e *addr.StateEntry) bool { return p.isSelected(e.Addr) })
	p.dropLeftOutErrors()
	p.warnPartialPlan(brought, broughtDeletes, dragged)
}

// IsMoveOnly reports whether nothing but the address changes, which the state is told in any case.
func (c *Change) IsMoveOnly() bool {
	return c.Action == NoOp && len(c.Imports()) == 0 && len(c.FurtherDeletes) == 0
}

// changeDependencies lists for each change those without which it cannot be carried out.
func (p *planner) changeDependencies() (neededByChange [][]int) {
	g := p.newStepGraph()
	needs := make([][]int, len(p.plan.Changes))
	for _, n := range g.needs {
		if from, to := g.steps[n.step].Change, g.steps[n.dependsOn].Change; from != to && n.strength != soft {
			needs[from] = append(needs[from], to)
		}
	}
	for i := range p.plan.Changes {
		for _, a := range p.linkPlanner.soleUpdateCauses[p.plan.Changes[i].Addr] {
			if to := g.changeLookup.find(&a); to >= 0 {
				needs[i] = append(needs[i], to)
			}
		}
	}
	return needs
}

// excludedChanges tells which changes are excluded, or need something that is.
func (p *planner) excludedChanges(needs [][]int) []bool {
	failed := slices.DeleteFunc(p.addrsWithErrors(), func(a addr.Addr) bool { return !coveredByAny(p.Exclude, a) })
	out := make([]bool, len(needs))
	for i := range needs {
		a := p.plan.Changes[i].Addr
		out[i] = coveredByAny(p.Exclude, a) || slices.ContainsFunc(failed,
			func(f addr.Addr) bool { return p.addrsWithTransitiveNeeds(a)[f] })
	}
	for again := true; again; {
		again = false
		for i := range needs {
			if !out[i] && slices.ContainsFunc(needs[i], func(on int) bool { return out[on] }) {
				out[i], again = true, true
			}
		}
	}
	return out
}

// addrsWithErrors lists the addresses with errors: they may have no change.
func (p *planner) addrsWithErrors() []addr.Addr {
	var list []addr.Addr
	for _, d := range p.diags {
		if a, ok := d.Extra.(addr.Addr); ok {
			list = append(list, a)
		}
	}
	return list
}

// addrsWithTransitiveNeeds is all that blocks lead to from the given ones on, and those.
func (p *planner) addrsWithTransitiveNeeds(from ...addr.Addr) map[addr.Addr]bool {
	found := map[addr.Addr]bool{}
	for len(from) > 0 {
		a := from[len(from)-1]
		from = from[:len(from)-1]
		if r := p.declaration(a); r != nil && !found[a] {
			from = append(append(from, r.Needs...), r.DeferredNeeds...)
		}
		found[a] = true
	}
	return found
}

// keepChanges keeps the changes for which keep says so.
func (p *planner) keepChanges(keep func(i int) bool) {
	left := map[addr.Addr]bool{}
	var changes []Change
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		if keep(i) {
			changes = append(changes, *c)
			continue
		}
		p.plan.LeftOut = append(p.plan.LeftOut, c.Addr)
		left[c.Addr] = true
	}
	p.plan.Changes = changes
	p.plan.Undelivered = slices.DeleteFunc(p.plan.Undelivered, func(a addr.Addr) bool { return left[a] })
}

// dropLeftOutErrors drops the errors about what is left out and nothing that is kept refers to.
func (p *planner) dropLeftOutErrors() {
	kept := make([]addr.Addr, len(p.plan.Changes))
	for i := range p.plan.Changes {
		kept[i] = p.plan.Changes[i].Addr
	}
	referred := p.addrsWithTransitiveNeeds(kept...)
	p.diags = slices.DeleteFunc(p.diags, func(d *hcl.Diagnostic) bool {
		a, ok := d.Extra.(addr.Addr)
		return ok && !p.isSelected(a) && !referred[a]
	})
}

// warnPartialPlan says what of the whole plan this one is.
func (p *planner) warnPartialPlan(brought, broughtDeletes, excludedByNeed []addr.Addr) {
	said, rest := "-target and -exclude are for exceptions, such as the way out of an error.",
		" A plan without them shows what is still to be done."
	if p.Destroy { // whose addresses need no option
		said, rest = "Only a part of what b2form owns here is to be destroyed.", ""
	}
	say := func(what string, list []addr.Addr) {
		if len(list) > 0 {
			said += " " + what + ": " + abbreviateAddrs(list) + "."
		}
	}
	say("Planned too, since a target needs it", brought)
	say("Destroyed too, since it is in the way of a target", broughtDeletes)
	say("Left out, since it needs something excluded", excludedByNeed)
	say("Also left out", slices.DeleteFunc(slices.Clone(p.plan.LeftOut),
		func(a addr.Addr) bool { return slices.Contains(excludedByNeed, a) }))
	p.warnf(nil, "This is not the whole plan", "%s%s", said, rest)
}

// abbreviateAddrs names some of the addresses, the first in their order.
func abbreviateAddrs(list []addr.Addr) string {
	return words.JoinAtMost(addr.Strings(slices.SortedFunc(slices.Values(list), addr.Addr.Compare)), 10)
}
