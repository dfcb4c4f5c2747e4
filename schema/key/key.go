// Package key describes the kind "key": application keys.
package key

import (
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agext/levenshtein"
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// Kind is the descriptor of application keys. A key cannot be changed: every
// change makes a new one and deletes the old one.
//
// Attributes and limits: "b2_create_key" and "Application Keys" in the B2
// documentation.
func Kind() *kind.Kind {
	return &kind.Kind{
		Name: "key", Plural: "keys", Provider: "b2_application_key",
		Doc: "An application key: credentials for a program, limited to what it needs. " +
			"B2 shows the secret once, when the key is made; a deliver block says where it goes.",
		Example: example,

		Identity: "name", ID: "application_key_id", Delivers: true,
		Reads:    []string{"listKeys"},
		Attrs:    attrs(),
		Complete: complete,
		Check:    check,
		Gone:     gone,

		List: list, Create: create, Delete: remove,
	}
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
		{Name: "name", Wire: "keyName", Provider: "key_name", Type: str, Required: true,
			Doc:     "Name, unique in the configuration: 1 to 100 letters, digits and dashes.",
			Samples: words("camera"), Check: checkName},
		{Name: "access", Type: str,
			Doc:     "What the key may do, as in the web console: read_write, read_only or write_only. Instead of capabilities.",
			Samples: words(presetNames()...), Check: checkAccess},
		{Name: "capabilities", Wire: "capabilities", Type: cty.List(str), Normal: sorted,
			Doc:     "What the key may do, by B2's names: listFiles, readFiles, writeFiles, … Instead of access.",
			Samples: []cty.Value{cty.ListVal(words("listFiles", "readFiles"))}, Check: checkCapabilities, Same: sameCapabilities},
		{Name: "list_all_bucket_names", Type: cty.Bool, Default: cty.False,
			Doc: "Adds listAllBucketNames: programs that list buckets through the S3 API need it on a key limited to a bucket."},
		{Name: "buckets", Wire: "bucketIds", ReadOne: "bucketId", Provider: "bucket_ids", Type: cty.List(str), Ref: "bucket",
			Doc:    "The buckets the key is limited to, as bucket.photos or by name. Left out: every bucket of the account.",
			Normal: lower, Check: checkBuckets, Hazard: widens, Note: noteBuckets, Samples: []cty.Value{cty.ListVal(words("acme-photos"))}},
		{Name: "name_prefix", Wire: "namePrefix", Type: str, Normal: noEmpty, Samples: words("library/"),
			Doc: "Limits the key to files whose names start with this."},
		{Name: "valid_duration", Wire: "validDurationInSeconds", Provider: "valid_duration_in_seconds", Type: str,
			Doc:     "How long the key lives: \"90d\", \"12h\", \"30m\" or a number of seconds; less than 1000 days. Left out: forever.",
			Samples: words("90d", "3600"), Check: checkDuration, Same: sameDuration, Send: sendDuration},

		{Name: "application_key_id", Wire: "applicationKeyId", Type: str, Computed: true, Doc: "The key's ID, the public half of the credentials."},
		{Name: "expiration_timestamp", Wire: "expirationTimestamp", Type: cty.Number, Computed: true, Doc: "When the key expires, in milliseconds since 1970; null: never."},
		{Name: "application_key", Wire: "applicationKey", Type: str, Computed: true, Secret: true,
			Doc: "The secret half. It exists only while the key is being made, for deliveries and outputs."},
	}
}

func words(ss ...string) []cty.Value {
	out := make([]cty.Value, len(ss))
	for i, s := range ss {
		out[i] = cty.StringVal(s)
	}
	return out
}

// complete works out the capabilities that access and list_all_bucket_names
// stand for.
func complete(v map[string]cty.Value) {
	caps, access, all := v["capabilities"], v["access"], v["list_all_bucket_names"]
	if !caps.IsWhollyKnown() || !access.IsKnown() || !all.IsKnown() {
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
	case !access.IsNull() && len(presets(access.AsString())) > 0:
		names = presets(access.AsString())[0]
	default:
		return
	}
	if all.True() && !slices.Contains(names, listAll) {
		names = append(slices.Clone(names), listAll)
	}
	if len(names) > 0 {
		v["capabilities"] = cty.ListVal(words(names...))
	}
}

func checkName(v cty.Value) kind.Problems {
	s := v.AsString()
	if len(s) > 100 || !regexp.MustCompile(`^[A-Za-z0-9-]+$`).MatchString(s) {
		return kind.Errorf("Invalid key name", "A key name has 1 to 100 letters, digits and dashes; this is %q.", s)
	}
	return nil
}

func checkAccess(v cty.Value) kind.Problems {
	if presets(v.AsString()) == nil {
		return kind.Errorf("Invalid access", "%q is not a type of access. Use read_write, read_only or write_only, or list capabilities instead.", v.AsString())
	}
	return nil
}

func checkCapabilities(v cty.Value) kind.Problems {
	if v.LengthInt() == 0 {
		return kind.Errorf("No capabilities", "A key without capabilities can do nothing and B2 refuses it. List at least one, or use access.")
	}
	var ps kind.Problems
	for _, c := range v.AsValueSlice() {
		if c.IsNull() {
			ps = append(ps, kind.Errorf("Invalid capability", "An element of capabilities is null; leave it out instead.")...)
			continue
		}
		if s := c.AsString(); !slices.Contains(known(), s) {
			ps = append(ps, kind.Warnf("Unknown capability", "b2form does not know the capability %q and passes it on as it is.%s", s, didYouMean(s))...)
		}
	}
	return ps
}

func didYouMean(s string) string {
	best, at := "", 4
	for _, k := range known() {
		if d := levenshtein.Distance(strings.ToLower(s), strings.ToLower(k), nil); d < at {
			best, at = k, d
		}
	}
	if best == "" {
		return ""
	}
	return " Did you mean " + strconv.Quote(best) + "?"
}

func checkBuckets(v cty.Value) kind.Problems {
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

func check(v cty.Value) kind.Problems {
	caps, access := v.GetAttr("capabilities"), v.GetAttr("access")
	if caps.IsNull() && access.IsNull() {
		return kind.Errorf("Missing access", "Say what the key may do: access = \"read_write\" (or read_only, write_only), or a list of capabilities.")
	}
	if v.GetAttr("buckets").IsNull() || !caps.IsWhollyKnown() || caps.IsNull() {
		return nil
	}
	var ps kind.Problems
	for _, c := range caps.AsValueSlice() {
		if slices.Contains(accountOnly(), c.AsString()) {
			ps = append(ps, kind.Errorf("Capability needs the whole account",
				"B2 does not give %s to a key that is limited to buckets. Leave buckets out or remove the capability.", c.AsString()).At(cty.GetAttrPath("capabilities"))...)
		}
	}
	return ps
}

// lower folds the case of bucket names, which means nothing to B2.
func lower(v cty.Value) cty.Value { return normalise(v, strings.ToLower) }

// sorted gives lists whose order and repetitions mean nothing one form.
func sorted(v cty.Value) cty.Value { return normalise(v, func(s string) string { return s }) }

func normalise(v cty.Value, fold func(string) string) cty.Value {
	if v.LengthInt() == 0 || !v.IsWhollyKnown() {
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
	return cty.ListVal(words(slices.Compact(names)...))
}

func noEmpty(v cty.Value) cty.Value {
	if v.AsString() == "" {
		return cty.NullVal(cty.String)
	}
	return v
}

func widens(before, after cty.Value) []kind.Hazard {
	if !after.IsNull() || before != cty.NilVal && before.IsNull() {
		return nil
	}
	return []kind.Hazard{{Kind: kind.AccountWide, Detail: "the key reaches every bucket of the account, also those made later"}}
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

func gone(cty.Value) []kind.Hazard {
	return []kind.Hazard{{Kind: kind.RevokesAccess, Detail: "programs that use the old key lose access"}}
}

// seconds reads a duration; ok is false where it is none.
func seconds(s string) (n int64, ok bool) {
	unit, number := int64(1), s
	units := map[string]int64{"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
	if len(s) > 0 {
		if u, has := units[s[len(s)-1:]]; has {
			unit, number = u, s[:len(s)-1]
		}
	}
	f, _, err := big.ParseFloat(number, 10, 64, big.ToNearestEven)
	if err != nil {
		return 0, false
	}
	n, acc := f.Int64()
	if acc != big.Exact || n > 1<<40 {
		return 0, false
	}
	return n * unit, true
}

const thousandDays = 1000 * 86400

func checkDuration(v cty.Value) kind.Problems {
	n, ok := seconds(v.AsString())
	if !ok {
		return kind.Errorf("Invalid duration", "%q is not a duration. Write \"90d\", \"12h\", \"30m\" or a number of seconds.", v.AsString())
	}
	if n < 1 || n >= thousandDays {
		return kind.Errorf("Invalid duration", "A key lives for at least 1 second and less than 1000 days; %q is %d seconds.", v.AsString(), n)
	}
	return nil
}

func sendDuration(v cty.Value) any {
	n, _ := seconds(v.AsString())
	return n
}

// tolerance covers the difference between B2's clock and ours.
const tolerance = 10 * time.Minute

// sameDuration compares the wanted life with the live expiry. When the key was
// made is known only from the state; without it any expiry is as wanted.
func sameDuration(p kind.Pair) bool {
	want, expires := p.Want.GetAttr("valid_duration"), p.Live.GetAttr("expiration_timestamp")
	if want.IsNull() || expires.IsNull() {
		return want.IsNull() && expires.IsNull()
	}
	if p.Entry == nil || p.Entry.Created.IsZero() || !p.Entry.Adopted.IsZero() {
		return true
	}
	n, _ := seconds(want.AsString())
	ms, _ := expires.AsBigFloat().Int64()
	life := time.UnixMilli(ms).Sub(p.Entry.Created)
	return (life - time.Duration(n)*time.Second).Abs() <= min(tolerance, time.Duration(n)*time.Second/2)
}
