package bucket

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
	"b2form/schema/wire"
)

var (
	legalName     = regexp.MustCompile(`^[A-Za-z0-9.-]+$`)
	legalRuleName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
)

// checkBucketName follows "b2_create_bucket" (length, characters, prefix) and what
// Backblaze's newer code adds about dots.
func checkBucketName(v cty.Value) kind.Problems {
	s := v.AsString()
	const summary = "Invalid bucket name"
	switch {
	case len(s) < 6 || len(s) > 63:
		return kind.Errorf(summary, "A bucket name has 6 to 63 characters; %q has %d.", s, len(s))
	case strings.HasPrefix(strings.ToLower(s), "b2-"):
		return kind.Errorf(summary, "Bucket names that start with \"b2-\" are reserved by Backblaze.")
	case !legalName.MatchString(s):
		return kind.Errorf(summary, "A bucket name holds letters, digits and dashes only; %q holds something else.", s)
	case !strings.Contains(s, "."):
		return nil
	case strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") || strings.Contains(s, ".."):
		return kind.Errorf(summary, "A dot in a bucket name stands alone and neither first nor last.")
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return kind.Errorf(summary, "A bucket name must not look like an IP address.")
	}
	return nil
}

// warnDotsInNewName speaks before the bucket is made: no name can be changed afterwards.
func warnDotsInNewName(before, after cty.Value) kind.Problems {
	if name := after.GetAttr("name"); !before.IsNull() || name.IsNull() || !name.IsKnown() || !strings.Contains(name.AsString(), ".") {
		return nil
	}
	return kind.Warnf("Dots in a bucket name",
		"B2 began to accept dots in bucket names only lately, and TLS certificates do not cover such names in virtual-host style S3 "+
			"URLs. Dashes are safer, and the name cannot be changed later.").PrefixPaths(cty.GetAttrPath("name"))
}

// checkCORSRuleName follows "Cross-Origin Resource Sharing Rules".
func checkCORSRuleName(v cty.Value) kind.Problems {
	s := v.AsString()
	if len(s) < 6 || len(s) > 63 || strings.HasPrefix(s, "b2-") || !legalRuleName.MatchString(s) {
		return kind.Errorf("Invalid CORS rule name", "The name of a CORS rule has 6 to 63 letters, digits and dashes and does not start "+
			"with \"b2-\"; this is %q.", s)
	}
	return nil
}

func checkCORSOperations(v cty.Value) kind.Problems {
	if v.LengthInt() == 0 {
		return kind.Errorf("CORS rule without operations", "Name at least one of %s.", strings.Join(corsOperations(), ", "))
	}
	var ps kind.Problems
	for _, op := range v.AsValueSlice() {
		if op.IsNull() || !slices.Contains(corsOperations(), op.AsString()) {
			ps = append(ps, kind.Errorf("Unknown CORS operation", "%s is not an operation that CORS rules know. Use %s.", quoteOrNull(op),
				strings.Join(corsOperations(), ", "))...)
		}
	}
	return ps
}

func quoteOrNull(v cty.Value) string {
	if v.IsNull() {
		return "null"
	}
	return `"` + v.AsString() + `"`
}

func checkOneOf(valueName string, legal ...string) func(cty.Value) kind.Problems {
	return func(v cty.Value) kind.Problems {
		s := v.AsString()
		if slices.Contains(legal, s) {
			return nil
		}
		for _, l := range legal {
			if strings.EqualFold(l, s) {
				return kind.Errorf("Invalid "+valueName, "%q is not a %s. Did you mean %q?", s, valueName, l)
			}
		}
		return kind.Errorf("Invalid "+valueName, "%q is not a %s. Use %s.", s, valueName, strings.Join(legal, " or "))
	}
}

// checkBucketType also tells why a live bucket may have another type: B2 itself makes buckets for
// snapshots and for reports ("b2_list_buckets").
func checkBucketType(v cty.Value) kind.Problems {
	problems := checkOneOf("bucket type", "allPrivate", "allPublic")(v)
	for i := range problems {
		problems[i].Detail += " Buckets of other types are made by B2 alone."
	}
	return problems
}

// checkEncryptionMode: B2 refuses "none" since September 2026 and never took SSE-C as a
// default ("Use Server-Side Encryption with the B2 Native API").
func checkEncryptionMode(v cty.Value) kind.Problems {
	switch s := v.AsString(); strings.ToLower(s) {
	case "none", "":
		return kind.Errorf("Encryption cannot be turned off",
			"B2 encrypts every new file since September 2026 and no longer accepts %q. Use \"SSE-B2\" or leave "+
				"default_server_side_encryption out.", s)
	case "sse-c":
		return kind.Errorf("Invalid encryption mode", "SSE-C is chosen for each upload; as a bucket's default use \"SSE-B2\".")
	}
	return checkOneOf("encryption mode", "SSE-B2")(v)
}

// checkBucketInfo follows the limits of bucketInfo in "b2_create_bucket".
func checkBucketInfo(v cty.Value) kind.Problems {
	ps := kind.CheckInfo("bucket", v, func(key string) kind.Problems {
		switch {
		case strings.HasPrefix(key, "b2-"):
			return kind.Errorf("Invalid info key", "Info keys that start with \"b2-\" are reserved by Backblaze; rename %q.", key)
		case isReservedInfoKey(key):
			return kind.Errorf("Invalid info key", "Info keys that start with %q are where b2form finds its state; rename %q.",
				wire.ReservedInfoPrefix, key)
		}
		return nil
	})
	size := 0
	for _, pair := range v.AsValueMap() {
		if !pair.IsNull() {
			size += len(pair.AsString())
		}
	}
	if size > 10000 {
		ps = append(ps, kind.Errorf("Info too long", "The values of a bucket's info have at most 10,000 bytes together; these have %d.",
			size)...)
	}
	return ps
}

// checkRetentionLength follows "Object Lock": 1 to 3000 days.
func checkRetentionLength(v cty.Value) kind.Problems {
	if retentionDays(v) > 3000 {
		return kind.Errorf("Retention too long", "Default retention lasts at most 3000 days.").PrefixPaths(cty.GetAttrPath("duration"))
	}
	return nil
}

// retentionDays is how long a retention protects, 0 where there is none.
func retentionDays(retention cty.Value) int64 {
	if retention == cty.NilVal || retention.IsNull() || !retention.IsWhollyKnown() || retention.GetAttr("duration").IsNull() {
		return 0
	}
	n, _ := retention.GetAttr("duration").AsBigFloat().Int64()
	if u := retention.GetAttr("unit"); !u.IsNull() && u.AsString() == "years" {
		n *= 365
	}
	return n
}

func publicHazards(_, after cty.Value) []kind.Hazard {
	if after.AsString() != "allPublic" {
		return nil
	}
	return []kind.Hazard{{Kind: kind.ExposesFiles, Detail: "anyone can download every file in the bucket"}}
}

func objectLockHazards(_, after cty.Value) []kind.Hazard {
	if after.IsNull() || after.False() {
		return nil
	}
	return []kind.Hazard{{Kind: kind.Irreversible, Detail: "Object Lock cannot be turned off again"}}
}

func retentionHazards(before, after cty.Value) []kind.Hazard {
	var out []kind.Hazard
	if !after.IsNull() && after.GetAttr("mode").AsString() == "compliance" {
		out = append(out, kind.Hazard{Kind: kind.Irreversible, Detail: "files uploaded under compliance retention cannot be deleted by " +
			"anyone before it ends"})
	}
	if before == cty.NilVal || before.IsNull() || !before.IsKnown() {
		return out
	}
	softer := !after.IsNull() && kind.EmptyIfNull(before.GetAttr("mode")) == "compliance" &&
		after.GetAttr("mode").AsString() != "compliance"
	if after.IsNull() || retentionDays(after) < retentionDays(before) || softer {
		out = append(out, kind.Hazard{Kind: kind.WeakensProtection, Detail: "new files are protected for a shorter time, or less strictly"})
	}
	return out
}

func destroyHazards(force, _ bool) []kind.Hazard {
	if !force {
		return nil
	}
	return []kind.Hazard{{Kind: kind.DeletesData, Detail: "every file version in the bucket is deleted first"}}
}
