package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

type identity struct{ kind, value string }

// judgeIdentities reports two resources that would be one live object, and
// adds what is needed where a reference is written as a plain name.
func (l *loader) judgeIdentities() {
	first := make(map[identity]*kind.Resource, len(l.config.Resources))
	inOrder := slices.Clone(l.config.Resources)
	slices.SortStableFunc(inOrder, func(a, b *kind.Resource) int { return comparePlaces(a.Block.Range, b.Block.Range) })
	for _, r := range inOrder {
		id := identity{r.Addr.Kind, r.Identity()}
		if id.value == "" {
			continue
		}
		other := first[id]
		if other == nil {
			first[id] = r
			continue
		}
		l.errorAt(r.Block.RangeOf(r.Kind.Identity), "Duplicate "+r.Kind.Identity, fmt.Sprintf("%s and %s (at %s) both have the %s %q, so they would be one and the same %s.",
			r.Addr, other.Addr, other.Block.RangeOf(r.Kind.Identity), r.Kind.Identity, id.value, r.Kind.Name))
	}
	for _, r := range l.config.Resources {
		for _, a := range r.Kind.Attrs {
			if a.Ref == "" || a.Computed {
				continue
			}
			marks := cty.ValueMarks{}
			for _, name := range namesIn(r.Value.GetAttr(a.Name)) {
				if other := first[identity{a.Ref, l.kinds[a.Ref].Fold(name)}]; other != nil && other != r {
					marks[refMark{other.Addr}] = struct{}{}
				}
			}
			r.Needs = withMarked(r.Needs, marks)
		}
	}
}

// namesIn lists the names that an attribute with a Ref holds.
func namesIn(v cty.Value) []string {
	switch {
	case !v.IsWhollyKnown() || v.IsNull():
		return nil
	case v.Type() == cty.String:
		return []string{v.AsString()}
	case !v.CanIterateElements():
		return nil
	}
	var out []string
	for it := v.ElementIterator(); it.Next(); {
		if _, e := it.Element(); isText(e) {
			out = append(out, e.AsString())
		}
	}
	return out
}

// judgeNeeds reports resources that need one another. Arguments cannot form
// such a loop, since their references were ordered; deliveries can.
func (l *loader) judgeNeeds() {
	byAddr := make(map[kind.Addr]*kind.Resource, len(l.config.Resources))
	for _, r := range l.config.Resources {
		byAddr[r.Addr] = r
	}
	state := make(map[kind.Addr]visit, len(byAddr))
	var path []kind.Addr
	var walk func(r *kind.Resource)
	walk = func(r *kind.Resource) {
		switch state[r.Addr] {
		case done:
			return
		case open:
			l.needsLoop(byAddr, path[slices.Index(path, r.Addr):])
			return
		}
		state[r.Addr] = open
		path = append(path, r.Addr)
		for _, a := range r.Needs {
			if next := byAddr[a]; next != nil {
				walk(next)
			}
		}
		path = path[:len(path)-1]
		state[r.Addr] = done
	}
	for _, r := range l.config.Resources {
		walk(r)
	}
}

func (l *loader) needsLoop(byAddr map[kind.Addr]*kind.Resource, loop []kind.Addr) {
	var steps []string
	for _, a := range loop {
		steps = append(steps, a.String())
	}
	l.errorAt(byAddr[loop[0]].Block.Range, "Reference loop", fmt.Sprintf("With their deliveries these need one another in a circle: %s → %s. Remove one of the references.",
		strings.Join(steps, " → "), loop[0]))
}
