package key

import (
	"slices"

	"b2form/schema/kind"
)

const listAll = "listAllBucketNames"

func presetNames() []string { return []string{"read_write", "read_only", "write_only", "state"} }

// presets are the lists that the web console has granted for a type of access,
// the one that new keys get first. They are frozen: a list that a release adds
// goes behind, so that no release replaces anybody's keys. The lists of 2022 to
// 2026 are those seen on keys in public configurations. New keys get the list of
// 2025: that of 2026 holds writeBuckets and the lifecycle capabilities, which B2
// was seen to refuse on some accounts.
func presets(access string) [][]string {
	switch access {
	case "read_write":
		base := []string{"deleteFiles", "listBuckets", "listFiles", "readBucketEncryption", "readBucketReplications", "readBuckets",
			"readFiles", "shareFiles", "writeBucketEncryption", "writeBucketReplications", "writeFiles"}
		return eras(base,
			[]string{"readBucketNotifications", "writeBucketNotifications"},
			[]string{"readBucketLogging", "writeBucketLogging"},
			[]string{"writeBuckets", "readBucketLifecycleRules", "writeBucketLifecycleRules"})
	case "read_only":
		base := []string{"listBuckets", "listFiles", "readBucketEncryption", "readBucketReplications", "readBuckets", "readFiles",
			"shareFiles"}
		return eras(base, []string{"readBucketNotifications"}, []string{"readBucketLogging"}, []string{"readBucketLifecycleRules"})
	case "write_only":
		base := []string{"deleteFiles", "listBuckets", "writeBucketEncryption", "writeBucketReplications", "writeFiles"}
		return eras(base, []string{"writeBucketNotifications"}, []string{"writeBucketLogging"},
			[]string{"writeBuckets", "writeBucketLifecycleRules"})
	case "state": // what a shared state takes beside the configuration's own needs
		return [][]string{{"listBuckets", "readFiles", "writeBuckets", "writeFiles"}}
	}
	return nil
}

// eras builds the lists of 2022, 2024, 2025 and 2026 from what each year added,
// and gives that of 2025 first.
func eras(base, y2024, y2025, y2026 []string) [][]string {
	of2024 := slices.Concat(base, y2024)
	of2025 := slices.Concat(of2024, y2025)
	of2026 := slices.Concat(of2025, y2026)
	lists := [][]string{of2025, of2026, of2024, base}
	if slices.Contains(y2026, "writeBuckets") {
		lists = append(lists, slices.Concat(of2025, []string{"writeBuckets"}))
	}
	return lists
}

// known are B2's capability names ("Application Key Capabilities"). B2 adds
// names, so an unknown one is only a warning.
func known() []string {
	return []string{
		"bypassGovernance", "deleteBuckets", "deleteFiles", "deleteKeys", "listAllBucketNames", "listBuckets", "listFiles", "listKeys",
		"readBucketEncryption", "readBucketLifecycleRules", "readBucketLogging", "readBucketNotifications", "readBucketReplications",
		"readBucketRetentions", "readBuckets", "readFileLegalHolds", "readFileRetentions", "readFiles", "shareFiles",
		"writeBucketEncryption", "writeBucketLifecycleRules", "writeBucketLogging", "writeBucketNotifications", "writeBucketReplications",
		"writeBucketRetentions", "writeBuckets", "writeFileLegalHolds", "writeFileRetentions", "writeFiles", "writeKeys",
	}
}

// accountOnly are refused on a key that is limited to buckets ("Application Key
// Capabilities").
func accountOnly() []string { return []string{"deleteBuckets", "deleteKeys", "listKeys", "writeKeys"} }

// sameCapabilities compares as sets. Where access was given, every list that
// the console ever granted for that choice is as good.
func sameCapabilities(p kind.Comparison) bool {
	if p.Want.GetAttr("capabilities").RawEquals(p.Live.GetAttr("capabilities")) {
		return true
	}
	want, live := kind.StringsIn(p.Want.GetAttr("capabilities")), kind.StringsIn(p.Live.GetAttr("capabilities"))
	access := p.Want.GetAttr("access")
	if access.IsNull() || slices.Contains(want, listAll) != slices.Contains(live, listAll) {
		return false
	}
	live = slices.DeleteFunc(slices.Clone(live), func(c string) bool { return c == listAll })
	for _, preset := range presets(access.AsString()) {
		slices.Sort(preset)
		if slices.Equal(preset, live) {
			return true
		}
	}
	return false
}
