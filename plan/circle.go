package plan

import (
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// A circlePart is what becomes of an update that sets links which lead in a circle.
type circlePart struct {
	firstMemberStep int  // sets what the others wait for; none: that is live already
	isDivided       bool // firstMemberStep is a step of its own
	waits           bool // sets more than that, so it waits for the others
}

// addFirstMemberNeeds lets a step that sets links wait for those that set the first member (kind.Link.FirstMember) of what
// they lead to. That is kept where settings are better waited for: keys wait for those of their buckets.
func (g *stepGraph) addFirstMemberNeeds(step, change int) {
	if g.attrWithFirstMember(step) == nil {
		return
	}
	for _, s := range g.stepsByChange[change].updateSteps() {
		if g.attrWithFirstMember(s) != nil {
			g.addNeed(step, medium, s)
		}
	}
}

// attrWithFirstMember is the attribute with a first member that an update sets; nil: there is none.
func (g *stepGraph) attrWithFirstMember(step int) *kind.Attr {
	s := &g.steps[step]
	for _, f := range s.Fields {
		if a := g.plan.Changes[s.Change].Kind.FindAttr(f); s.Op == OpUpdate && a.Link.FirstMember != "" {
			return a
		}
	}
	return nil
}

// divideLinkCircles divides updates that wait for each other's first member, so that each finds it in place. Needs are sorted.
func (g *stepGraph) divideLinkCircles() {
	var links []need
	for _, n := range g.needs {
		if n.strength == medium && g.attrWithFirstMember(int(n.step)) != nil && g.attrWithFirstMember(int(n.dependsOn)) != nil {
			links = append(links, n)
		}
	}
	if len(links) == 0 {
		return
	}
	_, of := strongComponents(len(g.steps), links)
	parts := map[int32]circlePart{}
	for _, n := range links {
		if _, seen := parts[n.step]; !seen && of[n.step] == of[n.dependsOn] { // in a circle each waits for another
			parts[n.step] = g.divideAtFirstMember(int(n.step))
		}
	}
	var needs []need
	for _, n := range g.needs {
		part, inCircle := parts[n.step]
		if _, both := parts[n.dependsOn]; both && inCircle && of[n.step] == of[n.dependsOn] && n.strength == medium {
			if to := parts[n.dependsOn].firstMemberStep; part.waits && to != none {
				needs = append(needs, need{n.step, int32(to), medium})
			}
			continue
		}
		needs = append(needs, n)
		if part.isDivided {
			needs = append(needs, need{int32(part.firstMemberStep), n.dependsOn, n.strength})
		}
	}
	g.needs = needs
	for _, step := range slices.Sorted(maps.Keys(parts)) {
		if part := parts[step]; part.isDivided {
			g.addNeed(int(step), hard, part.firstMemberStep)
		}
	}
	g.sortNeeds()
}

// divideAtFirstMember adds a step that sets the first member alone, if the update sets that and more.
func (g *stepGraph) divideAtFirstMember(step int) circlePart {
	s, a := &g.steps[step], g.attrWithFirstMember(step)
	c := &g.plan.Changes[s.Change]
	before := cty.NullVal(c.After.GetAttr(a.Name).Type())
	if c.Action == Update {
		before = c.Before.GetAttr(a.Name)
	}
	middle := WithFirstMember(c.After, a, before)
	withBefore := withAttr(c.After, a, before)
	same := func(x, y cty.Value) bool {
		fields, _ := Diff(c.Kind, x, y, nil, nil)
		return !slices.Contains(fields, a.Name)
	}
	switch {
	case same(middle, withBefore):
		return circlePart{firstMemberStep: none, waits: true}
	case same(c.After, middle):
		return circlePart{firstMemberStep: step}
	}
	first := g.addStep(Step{Change: s.Change, Op: OpUpdate, Fields: []string{a.Name}, Member: a.Link.FirstMember, RemoteID: s.RemoteID})
	return circlePart{firstMemberStep: first, isDivided: true, waits: true}
}

// WithFirstMember is an object as planned of which only the first member of the attribute is set by now; the others
// are as live has them, which is a value of the attribute.
func WithFirstMember(planned cty.Value, a *kind.Attr, live cty.Value) cty.Value {
	want := planned.GetAttr(a.Name)
	members, given := map[string]cty.Value{}, false
	for name, t := range want.Type().AttributeTypes() {
		from := live
		if name == a.Link.FirstMember {
			from = want
		}
		members[name] = cty.NullVal(t)
		if !from.IsNull() {
			members[name] = from.GetAttr(name)
		}
		given = given || !members[name].IsNull()
	}
	if !given {
		return withAttr(planned, a, cty.NullVal(want.Type()))
	}
	return withAttr(planned, a, cty.ObjectVal(members))
}

func withAttr(object cty.Value, a *kind.Attr, v cty.Value) cty.Value {
	m := object.AsValueMap()
	m[a.Name] = v
	return cty.ObjectVal(m)
}
