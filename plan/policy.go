package plan

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/wire"
)

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
		if change := changes[r.Addr]; change != nil {
			s = change.subject(r)
		}
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
	if c.Action == Delete || c.Action == Forget {
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
