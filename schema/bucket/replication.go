package bucket

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
	"b2form/schema/wire"
)

// Replication: "Cloud Replication" and "Create a Cloud Replication Rule with the
// Native API" in the B2 documentation. The two halves are one object in B2, so a
// change sends both.
func replicationAttr() kind.Attr {
	return kind.Attr{Name: "replication", WirePath: "replicationConfiguration", TerraformName: "replication_configuration",
		Object: []kind.Attr{replicationSourceAttr(), replicationDestinationAttr()}, Deferred: true, GuidePage: "replication",
		ReadCapability: "readBucketReplications", WriteCapability: "writeBucketReplications",
		Encoding: kind.Encoding{ClearWith: map[string]any{"asReplicationSource": nil, "asReplicationDestination": nil}},
		Doc: "Where B2 copies the bucket's files (source), and whose copies the bucket takes (destination). " +
			"It is set last, so a key that is limited to the bucket may stand in it.",
		Link:    kind.Link{MemberSetFirst: "destination"},
		Compare: kind.Compare{Equal: sameReplication}, Check: checkReplication, Hazards: replicationHazards,
	}
}

// absentHalf is how the Python SDK says that a half is not wanted.
const absentHalf = "null"

func replicationSourceAttr() kind.Attr {
	return kind.Attr{Name: "source", WirePath: "asReplicationSource", TerraformName: "as_replication_source",
		Encoding: kind.Encoding{ClearWith: json.RawMessage(absentHalf)},
		Doc:      "B2 copies files of this bucket to other buckets.",
		Object: []kind.Attr{
			{Name: "key", WirePath: "sourceApplicationKeyId", TerraformName: "source_application_key_id", Type: cty.String, Required: true,
				Link: kind.Link{RefKind: "key", IsRemoteID: isKeyID, CheckTarget: checkReplicationSourceKey},
				Doc: "The key with which B2 reads here, as key.NAME, by its name, or by the ID of a key that is not managed here. It " +
					"needs readFiles; Backblaze's own tool adds readFileLegalHolds and readFileRetentions.",
				Samples: keyIDSamples(), Check: checkKeyNameOrID},
			{Name: "rules", WirePath: "replicationRules", TerraformName: "replication_rules", Object: replicationRuleAttrs(), Many: true,
				Required: true,
				Doc:      "What is copied where: one rule or two. A file that two rules reach is copied by both."},
		}}
}

func replicationRuleAttrs() []kind.Attr {
	return []kind.Attr{
		{Name: "name", WirePath: "replicationRuleName", TerraformName: "replication_rule_name", Type: cty.String, Required: true,
			Samples: kind.StringValues("copy", "second_copy"),
			Doc:     "Name of the rule, unique in the bucket: 1 to 64 letters, digits, dashes and underscores.",
			Check:   checkReplicationRuleName},
		{Name: "destination", WirePath: "destinationBucketId", TerraformName: "destination_bucket_id", Type: cty.String, Required: true,
			Link:    kind.Link{RefKind: "bucket", IsRemoteID: isBucketID, CheckTarget: checkDestinationListsKey},
			Doc:     "The bucket that gets the copies, as bucket.NAME, by its name, or by its ID where it belongs to another account.",
			Samples: kind.StringValues("8d625eb63be2775577c70e1a"), Compare: kind.Compare{Normalize: kind.LowerCase},
			Check: checkBucketNameOrID},
		{Name: "file_name_prefix", WirePath: "fileNamePrefix", Type: cty.String, Default: cty.StringVal(""),
			Samples: kind.StringValues("", "library/"), Check: kind.CheckNamePrefix,
			Doc: "Which files: those whose names start with this; \"\" is every file."},
		{Name: "include_existing_files", WirePath: "includeExistingFiles", Type: cty.Bool, Default: cty.False,
			Doc: "Copies also what is in the bucket already, at midnight UTC."},
		{Name: "is_enabled", WirePath: "isEnabled", Type: cty.Bool, Default: cty.True,
			Doc: "With false the rule is kept and copies nothing."},
		{Name: "priority", WirePath: "priority", Type: cty.Number, Default: cty.NumberIntVal(128),
			Samples: numberValues(1, 128, math.MaxInt32),
			Doc:     "Orders the two rules of a bucket: 1 to 2147483647.", Check: checkReplicationPriority},
	}
}

func replicationDestinationAttr() kind.Attr {
	return kind.Attr{Name: "destination", WirePath: "asReplicationDestination", TerraformName: "as_replication_destination",
		Encoding: kind.Encoding{ClearWith: json.RawMessage(absentHalf)},
		Doc:      "The bucket takes copies of files of other buckets.",
		Object: []kind.Attr{
			{Name: "keys", WirePath: "sourceToDestinationKeyMapping", TerraformName: "source_to_destination_key_mapping", Many: true,
				Encoding: kind.Encoding{AsMap: true}, Required: true,
				Doc: "For each key that reads elsewhere, the key that writes here.",
				Object: []kind.Attr{
					{Name: "source", WirePath: "source", Type: cty.String, Required: true,
						Link:    kind.Link{RefKind: "key", IsRemoteID: isKeyID},
						Doc:     "The key of the source bucket; by its ID where it belongs to another account.",
						Samples: keyIDSamples(), Check: checkKeyNameOrID},
					{Name: "destination", WirePath: "destination", Type: cty.String, Required: true,
						Link: kind.Link{RefKind: "key", IsRemoteID: isKeyID, CheckTarget: checkReplicationDestinationKey},
						Doc: "The key with which B2 writes here. It needs writeFiles; Backblaze's own tool adds " +
							"writeFileLegalHolds, writeFileRetentions and deleteFiles.",
						Samples: keyIDSamples(), Check: checkKeyNameOrID},
				}},
		}}
}

func keyIDSamples() []cty.Value { return kind.StringValues("004d2e6b27577ea0000000001") }

// Forms of remote IDs in B2 ("b2_list_buckets", "b2_list_keys"): a bucket has 24
// hexadecimal digits. A key has 25, and the master key the 12 of the account.
func isBucketID(s string) bool { return len(s) == 24 && hexDigits.MatchString(s) }
func isKeyID(s string) bool    { return (len(s) == 25 || len(s) == 12) && hexDigits.MatchString(s) }

// What a pattern repeats a hundred times takes its time at every start, so lengths are
// compared beside patterns.
var (
	hexDigits            = regexp.MustCompile(`^[0-9a-f]+$`)
	legalReplicationRule = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

const (
	mostRuleName = 64
	mostKeyName  = 100
)

// checkReplicationRuleName follows what the Python SDK lets pass.
func checkReplicationRuleName(v cty.Value) kind.Problems {
	if s := v.AsString(); len(s) > mostRuleName || !legalReplicationRule.MatchString(s) {
		return kind.Errorf("Invalid replication rule name", "The name of a replication rule has 1 to 64 letters, digits, dashes and "+
			"underscores; this is %q.", v.AsString())
	}
	return nil
}

func checkKeyNameOrID(v cty.Value) kind.Problems {
	if s := v.AsString(); (len(s) > mostKeyName || !legalRuleName.MatchString(s)) && !strings.HasPrefix(s, kind.BlockAddrPrefix) {
		return kind.Errorf("Invalid key", "%q is neither the name of a key nor the ID of one. Write key.NAME, a name in quotes, or the "+
			"ID of a key of another account.", v.AsString())
	}
	return nil
}

func checkBucketNameOrID(v cty.Value) kind.Problems {
	if isBucketID(v.AsString()) {
		return nil
	}
	return checkBucketName(v)
}

// checkReplicationPriority follows the Python SDK, which starts at 1. The service was seen
// to take 0.
func checkReplicationPriority(v cty.Value) kind.Problems {
	switch {
	case !isWholeBetween(v, 0, math.MaxInt32):
		return kind.Errorf("Invalid priority", "The priority of a replication rule is a whole number from 1 to %d.", math.MaxInt32)
	case v.RawEquals(cty.Zero):
		return kind.Warnf("Priority below the documented range", "The priority of a replication rule is a whole number from 1 to %d. B2 "+
			"was seen to take 0, and may stop to.", math.MaxInt32)
	}
	return nil
}

// maxReplicationRules is the limit of "Create a Cloud Replication Rule with the
// Native API".
const maxReplicationRules = 2

func checkReplication(v cty.Value) kind.Problems {
	source, destination := v.GetAttr("source"), v.GetAttr("destination")
	if source.IsNull() && destination.IsNull() {
		return kind.Errorf("Replication of nothing", "Say where the bucket's files are copied, source { … }, or whose copies it takes, "+
			"destination { … }; or remove replication.")
	}
	ps := checkReplicationRules(source).PrefixPaths(cty.GetAttrPath("source").GetAttr("rules"))
	return append(ps, checkDestinationKeyPairs(destination).PrefixPaths(cty.GetAttrPath("destination").GetAttr("keys"))...)
}

func checkReplicationRules(source cty.Value) kind.Problems {
	if source.IsNull() {
		return nil
	}
	rules := source.GetAttr("rules").AsValueSlice()
	switch {
	case len(rules) == 0:
		return kind.Errorf("Replication without rules", "The bucket is a source, but no rule says what is copied. Write rules = [{ name = "+
			"…, destination = … }], or remove source.")
	case len(rules) > maxReplicationRules:
		return kind.Errorf("Too many replication rules", "B2 takes at most %d replication rules for a bucket; these are %d.",
			maxReplicationRules, len(rules))
	}
	for i, r := range rules[1:] {
		if name := r.GetAttr("name"); name.RawEquals(rules[0].GetAttr("name")) {
			return kind.Errorf("Duplicate replication rule", "Another rule of this bucket is named %q already; names must be unique.",
				name.AsString()).
				PrefixPaths(cty.IndexIntPath(i + 1).GetAttr("name"))
		}
	}
	return nil
}

func checkDestinationKeyPairs(destination cty.Value) kind.Problems {
	if destination.IsNull() {
		return nil
	}
	keys := destination.GetAttr("keys").AsValueSlice()
	if len(keys) == 0 {
		return kind.Errorf("Destination without keys", "The bucket is a destination, but for no key of a source. Write keys = [{ source = "+
			"…, destination = … }], or remove destination.")
	}
	var ps kind.Problems
	seen := map[string]bool{}
	for i, pair := range keys {
		source := pair.GetAttr("source").AsString()
		if seen[source] {
			ps = append(ps, kind.Errorf("Duplicate source key", "The key %q is named as a source twice, and B2 takes one destination "+
				"key for it.", strings.TrimPrefix(source, kind.BlockAddrPrefix)).PrefixPaths(cty.IndexIntPath(i).GetAttr("source"))...)
		}
		seen[source] = true
	}
	return ps
}

// checkSelfReplication refuses a rule that copies a bucket into itself.
func checkSelfReplication(v kind.Values) kind.Problems {
	var ps kind.Problems
	name, whole := v.GetAttr("name"), v.GetAttr("replication")
	if whole.IsNull() || !whole.IsWhollyKnown() || !name.IsKnown() {
		return nil
	}
	for i, r := range replicationRulesOf(whole) {
		if strings.EqualFold(r.GetAttr("destination").AsString(), name.AsString()) {
			ps = append(ps, kind.Errorf("Bucket replicates into itself", "The destination of the rule %q is this very bucket. Name "+
				"another one.", r.GetAttr("name").AsString()).
				PrefixPaths(cty.GetAttrPath("replication").GetAttr("source").GetAttr("rules").IndexInt(i).GetAttr("destination"))...)
		}
	}
	return ps
}

// replicationRulesOf lists the rules of a replication, which may be null or unknown.
func replicationRulesOf(replication cty.Value) []cty.Value {
	if source := findKnownMember(replication, "source"); source != cty.NilVal {
		return source.GetAttr("rules").AsValueSlice()
	}
	return nil
}

// replicationKeyPairsOf lists the pairs of keys of a replication, which may be null or unknown.
func replicationKeyPairsOf(replication cty.Value) []cty.Value {
	if destination := findKnownMember(replication, "destination"); destination != cty.NilVal {
		return destination.GetAttr("keys").AsValueSlice()
	}
	return nil
}

// findKnownMember is NilVal where there is none.
func findKnownMember(v cty.Value, name string) cty.Value {
	if v == cty.NilVal || v.IsNull() || !v.IsWhollyKnown() || v.GetAttr(name).IsNull() {
		return cty.NilVal
	}
	return v.GetAttr(name)
}

// sameReplication passes over the order of rules, which priorities decide, and of
// keys, which the wire does not have.
func sameReplication(p kind.Comparison) bool {
	return canonicalReplication(p.Want.GetAttr("replication")) == canonicalReplication(p.Live.GetAttr("replication"))
}

func canonicalReplication(v cty.Value) string {
	if v.IsNull() {
		return ""
	}
	key := ""
	if source := findKnownMember(v, "source"); source != cty.NilVal {
		key = kind.EmptyIfNull(source.GetAttr("key"))
	}
	texts := func(list []cty.Value) []string {
		out := make([]string, len(list))
		for i, e := range list {
			out[i] = fmt.Sprintf("%#v", e)
		}
		slices.Sort(out)
		return out
	}
	return fmt.Sprintf("%s %q %q", key, texts(replicationRulesOf(v)), texts(replicationKeyPairsOf(v)))
}

// replicationHazards is the hazard of files that are copied no longer, and that of files that go to another
// account.
func replicationHazards(before, after cty.Value) []kind.Hazard {
	var out []kind.Hazard
	say := func(detail string, args ...any) {
		out = append(out, kind.Hazard{Kind: kind.WeakensProtection, Detail: fmt.Sprintf(detail, args...)})
	}
	for _, r := range replicationRulesOf(before) {
		if r.GetAttr("is_enabled").True() && !slices.ContainsFunc(replicationRulesOf(after),
			func(other cty.Value) bool { return copiesAllOf(other, r) }) {
			say("new files%s are no longer copied to bucket %s", underPrefix(r), kind.EmptyIfNull(r.GetAttr("destination")))
		}
	}
	for _, pair := range replicationKeyPairsOf(before) {
		same := func(other cty.Value) bool { return other.GetAttr("source").RawEquals(pair.GetAttr("source")) }
		if !slices.ContainsFunc(replicationKeyPairsOf(after), same) {
			say("copies that are made with the key %s are no longer taken", pair.GetAttr("source").AsString())
		}
	}
	for _, r := range replicationRulesOf(after) {
		out = append(out, replicationRuleHazards(replicationRulesOf(before), r)...)
	}
	slices.SortFunc(out, func(a, b kind.Hazard) int { return cmp.Compare(a.Detail, b.Detail) })
	return out
}

// replicationRuleHazards is the hazard of a rule that copies more than the rules before it did to a bucket that is
// named by its ID: it may be another account's.
func replicationRuleHazards(before []cty.Value, rule cty.Value) []kind.Hazard {
	id, existing := rule.GetAttr("destination").AsString(), rule.GetAttr("include_existing_files").True()
	sentBefore := func(other cty.Value) bool {
		return copiesAllOf(other, rule) && (!existing || other.GetAttr("include_existing_files").True())
	}
	if !isBucketID(id) || rule.GetAttr("is_enabled").False() || slices.ContainsFunc(before, sentBefore) {
		return nil
	}
	which := "new files"
	if existing {
		which = "new files, and those that are there,"
	}
	return []kind.Hazard{{Kind: kind.SendsFiles, UnlessAccountHasID: id, UnlessAccountHasKind: "bucket", Detail: fmt.Sprintf(
		"%s%s are copied to the bucket %s, which this account does not have, as far as the credentials in use see", which,
		underPrefix(rule), id)}}
}

// underPrefix says which files a rule is for: " under PREFIX", "": all.
func underPrefix(rule cty.Value) string {
	prefix := fileNamePrefixOf(rule)
	if prefix == "" {
		return ""
	}
	return " under " + wire.QuoteText(prefix, strconv.Quote)
}

// copiesAllOf reports whether a rule copies all that another one copied.
func copiesAllOf(rule, other cty.Value) bool {
	return rule.GetAttr("is_enabled").True() && rule.GetAttr("destination").RawEquals(other.GetAttr("destination")) &&
		strings.HasPrefix(fileNamePrefixOf(other), fileNamePrefixOf(rule))
}

// refuseLockOnReplicationSource: a bucket that is the source of a replication cannot get Object Lock
// ("Object Lock" in the B2 documentation).
func refuseLockOnReplicationSource(before, after cty.Value) kind.Problems {
	if before.IsNull() || findKnownMember(before.GetAttr("replication"), "source") == cty.NilVal {
		return nil
	}
	lock, want := before.GetAttr("file_lock_enabled"), after.GetAttr("file_lock_enabled")
	if !lock.IsKnown() || !lock.IsNull() && lock.True() || want.IsNull() || want.False() {
		return nil
	}
	return kind.Errorf("Object Lock cannot be turned on",
		"The bucket is the source of a replication, and B2 turns Object Lock on only where there is none. "+
			"Remove replication.source and apply; then set file_lock_enabled = true and apply; then put replication back.").PrefixPaths(
		cty.GetAttrPath("file_lock_enabled"))
}
