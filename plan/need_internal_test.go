package plan

import (
	"fmt"
	"strings"
	"testing"

	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// Steps come after what they need; a soft need within a cycle is dropped, a hard
// cycle is an error that names it.
func TestOrdered(t *testing.T) {
	k := plainKind("kind")
	build := func(n int, needs ...need) (*stepGraph, []Step) {
		g := &stepGraph{planner: newPlanner(Request{Config: &config.Config{}, Kinds: []*kind.Kind{k}}), needs: needs}
		for i := range n {
			g.plan.Changes = append(g.plan.Changes, Change{Addr: addr.Addr{Kind: "kind", Label: fmt.Sprint("n", i)}})
			g.addStep(Step{Change: i, Op: OpUpdate})
		}
		return g, g.orderedSteps()
	}
	text := func(steps []Step) (out string) {
		for _, s := range steps {
			out += fmt.Sprintf("%d%v ", s.Change, s.Needs)
		}
		return out
	}
	for _, test := range []struct {
		name  string
		needs []need
		want  string
	}{
		{"none", nil, "0[] 1[] 2[] 3[] "},
		{"backwards", []need{{0, 1, soft}, {1, 2, hard}, {2, 3, hard}}, "3[] 2[0] 1[1] 0[2] "},
		{"twice", []need{{1, 0, soft}, {1, 0, hard}}, "0[] 1[0] 2[] 3[] "},
		{"soft in a cycle", []need{{0, 1, hard}, {1, 0, soft}, {1, 3, soft}}, "3[] 1[0] 0[1] 2[] "},
		{"soft beside a cycle", []need{{0, 1, hard}, {1, 0, soft}, {0, 2, soft}, {2, 3, soft}}, "1[] 3[] 2[1] 0[0 2] "},
		{"declared before soft", []need{{0, 1, medium}, {1, 0, soft}}, "1[] 0[0] 2[] 3[] "},
		{"declared in a cycle", []need{{0, 1, medium}, {1, 0, hard}, {1, 2, soft}}, "0[] 2[] 1[0 1] 3[] "},
		{"all soft", []need{{0, 1, soft}, {1, 2, soft}, {2, 0, soft}}, "0[] 1[] 2[] 3[] "},
	} {
		g, steps := build(4, test.needs...)
		if got := text(steps); got != test.want || g.diags.HasErrors() {
			t.Errorf("%s: %q, want %q (%v)", test.name, got, test.want, g.diags)
		}
	}
	g, steps := build(4, need{0, 1, hard}, need{1, 2, hard}, need{2, 0, hard}, need{3, 0, hard})
	if steps != nil || len(g.diags) != 1 {
		t.Fatalf("a hard cycle gives %v, %v", steps, g.diags)
	}
	for i, want := range []bool{true, true, true, false} {
		if name := fmt.Sprint("update of kind.n", i); strings.Contains(g.diags[0].Detail, name) != want {
			t.Errorf("%q names %s: want %v", g.diags[0].Detail, name, want)
		}
	}
}
