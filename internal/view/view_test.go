package view_test

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/view"
	"b2form/plan"
	"b2form/schema"
	"b2form/schema/addr"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update)", err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

func kindNamed(name string) *kind.Kind {
	for _, k := range schema.Kinds() {
		if k.Name == name {
			return k
		}
	}
	panic("no kind " + name)
}

// attrs are the arguments of a block; what is left out is undeclared.
type attrs map[string]cty.Value

// wanted completes arguments as the loader does.
func wanted(k *kind.Kind, set attrs) cty.Value {
	m := map[string]cty.Value{}
	for _, a := range k.SettableAttrs() {
		m[a.Name] = cty.NullVal(a.ValueType())
	}
	for name, v := range set {
		m[name] = v
	}
	v, _ := k.NewCompleter().CompleteAndCheck(k.ValuesOf(cty.ObjectVal(m)), false)
	return v.ObjectWithoutUnset()
}

// live decodes an object as B2 would send it.
func live(k *kind.Kind, raw string) cty.Value {
	account := &wire.Account{ID: "0123456789ab", S3URL: "https://s3.us-west-004.backblazeb2.com"}
	buckets := []wire.RawJSON{`{"bucketId":"b1","bucketName":"acme-photos"}`}
	s, err := kind.NewSnapshot(account, schema.Kinds(), map[string][]wire.RawJSON{"bucket": buckets})
	if err != nil {
		panic(err)
	}
	o, err := s.NewObject(k, wire.RawJSON(raw))
	if err != nil {
		panic(err)
	}
	v, err := o.Value()
	if err != nil {
		panic(err)
	}
	return v
}

func address(text string) addr.Addr {
	a, err := addr.Parse(text)
	if err != nil {
		panic(err)
	}
	return a
}

func str(s string) cty.Value { return cty.StringVal(s) }

func strs(ss ...string) cty.Value {
	out := make([]cty.Value, len(ss))
	for i, s := range ss {
		out[i] = str(s)
	}
	return cty.ListVal(out)
}

func rule(prefix string, hide, remove int64) cty.Value {
	days := func(n int64) cty.Value {
		if n == 0 {
			return cty.NullVal(cty.Number)
		}
		return cty.NumberIntVal(n)
	}
	return cty.ObjectVal(map[string]cty.Value{
		"file_name_prefix":                                       str(prefix),
		"days_from_uploading_to_hiding":                          days(hide),
		"days_from_hiding_to_deleting":                           days(remove),
		"days_from_starting_to_canceling_unfinished_large_files": cty.NullVal(cty.Number),
	})
}

func rules(rs ...cty.Value) cty.Value { return cty.ListVal(rs) }

const liveBucket = `{"accountId":"0123456789ab","bucketId":"b1","bucketName":"acme-photos","bucketType":"allPrivate",
 "bucketInfo":{"team":"web","env":"prod"},"corsRules":[],"lifecycleRules":[
  {"fileNamePrefix":"","daysFromHidingToDeleting":1,"daysFromUploadingToHiding":null},
  {"fileNamePrefix":"tmp/","daysFromHidingToDeleting":1,"daysFromUploadingToHiding":7}],
 "defaultServerSideEncryption":{"isClientAuthorizedToRead":true,"value":{"mode":"SSE-B2","algorithm":"AES256"}},
 "fileLockConfiguration":{"isClientAuthorizedToRead":false,"value":null},"options":["s3"],"revision":3}`

const liveKey = `{"accountId":"0123456789ab","applicationKeyId":"0040123456789ab0000000001","keyName":"photos-plus",
 "capabilities":["listFiles","readFiles"],"bucketIds":["b1"],"namePrefix":null,"expirationTimestamp":null,"options":["s3"]}`

// plans are every shape a change can have.
func plans() map[string]*plan.Plan {
	bucket, key := kindNamed("bucket"), kindNamed("key")
	none := func(k *kind.Kind) cty.Value { return cty.NullVal(k.ConfigType()) }
	unborn := func(k *kind.Kind) cty.Value { return cty.NullVal(k.LiveType()) }
	photos := live(bucket, liveBucket)
	oldKey := live(key, liveKey)
	change := func(c plan.Change) *plan.Plan { return &plan.Plan{Changes: []plan.Change{c}} }
	newKey := wanted(key, attrs{"name": str("photos-plus"), "access": str("read_write"), "buckets": strs("acme-photos"),
		"name_prefix": str("library/"), "valid_duration": str("90d")})
	update := func(set attrs, fields ...string) *plan.Plan {
		set["name"] = str("acme-photos")
		return change(plan.Change{Addr: address("bucket.photos"), Kind: bucket, Action: plan.Update, Identity: "acme-photos",
			RemoteID: "b1", Before: photos, After: wanted(bucket, set), Fields: fields})
	}
	edge := address(`bucket.logs["edge"]`)
	return map[string]*plan.Plan{
		"nothing": {},
		"create": {Changes: []plan.Change{
			{Addr: edge, Kind: bucket, Action: plan.Create, Identity: "acme-logs-edge", Before: unborn(bucket),
				After: wanted(bucket, attrs{"name": str("acme-logs-edge"), "type": str("allPublic"),
					"info":            cty.MapVal(attrs{"Team": str("web"), "x": str("a \"quoted\" ${text}\n")}),
					"lifecycle_rules": rules(rule("", 0, 1)), "file_lock_enabled": cty.True}),
				Hazards: []kind.Hazard{{Kind: kind.ExposesFiles, Detail: "every file becomes readable by anyone"},
					{Kind: kind.Irreversible, Detail: "Object Lock stays on for good"}}},
			{Addr: address("key.photos_plus"), Kind: key, Action: plan.Create, Identity: "photos-plus", Before: unborn(key), After: newKey,
				DeliverTo: []string{"photos-plus.env"}},
		}},
		"update-leaf": update(attrs{"type": str("allPublic"), "info": cty.MapVal(attrs{"team": str("web"), "env": str("prod")}),
			"lifecycle_rules": rules(rule("", 0, 1), rule("tmp/", 7, 1))}, "type"),
		"update-map":      update(attrs{"info": cty.MapVal(attrs{"team": str("ops"), "cost": str("42")})}, "info"),
		"update-map-gone": update(attrs{}, "info", "lifecycle_rules"),
		"update-blocks": update(attrs{"lifecycle_rules": rules(rule("", 0, 1), rule("logs/", 30, 1), rule("tmp/", 3, 1))},
			"lifecycle_rules"),
		"update-preset": update(attrs{"lifecycle_rules": rules(rule("", 0, 1))}, "lifecycle_rules"),
		"update-hidden": update(attrs{"file_lock_enabled": cty.True}, "file_lock_enabled"),
		"replace": change(plan.Change{Addr: address("key.photos_plus"), Kind: key, Action: plan.Replace, Identity: "photos-plus",
			RemoteID: "0040123456789ab0000000001", Before: oldKey, After: newKey,
			Fields: []string{"capabilities", "name_prefix", "valid_duration"}, DeliverTo: []string{"photos-plus.env"},
			Hazards: []kind.Hazard{{Kind: kind.RevokesAccess, Detail: "programs that use the old key lose access"}}}),
		"replace-expiry": change(plan.Change{Addr: address("key.photos_plus"), Kind: key, Action: plan.Replace, Identity: "photos-plus",
			RemoteID: "0040123456789ab0000000001",
			Before:   live(key, strings.Replace(liveKey, `Timestamp":null`, `Timestamp":1767225600000`, 1)),
			After: wanted(key, attrs{"name": str("photos-plus"), "capabilities": strs("listFiles", "readFiles"),
				"buckets": strs("acme-photos")}), Fields: []string{"valid_duration"}}),
		"replace-reason": change(plan.Change{Addr: address("key.photos_plus"), Kind: key, Action: plan.Replace, Identity: "photos-plus",
			RemoteID: "0040123456789ab0000000001", Before: oldKey,
			After:  wanted(key, attrs{"name": str("photos-plus"), "capabilities": strs("listFiles", "readFiles")}),
			Fields: []string{"buckets"},
			Reason: "its delivery changed", FurtherDeletes: []plan.NamedObject{{ID: "0040123456789ab0000000007", Name: "robot"}}}),
		"replace-requested": change(plan.Change{Addr: address("key.photos_plus"), Kind: key, Action: plan.Replace, Identity: "photos-plus",
			RemoteID: "0040123456789ab0000000001", Before: oldKey, Reason: "as requested",
			After: wanted(key, attrs{"name": str("photos-plus"), "capabilities": strs("listFiles", "readFiles"),
				"buckets": strs("acme-photos")})}),
		"rotate": change(plan.Change{Addr: address("key.photos_plus"), Kind: key, Action: plan.Rotate, Identity: "photos-plus",
			RemoteID: "0040123456789ab0000000001", Before: oldKey, After: newKey, Fields: []string{"name_prefix"},
			Reason: "it was due on 2026-11-01 12:00 UTC", DeliverTo: []string{"photos-plus.env"},
			FurtherDeletes: []plan.NamedObject{{ID: "0040123456789ab0000000003", Name: "robot-20261001T120000Z"}},
			Overlapping:    []plan.NamedObject{{ID: "0040123456789ab0000000001", Name: "robot-20261101T120000Z"}},
			Overlap:        7 * 24 * time.Hour, Retiring: []addr.RetiringObject{{ID: "0040123456789ab0000000002",
				Name: "robot-20261010T120000Z", KeepUntil: time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)}}}),
		"delete": {Changes: []plan.Change{
			{Addr: address("bucket.photos"), Kind: bucket, Action: plan.Delete, Identity: "acme-photos", RemoteID: "b1", Before: photos,
				After: none(bucket), Reason: "bucket.photos is not in configuration"},
			{Addr: address("key.gone"), Kind: key, Action: plan.Forget, Identity: "gone", Before: unborn(key), After: none(key),
				Reason: "key \"gone\" no longer exists in B2"},
			{Addr: address("key.photos_plus"), Kind: key, Action: plan.Delete, Identity: "photos-plus",
				RemoteID: "0040123456789ab0000000001", Before: oldKey, After: none(key)},
		}},
		"import": {Changes: []plan.Change{
			{Addr: address("bucket.photos"), Kind: bucket, Action: plan.NoOp, Import: true, Identity: "acme-photos", RemoteID: "b1",
				Before: photos, After: wanted(bucket, attrs{"name": str("acme-photos")})},
			{Addr: address("bucket.same[0]"), Kind: bucket, Action: plan.Update, Import: true, Identity: "acme-photos", RemoteID: "b1",
				Before: photos,
				After:  wanted(bucket, attrs{"name": str("acme-photos"), "type": str("allPublic")}), Fields: []string{"type"}},
			{Addr: address("key.kept"), Kind: key, Action: plan.NoOp, Identity: "kept", RemoteID: "k1", Before: oldKey, After: newKey,
				FurtherDeletes: []plan.NamedObject{{ID: "k2", Name: "kept"}, {ID: "k3", Name: "kept"}}},
		}},
	}
}

func TestPlanText(t *testing.T) {
	for name, p := range plans() {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			view.TextUI{Out: &out}.Plan(p, view.Planning)
			golden(t, "plan-"+name+".txt", out.String())
		})
	}
}

func TestPlanTextInColour(t *testing.T) {
	var out bytes.Buffer
	view.TextUI{Out: &out, Style: view.Style{Color: true}}.Plan(plans()["replace"], view.Planning)
	golden(t, "plan-colour.txt", out.String())
}

func TestNothingToDestroy(t *testing.T) {
	var out bytes.Buffer
	view.TextUI{Out: &out}.Plan(&plan.Plan{}, view.Destroying)
	golden(t, "plan-nothing-to-destroy.txt", out.String())
}

func TestChangeText(t *testing.T) {
	all := plans()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for i := range all[name].Changes {
			text := view.NewChangeText(&all[name].Changes[i])
			b.WriteString("== " + name + "\n" + text.Heading + "\n(" + strings.Join(text.Remarks, ")\n(") + ")\n" + text.Diff)
		}
		b.WriteString(view.OutputsDiff(all[name]))
	}
	golden(t, "changetext.txt", b.String())
}
