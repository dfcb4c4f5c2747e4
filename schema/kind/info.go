package kind

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// maxInfoPairs is how many info pairs a bucket or a file has at most.
const maxInfoPairs = 10

var legalInfoKey = regexp.MustCompile("^[A-Za-z0-9\\-_.`~!#$%^&*'|+]+$")

// NormalizeInfo gives info pairs the form in which B2 answers them: keys in lower case.
// Where two keys differ in case only, the pairs stay as they are.
func NormalizeInfo(v cty.Value) cty.Value {
	if v.LengthInt() == 0 || !v.IsWhollyKnown() {
		return v
	}
	m := v.AsValueMap()
	out := make(map[string]cty.Value, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out[strings.ToLower(k)] = m[k]
	}
	if len(out) < len(m) {
		return v
	}
	return cty.MapVal(out)
}

// CheckInfo judges what info pairs of buckets and of files have in common
// ("b2_create_bucket", "b2_upload_file"). checkKey judges a key in lower case beside
// that; where it finds nothing the pair is good. owner is their owner: "bucket".
func CheckInfo(ownerKind string, v cty.Value, checkKey func(key string) Problems) Problems {
	m := v.AsValueMap()
	if len(m) > maxInfoPairs {
		return Errorf("Too many info pairs", "A %s's info holds at most %d pairs; these are %d.", ownerKind, maxInfoPairs, len(m))
	}
	var ps Problems
	seen := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		at := cty.IndexStringPath(k)
		folded := strings.ToLower(k)
		other, twice := seen[folded]
		seen[folded] = k
		switch {
		case twice:
			ps = append(ps, Errorf("Duplicate info key", "The keys %q and %q differ in case only, which B2 does not tell apart.", other,
				k).PrefixPaths(at)...)
		case len(k) > 50 || !legalInfoKey.MatchString(k):
			ps = append(ps, Errorf("Invalid info key", "The key %q must have 1 to 50 letters, digits or characters of -_.`~!#$%%^&*'|+.",
				k).PrefixPaths(at)...)
		case m[k].IsNull():
			ps = append(ps, Errorf("Invalid info value", "The value of %q is null; leave the pair out instead.", k).PrefixPaths(at)...)
		default:
			ps = append(ps, checkKey(folded).PrefixPaths(at)...)
		}
	}
	return ps
}
