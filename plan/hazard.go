package plan

import (
	"cmp"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// costs asks one attribute what going from before to after costs. What it says of
// a sensitive one may repeat the value and is left out.
func costs(c *Change, a *kind.Attr, before, after cty.Value) []kind.Hazard {
	out := a.Hazard(before, after)
	if slices.Contains(c.Sensitive, a.Name) {
		for i := range out {
			out[i].Detail = "through " + a.Name + ", which is sensitive"
		}
	}
	return out
}

// hazards asks the attributes what the change costs. A create is judged by
// every attribute but only by what can be a cost although nothing existed.
func hazards(c *Change, before cty.Value) []kind.Hazard {
	var out []kind.Hazard
	if c.Action == Create {
		for _, a := range c.Kind.Settable() {
			if a.Hazard == nil {
				continue
			}
			out = append(out, costs(c, a, cty.NilVal, c.After.GetAttr(a.Name))...)
		}
		return slices.DeleteFunc(out, func(h kind.Hazard) bool { return !h.Kind.OnCreate() })
	}
	for _, name := range c.Fields {
		if a := c.Kind.Attr(name); a.Hazard != nil {
			out = append(out, costs(c, a, before.GetAttr(name), c.After.GetAttr(name))...)
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
