package plan

import (
	"slices"
	"time"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// planRecord plans the entry of an object that is imported, or that stays and whose
// entry is missing or says something else. It is written before the action.
func (p *planner) planRecord(r *config.Resource, h match, action Action, live kind.Values) {
	was := addr.StateEntry{Addr: r.Addr}
	if h.entry != nil && !h.toBeImported {
		was = *h.entry
	}
	now := was
	if k := r.Kind.Credential; k != nil && h.toBeImported && nameTimestamp(h.object).IsZero() {
		// Once it has expired, the end of what was taken over is known by this alone.
		if at := k.CreatedAt(r.Value, live); at.Before(p.Now) {
			now.Created = at.UTC().Truncate(time.Second)
		}
	}
	now.ID, now.Identity = h.object.ID, h.object.Identity
	now.PreventDestroy, now.ForceDestroy = r.PreventDestroy, ForceDestroys(r.Kind, r.Value)
	now.SensitiveAttrs = h.sensitiveAttrsWhileLive(r, action)
	now.Retiring = slices.Concat(h.allRetirees(), h.expiredRetirees)
	if h.entry != nil && h.entry.ID != now.ID {
		if expired, at := p.Snapshot.FindExpired(r.Kind, h.entry.ID); expired != nil {
			now.Retiring = append(now.Retiring, addr.RetiringObject{ID: expired.ID, Name: expired.Identity, KeepUntil: at})
		}
	}
	now.Retiring = addr.SortRetiring(now.Retiring)
	if was.Delivered && len(r.Deliveries) > 0 {
		now.DeliveryDigest = DeliveryDigest(r, p.remoteIDAfterPlan)
	}
	if now.ID != was.ID || now.Identity != was.Identity || now.PreventDestroy != was.PreventDestroy ||
		now.ForceDestroy != was.ForceDestroy || now.DeliveryDigest != was.DeliveryDigest ||
		!slices.Equal(now.SensitiveAttrs, was.SensitiveAttrs) ||
		!slices.EqualFunc(now.Retiring, was.Retiring, equalRetirees) {
		p.plan.Records = append(p.plan.Records, now)
	}
}

// addProtectionChanges tells of records by which an object that was recorded before is protected otherwise.
func (p *planner) addProtectionChanges() {
	for i := range p.plan.Records {
		now := &p.plan.Records[i]
		was, r := p.entry(now.Addr), p.declaration(now.Addr)
		if was == nil || r == nil || was.ID != now.ID {
			continue
		}
		add := func(setting string, before, after bool) {
			if before != after {
				p.plan.ProtectionChanges = append(p.plan.ProtectionChanges, ProtectionChange{now.Addr, setting, after})
			}
		}
		add(r.Kind.Destroy.ForceAttr, was.ForceDestroy, now.ForceDestroy)
		add("prevent_destroy", was.PreventDestroy, now.PreventDestroy)
	}
}

// leaveOutUnplannedRecords leaves out the records of what has no change in the plan, but for what isPlanned all the same:
// whether an object is protected, or goes with what it holds, is told to the state with the rest of it.
func (p *planner) leaveOutUnplannedRecords(isPlanned func(*addr.StateEntry) bool) {
	changes, left := map[addr.Addr]bool{}, map[addr.Addr]bool{}
	for _, a := range p.plan.LeftOut {
		left[a] = true
	}
	for i := range p.plan.Changes {
		changes[p.plan.Changes[i].Addr] = !p.plan.Changes[i].IsMoveOnly()
	}
	p.plan.Records = slices.DeleteFunc(p.plan.Records, func(e addr.StateEntry) bool {
		if changes[e.Addr] || !left[e.Addr] && isPlanned(&e) {
			return false
		}
		if !left[e.Addr] {
			p.plan.LeftOut = append(p.plan.LeftOut, e.Addr)
		}
		return true
	})
	slices.SortFunc(p.plan.LeftOut, addr.Addr.Compare)
}
