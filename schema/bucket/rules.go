package bucket

import (
	"fmt"
	"math/big"
	"sort"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
	"b2form/schema/wire"
)

// Lifecycle rules: "Lifecycle Rules" in the B2 documentation.
func lifecycleRuleAttrs() []kind.Attr {
	days := func(name, wire, doc string) kind.Attr {
		return kind.Attr{Name: name, WirePath: wire, Doc: doc, Type: cty.Number, Samples: numberValues(1, 30), Check: checkWholeAtLeastOne}
	}
	return []kind.Attr{
		{Name: "file_name_prefix", WirePath: "fileNamePrefix", Type: cty.String, Default: cty.StringVal(""),
			Samples: kind.StringValues("logs/", "raw/"), Check: kind.CheckNamePrefix,
			Doc: "Which files: those whose names start with this, byte by byte and in Unicode's normal form C; \"\" is every file. " +
				"There are no wildcards."},
		days("days_from_uploading_to_hiding", "daysFromUploadingToHiding", "Days until a file is hidden."),
		days("days_from_hiding_to_deleting", "daysFromHidingToDeleting", "Days until a version that is hidden or replaced by a newer "+
			"one is deleted."),
		days("days_from_starting_to_canceling_unfinished_large_files", "daysFromStartingToCancelingUnfinishedLargeFiles",
			"Days until an unfinished large file is cancelled."),
	}
}

// lifecycleDayAttrs are the members that make a rule do something.
func lifecycleDayAttrs() []string {
	return []string{"days_from_uploading_to_hiding", "days_from_hiding_to_deleting",
		"days_from_starting_to_canceling_unfinished_large_files"}
}

func objectTypeOf(attrs []kind.Attr) cty.Type {
	a := kind.Attr{Object: attrs}
	return a.ValueType()
}

func noLifecycleRules() cty.Value { return cty.ListValEmpty(objectTypeOf(lifecycleRuleAttrs())) }
func noCORSRules() cty.Value      { return cty.ListValEmpty(objectTypeOf(corsAttrs())) }

// sortByPrefix sorts the rules: their order means nothing to B2.
func sortByPrefix(v cty.Value) cty.Value {
	if v.LengthInt() < 2 || !v.IsWhollyKnown() {
		return v
	}
	rules := v.AsValueSlice()
	sort.SliceStable(rules, func(i, j int) bool { return fileNamePrefixOf(rules[i]) < fileNamePrefixOf(rules[j]) })
	return cty.ListVal(rules)
}

func fileNamePrefixOf(rule cty.Value) string {
	p := rule.GetAttr("file_name_prefix")
	if p.IsNull() || !p.IsKnown() {
		return ""
	}
	return p.AsString()
}

func checkLifecycleRules(v cty.Value) kind.Problems {
	if n := v.LengthInt(); n > 100 {
		return kind.Errorf("Too many lifecycle rules", "B2 takes at most 100 lifecycle rules per bucket; these are %d.", n)
	}
	var ps kind.Problems
	rules := v.AsValueSlice()
	seen := map[string]bool{}
	for i, r := range rules {
		at := cty.IndexIntPath(i)
		prefix := fileNamePrefixOf(r)
		if seen[prefix] {
			ps = append(ps, kind.Errorf("Duplicate lifecycle rule",
				"Two rules have the file_name_prefix %q. Put their days into one rule.", prefix).PrefixPaths(at)...)
		}
		seen[prefix] = true
		if !setsAnyDays(r) {
			ps = append(ps, kind.Errorf("Lifecycle rule without effect",
				"The rule for %s sets no days, which B2 refuses. Set at least one of %s.", describeFiles(prefix),
				strings.Join(lifecycleDayAttrs(), ", ")).PrefixPaths(at)...)
		}
	}
	overlaps := warnOverlappingLifecycleRules(rules)
	for i := range overlaps {
		overlaps[i].OnlyWhenSet = true
	}
	return append(ps, overlaps...)
}

func setsAnyDays(rule cty.Value) bool {
	for _, n := range lifecycleDayAttrs() {
		if !rule.GetAttr(n).IsNull() {
			return true
		}
	}
	return false
}

// warnOverlappingLifecycleRules warns of rules that act on the same files in the same way: older
// documentation forbids them, newer text is silent.
func warnOverlappingLifecycleRules(rules []cty.Value) kind.Problems {
	var ps kind.Problems
	for i, inner := range rules {
		for _, outer := range rules {
			p, q := fileNamePrefixOf(inner), fileNamePrefixOf(outer)
			if p == q || !strings.HasPrefix(p, q) {
				continue
			}
			if a := findSharedDayAttr(inner, outer); a != "" {
				ps = append(ps, kind.Warnf("Overlapping lifecycle rules",
					"The rules for %s and %s both set %s. B2 may refuse that, and which of them wins is not documented.", describeFiles(p),
					describeFiles(q), a).PrefixPaths(cty.IndexIntPath(i))...)
			}
		}
	}
	return ps
}

func findSharedDayAttr(a, b cty.Value) string {
	for _, n := range lifecycleDayAttrs() {
		if !a.GetAttr(n).IsNull() && !b.GetAttr(n).IsNull() {
			return n
		}
	}
	return ""
}

// describeFiles names the files that a prefix stands for.
func describeFiles(prefix string) string {
	if prefix == "" {
		return "all files"
	}
	return "files under " + wire.QuoteText(prefix, strconv.Quote)
}

// lifecycleHazards is the hazard of a rule that is new or acts sooner than before.
func lifecycleHazards(before, after cty.Value) []kind.Hazard {
	old := map[string]cty.Value{}
	if before != cty.NilVal && !before.IsNull() && before.IsKnown() {
		for _, r := range before.AsValueSlice() {
			old[fileNamePrefixOf(r)] = r
		}
	}
	var out []kind.Hazard
	for _, r := range after.AsValueSlice() {
		if o, had := old[fileNamePrefixOf(r)]; !had || nowActsSooner(o, r) {
			out = append(out, kind.Hazard{Kind: kind.DeletesData, Detail: explainLifecycleRule(r)})
		}
	}
	return out
}

func nowActsSooner(old, rule cty.Value) bool {
	for _, n := range lifecycleDayAttrs() {
		was, is := old.GetAttr(n), rule.GetAttr(n)
		if !is.IsNull() && (was.IsNull() || is.LessThan(was).True()) {
			return true
		}
	}
	return false
}

// explainLifecycleRule says in words what a rule does.
func explainLifecycleRule(r cty.Value) string {
	say := map[string]string{
		"days_from_uploading_to_hiding":                          "hidden %s after upload",
		"days_from_hiding_to_deleting":                           "deleted %s after they are hidden or replaced by a newer version",
		"days_from_starting_to_canceling_unfinished_large_files": "cancelled %s after their start if they are unfinished large files",
	}
	var parts []string
	for _, n := range lifecycleDayAttrs() {
		if d := r.GetAttr(n); !d.IsNull() {
			parts = append(parts, fmt.Sprintf(say[n], formatDays(d)))
		}
	}
	return describeFiles(fileNamePrefixOf(r)) + " are " + strings.Join(parts, ", and ")
}

func formatDays(v cty.Value) string {
	n, _ := v.AsBigFloat().Int64()
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// noteLifecyclePreset recognises the three choices of the web console.
func noteLifecyclePreset(v cty.Value) string {
	if v.IsNull() || !v.IsWhollyKnown() {
		return ""
	}
	switch v.LengthInt() {
	case 0:
		return "keep all versions"
	case 1:
	default:
		return ""
	}
	r := v.AsValueSlice()[0]
	d := r.GetAttr("days_from_hiding_to_deleting")
	alone := r.GetAttr("days_from_uploading_to_hiding").IsNull() &&
		r.GetAttr("days_from_starting_to_canceling_unfinished_large_files").IsNull()
	if fileNamePrefixOf(r) != "" || d.IsNull() || !alone {
		return ""
	}
	if d.RawEquals(cty.NumberIntVal(1)) {
		return "keep only the last version"
	}
	return "keep prior versions for " + formatDays(d)
}

// CORS rules: "Cross-Origin Resource Sharing Rules" in the B2 documentation.
func corsAttrs() []kind.Attr {
	strs := cty.List(cty.String)
	return []kind.Attr{
		{Name: "name", WirePath: "corsRuleName", TerraformName: "cors_rule_name", Type: cty.String, Required: true,
			Samples: kind.StringValues("downloads"),
			Doc:     "Name of the rule: 6 to 63 letters, digits and dashes, unique in the bucket.", Check: checkCORSRuleName},
		{Name: "allowed_origins", WirePath: "allowedOrigins", Type: strs, Required: true, Samples: listSample("https://www.example.com"),
			Check: checkCORSOriginsNotEmpty,
			Doc:   "Origins that may use the bucket; https stands for every https origin, * for all."},
		{Name: "allowed_operations", WirePath: "allowedOperations", Type: cty.Set(cty.String), Required: true,
			Samples: []cty.Value{cty.SetVal(kind.StringValues("s3_get", "b2_download_file_by_name"))},
			Doc:     "Operations the rule allows: " + strings.Join(corsOperations(), ", ") + ".", Check: checkCORSOperations},
		{Name: "allowed_headers", WirePath: "allowedHeaders", Type: strs, Default: cty.ListValEmpty(cty.String),
			Samples: listSample("range"),
			Check:   checkNoEmptyCORSHeaders,
			Doc:     "Request headers allowed in a preflight request."},
		{Name: "expose_headers", WirePath: "exposeHeaders", Type: strs, Default: cty.ListValEmpty(cty.String),
			Samples: listSample("x-bz-content-sha1"), Check: checkNoEmptyCORSHeaders,
			Doc: "Response headers that scripts may read."},
		{Name: "max_age_seconds", WirePath: "maxAgeSeconds", Type: cty.Number, Required: true, Samples: numberValues(0, 3600),
			Doc: "How long a browser may cache the answer to a preflight request: 0 to 86400 seconds.", Check: checkCORSMaxAge},
	}
}

func listSample(ss ...string) []cty.Value { return []cty.Value{cty.ListVal(kind.StringValues(ss...))} }

func corsOperations() []string {
	return []string{"b2_download_file_by_id", "b2_download_file_by_name", "b2_upload_file", "b2_upload_part",
		"s3_delete", "s3_get", "s3_head", "s3_post", "s3_put"}
}

func checkCORSRules(v cty.Value) kind.Problems {
	if n := v.LengthInt(); n > 100 {
		return kind.Errorf("Too many CORS rules", "B2 takes at most 100 CORS rules per bucket; these are %d.", n)
	}
	var ps kind.Problems
	seen := map[string]bool{}
	for i, r := range v.AsValueSlice() {
		at := cty.IndexIntPath(i)
		name := r.GetAttr("name").AsString()
		if seen[name] {
			ps = append(ps, kind.Errorf("Duplicate CORS rule", "Two rules are named %q; names are unique in a bucket.",
				name).PrefixPaths(at)...)
		}
		seen[name] = true
		if n := corsRuleSize(r); n >= 1000 {
			ps = append(ps, kind.Errorf("CORS rule too long", "The texts of a rule must be shorter than 1000 bytes together; rule %q "+
				"has %d.", name, n).PrefixPaths(at)...)
		}
	}
	return ps
}

func checkCORSOriginsNotEmpty(v cty.Value) kind.Problems {
	if v.LengthInt() == 0 {
		return kind.Errorf("CORS rule without origins", "Name at least one origin in allowed_origins, such as \"https\".")
	}
	return checkNoEmptyTexts(v, "Invalid CORS origin", "An origin is empty; write one such as \"https://www.example.com\", \"https\" or "+
		"\"*\".")
}

func checkNoEmptyCORSHeaders(v cty.Value) kind.Problems {
	return checkNoEmptyTexts(v, "Invalid CORS header", "A header's name is empty; leave it out instead.")
}

// checkNoEmptyTexts reports elements that are null or empty.
func checkNoEmptyTexts(v cty.Value, summary, detail string) kind.Problems {
	var ps kind.Problems
	for i, s := range v.AsValueSlice() {
		if s.IsNull() || s.AsString() == "" {
			ps = append(ps, kind.Errorf(summary, "%s", detail).PrefixPaths(cty.IndexIntPath(i))...)
		}
	}
	return ps
}

func corsRuleSize(r cty.Value) int {
	n := len(r.GetAttr("name").AsString())
	for _, a := range []string{"allowed_origins", "allowed_operations", "allowed_headers", "expose_headers"} {
		for _, s := range r.GetAttr(a).AsValueSlice() {
			if !s.IsNull() {
				n += len(s.AsString())
			}
		}
	}
	return n
}

func checkCORSMaxAge(v cty.Value) kind.Problems {
	if !isWholeBetween(v, 0, 86400) {
		return kind.Errorf("Invalid max_age_seconds", "max_age_seconds is a whole number from 0 to 86400.")
	}
	return nil
}

func checkWholeAtLeastOne(v cty.Value) kind.Problems {
	if !isWholeBetween(v, 1, 1<<31) {
		return kind.Errorf("Invalid number", "A whole number of at least 1 is needed; B2 refuses 0. Leave the argument out to say "+
			"\"never\".")
	}
	return nil
}

func isWholeBetween(v cty.Value, least, most int64) bool {
	n, acc := v.AsBigFloat().Int64()
	return acc == big.Exact && least <= n && n <= most
}

// LifecycleRules is the attribute that has the rules.
const LifecycleRules = "lifecycle_rules"

// RulesThatHide lists the indices of the lifecycle rules that hide files, some time after upload, of which the
// names begin with a text or go on from it. What is not known yet hides nothing.
func RulesThatHide(rules cty.Value, namePrefix string) (indices []int) {
	if rules.IsNull() || !rules.IsWhollyKnown() {
		return nil
	}
	for i, r := range rules.AsValueSlice() {
		if r.IsNull() || r.GetAttr("days_from_uploading_to_hiding").IsNull() {
			continue
		}
		if prefix := fileNamePrefixOf(r); strings.HasPrefix(namePrefix, prefix) || strings.HasPrefix(prefix, namePrefix) {
			indices = append(indices, i)
		}
	}
	return indices
}
