package plan_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/kind"
)

// saved is the plan after it was stored and read again.
func saved(t *testing.T, r plan.Request) (made, restored *plan.Plan) {
	t.Helper()
	r.FillSavedForm = true
	made, diags := plan.Make(r)
	if diags.HasErrors() {
		return nil, nil
	}
	text, err := json.Marshal(made.SavedForm)
	if err != nil {
		t.Fatal(err)
	}
	var again plan.Saved
	decode(t, text, &again)
	if restored, err = again.PlanForDisplay(r.Kinds); err != nil {
		t.Fatal(err)
	}
	if restored.Basis != made.Basis {
		t.Errorf("the basis is %s, and of what was saved %s", made.Basis, restored.Basis)
	}
	if d := made.SavedForm.Differences(&again); d != nil {
		t.Errorf("a plan differs from itself: %q", d)
	}
	return made, restored
}

// checkSaved demands of a plan that hides nothing that it can be shown from what was saved of it.
func checkSaved(t *testing.T, r plan.Request) {
	t.Helper()
	made, restored := saved(t, r)
	if made == nil {
		return
	}
	dump := func(p *plan.Plan) string {
		var b strings.Builder
		for i := range p.Changes {
			change(&b, &p.Changes[i])
		}
		for i := range p.Steps {
			step(&b, p, i)
		}
		return b.String()
	}
	hides := slices.ContainsFunc(made.Changes, func(c plan.Change) bool { return len(c.Sensitive) > 0 || c.Kind.Content != nil })
	if diff := cmp.Diff(dump(made), dump(restored)); diff != "" && !hides {
		t.Errorf("shown from what was saved (-made +saved):\n%s", diff)
	}
}

// What a plan hides is not in what is saved of it, and shows as what it is: whether it differs, and nothing else.
func TestSavedHidesWhatThePlanHides(t *testing.T) {
	w := busy(t)
	w.config.Resources[0].SensitiveAttrs = []string{"info", "type"}
	info := cty.MapVal(map[string]cty.Value{"hunter2": cty.StringVal("hunter3")})
	w.config.Resources[0].Value.Set("info", &info)
	w.config.Resources[1].SensitiveAttrs = []string{"buckets"}
	w.config.Resources[1].Deliveries[0].ApprovalDigest, w.config.Resources[1].Deliveries[0].HasOtherSensitive = "hunter4", true
	made, restored := saved(t, w.request())
	text, err := json.Marshal(made.SavedForm)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hunter", `"allPublic"`, `"acme-music"`, "acme-music ="} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%q is in what was saved: %s", secret, text)
		}
	}
	c := restored.Changes[0]
	if c.Addr.Kind != "bucket" || kind.IsNullOrEmptyCollection(c.After.GetAttr("info")) ||
		!kind.IsNullOrEmptyCollection(c.Before.GetAttr("info")) {
		t.Errorf("%s: info was %#v, will be %#v", c.Addr, c.Before.GetAttr("info"), c.After.GetAttr("info"))
	}
	if c.Before.GetAttr("type").RawEquals(c.After.GetAttr("type")) {
		t.Error("a hidden type that changes seems to stay")
	}
}

// A difference is told by address and attribute.
func TestDifferences(t *testing.T) {
	base := func(edit func(w *world)) *plan.Saved {
		w := busy(t)
		edit(w)
		made, _ := saved(t, w.request())
		return made.SavedForm
	}
	before := base(func(*world) {})
	for _, test := range []struct {
		edit func(w *world)
		want []string
	}{
		{func(w *world) { w.edit(w.bucket, "id-acme-photos", `"revision":2`, `"revision":3`) },
			[]string{"bucket.photos: live, other than when the plan was made: revision"}},
		{func(w *world) {
			info := cty.MapVal(map[string]cty.Value{"a": cty.StringVal("b")})
			w.config.Resources[0].Value.Set("info", &info)
		}, []string{"bucket.photos: to be set, other than in the saved plan: info"}},
		{func(w *world) { w.config.Resources[1].Deliveries[0].SettingsDigest = "d2" },
			[]string{"key.camera: other than in the saved plan: delivery"}},
		{func(w *world) { w.config.Resources = w.config.Resources[:1] },
			[]string{"key.camera: nothing to do any more; the saved plan has create"}},
		{func(w *world) {
			w.declare(w.bucket, "new", map[string]cty.Value{"name": cty.StringVal("acme-new")})
		}, []string{"bucket.new: create, which the saved plan does not have"}},
		{func(w *world) { w.live(w.resource(w.key, "", w.declared(w.key, "camera")), "id-camera") },
			[]string{"key.camera: replace, where the saved plan has create"}},
		{func(w *world) {
			w.entries = append(w.entries, addr.StateEntry{Addr: addr.Addr{Kind: "bucket", Label: "gone"}, Identity: "gone", ID: "x"})
		}, []string{"bucket.gone: forget, which the saved plan does not have"}},
	} {
		if diff := cmp.Diff(test.want, before.Differences(base(test.edit))); diff != "" {
			t.Error(diff)
		}
	}
}

// Whatever stands in a plan that was saved, it is shown or refused.
func FuzzSavedPlan(f *testing.F) {
	w := busy(&testing.T{})
	r := w.request()
	r.FillSavedForm = true
	made, _ := plan.Make(r)
	text, err := json.Marshal(made.SavedForm)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(`{"changes":[{"address":"bucket.x","action":"update","before":{"name":5},"after":null}],"steps":[{"change":9,"op":"create"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var s plan.Saved
		if json.Unmarshal([]byte(text), &s) != nil {
			return
		}
		p, err := s.PlanForDisplay(r.Kinds)
		if err != nil {
			return
		}
		p.Counts()
		p.RequiredCapabilities()
		s.Differences(made.SavedForm)
	})
}
