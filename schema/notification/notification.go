// Package notification describes the kind "notification_rules": to whom B2 tells
// what happens to the files of a bucket.
package notification

import (
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"b2form/schema/kind"
)

// Kind is the descriptor of the event notification rules of a bucket. A bucket
// has one list of them, which is replaced as a whole; a bucket with an empty
// list has no object of this kind.
//
// Attributes and limits: "b2_set_bucket_notification_rules" and "Event
// Notifications Reference Guide" in the B2 documentation.
func Kind() *kind.Kind {
	return &kind.Kind{
		Name: "notification_rules", Plural: "notification rules", Terraform: kind.Terraform{Type: "b2_bucket_notification_rules"},
		Doc: "All event notification rules of a bucket: web servers that B2 calls when files are uploaded, hidden or deleted. " +
			"Each call is billed as a Class B transaction.",
		Example: example,

		IdentityAttr: "bucket", Parent: &kind.Parent{Attr: "bucket"}, FoldCaseBeforeSlash: true, IDAttr: "bucket_id",
		ReadCapabilities: []string{"readBucketNotifications"},
		Attrs:            attrs(),
		Constraints:      constraints(),
		CheckLive:        warnSuspended,

		Verbs: kind.Verbs{List: list, Create: create, Update: update, Delete: remove,
			WriteCapability: "writeBucketNotifications", DeleteCapability: "writeBucketNotifications"},
	}
}

const example = `variable "signing_secret" {
  type      = string
  sensitive = true
  default   = "0123456789abcdefghijABCDEFGHIJxx"
}

bucket "photos" {
  name = "acme-photos"
}

notification_rules "photos" {
  bucket = bucket.photos

  rules {
    name        = "thumbnails"
    event_types = ["b2:ObjectCreated:*"]
    target_configuration {
      url                        = "https://www.example.com/events"
      hmac_sha256_signing_secret = var.signing_secret
    }
  }
}
`

func attrs() []kind.Attr {
	return []kind.Attr{
		{Name: "bucket", WirePath: "bucketId", TerraformName: "bucket_id", Type: cty.String, Link: kind.Link{RefKind: "bucket"},
			Required:  true,
			Immutable: true,
			Doc:       "The bucket, as bucket.photos or by name.",
			Samples:   kind.StringValues("acme-photos")},
		{Name: "rules", WirePath: "eventNotificationRules", TerraformName: "notification_rules", Object: ruleAttrs(), Many: true,
			Required: true,
			Doc:      "1 to 25 rules, in any order. Two that one event would match are refused.", Check: checkRules,
			Compare: kind.Compare{Normalize: sortByName}},

		{Name: "bucket_id", Encoding: kind.Encoding{ReadPath: "bucketId"}, Type: cty.String, Computed: true, Doc: "B2's ID of the bucket."},
		suspendedRulesAttr(),
	}
}

func ruleAttrs() []kind.Attr {
	return []kind.Attr{
		{Name: "name", WirePath: "name", Type: cty.String, Required: true, Samples: kind.StringValues("thumbnails", "audit-log"),
			Check: checkRuleName,
			Doc:   "Unique in the bucket: 6 to 63 letters, digits and dashes, not starting with b2-."},
		{Name: "event_types", WirePath: "eventTypes", Type: cty.List(cty.String), Required: true,
			Compare: kind.Compare{Normalize: sortAndCompactEventTypes},
			Check:   checkEventTypes,
			Samples: []cty.Value{cty.ListVal(kind.StringValues("b2:ObjectCreated:*")),
				cty.ListVal(kind.StringValues("b2:HideMarkerCreated:Hide", "b2:ObjectDeleted:Delete"))},
			Doc: "What is told: b2:ObjectCreated, b2:ObjectDeleted or b2:HideMarkerCreated, a colon and an action, such as Upload, or * " +
				"for all."},
		{Name: "object_name_prefix", WirePath: "objectNamePrefix", Type: cty.String, Default: cty.StringVal(""),
			Samples: kind.StringValues("", "library/"), Check: kind.CheckNamePrefix,
			Doc: "Only of files whose names start with this."},
		{Name: "is_enabled", WirePath: "isEnabled", Type: cty.Bool, Default: cty.True,
			Doc: "With false the rule is kept and does nothing."},
		{Name: "max_events_per_batch", WirePath: "maxEventsPerBatch", Type: cty.Number, Default: cty.NumberIntVal(1),
			Samples: []cty.Value{cty.NumberIntVal(1), cty.NumberIntVal(50)}, Check: checkBatchSize,
			Doc: "At most so many events in one call, 1 to 50."},
		{Name: "target_configuration", WirePath: "targetConfiguration", Object: targetAttrs(), Required: true,
			Doc: "Who is called."},
	}
}

func targetAttrs() []kind.Attr {
	return []kind.Attr{
		{Name: "target_type", WirePath: "targetType", Type: cty.String, Default: cty.StringVal("webhook"),
			Samples: kind.StringValues("webhook"), Check: checkTargetType,
			Doc: "webhook: the only one there is."},
		{Name: "url", WirePath: "url", Type: cty.String, Required: true, Samples: kind.StringValues("https://www.example.com/events"),
			Check: checkWebhookURL,
			Doc:   "Where events are posted; https only."},
		{Name: "custom_headers", WirePath: "customHeaders", Object: customHeaderAttrs(), Many: true, Default: noCustomHeaders(),
			Check: checkCustomHeaders,
			Doc:   "Up to 10 headers that every call carries, each name once."},
		{Name: "hmac_sha256_signing_secret", WirePath: "hmacSha256SigningSecret", Type: cty.String, Secret: true, Check: checkSigningSecret,
			Samples: kind.StringValues("0123456789abcdefghijABCDEFGHIJxx"),
			Doc:     "32 letters and digits with which B2 signs its calls. Who may read the rules may read it."},
	}
}

func customHeaderAttrs() []kind.Attr {
	return []kind.Attr{
		{Name: "name", WirePath: "name", Type: cty.String, Required: true, Samples: kind.StringValues("X-Team"),
			Check: checkHeaderName, Doc: "Name of the header."},
		{Name: "value", WirePath: "value", Type: cty.String, Required: true, Secret: true, Samples: kind.StringValues("web"),
			Check: checkHeaderValue, Doc: "Its value."},
	}
}

// sortByName brings rules into one order: B2 promises none.
func sortByName(v cty.Value) cty.Value {
	if v.LengthInt() < 2 || !v.IsWhollyKnown() {
		return v
	}
	rules := v.AsValueSlice()
	slices.SortStableFunc(rules, func(a, b cty.Value) int { return strings.Compare(nameOf(a), nameOf(b)) })
	return cty.ListVal(rules)
}

func nameOf(rule cty.Value) string {
	if name := rule.GetAttr("name"); !name.IsNull() {
		return name.AsString()
	}
	return ""
}

func noCustomHeaders() cty.Value {
	return cty.ListValEmpty((&kind.Attr{Object: customHeaderAttrs(), Many: true}).ValueType().ElementType())
}
