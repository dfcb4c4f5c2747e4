package plan

import (
	"slices"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// warnDataOfDestroyed warns of data blocks that read what the plan destroys: it is carried out, and the next plan is
// an error.
func (p *planner) warnDataOfDestroyed() {
	destroyedBy := map[objectID]addr.Addr{}
	madeAnew := map[identityKey]bool{}
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		for _, o := range c.Deletes() {
			destroyedBy[objectID{c.Kind.Name, o.ID}] = c.Addr
		}
		if createsOrUpdates(c) {
			madeAnew[identityKey{c.Kind.Name, c.Identity}] = true
		}
	}
	if len(destroyedBy) == 0 {
		return
	}
	for i := range p.Config.DataQueries {
		q := &p.Config.DataQueries[i]
		for _, o := range p.neededByData(q) {
			by, destroyed := destroyedBy[objectIDOf(o)]
			if !destroyed || madeAnew[identityKey{o.Kind.Name, o.Identity}] {
				continue
			}
			p.warnf(&q.Range, "Data block reads what is destroyed", "%s reads the %s %q, which this plan destroys as %s. Without it "+
				"the next plan is an error at this block: remove the block and what refers to it, or let it read another %[2]s.",
				q.DataAddr, o.Kind.Name, o.Identity, by)
			break
		}
	}
}

// neededByData lists the live objects without which a data block is an error; a list of all that there are never is.
func (p *planner) neededByData(q *config.DataQuery) (objects []*kind.Object) {
	k := q.Kind
	if k == nil {
		return nil
	}
	if parent := p.kinds[k.ParentKind()]; parent != nil {
		identity := q.Children.ParentIdentity
		if identity == "" {
			identity = k.ParentIdentity(q.Identity)
		}
		objects = p.Snapshot.ByIdentity(parent, identity)
		if k.ScopeAttr() == "" {
			return objects // the settings of a whole object are none then
		}
	}
	if o := p.Snapshot.ByID(k, q.RemoteID); o != nil {
		return []*kind.Object{o}
	}
	return slices.Concat(objects, p.Snapshot.ByIdentity(k, q.Identity))
}
