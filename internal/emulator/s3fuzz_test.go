package emulator_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"b2form/internal/emulator"
)

// FuzzS3 sends any signed request to the S3 face of an account that has
// something in it: every one gets a reply that is XML where it says so, and
// leaves an account that can be read.
func FuzzS3(f *testing.F) {
	f.Add("GET", "/my-bucket?versions&key-marker=a&version-id-marker=ID&max-keys=1&delimiter=%00&prefix=%ff", "", "", []byte{})
	f.Add("PUT", "/my-bucket/b", "X-Amz-Copy-Source", "my-bucket/a?versionId=ID", []byte("x"))
	f.Add("PUT", "/my-bucket/b?partNumber=1&uploadId=ID", "X-Amz-Copy-Source-Range", "bytes=0-", []byte("x"))
	f.Add("PUT", "/my-bucket/a?retention", "X-Amz-Bypass-Governance-Retention", "true",
		[]byte("<Retention><Mode>COMPLIANCE</Mode></Retention>"))
	f.Add("PUT", "/my-bucket?lifecycle", "", "",
		[]byte("<LifecycleConfiguration><Rule><Filter><And><Prefix>a</Prefix></And></Filter><Status>Enabled</Status>"+
			"<Expiration><Days>99999999999</Days></Expiration></Rule></LifecycleConfiguration>"))
	f.Add("PUT", "/my-bucket?cors", "Origin", "https://a.test",
		[]byte("<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>"))
	f.Add("POST", "/my-bucket?delete", "Content-Md5", "x", []byte("<Delete><Object><Key>\x00</Key><VersionId/></Object></Delete>"))
	f.Add("POST", "/my-bucket/a?uploadId=ID", "", "",
		[]byte("<CompleteMultipartUpload><Part><PartNumber>-1</PartNumber></Part></CompleteMultipartUpload>"))
	f.Add("GET", "/my-bucket/a?partNumber=0&response-content-type=%0d%0aX:y", "Range", "bytes=9223372036854775807-", []byte{})
	f.Add("OPTIONS", "/my-bucket/%2F", "Access-Control-Request-Method", "GET", []byte{})
	f.Fuzz(func(t *testing.T, method, target, name, value string, body []byte) {
		w := openS3(t, emulator.Options{})
		id := w.put("a", "content").header.Get("X-Amz-Version-Id")
		text := strings.ReplaceAll(string(body), "ID", id)
		r, err := http.NewRequest(method, w.s3.URL+strings.ReplaceAll(target, "ID", id), strings.NewReader(text))
		if err != nil {
			return // no client can send it
		}
		if name != "" {
			r.Header.Set(name, strings.ReplaceAll(value, "ID", id))
		}
		w.sign(r, ask{body: text})
		reply := httptest.NewRecorder()
		w.server.S3().ServeHTTP(reply, r)
		if reply.Code < 200 || reply.Code > 599 || reply.Code == 500 {
			t.Errorf("status %d: %s", reply.Code, reply.Body)
		}
		if reply.Header().Get("Content-Type") == "application/xml" && reply.Header().Get("Etag") == "" {
			d := xml.NewDecoder(reply.Body)
			for err = nil; err == nil; {
				_, err = d.Token()
			}
			if !errors.Is(err, io.EOF) {
				t.Errorf("the reply is no XML: %v", err)
			}
		}
		if _, err := w.server.Dump(); err != nil {
			t.Error(err)
		}
	})
}
