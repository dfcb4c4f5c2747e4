package emulator_test

import (
	"net/http"
	"strings"
	"testing"

	"b2form/internal/emulator"
)

// TestS3PageOrigins answers browsers by the bucket's rules: before a request,
// which then needs no signature, and with every reply.
func TestS3PageOrigins(t *testing.T) {
	w := openS3(t, emulator.Options{})
	w.update(`"corsRules":[{"corsRuleName":"uploads","allowedOrigins":["https://page.test","http://localhost:3000"],` +
		`"allowedOperations":["s3_put","s3_get"],` +
		`"allowedHeaders":["content-type","x-amz-*"],"exposeHeaders":["etag"],"maxAgeSeconds":60}]`)
	asks := func(origin, verb, headers string) got {
		t.Helper()
		a := ask{verb: "OPTIONS", path: "/my-bucket/a", unsigned: true,
			header: []string{"Origin: " + origin, "Access-Control-Request-Method: " + verb}}
		if headers != "" {
			a.header = append(a.header, "Access-Control-Request-Headers: "+headers)
		}
		return w.do(a)
	}
	g := asks("https://page.test", "PUT", "Content-Type, X-Amz-Date")
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "https://page.test", "Access-Control-Allow-Methods": "PUT",
		"Access-Control-Allow-Headers": "content-type, x-amz-date", "Access-Control-Max-Age": "60", "Access-Control-Expose-Headers": "etag",
	} {
		if g.status != 200 || g.header.Get(name) != want {
			t.Errorf("%d: %s is %q, want %q", g.status, name, g.header.Get(name), want)
		}
	}
	for _, c := range [][3]string{
		{"https://other.test", "PUT", ""}, {"https://page.test", "DELETE", ""}, {"https://page.test", "PUT", "authorization"},
		{"http://localhost:3001", "PUT", ""}, {"null", "PUT", ""}, {"https://page.test.evil.test", "PUT", ""},
		{"https://page.test", "PATCH", ""},
	} {
		if g := asks(c[0], c[1], c[2]); g.status != 403 || g.member("Code") != "AccessForbidden" ||
			g.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%v: %d %v %s", c, g.status, g.header, g.body)
		}
	}
	w.must(400, "BadRequest", ask{verb: "OPTIONS", path: "/my-bucket/a", unsigned: true})
	if calls := w.server.Calls(); calls[len(calls)-1].Method != "b2_update_bucket" {
		t.Errorf("a browser's question is counted as the call %s", calls[len(calls)-1].Method)
	}
	link := w.presign("PUT", "/my-bucket/a", 60)
	for origin, want := range map[string]string{"https://page.test": "https://page.test", "https://other.test": ""} {
		r, err := http.NewRequest("PUT", link, strings.NewReader("content"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := response.Header.Get("Access-Control-Allow-Origin"); response.StatusCode != 200 || got != want {
			t.Errorf("%s: %d, allows %q", origin, response.StatusCode, got)
		}
	}
	refused := w.do(ask{verb: "GET", path: "/my-bucket/a", unsigned: true, header: []string{"Origin: https://page.test"}})
	if refused.status != 403 || refused.header.Get("Access-Control-Allow-Origin") != "https://page.test" {
		t.Errorf("a refusal cannot be read: %d %v", refused.status, refused.header)
	}
}
