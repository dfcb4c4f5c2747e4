package notification

import "b2form/schema/kind"

// constraints lists what the checks of this package demand, and where B2 says so.
func constraints() []kind.Constraint {
	guide := kind.DocSource{Name: "Event Notifications Reference Guide",
		URL: "https://www.backblaze.com/docs/cloud-storage-event-notifications-reference-guide"}
	set := kind.DocSource{Name: "b2_set_bucket_notification_rules",
		URL: "https://www.backblaze.com/apidocs/b2-set-bucket-notification-rules"}
	codes := kind.DocSource{Name: "b2sdk, exception.py",
		URL: "https://github.com/Backblaze/b2-sdk-python/blob/master/b2sdk/_internal/exception.py"}
	files := kind.DocSource{Name: "Files", URL: "https://www.backblaze.com/docs/cloud-storage-files"}
	http := kind.DocSource{Name: "RFC 9110", URL: "https://www.rfc-editor.org/rfc/rfc9110#section-5"}
	const base = `{ name = "thumbnails", event_types = ["b2:ObjectCreated:*"], target_configuration = { url = "https://www.example.com" } }`
	rule := func(members string) string { return "rules = [merge(" + base + ", " + members + ")]" }
	target := func(members string) string {
		return rule("{ target_configuration = merge({ url = \"https://www.example.com\" }, " + members + ") }")
	}
	return []kind.Constraint{
		{Attr: "bucket", Rule: "one block for each bucket", Source: set},
		{Attr: "rules", Rule: "at least one; without a block a bucket has none", Source: kind.B2formSource(), Counterexample: `rules = []`},
		{Attr: "rules", Rule: "at most 25", Source: guide,
			Counterexample: "rules = [for i in range(26) : merge(" + base +
				", { name = \"rule-${i}x\", object_name_prefix = \"${i}/\" })]"},
		{Attr: "rules", Rule: "no two that one event would match: the prefix of one does not begin that of the other, for the same type " +
			"of event", Source: set,
			Counterexample: "rules = [" + base + ", merge(" + base + ", { name = \"second\", object_name_prefix = \"library/\" })]"},
		{Attr: "rules.name", Rule: "6 to 63 letters, digits and dashes, not starting with b2-", Source: guide,
			Counterexample: rule(`{ name = "new" }`)},
		{Attr: "rules.name", Rule: "unique in the bucket", Source: guide,
			Counterexample: "rules = [for p in [\"a/\", \"b/\"] : merge(" + base + ", { object_name_prefix = p })]"},
		{Attr: "rules.event_types", Rule: "at least one", Source: codes, Counterexample: rule(`{ event_types = [] }`)},
		{Attr: "rules.event_types", Rule: "types that B2 knows", Source: guide,
			Counterexample: rule(`{ event_types = ["b2:ObjectCreated:Put"] }`)},
		{Attr: "rules.event_types", Rule: "not both all of a category and one of it", Source: codes,
			Counterexample: rule(`{ event_types = ["b2:ObjectCreated:*", "b2:ObjectCreated:Copy"] }`)},
		{Attr: "rules.object_name_prefix", Rule: "holds no *: there are no wildcards", Source: guide,
			Counterexample: rule(`{ object_name_prefix = "library/*" }`), Warns: true},
		{Attr: "rules.object_name_prefix", Rule: "does not begin with a slash: no file's name does", Source: files,
			Counterexample: rule(`{ object_name_prefix = "/library" }`), Warns: true},
		{Attr: "rules.max_events_per_batch", Rule: "a whole number from 1 to 50", Source: set,
			Counterexample: rule(`{ max_events_per_batch = 51 }`)},
		{Attr: "rules.target_configuration.target_type", Rule: "webhook", Source: guide,
			Counterexample: target(`{ target_type = "queue" }`)},
		{Attr: "rules.target_configuration.url", Rule: "an https URL", Source: guide,
			Counterexample: target(`{ url = "http://www.example.com" }`)},
		{Attr: "rules.target_configuration.url", Rule: "https:// in lower case, a host, a port from 1 to 65535 if any, no spaces or " +
			"control characters", Source: kind.B2formSource(), Counterexample: target(`{ url = "https://www.example.com:99999/" }`)},
		{Attr: "rules.target_configuration.custom_headers", Rule: "at most 10", Source: guide,
			Counterexample: target(`{ custom_headers = [for i in range(11) : { name = "X-${i}", value = "v" }] }`)},
		{Attr: "rules.target_configuration.custom_headers", Rule: "no name twice, whatever its case", Source: kind.B2formSource(),
			Counterexample: target(`{ custom_headers = [for n in ["X-Team", "x-team"] : { name = n, value = "v" }] }`)},
		{Attr: "rules.target_configuration.custom_headers.name", Rule: "letters, digits, dashes, and what else a token of HTTP holds",
			Source: http, Counterexample: target(`{ custom_headers = [{ name = "X Team", value = "v" }] }`)},
		{Attr: "rules.target_configuration.custom_headers.value", Rule: "no control characters", Source: http,
			Counterexample: target(`{ custom_headers = [{ name = "X-Team", value = "v\n" }] }`)},
		{Attr: "rules.target_configuration.hmac_sha256_signing_secret", Rule: "exactly 32 letters and digits", Source: guide,
			Counterexample: target(`{ hmac_sha256_signing_secret = "short" }`)},
	}
}
