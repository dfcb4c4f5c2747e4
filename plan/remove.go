package plan

import (
	"fmt"
	"slices"
	"strings"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// planDeleteOrForget plans the end of something owned that is not, or no longer, wanted.
func (p *planner) planDeleteOrForget(addr addr.Addr) {
	k, r, removed := p.kinds[addr.Kind], p.declaration(addr), p.Config.FindRemoval(addr)
	h := p.matchAddr(addr, k)
	h.overdueRetirees, h.keptRetirees = h.allRetirees(), nil // nobody waits for the end of an overlap
	if removed != nil {
		p.warnNamesakesBeforeIntent(addr, k)
	}
	if removed != nil && !removed.Destroy {
		p.planForget(addr, k, h)
		return
	}
	if h.object == nil && h.entry != nil {
		// A clock may be wrong: what B2 lists is deleted, not forgotten.
		h.object, _ = p.Snapshot.FindExpired(k, h.entry.ID)
		h.overdueRetirees = append(h.overdueRetirees, h.expiredRetirees...)
	}
	switch {
	case h.object != nil:
		p.planDelete(addr, k, r, h)
	case h.entry == nil && removed == nil: // announced, and never made
	case p.mayExistUnseen(k, h.recordedID()):
		holder := k
		if parent := p.kinds[k.ParentKind()]; parent != nil {
			holder = parent
		}
		p.errorf(nil, words.CapitalizeUnlessName(holder.Name)+" is outside what the credentials may use",
			"%s is %s %q in the state, but the credentials in use are limited to %s and cannot see whether it still exists. "+
				"Use a key that is not limited to %s.", addr, k.Name, p.liveOrRecordedIdentity(addr, h), p.describeAllowed(holder),
			holder.Plural)
	default:
		p.planForgetGone(addr, k, r, h)
	}
}

// planForgetGone plans to forget what is not there any more, or never was.
func (p *planner) planForgetGone(addr addr.Addr, k *kind.Kind, r *config.Resource, h match) {
	c := p.newForget(addr, k, h)
	c.FurtherDeletes = p.namedObjects(k, h.furtherDeleteIDs())
	if p.mayBeUnlisted(k, h.entry) {
		c.FurtherDeletes = append(c.FurtherDeletes, NamedObject{h.entry.ID, h.entry.Identity})
		slices.SortFunc(c.FurtherDeletes, func(a, b NamedObject) int { return strings.Compare(a.ID, b.ID) })
	}
	unlisted := c.DestroysUnlisted()
	c.MaybeForeignDeletes = p.maybeForeignDeletes(&h, &c)
	if c.Reason = fmt.Sprintf("an interrupted run was about to make %s %q, which is not in B2", k.Name, c.Identity); h.entry != nil {
		c.Reason = p.goneReason(k, h.entry)
	}
	if unlisted {
		c.Reason = fmt.Sprintf("B2 does not list %s %q, but it was made or adopted moments ago and may be listed late", k.Name, c.Identity)
	}
	if k.Destroy.Hazards != nil && (unlisted || len(h.overdueRetirees)+len(c.MaybeForeignDeletes) > 0) {
		c.Hazards = sortUniqueHazards(k.Destroy.Hazards(false, false))
	}
	p.checkPreventDestroyOnDelete(r, h, &c)
	p.refuseDeleteOfKeyInUse(r, h, &c)
	p.addChange(c)
}

// mayBeUnlisted reports whether a recorded object that was not listed is to be deleted by its ID all the same, as
// it is new and the deletion does no harm. e may be nil.
func (p *planner) mayBeUnlisted(k *kind.Kind, e *addr.StateEntry) bool {
	if e == nil || !k.Destroy.IsHarmlessIfGone || !e.MayBeUnlisted(p.Now) {
		return false
	}
	expired, _ := p.expiredAt(k, e)
	return expired.IsZero()
}

// planForget plans to forget objects that stay in B2.
func (p *planner) planForget(addr addr.Addr, k *kind.Kind, h match) {
	c := p.newForget(addr, k, h)
	c.Reason = "a removed block says that it is not managed here any more"
	further := h.furtherDeleteIDs()
	switch {
	case h.object == nil:
	case h.object.ID == c.RemoteID:
		c.LiveName = h.object.Identity
	default:
		further = append(further, h.object.ID)
	}
	c.FurtherForgets = p.namedObjects(k, further)
	if h.entry != nil {
		for _, old := range h.entry.Retiring {
			if p.Snapshot.ByID(k, old.ID) == nil && p.mayExistUnseen(k, old.ID) {
				c.FurtherForgets = append(c.FurtherForgets, NamedObject{old.ID, old.Name})
			}
		}
	}
	slices.SortFunc(c.FurtherForgets, func(a, b NamedObject) int { return strings.Compare(a.ID, b.ID) })
	p.addChange(c)
}

// newForget begins the change that drops what the state says of an address.
func (p *planner) newForget(addr addr.Addr, k *kind.Kind, h match) Change {
	c := Change{Addr: addr, Kind: k, Action: Forget, Identity: p.liveOrRecordedIdentity(addr, h), RemoteID: h.recordedID()}
	if h.entry == nil && h.object != nil {
		c.RemoteID = h.object.ID
	}
	c.Before, c.After = p.nullObjects(k)
	return c
}

// recordedID is the remote ID that the state records; "": it has no entry.
func (h *match) recordedID() string {
	if h.entry == nil {
		return ""
	}
	return h.entry.ID
}

// liveOrRecordedIdentity is the name of what is ours, or of what was announced.
func (p *planner) liveOrRecordedIdentity(addr addr.Addr, h match) string {
	switch {
	case h.object != nil:
		return h.object.Identity
	case h.entry != nil:
		return h.entry.Identity
	}
	return p.announced[addr][0].Identity
}

// warnNamesakesBeforeIntent names what is live under an announced name and was there before: nothing shows that
// it is ours, and once the announcement is dropped nothing else tells of it.
func (p *planner) warnNamesakesBeforeIntent(addr addr.Addr, k *kind.Kind) {
	for _, a := range p.announced[addr] {
		for _, o := range p.Snapshot.ByIdentity(k, k.NormalizeIdentity(a.Identity)) {
			id := objectIDOf(o)
			if _, imported := p.importedBy[id]; imported || p.ownerAddr(id) != nil || !slices.Contains(a.IDsBeforeCreate, o.ID) {
				continue
			}
			p.warnf(nil, words.CapitalizeUnlessName(k.Name)+" is left alone",
				"The %s %q (ID %s) has the name under which an interrupted run was about to make %s, but it was there before that. "+
					"So nothing shows that b2form made it, and it is not deleted. If it is of no use, delete it by hand.",
				k.Name, o.Identity, o.ID, addr)
		}
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
	live := p.linkPlanner.mapLinks(k, values, p.linkPlanner.nameOrIDByOwner).ObjectWithoutUnset()
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
	_, c.After = p.nullObjects(k)
	c.ForceDestroy = p.isForceDestroyed(addr, k, r, h)
	switch removed := p.Config.FindRemoval(addr); {
	case r != nil:
	case len(h.maybeForeignIDs) > 0 && h.isObjectRecovered():
		c.Reason = fmt.Sprintf("an interrupted run, or somebody else since, made it, and %s is not in configuration", addr)
	case removed != nil && removed.Destroy:
		c.Reason = "a removed block says that it is to be destroyed"
	case h.isObjectRecovered():
		c.Reason = fmt.Sprintf("an interrupted run made it, and %s is not in configuration", addr)
	default:
		c.Reason = fmt.Sprintf("%s is not in configuration", addr)
	}
	c.MaybeForeignDeletes = p.maybeForeignDeletes(&h, &c)
	if k.Destroy.Hazards != nil && !(k.YieldsSecret() && h.isObjectRecovered() && len(c.MaybeForeignDeletes) == 0) {
		c.Hazards = sortUniqueHazards(k.Destroy.Hazards(c.ForceDestroy, false))
	}
	p.guardChange(r, h, &c)
	p.addChange(c)
}

// isForceDestroyed reports whether an object goes with everything it holds. What the block
// says counts; where that is gone, what a removed block says, else what the state
// remembers.
func (p *planner) isForceDestroyed(addr addr.Addr, k *kind.Kind, r *config.Resource, h match) bool {
	removed := p.Config.FindRemoval(addr)
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
