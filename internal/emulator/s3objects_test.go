package emulator_test

import (
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"b2form/internal/emulator"
)

// members gives the texts of all elements of that name.
func (g got) members(name string) (all []string) {
	for _, part := range strings.Split(g.body, "<"+name+">")[1:] {
		value, _, _ := strings.Cut(part, "</"+name+">")
		all = append(all, value)
	}
	return all
}

func TestS3Object(t *testing.T) {
	w := openS3(t, emulator.Options{})
	put := w.put("dir/a%20b%2B%C3%BC", "content", "Content-Type: text/plain", "X-Amz-Meta-Color: red", "Cache-Control: max-age=60",
		"Content-Language: fr")
	sum := md5.Sum([]byte("content"))
	etag := `"` + hex.EncodeToString(sum[:]) + `"`
	version := put.header.Get("X-Amz-Version-Id")
	if put.header.Get("Etag") != etag || put.header.Get("X-Amz-Server-Side-Encryption") != "AES256" || version == "" {
		t.Errorf("put answers %v", put.header)
	}
	for _, verb := range []string{"GET", "HEAD"} {
		g := w.must(200, "", ask{verb: verb, path: "/my-bucket/dir/a%20b%2B%C3%BC"})
		for name, want := range map[string]string{
			"Etag": etag, "Content-Type": "text/plain", "X-Amz-Meta-Color": "red", "Cache-Control": "max-age=60", "Content-Language": "fr",
			"Content-Length": "7", "Accept-Ranges": "bytes", "Last-Modified": noon.Format(http.TimeFormat), "X-Amz-Version-Id": version,
		} {
			if g.header.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", verb, name, g.header.Get(name), want)
			}
		}
	}
	info := w.native(200, "b2_get_file_info", `{"fileId":"`+version+`"}`)
	if info["fileName"] != "dir/a b+ü" || info["contentSha1"] != "unverified:040f06fd774092478d450774f5ba30c5da78acc8" ||
		fmt.Sprint(info["fileInfo"]) != "map[b2-cache-control:max-age=60 b2-content-language:fr color:red]" {
		t.Errorf("natively it is %v", info)
	}
	get := ask{verb: "GET", path: "/my-bucket/dir/a%20b%2B%C3%BC"}
	for header, want := range map[string]string{
		"Range: bytes=1-3": "206 ont", "Range: bytes=-2": "206 nt", "Range: bytes=5-": "206 nt", "Range: lines=1": "200 content",
		"Range: bytes=7-": "416 InvalidRange", "If-Match: " + etag: "200 content", "If-Match: \"x\"": "412 PreconditionFailed",
		"If-None-Match: " + etag: "304 ", "If-None-Match: \"x\"": "200 content",
		"If-Modified-Since: " + noon.Format(http.TimeFormat):                     "304 ",
		"If-Unmodified-Since: " + noon.AddDate(0, 0, -1).Format(http.TimeFormat): "412 PreconditionFailed",
		"If-Unmodified-Since: " + noon.Format(http.TimeFormat):                   "200 content",
	} {
		get.header = []string{header}
		g := w.do(get)
		if text := fmt.Sprintf("%d %s", g.status, cmp.Or(g.member("Code"), g.body)); text != want {
			t.Errorf("%s: %s, want %s", header, text, want)
		}
	}
	over := w.must(200, "",
		ask{verb: "GET", path: "/my-bucket/dir/a%20b%2B%C3%BC?response-content-disposition=attachment&response-cache-control=no-store"})
	if over.header.Get("Content-Disposition") != "attachment" || over.header.Get("Cache-Control") != "no-store" {
		t.Errorf("overrides: %v", over.header)
	}
}

func TestS3RefusesWrites(t *testing.T) {
	w := openS3(t, emulator.Options{})
	for _, c := range []struct {
		status       int
		code, header string
	}{
		{501, "NotImplemented", "If-None-Match: *"},
		{501, "NotImplemented", "If-Match: \"x\""},
		{400, "InvalidArgument", "X-Amz-Tagging: a=b"},
		{400, "InvalidArgument", "X-Amz-Acl: bucket-owner-full-control"},
		{400, "InvalidArgument", "X-Amz-Grant-Read: id=x"},
		{400, "InvalidArgument", "X-Amz-Server-Side-Encryption: aws:kms"},
		{400, "InvalidStorageClass", "X-Amz-Storage-Class: GLACIER"},
		{400, "InvalidRequest", "X-Amz-Object-Lock-Legal-Hold: ON"},
		{400, "MetadataTooLarge", "X-Amz-Meta-A: " + strings.Repeat("x", 7001)},
	} {
		w.must(c.status, c.code, ask{verb: "PUT", path: "/my-bucket/a", body: "x", header: []string{c.header}})
	}
	w.must(400, "KeyTooLongError", ask{verb: "PUT", path: "/my-bucket/" + strings.Repeat("x", 1025), body: "x"})
	w.must(400, "InvalidArgument", ask{verb: "PUT", path: "/my-bucket/a//b", body: "x"})
	w.must(411, "MissingContentLength", ask{verb: "PUT", path: "/my-bucket/a", payload: "UNSIGNED-PAYLOAD", alter: func(r *http.Request) {
		r.ContentLength, r.Body = -1, http.MaxBytesReader(nil, r.Body, 10)
	}})
	w.must(404, "NoSuchKey", ask{verb: "GET", path: "/my-bucket/a"})
	w.must(501, "NotImplemented", ask{verb: "POST", path: "/my-bucket"})
	w.must(501, "NotImplemented", ask{verb: "GET", path: "/my-bucket?policy"})
	w.must(501, "NotImplemented", ask{verb: "PUT", path: "/my-bucket/a?tagging"})
	w.must(405, "MethodNotAllowed", ask{verb: "PATCH", path: "/my-bucket/a"})
	w.must(404, "NoSuchBucket", ask{verb: "GET", path: "/no-bucket/a"})
}

func TestS3Versions(t *testing.T) {
	w := openS3(t, emulator.Options{})
	first := w.put("a", "one").header.Get("X-Amz-Version-Id")
	second := w.put("a", "two").header.Get("X-Amz-Version-Id")
	if w.get("a") != "two" || w.get("a?versionId="+first) != "one" {
		t.Error("versions are not told apart")
	}
	hide := w.must(204, "", ask{verb: "DELETE", path: "/my-bucket/a"})
	marker := hide.header.Get("X-Amz-Version-Id")
	if hide.header.Get("X-Amz-Delete-Marker") != "true" || marker == "" {
		t.Errorf("delete answers %v", hide.header)
	}
	gone := w.must(404, "NoSuchKey", ask{verb: "GET", path: "/my-bucket/a"})
	if gone.header.Get("X-Amz-Delete-Marker") != "true" {
		t.Errorf("a hidden object answers %v", gone.header)
	}
	w.must(405, "MethodNotAllowed", ask{verb: "GET", path: "/my-bucket/a?versionId=" + marker})
	w.must(400, "InvalidArgument", ask{verb: "GET", path: "/my-bucket/a?versionId=x"})
	w.must(404, "NoSuchVersion", ask{verb: "GET", path: "/my-bucket/b?versionId=" + first})
	w.put("b", "three")
	page := w.must(200, "", ask{verb: "GET", path: "/my-bucket?versions&max-keys=2"})
	if ids := page.members("VersionId"); !slices.Equal(ids, []string{marker, second}) || page.member("NextVersionIdMarker") != second {
		t.Errorf("the first page has %v: %s", ids, page.body)
	}
	if latest := page.members("IsLatest"); !slices.Equal(latest, []string{"true", "false"}) {
		t.Errorf("latest are %v", latest)
	}
	page = w.must(200, "", ask{verb: "GET", path: "/my-bucket?versions&key-marker=a&version-id-marker=" + second})
	if keys, latest := page.members("Key"), page.members("IsLatest"); !slices.Equal(keys, []string{"a", "b"}) ||
		!slices.Equal(latest, []string{"false", "true"}) {
		t.Errorf("the second page has %v, latest %v", keys, latest)
	}
	w.must(204, "", ask{verb: "DELETE", path: "/my-bucket/a?versionId=" + marker})
	w.must(204, "", ask{verb: "DELETE", path: "/my-bucket/a?versionId=" + second})
	w.must(204, "", ask{verb: "DELETE", path: "/my-bucket/a?versionId=" + second})
	if w.get("a") != "one" {
		t.Error("what was there before is not there again")
	}
	w.must(204, "", ask{verb: "DELETE", path: "/my-bucket/nothing"})
	many := w.must(200, "", ask{verb: "POST", path: "/my-bucket?delete", body: `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
		`<Object><Key>a</Key><VersionId>` + first +
		`</VersionId></Object><Object><Key>b</Key></Object><Object><Key>c</Key><VersionId>x</VersionId></Object></Delete>`})
	if keys := many.members("Key"); !slices.Equal(keys, []string{"a", "b", "c"}) || many.member("DeleteMarker") != "true" ||
		many.member("Code") != "InvalidArgument" {
		t.Errorf("delete of three: %s", many.body)
	}
	quiet := w.must(200, "", ask{verb: "POST", path: "/my-bucket?delete",
		body: `<Delete><Quiet>true</Quiet><Object><Key>b</Key></Object></Delete>`})
	if strings.Contains(quiet.body, "<Key>") {
		t.Errorf("it is not quiet: %s", quiet.body)
	}
	w.must(400, "MalformedXML", ask{verb: "POST", path: "/my-bucket?delete", body: "<Delete></Delete>"})
	w.must(400, "MalformedXML", ask{verb: "POST", path: "/my-bucket?delete", body: "<Delete>"})
}

func TestS3Listings(t *testing.T) {
	w := openS3(t, emulator.Options{})
	for _, key := range []string{"a", "b/1", "b/2", "c%20%26", "d/1", "e"} {
		w.put(key, key)
	}
	w.must(204, "", ask{verb: "DELETE", path: "/my-bucket/e"})
	list := func(query string) got {
		t.Helper()
		return w.must(200, "", ask{verb: "GET", path: "/my-bucket?" + query})
	}
	if keys := list("list-type=2").members("Key"); !slices.Equal(keys, []string{"a", "b/1", "b/2", "c &amp;", "d/1"}) {
		t.Errorf("all: %v", keys)
	}
	if keys := list("encoding-type=url").members("Key"); !slices.Contains(keys, "c%20%26") {
		t.Errorf("encoded: %v", keys)
	}
	var seen []string
	for _, version := range []string{"list-type=2&delimiter=/&max-keys=1&continuation-token=", "delimiter=/&max-keys=1&marker="} {
		seen = nil
		next := ""
		for range 5 {
			query := version + next
			if next == "" && strings.HasPrefix(version, "list-type") {
				query = strings.TrimSuffix(version, "&continuation-token=")
			}
			g := list(query)
			prefixes := g.members("CommonPrefixes")
			for i := range prefixes {
				prefixes[i] = strings.TrimSuffix(strings.TrimPrefix(prefixes[i], "<Prefix>"), "</Prefix>")
			}
			seen = append(seen, append(g.members("Key"), prefixes...)...)
			if g.member("IsTruncated") == "false" {
				break
			}
			next = strings.ReplaceAll(strings.ReplaceAll(cmp.Or(g.member("NextContinuationToken"), g.member("NextMarker")), "&amp;", "%26"),
				" ", "%20")
		}
		if !slices.Equal(seen, []string{"a", "b/", "c &amp;", "d/"}) {
			t.Errorf("%s: one by one: %v", version, seen)
		}
	}
	if keys := list("list-type=2&start-after=b/1&prefix=b/").members("Key"); !slices.Equal(keys, []string{"b/2"}) {
		t.Errorf("after b/1: %v", keys)
	}
	if g := list("list-type=2&max-keys=0"); g.member("KeyCount") != "0" || g.member("IsTruncated") != "false" {
		t.Errorf("none: %s", g.body)
	}
	for _, query := range []string{"max-keys=x", "max-keys=-1", "encoding-type=x", "list-type=3", "list-type=2&continuation-token=%25"} {
		w.must(400, "InvalidArgument", ask{verb: "GET", path: "/my-bucket?" + query})
	}
}

func TestS3Multipart(t *testing.T) {
	w := openS3(t, emulator.Options{})
	first, last := strings.Repeat("x", 5_000_000), "the end"
	start := func(key string, header ...string) string {
		t.Helper()
		return w.must(200, "", ask{verb: "POST", path: "/my-bucket/" + key + "?uploads", header: header}).member("UploadId")
	}
	part := func(key, id string, n int, body string) string {
		t.Helper()
		return w.must(200, "", ask{verb: "PUT", path: fmt.Sprintf("/my-bucket/%s?partNumber=%d&uploadId=%s", key, n, id),
			body: body}).header.Get("Etag")
	}
	complete := func(status int, code, key, id string, parts ...string) got {
		t.Helper()
		body := "<CompleteMultipartUpload>"
		for i := 0; i < len(parts); i += 2 {
			body += "<Part><PartNumber>" + parts[i] + "</PartNumber><ETag>" + parts[i+1] + "</ETag></Part>"
		}
		return w.must(status, code, ask{verb: "POST", path: "/my-bucket/" + key + "?uploadId=" + id,
			body: body + "</CompleteMultipartUpload>"})
	}
	id := start("big", "Content-Type: text/big", "X-Amz-Meta-A: b")
	one, dropped, three := part("big", id, 2, first), part("big", id, 5, "dropped"), part("big", id, 9, last)
	listed := w.must(200, "", ask{verb: "GET", path: "/my-bucket/big?max-parts=2&uploadId=" + id})
	if n := listed.members("PartNumber"); !slices.Equal(n, []string{"2", "5"}) || listed.member("NextPartNumberMarker") != "5" ||
		listed.member("IsTruncated") != "true" {
		t.Errorf("parts: %s", listed.body)
	}
	uploads := w.must(200, "", ask{verb: "GET", path: "/my-bucket?uploads"})
	if uploads.member("UploadId") != id {
		t.Errorf("uploads: %s", uploads.body)
	}
	complete(400, "InvalidPart", "big", id, "2", one, "3", three)
	complete(400, "InvalidPart", "big", id, "2", three)
	complete(400, "InvalidPartOrder", "big", id, "9", three, "2", one)
	complete(400, "EntityTooSmall", "big", id, "5", dropped, "9", three)
	complete(400, "MalformedXML", "big", id)
	w.must(501, "NotImplemented", ask{verb: "POST", path: "/my-bucket/big?uploadId=" + id, header: []string{"If-None-Match: *"},
		body: "<x/>"})
	etag := complete(200, "", "big", id, "2", one, "9", three).member("ETag")
	if !strings.HasSuffix(etag, `-2&quot;`) {
		t.Errorf("the entity tag is %s", etag)
	}
	complete(404, "NoSuchUpload", "big", id, "2", one)
	head := w.must(200, "", ask{verb: "HEAD", path: "/my-bucket/big"})
	if head.header.Get("Content-Length") != "5000007" || head.header.Get("X-Amz-Meta-A") != "b" ||
		head.header.Get("Content-Type") != "text/big" {
		t.Errorf("it has %v", head.header)
	}
	second := w.must(206, "", ask{verb: "GET", path: "/my-bucket/big?partNumber=2"})
	if second.body != last || second.header.Get("X-Amz-Mp-Parts-Count") != "2" {
		t.Errorf("its second part is %q of %s", second.body, second.header.Get("X-Amz-Mp-Parts-Count"))
	}
	file := w.native(200, "b2_get_file_info", `{"fileId":"`+head.header.Get("X-Amz-Version-Id")+`"}`)
	if file["contentSha1"] != "none" || file["contentMd5"] != nil {
		t.Errorf("natively it has the digests %v, %v", file["contentSha1"], file["contentMd5"])
	}
	id = start("copy")
	copied := w.must(200, "", ask{verb: "PUT", path: "/my-bucket/copy?partNumber=1&uploadId=" + id,
		header: []string{"X-Amz-Copy-Source: my-bucket/big", "X-Amz-Copy-Source-Range: bytes=0-4999999"}}).member("ETag")
	tail := w.must(200, "", ask{verb: "PUT", path: "/my-bucket/copy?partNumber=2&uploadId=" + id,
		header: []string{"X-Amz-Copy-Source: my-bucket/big", "X-Amz-Copy-Source-Range: bytes=5000000-5000006"}}).member("ETag")
	w.must(400, "InvalidArgument", ask{verb: "PUT", path: "/my-bucket/copy?partNumber=3&uploadId=" + id,
		header: []string{"X-Amz-Copy-Source: my-bucket/big", "X-Amz-Copy-Source-Range: bytes=0-5000007"}})
	complete(200, "", "copy", id, "1", copied, "2", tail)
	if w.get("copy") != first+last {
		t.Error("the copy is another")
	}
	id = start("aborted")
	part("aborted", id, 1, "x")
	w.must(400, "InvalidArgument", ask{verb: "PUT", path: "/my-bucket/aborted?partNumber=10001&uploadId=" + id})
	w.must(404, "NoSuchUpload", ask{verb: "PUT", path: "/my-bucket/other?partNumber=1&uploadId=" + id, body: "x"})
	w.must(204, "", ask{verb: "DELETE", path: "/my-bucket/aborted?uploadId=" + id})
	w.must(404, "NoSuchUpload", ask{verb: "DELETE", path: "/my-bucket/aborted?uploadId=" + id})
	w.must(404, "NoSuchUpload", ask{verb: "GET", path: "/my-bucket/aborted?uploadId=x"})
}

func TestS3Copy(t *testing.T) {
	w := openS3(t, emulator.Options{})
	old := w.put("a", "one", "X-Amz-Meta-A: b").header.Get("X-Amz-Version-Id")
	w.put("a", "two", "X-Amz-Meta-A: c")
	copyTo := func(status int, code, key string, header ...string) got {
		t.Helper()
		return w.must(status, code, ask{verb: "PUT", path: "/my-bucket/" + key, header: header})
	}
	g := copyTo(200, "", "b", "X-Amz-Copy-Source: /my-bucket/a")
	if g.member("ETag") == "" || g.header.Get("X-Amz-Copy-Source-Version-Id") == "" || w.get("b") != "two" {
		t.Errorf("copy: %s", g.body)
	}
	copyTo(200, "", "a", "X-Amz-Copy-Source: /my-bucket/a?versionId="+old)
	if w.get("a") != "one" {
		t.Error("the old version was not copied")
	}
	copyTo(200, "", "c", "X-Amz-Copy-Source: my-bucket%2Fa", "X-Amz-Metadata-Directive: REPLACE", "X-Amz-Meta-A: d", "Content-Type: text/d")
	head := w.must(200, "", ask{verb: "HEAD", path: "/my-bucket/c"})
	if head.header.Get("X-Amz-Meta-A") != "d" || head.header.Get("Content-Type") != "text/d" {
		t.Errorf("replaced metadata: %v", head.header)
	}
	copyTo(400, "InvalidRequest", "a", "X-Amz-Copy-Source: /my-bucket/a")
	copyTo(400, "InvalidArgument", "b", "X-Amz-Copy-Source: nothing")
	copyTo(404, "NoSuchKey", "b", "X-Amz-Copy-Source: my-bucket/nothing")
	copyTo(404, "NoSuchBucket", "b", "X-Amz-Copy-Source: no-bucket/a")
	copyTo(412, "PreconditionFailed", "b", "X-Amz-Copy-Source: my-bucket/a", `X-Amz-Copy-Source-If-Match: "x"`)
	copyTo(501, "NotImplemented", "b", "X-Amz-Copy-Source: my-bucket/a", "If-None-Match: *")
}

func TestS3CustomerKeys(t *testing.T) {
	w := openS3(t, emulator.Options{})
	headers := func(prefix, key string) []string {
		sum := md5.Sum([]byte(key))
		return []string{prefix + "Algorithm: AES256", prefix + "Key: " + base64.StdEncoding.EncodeToString([]byte(key)),
			prefix + "Key-Md5: " + base64.StdEncoding.EncodeToString(sum[:])}
	}
	const customer, from = "X-Amz-Server-Side-Encryption-Customer-", "X-Amz-Copy-Source-Server-Side-Encryption-Customer-"
	key, other := strings.Repeat("k", 32), strings.Repeat("o", 32)
	put := w.put("a", "secret", headers(customer, key)...)
	if put.header.Get(customer+"Algorithm") != "AES256" || put.header.Get(customer+"Key") != "" {
		t.Errorf("put answers %v", put.header)
	}
	get := ask{verb: "GET", path: "/my-bucket/a", header: headers(customer, key)}
	if g := w.must(200, "", get); g.body != "secret" {
		t.Errorf("it holds %q", g.body)
	}
	get.header = headers(customer, other)
	w.must(403, "AccessDenied", get)
	get.header = nil
	w.must(400, "InvalidRequest", get)
	get.header = headers(customer, "short")
	w.must(400, "InvalidArgument", get)
	w.put("b", "plain")
	w.must(400, "InvalidRequest", ask{verb: "GET", path: "/my-bucket/b", header: headers(customer, key)})
	w.must(400, "InvalidRequest", ask{verb: "PUT", path: "/my-bucket/c", header: []string{"X-Amz-Copy-Source: my-bucket/a"}})
	w.must(200, "", ask{verb: "PUT", path: "/my-bucket/c", header: append(headers(from, key), "X-Amz-Copy-Source: my-bucket/a")})
	if w.get("c") != "secret" {
		t.Error("the copy is another")
	}
}

// TestS3Faults makes S3 requests fail as native ones.
func TestS3Faults(t *testing.T) {
	w := openS3(t, emulator.Options{})
	for text, want := range map[string]string{
		"GetObject:status=503,retry_after=3":      "503 SlowDown",
		"*:status=400,code=BadDigest,message=Odd": "400 BadDigest",
		"GetObject:status=403":                    "403 AccessDenied",
	} {
		f, err := emulator.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		w.server.QueueFault(f)
		if g := w.do(ask{verb: "GET", path: "/my-bucket/a"}); fmt.Sprintf("%d %s", g.status, g.member("Code")) != want {
			t.Errorf("%s: %d %s", text, g.status, g.body)
		}
	}
	if _, err := emulator.ParseFault("GetObjects:drop"); err == nil {
		t.Error("there is no GetObjects")
	}
	w.server.QueueFault(emulator.Fault{Method: "PutObject", LateByRequests: 1, Status: 500})
	w.must(500, "InternalError", ask{verb: "PUT", path: "/my-bucket/late", body: "content"})
	w.must(404, "NoSuchKey", ask{verb: "GET", path: "/my-bucket/late"})
	if w.get("late") != "content" {
		t.Error("what was put late is not there")
	}
	calls := w.server.Calls()
	if last := calls[len(calls)-1]; last.Method != "GetObject" || last.Status != 200 || last.Body != nil {
		t.Errorf("the last call is %+v", last)
	}
}
