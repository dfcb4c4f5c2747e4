package prove

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestSign compares with the examples of "Authenticating Requests (AWS Signature Version 4)" in Amazon's S3
// API reference.
func TestSign(t *testing.T) {
	const keyID, secret = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	at := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		method, path, query, body, signature string
		header                               map[string]string
	}{
		{"GET", "/test.txt", "", "", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
			map[string]string{"Range": "bytes=0-9"}},
		{"PUT", "/test$file.text", "", "Welcome to Amazon S3.", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
			map[string]string{"Date": "Fri, 24 May 2013 00:00:00 GMT", "X-Amz-Storage-Class": "REDUCED_REDUNDANCY"}},
		{"GET", "/", "lifecycle=", "", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543", nil},
		{"GET", "/", canonicalQuery(url.Values{"prefix": {"J"}, "max-keys": {"2"}}), "",
			"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7", nil},
	} {
		r, err := http.NewRequest(test.method, "https://examplebucket.s3.amazonaws.com", strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Path, r.URL.RawPath, r.URL.RawQuery = test.path, percentEncode(test.path, true), test.query
		for name, value := range test.header {
			r.Header.Set(name, value)
		}
		sign(r, test.body, keyID, secret, "us-east-1", at)
		if got := r.Header.Get("Authorization"); !strings.HasSuffix(got, "Signature="+test.signature) {
			t.Errorf("%s %s: %s, want %s", test.method, test.path, got, test.signature)
		}
	}
}
