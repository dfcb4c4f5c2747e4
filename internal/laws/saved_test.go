package laws_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"b2form/internal/emulator"
	"b2form/internal/planfile"
	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema"
)

// A plan that is saved and carried out later does what an apply does, though blocks were moved and commented and
// something else happened in the account meanwhile; and it shows as it did when it was made.
func TestSavedPlanEqualsApply(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, wanted := drawConfig(t, schema.Kinds()), drawConfig(t, schema.Kinds())
		var accounts []string
		for _, saves := range []bool{false, true} {
			w := newWorld(t, emulator.Options{})
			defer w.close()
			w.strangers()
			w.configure(before...)
			if _, _, err := w.apply(mode{}); err != nil {
				t.Skip("what is there before was refused")
			}
			w.configure(wanted...)
			if !saves {
				w.by("b2_create_bucket", `{"bucketName":"passing-by","bucketType":"allPublic"}`)
				if _, _, err := w.apply(mode{}); err != nil {
					t.Skip("the planner refuses the configuration")
				}
			} else {
				f := w.save()
				w.by("b2_create_bucket", `{"bucketName":"passing-by","bucketType":"allPublic"}`)
				w.configure("# commented\n"+strings.Join(rapid.Permutation(wanted).Draw(t, "blocks"), "\n"), "\n\n# empty\n")
				w.applySaved(f)
			}
			w.settled(mode{})
			accounts = append(accounts, w.account())
		}
		if diff := cmp.Diff(accounts[0], accounts[1]); diff != "" {
			t.Errorf("a saved plan does something else (-apply +saved):\n%s", diff)
		}
	})
}

// save is what `b2form plan -out` does, and the file read again.
func (w *world) save() *planfile.File {
	w.Helper()
	a, err := w.plan(mode{save: true})
	w.must(err)
	path := w.path("saved.plan")
	w.must(planfile.Write(path, &planfile.File{ProgramVersion: "laws", CommandToApply: "apply", Plan: a.plan,
		ConfigDigest: schema.MeaningDigest(a.config.Files), NonsensitiveVariables: a.config.NonsensitiveVariables}))
	f, err := planfile.Read(path, w.kinds)
	w.must(err)
	shown := func(p *plan.Plan) string {
		var b strings.Builder
		view.TextUI{Out: &b, Verbose: true}.Plan(p, view.Planning)
		view.TextUI{Out: &b}.Plan(p, view.Planning)
		return b.String()
	}
	if diff := cmp.Diff(shown(a.plan), shown(f.Plan)); diff != "" {
		w.Errorf("a saved plan is shown otherwise (-made +saved):\n%s", diff)
	}
	return f
}

// applySaved is what `b2form apply FILE` does.
func (w *world) applySaved(f *planfile.File) {
	w.Helper()
	store, err := w.lock()
	w.must(err)
	a, err := w.planFrom(store.State(), mode{save: true})
	w.must(err)
	if f.ConfigDigest != schema.MeaningDigest(a.config.Files) {
		w.Errorf("the configuration counts as another one")
	}
	if f.Plan.Basis != a.plan.Basis {
		w.Errorf("the plan counts as another one: %q", f.Plan.SavedForm.Differences(a.plan.SavedForm))
	}
	if !a.idle() {
		_, err = w.carryOut(store, a)
		w.must(err)
	}
	w.must(store.Close())
}

// Whatever block is left out or said otherwise, a configuration is another one.
func TestMeaningCoversEveryBlock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, emulator.Options{})
		defer w.close()
		blocks := drawConfig(t, w.kinds)
		digest := func(blocks ...string) string {
			w.configure(blocks...)
			return schema.MeaningDigest(w.load().Files)
		}
		before := digest(blocks...)
		if digest(strings.Join(rapid.Permutation(blocks).Draw(t, "blocks"), "\n# and\n")) != before {
			t.Error("the order of blocks counts")
		}
		i := rapid.IntRange(1, max(1, len(blocks)-1)).Draw(t, "block") % len(blocks)
		if other := strings.Replace(blocks[i], "{\n", "{\n  depends_on = []\n", 1); digest(append(append([]string{}, blocks[:i]...),
			append([]string{other}, blocks[i+1:]...)...)...) == before {
			t.Errorf("one more argument does not count:\n%s", other)
		}
	})
}
