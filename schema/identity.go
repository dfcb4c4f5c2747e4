package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// checkIdentitiesAndAddNeeds reports two resources that would be one live object, settles how
// others refer to resources, and adds what is needed where a reference is written as a
// plain name.
func (l *module) checkIdentitiesAndAddNeeds() {
	index := make(config.IdentityIndex, len(l.config.Resources))
	inOrder := slices.Clone(l.config.Resources)
	slices.SortStableFunc(inOrder, func(a, b *config.Resource) int { return compareRanges(a.Block.HeaderRange, b.Block.HeaderRange) })
	for _, r := range inOrder {
		if other := index.Add(r); other != nil && !r.Kind.NamesRepeat {
			l.reportDuplicateIdentity(r, other)
		}
	}
	for _, r := range inOrder {
		l.checkRotatingNameUnique(r, index)
	}
	l.replaceAddressesByNames(index)
	for _, m := range l.shared.modules {
		for _, n := range m.nodes {
			if n.block != nil {
				l.addNeedsByName(n.block, index)
			}
		}
	}
}

func (l *module) reportDuplicateIdentity(r, other *config.Resource) {
	k, place := r.Kind, other.Block.RangeOf(r.Kind.IdentityAttr)
	same := fmt.Sprintf("both have the %s %q", k.IdentityAttr, r.Identity())
	if k.ScopeAttr() != "" {
		same = fmt.Sprintf("both name %q in the %s %q", r.Value.GetAttr(k.IdentityAttr).AsString(), k.FindAttr(k.ScopeAttr()).Link.RefKind,
			k.ParentIdentity(r.Identity()))
	}
	l.errorAbout(r.Addr, r.Block.RangeOf(k.IdentityAttr), "Duplicate "+k.IdentityAttr,
		fmt.Sprintf("%s and %s (at %s) %s, so they would be one and the "+
			"same %s.",
			r.Addr, other.Addr, place, same, k.Name))
}

// checkRotatingNameUnique reports a resource that rotates and shares its name. Its live objects
// are known by that name and the times behind it.
func (l *module) checkRotatingNameUnique(r *config.Resource, index config.IdentityIndex) {
	same := index.AllWithIdentity(r.Kind.Name, r.Identity())
	if _, rotates := r.Kind.RotationOf(r.Value); !rotates || len(same) < 2 {
		return
	}
	other := same[0]
	if other == r {
		other = same[1]
	}
	l.errorAbout(r.Addr, r.Block.RangeOf(r.Kind.IdentityAttr), "Duplicate "+r.Kind.IdentityAttr,
		fmt.Sprintf("%s rotates, so its live %s are found by "+
			"the %s %q and the times behind it, which %s (at %s) has too. Give one of them another %s.", r.Addr, r.Kind.Plural,
			r.Kind.IdentityAttr,
			r.Identity(), other.Addr, other.Block.RangeOf(r.Kind.IdentityAttr), r.Kind.IdentityAttr))
}

// replaceAddressesByNames gives the addresses that stand in links the form in which plans compare
// and show them: the name of the resource, where no other one has it.
func (l *module) replaceAddressesByNames(index config.IdentityIndex) {
	byAddr := map[string]*config.Resource{}
	for _, r := range l.config.Resources {
		if r.Kind.NamesRepeat {
			byAddr[r.Addr.String()] = r
		}
	}
	name := func(text string) string {
		address, isBlock := strings.CutPrefix(text, kind.BlockAddrPrefix)
		if to := byAddr[address]; isBlock && to != nil && to.Identity() != "" {
			return index.IdentityOrAddress(to)
		}
		return address
	}
	for _, r := range l.config.Resources {
		for _, i := range r.Kind.DeferredLinkIndices() {
			a, v := &r.Kind.Attrs[i], r.Value.PointerAt(i)
			if v.IsNull() || !v.IsKnown() {
				continue
			}
			l.recheckLinksByName(r, a, *v, name)
			named := a.MapPossibleIDs(*v, func(_ *kind.Attr, text string) string { return name(text) })
			if !named.RawEquals(*v) {
				r.Value.SetAt(i, &named)
			}
		}
	}
}

// recheckLinksByName has the attribute judge also what its links have in common by their
// names, if nothing was wrong with it.
func (l *module) recheckLinksByName(r *config.Resource, a *kind.Attr, v cty.Value, name func(string) string) {
	byName := a.MapPossibleIDs(v, func(_ *kind.Attr, text string) string {
		if n := name(text); kind.BlockAddrPrefix+n != text {
			return n
		}
		return text // it stays an address
	})
	if a.Check == nil || byName.RawEquals(v) || l.shared.resourcesWithErrors[r.Addr] || len(a.Check(v)) > 0 {
		return
	}
	for _, p := range a.Check(byName) {
		l.errorAt(r.Block.RangeOf(a.Name), p.Summary, p.Detail)
	}
}

// addNeedsByName adds what the block's resources refer to by a plain name, and judges
// what they refer to.
func (l *module) addNeedsByName(b *block, index config.IdentityIndex) {
	for i := range b.kind.Attrs {
		a := &b.kind.Attrs[i]
		if !a.HasRefs() || a.Computed {
			continue
		}
		known := map[*cty.Value][]addr.Addr{} // equal pointers are equal values
		for _, r := range b.resources {
			v := r.Value.PointerAt(i)
			if v.IsNull() {
				continue
			}
			named, ok := known[v]
			if !ok {
				named = l.referencedResources(a, *v, index)
				known[v] = named
			}
			if slices.Contains(named, r.Addr) {
				named = slices.DeleteFunc(slices.Clone(named), func(a addr.Addr) bool { return a == r.Addr })
			}
			l.checkLinkTargets(b, a, r, index)
			if a.IsDeferredLink() {
				r.DeferredNeeds = mergeAddrs(r.DeferredNeeds, named)
			} else if more := mergeAddrs(r.Needs, named); len(more) > len(r.Needs) {
				r.Needs, l.shared.hasNeedsBesideArgs = more, true
			}
		}
	}
}

// referencedResources lists the declared resources whose names a value of the attribute
// holds.
func (l *module) referencedResources(a *kind.Attr, v cty.Value, index config.IdentityIndex) []addr.Addr {
	var out []addr.Addr
	for _, m := range a.References(v) {
		if other := l.findReferencedResource(m, index); other != nil {
			out = append(out, other.Addr)
		}
	}
	return out
}

// findReferencedResource is the declared resource that a name leads to; nil: there is none.
func (l *module) findReferencedResource(m kind.Reference, index config.IdentityIndex) *config.Resource {
	return index.FindUnique(m.Attr.Link.RefKind, l.kinds[m.Attr.Link.RefKind].NormalizeIdentity(m.Name))
}

// checkNeedLoops reports resources that need one another. References in arguments
// cannot form such a loop, since they were ordered; deliveries and plain names
// can.
func (l *module) checkNeedLoops() {
	if !l.shared.hasNeedsBesideArgs {
		return
	}
	byAddr := l.config.ResourcesByAddr()
	state := make(map[addr.Addr]visitState, len(byAddr))
	var path []addr.Addr
	var walk func(r *config.Resource)
	walk = func(r *config.Resource) {
		switch state[r.Addr] {
		case done:
			return
		case open:
			l.reportNeedLoop(byAddr, path[slices.Index(path, r.Addr):])
			return
		}
		state[r.Addr] = open
		path = append(path, r.Addr)
		for _, a := range r.Needs {
			if next := byAddr[a]; next != nil {
				walk(next)
			}
		}
		path = path[:len(path)-1]
		state[r.Addr] = done
	}
	for _, r := range l.config.Resources {
		walk(r)
	}
}

func (l *module) reportNeedLoop(byAddr map[addr.Addr]*config.Resource, loop []addr.Addr) {
	l.errorAt(byAddr[loop[0]].Block.HeaderRange, "Reference loop",
		fmt.Sprintf("These need one another in a circle: %s → %s. Remove one of "+
			"the references.",
			strings.Join(addr.Strings(loop), " → "), loop[0]))
}
