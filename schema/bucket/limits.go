package bucket

import (
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// limits lists what the checks of this package demand, and where B2 says so.
func limits() []kind.Limit {
	create := kind.Source{Name: "b2_create_bucket", URL: "https://www.backblaze.com/apidocs/b2-create-bucket"}
	buckets := kind.Source{Name: "Buckets", URL: "https://www.backblaze.com/docs/cloud-storage-buckets"}
	dots := kind.Source{Name: "b2-sdk-typescript, b2-naming.ts", URL: "https://github.com/backblaze-labs/b2-sdk-typescript"}
	operator := kind.Source{Name: "b2-kubernetes-operator, bucket_diff.go", URL: "https://github.com/backblaze-b2-samples/b2-kubernetes-operator"}
	out := []kind.Limit{
		{Attr: "name", Says: "6 to 63 characters", Source: create, Breaks: `name = "photo"`},
		{Attr: "name", Says: "letters, digits and dashes", Source: create, Breaks: `name = "acme_photos"`},
		{Attr: "name", Says: "does not start with b2-", Source: create, Breaks: `name = "b2-photos"`},
		{Attr: "name", Says: "unique, whatever the case of its letters; among all accounts only B2 knows", Source: buckets},
		{Attr: "name", Says: "a dot stands alone, neither first nor last", Source: dots, Breaks: `name = "acme..photos"`},
		{Attr: "name", Says: "does not look like an IP address", Source: dots, Breaks: `name = "10.20.30.40"`},
		{Attr: "name", Says: "better without dots: B2 takes them only lately", Source: dots, Breaks: `name = "acme.photos"`, Warns: true},
		{Attr: "type", Says: "allPrivate or allPublic; others are B2's own", Source: create, Breaks: `type = "snapshot"`},
		{Attr: "info", Says: "at most 10 pairs", Source: create, Breaks: `info = { for i in range(11) : "k${i}" => "v" }`},
		{Attr: "info", Says: "keys have 1 to 50 letters, digits or characters of -_.`~!#$%^&*'|+", Source: create, Breaks: `info = { "two words" = "v" }`},
		{Attr: "info", Says: "keys do not start with b2-", Source: create, Breaks: `info = { b2-team = "web" }`},
		{Attr: "info", Says: "values have at most 10,000 bytes together", Source: create, Breaks: `info = { team = format("%010001d", 0) }`},
		{Attr: "info", Says: "no two keys differ in case only", Source: operator, Breaks: `info = { team = "web", Team = "api" }`},
		{Attr: "info", Says: "keys do not start with " + wire.ReservedInfo + ", where b2form finds states", Source: kind.Ours(), Breaks: `info = { ` + wire.ReservedInfo + `x = "v" }`},
	}
	return append(append(append(out, lifecycleLimits()...), corsLimits()...), append(protectionLimits(), replicationLimits()...)...)
}

func lifecycleLimits() []kind.Limit {
	rules := kind.Source{Name: "Lifecycle Rules", URL: "https://www.backblaze.com/docs/cloud-storage-lifecycle-rules"}
	files := kind.Source{Name: "Files", URL: "https://www.backblaze.com/docs/cloud-storage-files"}
	rule := func(member string) string { return "lifecycle_rules { " + member + " }" }
	prefix := func(p string) string {
		return "lifecycle_rules {\n file_name_prefix = \"" + p + "\"\n days_from_hiding_to_deleting = 1\n}\n"
	}
	out := []kind.Limit{
		{Attr: "lifecycle_rules", Says: "at most 100 rules", Source: rules,
			Breaks: `lifecycle_rules = [for i in range(101) : { file_name_prefix = "p${i}", days_from_hiding_to_deleting = 1 }]`},
		{Attr: "lifecycle_rules", Says: "a rule sets days for something", Source: rules, Breaks: rule(`file_name_prefix = "raw/"`)},
		{Attr: "lifecycle_rules", Says: "no prefix twice", Source: rules, Breaks: prefix("raw/") + prefix("raw/")},
		{Attr: "lifecycle_rules", Says: "two rules that concern the same files do not set the same days; the documentation was stricter once", Source: rules,
			Breaks: prefix("raw/") + prefix("raw/old/"), Warns: true},
		{Attr: "lifecycle_rules.file_name_prefix", Says: "holds no *: there are no wildcards", Source: rules, Breaks: prefix("raw/*"), Warns: true},
		{Attr: "lifecycle_rules.file_name_prefix", Says: "does not begin with a slash: no file's name does", Source: files, Breaks: prefix("/raw"), Warns: true},
	}
	for _, days := range dayAttrs() {
		out = append(out, kind.Limit{Attr: "lifecycle_rules." + days, Says: "a whole number of at least 1", Source: rules, Breaks: rule(days + " = 0")})
	}
	return out
}

func corsLimits() []kind.Limit {
	rules := kind.Source{Name: "Cross-Origin Resource Sharing Rules", URL: "https://www.backblaze.com/docs/cloud-storage-cross-origin-resource-sharing-rules"}
	s3 := kind.Source{Name: "Enable CORS with the S3-Compatible API", URL: "https://www.backblaze.com/docs/cloud-storage-enable-cors-with-the-s3-compatible-api"}
	cors := func(members string) string {
		return "cors_rules = [merge({ name = \"downloads\", allowed_origins = [\"https\"], allowed_operations = [\"s3_get\"], max_age_seconds = 60 }, " + members + ")]"
	}
	return []kind.Limit{
		{Attr: "cors_rules", Says: "at most 100 rules", Source: rules,
			Breaks: `cors_rules = [for i in range(101) : { name = "rule-${i}x", allowed_origins = ["https"], allowed_operations = ["s3_get"], max_age_seconds = 60 }]`},
		{Attr: "cors_rules", Says: "the texts of a rule have less than 1,000 bytes together", Source: rules,
			Breaks: cors(`{ allowed_headers = [format("%01000d", 0)] }`)},
		{Attr: "cors_rules.name", Says: "6 to 63 letters, digits and dashes, not starting with b2-", Source: rules, Breaks: cors(`{ name = "b2-get" }`)},
		{Attr: "cors_rules.name", Says: "unique in the bucket", Source: rules,
			Breaks: `cors_rules = [for i in range(2) : { name = "downloads", allowed_origins = ["https"], allowed_operations = ["s3_get"], max_age_seconds = 60 }]`},
		{Attr: "cors_rules.allowed_origins", Says: "at least one", Source: rules, Breaks: cors(`{ allowed_origins = [] }`)},
		{Attr: "cors_rules.allowed_origins", Says: "none is empty", Source: s3, Breaks: cors(`{ allowed_origins = [""] }`)},
		{Attr: "cors_rules.allowed_operations", Says: "at least one", Source: rules, Breaks: cors(`{ allowed_operations = [] }`)},
		{Attr: "cors_rules.allowed_operations", Says: "one of the four native operations and five of S3", Source: rules, Breaks: cors(`{ allowed_operations = ["s3_list"] }`)},
		{Attr: "cors_rules.allowed_headers", Says: "none is empty", Source: rules, Breaks: cors(`{ allowed_headers = [null] }`)},
		{Attr: "cors_rules.expose_headers", Says: "none is empty", Source: rules, Breaks: cors(`{ expose_headers = [""] }`)},
		{Attr: "cors_rules.max_age_seconds", Says: "a whole number from 0 to 86400", Source: rules, Breaks: cors(`{ max_age_seconds = 86401 }`)},
	}
}

func protectionLimits() []kind.Limit {
	encryption := kind.Source{Name: "Use Server-Side Encryption with the B2 Native API", URL: "https://www.backblaze.com/docs/cloud-storage-use-server-side-encryption-with-the-native-api"}
	lock := kind.Source{Name: "Object Lock", URL: "https://www.backblaze.com/docs/cloud-storage-object-lock"}
	native := kind.Source{Name: "Enable Object Lock with the Native API", URL: "https://www.backblaze.com/docs/cloud-storage-enable-object-lock-with-the-native-api"}
	retention := func(members string) string {
		return "file_lock_enabled = true\ndefault_retention = merge({ mode = \"governance\", duration = 1 }, " + members + ")"
	}
	return []kind.Limit{
		{Attr: "default_server_side_encryption.mode", Says: "SSE-B2: it cannot be turned off, and SSE-C is chosen for each upload", Source: encryption,
			Breaks: `default_server_side_encryption { mode = "none" }`},
		{Attr: "default_server_side_encryption.algorithm", Says: "AES256", Source: encryption, Breaks: `default_server_side_encryption { algorithm = "AES128" }`},
		{Attr: "file_lock_enabled", Says: "is not turned off again; the plan knows", Source: lock},
		{Attr: "default_retention", Says: "needs Object Lock", Source: native, Breaks: "file_lock_enabled = false\ndefault_retention {\n mode = \"governance\"\n duration = 1\n}"},
		{Attr: "default_retention.mode", Says: "governance or compliance", Source: native, Breaks: retention(`{ mode = "legal" }`)},
		{Attr: "default_retention.unit", Says: "days or years", Source: native, Breaks: retention(`{ unit = "weeks" }`)},
		{Attr: "default_retention.duration", Says: "a whole number of at least 1", Source: native, Breaks: retention(`{ duration = 0 }`)},
		{Attr: "default_retention.duration", Says: "1 to 3,000 days in all", Source: lock, Breaks: retention(`{ duration = 9, unit = "years" }`)},
	}
}

func replicationLimits() []kind.Limit {
	create := kind.Source{Name: "Create a Cloud Replication Rule with the Native API", URL: "https://www.backblaze.com/docs/cloud-storage-create-a-cloud-replication-rule-with-the-native-api"}
	lock := kind.Source{Name: "Object Lock", URL: "https://www.backblaze.com/docs/cloud-storage-object-lock"}
	keys := kind.Source{Name: "b2-sdk-python, test_raw_api.py", URL: "https://github.com/Backblaze/b2-sdk-python/blob/master/test/integration/test_raw_api.py"}
	sdk := kind.Source{Name: "b2-sdk-python, replication/setting.py", URL: "https://github.com/Backblaze/b2-sdk-python/blob/master/b2sdk/_internal/replication/setting.py"}
	source := func(rules string) string {
		return "replication = { source = { key = \"004d2e6b27577ea0000000001\", rules = " + rules + " } }"
	}
	rule := func(members string) string {
		return source(`[merge({ name = "copy", destination = "acme-copies" }, ` + members + `)]`)
	}
	destination := func(keys string) string { return "replication = { destination = { keys = " + keys + " } }" }
	const pair = `{ source = "004d2e6b27577ea0000000001", destination = "004d2e6b27577ea0000000002" }`
	return []kind.Limit{
		{Attr: "replication", Says: "a source, a destination, or both", Source: kind.Ours(), Breaks: "replication = {}"},
		{Attr: "replication.source.key", Says: "the name or the ID of a key", Source: sdk, Breaks: `replication = { source = { key = "the key", rules = [{ name = "copy", destination = "acme-copies" }] } }`},
		{Attr: "replication.source.key", Says: "may readFiles here; the plan knows, where it sees the key", Source: keys},
		{Attr: "replication.source.rules", Says: "one or two", Source: create, Breaks: source(`[for i in range(3) : { name = "copy-${i}", destination = "acme-copies" }]`)},
		{Attr: "replication.source.rules.name", Says: "1 to 64 letters, digits, dashes and underscores", Source: sdk, Breaks: rule(`{ name = "a copy" }`)},
		{Attr: "replication.source.rules.name", Says: "unique in the bucket", Source: sdk, Breaks: source(`[for b in ["acme-copies", "acme-others"] : { name = "copy", destination = b }]`)},
		{Attr: "replication.source.rules.destination", Says: "the name or the ID of another bucket", Source: create, Breaks: rule(`{ destination = "acme-photos" }`)},
		{Attr: "replication.source.rules.file_name_prefix", Says: "holds no *: there are no wildcards", Source: create, Breaks: rule(`{ file_name_prefix = "raw/*" }`), Warns: true},
		{Attr: "replication.source.rules.priority", Says: "a whole number up to 2147483647", Source: sdk, Breaks: rule(`{ priority = -1 }`)},
		{Attr: "replication.source.rules.priority", Says: "at least 1", Source: sdk, Breaks: rule(`{ priority = 0 }`), Warns: true},
		{Attr: "replication.destination.keys", Says: "at least one", Source: create, Breaks: destination(`[]`)},
		{Attr: "replication.destination.keys.source", Says: "the name or the ID of a key, and none twice", Source: sdk, Breaks: destination("[" + pair + ", " + pair + "]")},
		{Attr: "replication.destination.keys.destination", Says: "the name or the ID of a key", Source: sdk, Breaks: destination(`[merge(` + pair + `, { destination = "" })]`)},
		{Attr: "replication.destination.keys.destination", Says: "may writeFiles here; the plan knows, where it sees the key", Source: keys},
		{Attr: "file_lock_enabled", Says: "is not turned on while the bucket is the source of a replication; the plan knows", Source: lock},
	}
}
