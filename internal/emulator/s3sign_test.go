package emulator_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"b2form/internal/emulator"
)

func crc32Of(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	return base64.StdEncoding.EncodeToString([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

// chunked writes the content in chunks of 5 bytes, signed after what sign says,
// and a trailer if one is given.
func chunked(content, trailer string, sign func(kind, text string) string) string {
	var b strings.Builder
	chunk := func(data string) {
		fmt.Fprintf(&b, "%x", len(data))
		if sign != nil {
			b.WriteString(";chunk-signature=" + sign("PAYLOAD", sha("")+"\n"+sha(data)))
		}
		b.WriteString("\r\n" + data)
		if data != "" {
			b.WriteString("\r\n")
		}
	}
	for rest := content; rest != ""; rest = rest[min(5, len(rest)):] {
		chunk(rest[:min(5, len(rest))])
	}
	chunk("")
	if trailer != "" {
		b.WriteString(trailer + "\r\n")
		if sign != nil {
			b.WriteString("x-amz-trailer-signature:" + sign("TRAILER", sha(trailer+"\n")) + "\r\n")
		}
	}
	return b.String() + "\r\n"
}

// streamed puts content in chunks whose signatures start from the request's.
func (w *s3World) streamed(key, content, payload, trailer string, spoil func(string) string) got {
	w.t.Helper()
	at := w.server.Now().UTC()
	a := ask{verb: "PUT", path: "/my-bucket/" + key, payload: payload, header: []string{
		"Content-Encoding: aws-chunked", fmt.Sprintf("X-Amz-Decoded-Content-Length: %d", len(content)),
	}}
	if name, _, ok := strings.Cut(trailer, ":"); ok {
		a.header = append(a.header, "X-Amz-Trailer: "+name)
	}
	a.alter = func(r *http.Request) {
		_, last, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
		sign := func(kind, text string) string {
			last = hex.EncodeToString(mac(w.key(at), "AWS4-HMAC-SHA256-"+kind+"\n"+at.Format(amzTime)+"\n"+w.scope(at)+"\n"+last+"\n"+text))
			return last
		}
		if strings.HasPrefix(payload, "STREAMING-UNSIGNED") {
			sign = nil
		}
		body := spoil(chunked(content, trailer, sign))
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
	return w.do(a)
}

func asIs(s string) string { return s }

// What TestS3PayloadForms and TestS3SpoiltContent put.
const (
	content         = "All of this is content."
	signed          = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	signedTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	unsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

var checksum = "x-amz-checksum-crc32:" + crc32Of(content)

// TestS3PayloadForms puts the same content in every form that clients use.
func TestS3PayloadForms(t *testing.T) {
	w := openS3(t, emulator.Options{})
	w.put("digest", content)
	w.must(200, "", ask{verb: "PUT", path: "/my-bucket/unsigned", body: content, payload: "UNSIGNED-PAYLOAD"})
	request, err := http.NewRequest("PUT", w.presign("PUT", "/my-bucket/presigned", 60), strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.StatusCode != 200 {
		t.Fatal(response, err)
	}
	_ = response.Body.Close()
	for key, form := range map[string][2]string{
		"signed": {signed, ""}, "signed-trailer": {signedTrailer, checksum}, "unsigned-trailer": {unsignedTrailer, checksum},
	} {
		g := w.streamed(key, content, form[0], form[1], asIs)
		if g.status != 200 {
			t.Errorf("%s: %d %s", key, g.status, g.body)
		}
		if want := strings.TrimPrefix(form[1], "x-amz-checksum-crc32:"); g.header.Get("X-Amz-Checksum-Crc32") != want {
			t.Errorf("%s: echoes %q, want %q", key, g.header.Get("X-Amz-Checksum-Crc32"), want)
		}
	}
	// minio-go has an empty line between the trailer and its signature.
	if g := w.streamed("minio", content, signedTrailer, checksum, func(s string) string {
		return strings.Replace(s, checksum+"\r\n", checksum+"\n\r\n", 1)
	}); g.status != 200 {
		t.Errorf("as minio-go writes it: %s", g.body)
	}
	for _, key := range []string{"digest", "unsigned", "presigned", "signed", "signed-trailer", "unsigned-trailer", "minio"} {
		if got := w.get(key); got != content {
			t.Errorf("%s holds %q", key, got)
		}
	}
	head := w.must(200, "", ask{verb: "HEAD", path: "/my-bucket/signed"})
	if coding := head.header.Get("Content-Encoding"); coding != "" {
		t.Errorf("the object kept Content-Encoding %q", coding)
	}
}

// TestS3SpoiltContent refuses content that is not what its request promises.
func TestS3SpoiltContent(t *testing.T) {
	w := openS3(t, emulator.Options{})
	replace := func(from, to string) func(string) string {
		return func(s string) string { return strings.Replace(s, from, to, 1) }
	}
	for _, c := range []struct {
		name, payload, trailer string
		spoil                  func(string) string
		code                   string
	}{
		{"a chunk is another", signed, "", replace("All o", "Ali o"), "SignatureDoesNotMatch"},
		{"the end is missing", signed, "", func(s string) string { return s[:len(s)-90] }, "IncompleteBody"},
		{"the trailer is another", signedTrailer, checksum, replace(checksum, "x-amz-checksum-crc32:"+crc32Of("")),
			"SignatureDoesNotMatch"},
		{"the trailer's checksum is wrong", unsignedTrailer, checksum, replace(checksum, "x-amz-checksum-crc32:"+crc32Of("")), "BadDigest"},
		{"the trailer is missing", unsignedTrailer, checksum, replace(checksum, "x-amz-meta-a:b"), "MalformedTrailerError"},
		{"a size is none", unsignedTrailer, checksum, replace("5\r\n", "z\r\n"), "InvalidRequest"},
		{"it is longer than promised", unsignedTrailer, checksum, replace("All o", "All o\r\n3\r\nabc"), "IncompleteBody"},
	} {
		if g := w.streamed("spoilt", content, c.payload, c.trailer, c.spoil); g.member("Code") != c.code {
			t.Errorf("%s: %d %s, want %s", c.name, g.status, g.body, c.code)
		}
	}
	put := ask{verb: "PUT", path: "/my-bucket/spoilt", body: content}
	put.payload = sha("other")
	if g := w.must(400, "XAmzContentSHA256Mismatch", put); g.member("S3ComputedContentSHA256") != sha(content) {
		t.Errorf("no computed digest in %s", g.body)
	}
	put.payload = ""
	for header, code := range map[string]string{
		"Content-Md5: 1B2M2Y8AsgTpgAmY7PhCfg==":         "BadDigest",
		"Content-Md5: short":                            "InvalidDigest",
		"X-Amz-Checksum-Crc32: " + crc32Of(""):          "BadDigest",
		"X-Amz-Checksum-Crc32: short":                   "InvalidRequest",
		"X-Amz-Checksum-Sha256: " + crc32Of(""):         "InvalidRequest",
		"X-Amz-Checksum-Whirlpool: " + crc32Of(content): "InvalidRequest",
	} {
		put.header = []string{header}
		w.must(400, code, put)
	}
	w.must(404, "NoSuchKey", ask{verb: "GET", path: "/my-bucket/spoilt"})
}

// TestS3SignatureErrors tells what is wrong with a signature, in S3's words and
// with the members that clients read.
func TestS3SignatureErrors(t *testing.T) {
	w := openS3(t, emulator.Options{})
	w.put("a", "content")
	get := ask{verb: "GET", path: "/my-bucket/a"}
	w.must(403, "AccessDenied", ask{verb: "GET", path: "/my-bucket/a", unsigned: true})

	w.region = "us-east-1"
	if g := w.must(400, "AuthorizationHeaderMalformed", get); g.member("Region") != "us-west-004" {
		t.Errorf("the right region is not in %s", g.body)
	}
	w.region = "us-west-004"

	id, secret := w.id, w.secret
	w.secret = "wrong"
	g := w.must(403, "SignatureDoesNotMatch", get)
	for _, name := range []string{
		"AWSAccessKeyId", "StringToSign", "SignatureProvided", "StringToSignBytes", "CanonicalRequest", "CanonicalRequestBytes",
		"RequestId", "HostId",
	} {
		if g.member(name) == "" {
			t.Errorf("no %s in %s", name, g.body)
		}
	}
	if strings.Contains(g.body, secret) {
		t.Error("the secret is in the reply")
	}
	w.id, w.secret = w.server.MasterKeyID(), w.server.MasterKey()
	w.must(403, "InvalidAccessKeyId", get)
	w.id = "0042039f49f5ead00000000ff"
	if g := w.must(403, "InvalidAccessKeyId", get); g.member("AWSAccessKeyId") != w.id {
		t.Errorf("the key is not in %s", g.body)
	}
	w.id, w.secret = id, secret
	for name, c := range map[string]struct {
		code  string
		alter func(*http.Request)
	}{
		"another path":   {"SignatureDoesNotMatch", func(r *http.Request) { r.URL.Path = "/my-bucket/b" }},
		"another header": {"AccessDenied", func(r *http.Request) { r.Header.Set("X-Amz-Acl", "private") }},
		"another scheme": {"InvalidArgument", func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }},
		"version 2":      {"InvalidRequest", func(r *http.Request) { r.Header.Set("Authorization", "AWS "+id+":x") }},
		"no credential": {"AuthorizationHeaderMalformed", func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Signature=x")
		}},
		"no digest":      {"InvalidRequest", func(r *http.Request) { r.Header.Del("X-Amz-Content-Sha256") }},
		"no date":        {"AccessDenied", func(r *http.Request) { r.Header.Del("X-Amz-Date") }},
		"two signatures": {"InvalidRequest", func(r *http.Request) { r.URL.RawQuery = "X-Amz-Algorithm=AWS4-HMAC-SHA256" }},
		"half presigned": {"AuthorizationQueryParametersError", func(r *http.Request) {
			r.Header.Del("Authorization")
			r.URL.RawQuery = "X-Amz-Signature=x"
		}},
		"empty component": {"AuthorizationHeaderMalformed", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), id, "", 1))
		}},
	} {
		get.alter = c.alter
		if g := w.do(get); g.member("Code") != c.code {
			t.Errorf("%s: %d %s, want %s", name, g.status, g.body, c.code)
		}
	}
}

// TestS3Clock refuses signatures of another time: the account's, or the real
// one behind its switch.
func TestS3Clock(t *testing.T) {
	w := openS3(t, emulator.Options{})
	w.put("a", "content")
	link := w.presign("GET", "/my-bucket/a?response-content-type=text/x", 3600)
	fetch := func() got {
		response, err := http.Get(link)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		return got{response.StatusCode, response.Header, string(body)}
	}
	if g := fetch(); g.body != "content" || g.header.Get("Content-Type") != "text/x" {
		t.Errorf("the link gives %d %s as %s", g.status, g.body, g.header.Get("Content-Type"))
	}
	late := ask{verb: "GET", path: "/my-bucket/a", alter: func(*http.Request) { w.server.Advance(16 * time.Minute) }}
	g := w.must(403, "RequestTimeTooSkewed", late)
	if g.member("RequestTime") != noon.Format(amzTime) || g.member("MaxAllowedSkewMilliseconds") != "900000" ||
		g.member("ServerTime") == "" {
		t.Errorf("the times are not in %s", g.body)
	}
	if g := fetch(); g.status != 200 {
		t.Errorf("the link ended early: %s", g.body)
	}
	w.server.Advance(45 * time.Minute)
	if g := fetch(); g.status != 403 || g.member("Message") != "Request has expired" || g.member("Expires") == "" {
		t.Errorf("the link after an hour: %d %s", g.status, g.body)
	}
	w.server.Advance(-2 * time.Hour)
	if g := fetch(); g.member("Message") != "Request is not valid yet" {
		t.Errorf("the link before it was made: %d %s", g.status, g.body)
	}
	long := w.presign("GET", "/my-bucket/a", 700_000)[len(w.s3.URL):]
	w.must(400, "AuthorizationQueryParametersError", ask{verb: "GET", path: long, unsigned: true})
	real := openS3(t, emulator.Options{Switches: emulator.Switches{RealDateHeader: true}})
	real.put("a", "content")
	real.must(200, "", ask{verb: "GET", path: "/my-bucket/a", alter: func(*http.Request) { real.server.Advance(72 * time.Hour) }})
}
