package plan

import (
	"fmt"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// planDeleteOrForget plans the end of something owned that is not, or no longer, wanted.
func (p *planner) planDeleteOrForget(addr addr.Addr) {
	k, r := p.kinds[addr.Kind], p.declaration(addr)
	h := p.matchAddr(addr, k)
	h.overdueRetirees, h.keptRetirees = h.allRetirees(), nil // nobody waits for the end of an overlap
	if removed := p.removalFor(addr); h.object == nil && h.entry != nil && (removed == nil || removed.Destroy) {
		// A clock may be wrong: what B2 lists is deleted, not forgotten.
		h.object, _ = p.Snapshot.FindExpired(k, h.entry.ID)
		h.overdueRetirees = append(h.overdueRetirees, h.expiredRetirees...)
	}
	if removed := p.removalFor(addr); removed != nil && !removed.Destroy {
		p.planForget(addr, k, h)
		return
	}
	switch {
	case h.object != nil:
		p.planDelete(addr, k, r, h)
	case h.entry == nil: // announced, and never made
	case p.mayExistUnseen(k, h.entry.ID):
		holder := k
		if parent := p.kinds[k.ParentKind()]; parent != nil {
			holder = parent
		}
		p.errorf(nil, words.Capitalize(holder.Name)+" is outside what the credentials may use",
			"%s is %s %q in the state, but the credentials in use are limited to %s and cannot see whether it still exists. "+
				"Use a key that is not limited to %s.", addr, k.Name, h.entry.Identity, p.describeAllowed(holder), holder.Plural)
	default:
		live, settable := p.nullValues(k)
		p.addChange(Change{
			Addr:           addr,
			Kind:           k,
			Action:         Forget,
			Identity:       h.entry.Identity,
			RemoteID:       h.entry.ID,
			Before:         live,
			After:          settable,
			Reason:         p.goneReason(k, h.entry),
			FurtherDeletes: p.namedObjects(k, h.furtherDeleteIDs()),
		})
	}
}

// planDelete plans the deletion of a live object. r is its block, nil where that is
// gone.
func (p *planner) planDelete(addr addr.Addr, k *kind.Kind, r *config.Resource, h match) {
	values, err := h.object.Values()
	if err != nil {
		p.reportUnreadableReply(nil, err)
		return
	}
	live := p.linkPlanner.mapLinks(k, values, p.linkPlanner.nameOrIDOfRecorded).ObjectWithoutUnset()
	if targets := p.linkPlanner.linkTargets(k, values); len(targets) > 0 {
		p.linkPlanner.liveLinkTargets[addr] = targets
	}
	c := Change{
		Addr:           addr,
		Kind:           k,
		Action:         Delete,
		Identity:       h.object.Identity,
		RemoteID:       h.object.ID,
		LiveName:       h.object.Identity,
		Before:         live,
		Sensitive:      h.sensitiveAttrs(r),
		FurtherDeletes: p.namedObjects(k, h.furtherDeleteIDs()),
	}
	_, c.After = p.nullValues(k)
	c.ForceDestroy = p.isForceDestroyed(addr, k, r, h)
	switch {
	case r != nil:
	case h.isObjectRecovered():
		c.Reason = fmt.Sprintf("an interrupted run made it, and %s is not in configuration", addr)
	default:
		c.Reason = fmt.Sprintf("%s is not in configuration", addr)
	}
	if k.Destroy.Hazards != nil && !(k.YieldsSecret() && h.isObjectRecovered()) {
		c.Hazards = sortUniqueHazards(k.Destroy.Hazards(c.ForceDestroy))
	}
	p.guardChange(r, h, &c)
	p.addChange(c)
}

// isForceDestroyed reports whether an object goes with everything it holds. What the block
// says counts; where that is gone, what a removed block says, else what the state
// remembers.
func (p *planner) isForceDestroyed(addr addr.Addr, k *kind.Kind, r *config.Resource, h match) bool {
	removed := p.removalFor(addr)
	switch {
	case r != nil:
		return ForceDestroys(k, r.Value)
	case k.Destroy.ForceAttr == "":
		return false
	case removed != nil && removed.ForceDestroy != nil:
		return *removed.ForceDestroy
	}
	return h.entry != nil && h.entry.ForceDestroy
}

// ForceDestroys reports whether a declared object goes with everything it holds when
// it is destroyed.
func ForceDestroys(k *kind.Kind, v kind.AttrReader) bool {
	if k.Destroy.ForceAttr == "" {
		return false
	}
	force := v.GetAttr(k.Destroy.ForceAttr)
	return !force.IsNull() && force.True()
}
