package plan

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// A KeptObject is a declared object that stays, of which ignore_changes leaves attributes as they are live.
type KeptObject struct {
	Live      kind.Values // every attribute
	Attrs     []string    // those that are left as they are; sorted
	Sensitive []string    // attributes that must not be shown; sorted
}

// noteKept notes what ignore_changes leaves as it is live. How long a key was to live B2 does not tell where it ends some time.
func (p *planner) noteKept(r *config.Resource, h *match, action Action, live kind.Values) {
	if len(r.IgnoreChanges) == 0 || action.MakesObject() {
		return
	}
	kept := KeptObject{Live: live, Sensitive: h.sensitiveAttrs(r)}
	for _, name := range r.IgnoreChanges {
		a := r.Kind.FindAttr(name)
		if isCompared(a) && (a.Encoding.LiveText == nil || r.Kind.ExpiryOf(live).IsZero()) {
			kept.Attrs = append(kept.Attrs, name)
		}
	}
	if p.plan.KeptObjects == nil {
		p.plan.KeptObjects = map[addr.Addr]KeptObject{}
	}
	p.plan.KeptObjects[r.Addr] = kept
}

// value is the object that stays: as it is declared, but for what is left as it is live.
func (k *KeptObject) value(r *config.Resource) kind.Values {
	v := r.Value.Clone()
	for _, name := range k.Attrs {
		v.Set(name, k.Live.Pointer(name))
	}
	return v
}

// CheckPolicies judges a plan by the policies of the configuration that it was made from.
func (p *Plan) CheckPolicies(c *config.Config, account *wire.Account) hcl.Diagnostics {
	if len(c.Policies) == 0 {
		return nil
	}
	return c.Judge(p.subjects(c), account)
}

// CheckPoliciesBeforePlan judges what is declared, before anything is planned.
func CheckPoliciesBeforePlan(c *config.Config) hcl.Diagnostics {
	subjects := make([]config.PolicySubject, len(c.Resources))
	for i, r := range c.Resources {
		subjects[i] = config.PolicySubject{Addr: r.Addr, Kind: r.Kind, Resource: r}
	}
	return c.Judge(subjects, nil)
}

// subjects is what a plan is about: what is declared and not left out, and what goes.
func (p *Plan) subjects(c *config.Config) []config.PolicySubject {
	changes := make(map[addr.Addr]*Change, len(p.Changes))
	out := make([]config.PolicySubject, 0, len(c.Resources)+len(p.Changes))
	declared := make(map[addr.Addr]bool, len(c.Resources))
	for i := range p.Changes {
		changes[p.Changes[i].Addr] = &p.Changes[i]
	}
	for _, r := range c.Resources {
		_, isLeft := slices.BinarySearchFunc(p.LeftOut, r.Addr, addr.Addr.Compare)
		if declared[r.Addr] = true; isLeft {
			continue
		}
		s := config.PolicySubject{Addr: r.Addr, Kind: r.Kind, Resource: r,
			Change: &config.SubjectChange{Action: string(NoOp), Sensitive: r.SensitiveAttrs}}
		kept, stays := p.KeptObjects[r.Addr]
		if stays {
			s.Change.BeforeUnlessNoOp, s.Change.Sensitive = kept.Live.ObjectWithoutUnset(), kept.Sensitive
		}
		if change := changes[r.Addr]; change != nil {
			s = change.subject(r)
		}
		s.Change.KeptAttrs = kept.Attrs
		out = append(out, s)
	}
	for i := range p.Changes {
		if change := &p.Changes[i]; !declared[change.Addr] {
			out = append(out, change.subject(nil))
		}
	}
	slices.SortFunc(out, func(a, b config.PolicySubject) int { return a.Addr.Compare(b.Addr) })
	return out
}

func (c *Change) subject(r *config.Resource) config.PolicySubject {
	if deletesOrForgets(c) {
		r = nil
	}
	change := &config.SubjectChange{Action: string(c.Action), BeforeUnlessNoOp: c.Before, Fields: c.Fields, Sensitive: c.Sensitive}
	if c.Before == cty.NilVal {
		change.BeforeUnlessNoOp = cty.NullVal(c.Kind.LiveType())
	}
	for _, o := range c.Deletes() {
		change.Deletes = append(change.Deletes, config.DeletedObject(o))
	}
	for _, h := range c.Hazards {
		change.Hazards = append(change.Hazards, h.Kind.AllowFlagValue())
	}
	slices.Sort(change.Hazards)
	change.Hazards = slices.Compact(change.Hazards)
	return config.PolicySubject{Addr: c.Addr, Kind: c.Kind, Resource: r, Change: change}
}
