package laws_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"b2form/internal/emulator"
	"b2form/internal/state"
	"b2form/plan"
	"b2form/schema"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
)

// A scenario is something that users rely on because B2 behaves as it does.
type scenario struct {
	name    string
	guards  []int // behaviours of B2 without which it fails: see behaviours
	options emulator.Options
	run     func(w *world)
	crowded bool // takes its time
}

func scenarios() []scenario {
	plain := emulator.Options{Switches: emulator.Switches{UnencryptedByDefault: true}}
	fixture := func(name string) func(*world) {
		return func(w *world) {
			a, err := txtar.ParseFile("testdata/wire/" + name + ".txtar")
			w.must(err)
			w.follow(a)
		}
	}
	return []scenario{
		{name: "an update names the revision that a create left", guards: []int{1}, options: plain, run: fixture("bucket.type")},
		{name: "a program that sends null for what it leaves alone makes no drift", guards: []int{2}, run: touched},
		{name: "removed info is gone in B2", guards: []int{3}, options: plain, run: fixture("bucket.info")},
		{name: "removed lifecycle rules are gone in B2", guards: []int{3}, options: plain, run: fixture("bucket.lifecycle_rules")},
		{name: "removed CORS rules are gone in B2", guards: []int{3}, options: plain, run: fixture("bucket.cors_rules")},
		{name: "a change made after the plan is not overwritten", guards: []int{4}, run: changedMeanwhile},
		{name: "declaring the encryption that B2 gives anyway changes nothing", guards: []int{5}, run: encryptedAnyway},
		{name: "settings that the credentials may not read are named", guards: []int{7}, run: hiddenSettings},
		{name: "Object Lock is as irreversible as the plan says", guards: []int{8}, run: irreversible},
		{name: "a bucket that holds anything is not destroyed without force_destroy", guards: []int{9}, run: notEmptied},
		{name: "deleting what is gone already succeeds", run: goneAlready},
		{name: "a bucket name may have 63 characters", guards: []int{12}, run: longestName},
		{name: "validate refuses a lifecycle rule without days, as B2 does", guards: []int{13}, run: ruleWithoutDays},
		{name: "keep_only_last_version() leaves the last version alone", guards: []int{14}, run: onlyLastVersion},
		{name: "older programs learn from a key which bucket is theirs", guards: []int{16, 19}, run: olderPrograms},
		{name: "older programs cannot use a key for several buckets, as the plan says", guards: []int{17}, run: severalForOlder},
		{name: "a key is made through version 3 of the API and found again", guards: []int{18}, run: madeAndFound},
		{name: "a key that expired is made anew", run: expiredKey},
		{name: "a full page of keys is asked for once", guards: []int{21}, run: fullPages, crowded: true},
		{name: "a key with writeKeys makes keys that may do more than itself", guards: []int{22}, run: mintsStronger},
		{name: "a run outlasts its token", guards: []int{23}, run: outlastsToken},
		{name: "the bucket of a shared state is made where there is none", guards: []int{11}, run: stateBucketMade},
		{name: "a shared state is locked by the service's clock", guards: []int{24}, run: stateLocked},
		{name: "a setting that the credentials may not write is refused", guards: []int{25}, run: unwritableSetting},
	}
}

// The scenarios hold where B2 is as it is.
func TestScenarios(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, s.options)
			defer w.close()
			s.run(w)
		})
	}
}

const oneBucket = `
bucket "photos" {
  name = "acme-photos"
}
`

func encryptedAnyway(w *world) {
	w.configure(oneBucket)
	w.done(mode{})
	w.configure(replace(oneBucket, "}", "default_server_side_encryption = { mode = \"SSE-B2\" }\n}"))
	w.settled(mode{})
}

const everySetting = `
bucket "photos" {
  name              = "acme-photos"
  info              = { team = "web" }
  lifecycle_rules   = keep_only_last_version()
  file_lock_enabled = true
  default_retention = {
    mode     = "governance"
    duration = 30
  }
  cors_rules = [{
    name               = "downloads"
    allowed_origins    = ["https"]
    allowed_operations = ["s3_get"]
    max_age_seconds    = 3600
  }]
}
`

func touched(w *world) {
	w.configure(everySetting)
	w.done(mode{})
	w.by("b2_update_bucket", `{"bucketId":%q,"bucketType":null,"bucketInfo":null,"corsRules":null,"lifecycleRules":null,
		"defaultServerSideEncryption":null,"fileLockEnabled":null,"defaultRetention":null}`, w.bucketID("acme-photos"))
	w.settled(mode{})
}

// as makes a key by hand and works with it from now on.
func (w *world) as(buckets []any, capabilities ...string) {
	w.Helper()
	made := w.by("b2_create_key", `{"keyName":"worker","capabilities":%s,"bucketIds":%s}`,
		indented(w, capabilities), indented(w, buckets))
	w.keyID, _ = made["applicationKeyId"].(string)
	w.key, _ = made["applicationKey"].(string)
}

// warned is the plan's warnings, one a line.
func (w *world) warned() string {
	w.Helper()
	a, err := w.plan(mode{})
	w.must(err)
	var b strings.Builder
	for _, d := range a.plan.Warnings {
		b.WriteString(d.Summary + ": " + d.Detail + "\n")
	}
	return b.String()
}

const guardedSettings = `
bucket "vault" {
  name                           = "acme-vault"
  default_server_side_encryption = { mode = "SSE-B2" }
  file_lock_enabled              = true
  default_retention = {
    mode     = "governance"
    duration = 30
  }
}
`

func hiddenSettings(w *world) {
	w.configure(guardedSettings)
	w.done(mode{})
	w.as(nil, "listBuckets", "listKeys")
	for _, setting := range []string{"default_server_side_encryption", "file_lock_enabled", "default_retention"} {
		if said := w.warned(); !strings.Contains(said, "may not read "+setting+" of bucket.vault") {
			w.Errorf("the plan does not warn of %s: %s", setting, said)
		}
	}
	w.settled(mode{})
}

// refused applies and demands a failure that mentions a text.
func (w *world) refused(because string) {
	w.Helper()
	_, _, err := w.apply(mode{})
	if err == nil || !strings.Contains(fmt.Sprintf("%v %+v", err, err), because) {
		w.Errorf("the run ended with %v, want %q", err, because)
	}
}

func irreversible(w *world) {
	w.configure(replace(oneBucket, "}", "file_lock_enabled = true\n}"))
	a, _ := w.done(mode{})
	if !slices.Contains(a.plan.HazardKinds(), kind.Irreversible) {
		w.Errorf("the plan's hazards are %v", a.plan.HazardKinds())
	}
	undo := fmt.Sprintf(`{"bucketId":%q,"fileLockEnabled":false}`, w.bucketID("acme-photos"))
	if status, reply := w.ask("POST", "/b2api/v4/b2_update_bucket", undo, w.token()); status != 400 {
		w.Errorf("somebody turned it off: %v", reply)
	}
	w.settled(mode{})
}

func notEmptied(w *world) {
	w.configure(oneBucket)
	w.done(mode{})
	id := w.bucketID("acme-photos")
	w.upload(id, "a.txt")
	w.by("b2_hide_file", `{"bucketId":%q,"fileName":"a.txt"}`, id)
	w.configure()
	w.refused("holds 2 versions with")
	w.bucketID("acme-photos")
}

func goneAlready(w *world) {
	w.configure(oneOfEach)
	w.done(mode{})
	w.configure()
	store, err := w.lock()
	w.must(err)
	a, err := w.planFrom(store.State(), mode{})
	w.must(err)
	w.deleteKey("camera")
	w.by("b2_delete_bucket", `{"bucketId":%q}`, w.bucketID("acme-photos"))
	_, err = w.carryOut(store, a)
	w.must(err)
	w.must(store.Close())
	w.settled(mode{})
}

func longestName(w *world) {
	w.configure(replace(oneBucket, "acme-photos", strings.Repeat("a", 63)))
	w.done(mode{})
	w.settled(mode{})
}

func ruleWithoutDays(w *world) {
	w.configure(oneBucket)
	w.done(mode{})
	w.configure(replace(oneBucket, "}", "lifecycle_rules = [{ file_name_prefix = \"\" }]\n}"))
	if _, diags := schema.Load(schema.Options{Dir: w.dir, Kinds: w.kinds}); !diags.HasErrors() {
		w.Errorf("validate accepts a rule without days")
	}
	rule := fmt.Sprintf(`{"bucketId":%q,"lifecycleRules":[{"fileNamePrefix":""}]}`, w.bucketID("acme-photos"))
	if status, reply := w.ask("POST", "/b2api/v4/b2_update_bucket", rule, w.token()); status != 400 {
		w.Errorf("B2 takes a rule without days: %v", reply)
	}
}

func onlyLastVersion(w *world) {
	w.configure(replace(oneBucket, "}", "lifecycle_rules = keep_only_last_version()\n}"))
	w.done(mode{})
	id := w.bucketID("acme-photos")
	for range 3 {
		w.upload(id, "a.txt")
		w.pass(time.Minute)
	}
	last := w.upload(id, "a.txt")
	w.pass(48 * time.Hour)
	var left []any
	for _, f := range w.by("b2_list_file_versions", `{"bucketId":%q}`, id)["files"].([]any) {
		left = append(left, f.(map[string]any)["fileId"])
	}
	if len(left) != 1 || left[0] != last {
		w.Errorf("%v are left, want only the last version, %s", left, last)
	}
	w.settled(mode{})
}

func olderPrograms(w *world) {
	w.configure(oneOfEach)
	w.done(mode{})
	id, key := w.delivered("camera.env")
	_, v2 := w.authorize(2, id, key)
	allowed, _ := v2["allowed"].(map[string]any)
	_, v3 := w.authorize(3, id, key)
	info, _ := v3["apiInfo"].(map[string]any)
	storage, _ := info["storageApi"].(map[string]any)
	for version, restrictions := range map[int]map[string]any{2: allowed, 3: storage} {
		if restrictions["bucketName"] != "acme-photos" {
			w.Errorf("version %d tells a program that its bucket is %v", version, restrictions["bucketName"])
		}
	}
	_, listed := w.ask("POST", "/b2api/v3/b2_list_keys", "{}", w.token())
	keys, _ := listed["keys"].([]any)
	if len(keys) != 1 || keys[0].(map[string]any)["bucketId"] != w.bucketID("acme-photos") {
		w.Errorf("version 3 lists %v", keys)
	}
}

func severalForOlder(w *world) {
	w.strangers()
	w.configure(oneOfEach)
	w.done(mode{})
	w.configure(severalBuckets)
	if said := w.said(); !strings.Contains(said, "programs that speak version 4") {
		w.Errorf("the plan does not say so: %s", said)
	}
	w.done(mode{})
	id, key := w.delivered("both.env")
	if status, reply := w.authorize(4, id, key); status != 200 {
		w.Errorf("the key does not authorize through version 4: %v", reply)
	}
	if status, reply := w.authorize(3, id, key); status != 400 {
		w.Errorf("the key authorizes through version 3: %v", reply)
	}
}

func madeAndFound(w *world) {
	w.strangers()
	w.configure(severalBuckets)
	w.done(mode{})
	w.settled(mode{})
	w.usable()
}

func expiredKey(w *world) {
	w.configure(replace(oneOfEach, `"camera"
  capabilities`, "\"camera\"\n  valid_duration = \"1d\"\n  capabilities"))
	w.done(mode{})
	w.settled(mode{})
	w.pass(25 * time.Hour)
	a, _ := w.done(mode{})
	if got := a.outcome(); !strings.Contains(got, string(plan.Create)+" key.camera") {
		w.Errorf("the run did %q", got)
	}
	w.settled(mode{})
	w.usable()
}

func mintsStronger(w *world) {
	w.strangers()
	w.as(nil, "listBuckets", "listKeys", "writeKeys", "writeBuckets")
	w.configure(oneOfEach)
	w.done(mode{})
	w.settled(mode{})
}

func outlastsToken(w *world) {
	w.configure(oneOfEach)
	store, err := w.lock()
	w.must(err)
	a, err := w.planFrom(store.State(), mode{})
	w.must(err)
	w.pass(25 * time.Hour)
	_, err = w.carryOut(store, a)
	w.must(err)
	w.must(store.Close())
	w.settled(mode{})
}

func (w *world) shared() state.BucketBackend {
	w.Helper()
	client := w.connect()
	_, err := client.Authorize(context.Background())
	w.must(err)
	return state.BucketBackend{Remote: client, BucketName: "acme-state", Prefix: config.DefaultPrefix}
}

func stateBucketMade(w *world) {
	for _, already := range []bool{false, true} {
		existed, err := w.shared().CreateBucket(context.Background(), 30)
		w.must(err)
		if existed != already {
			w.Errorf("the bucket was there already: %v, want %v", existed, already)
		}
	}
	w.bucketID("acme-state")
}

func stateLocked(w *world) {
	w.by("b2_create_bucket", `{"bucketName":"acme-state","bucketType":"allPrivate"}`)
	shared := w.shared()
	store, err := shared.Open(context.Background(), state.Options{Now: w.Now, Operation: "apply", LockOwner: "laws"})
	w.must(err)
	e := addr.StateEntry{Addr: addr.Addr{Kind: "bucket", Label: "photos"}, Identity: "acme-photos", ID: "1"}
	w.must(store.PutEntriesCloseIntents(e))
	if held, err := shared.LockHolder(context.Background()); err != nil || held == nil {
		w.Errorf("the lock is held by %v, %v", held, err)
	}
	w.must(store.Close())
	st, err := shared.Read(context.Background())
	w.must(err)
	if len(st.Entries) != 1 || st.Entries[0].ID != e.ID {
		w.Errorf("the state holds %+v", st.Entries)
	}
}

func unwritableSetting(w *world) {
	w.configure(oneBucket)
	w.done(mode{})
	w.as(nil, "listBuckets", "readBucketRetentions", "writeBuckets")
	w.configure(replace(oneBucket, "}", "file_lock_enabled = true\n}"))
	before := w.bucket("acme-photos")
	w.refused("writeBucketRetentions")
	if after := w.bucket("acme-photos"); after != before {
		w.Errorf("the bucket was changed:\n%s\nis now\n%s", before, after)
	}
}
