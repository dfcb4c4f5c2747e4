package laws_test

import (
	"context"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"b2form/internal/account"
	"b2form/internal/adopt"
	"b2form/internal/emulator"
	"b2form/plan"
	"b2form/schema/config"
)

// What others change is drift, and nothing else is. What the edits of the files accept is declared
// after them, and no plan changes it.
func TestDrift(t *testing.T) {
	changed, accepted := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, emulator.Options{})
		defer w.close()
		w.configure(drawConfig(t, w.kinds)...)
		if _, _, err := w.apply(mode{}); err != nil {
			return // refused, as others are
		}
		if found := w.drift(); len(found) > 0 {
			w.Fatalf("there is drift after an apply: %s %v", found[0].Addr, found[0].Fields)
		}
		want := w.changeByHand(t)
		found := w.drift()
		got := map[string]plan.DriftStatus{}
		for _, c := range found {
			got[c.Addr.String()] = c.LiveDrift
		}
		if d := cmp.Diff(want, got); d != "" {
			w.Fatalf("what was changed (-), what is found (+)\n%s", d)
		}
		changed += len(want)
		edits := adopt.AcceptDrift(w.load(), found, os.ReadFile)
		for _, f := range edits.EditedFiles {
			w.must(os.WriteFile(f.Name, f.After, 0o600))
		}
		for _, list := range [][]plan.Change{w.drift(), w.planChanges()} {
			for _, c := range list {
				for _, name := range edits.AcceptedAttrs[c.Addr] {
					if slices.Contains(c.Fields, name) {
						w.Errorf("%s of %s differs after it was accepted:\n%s", name, c.Addr, w.sources())
					}
				}
			}
		}
		for _, names := range edits.AcceptedAttrs {
			accepted += len(names)
		}
	})
	if changed == 0 || accepted == 0 {
		t.Errorf("%d changes were made and %d accepted", changed, accepted)
	}
}

// drift is what b2form drift finds.
func (w *world) drift() []plan.Change {
	w.Helper()
	st := w.stored()
	c, declared := w.connect(), w.load()
	owner, err := c.Authorize(context.Background())
	w.must(err)
	snapshot, err := account.ReadSnapshot(context.Background(), c, owner, w.kinds, account.QueryFor(declared, st.Entries, w.kinds),
		account.RecentEntries{})
	w.must(err)
	snapshot.DropExpired(w.serviceTime(c))
	found, diags := plan.FindDrift(plan.Request{Config: declared, Kinds: w.kinds, Snapshot: snapshot, Entries: st.Entries,
		Now: w.serviceTime(c), LocalClockTime: w.here(), Applied: plan.LastApply{Salt: stateSalt}})
	if diags.HasErrors() {
		w.Fatalf("drift: %v", diags)
	}
	return found.Changes
}

func (w *world) planChanges() []plan.Change {
	w.Helper()
	a, err := w.plan(mode{})
	w.must(err)
	return a.plan.Changes
}

// changeByHand has somebody change some of what is declared, and says what.
func (w *world) changeByHand(t *rapid.T) map[string]plan.DriftStatus {
	w.Helper()
	want := map[string]plan.DriftStatus{}
	st := w.stored()
	ids := map[string]string{}
	for _, e := range st.Entries {
		ids[e.Addr.String()] = e.ID
	}
	for _, r := range w.load().Resources {
		address, id := r.Addr.String(), ids[r.Addr.String()]
		if id == "" || !rapid.Bool().Draw(t, "changed "+address) {
			continue
		}
		switch r.Kind.Name {
		case "key":
			w.by("b2_delete_key", `{"applicationKeyId":%q}`, id)
			want[address] = plan.Gone
		case "bucket":
			for _, body := range bucketChanges(t, r) {
				w.by("b2_update_bucket", `{"bucketId":%q,`+body+`}`, id)
				want[address] = plan.Changed
			}
		}
	}
	return want
}

// bucketChanges are some members of requests that make a bucket other than it is declared.
func bucketChanges(t *rapid.T, r *config.Resource) []string {
	kind := map[string]string{"allPrivate": "allPublic", "allPublic": "allPrivate"}[r.Value.GetAttr("type").AsString()]
	all := map[string]string{
		"type": `"bucketType":"` + kind + `"`,
		"info": `"bucketInfo":{"by":"hand","odd":"\" ${x} %%{y} ü"}`,
		"lifecycle_rules": `"lifecycleRules":[{"fileNamePrefix":"by-hand/","daysFromUploadingToHiding":77,"daysFromHidingToDeleting":88},` +
			`{"fileNamePrefix":"odd ${x}\"/","daysFromUploadingToHiding":null,"daysFromHidingToDeleting":3}]`,
		"cors_rules": `"corsRules":[{"corsRuleName":"byHand","allowedOrigins":["https://example.com"],` +
			`"allowedOperations":["b2_download_file_by_name"],` +
			`"allowedHeaders":["range"],"exposeHeaders":null,"maxAgeSeconds":1234}]`,
	}
	names := rapid.SliceOfNDistinct(rapid.SampledFrom(slices.Sorted(maps.Keys(all))), 1, len(all), rapid.ID[string]).Draw(t, "settings")
	var out []string
	for _, name := range names {
		out = append(out, all[name])
	}
	return out
}
