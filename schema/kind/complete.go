package kind

import (
	"github.com/zclconf/go-cty/cty"
)

// A ConfigCompleter fills in and judges objects of one kind. It remembers of each
// attribute what came of its last value, since the instances of a block share
// most of them, and of one that refers to other objects what came of every value,
// since there are few. It is not safe for concurrent use.
type ConfigCompleter struct {
	kind              *Kind
	lastFilled        []memo[struct{}]
	lastChecked       []memo[Problems]
	checkedReferences []map[*cty.Value]memo[Problems] // nil where an attribute refers to nothing
}

// A memo is what became of a value.
type memo[T any] struct {
	in, out  *cty.Value
	problems T
}

// NewCompleter makes a Completer of the kind.
func (k *Kind) NewCompleter() *ConfigCompleter {
	c := &ConfigCompleter{k, make([]memo[struct{}], len(k.Attrs)), make([]memo[Problems], len(k.Attrs)),
		make([]map[*cty.Value]memo[Problems], len(k.Attrs))}
	for i := range k.Attrs {
		if k.Attrs[i].Link.RefKind != "" {
			c.checkedReferences[i] = map[*cty.Value]memo[Problems]{}
		}
	}
	return c
}

// CompleteAndCheck fills in what was left out, lets the kind derive attributes from one
// another, and brings every value into its normal form; then it judges each
// attribute, missing members of nested objects, and the whole. v holds every
// attribute that can be set and is wholly known, except that attributes may be
// unknown where an error was reported already: then attrsOnly says that only the
// others are judged, each for itself. The result is what plans compare and show.
func (c *ConfigCompleter) CompleteAndCheck(v Values, attrsOnly bool) (Values, Problems) {
	out := v.Clone()
	for i := range c.kind.Attrs {
		if out.list[i] != nil {
			out.list[i] = c.fillDefault(i, out.list[i])
		}
	}
	if c.kind.DeriveAttrs != nil && !attrsOnly {
		c.kind.DeriveAttrs(out)
	}
	var ps Problems
	for i := range c.kind.Attrs {
		if out.list[i] == nil || c.kind.Attrs[i].Computed {
			continue
		}
		j := c.normalizeAndCheckAttr(i, out.list[i])
		out.list[i] = j.out
		ps = append(ps, j.problems...)
	}
	if c.kind.Check != nil && !attrsOnly && len(ps.errors()) == 0 {
		for _, p := range c.kind.Check(out) {
			p.CrossAttribute = true
			ps = append(ps, p)
		}
	}
	return out, ps
}

func (c *ConfigCompleter) fillDefault(i int, in *cty.Value) *cty.Value {
	a, last := &c.kind.Attrs[i], &c.lastFilled[i]
	switch {
	case last.in == in:
		return last.out
	case in.IsNull() && a.Default != cty.NilVal:
		last.in, last.out = in, &a.Default
		if a.Object != nil {
			v := a.fillAndNormalizeMembers(a.Default)
			last.out = &v
		}
	case a.Object == nil:
		last.in, last.out = in, in
	default:
		v := a.fillAndNormalizeMembers(*in)
		last.in, last.out = in, &v
	}
	return last.out
}

func (c *ConfigCompleter) normalizeAndCheckAttr(i int, in *cty.Value) *memo[Problems] {
	a, last := &c.kind.Attrs[i], &c.lastChecked[i]
	if last.in == in {
		return last
	}
	if known, ok := c.checkedReferences[i][in]; ok {
		*last = known
		return last
	}
	*last = memo[Problems]{in: in, out: in}
	if a.Compare.Normalize != nil && !in.IsNull() && in.IsKnown() {
		if v := a.Compare.Normalize(*in); !v.RawEquals(*in) {
			last.out = &v
		}
	}
	last.problems = a.checkValue(*last.out)
	if known := c.checkedReferences[i]; known != nil {
		known[in] = *last
	}
	return last
}

func fillDefaults(attrs []Attr, m map[string]cty.Value) {
	for i := range attrs {
		a := &attrs[i]
		v, ok := m[a.Name]
		if !ok {
			continue
		}
		if v.IsNull() && a.Default != cty.NilVal {
			v = a.Default
		}
		m[a.Name] = a.fillAndNormalizeMembers(v)
	}
}

func (a *Attr) fillAndNormalizeMembers(v cty.Value) cty.Value {
	if a.Object == nil || v.IsNull() || !v.IsKnown() {
		return v
	}
	if !a.Many {
		m := v.AsValueMap()
		fillDefaults(a.Object, m)
		for i := range a.Object {
			m[a.Object[i].Name] = a.Object[i].normalize(m[a.Object[i].Name])
		}
		return cty.ObjectVal(m)
	}
	if v.LengthInt() == 0 {
		return v
	}
	one := *a
	one.Many = false
	out := make([]cty.Value, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		out = append(out, one.fillAndNormalizeMembers(e))
	}
	return cty.ListVal(out)
}

func (ps Problems) errors() Problems {
	var out Problems
	for _, p := range ps {
		if !p.Warning {
			out = append(out, p)
		}
	}
	return out
}

func checkMembers(attrs []Attr, v cty.Value) Problems {
	var ps Problems
	for i := range attrs {
		a := &attrs[i]
		if a.Computed {
			continue
		}
		ps = append(ps, a.checkValue(v.GetAttr(a.Name))...)
	}
	return ps
}

// checkValue finds what is wrong with the attribute, with paths that start at its name.
func (a *Attr) checkValue(v cty.Value) Problems {
	var ps Problems
	switch {
	case v.IsNull():
		if a.Required {
			ps = Errorf("Missing required argument", "The argument %q is required, but no definition was found.", a.Name)
		}
	case v.IsKnown():
		ps = a.checkKnown(v)
	}
	if len(ps) == 0 {
		return nil
	}
	return ps.PrefixPaths(cty.GetAttrPath(a.Name))
}

func (a *Attr) checkKnown(v cty.Value) Problems {
	var ps Problems
	switch {
	case a.Object == nil:
	case a.Many:
		i := 0
		for it := v.ElementIterator(); it.Next(); i++ {
			_, e := it.Element()
			if e.IsNull() {
				ps = append(ps, Errorf("Invalid element", "Element %d is null; leave it out instead.",
					i).PrefixPaths(cty.IndexIntPath(i))...)
				continue
			}
			ps = append(ps, checkMembers(a.Object, e).PrefixPaths(cty.IndexIntPath(i))...)
		}
	default:
		ps = checkMembers(a.Object, v)
	}
	if a.Check != nil && len(ps.errors()) == 0 {
		ps = append(ps, a.Check(v)...)
	}
	return ps
}
