package laws_test

import (
	"strings"
	"testing"

	"b2form/internal/emulator"
)

const beforeMeddling = `
bucket "photos" {
  name = "acme-photos"
}
bucket "vault" {
  name = "acme-vault"
  info = { team = "web" }
}
key "camera" {
  name         = "camera"
  capabilities = ["readFiles"]
  deliver "file" { path = "camera.env" }
}
`

var duringMeddling = replace(beforeMeddling,
	`"acme-photos"`, "\"acme-photos\"\n  lifecycle_rules = keep_only_last_version()",
) + `
bucket "logs" {
  name = "acme-logs"
}
key "sync" {
  name         = "sync"
  capabilities = ["readFiles"]
  buckets      = ["foreign-files"]
  deliver "file" { path = "sync.env" }
}
`

// A meddling is what somebody else does between the plan and the apply.
type meddling struct {
	name    string
	touches bool // something that the plan is about
	do      func(w *world)
}

func meddlings() []meddling {
	update := func(bucket, members string) func(*world) {
		return func(w *world) { w.by("b2_update_bucket", `{"bucketId":%q,`+members+`}`, w.bucketID(bucket)) }
	}
	return []meddling{
		{"nothing", false, func(*world) {}},
		{"another bucket", false, func(w *world) { w.by("b2_create_bucket", `{"bucketName":"passing-by","bucketType":"allPublic"}`) }},
		{"another key", false, func(w *world) { w.by("b2_create_key", `{"keyName":"passing-by","capabilities":["readFiles"]}`) }},
		{"a setting of a bucket that a new key names", false, update("foreign-files", `"bucketInfo":{"owner":"us"}`)},
		{"another setting of a bucket to be updated", true, update("acme-photos", `"bucketInfo":{"by":"hand"}`)},
		{"the planned setting of a bucket to be updated", true,
			update("acme-photos", `"lifecycleRules":[{"fileNamePrefix":"","daysFromHidingToDeleting":1}]`)},
		{"drift of a bucket that was as declared", true, update("acme-vault", `"bucketInfo":{}`)},
		{"a bucket to be created", true, func(w *world) {
			w.by("b2_create_bucket", `{"bucketName":"Acme-Logs","bucketType":"allPrivate"}`)
		}},
		{"a key to be created", true, func(w *world) { w.by("b2_create_key", `{"keyName":"sync","capabilities":["readFiles"]}`) }},
		{"a key that was as declared vanished", true, func(w *world) { w.deleteKey("camera") }},
		{"a bucket that a new key names was made anew", true, func(w *world) {
			w.by("b2_delete_bucket", `{"bucketId":%q}`, w.bucketID("foreign-files"))
			w.by("b2_create_bucket", `{"bucketName":"foreign-files","bucketType":"allPrivate"}`)
		}},
	}
}

func (w *world) deleteKey(name string) {
	w.Helper()
	for _, k := range w.live("b2_list_keys", "keys") {
		if k["keyName"] == name {
			w.by("b2_delete_key", `{"applicationKeyId":%q}`, k["applicationKeyId"])
		}
	}
}

// A plan is stale exactly if something that it is about is no longer as it was:
// a busy account makes no plan stale.
func TestBasisChangesWithWhatIsPlanned(t *testing.T) {
	for _, m := range meddlings() {
		t.Run(m.name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			defer w.close()
			w.strangers()
			w.configure(beforeMeddling)
			w.done(mode{})
			w.configure(duringMeddling)
			approved, err := w.plan(mode{save: true})
			w.must(err)
			m.do(w)
			stale := true
			if fresh, err := w.plan(mode{save: true}); err == nil {
				stale = fresh.plan.Basis != approved.plan.Basis
				if told := approved.plan.SavedForm.Differences(fresh.plan.SavedForm); (len(told) > 0) != stale {
					t.Errorf("the plan is stale: %v; it is said why: %q", stale, told)
				}
			}
			if stale != m.touches {
				t.Errorf("the plan counts as stale: %v, want %v", stale, m.touches)
			}
		})
	}
}

// Even where nobody compared: what was changed after the plan is not overwritten,
// and the rest is carried out.
func TestNobodysChangeIsLost(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	changedMeanwhile(w)
}

// changedMeanwhile applies a plan on a bucket that somebody changed after it.
func changedMeanwhile(w *world) {
	w.Helper()
	w.strangers()
	w.configure(beforeMeddling)
	w.done(mode{})
	w.configure(duringMeddling)
	store, err := w.lock()
	w.must(err)
	a, err := w.planFrom(store.State(), mode{})
	w.must(err)
	w.by("b2_update_bucket", `{"bucketId":%q,"bucketInfo":{"by":"hand"},"lifecycleRules":[{"fileNamePrefix":"raw/",`+
		`"daysFromHidingToDeleting":9}]}`, w.bucketID("acme-photos"))
	before := w.bucket("acme-photos")
	_, err = w.carryOut(store, a)
	w.must(store.Close())
	if err == nil || !strings.Contains(err.Error(), "changed by somebody else") {
		w.Errorf("the run ended with %v", err)
	}
	if got := w.bucket("acme-photos"); got != before {
		w.Errorf("somebody's change was overwritten:\n%s\nis now\n%s", before, got)
	}
	w.bucketID("acme-logs")
	w.done(mode{})
	w.settled(mode{})
}

// bucket is one bucket as JSON.
func (w *world) bucket(name string) string {
	w.Helper()
	for _, b := range w.live("b2_list_buckets", "buckets") {
		if b["bucketName"] == name {
			return indented(w, b)
		}
	}
	return ""
}
