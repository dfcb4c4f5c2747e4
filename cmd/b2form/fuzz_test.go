package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"b2form/internal/visible"
)

// FuzzReplies has any server answer: b2form ends, soon, with one of its exit codes, shows
// nothing that drives a terminal or a CI system, and never its credentials.
func FuzzReplies(f *testing.F) {
	account := `{"accountId":"5f0571db506a","authorizationToken":"4_token","apiInfo":{"storageApi":{"apiUrl":"@","downloadUrl":"@",` +
		`"s3ApiUrl":"https://s3.us-west-004.backblazeb2.com","allowed":{"buckets":null,"capabilities":["listBuckets","listKeys",` +
		`"writeBuckets","writeKeys","deleteKeys"],"namePrefix":null}}}}`
	bucket := `{"accountId":"5f0571db506a","bucketId":"8d625eb63be2775577c70e01","bucketName":"acme-photos","bucketType":"allPrivate",` +
		`"bucketInfo":{},"corsRules":[],"lifecycleRules":[],"revision":1,"options":["s3"]}`
	appKey := `{"accountId":"5f0571db506a","applicationKeyId":"0045f0571db506a0000000001","keyName":"app","capabilities":["listFiles"],` +
		`"bucketId":"8d625eb63be2775577c70e01","applicationKey":"K004abcdefghijklmnopqrstuvwxyz0"}`
	f.Add(account, `{"buckets":[]}`, `{"keys":[],"nextApplicationKeyId":null}`, bucket, appKey)
	f.Add(account, `{"buckets":[`+bucket+`]}`, `{"keys":[`+appKey+`],"nextApplicationKeyId":"x"}`, `{}`, `{}`)
	f.Add(account, `{}`, `{}`, `null`, `[]`)
	f.Add(`{}`, ``, ``, ``, ``)
	f.Add(account, `{"buckets":[`+strings.Replace(bucket, `{}`, `{"a":"\n::stop-commands::\u001b[8m\u202e"}`, 1)+`]}`,
		`{"keys":[`+strings.Replace(appKey, "app", `\n::error::\u001b]0;x\u0007`, 1)+`]}`, bucket, appKey)
	f.Add(account, `{"buckets":[`+strings.Replace(bucket, `:1,`, `:1e99999999,`, 1)+`]}`, `{"keys":null}`, bucket, appKey)
	f.Fuzz(func(t *testing.T, account, buckets, keys, bucket, key string) {
		b := newBench(t, bucketAndKey+`
output "everything" {
  value = [bucket.photos, key.app.capabilities]
}
`)
		var requests atomic.Int64
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			_, _ = io.WriteString(w, map[string]string{"b2_authorize_account": strings.ReplaceAll(account, "@", b.env["B2_ENDPOINT"]),
				"b2_list_buckets": buckets, "b2_list_keys": keys, "b2_create_bucket": bucket, "b2_update_bucket": bucket,
				"b2_create_key": key, "b2_delete_key": key}[path.Base(r.URL.Path)])
		}))
		s.Start()
		defer s.Close()
		b.env["B2_ENDPOINT"] = s.URL
		b.repeatEvery = func(time.Duration, func()) func() { return func() {} }
		for _, args := range [][]string{{"plan"}, {"plan", "-json"}, {"keys"}, {"keys", "-json"}, {"apply", "-auto-approve", "-adopt"},
			{"state", "list"}, {"output"}, {"output", "-json"}} {
			b.out, b.err = newScreen(), newScreen()
			b.stdout, b.stderr = b.out, b.err
			code := b.run(args...)
			said := b.out.String() + b.err.String()
			if code < 0 || code > 2 || strings.Contains(said, "goroutine ") || strings.Contains(said, b.MasterKey()) {
				t.Errorf("%q ended with %d:\n%s", args, code, said)
			}
			if i := strings.IndexFunc(said, drives); i >= 0 || visible.HasCICommand(said) {
				t.Errorf("%q says %q", args, said)
			}
		}
		if n := requests.Load(); n > 500 {
			t.Errorf("%d requests", n)
		}
	})
}

// drives reports whether a character does something to a terminal.
func drives(r rune) bool {
	return r != '\n' && r != '\t' && r != '\u200c' && r != '\u200d' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}
