package emulator_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"b2form/internal/emulator"
)

// setting asks about a setting of the bucket.
func (w *s3World) setting(status int, code, verb, what, body string) got {
	w.t.Helper()
	return w.must(status, code, ask{verb: verb, path: "/my-bucket?" + what, body: body})
}

func compact(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestS3Buckets(t *testing.T) {
	w := openS3(t, emulator.Options{Switches: emulator.Switches{TakenBucketNames: []string{"taken-bucket"}}})
	create := func(status int, code, name, body string, header ...string) got {
		t.Helper()
		return w.must(status, code, ask{verb: "PUT", path: "/" + name, body: body, header: header})
	}
	if at := create(200, "", "other-bucket", "", "X-Amz-Acl: public-read").header.Get("Location"); at != "/other-bucket" {
		t.Errorf("it is at %q", at)
	}
	create(200, "", "here-bucket",
		"<CreateBucketConfiguration><LocationConstraint>us-west-004</LocationConstraint></CreateBucketConfiguration>")
	create(400, "InvalidLocationConstraint", "there-bucket",
		"<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>")
	create(409, "BucketAlreadyOwnedByYou", "my-bucket", "")
	create(409, "BucketAlreadyExists", "taken-bucket", "")
	create(400, "InvalidBucketName", "b2-bucket", "")
	create(400, "InvalidBucketName", "x", "")
	create(400, "InvalidArgument", "acl-bucket", "", "X-Amz-Acl: public-read-write")
	all := w.must(200, "", ask{verb: "GET", path: "/"})
	if names := all.members("Name"); !slices.Equal(names, []string{"here-bucket", "my-bucket", "other-bucket"}) ||
		all.member("ID") != w.server.AccountID() {
		t.Errorf("buckets are %v: %s", names, all.body)
	}
	public := w.native(200, "b2_list_buckets", `{"accountId":"`+w.server.AccountID()+`","bucketName":"other-bucket"}`)
	if !strings.Contains(compact(t, public), `"allPublic"`) {
		t.Errorf("natively it is %v", public)
	}
	w.put("a", "x")
	w.must(409, "BucketNotEmpty", ask{verb: "DELETE", path: "/my-bucket"})
	w.must(204, "", ask{verb: "DELETE", path: "/other-bucket"})
	w.must(404, "", ask{verb: "HEAD", path: "/other-bucket"})
	if g := w.must(200, "", ask{verb: "HEAD", path: "/my-bucket"}); g.header.Get("X-Amz-Bucket-Region") != "us-west-004" {
		t.Errorf("head answers %v", g.header)
	}
	if g := w.setting(200, "", "GET", "location", ""); !strings.Contains(g.body, ">us-west-004</LocationConstraint>") {
		t.Errorf("location is %s", g.body)
	}
	for _, host := range []string{"my-bucket.localhost:1234", "my-bucket.s3.us-west-004.backblazeb2.com"} {
		if g := w.must(200, "", ask{verb: "GET", path: "/a", host: host}); g.body != "x" {
			t.Errorf("%s: %s", host, g.body)
		}
	}
	if g := w.setting(200, "", "GET", "versioning", ""); g.member("Status") != "Enabled" {
		t.Errorf("versioning is %s", g.body)
	}
	w.setting(200, "", "PUT", "versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
	w.setting(400, "InvalidArgument", "PUT", "versioning", "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>")
	w.setting(200, "", "GET", "logging", "")
	w.setting(200, "", "PUT", "logging", "<BucketLoggingStatus/>")
	w.setting(403, "AccessDenied", "PUT", "logging",
		"<BucketLoggingStatus><LoggingEnabled><TargetBucket>my-bucket</TargetBucket></LoggingEnabled></BucketLoggingStatus>")
}

// TestS3Lifecycle sets rules on one face and reads them on the other.
func TestS3Lifecycle(t *testing.T) {
	w := openS3(t, emulator.Options{})
	w.setting(404, "NoSuchLifecycleConfiguration", "GET", "lifecycle", "")
	w.update(`"lifecycleRules":[{"fileNamePrefix":"logs/","daysFromUploadingToHiding":30,"daysFromHidingToDeleting":1,` +
		`"daysFromStartingToCancelingUnfinishedLargeFiles":7}]`)
	g := w.setting(200, "", "GET", "lifecycle", "")
	ids := g.members("ID")
	if len(ids) != 2 || !slices.Equal(g.members("Prefix"), []string{"logs/", "logs/"}) || g.member("Days") != "30" ||
		g.member("NoncurrentDays") != "1" ||
		g.member("DaysAfterInitiation") != "7" || g.member("ExpiredObjectDeleteMarker") != "true" {
		t.Errorf("S3 has %s", g.body)
	}
	w.setting(200, "", "PUT", "lifecycle", `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`+
		`<Rule><ID>one</ID><Filter><Prefix>a/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule>`+
		`<Rule><ID>two</ID><Prefix>a/</Prefix><Status>Enabled</Status>`+
		`<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>`+
		`<NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays></NoncurrentVersionExpiration></Rule>`+
		`<Rule><ID>three</ID><Filter/><Status>Enabled</Status>`+
		`<AbortIncompleteMultipartUpload><DaysAfterInitiation>4</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>`+
		`</LifecycleConfiguration>`)
	rules := compact(t, w.update(`"bucketInfo":{"a":"b"}`)["lifecycleRules"])
	want := `[{"daysFromHidingToDeleting":2,"daysFromUploadingToHiding":3,"fileNamePrefix":"a/"},` +
		`{"daysFromHidingToDeleting":null,"daysFromStartingToCancelingUnfinishedLargeFiles":4,"daysFromUploadingToHiding":null,` +
		`"fileNamePrefix":""}]`
	if rules != want {
		t.Errorf("natively they are %s, want %s", rules, want)
	}
	if ids := w.setting(200, "", "GET", "lifecycle", "").members("ID"); !slices.Equal(ids, []string{"one", "two", "three"}) {
		t.Errorf("the IDs are %v", ids)
	}
	w.update(`"lifecycleRules":` + rules)
	if again := w.setting(200, "", "GET", "lifecycle", "").members("ID"); slices.Contains(again, "one") {
		t.Errorf("a native update kept the IDs %v", again)
	}
	rule := func(inner string) string {
		return "<LifecycleConfiguration><Rule><Filter><Prefix/></Filter><Status>Enabled</Status>" + inner +
			"</Rule></LifecycleConfiguration>"
	}
	for body, want := range map[string]string{
		"<LifecycleConfiguration/>": "400 MalformedXML",
		"<LifecycleConfiguration>":  "400 MalformedXML",
		rule(""):                    "400 InvalidRequest",
		rule("<Expiration><Days>0</Days></Expiration>"):                                                             "400 InvalidArgument",
		rule("<Expiration><Date>2027-01-01</Date></Expiration>"):                                                    "501 NotImplemented",
		rule("<Transition><Days>1</Days></Transition>"):                                                             "501 NotImplemented",
		strings.Replace(rule("<Expiration><Days>1</Days></Expiration>"), "Enabled", "Disabled", 1):                  "501 NotImplemented",
		strings.Replace(rule("<Expiration><Days>1</Days></Expiration>"), "<Prefix/>", "<Tag><Key>a</Key></Tag>", 1): "501 NotImplemented",
	} {
		if g := w.do(ask{verb: "PUT", path: "/my-bucket?lifecycle", body: body}); want != statusAndCode(g) {
			t.Errorf("%s: %s, want %s", body, statusAndCode(g), want)
		}
	}
	w.setting(204, "", "DELETE", "lifecycle", "")
	w.setting(404, "NoSuchLifecycleConfiguration", "GET", "lifecycle", "")
}

func TestS3CORS(t *testing.T) {
	w := openS3(t, emulator.Options{})
	w.setting(404, "NoSuchCORSConfiguration", "GET", "cors", "")
	w.update(`"corsRules":[{"corsRuleName":"rule-one","allowedOrigins":["https://a.test"],"allowedOperations":["s3_put",` +
		`"b2_upload_file","s3_get"],"allowedHeaders":["*"],"exposeHeaders":["etag"],"maxAgeSeconds":60}]`)
	g := w.setting(200, "", "GET", "cors", "")
	if !slices.Equal(g.members("AllowedMethod"), []string{"GET", "PUT"}) || g.member("AllowedOrigin") != "https://a.test" ||
		g.member("AllowedHeader") != "*" ||
		g.member("ExposeHeader") != "etag" || g.member("MaxAgeSeconds") != "60" {
		t.Errorf("S3 has %s", g.body)
	}
	w.setting(200, "", "PUT", "cors",
		"<CORSConfiguration><CORSRule><ID>x</ID><AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>"+
			"<AllowedMethod>DELETE</AllowedMethod></CORSRule></CORSConfiguration>")
	if rules := compact(t, w.update(`"bucketInfo":{}`)["corsRules"]); rules !=
		`[{"allowedHeaders":null,"allowedOperations":["s3_put","s3_delete"],"allowedOrigins":["*"],"corsRuleName":"s3-rule-1",`+
			`"exposeHeaders":null,"maxAgeSeconds":0}]` {
		t.Errorf("natively they are %s", rules)
	}
	w.setting(400, "InvalidRequest", "PUT", "cors",
		"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>PATCH</AllowedMethod></CORSRule></CORSConfiguration>")
	w.setting(400, "MalformedXML", "PUT", "cors", "<CORSConfiguration/>")
	w.setting(204, "", "DELETE", "cors", "")
	w.setting(404, "NoSuchCORSConfiguration", "GET", "cors", "")
}

func TestS3EncryptionAndACL(t *testing.T) {
	w := openS3(t, emulator.Options{})
	if g := w.setting(200, "", "GET", "encryption", ""); g.member("SSEAlgorithm") != "AES256" {
		t.Errorf("encryption is %s", g.body)
	}
	encrypt := func(algorithm string) string {
		return "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>" + algorithm +
			"</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
	}
	w.setting(200, "", "PUT", "encryption", encrypt("AES256"))
	w.setting(400, "InvalidArgument", "PUT", "encryption", encrypt("aws:kms"))
	w.setting(204, "", "DELETE", "encryption", "")
	w.setting(200, "", "GET", "encryption", "")

	w.put("a", "x")
	for _, what := range []string{"/my-bucket?acl", "/my-bucket/a?acl"} {
		if g := w.must(200, "", ask{verb: "GET", path: what}); g.member("Permission") != "FULL_CONTROL" ||
			strings.Contains(g.body, "AllUsers") {
			t.Errorf("%s: %s", what, g.body)
		}
	}
	acl := func(status int, code, what, value string) {
		t.Helper()
		w.must(status, code, ask{verb: "PUT", path: what + "?acl", header: []string{"X-Amz-Acl: " + value}})
	}
	acl(200, "", "/my-bucket/a", "private")
	acl(400, "InvalidArgument", "/my-bucket/a", "public-read")
	acl(400, "InvalidArgument", "/my-bucket", "authenticated-read")
	w.must(403, "AccessDenied", ask{verb: "GET", path: "/my-bucket/a", unsigned: true})
	acl(200, "", "/my-bucket", "public-read")
	list := w.setting(200, "", "GET", "acl", "")
	if !strings.Contains(list.body, "AllUsers") {
		t.Errorf("a public bucket has %s", list.body)
	}
	if g := w.must(200, "", ask{verb: "GET", path: "/my-bucket/a", unsigned: true}); g.body != "x" {
		t.Errorf("nobody reads %q", g.body)
	}
	w.must(400, "InvalidRequest", ask{verb: "GET", path: "/my-bucket/a?response-expires=x", unsigned: true})
	w.must(403, "AccessDenied", ask{verb: "GET", path: "/my-bucket", unsigned: true})
	w.must(403, "AccessDenied", ask{verb: "PUT", path: "/my-bucket/a", body: "y", unsigned: true})
	w.setting(200, "", "PUT", "acl", list.body[strings.Index(list.body, "<AccessControlPolicy"):])
	if g := w.must(200, "", ask{verb: "GET", path: "/my-bucket/a?tagging"}); !strings.Contains(g.body, "<TagSet></TagSet>") {
		t.Errorf("tags are %s", g.body)
	}
}

func TestS3ObjectLock(t *testing.T) {
	w := openS3(t, emulator.Options{})
	w.put("a", "x")
	w.setting(404, "ObjectLockConfigurationNotFoundError", "GET", "object-lock", "")
	configure := func(inner string) string {
		return "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>" + inner + "</ObjectLockConfiguration>"
	}
	w.setting(400, "InvalidBucketState", "PUT", "object-lock", configure(""))
	w.must(400, "InvalidRequest", ask{verb: "GET", path: "/my-bucket/a?retention"})
	w.update(`"fileLockEnabled":true`)
	w.setting(200, "", "PUT", "object-lock",
		configure("<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>"))
	if g := w.setting(200, "", "GET", "object-lock", ""); g.member("Mode") != "GOVERNANCE" || g.member("Days") != "1" {
		t.Errorf("the configuration is %s", g.body)
	}
	w.setting(400, "InvalidRetentionPeriod", "PUT", "object-lock",
		configure("<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>9999</Days></DefaultRetention></Rule>"))
	w.must(404, "NoSuchObjectLockConfiguration", ask{verb: "GET", path: "/my-bucket/a?retention"})

	id := w.put("b", "x").header.Get("X-Amz-Version-Id")
	head := w.must(200, "", ask{verb: "HEAD", path: "/my-bucket/b"})
	if head.header.Get("X-Amz-Object-Lock-Mode") != "GOVERNANCE" ||
		head.header.Get("X-Amz-Object-Lock-Retain-Until-Date") != "2026-11-04T12:00:00.000Z" {
		t.Errorf("by default it is locked %v", head.header)
	}
	remove := ask{verb: "DELETE", path: "/my-bucket/b?versionId=" + id}
	w.must(403, "AccessDenied", remove)
	retain := func(status int, code, mode, until string, header ...string) {
		t.Helper()
		body := "<Retention><Mode>" + mode + "</Mode><RetainUntilDate>" + until + "</RetainUntilDate></Retention>"
		w.must(status, code, ask{verb: "PUT", path: "/my-bucket/b?retention", body: body, header: header})
	}
	retain(200, "", "GOVERNANCE", "2026-11-06T12:00:00Z")
	retain(403, "AccessDenied", "GOVERNANCE", "2026-11-05T12:00:00Z")
	retain(400, "InvalidArgument", "GOVERNANCE", "2026-11-01T12:00:00Z")
	retain(400, "MalformedXML", "SOFT", "2026-11-05T12:00:00Z")
	retain(200, "", "GOVERNANCE", "2026-11-05T12:00:00Z", "X-Amz-Bypass-Governance-Retention: true")
	hold := func(status string) {
		t.Helper()
		w.must(200, "", ask{verb: "PUT", path: "/my-bucket/b?legal-hold", body: "<LegalHold><Status>" + status + "</Status></LegalHold>"})
		if g := w.must(200, "", ask{verb: "GET", path: "/my-bucket/b?legal-hold"}); g.member("Status") != status {
			t.Errorf("the hold is %s", g.body)
		}
	}
	hold("ON")
	remove.header = []string{"X-Amz-Bypass-Governance-Retention: true"}
	w.must(403, "AccessDenied", remove)
	hold("OFF")
	w.must(204, "", remove)
	w.put("c", "x", "X-Amz-Object-Lock-Mode: COMPLIANCE", "X-Amz-Object-Lock-Retain-Until-Date: 2026-11-05T12:00:00Z",
		"X-Amz-Object-Lock-Legal-Hold: ON")
	w.must(400, "InvalidArgument", ask{verb: "PUT", path: "/my-bucket/d", body: "x",
		header: []string{"X-Amz-Object-Lock-Mode: COMPLIANCE"}})
	w.must(200, "", ask{verb: "PUT", path: "/lock-bucket", header: []string{"X-Amz-Bucket-Object-Lock-Enabled: true"}})
	w.must(200, "", ask{verb: "GET", path: "/lock-bucket?object-lock"})
}

func statusAndCode(g got) string { return fmt.Sprintf("%d %s", g.status, g.member("Code")) }

// TestS3Capabilities takes each capability away from the requests that need it.
func TestS3Capabilities(t *testing.T) {
	w := openS3(t, emulator.Options{})
	id := w.put("a/1", "x").header.Get("X-Amz-Version-Id")
	upload := w.must(200, "", ask{verb: "POST", path: "/my-bucket/a/u?uploads"}).member("UploadId")
	const b, o = "/my-bucket", "/my-bucket/a/1"
	for _, c := range []struct {
		capabilities string // of which one suffices
		verb, path   string
		body         string
		header       string
		status       int
	}{
		{"listAllBucketNames", "GET", "/", "", "", 200},
		{"listBuckets", "HEAD", b, "", "", 200},
		{"listBuckets readBuckets", "GET", b + "?location", "", "", 200},
		{"listBuckets readBuckets", "GET", b + "?versioning", "", "", 200},
		{"listBuckets readBuckets", "GET", b + "?acl", "", "", 200},
		{"readBuckets", "GET", b + "?cors", "", "", 404},
		{"writeBuckets", "DELETE", b + "?cors", "", "", 204},
		{"readBucketLifecycleRules listBuckets", "GET", b + "?lifecycle", "", "", 404},
		{"writeBucketLifecycleRules writeBuckets", "DELETE", b + "?lifecycle", "", "", 204},
		{"readBucketEncryption", "GET", b + "?encryption", "", "", 200},
		{"writeBucketEncryption", "DELETE", b + "?encryption", "", "", 204},
		{"readBucketRetentions", "GET", b + "?object-lock", "", "", 404},
		{"readBucketLogging", "GET", b + "?logging", "", "", 200},
		{"writeBuckets", "PUT", "/new-bucket", "", "", 200},
		{"deleteBuckets", "DELETE", "/new-bucket", "", "", 204},
		{"listFiles", "GET", b, "", "", 200},
		{"listFiles", "GET", b + "?list-type=2", "", "", 200},
		{"listFiles", "GET", b + "?versions", "", "", 200},
		{"listFiles", "GET", b + "?uploads", "", "", 200},
		{"readFiles", "GET", o, "", "", 200},
		{"readFiles", "HEAD", o, "", "", 200},
		{"readFiles", "GET", o + "?acl", "", "", 200},
		{"readFiles", "GET", o + "?tagging", "", "", 200},
		{"writeFiles", "PUT", "/my-bucket/a/2", "x", "", 200},
		{"writeFiles", "POST", "/my-bucket/a/3?uploads", "", "", 200},
		{"writeFiles", "GET", "/my-bucket/a/u?uploadId=" + upload, "", "", 200},
		{"writeFiles", "PUT", "/my-bucket/a/u?partNumber=1&uploadId=" + upload, "x", "", 200},
		{"writeFiles", "DELETE", "/my-bucket/a/2", "", "", 204},
		{"deleteFiles", "DELETE", o + "?versionId=" + id, "", "", 204},
	} {
		known := strings.Fields(c.capabilities)
		a := ask{verb: c.verb, path: c.path, body: c.body}
		var others []string
		for _, name := range strings.Split(strings.Trim(everything, `[]`), ",") {
			if !slices.Contains(known, strings.Trim(name, `"`)) && (c.path != b+"?cors" || name != `"listBuckets"`) &&
				(c.path != b+"?lifecycle" || name != `"readBuckets"`) && (c.path != o+"?acl" || name != `"readBuckets"`) {
				others = append(others, name)
			}
		}
		w.as("["+strings.Join(others, ",")+"]", "")
		w.must(403, "AccessDenied", a)
		for _, one := range known {
			w.as(`["`+one+`"]`, "")
			if c.status != 404 {
				w.must(c.status, "", a)
			} else if g := w.do(a); g.status != 404 {
				t.Errorf("with %s alone %s %s is %d %s", one, c.verb, c.path, g.status, g.body)
			}
		}
	}
}

// TestS3Restrictions keeps keys in their bucket and below their prefix.
func TestS3Restrictions(t *testing.T) {
	w := openS3(t, emulator.Options{})
	w.put("a/1", "x")
	w.put("b/1", "x")
	w.must(200, "", ask{verb: "PUT", path: "/other-bucket"})
	w.as(`["listAllBucketNames","listBuckets","listFiles","readFiles","writeFiles","deleteFiles"]`,
		`,"bucketIds":["`+w.bucketID+`"],"namePrefix":"a/","validDurationInSeconds":60`)
	w.must(200, "", ask{verb: "GET", path: "/"})
	w.must(200, "", ask{verb: "GET", path: "/my-bucket/a/1"})
	w.must(200, "", ask{verb: "GET", path: "/my-bucket?prefix=a/"})
	w.must(404, "NoSuchKey", ask{verb: "GET", path: "/my-bucket/a/2"})
	for _, a := range []ask{
		{verb: "GET", path: "/my-bucket/b/1"}, {verb: "PUT", path: "/my-bucket/b/1"}, {verb: "DELETE", path: "/my-bucket/b/1"},
		{verb: "GET", path: "/my-bucket?prefix=b/"}, {verb: "GET", path: "/my-bucket?list-type=2"},
		{verb: "GET", path: "/my-bucket?versions"},
		{verb: "GET", path: "/other-bucket/a/1"}, {verb: "HEAD", path: "/other-bucket"}, {verb: "GET", path: "/no-bucket/a/1"},
		{verb: "PUT", path: "/my-bucket/a/c", header: []string{"X-Amz-Copy-Source: my-bucket/b/1"}},
		{verb: "PUT", path: "/my-bucket/a/c", header: []string{"X-Amz-Copy-Source: other-bucket/a/1"}},
	} {
		w.must(403, "AccessDenied", a)
	}
	g := w.must(200, "", ask{verb: "POST", path: "/my-bucket?delete", body: "<Delete><Object><Key>b/1</Key></Object></Delete>"})
	if g.member("Code") != "AccessDenied" {
		t.Errorf("delete of what is outside: %s", g.body)
	}
	w.server.Advance(61_000_000_000)
	w.must(403, "InvalidAccessKeyId", ask{verb: "GET", path: "/my-bucket/a/1"})
	w.server.Advance(-61_000_000_000)
	w.as(`["readFiles"]`, "")
	w.must(403, "AccessDenied", ask{verb: "GET", path: "/my-bucket/nothing"})
}

// TestS3BucketEncryption puts objects into buckets with and without encryption of
// their own, in an account that encrypts nothing unasked.
func TestS3BucketEncryption(t *testing.T) {
	w := openS3(t, emulator.Options{Switches: emulator.Switches{UnencryptedByDefault: true}})
	const header = "X-Amz-Server-Side-Encryption"
	make := func(key string) []string {
		w.put(key, "content")
		w.must(200, "", ask{verb: "PUT", path: "/my-bucket/copy", header: []string{"X-Amz-Copy-Source: my-bucket/" + key}})
		id := w.must(200, "", ask{verb: "POST", path: "/my-bucket/parts?uploads"}).member("UploadId")
		part := w.must(200, "", ask{verb: "PUT", path: "/my-bucket/parts?partNumber=1&uploadId=" + id, body: "x"}).header.Get("Etag")
		w.must(200, "", ask{verb: "POST", path: "/my-bucket/parts?uploadId=" + id, body: "<CompleteMultipartUpload><Part><PartNumber>1" +
			"</PartNumber><ETag>" + part + "</ETag></Part></CompleteMultipartUpload>"})
		var got []string
		for _, name := range []string{key, "copy", "parts"} {
			got = append(got, w.must(200, "", ask{verb: "HEAD", path: "/my-bucket/" + name}).header.Get(header))
		}
		return got
	}
	if got := make("plain"); !slices.Equal(got, []string{"", "", ""}) {
		t.Errorf("unasked: %q", got)
	}
	w.update(`"defaultServerSideEncryption":{"mode":"SSE-B2","algorithm":"AES256"}`)
	if got := make("encrypted"); !slices.Equal(got, []string{"AES256", "AES256", "AES256"}) {
		t.Errorf("in an encrypted bucket: %q", got)
	}
}

// TestS3Room asks for metadata up to the limits of B2: 7000 bytes with the name,
// and 2048 without it where encryption is asked for or the bucket has Object Lock.
func TestS3Room(t *testing.T) {
	w := openS3(t, emulator.Options{})
	meta := func(bytes int) string { return "X-Amz-Meta-A: " + strings.Repeat("m", bytes-len("a")) }
	const encrypted, lock = "X-Amz-Server-Side-Encryption: AES256", "X-Amz-Bucket-Object-Lock-Enabled: true"
	w.must(200, "", ask{verb: "PUT", path: "/locked-bucket", header: []string{lock}})
	w.put("rich", "content", meta(2049))
	for _, c := range []struct {
		path   string
		bytes  int
		header []string
	}{
		{"/my-bucket/name", 7000 - len("name"), nil},
		{"/my-bucket/name", 2048, []string{encrypted}},
		{"/locked-bucket/name", 2048, nil},
	} {
		for _, q := range []struct{ verb, query string }{{"PUT", ""}, {"POST", "?uploads"}} {
			a := ask{verb: q.verb, path: c.path + q.query, header: append(slices.Clone(c.header), meta(c.bytes))}
			w.must(200, "", a)
			a.header = append(slices.Clone(c.header), meta(c.bytes+1))
			w.must(400, "MetadataTooLarge", a)
		}
	}
	from := "X-Amz-Copy-Source: my-bucket/rich"
	w.must(200, "", ask{verb: "PUT", path: "/my-bucket/copy", header: []string{from}})
	w.must(400, "MetadataTooLarge", ask{verb: "PUT", path: "/my-bucket/copy", header: []string{from, encrypted}})
	w.must(400, "MetadataTooLarge", ask{verb: "PUT", path: "/locked-bucket/copy", header: []string{from}})
	w.must(200, "", ask{verb: "PUT", path: "/locked-bucket/copy", header: []string{from, "X-Amz-Metadata-Directive: REPLACE", meta(2048)}})
}
