package plan

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// A Drift is what of the state is not as b2form left it.
type Drift struct {
	// Changes lead from what is declared to what is live: objects that are gone, and objects that differ from what is
	// declared although that was not edited. Where nobody can tell an edit from a change outside, LiveDrift is
	// DriftUnknown; where another object was made in the place of one that is gone, the change imports that. Of an object
	// that differs, Before is what is declared and After what is live, both with every attribute. Sorted by address.
	Changes  []Change
	Unseen   []addr.Addr // recorded objects that the credentials may not see; sorted
	Warnings hcl.Diagnostics
}

// FindDrift finds the drift. Of the request nothing counts that asks for changes.
func FindDrift(r Request) (d Drift, errors hcl.Diagnostics) {
	p := newPlanner(r)
	if p.checkRequest() {
		for i := range p.Entries {
			e := &p.Entries[i]
			p.tagErrors(e.Addr, func() { p.addDriftOfEntry(e) })
		}
		p.setMovedFromAndSort()
	}
	if p.diags.HasErrors() {
		return d, p.diags
	}
	return Drift{p.plan.Changes, p.unseen, p.plan.Warnings}, nil
}

// addDriftOfEntry looks at one entry.
func (p *planner) addDriftOfEntry(e *addr.StateEntry) {
	r := p.declaration(e.Addr)
	h, c := p.newChangeOfEntry(e)
	p.warnGonePredecessors(c.Kind, e)
	switch {
	case h.object == nil:
		before := len(p.plan.Changes)
		p.planForgetOrImport(h, c)
		if added := p.plan.Changes[before:]; len(added) > 0 && added[0].Import {
			p.compareMadeAnew(r, &added[0])
		}
		return
	case r == nil: // nothing is declared that it could differ from
		return
	}
	live, err := h.object.Values()
	if err != nil {
		p.reportUnreadableReply(nil, err)
		return
	}
	live = p.linkPlanner.linkIDsToNames(r, live, p.linkPlanner.nameOrIDByOwner)
	c.LiveDrift, c.ConfigDrift = p.drift(r, h)
	c.Fields, _ = p.differFor(c.Kind).diff(r.Value, live, e, r.IgnoreChanges)
	c.Sensitive = h.sensitiveAttrs(r)
	// Digests are not made of what is sensitive, so they say nothing of it.
	onlySensitive := !slices.ContainsFunc(c.Fields, func(name string) bool { return !slices.Contains(c.Sensitive, name) })
	switch {
	case len(c.Fields) == 0, c.LiveDrift == Unchanged && c.ConfigDrift == Changed && !onlySensitive:
		return // as declared, or edited and not applied yet
	case c.LiveDrift == Unchanged && onlySensitive:
		c.LiveDrift = DriftUnknown
	case c.LiveDrift == Unchanged:
		c.LiveDrift = Changed // since the last apply, which a refresh has recorded
	}
	c.Action, c.LiveName = Update, h.object.Identity
	c.Before, c.After = declaredObject(r, live), live.ObjectWithoutUnset()
	p.addChange(c)
}

// warnGonePredecessors says which objects are gone that an entry promises to whoever uses them still. No block declares them, so they
// are no drift.
func (p *planner) warnGonePredecessors(k *kind.Kind, e *addr.StateEntry) {
	for _, old := range e.Retiring {
		until := words.ReadableTime(old.KeepUntil)
		if old.KeptUntilRenewal {
			until = e.Addr.String() + " is renewed"
		}
		expired, _ := p.Snapshot.FindExpired(k, old.ID)
		isOver := !old.KeptUntilRenewal && !old.KeepUntil.After(p.Now)
		if isOver || expired != nil || p.Snapshot.ByID(k, old.ID) != nil || p.mayExistUnseen(k, old.ID) {
			continue
		}
		p.warnf(nil, "A predecessor is gone", "%s (ID %s) was to live on until %s, as a predecessor of %s, and no longer exists in B2: "+
			"it was deleted, or has expired. What still uses it has lost access.", old.Name, old.ID, until, e.Addr)
	}
}

// compareMadeAnew notes how the object that a change imports in the place of another one differs from what is declared.
func (p *planner) compareMadeAnew(r *config.Resource, c *Change) {
	live, err := p.Snapshot.ByID(c.Kind, c.RemoteID).Values()
	if err != nil {
		return // who imported it has said so
	}
	live = p.linkPlanner.linkIDsToNames(r, live, p.linkPlanner.nameOrIDByOwner)
	c.After = live.ObjectWithoutUnset()
	if c.Fields, _ = p.differFor(c.Kind).diff(r.Value, live, nil, r.IgnoreChanges); len(c.Fields) > 0 {
		c.Action, c.Before = Update, declaredObject(r, live)
	}
}

// declaredObject is a live object as it would be by its declaration.
func declaredObject(r *config.Resource, live kind.Values) cty.Value {
	all := live.ObjectWithoutUnset().AsValueMap()
	maps.Copy(all, plannedValue(r, live).AsValueMap())
	return cty.ObjectVal(all)
}
