package prove

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"b2form/schema/wire"
)

// An s3Client sends requests of the S3-compatible API, which it signs.
type s3Client struct {
	transport        http.RoundTripper
	endpoint, region string
	keyID, secret    func() string
	now              func() time.Time
}

// maxReply bounds what is read of a reply: the content of a trial, an error, a page of one file.
const maxReply = 1 << 20

// timeout bounds one request.
const timeout = time.Minute

// send sends one request for a bucket, or for a file in it. An error of the service or of the way to it
// is a *wire.Error.
func (c *s3Client) send(ctx context.Context, method, bucket, name string, query url.Values, body string) (http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	what := "S3 " + method
	path := "/" + bucket
	if name != "" {
		path += "/" + name
	}
	r, err := http.NewRequestWithContext(ctx, method, c.endpoint, strings.NewReader(body))
	if err != nil {
		return nil, nil, &wire.Error{Method: what, Message: "the service names an S3 API that has no URL"}
	}
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery = path, percentEncode(path, true), canonicalQuery(query)
	sign(r, body, c.keyID(), c.secret(), c.region, c.now())
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		return nil, nil, &wire.Error{Method: what, Message: "no reply came back", Cause: err, OutcomeUnknown: true}
	}
	defer func() { _ = resp.Body.Close() }() // it was read as far as it counts
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if resp.StatusCode/100 != 2 {
		var refusal struct{ Code, Message string }
		_ = xml.Unmarshal(reply, &refusal) // without a code the status counts
		return resp.Header, nil, &wire.Error{Method: what, Status: resp.StatusCode, Code: refusal.Code, Message: refusal.Message}
	}
	if err != nil {
		return nil, nil, &wire.Error{Method: what, Message: "the reply broke off", Cause: err}
	}
	return resp.Header, reply, nil
}

// sign signs a request and all headers that it has: "Authenticating Requests (AWS Signature Version 4)"
// in Amazon's S3 API reference.
func sign(r *http.Request, body, keyID, secret, region string, at time.Time) {
	now := at.UTC().Format("20060102T150405Z")
	r.Header.Set("X-Amz-Date", now)
	r.Header.Set("X-Amz-Content-Sha256", sha256Hex(body))
	headers := map[string]string{"host": r.URL.Host}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	names := slices.Sorted(maps.Keys(headers))
	canonical := r.Method + "\n" + r.URL.EscapedPath() + "\n" + r.URL.RawQuery + "\n"
	for _, name := range names {
		canonical += name + ":" + strings.TrimSpace(headers[name]) + "\n"
	}
	canonical += "\n" + strings.Join(names, ";") + "\n" + sha256Hex(body)
	scope := now[:8] + "/" + region + "/s3/aws4_request"
	key := []byte("AWS4" + secret)
	for _, part := range append(strings.Split(scope, "/"), "AWS4-HMAC-SHA256\n"+now+"\n"+scope+"\n"+sha256Hex(canonical)) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", keyID, scope,
		strings.Join(names, ";"), hex.EncodeToString(key)))
}

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// canonicalQuery is a query as it is signed.
func canonicalQuery(query url.Values) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(query)) {
		pairs = append(pairs, percentEncode(name, false)+"="+percentEncode(query.Get(name), false))
	}
	return strings.Join(pairs, "&")
}

// percentEncode encodes every byte but letters, digits and -._~, and slashes of a path.
func percentEncode(text string, isPath bool) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
		if plain || isPath && c == '/' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
