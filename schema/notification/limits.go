package notification

import "b2form/schema/kind"

// limits lists what the checks of this package demand, and where B2 says so.
func limits() []kind.Limit {
	guide := kind.Source{Name: "Event Notifications Reference Guide", URL: "https://www.backblaze.com/docs/cloud-storage-event-notifications-reference-guide"}
	set := kind.Source{Name: "b2_set_bucket_notification_rules", URL: "https://www.backblaze.com/apidocs/b2-set-bucket-notification-rules"}
	codes := kind.Source{Name: "b2sdk, exception.py", URL: "https://github.com/Backblaze/b2-sdk-python/blob/master/b2sdk/_internal/exception.py"}
	files := kind.Source{Name: "Files", URL: "https://www.backblaze.com/docs/cloud-storage-files"}
	const base = `{ name = "thumbnails", event_types = ["b2:ObjectCreated:*"], target_configuration = { url = "https://www.example.com" } }`
	rule := func(members string) string { return "rules = [merge(" + base + ", " + members + ")]" }
	target := func(members string) string {
		return rule("{ target_configuration = merge({ url = \"https://www.example.com\" }, " + members + ") }")
	}
	return []kind.Limit{
		{Attr: "bucket", Says: "one block for each bucket", Source: set},
		{Attr: "rules", Says: "at least one; without a block a bucket has none", Source: kind.Ours(), Breaks: `rules = []`},
		{Attr: "rules", Says: "at most 25", Source: guide, Breaks: "rules = [for i in range(26) : merge(" + base + ", { name = \"rule-${i}x\", object_name_prefix = \"${i}/\" })]"},
		{Attr: "rules", Says: "no two that one event would match: the prefix of one does not begin that of the other, for the same type of event", Source: set,
			Breaks: "rules = [" + base + ", merge(" + base + ", { name = \"second\", object_name_prefix = \"library/\" })]"},
		{Attr: "rules.name", Says: "6 to 63 letters, digits and dashes, not starting with b2-", Source: guide, Breaks: rule(`{ name = "new" }`)},
		{Attr: "rules.name", Says: "unique in the bucket", Source: guide, Breaks: "rules = [for p in [\"a/\", \"b/\"] : merge(" + base + ", { object_name_prefix = p })]"},
		{Attr: "rules.event_types", Says: "at least one", Source: codes, Breaks: rule(`{ event_types = [] }`)},
		{Attr: "rules.event_types", Says: "types that B2 knows", Source: guide, Breaks: rule(`{ event_types = ["b2:ObjectCreated:Put"] }`)},
		{Attr: "rules.event_types", Says: "not both all of a category and one of it", Source: codes, Breaks: rule(`{ event_types = ["b2:ObjectCreated:*", "b2:ObjectCreated:Copy"] }`)},
		{Attr: "rules.object_name_prefix", Says: "holds no *: there are no wildcards", Source: guide, Breaks: rule(`{ object_name_prefix = "library/*" }`), Warns: true},
		{Attr: "rules.object_name_prefix", Says: "does not begin with a slash: no file's name does", Source: files, Breaks: rule(`{ object_name_prefix = "/library" }`), Warns: true},
		{Attr: "rules.max_events_per_batch", Says: "a whole number from 1 to 50", Source: set, Breaks: rule(`{ max_events_per_batch = 51 }`)},
		{Attr: "rules.target_configuration.target_type", Says: "webhook", Source: guide, Breaks: target(`{ target_type = "queue" }`)},
		{Attr: "rules.target_configuration.url", Says: "an https URL", Source: guide, Breaks: target(`{ url = "http://www.example.com" }`)},
		{Attr: "rules.target_configuration.custom_headers", Says: "at most 10", Source: guide, Breaks: target(`{ custom_headers = [for i in range(11) : { name = "X-${i}", value = "v" }] }`)},
		{Attr: "rules.target_configuration.hmac_sha256_signing_secret", Says: "exactly 32 letters and digits", Source: guide, Breaks: target(`{ hmac_sha256_signing_secret = "short" }`)},
	}
}
