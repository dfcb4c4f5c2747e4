package plan

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// remove plans the end of something owned that is not, or no longer, wanted.
func (p *planner) remove(addr addr.Addr) {
	k, r := p.kinds[addr.Kind], p.declaration(addr)
	h := p.match(addr, k)
	h.overdue, h.retiring = h.allRetiring(), nil // nobody waits for the end of an overlap
	if removed := p.removal(addr); removed != nil && !removed.Destroy {
		p.forgetRemoved(addr, k, h)
		return
	}
	switch {
	case h.object != nil:
		p.delete(addr, k, r, h)
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
			Reason:    goneReason(k, h.entry.Identity),
			Leftovers: h.leftovers(),
		})
	}
}

// delete plans the deletion of a live object. r is its block, nil where that is
// gone.
func (p *planner) delete(addr addr.Addr, k *kind.Kind, r *config.Resource, h match) {
	p.checkProtected(addr, r, h)
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
		Before:    live,
		After:     cty.NullVal(k.ConfigType()),
		Sensitive: h.sensitive(r),
		Leftovers: h.leftovers(),
	}
	declared := c.After
	switch {
	case r != nil:
		declared = r.Value.Object()
		c.Force = forceDestroys(k, declared)
	case h.unrecorded():
		c.Reason = fmt.Sprintf("an interrupted run made it, and %s is not in configuration", addr)
	default:
		c.Reason = fmt.Sprintf("%s is not in configuration", addr)
	}
	if k.Destroy.Hazards != nil && !(k.YieldsSecret() && h.unrecorded()) {
		c.Hazards = sortHazards(k.Destroy.Hazards(declared))
	}
	p.checkInUse(r, &c)
	p.plan.Changes = append(p.plan.Changes, c)
}

// forceDestroys reports whether an object goes with everything it holds.
func forceDestroys(k *kind.Kind, v cty.Value) bool {
	if k.Destroy.Force == "" {
		return false
	}
	force := v.GetAttr(k.Destroy.Force)
	return !force.IsNull() && force.True()
}

// checkProtected refuses to delete what prevent_destroy protects. What the block
// says counts; what the state remembers counts where the block is gone.
func (p *planner) checkProtected(addr addr.Addr, r *config.Resource, h match) {
	switch {
	case r != nil && r.PreventDestroy:
		rng := r.Block.RangeOf("prevent_destroy")
		p.errorf(&rng, "Instance cannot be destroyed",
			"%s has prevent_destroy set, but the plan destroys it. Set prevent_destroy = false, or keep it with `b2form state rm '%s'`.", addr, addr)
	case r == nil && h.entry != nil && h.entry.PreventDestroy && p.removal(addr) == nil:
		p.errorf(nil, "Instance cannot be destroyed",
			"%s is no longer in the configuration, but it was protected by prevent_destroy. To destroy it, write\n"+
				"  removed {\n    from    = %s\n    destroy = true\n  }\nTo keep it and stop managing it, write the same with destroy = false.", addr, addr)
	}
}

// checkEmptied refuses to delete a bucket beside files in it that are only hidden:
// it would not be empty. Files of a bucket that goes with everything it holds go
// for good too.
func (p *planner) checkEmptied() {
	hidden := map[reference][]*Change{}
	for i := range p.plan.Changes {
		if c := &p.plan.Changes[i]; (c.Action == Delete || c.Action == Replace) && c.Kind.ScopeAttr() != "" && !c.Force {
			holder := reference{c.Kind.ParentKind(), c.Kind.ParentIdentity(c.Kind.IdentityOf(c.Before))}
			hidden[holder] = append(hidden[holder], c)
		}
	}
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		files := hidden[reference{c.Kind.Name, c.Identity}]
		switch {
		case c.Action != Delete || len(files) == 0:
		case c.Force:
			for _, file := range files {
				file.Force = true
			}
		default:
			p.notEmptied(c, files)
		}
	}
}

func (p *planner) notEmptied(c *Change, files []*Change) {
	what := files[0].Addr.String()
	if n := len(files) - 1; n > 0 {
		what = fmt.Sprintf("%s and %d more", what, n)
	}
	force, child := c.Kind.Destroy.Force, files[0].Kind
	advice := fmt.Sprintf("Set %s = true on the %s, which deletes all their versions, or on the %s, which deletes everything in it.", force, child.Plural, c.Kind.Name)
	var subject *hcl.Range
	if r := p.declaration(c.Addr); r != nil {
		subject = &r.Block.Range
	} else {
		advice = fmt.Sprintf("Put the blocks back with %s = true, on the %s or on the %s, and use `b2form destroy`; or write a removed block, which keeps the %s.",
			force, child.Plural, c.Kind.Name, c.Kind.Name)
	}
	p.errorf(subject, words.Capital(c.Kind.Name)+" will not be empty",
		"The plan deletes %s, but it only hides %s in it: the versions stay, and B2 deletes only empty %s. %s", c.Addr, what, c.Kind.Plural, advice)
}
