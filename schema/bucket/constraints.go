package bucket

import (
	"slices"

	"b2form/schema/kind"
	"b2form/schema/wire"
)

// constraints lists what the checks of this package demand, and where B2 says so.
func constraints() []kind.Constraint {
	create := kind.DocSource{Name: "b2_create_bucket", URL: "https://www.backblaze.com/apidocs/b2-create-bucket"}
	buckets := kind.DocSource{Name: "Buckets", URL: "https://www.backblaze.com/docs/cloud-storage-buckets"}
	dots := kind.DocSource{Name: "b2-sdk-typescript, b2-naming.ts", URL: "https://github.com/backblaze-labs/b2-sdk-typescript"}
	operator := kind.DocSource{Name: "b2-kubernetes-operator, bucket_diff.go",
		URL: "https://github.com/backblaze-b2-samples/b2-kubernetes-operator"}
	out := []kind.Constraint{
		{Attr: "name", Rule: "6 to 63 characters", Source: create, Counterexample: `name = "photo"`},
		{Attr: "name", Rule: "letters, digits and dashes", Source: create, Counterexample: `name = "acme_photos"`},
		{Attr: "name", Rule: "does not start with b2-", Source: create, Counterexample: `name = "b2-photos"`},
		{Attr: "name", Rule: "unique, whatever the case of its letters; among all accounts only B2 knows", Source: buckets},
		{Attr: "name", Rule: "a dot stands alone, neither first nor last", Source: dots, Counterexample: `name = "acme..photos"`},
		{Attr: "name", Rule: "does not look like an IP address", Source: dots, Counterexample: `name = "10.20.30.40"`},
		{Attr: "name", Rule: "better without dots, which B2 takes only lately; a plan that makes such a bucket warns", Source: dots},
		{Attr: "type", Rule: "allPrivate or allPublic; others are B2's own", Source: create, Counterexample: `type = "snapshot"`},
		{Attr: "info", Rule: "at most 10 pairs", Source: create, Counterexample: `info = { for i in range(11) : "k${i}" => "v" }`},
		{Attr: "info", Rule: "keys have 1 to 50 letters, digits or characters of -_.`~!#$%^&*'|+", Source: create,
			Counterexample: `info = { "two words" = "v" }`},
		{Attr: "info", Rule: "keys do not start with b2-", Source: create, Counterexample: `info = { b2-team = "web" }`},
		{Attr: "info", Rule: "values have at most 10,000 bytes together", Source: create,
			Counterexample: `info = { team = format("%010001d", 0) }`},
		{Attr: "info", Rule: "no two keys differ in case only", Source: operator, Counterexample: `info = { team = "web", Team = "api" }`},
		{Attr: "info", Rule: "keys do not start with " + wire.ReservedInfoPrefix + ", where b2form finds states",
			Source:         kind.B2formSource(),
			Counterexample: `info = { ` + wire.ReservedInfoPrefix + `x = "v" }`},
	}
	return slices.Concat(out, lifecycleConstraints(), corsConstraints(), protectionConstraints(), replicationConstraints())
}

func lifecycleConstraints() []kind.Constraint {
	rules := kind.DocSource{Name: "Lifecycle Rules", URL: "https://www.backblaze.com/docs/cloud-storage-lifecycle-rules"}
	files := kind.DocSource{Name: "Files", URL: "https://www.backblaze.com/docs/cloud-storage-files"}
	rule := func(member string) string { return "lifecycle_rules { " + member + " }" }
	prefix := func(p string) string {
		return "lifecycle_rules {\n file_name_prefix = \"" + p + "\"\n days_from_hiding_to_deleting = 1\n}\n"
	}
	out := []kind.Constraint{
		{Attr: "lifecycle_rules", Rule: "at most 100 rules", Source: rules,
			Counterexample: `lifecycle_rules = [for i in range(101) : { file_name_prefix = "p${i}", days_from_hiding_to_deleting = 1 }]`},
		{Attr: "lifecycle_rules", Rule: "a rule sets days for something", Source: rules, Counterexample: rule(`file_name_prefix = "raw/"`)},
		{Attr: "lifecycle_rules", Rule: "no prefix twice", Source: rules, Counterexample: prefix("raw/") + prefix("raw/")},
		{Attr: "lifecycle_rules", Rule: "two rules that concern the same files do not set the same days; the documentation was stricter " +
			"once", Source: rules,
			Counterexample: prefix("raw/") + prefix("raw/old/"), Warns: true},
		{Attr: "lifecycle_rules.file_name_prefix", Rule: "holds no *: there are no wildcards", Source: rules,
			Counterexample: prefix("raw/*"), Warns: true},
		{Attr: "lifecycle_rules.file_name_prefix", Rule: "does not begin with a slash: no file's name does", Source: files,
			Counterexample: prefix("/raw"), Warns: true},
	}
	for _, days := range lifecycleDayAttrs() {
		out = append(out, kind.Constraint{Attr: "lifecycle_rules." + days, Rule: "a whole number of at least 1", Source: rules,
			Counterexample: rule(days + " = 0")})
	}
	return out
}

func corsConstraints() []kind.Constraint {
	rules := kind.DocSource{Name: "Cross-Origin Resource Sharing Rules",
		URL: "https://www.backblaze.com/docs/cloud-storage-cross-origin-resource-sharing-rules"}
	s3 := kind.DocSource{Name: "Enable CORS with the S3-Compatible API",
		URL: "https://www.backblaze.com/docs/cloud-storage-enable-cors-with-the-s3-compatible-api"}
	cors := func(members string) string {
		return "cors_rules = [merge({ name = \"downloads\", allowed_origins = [\"https\"], allowed_operations = [\"s3_get\"], " +
			"max_age_seconds = 60 }, " + members + ")]"
	}
	return []kind.Constraint{
		{Attr: "cors_rules", Rule: "at most 100 rules", Source: rules,
			Counterexample: `cors_rules = [for i in range(101) : { name = "rule-${i}x", allowed_origins = ["https"], allowed_operations ` +
				`= ["s3_get"], max_age_seconds = 60 }]`},
		{Attr: "cors_rules", Rule: "the texts of a rule have less than 1,000 bytes together", Source: rules,
			Counterexample: cors(`{ allowed_headers = [format("%01000d", 0)] }`)},
		{Attr: "cors_rules.name", Rule: "6 to 63 letters, digits and dashes, not starting with b2-", Source: rules,
			Counterexample: cors(`{ name = "b2-get" }`)},
		{Attr: "cors_rules.name", Rule: "unique in the bucket", Source: rules,
			Counterexample: `cors_rules = [for i in range(2) : { name = "downloads", allowed_origins = ["https"], allowed_operations = ` +
				`["s3_get"], max_age_seconds = 60 }]`},
		{Attr: "cors_rules.allowed_origins", Rule: "at least one", Source: rules, Counterexample: cors(`{ allowed_origins = [] }`)},
		{Attr: "cors_rules.allowed_origins", Rule: "none is empty", Source: s3, Counterexample: cors(`{ allowed_origins = [""] }`)},
		{Attr: "cors_rules.allowed_operations", Rule: "at least one", Source: rules, Counterexample: cors(`{ allowed_operations = [] }`)},
		{Attr: "cors_rules.allowed_operations", Rule: "one of the four native operations and five of S3", Source: rules,
			Counterexample: cors(`{ allowed_operations = ["s3_list"] }`)},
		{Attr: "cors_rules.allowed_headers", Rule: "none is empty", Source: rules, Counterexample: cors(`{ allowed_headers = [null] }`)},
		{Attr: "cors_rules.expose_headers", Rule: "none is empty", Source: rules, Counterexample: cors(`{ expose_headers = [""] }`)},
		{Attr: "cors_rules.max_age_seconds", Rule: "a whole number from 0 to 86400", Source: rules,
			Counterexample: cors(`{ max_age_seconds = 86401 }`)},
	}
}

func protectionConstraints() []kind.Constraint {
	encryption := kind.DocSource{Name: "Use Server-Side Encryption with the B2 Native API",
		URL: "https://www.backblaze.com/docs/cloud-storage-server-side-encryption-with-the-native-api"}
	lock := kind.DocSource{Name: "Object Lock", URL: "https://www.backblaze.com/docs/cloud-storage-object-lock"}
	native := kind.DocSource{Name: "Enable Object Lock with the Native API",
		URL: "https://www.backblaze.com/docs/cloud-storage-enable-object-lock-with-the-native-api"}
	retention := func(members string) string {
		return "file_lock_enabled = true\ndefault_retention = merge({ mode = \"governance\", duration = 1 }, " + members + ")"
	}
	return []kind.Constraint{
		{Attr: "default_server_side_encryption.mode", Rule: "SSE-B2: it cannot be turned off, and SSE-C is chosen for each upload",
			Source:         encryption,
			Counterexample: `default_server_side_encryption { mode = "none" }`},
		{Attr: "default_server_side_encryption.algorithm", Rule: "AES256", Source: encryption,
			Counterexample: `default_server_side_encryption { algorithm = "AES128" }`},
		{Attr: "file_lock_enabled", Rule: "is not turned off again; the plan knows", Source: lock},
		{Attr: "default_retention", Rule: "needs Object Lock", Source: native, Counterexample: "file_lock_enabled = " +
			"false\ndefault_retention {\n mode = \"governance\"\n duration = 1\n}"},
		{Attr: "default_retention.mode", Rule: "governance or compliance", Source: native, Counterexample: retention(`{ mode = "legal" }`)},
		{Attr: "default_retention.unit", Rule: "days or years", Source: native, Counterexample: retention(`{ unit = "weeks" }`)},
		{Attr: "default_retention.duration", Rule: "a whole number of at least 1", Source: native,
			Counterexample: retention(`{ duration = 0 }`)},
		{Attr: "default_retention.duration", Rule: "1 to 3,000 days in all", Source: lock,
			Counterexample: retention(`{ duration = 9, unit = "years" }`)},
	}
}

func replicationConstraints() []kind.Constraint {
	create := kind.DocSource{Name: "Create a Cloud Replication Rule with the Native API",
		URL: "https://www.backblaze.com/docs/cloud-storage-create-a-cloud-replication-rule-with-the-native-api"}
	lock := kind.DocSource{Name: "Object Lock", URL: "https://www.backblaze.com/docs/cloud-storage-object-lock"}
	keys := kind.DocSource{Name: "b2-sdk-python, test_raw_api.py",
		URL: "https://github.com/Backblaze/b2-sdk-python/blob/master/test/integration/test_raw_api.py"}
	sdk := kind.DocSource{Name: "b2-sdk-python, replication/setting.py",
		URL: "https://github.com/Backblaze/b2-sdk-python/blob/master/b2sdk/_internal/replication/setting.py"}
	source := func(rules string) string {
		return "replication = { source = { key = \"004d2e6b27577ea0000000001\", rules = " + rules + " } }"
	}
	rule := func(members string) string {
		return source(`[merge({ name = "copy", destination = "acme-copies" }, ` + members + `)]`)
	}
	destination := func(keys string) string { return "replication = { destination = { keys = " + keys + " } }" }
	const pair = `{ source = "004d2e6b27577ea0000000001", destination = "004d2e6b27577ea0000000002" }`
	return []kind.Constraint{
		{Attr: "replication", Rule: "a source, a destination, or both", Source: kind.B2formSource(), Counterexample: "replication = {}"},
		{Attr: "replication.source.key", Rule: "the name or the ID of a key", Source: sdk,
			Counterexample: `replication = { source = { key = "the key", rules = [{ name = "copy", destination = "acme-copies" }] } }`},
		{Attr: "replication.source.key", Rule: "may readFiles here; the plan knows, where it sees the key", Source: keys},
		{Attr: "replication.source.rules", Rule: "one or two", Source: create,
			Counterexample: source(`[for i in range(3) : { name = "copy-${i}", destination = "acme-copies" }]`)},
		{Attr: "replication.source.rules.name", Rule: "1 to 64 letters, digits, dashes and underscores", Source: sdk,
			Counterexample: rule(`{ name = "a copy" }`)},
		{Attr: "replication.source.rules.name", Rule: "unique in the bucket", Source: sdk,
			Counterexample: source(`[for b in ["acme-copies", "acme-others"] : { name = "copy", destination = b }]`)},
		{Attr: "replication.source.rules.destination", Rule: "the name or the ID of another bucket", Source: create,
			Counterexample: rule(`{ destination = "acme-photos" }`)},
		{Attr: "replication.source.rules.file_name_prefix", Rule: "holds no *: there are no wildcards", Source: create,
			Counterexample: rule(`{ file_name_prefix = "raw/*" }`), Warns: true},
		{Attr: "replication.source.rules.priority", Rule: "a whole number up to 2147483647", Source: sdk,
			Counterexample: rule(`{ priority = -1 }`)},
		{Attr: "replication.source.rules.priority", Rule: "at least 1", Source: sdk, Counterexample: rule(`{ priority = 0 }`), Warns: true},
		{Attr: "replication.destination.keys", Rule: "at least one", Source: create, Counterexample: destination(`[]`)},
		{Attr: "replication.destination.keys.source", Rule: "the name or the ID of a key, and none twice", Source: sdk,
			Counterexample: destination("[" + pair + ", " + pair + "]")},
		{Attr: "replication.destination.keys.destination", Rule: "the name or the ID of a key", Source: sdk,
			Counterexample: destination(`[merge(` + pair + `, { destination = "" })]`)},
		{Attr: "replication.destination.keys.destination", Rule: "may writeFiles here; the plan knows, where it sees the key",
			Source: keys},
		{Attr: "file_lock_enabled", Rule: "is not turned on while the bucket is the source of a replication; the plan knows", Source: lock},
	}
}
