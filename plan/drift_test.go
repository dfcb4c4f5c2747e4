package plan_test

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/wire"
)

// settled is a world with a bucket and a key that are as declared, and of which the state has digests.
func settled(t *testing.T) *world {
	w := newWorld(t)
	photos := w.declare(w.bucket, "photos", map[string]cty.Value{"name": cty.StringVal("acme-photos"), "type": cty.StringVal("allPrivate")})
	w.live(photos, "id-acme-photos")
	w.own(photos, "id-acme-photos")
	app := w.declare(w.key, "app", map[string]cty.Value{"name": cty.StringVal("app"), "access": cty.StringVal("read_only")})
	w.live(app, "id-app")
	w.own(app, "id-app")
	r := w.request()
	all := plan.DigestRenewal{Salt: "salt", Config: r.Config, Snapshot: r.Snapshot, Entries: r.Entries}
	w.entries = all.RenewedEntries()
	return w
}

// drifts are what a plan says of addresses.
func (w *world) drifts(refreshOnly bool) (text string, made *plan.Plan) {
	r := w.request()
	r.Applied.Salt, r.RefreshOnly = "salt", refreshOnly
	made, diags := plan.Make(r)
	if diags.HasErrors() {
		w.t.Fatal(diags)
	}
	var lines []string
	for i := range made.Changes {
		c := &made.Changes[i]
		lines = append(lines,
			strings.TrimSpace(strings.Join([]string{c.Addr.String(), string(c.Action), string(c.LiveDrift), string(c.ConfigDrift)}, " ")))
	}
	return strings.Join(lines, "; "), made
}

func TestDrift(t *testing.T) {
	isPublic := func(w *world) { w.edit(w.bucket, "id-acme-photos", "allPrivate", "allPublic") }
	isEdited := func(w *world) {
		tags := cty.MapVal(map[string]cty.Value{"team": cty.StringVal("web")})
		w.config.Resources[0].Value.Set("info", &tags)
	}
	isGone := func(w *world) { w.raw["key"] = nil }
	for _, test := range []struct {
		name, plan, refresh string
		edit                func(w *world)
	}{
		{"nothing", "", "", func(*world) {}},
		{"outside", "bucket.photos update changed unchanged", "bucket.photos refresh changed unchanged", isPublic},
		{"edited", "bucket.photos update unchanged changed", "", isEdited},
		{"both", "bucket.photos update changed changed", "bucket.photos refresh changed changed",
			func(w *world) { isPublic(w); isEdited(w) }},
		{"the same on both sides", "", "bucket.photos refresh changed changed", func(w *world) {
			isPublic(w)
			public := cty.StringVal("allPublic")
			w.config.Resources[0].Value.Set("type", &public)
		}},
		{"without digests", "bucket.photos update", "", func(w *world) { isPublic(w); w.entries[0].DriftDigests = "" }},
		{"another attribute is left out", "bucket.photos update", "", func(w *world) {
			isPublic(w)
			w.config.Resources[0].IgnoreChanges = []string{"info"}
		}},
		{"another attribute is sensitive", "bucket.photos update", "", func(w *world) {
			isPublic(w)
			w.config.Resources[0].SensitiveAttrs = []string{"type"}
		}},
		{"what is left alone", "", "", func(w *world) {
			w.edit(w.bucket, "id-acme-photos", `"bucketType"`, `"defaultServerSideEncryption":{"isClientAuthorizedToRead":true,"value":`+
				`{"mode":"SSE-B2","algorithm":"AES256"}},"bucketType"`)
		}},
		{"revision", "", "", func(w *world) { w.edit(w.bucket, "id-acme-photos", `"revision":2`, `"revision":3`) }},
		{"gone", "key.app create gone", "key.app forget gone", isGone},
		{"gone, by a run that was cut off", "key.app create", "key.app forget gone",
			func(w *world) { isGone(w); w.entries[1].DriftDigests = "" }},
		{"made anew", "key.app no-op gone", "key.app no-op gone", func(w *world) { w.edit(w.key, "id-app", "id-app", "id-other") }},
		{"not declared", "bucket.photos delete", "", func(w *world) { isPublic(w); w.config.Resources = w.config.Resources[1:] }},
		{"gone, with a predecessor", "key.app create gone", "", func(w *world) {
			w.edit(w.key, "id-app", "id-app", "id-before")
			w.edit(w.key, "id-before", `"keyName":"app"`, `"keyName":"before"`)
			w.entries[1].Retiring = []addr.RetiringObject{{ID: "id-before", Name: "before"}}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := settled(t)
			test.edit(w)
			if got, _ := w.drifts(false); got != test.plan {
				t.Errorf("a plan says %q, want %q", got, test.plan)
			}
			if got, _ := w.drifts(true); got != test.refresh {
				t.Errorf("a refresh says %q, want %q", got, test.refresh)
			}
		})
	}
}

// What credentials do not show is not forgotten.
func TestRefreshOfWhatIsOutOfSight(t *testing.T) {
	w := settled(t)
	w.raw["bucket"] = nil
	w.account.AllowedBuckets = []wire.AllowedBucket{{ID: "id-other", Name: "acme-other"}}
	got, made := w.drifts(true)
	if got != "" || len(made.Warnings) != 1 || !strings.Contains(made.Warnings[0].Detail, "do not see whether bucket.photos still exists") {
		t.Errorf("%q, %v", got, made.Warnings)
	}
}

// The digests of what is about to be touched are dropped first: a run may be cut off.
func TestDigestsAreDroppedFirst(t *testing.T) {
	w := settled(t)
	w.edit(w.bucket, "id-acme-photos", "allPrivate", "allPublic")
	_, made := w.drifts(false)
	if len(made.Records) != 1 || made.Records[0].Addr != w.entries[0].Addr || made.Records[0].DriftDigests != "" {
		t.Errorf("%+v", made.Records)
	}
}

// A refresh says nothing of configurations, and forgets what was said of other attributes.
func TestOnlyLiveDigestsAreRenewed(t *testing.T) {
	w := settled(t)
	before := w.entries[0].DriftDigests
	w.edit(w.bucket, "id-acme-photos", "allPrivate", "allPublic")
	renew := func() addr.DriftDigests {
		r := w.request()
		all := plan.DigestRenewal{Salt: "salt", Config: r.Config, Snapshot: r.Snapshot, Entries: r.Entries, LiveDigestsOnly: true}
		return all.RenewedEntries()[0].DriftDigests
	}
	if now := renew(); now.AttrSetDigest() != before.AttrSetDigest() || now.Live() == before.Live() ||
		now.Declared() != before.Declared() {
		t.Errorf("%s becomes %s", before, now)
	}
	w.config.Resources[0].IgnoreChanges = []string{"info"}
	if now := renew(); now.AttrSetDigest() == before.AttrSetDigest() || now.Declared() != "" || !now.IsWellFormed() {
		t.Errorf("%s becomes %s", before, now)
	}
}
