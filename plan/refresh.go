package plan

import (
	"slices"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/kind"
)

// planRefresh plans what the state is to be told of what happened outside of b2form. What interrupted
// runs announced is left to the next apply.
func (p *planner) planRefresh() {
	for i := range p.Entries {
		e := &p.Entries[i]
		p.tagErrors(e.Addr, func() { p.planEntryRefresh(e) })
	}
	p.leaveAnnouncedOut(addr.Addr{})
}

// leaveAnnouncedOut leaves what interrupted runs announced, but for one address, to the next apply.
func (p *planner) leaveAnnouncedOut(except addr.Addr) {
	for a := range p.announced {
		if a != except {
			p.plan.LeftOut = append(p.plan.LeftOut, a)
		}
	}
}

// newChangeOfEntry is what an entry records and what is live of it, and the beginning of a change of it.
func (p *planner) newChangeOfEntry(e *addr.StateEntry) (match, Change) {
	k := p.kinds[e.Addr.Kind]
	live, settable := p.nullObjects(k)
	return match{entry: e, object: p.Snapshot.ByID(k, e.ID)}, Change{Addr: e.Addr, Kind: k, Identity: e.Identity, RemoteID: e.ID,
		Before: live, After: settable}
}

// planEntryRefresh plans what becomes of one entry.
func (p *planner) planEntryRefresh(e *addr.StateEntry) {
	r := p.declaration(e.Addr)
	h, c := p.newChangeOfEntry(e)
	switch {
	case h.object == nil:
		p.planForgetOrImport(h, c)
		return
	case r != nil:
		c.LiveDrift, c.ConfigDrift = p.drift(r, h)
	}
	_, moved := p.movedFrom[e.Addr]
	switch {
	case c.LiveDrift == Changed:
		c.Action = Refresh
	case moved:
		c.Action = NoOp
	default:
		return
	}
	values, err := h.object.Values()
	if err != nil {
		p.reportUnreadableReply(nil, err)
		return
	}
	c.LiveName, c.Sensitive = h.object.Identity, h.sensitiveAttrs(r)
	c.Before = values.ObjectWithoutUnset()
	if c.ConfigDrift == Unchanged {
		c.Fields, _ = p.differFor(c.Kind).diff(r.Value, p.linkPlanner.comparableLive(r, values), e, r.IgnoreChanges)
	}
	p.addChange(c)
}

// planForgetOrImport plans what becomes of the entry of an object that is not live: another object that was
// made in its place is imported.
func (p *planner) planForgetOrImport(h match, c Change) {
	if p.mayExistUnseen(c.Kind, c.RemoteID) {
		p.unseen = append(p.unseen, c.Addr)
		p.warnf(nil, "Cannot be refreshed", "The credentials in use are limited and do not see whether %s still exists, so what the state "+
			"says of it stays.", c.Addr)
		return
	}
	c.Action, c.Reason, c.LiveDrift = Forget, p.goneReason(c.Kind, h.entry), Gone
	c.LiveName = h.entry.Identity
	if expired, _ := p.Snapshot.FindExpired(c.Kind, c.RemoteID); expired != nil && p.RefreshOnly {
		p.warnf(nil, "Cannot be refreshed", "%s. B2 lists it still, so the state keeps it until the next apply.",
			words.CapitalizeUnlessName(c.Reason))
		return
	}
	others := p.Snapshot.ByIdentity(c.Kind, c.Kind.NormalizeIdentity(h.entry.Identity))
	others = slices.DeleteFunc(slices.Clone(others), func(o *kind.Object) bool { return p.ownerAddr(objectIDOf(o)) != nil })
	r := p.declaration(c.Addr)
	for _, old := range h.entry.Retiring {
		if p.Snapshot.ByID(c.Kind, old.ID) != nil {
			p.warnf(nil, "Cannot be refreshed", "%s. What it replaced is still there, %s, so the state keeps both until the next apply.",
				words.CapitalizeUnlessName(c.Reason), NamedObject{old.ID, old.Name})
			return
		}
	}
	if len(others) == 1 && r != nil {
		values, err := others[0].Values()
		if err != nil {
			p.reportUnreadableReply(r.Block.HeaderRange.Ptr(), err)
			return
		}
		h.takeImport(others[0])
		p.planRecord(r, h, Update, values)
		c.Action, c.Import, c.Reason = NoOp, true, h.mismatchReason
		c.RemoteID, c.LiveName, c.Before = h.object.ID, h.object.Identity, values.ObjectWithoutUnset()
		c.Sensitive = h.sensitiveAttrs(r)
	}
	p.addChange(c)
}
