package plan

import (
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// LiveAttrsNotConfigured are the attributes that the configuration does not give of a declared object, by the live
// one with the remote ID: what B2 makes but secrets, and what is left as it is. ok is false where there
// is no such object.
func LiveAttrsNotConfigured(r *config.Resource, s *kind.Snapshot, id string) (attrs map[string]cty.Value, ok bool) {
	o := s.ByID(r.Kind, id)
	if o == nil {
		return nil, false
	}
	values, err := o.Values()
	if err != nil {
		return nil, false
	}
	attrs = map[string]cty.Value{}
	for i := range r.Kind.Attrs {
		a := &r.Kind.Attrs[i]
		v := values.PointerAt(i)
		if a.Computed && !a.Secret || !a.Computed && r.KeepsLive(a) && v.IsWhollyKnown() {
			attrs[a.Name] = config.NormalizedToNFC(*v)
		}
	}
	return attrs, true
}

// nonvolatileAttrsNotConfigured is LiveAttrsNotConfigured without what b2form's own lock changes.
func nonvolatileAttrsNotConfigured(r *config.Resource, s *kind.Snapshot, id string) (liveAttrs map[string]cty.Value, found bool) {
	attrs, ok := LiveAttrsNotConfigured(r, s, id)
	if !ok || r.Kind.Volatile == nil {
		return attrs, ok
	}
	members, err := s.ByID(r.Kind, id).JSONMembers()
	if err != nil {
		return nil, false
	}
	for _, name := range r.Kind.Volatile(members) {
		delete(attrs, name)
	}
	return attrs, true
}

// liveUnconfiguredAttrs answers with what is live.
func (p *planner) liveUnconfiguredAttrs(a addr.Addr) (attrs map[string]cty.Value, found bool) {
	r, e := p.declaration(a), p.entry(a)
	if r == nil || e == nil {
		return nil, false
	}
	return nonvolatileAttrsNotConfigured(r, p.Snapshot, e.ID)
}

// plannedUnconfiguredAttrs answers with what will be live, as far as the plan tells.
func (p *planner) plannedUnconfiguredAttrs(a addr.Addr) (liveAttrs map[string]cty.Value, found bool) {
	r := p.declaration(a)
	if r == nil {
		return nil, false
	}
	c := p.changeOf(a)
	switch {
	case c == nil:
		return p.liveUnconfiguredAttrs(a)
	case c.Action == NoOp:
		return nonvolatileAttrsNotConfigured(r, p.Snapshot, c.RemoteID)
	}
	attrs := map[string]cty.Value{}
	if c.Action == Update {
		attrs, _ = LiveAttrsNotConfigured(r, p.Snapshot, c.RemoteID)
	}
	for i := range r.Kind.Attrs {
		switch a := &r.Kind.Attrs[i]; {
		case a.FromAccount != nil:
			attrs[a.Name] = a.FromAccount(p.Snapshot.Account)
		case a.Computed && a.Name != r.Kind.IDAttr:
			delete(attrs, a.Name)
		case c.Action != Update && r.KeepsLive(a):
			attrs[a.Name] = cty.UnknownVal(a.ValueType())
		}
	}
	return attrs, true
}

// changeOf is the change of an address; nil: there is none. It is asked once all are planned.
func (p *planner) changeOf(a addr.Addr) *Change {
	if p.changeAt == nil {
		p.changeAt = make(map[addr.Addr]*Change, len(p.plan.Changes))
		for i := range p.plan.Changes {
			p.changeAt[p.plan.Changes[i].Addr] = &p.plan.Changes[i]
		}
	}
	return p.changeAt[a]
}

// checkPostconditions reports those that will not hold, as far as that is known.
func (p *planner) checkPostconditions() {
	for _, r := range p.declared {
		if r.Postconditions != nil {
			p.tagErrors(r.Addr, func() { p.diags = append(p.diags, r.Postconditions(p.plannedUnconfiguredAttrs)...) })
		}
	}
	p.changeAt = nil // changes may be left out yet
}
