package plan

import (
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// A splitUpdate is what becomes of an update that sets links which lead in a cycle.
type splitUpdate struct {
	memberStep int  // sets what the others wait for; none: that is live already
	isSplit    bool // memberStep is a step of its own
	waits      bool // sets more than that, so it waits for the others
}

// addNeedsOnMembersSetFirst lets a step that sets links wait for those that set the member (kind.Link.MemberSetFirst) of what
// they lead to. That is kept where settings are better waited for: keys wait for those of their buckets.
func (g *stepGraph) addNeedsOnMembersSetFirst(step, change int) {
	if g.attrWithMemberSetFirst(step) == nil {
		return
	}
	for _, s := range g.stepsByChange[change].updateSteps() {
		if g.attrWithMemberSetFirst(s) != nil {
			g.addNeed(step, medium, s)
		}
	}
}

// attrWithMemberSetFirst is the attribute with a member to set first that an update sets; nil: there is none.
func (g *stepGraph) attrWithMemberSetFirst(step int) *kind.Attr {
	s := &g.steps[step]
	for _, f := range s.Fields {
		if a := g.plan.Changes[s.Change].Kind.FindAttr(f); s.Op == OpUpdate && a.Link.MemberSetFirst != "" {
			return a
		}
	}
	return nil
}

// splitUpdatesInLinkCycles splits updates that wait for each other, so that each finds the members to set first in place. Needs are
// sorted.
func (g *stepGraph) splitUpdatesInLinkCycles() {
	var links []need
	for _, n := range g.needs {
		if n.strength == medium && g.attrWithMemberSetFirst(int(n.step)) != nil && g.attrWithMemberSetFirst(int(n.dependsOn)) != nil {
			links = append(links, n)
		}
	}
	if len(links) == 0 {
		return
	}
	_, of := strongComponents(len(g.steps), links)
	splits := map[int32]splitUpdate{}
	for _, n := range links {
		if _, seen := splits[n.step]; !seen && of[n.step] == of[n.dependsOn] { // in a cycle each waits for another
			splits[n.step] = g.splitOffMemberSetFirst(int(n.step))
		}
	}
	var needs []need
	for _, n := range g.needs {
		split, inCycle := splits[n.step]
		if _, both := splits[n.dependsOn]; both && inCycle && of[n.step] == of[n.dependsOn] && n.strength == medium {
			if to := splits[n.dependsOn].memberStep; split.waits && to != none {
				needs = append(needs, need{n.step, int32(to), medium})
			}
			continue
		}
		needs = append(needs, n)
		if split.isSplit {
			needs = append(needs, need{int32(split.memberStep), n.dependsOn, n.strength})
		}
	}
	g.needs = needs
	for _, step := range slices.Sorted(maps.Keys(splits)) {
		if split := splits[step]; split.isSplit {
			g.addNeed(int(step), hard, split.memberStep)
		}
	}
	g.sortNeeds()
}

// splitOffMemberSetFirst adds a step that sets that member alone, if the update sets that and more.
func (g *stepGraph) splitOffMemberSetFirst(step int) splitUpdate {
	s, a := &g.steps[step], g.attrWithMemberSetFirst(step)
	c := &g.plan.Changes[s.Change]
	before := cty.NullVal(c.After.GetAttr(a.Name).Type())
	if c.Action == Update {
		before = c.Before.GetAttr(a.Name)
	}
	between := WithOtherMembersLive(c.After, a, before)
	withBefore := withAttr(c.After, a, before)
	same := func(x, y cty.Value) bool {
		fields, _ := Diff(c.Kind, x, y, nil, nil)
		return !slices.Contains(fields, a.Name)
	}
	switch {
	case same(between, withBefore):
		return splitUpdate{memberStep: none, waits: true}
	case same(c.After, between):
		return splitUpdate{memberStep: step}
	}
	first := g.addStep(Step{Change: s.Change, Op: OpUpdate, Fields: []string{a.Name}, Member: a.Link.MemberSetFirst, RemoteID: s.RemoteID})
	return splitUpdate{memberStep: first, isSplit: true, waits: true}
}

// WithOtherMembersLive is an object as planned, but with only the member to set first of the attribute as planned and its others as live
// has them, which is a value of the attribute.
func WithOtherMembersLive(planned cty.Value, a *kind.Attr, live cty.Value) cty.Value {
	want := planned.GetAttr(a.Name)
	members, given := map[string]cty.Value{}, false
	for name, t := range want.Type().AttributeTypes() {
		from := live
		if name == a.Link.MemberSetFirst {
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
