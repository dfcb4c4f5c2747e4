package plan

import (
	"cmp"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// hazards asks the attributes what the change costs. A create is judged by
// every attribute but only by what can be a cost although nothing existed.
func hazards(c *Change) []kind.Hazard {
	var out []kind.Hazard
	if c.Action == Create {
		for _, a := range c.Kind.Settable() {
			if a.Hazard == nil {
				continue
			}
			out = append(out, a.Hazard(cty.NilVal, c.After.GetAttr(a.Name))...)
		}
		return slices.DeleteFunc(out, func(h kind.Hazard) bool { return !h.Kind.OnCreate() })
	}
	for _, name := range c.Fields {
		if a := c.Kind.Attr(name); a.Hazard != nil {
			out = append(out, a.Hazard(c.Before.GetAttr(name), c.After.GetAttr(name))...)
		}
	}
	return out
}

// tidy sorts hazards and drops repetitions.
func tidy(hs []kind.Hazard) []kind.Hazard {
	slices.SortFunc(hs, func(a, b kind.Hazard) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Detail, b.Detail))
	})
	return slices.Compact(hs)
}
