package plan

import (
	"fmt"
	"slices"

	"b2form/schema/addr"
	"b2form/schema/config"
)

// Objects of a kind that is Replaceable are known by their names alone. Where a block gets
// another name, the object under it is made and the one before is deleted; and
// since nothing else tells two of them apart, no name may pass from one block to
// another within one plan.

// matchRecoveredRename finds out what an interrupted run did to a resource whose name had
// changed: where it has made the object under the new name, that is the one, and
// what the state records is left to be deleted.
func (p *planner) matchRecoveredRename(r *config.Resource, h *match) {
	if !r.Kind.Replaceable || h.object == nil || h.object.Identity == r.Identity() {
		return
	}
	for _, o := range p.Snapshot.ByIdentity(r.Kind, r.Identity()) {
		isMade := slices.Contains(h.extraRecoveredIDs, o.ID)
		if !isMade && !slices.ContainsFunc(h.overdueRetirees, func(old addr.RetiringObject) bool { return old.ID == o.ID }) {
			continue
		}
		h.extraRecoveredIDs = slices.DeleteFunc(h.extraRecoveredIDs, func(id string) bool { return id == o.ID })
		h.overdueRetirees = slices.DeleteFunc(h.overdueRetirees, func(old addr.RetiringObject) bool { return old.ID == o.ID })
		h.overdueRetirees = append(h.overdueRetirees, addr.RetiringObject{ID: h.object.ID, Name: h.object.Identity})
		h.object, h.toBeImported = o, slices.Contains(h.maybeForeignIDs, o.ID)
		return
	}
}

// checkNameFreeAndAllowed refuses to give a resource a name under which something is live.
func (p *planner) checkNameFreeAndAllowed(r *config.Resource) (goOn bool) {
	found := p.Snapshot.ByIdentity(r.Kind, r.Identity())
	if len(found) == 0 {
		return p.checkCredentialScope(r)
	}
	rng := r.Block.RangeOf(r.Kind.IdentityAttr)
	owner := p.ownerAddr(objectIDOf(found[0]))
	if owner == nil {
		p.errorf(&rng, "The name is taken",
			"There is a %s %q already, and it is not managed here. Choose another name for %s; or give the block another label, and "+
				"that %s becomes the block's by an import.",
			r.Kind.Name, r.Identity(), r.Addr, r.Kind.Name)
		return false
	}
	p.reportNameStillUsed(r, *owner)
	return false
}

// reportNameStillUsed reports a name that would go from one block to another.
func (p *planner) reportNameStillUsed(r *config.Resource, owner addr.Addr) {
	rng := r.Block.RangeOf(r.Kind.IdentityAttr)
	p.errorf(&rng, "The name is taken",
		"The %s %q is still that of %s. Give it up there in an apply of its own first; or, where blocks only got other labels, write\n"+
			"%s", r.Kind.Name, r.Identity(), owner, movedBlockText(owner, r.Addr))
}

// movedBlockText is the moved block to write, as lines of a message.
func movedBlockText(from, to addr.Addr) string {
	return fmt.Sprintf("  moved {\n    from = %s\n    to   = %s\n  }", from, to)
}
