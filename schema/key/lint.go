package key

import (
	"slices"
	"strings"

	"b2form/schema/kind"
)

// lint names what is wider about a key than most programs need. want is null
// where the key is not declared, live where it is not made.
func lint(want, live kind.AttrReader) []kind.Finding {
	v := live
	if v.IsNull() {
		v = want
	}
	given := v.GetAttr("capabilities")
	if !given.IsWhollyKnown() {
		return nil // it depends on a variable without a value
	}
	caps := kind.StringsIfWhollyKnown(given)
	var out []kind.Finding
	if v.GetAttr("buckets").IsNull() && slices.ContainsFunc(caps, changesStoredData) {
		out = append(out, kind.Finding{Rule: kind.AllBucketsWrite, Attr: "buckets",
			Detail: "it may change or delete files in every bucket of the account, also in those made later; limit it with buckets, or " +
				"to reading"})
	}
	if slices.Contains(caps, "writeKeys") {
		out = append(out, kind.Finding{Rule: kind.ManagesKeys, Attr: "capabilities",
			Detail: "it may make keys (writeKeys) that may do anything, so it is as good as the master key"})
	}
	if neverExpiresNorRotates(want, live) {
		out = append(out, kind.Finding{Rule: kind.NoExpiry, Attr: "valid_duration",
			Detail: "it works until somebody deletes it; give it a valid_duration, or rotate it"})
	}
	return out
}

// lintCannotListBuckets finds a key for files that may not list buckets. Backblaze's SDKs look a bucket up
// by b2_list_buckets, and HeadBucket of the S3 API needs the capability too ("Application Key
// Capabilities").
func lintCannotListBuckets(want kind.AttrReader) []kind.Finding {
	caps := want.GetAttr("capabilities")
	if caps.IsNull() || !caps.IsWhollyKnown() {
		return nil // another check speaks of it, or a variable has no value
	}
	files := false
	for it := caps.ElementIterator(); it.Next(); {
		_, c := it.Element()
		switch {
		case c.IsNull() || c.AsString() == "listBuckets":
			return nil
		case strings.HasSuffix(c.AsString(), "Files"):
			files = true
		}
	}
	if !files {
		return nil
	}
	return []kind.Finding{{Rule: kind.NoListBuckets, Attr: "capabilities",
		Detail: "it may not list buckets, which Backblaze's SDKs, most programs made with them and HeadBucket of S3 programs need; add " +
			"listBuckets"}}
}

// changesStoredData reports whether a capability lets a key change what is stored.
func changesStoredData(capability string) bool {
	return strings.HasPrefix(capability, "write") && capability != "writeKeys" || capability == "deleteFiles" ||
		capability == "deleteBuckets" || capability == "bypassGovernance"
}

// neverExpiresNorRotates reports whether nothing ends the key: no expiry, and no rotation that
// is known of.
func neverExpiresNorRotates(want, live kind.AttrReader) bool {
	if !want.IsNull() && !want.GetAttr("rotate").IsNull() {
		return false
	}
	if !live.IsNull() {
		return live.GetAttr(expiryAttr).IsNull()
	}
	return want.GetAttr("valid_duration").IsNull()
}
