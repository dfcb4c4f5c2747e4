package laws_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"b2form/apply"
	"b2form/internal/emulator"
	"b2form/plan"
)

// Whatever configuration is applied on whatever another one left, planning again
// finds nothing to do, applying again writes nothing, requests hold only what
// changed, and at the end everything that was there before us is as it was.
func TestConvergence(t *testing.T) {
	steps, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, emulator.Options{})
		defer w.close()
		w.parallelism = rapid.SampledFrom([]int{1, 4}).Draw(t, "parallelism")
		w.strangers()
		before := w.dump()
		lost := false
		for range rapid.IntRange(1, 3).Draw(t, "configurations") {
			w.configure(drawConfig(t, w.kinds)...)
			steps++
			if !w.step() {
				refused++
			}
			if !lost && rapid.IntRange(0, 4).Draw(t, "the state is lost") == 0 {
				lost = true
				w.must(os.RemoveAll(w.statePath()))
			}
		}
		if lost {
			return // nobody knows any more what was ours
		}
		w.teardown(rapid.Bool().Draw(t, "by destroy"))
		if diff := cmp.Diff(before, w.dump()); diff != "" {
			t.Fatalf("teardown did not leave what was there before (-before +after):\n%s", diff)
		}
	})
	t.Logf("%d configurations, %d refused by the planner", steps, refused)
	if refused*2 > steps {
		t.Errorf("%d of %d configurations were refused: the generator draws too little that can be applied", refused, steps)
	}
}

// strangers are objects that are nobody's business.
func (w *world) strangers() {
	made := w.by("b2_create_bucket", `{"bucketName":"foreign-files","bucketType":"allPrivate","bucketInfo":{"owner":"them"}}`)
	w.by("b2_create_key", `{"keyName":"foreign-key","capabilities":["readFiles"],"bucketIds":[%q]}`, made["bucketId"])
	w.by("b2_create_key", `{"keyName":"foreign-key","capabilities":["listKeys"]}`)
}

// step applies the configuration and holds the run to the laws. It reports false
// where the planner refuses, which must leave the account alone.
func (w *world) step() bool {
	w.Helper()
	start, before := w.traffic.count(), w.dump()
	a, result, err := w.apply(mode{})
	if a == nil && err != nil {
		if diff := cmp.Diff(before, w.dump()); diff != "" {
			w.Fatalf("a refused plan changed the account: %v\n%s", err, diff)
		}
		return false
	}
	if err != nil {
		w.Fatalf("apply: %v", err)
	}
	w.checkBodies(a, result, w.traffic.writesSince(start))
	w.settled(mode{})
	quiet := w.traffic.count()
	w.done(mode{})
	for _, r := range w.traffic.writesSince(quiet) {
		w.Errorf("a second apply sent %s", r)
	}
	return true
}

func (w *world) teardown(byDestroy bool) {
	w.Helper()
	if !byDestroy {
		w.configure(keeper)
		w.done(mode{})
		w.settled(mode{})
	}
	w.done(mode{destroy: true})
	w.settled(mode{destroy: true})
}

// checkBodies demands that updates hold what changed and nothing else, in one
// request or, where something comes between, in two.
func (w *world) checkBodies(a *attempt, result *apply.Result, writes []request) {
	w.Helper()
	want, sent := map[any][][]string{}, map[any][][]string{} // of buckets, by ID
	for i := range a.plan.Changes {
		c := &a.plan.Changes[i]
		if c.Kind.Name != "bucket" || c.Action != plan.Update && c.Action != plan.Create {
			continue
		}
		id := resultOf(result, c).RemoteID
		for _, s := range a.plan.Steps {
			if s.Change != i || s.Op != plan.OpUpdate {
				continue
			}
			if members := wires(c, s.Fields); len(members) > 0 {
				want[id] = append(want[id], members)
			}
		}
	}
	for _, r := range writes {
		if r.method != "b2_update_bucket" {
			continue
		}
		m := r.members(w)
		members := slices.DeleteFunc(slices.Sorted(maps.Keys(m)), func(name string) bool {
			return name == "accountId" || name == "bucketId" || name == "ifRevisionIs"
		})
		sent[m["bucketId"]] = append(sent[m["bucketId"]], members)
		if m["ifRevisionIs"] == nil {
			w.Errorf("%s\ndoes not name the revision", r)
		}
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		w.Errorf("updates hold other than what changed (-changed +sent):\n%s", diff)
	}
}

// wires are the request members of attributes, sorted.
func wires(c *plan.Change, attrs []string) []string {
	var out []string
	for _, name := range attrs {
		member, _, _ := strings.Cut(c.Kind.FindAttr(name).WirePath, ".")
		out = append(out, member)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func resultOf(r *apply.Result, c *plan.Change) apply.ChangeResult {
	i := slices.IndexFunc(r.BegunChanges, func(done apply.ChangeResult) bool { return done.Change.Addr == c.Addr })
	return r.BegunChanges[i]
}
