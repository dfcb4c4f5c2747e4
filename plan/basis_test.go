package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// busy is a world with a bucket to change, a key to make that is limited to
// another bucket, and a bucket that nobody cares for.
func busy(t *testing.T) *world {
	w := newWorld(t)
	photos := w.declare(w.bucket, "photos", map[string]cty.Value{"name": cty.StringVal("acme-photos"), "type": cty.StringVal("allPublic")})
	w.live(w.resource(w.bucket, "", w.declared(w.bucket, "acme-photos")), "id-acme-photos")
	w.own(photos, "id-acme-photos")
	w.live(w.resource(w.bucket, "", w.declared(w.bucket, "acme-music")), "id-acme-music")
	w.live(w.resource(w.bucket, "", w.declared(w.bucket, "acme-books")), "id-acme-books")
	camera := w.declare(w.key, "camera", map[string]cty.Value{
		"name": cty.StringVal("camera"), "access": cty.StringVal("read_only"),
		"buckets": cty.ListVal([]cty.Value{cty.StringVal("acme-music")}),
	})
	camera.Deliveries = []config.Delivery{{Type: "file", DisplayName: "camera.env", SettingsDigest: "d1"},
		{Type: "command", DisplayName: "command cat", Command: []string{"cat"}, SettingsDigest: "d3"}}
	return w
}

// edit replaces text in the JSON of the live object with the given ID.
func (w *world) edit(k *kind.Kind, id, from, to string) {
	for i, raw := range w.raw[k.Name] {
		if strings.Contains(string(raw), id) {
			w.raw[k.Name][i] = wire.RawJSON(strings.ReplaceAll(string(raw), from, to))
		}
	}
}

func TestBasisHoldsWhatThePlanTouches(t *testing.T) {
	before := busy(t).plan().Basis
	if len(before) != 64 {
		t.Fatalf("%q is not a SHA-256 in hexadecimal", before)
	}
	tests := []struct {
		name   string
		differ bool
		edit   func(w *world)
	}{
		{"nothing", false, func(*world) {}},
		{"revision of a changed bucket", true, func(w *world) { w.edit(w.bucket, "id-acme-photos", `"revision":2`, `"revision":3`) }},
		{"revision of a bucket that is only named", false,
			func(w *world) { w.edit(w.bucket, "id-acme-music", `"revision":2`, `"revision":3`) }},
		{"ID behind a name", true, func(w *world) { w.edit(w.bucket, "id-acme-music", "id-acme-music", "id-another") }},
		{"unrelated bucket", false, func(w *world) { w.edit(w.bucket, "id-acme-books", "allPrivate", "allPublic") }},
		{"unrelated key", false, func(w *world) {
			w.live(w.resource(w.key, "", w.declared(w.key, "stranger")), "id-stranger")
		}},
		{"key of the same name", true, func(w *world) {
			w.live(w.resource(w.key, "", w.declared(w.key, "camera")), "id-camera")
		}},
		{"delivery", true, func(w *world) { w.config.Resources[1].Deliveries[0].SettingsDigest = "d2" }},
		{"what a delivery may come to", true, func(w *world) { w.config.Resources[1].Deliveries[0].ApprovalDigest = "a1" }},
		{"a program's time", true, func(w *world) { w.config.Resources[1].Deliveries[1].ProgramTimeout = time.Hour }},
		{"a program's output", true, func(w *world) { w.config.Resources[1].Deliveries[1].ShowProgramOutput = true }},
		{"protection of what is made", true, func(w *world) { w.config.Resources[1].PreventDestroy = true }},
		{"an exception of what stays", true, func(w *world) {
			w.config.Resources[0].Exceptions = []config.Exception{{Policy: "no_public_bucket", Reason: "a website"}}
		}},
		{"a state without the entry", true, func(w *world) { w.entries = nil }},
		{"an entry of another ID", true, func(w *world) { w.entries[0].ID = "id-of-another" }},
		{"an entry of what is protected", true, func(w *world) { w.entries[0].PreventDestroy = true }},
		{"an entry of what is destroyed by force", true, func(w *world) { w.entries[0].ForceDestroy = true }},
		{"an entry with a retiring predecessor", true,
			func(w *world) { w.entries[0].Retiring = []addr.RetiringObject{{ID: "id-acme-books"}} }},
		{"an announced create of what is live", true, func(w *world) {
			w.live(w.resource(w.key, "", w.declared(w.key, "camera")), "id-camera")
			w.open = append(w.open, plan.AnnouncedCreate{Addr: w.config.Resources[1].Addr, Identity: "camera", AnnouncedAt: noon})
		}},
		{"when an entry was made", false, func(w *world) { w.entries[0].Adopted = noon }},
		{"account", true, func(w *world) { w.account.ID = "aaaaaaaaaaaa" }},
		{"credentials of the same account", false, func(w *world) { w.account.KeyID = "004d2e6b27577ea0000000001" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := busy(t)
			tt.edit(w)
			if after := w.plan().Basis; (after != before) != tt.differ {
				t.Errorf("basis differs: %v, want %v", after != before, tt.differ)
			}
		})
	}
}

func TestPlanSumsUp(t *testing.T) {
	p := busy(t).plan()
	if diff := cmp.Diff(plan.Counts{Add: 1, Change: 1}, p.Counts()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]kind.HazardKind{kind.ExposesFiles}, p.HazardKinds()); diff != "" {
		t.Error(diff)
	}
	if p.HasNoResourceChanges() {
		t.Error("a plan with changes is empty")
	}
}

// After an update B2's own values stay where nothing is declared or changes are
// ignored, so that a reply can be compared with what was planned.
func TestAfterKeepsLiveValues(t *testing.T) {
	w := busy(t)
	w.config.Resources[0].IgnoreChanges = []string{"info"}
	w.edit(w.bucket, "id-acme-photos", `"bucketType"`,
		`"bucketInfo":{"set":"elsewhere"},"defaultServerSideEncryption":{"isClientAuthorizedToRead":true,"value":{"mode":"SSE-B2",`+
			`"algorithm":"AES256"}},"bucketType"`)
	c := w.plan().Changes[0]
	for _, name := range []string{"info", "default_server_side_encryption", "file_lock_enabled"} {
		if live, after := c.Before.GetAttr(name), c.After.GetAttr(name); live.IsNull() || !after.RawEquals(live) {
			t.Errorf("%s will be %#v, is %#v", name, after, live)
		}
	}
	if fields, hidden := plan.Diff(w.bucket, c.After, c.Before, nil, nil); len(hidden) > 0 || !cmp.Equal(fields, []string{"type"}) {
		t.Errorf("the planned object differs from the live one in %v, hidden %v", fields, hidden)
	}
}

func TestDeliveryDigestDoesNotDependOnOrder(t *testing.T) {
	a, b := config.Delivery{SettingsDigest: "a"}, config.Delivery{SettingsDigest: "b"}
	one := plan.DeliveryDigest(&config.Resource{Deliveries: []config.Delivery{a, b}}, nil)
	two := plan.DeliveryDigest(&config.Resource{Deliveries: []config.Delivery{b, a, b}}, nil)
	if one != two || one == plan.DeliveryDigest(&config.Resource{Deliveries: []config.Delivery{a}}, nil) {
		t.Errorf("digests %q and %q", one, two)
	}
	if none := plan.DeliveryDigest(&config.Resource{}, nil); none != "" {
		t.Errorf("without deliveries the digest is %q", none)
	}
}
