package key

import (
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
	"b2form/schema/wire"
)

// diffGrant names the attributes in which what b2_authorize_account says of a
// key is not what the key was made with.
func diffGrant(want cty.Value, a *wire.Account) (differingAttrs []string) {
	var out []string
	differ := func(name string, is bool) {
		if is {
			out = append(out, name)
		}
	}
	var buckets []string
	for _, b := range a.AllowedBuckets {
		buckets = append(buckets, strings.ToLower(b.Name))
	}
	prefix := ""
	if v := want.GetAttr("name_prefix"); !v.IsNull() {
		prefix = wire.UnescapeText(v.AsString())
	}
	differ("capabilities", !equalSets(kind.StringsIfWhollyKnown(want.GetAttr("capabilities")), a.Capabilities))
	differ("buckets", !equalSets(kind.StringsIfWhollyKnown(want.GetAttr("buckets")), buckets))
	differ("name_prefix", prefix != a.NamePrefix)
	differ("valid_duration", want.GetAttr("valid_duration").IsNull() != a.KeyExpires.IsZero())
	return out
}

// equalSets compares as sets.
func equalSets(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}
