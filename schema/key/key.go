// Package key describes the kind "key": application keys.
package key

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/zclconf/go-cty/cty"

	"b2form/internal/words"
	"b2form/schema/kind"
)

// Kind is the descriptor of application keys. A key cannot be changed: every
// change makes a new one and deletes the old one.
//
// Attributes and limits: "b2_create_key" and "Application Keys" in the B2
// documentation.
func Kind() *kind.Kind {
	return &kind.Kind{
		Name: "key", Plural: "keys", Terraform: kind.Terraform{Type: "b2_application_key",
			Hints: []kind.TerraformArgHint{{Name: "bucket_id", Advice: "Write buckets = [bucket.NAME] instead of bucket_id."}}},
		Doc: "An application key: credentials for a program, limited to what it needs. " +
			"B2 shows the secret once, when the key is made; a deliver block says where it goes.",
		Example: example,

		IdentityAttr: "name", IDAttr: "application_key_id", NamesRepeat: true,
		ReadCapabilities: []string{"listKeys"},
		Attrs:            attrs(),
		Constraints:      constraints(),
		DeriveAttrs:      deriveCapabilities,
		Check:            checkKey,
		Destroy:          kind.DestroyBehavior{Hazards: destroyHazards, IsHarmlessIfGone: true},
		Credential: &kind.CredentialKind{Rotation: rotation, ExpiryAttr: expiryAttr, CreatedAt: createdAtByExpiry, Life: declaredLife,
			Reach: reach, DiffGrant: diffGrant, ReplaceDerivedByShorthand: replaceCapabilitiesByAccess,
			Lint: lint, LimitLife: setValidDuration, UnusableFindings: lintCannotListBuckets},

		Verbs: kind.Verbs{List: list, Create: create, Delete: remove, WriteCapability: "writeKeys", DeleteCapability: "deleteKeys"},
	}
}

// reach says what a key is limited to.
func reach(v kind.AttrReader) (buckets []string, namePrefix string) {
	if list := v.GetAttr("buckets"); !list.IsNull() {
		buckets = kind.StringsIfWhollyKnown(list)
	}
	if prefix := v.GetAttr("name_prefix"); !prefix.IsNull() {
		namePrefix = prefix.AsString()
	}
	return buckets, namePrefix
}

const example = `bucket "photos" {
  name = "acme-photos"
}

key "camera" {
  name        = "camera"
  access      = "read_write"
  buckets     = [bucket.photos]
  name_prefix = "library/"

  deliver "file" {
    path = "camera.env"
  }
}
`

func attrs() []kind.Attr {
	str := cty.String
	return []kind.Attr{
		{Name: "name", WirePath: "keyName", TerraformName: "key_name", Type: str, Required: true,
			Doc: "Name: 1 to 100 letters, digits and dashes. Several keys may have one, each known by its ID; one that rotates has " +
				"it alone.",
			Samples: kind.StringValues("camera"), Check: checkKeyName, Compare: kind.Compare{Equal: sameNameIgnoringTimestamp}},
		{Name: "access", Type: str,
			Doc: "What the key may do, as in the web console: read_write, read_only or write_only; state: what keeping a state in a " +
				"bucket takes; or what an application takes, as docs/apps tells of each: " + clientProgramsText() +
				". Instead of capabilities.",
			Samples: kind.StringValues(AccessNames()...), Check: checkAccess},
		{Name: "capabilities", WirePath: "capabilities", Type: cty.List(str),
			Compare: kind.Compare{Normalize: sortAndCompact, Equal: sameCapabilitiesOrAccess},
			Hazards: makesKeysHazards,
			Doc: "What the key may do, by B2's names: listFiles, readFiles, writeFiles, …; all_capabilities() for everything. " +
				"Instead of access.",
			Samples: []cty.Value{cty.ListVal(kind.StringValues("listFiles", "readFiles"))}, Check: checkCapabilities,
			WebConsoleName: accessTextForCapabilities},
		{Name: "list_all_bucket_names", Type: cty.Bool, Default: cty.False,
			Doc: "Adds listAllBucketNames, and is true where the capabilities hold it: programs that list buckets through the S3 API " +
				"need it on a key limited to a bucket."},
		{Name: "buckets", WirePath: "bucketIds", Encoding: kind.Encoding{SingleValueReadPath: "bucketId"}, TerraformName: "bucket_ids",
			Type: cty.List(str), Link: kind.Link{RefKind: "bucket"},
			Doc:     "The buckets the key is limited to, as bucket.photos or by name. Left out: every bucket of the account.",
			Compare: kind.Compare{Normalize: lowerSortAndCompact}, Check: checkKeyBuckets, Hazards: allBucketsHazards, Note: noteBuckets,
			Samples: []cty.Value{cty.ListVal(kind.StringValues("acme-photos"))}},
		{Name: "name_prefix", WirePath: "namePrefix", Type: str, Compare: kind.Compare{Normalize: nullIfEmpty},
			Samples: kind.StringValues("library/"), Check: kind.CheckNamePrefix,
			Doc: "Limits the key to files whose names start with this."},
		{Name: "valid_duration", WirePath: "validDurationInSeconds", TerraformName: "valid_duration_in_seconds", Type: str,
			Doc:     "How long the key lives: \"90d\", \"12h\", \"30m\" or a number of seconds; less than 1000 days. Left out: forever.",
			Samples: kind.StringValues("90d", "3600"), Check: checkValidDuration, Compare: kind.Compare{Equal: sameValidDurationIfKnown},
			Encoding: kind.Encoding{Encode: encodeDurationInSeconds, LiveText: expiryText}},
		rotateAttr(),

		{Name: "application_key_id", WirePath: "applicationKeyId", Type: str, Computed: true,
			Doc: "The key's ID, the public half of the credentials."},
		{Name: expiryAttr, WirePath: "expirationTimestamp", Type: cty.Number, Computed: true,
			Encoding: kind.Encoding{IsUnixMillis: true, ShowsKnownAfterApply: mayExpire},
			Doc:      "When the key expires, in milliseconds since 1970; null: never."},
		{Name: "options", WirePath: "options", Type: cty.List(str), Computed: true,
			Encoding: kind.Encoding{ShowsKnownAfterApply: neverShowsKnownAfterApply},
			Doc: "s3: the key can be used with the S3 API; keys " +
				"from before May 2020 cannot."},
		{Name: "application_key", WirePath: "applicationKey", Type: str, Computed: true, Secret: true,
			Doc: "The secret half. It exists only while the key is being made, for deliveries and outputs. No condition may ask for it."},
	}
}

// mayExpire reports whether B2 answers when a key ends.
func mayExpire(want kind.AttrReader) bool { return !want.GetAttr("valid_duration").IsNull() }

// neverShowsKnownAfterApply is about what B2 answers for every new key in the same way.
func neverShowsKnownAfterApply(kind.AttrReader) (shows bool) { return false }

// A capabilityList is what a key may do, and what that says of list_all_bucket_names.
type capabilityList struct{ list, impliedListAll cty.Value }

func newCapabilityList(names []string) capabilityList {
	return capabilityList{cty.ListVal(kind.StringValues(names...)), cty.BoolVal(slices.Contains(names, listAll))}
}

// cachedCapabilitiesByAccess are the capabilities of each access, without and with the one to list
// all bucket names; sorted.
var cachedCapabilitiesByAccess = sync.OnceValue(capabilitiesByAccess)

func capabilitiesByAccess() (withoutAndWithListAll map[string]*[2]capabilityList) {
	out := map[string]*[2]capabilityList{}
	for _, access := range AccessNames() {
		plain := capabilityListsForAccess(access)[0]
		all := append(slices.Clone(plain), listAll)
		slices.Sort(plain)
		slices.Sort(all)
		all = slices.Compact(all)
		out[access] = &[2]capabilityList{newCapabilityList(plain), newCapabilityList(all)}
	}
	return out
}

// pointsToAccessPreset reports whether a list of capabilities is one of those that access
// stands for: the console gives them to keys for one bucket.
func pointsToAccessPreset(caps *cty.Value) bool {
	for _, g := range cachedCapabilitiesByAccess() {
		if caps == &g[0].list || caps == &g[1].list {
			return true
		}
	}
	return false
}

// deriveCapabilities works out the capabilities that access and list_all_bucket_names
// stand for, and whether they list all bucket names.
func deriveCapabilities(v kind.Values) {
	caps, access, all := v.GetAttr("capabilities"), v.GetAttr("access"), v.GetAttr("list_all_bucket_names")
	if !caps.IsKnown() || !access.IsKnown() || !all.IsKnown() {
		return
	}
	var names []string
	switch {
	case !caps.IsNull():
		for _, c := range caps.AsValueSlice() {
			if c.IsNull() {
				return // reported by the check
			}
			names = append(names, c.AsString())
		}
	case !access.IsNull():
		if g, ok := cachedCapabilitiesByAccess()[access.AsString()]; ok {
			which := &g[0]
			if all.True() {
				which = &g[1]
			}
			v.Set("capabilities", &which.list)
			v.Set("list_all_bucket_names", &which.impliedListAll)
		}
		return
	default:
		return
	}
	if all.True() && !slices.Contains(names, listAll) {
		names = append(slices.Clone(names), listAll)
	}
	if len(names) > 0 {
		given := newCapabilityList(names)
		v.Set("capabilities", &given.list)
		v.Set("list_all_bucket_names", &given.impliedListAll)
	}
}

var legalName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// longest is the most characters that a key name may have.
const longest = 100

func checkKeyName(v cty.Value) kind.Problems {
	s := v.AsString()
	if len(s) > longest || !legalName.MatchString(s) {
		return kind.Errorf("Invalid key name", "A key name has 1 to 100 letters, digits and dashes; this is %q.", s)
	}
	return nil
}

func checkAccess(v cty.Value) kind.Problems {
	if capabilityListsForAccess(v.AsString()) == nil {
		return kind.Errorf("Invalid access", "%q is not a type of access.%s Use read_write, read_only, write_only, state, or the name "+
			"of an application: %s. Or list capabilities instead.", v.AsString(),
			words.DidYouMean(strings.Replace(v.AsString(), "+", "_plus", 1), "", AccessNames()), clientProgramsText())
	}
	return nil
}

func checkCapabilities(v cty.Value) kind.Problems {
	if v.LengthInt() == 0 {
		return kind.Errorf("No capabilities", "A key without capabilities can do nothing and B2 refuses it. List at least one, or use "+
			"access.")
	}
	var ps kind.Problems
	known := knownCapabilities()
	for i, c := range v.AsValueSlice() {
		if c.IsNull() {
			ps = append(ps, kind.Errorf("Invalid capability", "An element of capabilities is null; leave it out instead.")...)
			continue
		}
		s := c.AsString()
		if slices.Contains(known, s) { // before all are compared with it
			continue
		}
		switch meant := findSimilarCapability(s); {
		case meant != "":
			ps = append(ps, kind.Errorf("Misspelt capability", "%q is no capability of B2, which would refuse the key. Write %q.", s,
				meant).PrefixPaths(cty.IndexIntPath(i))...)
		default:
			ps = append(ps, kind.Warnf("Unknown capability", "b2form does not know the capability %q and passes it on as it is.%s", s,
				words.DidYouMean(s, "", known)).PrefixPaths(cty.IndexIntPath(i))...)
		}
	}
	return ps
}

func checkKeyBuckets(v cty.Value) kind.Problems {
	if v.LengthInt() == 0 {
		return kind.Errorf("Key without a bucket",
			"The list of buckets is empty. B2 would take that as every bucket of the account; if that is meant, leave buckets out.")
	}
	for _, b := range v.AsValueSlice() {
		if b.IsNull() || b.AsString() == "" {
			return kind.Errorf("Invalid bucket", "An element of buckets is empty; name a bucket, as bucket.photos or by its name.")
		}
	}
	return nil
}

func checkKey(v kind.Values) kind.Problems {
	return append(checkAccessAndCapabilities(v), checkRotation(v)...)
}

func checkAccessAndCapabilities(v kind.Values) kind.Problems {
	caps, access := v.GetAttr("capabilities"), v.GetAttr("access")
	if caps.IsNull() && access.IsNull() {
		return kind.Errorf("Missing access", "Say what the key may do: access = \"read_write\" (or read_only, write_only), or a list of "+
			"capabilities.")
	}
	if !access.IsNull() && !caps.IsNull() && !pointsToAccessPreset(v.Pointer("capabilities")) {
		return kind.Errorf("access and capabilities at once", "What the key may do is said by access or by a list of capabilities, never "+
			"by both: none of them would limit the other. Remove one of them.").PrefixPaths(cty.GetAttrPath("access"))
	}
	if v.GetAttr("buckets").IsNull() || !caps.IsKnown() || caps.IsNull() || pointsToAccessPreset(v.Pointer("capabilities")) {
		return nil
	}
	wide := slices.DeleteFunc(kind.StringsIfWhollyKnown(caps),
		func(c string) bool { return !slices.Contains(accountOnlyCapabilities(), c) })
	if len(wide) == 0 {
		return nil
	}
	return kind.Errorf("Capability needs the whole account", "B2 does not give %s to a key that is limited to buckets. Leave buckets out, "+
		"or leave that out of capabilities.", words.JoinAnd(wide)).PrefixPaths(cty.GetAttrPath("capabilities"))
}

// lowerSortAndCompact folds the case of bucket names, which means nothing to B2.
func lowerSortAndCompact(v cty.Value) cty.Value { return foldSortAndCompact(v, strings.ToLower) }

// sortAndCompact gives lists whose order and repetitions mean nothing one form.
func sortAndCompact(v cty.Value) cty.Value {
	return foldSortAndCompact(v, func(s string) string { return s })
}

func foldSortAndCompact(v cty.Value, fold func(string) string) cty.Value {
	if v.LengthInt() == 0 {
		return v
	}
	names, changed := make([]string, 0, v.LengthInt()), false
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if e.IsNull() {
			return v // reported by the check
		}
		s := fold(e.AsString())
		changed = changed || s != e.AsString() || len(names) > 0 && names[len(names)-1] >= s
		names = append(names, s)
	}
	if !changed {
		return v
	}
	slices.Sort(names)
	return cty.ListVal(kind.StringValues(slices.Compact(names)...))
}

func nullIfEmpty(v cty.Value) cty.Value {
	if v.AsString() == "" {
		return cty.NullVal(cty.String)
	}
	return v
}

func allBucketsHazards(before, after cty.Value) []kind.Hazard {
	if !after.IsNull() || before != cty.NilVal && before.IsNull() {
		return nil
	}
	return []kind.Hazard{{Kind: kind.AccountWide, Detail: "the key reaches every bucket of the account, also those made later"}}
}

// makesKeysHazards is the hazard of keys that can make keys: what is given to them can be
// given on, and outlives them.
func makesKeysHazards(before, after cty.Value) []kind.Hazard {
	could := before != cty.NilVal && slices.Contains(kind.StringsIfWhollyKnown(before), "writeKeys")
	if could || !slices.Contains(kind.StringsIfWhollyKnown(after), "writeKeys") {
		return nil
	}
	return []kind.Hazard{{Kind: kind.AccountWide, Detail: "the key can make keys with any capability for the whole account"}}
}

func noteBuckets(v cty.Value) string {
	switch {
	case v.IsNull():
		return "every bucket of the account"
	case v.LengthInt() > 1:
		return "a key for several buckets works only with programs that speak version 4 of the API, and the web console does not show it"
	}
	return ""
}

func destroyHazards(_, replaced bool) []kind.Hazard {
	detail := "programs that use the key lose access"
	if replaced {
		detail = "programs that use the old key lose access"
	}
	return []kind.Hazard{{Kind: kind.RevokesAccess, Detail: detail}}
}
