package config

import (
	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// MultiBucketAttr is the attribute that limits an object to one other in older API versions and
// to several in the newest; nil: the kind has none.
func MultiBucketAttr(k *kind.Kind) *kind.Attr {
	for i := range k.Attrs {
		if a := &k.Attrs[i]; a.Link.RefKind != "" && a.Encoding.SingleValueReadPath != "" {
			return a
		}
	}
	return nil
}

// NeedsMultiBucket recognises what only the newest API version makes and lists: an object limited
// to several others ("b2_list_keys", multi-bucket application keys). What is not known yet may be so.
func NeedsMultiBucket(k *kind.Kind, object kind.AttrReader) bool {
	a := MultiBucketAttr(k)
	if a == nil {
		return false
	}
	v := object.GetAttr(a.Name)
	return !v.IsNull() && (!v.IsKnown() || v.Type() != cty.String && v.LengthInt() > 1)
}
