package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
)

// behindProxy has the program reach the account through a server that changes the bodies of replies.
func (b *bench) behindProxy(t *testing.T, rewrite func(body string) string) {
	t.Helper()
	to, err := url.Parse(b.http.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewUnstartedServer(nil)
	handler := httputil.NewSingleHostReverseProxy(to)
	handler.ModifyResponse = func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		body = []byte(rewrite(strings.ReplaceAll(string(body), b.http.URL, proxy.URL)))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Length", fmt.Sprint(len(body)))
		return nil
	}
	proxy.Config.Handler = handler
	proxy.Start()
	t.Cleanup(proxy.Close)
	b.env["B2_ENDPOINT"] = proxy.URL
}

// What is written down of a rule is not all of it where B2 has learned more than this release knows.
func TestAdoptWarnsOfUnknownMembers(t *testing.T) {
	for name, run := range map[string][]string{
		"adopt": {"adopt", "all"}, "generate": {"plan", "-generate-config-out=generated.b2.hcl"},
	} {
		for member, warned := range map[string]bool{`"shred\u001b":"` + strings.Repeat("x", 100) + `"`: true, `"shred":null`: false} {
			t.Run(name+member[:8]+fmt.Sprint(warned), func(t *testing.T) {
				b := newBench(t, "import {\n  to = bucket.photos\n  id = \"acme-photos\"\n}\n")
				if name == "adopt" {
					if err := os.Remove("main.b2.hcl"); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := b.call("b2_create_bucket", `{"bucketName":"acme-photos","bucketType":"allPrivate","lifecycleRules":`+
					`[{"fileNamePrefix":"raw/","daysFromHidingToDeleting":3}]}`); err != nil {
					t.Fatal(err)
				}
				b.behindProxy(t, func(body string) string {
					return strings.ReplaceAll(body, `"fileNamePrefix"`, member+`,"fileNamePrefix"`)
				})
				if code := b.run(run...); code != 0 {
					t.Errorf("exit code %d", code)
				}
				said := b.err.String()
				if strings.Contains(said, "Not all that is live can be declared") != warned {
					t.Errorf("it warns otherwise:\n%s", said)
				}
				if warned {
					b.wants(t, b.err, `lifecycle_rules of the bucket "acme-photos" has settings that this release of b2form does not `+
						`know: "shred\x1b".`)
				}
			})
		}
	}
}

// Nor is what drift declares, by whatever hand.
func TestDriftAcceptWarnsOfUnknownMembers(t *testing.T) {
	for _, flags := range [][]string{{"drift", "-accept"}, {"drift", "-write"}} {
		for member, warned := range map[string]bool{`"shred":"x",`: true, `"shred":null,`: false} {
			t.Run(fmt.Sprint(flags[1], warned), func(t *testing.T) {
				b := newBench(t, `bucket "photos" {
  name = "acme-photos"
  type = "allPrivate"
  lifecycle_rules {
    file_name_prefix             = "raw/"
    days_from_hiding_to_deleting = 3
  }
}
`)
				if code := b.run("apply", "-auto-approve"); code != 0 {
					t.Fatalf("exit code %d:\n%s", code, b.err)
				}
				d, err := b.Dump()
				if err != nil {
					t.Fatal(err)
				}
				if _, err := b.call("b2_update_bucket", fmt.Sprintf(`{"bucketId":%q,"lifecycleRules":`+
					`[{"fileNamePrefix":"raw/","daysFromHidingToDeleting":4}]}`, d.Buckets[0]["bucketId"])); err != nil {
					t.Fatal(err)
				}
				b.behindProxy(t, func(body string) string {
					return strings.ReplaceAll(body, `"fileNamePrefix"`, member+`"fileNamePrefix"`)
				})
				if code := b.run(flags...); code != 2 {
					t.Errorf("exit code %d:\n%s", code, b.err)
				}
				const text = `lifecycle_rules of the bucket "acme-photos" has settings that this release of b2form does not know: "shred".`
				if got := strings.Contains(b.err.String(), text); got != warned {
					t.Errorf("it warns otherwise:\n%s", b.err)
				}
				if code := b.run("drift"); code == 1 || strings.Count(b.err.String(), text) > 1 {
					t.Errorf("exit code %d without -accept:\n%s", code, b.err)
				}
			})
		}
	}
}
