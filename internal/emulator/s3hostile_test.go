package emulator_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"b2form/internal/emulator"
)

// TestS3HostileDocuments sends documents that are large, deep or many: each is
// refused in S3's words.
func TestS3HostileDocuments(t *testing.T) {
	w := openS3(t, emulator.Options{})
	w.put("a", "content")
	for name, body := range map[string]string{
		"larger than any": "<Delete>" + strings.Repeat(" ", 5<<20) + "</Delete>",
		"deep":            strings.Repeat("<Delete>", 100_000),
		"deep inside":     "<Delete><Object>" + strings.Repeat("<Key>", 100_000),
		"many":            "<Delete>" + strings.Repeat("<Object><Key>a</Key></Object>", 100_000) + "</Delete>",
		"attributes":      "<Delete" + strings.Repeat(` a="b"`, 100_000) + "></Delete>",
		"entities": `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b ` +
			`"&a;&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>`,
		"another encoding":    `<?xml version="1.0" encoding="UTF-16"?><Delete/>`,
		"two":                 "<Delete><Object><Key>a</Key></Object></Delete><Delete/>",
		"no text":             "<Delete><Object><Key>\xff\xfe</Key></Object></Delete>",
		"nothing":             "",
		"what is no document": strings.Repeat("\x00", 1000),
	} {
		if g := w.do(ask{verb: "POST", path: "/my-bucket?delete", body: body}); g.status != 400 || g.member("Code") != "MalformedXML" {
			t.Errorf("%s: %d %s", name, g.status, g.member("Code"))
		}
	}
	parts := "<CompleteMultipartUpload>" + strings.Repeat("<Part><PartNumber>99999999999999999999</PartNumber></Part>", 10_000) +
		"</CompleteMultipartUpload>"
	w.must(400, "MalformedXML", ask{verb: "POST", path: "/my-bucket/a?uploadId=x", body: parts})
	if w.get("a") != "content" {
		t.Error("the object is another")
	}
}

// TestS3HostileNumbers gives sizes, ranges and counts that are negative, too large
// or none at all.
func TestS3HostileNumbers(t *testing.T) {
	w := openS3(t, emulator.Options{})
	w.put("a", "content")
	const most, over = "9223372036854775807", "9223372036854775808"
	for value, want := range map[string]string{
		"bytes=" + most + "-":           "416",
		"bytes=" + over + "-":           "200 content",
		"bytes=0-" + most:               "206 content",
		"bytes=0-" + over:               "200 content",
		"bytes=-" + most:                "206 content",
		"bytes=-" + over:                "200 content",
		"bytes=--1":                     "416",
		"bytes=-0":                      "416",
		"bytes=3-1":                     "416",
		"bytes=-":                       "200 content",
		"bytes=0-0,2-2":                 "200 content",
		"lines=0-1":                     "200 content",
		strings.Repeat("bytes=0-", 999): "200 content",
	} {
		g := w.do(ask{verb: "GET", path: "/my-bucket/a", header: []string{"Range: " + value}})
		if got := fmt.Sprintf("%d %s", g.status, g.body); !strings.HasPrefix(got, want) {
			t.Errorf("%.40s: %.60s", value, got)
		}
	}
	for _, q := range []string{
		"max-keys=-1", "max-keys=" + over, "max-keys=x", "list-type=2&max-keys=-1", "list-type=2&continuation-token=%00",
		"uploads&max-uploads=-1", "versions&max-keys=1e9", "versions&key-marker=a&version-id-marker=" + over,
	} {
		w.must(400, "InvalidArgument", ask{verb: "GET", path: "/my-bucket?" + q})
	}
	for _, n := range []string{"-1", "0", "10001", over, "1x"} {
		w.must(400, "InvalidArgument", ask{verb: "GET", path: "/my-bucket/a?partNumber=" + n})
		w.must(400, "InvalidArgument", ask{verb: "PUT", path: "/my-bucket/a?uploadId=x&partNumber=" + n})
	}
	for value, want := range map[string]string{
		"-1": "MissingContentLength", over: "MissingContentLength", "x": "MissingContentLength", most: "EntityTooLarge",
		"5000000001": "EntityTooLarge",
	} {
		w.must(map[bool]int{true: 411, false: 400}[want == "MissingContentLength"], want,
			ask{verb: "PUT", path: "/my-bucket/a", body: "0\r\n\r\n",
				payload: "STREAMING-UNSIGNED-PAYLOAD-TRAILER", header: []string{"X-Amz-Decoded-Content-Length: " + value}})
	}
	for _, chunk := range []string{
		"ffffffffffffffff\r\nx", "8000000000000000\r\nx", "-1\r\nx", "7fffffffffffffff\r\nx", "\r\n\r\n", "x\r\n", "7", "7\r\ncontent",
		"7\r\ncontentcontent\r\n0\r\n\r\n", "8\r\ncontent.\r\n0\r\n\r\n", strings.Repeat("7", 1<<20),
		"7;" + strings.Repeat("e", 1<<20) + "\r\ncontent",
	} {
		g := w.do(ask{verb: "PUT", path: "/my-bucket/a", body: chunk, payload: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
			header: []string{"X-Amz-Decoded-Content-Length: 7"}})
		if g.status != 400 {
			t.Errorf("%.40q: %d %s", chunk, g.status, g.body)
		}
	}
	if w.get("a") != "content" {
		t.Error("the object is another")
	}
}

// TestS3UploadsThatStop begins uploads that promise much and end early, in many
// ways. Nothing of them stays: no version, no part, no memory.
func TestS3UploadsThatStop(t *testing.T) {
	w := openS3(t, emulator.Options{})
	id := w.must(200, "", ask{verb: "POST", path: "/my-bucket/parts?uploads"}).member("UploadId")
	handler := w.server.S3()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	broken := errors.New("the connection is gone")
	rounds := 0
	for _, path := range []string{"/my-bucket/a", "/my-bucket/parts?partNumber=1&uploadId=" + id} {
		for _, sent := range []int{0, 1, 300 << 10, 3 << 20} {
			for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, broken} {
				rounds++
				body := io.MultiReader(io.LimitReader(zeros{}, int64(sent)), iotest.ErrReader(end))
				r, err := http.NewRequest("PUT", w.s3.URL+path, body)
				if err != nil {
					t.Fatal(err)
				}
				r.ContentLength = 5_000_000_000
				w.sign(r, ask{payload: "UNSIGNED-PAYLOAD"})
				reply := httptest.NewRecorder()
				handler.ServeHTTP(reply, r)
				if reply.Code != 400 || !strings.Contains(reply.Body.String(), "<Code>IncompleteBody</Code>") {
					t.Errorf("%d bytes of many, then %v: %d %s", sent, end, reply.Code, reply.Body)
				}
			}
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > uint64(rounds)*2<<20 {
		t.Errorf("%d uploads allocated %d bytes", rounds, took)
	}
	if g := w.must(200, "", ask{verb: "GET", path: "/my-bucket?versions"}); strings.Contains(g.body, "<Version>") {
		t.Errorf("there are versions: %s", g.body)
	}
	if g := w.must(200, "", ask{verb: "GET", path: "/my-bucket/parts?uploadId=" + id}); strings.Contains(g.body, "<Part>") {
		t.Errorf("there are parts: %s", g.body)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestS3OddRequests sends what Go's client does not: every request is answered or
// its connection closed, and the account goes on.
func TestS3OddRequests(t *testing.T) {
	w := openS3(t, emulator.Options{})
	w.put("a", "content")
	const head = "PUT /my-bucket/a HTTP/1.1\r\nHost: localhost\r\n"
	for name, text := range map[string]string{
		"negative length":       head + "Content-Length: -1\r\n\r\n",
		"length that overflows": head + "Content-Length: 99999999999999999999\r\n\r\n",
		"two lengths":           head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
		"flood of headers":      head + strings.Repeat("X-Amz-Meta-A: b\r\n", 200_000) + "\r\n",
		"long header":           head + "X-Amz-Meta-A: " + strings.Repeat("b", 2<<20) + "\r\n\r\n",
		"flood of parameters":   "GET /my-bucket?" + strings.Repeat("a&", 100_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"chunk that overflows":  head + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
		"no host":               "GET / HTTP/1.1\r\n\r\n",
		"path with odd escapes": "GET /my-bucket/%00%2F..%2f%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"a proxy's path":        "GET http://other/my-bucket/a HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"host of dots":          "GET /a HTTP/1.1\r\nHost: ..localhost\r\n\r\n",
		"a star":                "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"credentials of nothing": head + "Authorization: AWS4-HMAC-SHA256 Credential=////,SignedHeaders=;,Signature=\r\nContent-Length: " +
			"0\r\n\r\n",
	} {
		c, err := net.Dial("tcp", w.s3.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.WriteString(c, text) }() // it may be refused before its end
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err == nil && (response.StatusCode < 400 || response.StatusCode >= 500) && name != "a star" {
			t.Errorf("%s: %s", name, response.Status)
		}
		_ = c.Close() // whatever is left to say
	}
	if w.get("a") != "content" {
		t.Error("the object is another")
	}
}

// TestS3ChecksumOfParts completes an upload with a checksum of its object, which
// is none of the document that the request brings.
func TestS3ChecksumOfParts(t *testing.T) {
	w := openS3(t, emulator.Options{})
	id := w.must(200, "", ask{verb: "POST", path: "/my-bucket/a?uploads",
		header: []string{"X-Amz-Checksum-Algorithm: CRC32C"}}).member("UploadId")
	part := w.must(200, "", ask{verb: "PUT", path: "/my-bucket/a?partNumber=1&uploadId=" + id, body: "content"}).header.Get("Etag")
	w.must(200, "", ask{verb: "POST", path: "/my-bucket/a?uploadId=" + id, header: []string{"X-Amz-Checksum-Crc32c: AAAAAA==-1"},
		body: "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + part + "</ETag></Part></CompleteMultipartUpload>"})
	g := w.must(200, "", ask{verb: "GET", path: "/my-bucket/a", header: []string{"X-Amz-Checksum-Mode: ENABLED"}})
	for name := range g.header {
		if strings.HasPrefix(name, "X-Amz-Checksum-") {
			t.Errorf("a checksum is kept: %s", name)
		}
	}
}
