package emulator_test

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"b2form/internal/emulator"
)

// An s3World is an emulator with both faces, a bucket, and who talks to S3. It
// signs by the letter of Amazon's documentation, and not as the emulator does.
type s3World struct {
	*world
	s3         *httptest.Server
	id, secret string
	region     string
	bucketID   string
}

// everything is what a key can do that is not limited to a bucket.
const everything = `["bypassGovernance","deleteBuckets","deleteFiles","listAllBucketNames","listBuckets","listFiles",` +
	`"readBucketEncryption","readBucketLifecycleRules","readBucketLogging","readBucketRetentions","readBuckets","readFileLegalHolds",` +
	`"readFileRetentions",` +
	`"readFiles","writeBucketEncryption","writeBucketLifecycleRules","writeBucketLogging","writeBucketRetentions","writeBuckets",` +
	`"writeFileLegalHolds",` +
	`"writeFileRetentions","writeFiles"]`

func openS3(t *testing.T, o emulator.Options) *s3World {
	t.Helper()
	w := &s3World{world: open(t, o), region: "us-west-004"}
	w.s3 = httptest.NewServer(w.server.S3())
	t.Cleanup(w.s3.Close)
	w.bucketID = w.want(200, w.request("POST", "/b2api/v4/b2_create_bucket",
		`{"accountId":"`+w.server.AccountID()+`","bucketName":"my-bucket","bucketType":"allPrivate"}`))["bucketId"].(string)
	w.as(everything, "")
	return w
}

// as makes a key with these capabilities, and more members, and is it.
func (w *s3World) as(capabilities, more string) {
	w.t.Helper()
	k := w.want(200, w.request("POST", "/b2api/v4/b2_create_key",
		`{"accountId":"`+w.server.AccountID()+`","keyName":"s3","capabilities":`+capabilities+more+`}`))
	w.id, w.secret = k["applicationKeyId"].(string), k["applicationKey"].(string)
}

// An ask is a request to the S3 face. Header lines are "Name: value".
type ask struct {
	verb, path string
	header     []string
	body       string
	payload    string // "" is the SHA-256 of the body
	host       string
	unsigned   bool
	alter      func(*http.Request) // after signing
}

// A got is a reply.
type got struct {
	status int
	header http.Header
	body   string
}

// code gives the text of the reply's first element of that name.
func (g got) member(name string) string {
	_, rest, _ := strings.Cut(g.body, "<"+name+">")
	value, _, _ := strings.Cut(rest, "</"+name+">")
	return value
}

func (w *s3World) do(a ask) got {
	w.t.Helper()
	r, err := http.NewRequest(a.verb, w.s3.URL+a.path, bytes.NewReader([]byte(a.body)))
	if err != nil {
		w.t.Fatal(err)
	}
	if a.host != "" {
		r.Host = a.host
	}
	for _, line := range a.header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	if !a.unsigned {
		w.sign(r, a)
	}
	if a.alter != nil {
		a.alter(r)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err = cmp.Or(err, response.Body.Close()); err != nil {
		w.t.Fatal(err)
	}
	return got{response.StatusCode, response.Header, string(body)}
}

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (w *s3World) key(at time.Time) []byte {
	key := mac([]byte("AWS4"+w.secret), at.Format("20060102"))
	return mac(mac(mac(key, w.region), "s3"), "aws4_request")
}

func (w *s3World) scope(at time.Time) string {
	return at.Format("20060102") + "/" + w.region + "/s3/aws4_request"
}

const amzTime = "20060102T150405Z"

// sign adds the headers of a signature to the request.
func (w *s3World) sign(r *http.Request, a ask) {
	at := w.server.Now().UTC()
	payload := a.payload
	if payload == "" {
		payload = sha(a.body)
	}
	r.Header.Set("X-Amz-Date", at.Format(amzTime))
	r.Header.Set("X-Amz-Content-Sha256", payload)
	names, values := []string{"host"}, map[string]string{"host": cmp.Or(r.Host, r.URL.Host)}
	for name, v := range r.Header {
		name = strings.ToLower(name)
		names, values[name] = append(names, name), strings.Join(v, ",")
	}
	slices.Sort(names)
	canonical := r.Method + "\n" + r.URL.EscapedPath() + "\n" + canonicalQuery(r.URL.Query()) + "\n"
	for _, name := range names {
		canonical += name + ":" + values[name] + "\n"
	}
	canonical += "\n" + strings.Join(names, ";") + "\n" + payload
	text := "AWS4-HMAC-SHA256\n" + at.Format(amzTime) + "\n" + w.scope(at) + "\n" + sha(canonical)
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%x",
		w.id, w.scope(at), strings.Join(names, ";"), mac(w.key(at), text)))
}

func canonicalQuery(q url.Values) string { return strings.ReplaceAll(q.Encode(), "+", "%20") }

// presign gives a URL that needs no header.
func (w *s3World) presign(verb, path string, seconds int) string {
	at := w.server.Now().UTC()
	u, err := url.Parse(w.s3.URL + path)
	if err != nil {
		w.t.Fatal(err)
	}
	q := u.Query()
	q.Set("X-Amz-Algorithm", "AWS4-HMAC-SHA256")
	q.Set("X-Amz-Credential", w.id+"/"+w.scope(at))
	q.Set("X-Amz-Date", at.Format(amzTime))
	q.Set("X-Amz-Expires", fmt.Sprint(seconds))
	q.Set("X-Amz-SignedHeaders", "host")
	canonical := verb + "\n" + u.EscapedPath() + "\n" + canonicalQuery(q) + "\nhost:" + u.Host + "\n\nhost\nUNSIGNED-PAYLOAD"
	text := "AWS4-HMAC-SHA256\n" + at.Format(amzTime) + "\n" + w.scope(at) + "\n" + sha(canonical)
	q.Set("X-Amz-Signature", hex.EncodeToString(mac(w.key(at), text)))
	u.RawQuery = q.Encode()
	return u.String()
}

// must sends a request that must be answered with the status and, if it is not
// "", the code.
func (w *s3World) must(status int, code string, a ask) got {
	w.t.Helper()
	g := w.do(a)
	if g.status != status || code != "" && a.verb != "HEAD" && g.member("Code") != code {
		w.t.Fatalf("%s %s: %d %s, want %d %s\n%s", a.verb, a.path, g.status, g.member("Code"), status, code, g.body)
	}
	return g
}

func (w *s3World) put(key, body string, header ...string) got {
	w.t.Helper()
	return w.must(200, "", ask{verb: "PUT", path: "/my-bucket/" + key, body: body, header: header})
}

func (w *s3World) get(key string) string {
	w.t.Helper()
	return w.must(200, "", ask{verb: "GET", path: "/my-bucket/" + key}).body
}

// native calls the other face and gives what it answers.
func (w *s3World) native(status int, method, body string) map[string]any {
	w.t.Helper()
	return w.want(status, w.request("POST", "/b2api/v4/"+method, body))
}

// update changes the bucket natively.
func (w *s3World) update(members string) map[string]any {
	w.t.Helper()
	return w.native(200, "b2_update_bucket", `{"accountId":"`+w.server.AccountID()+`","bucketId":"`+w.bucketID+`",`+members+`}`)
}
