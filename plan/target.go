package plan

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
)

// about notes of every error that f reports which address it is about: where that is left out,
// so is the error.
func (p *planner) about(a addr.Addr, f func()) {
	before := len(p.diags)
	f()
	for _, d := range p.diags[before:] {
		d.Extra = a
	}
}

// checkTargets refuses addresses of nothing.
func (p *planner) checkTargets() {
	for _, a := range p.Target {
		p.checkTarget("-target", a)
	}
	for _, a := range p.Exclude {
		p.checkTarget("-exclude", a)
	}
}

func (p *planner) checkTarget(option string, a addr.Addr) {
	if slices.ContainsFunc(p.recordedAddrs, func(b *addr.Addr) bool { return a.Covers(*b) }) ||
		slices.ContainsFunc(p.declared, func(r *config.Resource) bool { return a.Covers(r.Addr) }) {
		return
	}
	var names []string
	for _, r := range p.declared {
		names = append(names, r.Addr.String(), r.Addr.WithoutKey().String())
	}
	p.errorf(nil, "Nothing has this address", "%s=%s: there is no such block or module here, and the state lists nothing of that "+
		"address.%s", option, a, words.DidYouMean(a.String(), "", names))
}

// isTarget reports whether the address may be planned: it is a target, where there are any, and
// not excluded.
func (p *planner) isTarget(a addr.Addr) bool {
	return (len(p.Target) == 0 || covered(p.Target, a)) && !covered(p.Exclude, a)
}

// covered reports whether one of the addresses covers another.
func covered(by []addr.Addr, a addr.Addr) bool {
	return slices.ContainsFunc(by, func(b addr.Addr) bool { return b.Covers(a) })
}

// keepTargets leaves out what is no target. What a target needs comes along; what needs something
// excluded is left out with it.
func (p *planner) keepTargets() {
	if len(p.Target) == 0 && len(p.Exclude) == 0 {
		return
	}
	needs := p.changeNeeds()
	kept := make([]bool, len(p.plan.Changes))
	var brought, dragged []addr.Addr
	var keep func(i int)
	keep = func(i int) {
		if kept[i] {
			return
		}
		kept[i] = true
		if a := p.plan.Changes[i].Addr; !p.isTarget(a) {
			brought = append(brought, a)
		}
		for _, on := range needs[i] {
			keep(on)
		}
	}
	excluded := p.needExcluded(needs)
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		switch {
		case excluded[i]:
			if p.isTarget(c.Addr) {
				dragged = append(dragged, c.Addr)
			}
		case p.isTarget(c.Addr) || c.IsMove():
			keep(i)
		}
	}
	p.leaveOut(func(i int) bool { return kept[i] })
	p.dropErrors()
	p.sayTargets(brought, dragged)
}

// IsMove reports whether nothing but the address changes, which the state is told in any case.
func (c *Change) IsMove() bool {
	return c.Action == NoOp && len(c.Imports()) == 0 && len(c.Leftovers) == 0
}

// changeNeeds lists for each change those without which it cannot be carried out.
func (p *planner) changeNeeds() [][]int {
	g := p.newGraph()
	needs := make([][]int, len(p.plan.Changes))
	for _, n := range g.needs {
		if from, to := g.steps[n.step].Change, g.steps[n.on].Change; from != to && n.strength != soft {
			needs[from] = append(needs[from], to)
		}
	}
	for i := range p.plan.Changes {
		for _, a := range p.links.onlyBecauseOf[p.plan.Changes[i].Addr] {
			if to := g.changes.find(&a); to >= 0 {
				needs[i] = append(needs[i], to)
			}
		}
	}
	return needs
}

// needExcluded tells which changes are excluded, or need something that is.
func (p *planner) needExcluded(needs [][]int) []bool {
	failed := slices.DeleteFunc(p.failed(), func(a addr.Addr) bool { return !covered(p.Exclude, a) })
	out := make([]bool, len(needs))
	for i := range needs {
		a := p.plan.Changes[i].Addr
		out[i] = covered(p.Exclude, a) || slices.ContainsFunc(failed, func(f addr.Addr) bool { return p.referred(a)[f] })
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

// failed lists the addresses with errors: they may have no change.
func (p *planner) failed() []addr.Addr {
	var list []addr.Addr
	for _, d := range p.diags {
		if a, ok := d.Extra.(addr.Addr); ok {
			list = append(list, a)
		}
	}
	return list
}

// referred is all that blocks lead to from the given ones on, and those.
func (p *planner) referred(from ...addr.Addr) map[addr.Addr]bool {
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

// leaveOut keeps the changes for which keep says so.
func (p *planner) leaveOut(keep func(i int) bool) {
	left, imports := map[addr.Addr]bool{}, map[addr.Addr]bool{}
	var changes []Change
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		if keep(i) {
			changes = append(changes, *c)
			continue
		}
		p.plan.LeftOut = append(p.plan.LeftOut, c.Addr)
		left[c.Addr], imports[c.Addr] = true, len(c.Imports()) > 0
	}
	p.plan.Changes = changes
	p.plan.Records = slices.DeleteFunc(p.plan.Records, func(e addr.Entry) bool { return imports[e.Addr] })
	p.plan.Undelivered = slices.DeleteFunc(p.plan.Undelivered, func(a addr.Addr) bool { return left[a] })
}

// dropErrors drops the errors about what is left out and nothing that is kept refers to.
func (p *planner) dropErrors() {
	kept := make([]addr.Addr, len(p.plan.Changes))
	for i := range p.plan.Changes {
		kept[i] = p.plan.Changes[i].Addr
	}
	referred := p.referred(kept...)
	p.diags = slices.DeleteFunc(p.diags, func(d *hcl.Diagnostic) bool {
		a, ok := d.Extra.(addr.Addr)
		return ok && !p.isTarget(a) && !referred[a]
	})
}

// sayTargets says what of the whole plan this one is.
func (p *planner) sayTargets(brought, dragged []addr.Addr) {
	said := "-target and -exclude are for exceptions, such as the way out of an error."
	say := func(what string, list []addr.Addr) {
		if len(list) > 0 {
			said += " " + what + ": " + addressList(list) + "."
		}
	}
	say("Planned too, since a target needs it", brought)
	say("Left out, since it needs something excluded", dragged)
	say("Also left out", slices.DeleteFunc(slices.Clone(p.plan.LeftOut),
		func(a addr.Addr) bool { return slices.Contains(dragged, a) }))
	p.warnf(nil, "This is not the whole plan", "%s A plan without them shows what is still to be done.", said)
}

// addressList names some of the addresses, the first in their order.
func addressList(list []addr.Addr) string {
	var names []string
	for _, a := range slices.SortedFunc(slices.Values(list), addr.Addr.Compare) {
		names = append(names, a.String())
	}
	return words.Some(names, 10)
}
