package plan

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// planUndeclared plans the end of something owned that is not, or no longer, wanted.
func (p *planner) planUndeclared(addr addr.Addr) {
	k, r := p.kinds[addr.Kind], p.declaration(addr)
	h := p.match(addr, k)
	h.overdue, h.retiring = h.allRetiring(), nil // nobody waits for the end of an overlap
	if removed := p.removal(addr); removed != nil && !removed.Destroy {
		p.forgetRemoved(addr, k, h)
		return
	}
	switch {
	case h.object != nil:
		p.planDelete(addr, k, r, h)
	case h.entry == nil: // announced, and never made
	case p.mayBeHidden(k, h.entry.ID):
		holder := k
		if parent := p.kinds[k.ParentKind()]; parent != nil {
			holder = parent
		}
		p.errorf(nil, words.Capital(holder.Name)+" is outside what the credentials may use",
			"%s is %s %q in the state, but the credentials in use are limited to %s and cannot see whether it still exists. "+
				"Use a key that is not limited to %s.", addr, k.Name, h.entry.Identity, p.allowedNames(holder), holder.Plural)
	default:
		p.plan.Changes = append(p.plan.Changes, Change{
			Addr:      addr,
			Kind:      k,
			Action:    Forget,
			Identity:  h.entry.Identity,
			ID:        h.entry.ID,
			Before:    cty.NullVal(k.LiveType()),
			After:     cty.NullVal(k.ConfigType()),
			Reason:    p.goneReason(k, h.entry),
			Leftovers: p.named(k, h.leftoverIDs()),
		})
	}
}

// planDelete plans the deletion of a live object. r is its block, nil where that is
// gone.
func (p *planner) planDelete(addr addr.Addr, k *kind.Kind, r *config.Resource, h match) {
	values, err := h.object.Values()
	if err != nil {
		p.unreadable(nil, err)
		return
	}
	live := p.links.mapLinks(k, values, p.links.nameInState).Object()
	if targets := p.links.targetsOf(k, values); len(targets) > 0 {
		p.links.liveTargets[addr] = targets
	}
	c := Change{
		Addr:      addr,
		Kind:      k,
		Action:    Delete,
		Identity:  h.object.Identity,
		ID:        h.object.ID,
		LiveName:  h.object.Identity,
		Before:    live,
		After:     cty.NullVal(k.ConfigType()),
		Sensitive: h.sensitive(r),
		Leftovers: p.named(k, h.leftoverIDs()),
	}
	c.Force = p.forced(addr, k, r, h)
	switch {
	case r != nil:
	case h.unrecorded():
		c.Reason = fmt.Sprintf("an interrupted run made it, and %s is not in configuration", addr)
	default:
		c.Reason = fmt.Sprintf("%s is not in configuration", addr)
	}
	if k.Destroy.Hazards != nil && !(k.YieldsSecret() && h.unrecorded()) {
		c.Hazards = sortHazards(k.Destroy.Hazards(c.Force))
	}
	p.guard(r, h, &c)
	p.plan.Changes = append(p.plan.Changes, c)
}

// forced reports whether an object goes with everything it holds. What the block
// says counts; where that is gone, what a removed block says, else what the state
// remembers.
func (p *planner) forced(addr addr.Addr, k *kind.Kind, r *config.Resource, h match) bool {
	removed := p.removal(addr)
	switch {
	case r != nil:
		return ForceDestroys(k, r.Value)
	case k.Destroy.ForceAttr == "":
		return false
	case removed != nil && removed.Force != nil:
		return *removed.Force
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
