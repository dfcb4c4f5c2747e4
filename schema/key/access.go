package key

import (
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

const listAll = "listAllBucketNames"

// AccessNames are the types of access that a key block and mint take.
func AccessNames() []string {
	names := []string{"read_write", "read_only", "write_only", "state"}
	for _, a := range clientPrograms() {
		names = append(names, a.name)
	}
	return names
}

// capabilityListsForAccess are the lists that the web console has granted for a type of access,
// the one that new keys get first, or the list of an application. They are frozen: a list that a release adds
// goes behind, so that no release replaces anybody's keys. The lists of 2022 to
// 2026 are those seen on keys in public configurations. New keys get the list of
// 2025: that of 2026 holds writeBuckets and the lifecycle capabilities, which B2
// was seen to refuse on some accounts.
func capabilityListsForAccess(access string) (capabilityLists [][]string) {
	switch access {
	case "read_write":
		base := []string{"deleteFiles", "listBuckets", "listFiles", "readBucketEncryption", "readBucketReplications", "readBuckets",
			"readFiles", "shareFiles", "writeBucketEncryption", "writeBucketReplications", "writeFiles"}
		return capabilitiesByYear(base,
			[]string{"readBucketNotifications", "writeBucketNotifications"},
			[]string{"readBucketLogging", "writeBucketLogging"},
			[]string{"writeBuckets", "readBucketLifecycleRules", "writeBucketLifecycleRules"})
	case "read_only":
		base := []string{"listBuckets", "listFiles", "readBucketEncryption", "readBucketReplications", "readBuckets", "readFiles",
			"shareFiles"}
		return capabilitiesByYear(base, []string{"readBucketNotifications"}, []string{"readBucketLogging"},
			[]string{"readBucketLifecycleRules"})
	case "write_only":
		base := []string{"deleteFiles", "listBuckets", "writeBucketEncryption", "writeBucketReplications", "writeFiles"}
		return capabilitiesByYear(base, []string{"writeBucketNotifications"}, []string{"writeBucketLogging"},
			[]string{"writeBuckets", "writeBucketLifecycleRules"})
	case "state": // what a shared state takes beside the configuration's own needs
		return [][]string{{"listBuckets", "readFiles", "writeBuckets", "writeFiles"}}
	}
	for _, a := range clientPrograms() {
		if a.name == access {
			return [][]string{a.capabilities}
		}
	}
	return nil
}

// capabilitiesByYear builds the lists of 2022, 2024, 2025 and 2026 from what each year added,
// and gives that of 2025 first.
func capabilitiesByYear(base, y2024, y2025, y2026 []string) (listOf2025First [][]string) {
	of2024 := slices.Concat(base, y2024)
	of2025 := slices.Concat(of2024, y2025)
	of2026 := slices.Concat(of2025, y2026)
	lists := [][]string{of2025, of2026, of2024, base}
	if slices.Contains(y2026, "writeBuckets") {
		lists = append(lists, slices.Concat(of2025, []string{"writeBuckets"}))
	}
	return lists
}

// accessTextForCapabilities names the type of access in the web console that stands for a list of
// capabilities.
func accessTextForCapabilities(v cty.Value) string {
	access, listsAll, ok := accessOf("", kind.StringsIfWhollyKnown(v))
	if ok && listsAll {
		access += " with " + listAll
	}
	return access
}

// accessOf is the type of access that stands for the capabilities of a key, beside the one
// to list all bucket names: that of an application which the key's name tells, or
// that of the web console; ok is false where there is none.
func accessOf(keyName string, capabilities []string) (access string, listsAll, ok bool) {
	list := slices.Sorted(slices.Values(capabilities))
	if access := findClientProgramName(keyName, list); access != "" {
		return access, false, true
	}
	if i, found := slices.BinarySearch(list, listAll); found {
		list, listsAll = slices.Delete(list, i, i+1), true
	}
	for _, access := range []string{"read_write", "read_only", "write_only"} {
		for _, preset := range capabilityListsForAccess(access) {
			slices.Sort(preset)
			if slices.Equal(preset, list) {
				return access, listsAll, true
			}
		}
	}
	return "", false, false
}

// replaceCapabilitiesByAccess puts access in the place of capabilities where the web console calls
// them so.
func replaceCapabilitiesByAccess(v kind.Values) {
	access, listsAll, ok := accessOf(v.GetAttr("name").AsString(), kind.StringsIfWhollyKnown(v.GetAttr("capabilities")))
	if !ok {
		return
	}
	name, none, yes := cty.StringVal(access), cty.NullVal(cty.List(cty.String)), cty.True
	v.Set("access", &name)
	v.Set("capabilities", &none)
	if listsAll {
		v.Set("list_all_bucket_names", &yes)
	}
}

// knownCapabilities are B2's capability names ("Application Key Capabilities"). B2 adds
// names, so an unknown one is only a warning. What it adds goes behind those of 2026.
func knownCapabilities() []string { return CapabilitiesOf2026() }

// CapabilitiesOf2026 are those that B2 had in 2026. The list is frozen, so that no release
// replaces anybody's keys.
func CapabilitiesOf2026() []string {
	return []string{
		"bypassGovernance", "deleteBuckets", "deleteFiles", "deleteKeys", "listAllBucketNames", "listBuckets", "listFiles", "listKeys",
		"readBucketEncryption", "readBucketLifecycleRules", "readBucketLogging", "readBucketNotifications", "readBucketReplications",
		"readBucketRetentions", "readBuckets", "readFileLegalHolds", "readFileRetentions", "readFiles", "shareFiles",
		"writeBucketEncryption", "writeBucketLifecycleRules", "writeBucketLogging", "writeBucketNotifications", "writeBucketReplications",
		"writeBucketRetentions", "writeBuckets", "writeFileLegalHolds", "writeFileRetentions", "writeFiles", "writeKeys",
	}
}

// findSimilarCapability is the known capability that a name is but for the case of letters, a final s
// or one slip: a letter more, less or other, or two exchanged. B2 adds names that differ
// by words, so what is so near is none of them. "": there is none.
func findSimilarCapability(name string) string {
	name = strings.ToLower(name)
	for _, c := range knownCapabilities() {
		lower := strings.ToLower(c)
		if strings.TrimSuffix(name, "s") == strings.TrimSuffix(lower, "s") || levenshtein.Distance(name, lower, nil) <= 1 ||
			isTransposition(name, lower) {
			return c
		}
	}
	return ""
}

// isTransposition reports whether two names are one with two neighbouring letters exchanged.
func isTransposition(a, b string) bool {
	for i := 1; i < len(a) && len(a) == len(b); i++ {
		if a[i-1] != b[i-1] {
			return a[:i-1]+a[i:i+1]+a[i-1:i]+a[i+1:] == b
		}
	}
	return false
}

// accountOnlyCapabilities are refused on a key that is limited to buckets ("Application Key
// Capabilities").
func accountOnlyCapabilities() []string {
	return []string{"deleteBuckets", "deleteKeys", "listKeys", "writeKeys"}
}

// sameCapabilitiesOrAccess compares as sets. Where access was given, every list that
// the console ever granted for that choice is as good.
func sameCapabilitiesOrAccess(p kind.Comparison) bool {
	if p.Want.GetAttr("capabilities").RawEquals(p.Live.GetAttr("capabilities")) {
		return true
	}
	want, live := kind.StringsIfWhollyKnown(p.Want.GetAttr("capabilities")), kind.StringsIfWhollyKnown(p.Live.GetAttr("capabilities"))
	access := p.Want.GetAttr("access")
	if access.IsNull() || slices.Contains(want, listAll) != slices.Contains(live, listAll) {
		return false
	}
	for _, preset := range capabilityListsForAccess(access.AsString()) {
		if slices.Contains(want, listAll) {
			preset = append(slices.Clone(preset), listAll)
		}
		if equalSets(preset, live) {
			return true
		}
	}
	return false
}
