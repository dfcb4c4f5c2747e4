package emulator

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The examples of "Authenticating Requests (AWS Signature Version 4)" in Amazon's
// S3 API reference: credentials, requests and the signatures they must have.
const (
	vectorKey    = "AKIAIOSFODNN7EXAMPLE"
	vectorSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	vectorScope  = "/20130524/us-east-1/s3/aws4_request"
)

type vector struct {
	name, method, url string
	header            map[string]string // beside Host and Authorization
	signed, signature string
	payload           string
}

func vectors() []vector {
	const date = "20130524T000000Z"
	return []vector{
		{"get an object", "GET", "https://examplebucket.s3.amazonaws.com/test.txt",
			map[string]string{"Range": "bytes=0-9", "X-Amz-Date": date, "X-Amz-Content-Sha256": emptySHA256},
			"host;range;x-amz-content-sha256;x-amz-date", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", ""},
		{"put an object", "PUT", "https://examplebucket.s3.amazonaws.com/test$file.text",
			map[string]string{"Date": "Fri, 24 May 2013 00:00:00 GMT", "X-Amz-Date": date, "X-Amz-Storage-Class": "REDUCED_REDUNDANCY",
				"X-Amz-Content-Sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
			"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
			"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
			"Welcome to Amazon S3."},
		{"get lifecycle rules", "GET", "https://examplebucket.s3.amazonaws.com/?lifecycle",
			map[string]string{"X-Amz-Date": date, "X-Amz-Content-Sha256": emptySHA256},
			"host;x-amz-content-sha256;x-amz-date", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543", ""},
		{"list objects", "GET", "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J",
			map[string]string{"X-Amz-Date": date, "X-Amz-Content-Sha256": emptySHA256},
			"host;x-amz-content-sha256;x-amz-date", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7", ""},
		{"put in signed chunks", "PUT", "https://s3.amazonaws.com/examplebucket/chunkObject.txt",
			map[string]string{"X-Amz-Date": date, "X-Amz-Storage-Class": "REDUCED_REDUNDANCY", "X-Amz-Content-Sha256": streamingSigned,
				"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": "66560", "Content-Length": "66824"},
			"content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
			"4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
			"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" + strings.Repeat("a", 65536) +
				"\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + strings.Repeat("a", 1024) +
				"\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"},
		{"put in signed chunks with a trailer", "PUT", "https://s3.amazonaws.com/examplebucket/chunkObject.txt",
			map[string]string{"X-Amz-Date": date, "X-Amz-Storage-Class": "REDUCED_REDUNDANCY",
				"X-Amz-Content-Sha256": streamingSignedTrailer,
				"Content-Encoding":     "aws-chunked", "X-Amz-Decoded-Content-Length": "66560", "X-Amz-Trailer": "x-amz-checksum-crc32c"},
			"content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
			"106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
			"10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" + strings.Repeat("a", 65536) +
				"\r\n400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" + strings.Repeat("a", 1024) +
				"\r\n0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n" +
				"x-amz-checksum-crc32c:sOO8/Q==\r\n" +
				"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"},
	}
}

func (v vector) request(t *testing.T, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(v.method, v.url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range v.header {
		r.Header.Set(name, value)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+vectorKey+vectorScope+",SignedHeaders="+v.signed+",Signature="+v.signature)
	return r
}

func TestSignatureVectors(t *testing.T) {
	for _, v := range vectors() {
		t.Run(v.name, func(t *testing.T) {
			r := v.request(t, v.payload)
			s, err := readSignature(r, r.URL.Query())
			if err != nil {
				t.Fatal(err)
			}
			key := s.signingKey(vectorSecret)
			if err := s.check(r, r.URL.Query(), key); err != nil {
				t.Fatalf("the published signature: %v", err)
			}
			if err := s.check(r, r.URL.Query(), s.signingKey(vectorSecret+"x")); err == nil {
				t.Error("another secret's signature fits too")
			}
			p, err := newPayload(r, s, key, &s3Operation{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, p); err != nil {
				t.Errorf("the published content: %v", err)
			}
		})
	}
}

// TestSignatureOfAlteredContent changes every kind of byte of what comes in
// chunks, and each change must be noticed.
func TestSignatureOfAlteredContent(t *testing.T) {
	for _, v := range vectors()[4:] {
		for at := 0; at < len(v.payload); at += 997 {
			altered := []byte(v.payload)
			altered[at] ^= 1
			r := v.request(t, string(altered))
			s, err := readSignature(r, r.URL.Query())
			if err != nil {
				t.Fatal(err)
			}
			p, err := newPayload(r, s, s.signingKey(vectorSecret), &s3Operation{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, p); err == nil {
				t.Errorf("%s: byte %d may be another", v.name, at)
			}
		}
	}
}

func TestPresignedVector(t *testing.T) {
	r, err := http.NewRequest("GET", "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="+
		url.QueryEscape(vectorKey+vectorScope)+"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"+
		"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404", nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := readSignature(r, r.URL.Query())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.check(r, r.URL.Query(), s.signingKey(vectorSecret)); err != nil {
		t.Errorf("the published signature: %v", err)
	}
	made := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		now  time.Time
		want string
	}{
		{made.Add(-16 * time.Minute), "AccessDenied"},
		{made.Add(-14 * time.Minute), ""},
		{made.Add(24 * time.Hour), ""},
		{made.Add(24*time.Hour + time.Second), "AccessDenied"},
	} {
		got := ""
		if err := s.checkTime(c.now); err != nil {
			got = asS3Error(err).code
		}
		if got != c.want {
			t.Errorf("at %s: %q, want %q", c.now, got, c.want)
		}
	}
}

// TestChecksums compares the checksums with the check values of their
// catalogues, of the text "123456789".
func TestChecksums(t *testing.T) {
	for name, want := range map[string]string{
		"crc32": "y/Q5Jg==", "crc32c": "4waSgw==", "crc64nvme": "rosUhgp5mIg=",
		"sha1": "98O8HYCOBHMq32eZZczDTKeuNEE=", "sha256": "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
	} {
		h := newChecksumIfKnown(name)
		_, _ = io.WriteString(h, "123456789")
		if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
