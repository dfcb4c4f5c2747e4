package view_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema/kind"
)

// outside is a plan about objects that changed outside of b2form.
func outside() *plan.Plan {
	p := plans()["update-leaf"]
	c := p.Changes[0]
	c.LiveDrift, c.ConfigDrift = plan.Changed, plan.Unchanged
	both, gone := c, plans()["create"].Changes[1]
	both.Addr,
		both.ConfigDrift = address(`bucket.photos["a name that is long enough for the line to be broken on a screen of 78 columns"]`),
		plan.Changed
	gone.LiveDrift = plan.Gone
	edited := c
	edited.Addr, edited.LiveDrift, edited.ConfigDrift = address("bucket.edited"), plan.Unchanged, plan.Changed
	p.Changes = []plan.Change{edited, c, both, gone}
	return p
}

// refreshed is what a refresh would make of it.
func refreshed() *plan.Plan {
	p := outside()
	moved := p.Changes[0]
	moved.Action, moved.MovedFrom = plan.NoOp, address("bucket.former")
	made := plans()["import"].Changes[0]
	made.LiveDrift = plan.Gone
	p.Changes = []plan.Change{made, moved, p.Changes[1], p.Changes[2], p.Changes[3]}
	for i := 2; i < len(p.Changes); i++ {
		p.Changes[i].Action = plan.Refresh
	}
	return p
}

// outputChanges changes outputs in every way.
func outputChanges() *plan.Plan {
	id := cty.UnknownVal(cty.String)
	was := cty.ObjectVal(attrs{"bucket": str("acme"), "id": str("k1"), "gone": str("x"), "n": cty.NumberIntVal(1), "l": strs("a")})
	now := cty.ObjectVal(attrs{"bucket": str("acme"), "id": id, "new": cty.ObjectVal(attrs{"a b": cty.True}), "n": cty.NumberIntVal(2),
		"l": strs("a", "b")})
	return &plan.Plan{OutputChanges: []plan.OutputChange{
		{Name: "both", Action: plan.Update, Before: was, After: now},
		{Name: "empty", Action: plan.Create, After: cty.EmptyObjectVal},
		{Name: "from_state\x1b[31m", Action: plan.Delete},
		{Name: "gone", Action: plan.Delete, Before: strs("a", "b")},
		{Name: "hidden", Action: plan.Update, Sensitive: true, Before: str("hush"), After: str("hush-hush")},
		{Name: "hidden_gone", Action: plan.Delete, Sensitive: true, Before: str("hush")},
		{Name: "leaf", Action: plan.Update, Before: str("a"), After: str("b\x1b[31m")},
		{Name: "made", Action: plan.Create, After: now},
		{Name: "objects", Action: plan.Create, After: cty.TupleVal([]cty.Value{was.GetAttr("bucket"), cty.ObjectVal(attrs{"a": id})})},
		{Name: "part", Action: plan.Create, After: cty.ObjectVal(attrs{"a": str("hush").Mark(kind.Sensitive)})},
		{Name: "unknown", Action: plan.Update, After: now},
	}}
}

func TestOutsideText(t *testing.T) {
	for name, of := range map[string]struct {
		plan  *plan.Plan
		mode  view.PlanPurpose
		width int
	}{
		"outside": {outside(), view.Planning, 0}, "outside-narrow": {outside(), view.Planning, 78},
		"refresh": {refreshed(), view.Refreshing, 78}, "refresh-nothing": {&plan.Plan{}, view.Refreshing, 78},
		"outputs": {outputChanges(), view.Planning, 78},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			view.TextUI{Out: &out, Style: view.Style{Width: of.width}}.Plan(of.plan, of.mode)
			golden(t, "plan-"+name+".txt", out.String())
		})
	}
}

func TestOutsideJSON(t *testing.T) {
	var out bytes.Buffer
	j := view.JSONUI{Out: &out, Now: func() time.Time { return time.Unix(0, 0) }, ProgramVersion: "1.2.3"}
	j.Plan(outside(), view.Planning)
	j.Plan(refreshed(), view.Refreshing)
	j.Plan(outputChanges(), view.Planning)
	golden(t, "outside.jsonl", out.String())
}
