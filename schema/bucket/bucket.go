// Package bucket describes the kind "bucket".
package bucket

import (
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
	"b2form/schema/wire"
)

// Kind is the descriptor of B2 buckets.
//
// Attributes, limits and what absence means: "b2_create_bucket",
// "b2_update_bucket" and "Buckets" in the B2 documentation.
func Kind() *kind.Kind {
	return &kind.Kind{
		Name: "bucket", Plural: "buckets", Terraform: kind.Terraform{Type: "b2_bucket", Hints: []kind.TerraformArgHint{
			{Name: "file_lock_configuration", Advice: "Write file_lock_enabled = true instead of is_file_lock_enabled, and a " +
				"block default_retention with mode, duration and unit, directly in the bucket, without file_lock_configuration { }."},
			{Name: "period", InNestedBlock: true, Advice: "Write duration and unit directly, without a period block."},
		}},
		Doc: "A bucket: a container for files with a name that is unique across all of B2, " +
			"rules about how long versions of files are kept, and defaults for what is uploaded.",
		Example: example,

		IdentityAttr: "name", FoldCaseBeforeSlash: true, IDAttr: "id",
		ReadCapabilities: []string{"listBuckets"},
		Attrs:            attrs(),
		Constraints:      constraints(),
		Check:            checkBucket,
		CheckChange:      checkChange,
		Destroy: kind.DestroyBehavior{ForceAttr: "force_destroy",
			ForcedDestroyCapabilities: []string{"deleteBuckets", "deleteFiles", "listFiles"},
			Hazards:                   destroyHazards, CountContents: countVersions, CountCapability: "listFiles",
			CheckDelete: checkHoldsNoState, NotEmptyError: notEmptyError, IsHarmlessIfGone: true},
		AllowedObjects: allowedBuckets,
		Volatile:       volatileAttrs,

		Verbs: kind.Verbs{List: listAllowedBuckets, Create: create, NameTakenCode: "duplicate_bucket_name", Update: update, Delete: remove,
			WriteCapability: "writeBuckets", DeleteCapability: "deleteBuckets"},
	}
}

// allowedBuckets are the buckets that credentials are limited to ("Application Key
// Capabilities": they see no others).
func allowedBuckets(a *wire.Account) (list []wire.AllowedBucket, limited bool) {
	return a.AllowedBuckets, a.AllowedBuckets != nil
}

const example = `bucket "photos" {
  name            = "acme-photos"
  type            = "allPrivate"
  info            = { team = "web" }
  lifecycle_rules = keep_only_last_version()
}
`

func attrs() []kind.Attr {
	return []kind.Attr{
		{Name: "name", WirePath: "bucketName", TerraformName: "bucket_name", Type: cty.String, Required: true, Immutable: true,
			Doc:     "Name, unique across all accounts: 6 to 63 letters, digits and dashes, not starting with b2-.",
			Samples: []cty.Value{cty.StringVal("acme-photos")}, Compare: kind.Compare{Equal: sameNameFoldCase}, Check: checkBucketName},
		{Name: "type", WirePath: "bucketType", Encoding: kind.Encoding{AbsentIsNull: true}, TerraformName: "bucket_type",
			Type:    cty.String,
			Default: cty.StringVal("allPrivate"),
			Doc:     "Who may download: allPrivate (who has a key) or allPublic (anyone).",
			Samples: kind.StringValues("allPrivate", "allPublic"), Check: checkBucketType,
			Hazards: publicHazards},
		{Name: "info", WirePath: "bucketInfo", TerraformName: "bucket_info", Type: cty.Map(cty.String),
			Default: cty.MapValEmpty(cty.String),
			Doc:     "Up to 10 pairs of your own; keys fold to lower case. The key cache-control is sent with downloads.",
			Samples: []cty.Value{cty.MapVal(map[string]cty.Value{"team": cty.StringVal("web")})},
			Compare: kind.Compare{Normalize: kind.NormalizeInfo, StripB2formData: withoutReservedInfo}, Check: checkBucketInfo},
		{Name: "lifecycle_rules", WirePath: "lifecycleRules", Object: lifecycleRuleAttrs(), Many: true, Default: noLifecycleRules(),
			Doc: "When versions of files are hidden and deleted. Presets: keep_only_last_version(), keep_prior_versions(days), " +
				"keep_all_versions().",
			Compare: kind.Compare{Normalize: sortByPrefix}, Check: checkLifecycleRules, Hazards: lifecycleHazards,
			Note: noteLifecyclePreset},
		{Name: "cors_rules", WirePath: "corsRules", Object: corsAttrs(), Many: true, Default: noCORSRules(),
			Doc: "Which web pages of other origins may use the bucket; the first rule that fits decides. " +
				"Presets: cors_for_downloads(origins), cors_for_browser_uploads(origins).",
			Check: checkCORSRules, Note: noteIfAllCORSPresets},
		{Name: "default_server_side_encryption", WirePath: "defaultServerSideEncryption", Object: encryptionAttrs(), KeepLive: true,
			ReadCapability: "readBucketEncryption", WriteCapability: "writeBucketEncryption",
			Doc: "How new files are encrypted. B2 encrypts with SSE-B2 by itself since September 2026; left out, it is left " +
				"alone."},
		{Name: "file_lock_enabled", WirePath: "fileLockEnabled",
			Encoding: kind.Encoding{ReadPath: "fileLockConfiguration.isFileLockEnabled"},
			Type:     cty.Bool, KeepLive: true, Hazards: objectLockHazards,
			ReadCapability: "readBucketRetentions", WriteCapability: "writeBucketRetentions",
			Doc: "Object Lock. It can be turned on at any time and never off; left out, it is left alone."},
		{Name: "default_retention", WirePath: "defaultRetention",
			Encoding: kind.Encoding{ReadPath: "fileLockConfiguration.defaultRetention", ClearWith: map[string]any{"mode": nil}},
			Object:   retentionAttrs(), Deferred: true,
			ReadCapability: "readBucketRetentions", WriteCapability: "writeBucketRetentions",
			Doc: "How long new files are protected from deletion; needs file_lock_enabled.", Check: checkRetentionLength,
			Hazards: retentionHazards},
		replicationAttr(),
		{Name: "force_destroy", Type: cty.Bool, Default: cty.False, WriteCapability: "deleteFiles",
			Doc: "Destroying the bucket first deletes every file version in it. The state remembers it for when the block is gone."},

		{Name: "id", WirePath: "bucketId", TerraformName: "bucket_id", Type: cty.String, Computed: true, Doc: "B2's ID of the bucket."},
		{Name: "account_id", WirePath: "accountId", Type: cty.String, Computed: true,
			Encoding: kind.Encoding{ShowsKnownAfterApply: omitKnownAfterApply},
			Doc:      "The account that owns the bucket."},
		{Name: "revision", WirePath: "revision", Type: cty.Number, Computed: true, Doc: "B2's counter of updates."},
		{Name: "options", WirePath: "options", Type: cty.List(cty.String), Computed: true,
			Encoding: kind.Encoding{ShowsKnownAfterApply: omitKnownAfterApply},
			Doc:      "s3: the bucket can be used through the S3 API."},
		{Name: "s3_endpoint", Type: cty.String, Computed: true, FromAccount: s3Endpoint,
			Doc: "URL of the S3 API: https://s3.us-west-004.backblazeb2.com."},
		{Name: "s3_region", Type: cty.String, Computed: true, FromAccount: s3Region, Doc: "Region of the S3 API: us-west-004."},
		{Name: "download_url", Type: cty.String, Computed: true, FromAccount: downloadURL, Doc: "URL that native downloads start with: " +
			"https://f004.backblazeb2.com."},
		{Name: "api_url", Type: cty.String, Computed: true, FromAccount: apiURL, Doc: "URL to which native calls go but for the one that " +
			"authorizes: https://api004.backblazeb2.com."},
	}
}

// omitKnownAfterApply is about what B2 answers for every new bucket in the same way.
func omitKnownAfterApply(kind.AttrReader) (shows bool) { return false }

func numberValues(ns ...int64) []cty.Value {
	out := make([]cty.Value, len(ns))
	for i, n := range ns {
		out[i] = cty.NumberIntVal(n)
	}
	return out
}

func sameNameFoldCase(p kind.Comparison) bool {
	return strings.EqualFold(p.Want.GetAttr("name").AsString(), p.Live.GetAttr("name").AsString())
}

func s3Endpoint(a *wire.Account) cty.Value  { return cty.StringVal(a.S3URL) }
func downloadURL(a *wire.Account) cty.Value { return cty.StringVal(a.DownloadURL) }
func apiURL(a *wire.Account) cty.Value      { return cty.StringVal(a.APIURL) }

// s3Region is the part of the S3 host between "s3." and ".backblazeb2.com".
func s3Region(a *wire.Account) cty.Value { return cty.StringVal(a.S3Region()) }

func encryptionAttrs() []kind.Attr {
	return []kind.Attr{
		{Name: "mode", WirePath: "mode", Encoding: kind.Encoding{AbsentIsNull: true}, Type: cty.String, Default: cty.StringVal("SSE-B2"),
			Samples: kind.StringValues("SSE-B2"),
			Doc:     "SSE-B2: B2 holds the keys.", Check: checkEncryptionMode},
		{Name: "algorithm", WirePath: "algorithm", Encoding: kind.Encoding{AbsentIsNull: true}, Type: cty.String,
			Default: cty.StringVal("AES256"), Samples: kind.StringValues("AES256"),
			Doc: "AES256.", Check: checkOneOf("encryption algorithm", "AES256")},
	}
}

func retentionAttrs() []kind.Attr {
	return []kind.Attr{
		{Name: "mode", WirePath: "mode", Type: cty.String, Required: true, Samples: kind.StringValues("governance", "compliance"),
			Doc:   "governance (who has bypassGovernance may delete) or compliance (nobody may).",
			Check: checkOneOf("retention mode", "governance", "compliance")},
		{Name: "duration", WirePath: "period.duration", Type: cty.Number, Required: true, Samples: numberValues(1, 30),
			Doc: "How many units; 1 to 3000 days in all.", Check: checkWholeAtLeastOne},
		{Name: "unit", WirePath: "period.unit", Type: cty.String, Default: cty.StringVal("days"),
			Samples: kind.StringValues("days", "years"),
			Doc:     "days or years.", Check: checkOneOf("retention unit", "days", "years")},
	}
}

func checkBucket(v kind.Values) kind.Problems {
	return append(checkRetentionNeedsLock(v), checkSelfReplication(v)...)
}

func checkRetentionNeedsLock(v kind.Values) kind.Problems {
	lock, retention := v.GetAttr("file_lock_enabled"), v.GetAttr("default_retention")
	if lock.IsKnown() && !lock.IsNull() && lock.False() && retention.IsKnown() && !retention.IsNull() {
		return kind.Errorf("Default retention needs Object Lock",
			"A bucket with default_retention must also have file_lock_enabled = true; here it is false.").PrefixPaths(
			cty.GetAttrPath("default_retention"))
	}
	return nil
}

func checkChange(before, after cty.Value) kind.Problems {
	return slices.Concat(checkLockAndRetentionChange(before, after), refuseLockOnReplicationSource(before, after),
		warnDotsInNewName(before, after))
}

func checkLockAndRetentionChange(before, after cty.Value) kind.Problems {
	live := cty.NullVal(cty.Bool)
	if !before.IsNull() {
		live = before.GetAttr("file_lock_enabled")
	}
	if !live.IsKnown() {
		return nil
	}
	locked := !live.IsNull() && live.True()
	want := after.GetAttr("file_lock_enabled")
	if locked && !want.IsNull() && want.False() {
		return kind.Errorf("Object Lock cannot be turned off",
			"The bucket has Object Lock enabled, which B2 never undoes. Set file_lock_enabled = true or leave it out.").PrefixPaths(
			cty.GetAttrPath("file_lock_enabled"))
	}
	if !locked && want.IsNull() && !after.GetAttr("default_retention").IsNull() {
		return kind.Errorf("Default retention needs Object Lock",
			"The bucket has no Object Lock. Set file_lock_enabled = true beside default_retention; it cannot be turned off again.").
			PrefixPaths(cty.GetAttrPath("default_retention"))
	}
	return nil
}
