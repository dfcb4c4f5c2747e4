package plan

import (
	"fmt"
	"strings"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// Where B2 lets several objects share a name, blocks may. Each is tied to one object, by
// the state or by an import block that names its ID. What is not tied to anything is
// created, as long as nothing live under the name may be meant.

// unmatchedWithIdentityOf lists the resources with the identity of r, which is one of them, that are tied
// to no live object.
func (p *planner) unmatchedWithIdentityOf(r *config.Resource) []*config.Resource {
	if !r.Kind.NamesRepeat {
		return nil
	}
	var out []*config.Resource
	for _, same := range p.declaredIdentities().AllWithIdentity(r.Kind.Name, r.Identity()) {
		e := p.entry(same.Addr)
		tied := e != nil && p.Snapshot.ByID(r.Kind, e.ID) != nil || p.imports[same.Addr] != nil || p.hasRecovered(same.Addr)
		if !tied {
			out = append(out, same)
		}
	}
	return out
}

// importedOrRecoveredByAnother reports whether the import block of another resource names the ID of an
// object, or an interrupted run made it for another address.
func (p *planner) importedOrRecoveredByAnother(r *config.Resource, o *kind.Object) bool {
	if !r.Kind.NamesRepeat {
		return false
	}
	if owner, taken := p.recoveredBy[objectIDOf(o)]; taken && owner != r.Addr {
		return true
	}
	for _, same := range p.declaredIdentities().AllWithIdentity(r.Kind.Name, r.Identity()) {
		if imp := p.imports[same.Addr]; same != r && imp != nil && imp.IDOrIdentity == o.ID && p.entry(same.Addr) == nil {
			return true
		}
	}
	return false
}

// claimRecovered gives what an interrupted run made to one of the addresses under which it may have
// been announced: the first that asks.
func (p *planner) claimRecovered(a addr.Addr, o *kind.Object) (claimed bool) {
	id := objectIDOf(o)
	if owner, taken := p.recoveredBy[id]; taken && owner != a {
		return false
	}
	p.recoveredBy[id] = a
	return true
}

// hasRecovered reports whether something that an interrupted run made is the address's.
func (p *planner) hasRecovered(a addr.Addr) bool {
	for _, owner := range p.recoveredBy {
		if owner == a {
			return true
		}
	}
	return false
}

// claimAllRecovered claims all that interrupted runs made.
func (p *planner) claimAllRecovered() {
	for _, a := range p.recordedOrAnnouncedAddrs { // sorted
		if len(p.announced[*a]) > 0 {
			p.findAndClaimRecovered(*a, p.kinds[a.Kind])
		}
	}
}

// reportUnmatchedWithSameIdentity says once how to tie blocks of one name to objects of that name.
func (p *planner) reportUnmatchedWithSameIdentity(r *config.Resource, untied []*config.Resource, found []*kind.Object) {
	name := identityKey{r.Kind.Name, r.Identity()}
	if p.reportedUnmatchedNamesakes[name] {
		return
	}
	p.reportedUnmatchedNamesakes[name] = true
	list, ok := p.listDifferences(r, found)
	if !ok {
		return
	}
	var blocks strings.Builder
	pairs := min(len(untied), len(found))
	for i, r := range untied[:min(pairs, mostListed)] {
		fmt.Fprintf(&blocks, "\n  import {\n    to = %s\n    id = %q\n  }", r.Addr, found[i].ID)
	}
	p.errorf(&r.Block.HeaderRange, fmt.Sprintf("Several %s are named %q", r.Kind.Plural, r.Identity()),
		"%s have this name, and so have live %s that nothing here is tied to:%s\nSay which block is which, as below. Once each of these "+
			"has an import, a block without one is created; or give the blocks other names.%s%s%s",
		words.JoinAtMost(addr.Strings(addrsOf(untied)), mostListed), r.Kind.Plural, list, blocks.String(), andMoreText(pairs),
		importCommandHint)
}
