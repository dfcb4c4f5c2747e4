package plan_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"b2form/plan"
	"b2form/schema/addr"
)

// drawReferences makes buckets, live or not, recorded or not, and keys that are limited to them.
func drawReferences(t *rapid.T) (w *world, all []addr.Addr) {
	w = newWorld(t)
	n := rapid.IntRange(1, 4).Draw(t, "buckets")
	for i := range n {
		name := fmt.Sprintf("acme-%d", i)
		b := w.declare(w.bucket, fmt.Sprintf("b%d", i), map[string]cty.Value{"name": cty.StringVal(name)})
		all = append(all, b.Addr)
		if rapid.Bool().Draw(t, "live") {
			w.live(w.resource(w.bucket, "", w.declared(w.bucket, name)), "id-"+name)
			w.own(b, "id-"+name)
		}
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "keys") {
		of := rapid.IntRange(0, n-1).Draw(t, "of")
		k := w.declare(w.key, fmt.Sprintf("k%d", i), map[string]cty.Value{
			"name": cty.StringVal(fmt.Sprintf("key-%d", i)), "access": cty.StringVal("read_only"),
			"buckets": cty.ListVal([]cty.Value{cty.StringVal(fmt.Sprintf("acme-%d", of))}),
		})
		k.Needs = []addr.Addr{all[of]}
		all = append(all, k.Addr)
	}
	return w, all
}

// A plan of a part is a part of the whole plan, and nothing in it refers to what neither lives
// nor is made.
func TestTargetsLeaveNothingDangling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, all := drawReferences(t)
		r := w.request()
		whole, diags := plan.Make(r)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		r.Target = rapid.SliceOf(rapid.SampledFrom(all)).Draw(t, "target")
		r.Exclude = rapid.SliceOf(rapid.SampledFrom(all)).Draw(t, "exclude")
		part, diags := plan.Make(r)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		planned := map[addr.Addr]plan.Action{}
		for _, c := range part.Changes {
			planned[c.Addr] = c.Action
			if slices.Contains(r.Exclude, c.Addr) {
				t.Fatalf("%s is excluded, and planned", c.Addr)
			}
		}
		for _, c := range whole.Changes {
			action, kept := planned[c.Addr]
			if left := slices.Contains(part.LeftOut, c.Addr); kept == left || kept && action != c.Action {
				t.Fatalf("%s: %q of the whole, %q of the part, left out: %v", c.Addr, c.Action, action, left)
			}
		}
		for _, made := range w.config.Resources {
			if planned[made.Addr] == "" {
				continue
			}
			for _, on := range made.Needs {
				isLive := slices.ContainsFunc(w.entries, func(e addr.StateEntry) bool { return e.Addr == on })
				if !isLive && planned[on] != plan.Create {
					t.Fatalf("%s is made, and %s is not", made.Addr, on)
				}
			}
		}
	})
}
