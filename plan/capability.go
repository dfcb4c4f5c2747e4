package plan

import (
	"maps"
	"slices"

	"b2form/schema/addr"
	"b2form/schema/wire"
)

// A RequiredCapability is a capability of the credentials that a plan needs, and the changes that need it.
type RequiredCapability struct {
	Capability string
	NeededBy   []addr.Addr // sorted, each once
}

// NeededByText is the changes that need it, as far as there is room in a sentence.
func (r RequiredCapability) NeededByText() string { return abbreviateAddrs(r.NeededBy) }

// RequiredCapabilities lists what carrying out the steps takes, sorted by capability. What reading the
// account takes is not among it.
func (p *Plan) RequiredCapabilities() []RequiredCapability {
	needed := map[string][]addr.Addr{}
	for i := range p.Steps {
		c := &p.Changes[p.Steps[i].Change]
		for _, capability := range stepCapabilities(c, &p.Steps[i]) {
			needed[capability] = append(needed[capability], c.Addr)
		}
	}
	var out []RequiredCapability
	for _, capability := range slices.Sorted(maps.Keys(needed)) {
		list := needed[capability]
		slices.SortFunc(list, addr.Addr.Compare)
		out = append(out, RequiredCapability{Capability: capability, NeededBy: slices.Compact(list)})
	}
	return out
}

// MissingCapabilities lists the requirements that an account's credentials do not meet.
func (p *Plan) MissingCapabilities(a *wire.Account) []RequiredCapability {
	return slices.DeleteFunc(p.RequiredCapabilities(), func(r RequiredCapability) bool { return a.HasCapability(r.Capability) })
}

// stepCapabilities lists what B2 demands of the requests of one step. Some may be in it twice.
func stepCapabilities(c *Change, s *Step) []string {
	switch s.Op {
	case OpCreate, OpUpdate:
		list := []string{c.Kind.WriteCapability}
		for _, field := range s.Fields {
			if a := c.Kind.FindAttr(field); a.WriteCapability != "" && a.WirePath != "" {
				list = append(list, a.WriteCapability)
			}
		}
		return list
	case OpDelete:
		if c.ForceDestroy {
			return c.Kind.Destroy.ForcedDestroyCapabilities
		}
		return []string{c.Kind.DeleteCapability}
	}
	return nil
}
