package b2_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"b2form/internal/b2"
)

func TestMistakesInTheCredentials(t *testing.T) {
	const master = "5f0571db506a"
	for _, c := range []struct{ id, key, says string }{
		{"", "", "No B2 credentials"},
		{"", key, "ID of the application key is missing"},
		{keyID, "", "application key is missing"},
		{keyID, key + "\n", "B2_APPLICATION_KEY contains a line break"},
		{" " + keyID, key, "B2_APPLICATION_KEY_ID contains white space"},
		{keyID, `"` + key + `"`, "contains a quotation mark"},
		{keyID, "“" + key + "”", "contains a quotation mark"},
		{"\ufeff" + keyID, key, "invisible"},
		{keyID, key + "\u00a0", "white space"},
		{key, keyID, "swapped"},
		{key, master, "swapped"},
		{key, key, "B2_APPLICATION_KEY_ID is an application key"},
		{keyID, keyID, "B2_APPLICATION_KEY is the ID"},
		{keyID + ":" + key, key, "colon"},
		{"$B2_READ_KEY_ID", "$B2_READ_KEY", "B2_APPLICATION_KEY_ID holds the name of a variable instead of its value"},
		{"${B2_READ_KEY_ID}", key, "B2_APPLICATION_KEY_ID holds the name of a variable"},
		{"${{ secrets.B2_READ_KEY_ID }}", key, "B2_APPLICATION_KEY_ID holds the name of a variable"},
		{"%B2_READ_KEY_ID%", key, "B2_APPLICATION_KEY_ID holds the name of a variable"},
		{"$env:B2_READ_KEY_ID", key, "B2_APPLICATION_KEY_ID holds the name of a variable"},
		{"$(B2_READ_KEY_ID)", key, "B2_APPLICATION_KEY_ID holds the name of a variable"},
		{keyID, "$B2_READ_KEY", "B2_APPLICATION_KEY holds the name of a variable"},
		{keyID, "${{ secrets.Canary }}", "B2_APPLICATION_KEY holds the name of a variable"},
	} {
		_, err := b2.New(b2.Options{KeyID: c.id, Key: c.key, Now: time.Now})
		checkUsage(t, err, c.says)
	}
	for _, c := range [][2]string{{keyID, key}, {master, key}, {master, "0041a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0"},
		{"unusual-id", "unusual-key"}} {
		if _, err := b2.New(b2.Options{KeyID: c[0], Key: c[1], Now: time.Now}); err != nil {
			t.Errorf("%s: %v", c[0], err)
		}
	}
}

func checkUsage(t *testing.T, err error, says string) {
	t.Helper()
	e, ok := errors.AsType[*b2.InvalidOptionsError](err)
	if !ok {
		t.Errorf("got %v, want a *UsageError about %q", err, says)
		return
	}
	wantContains(t, "summary", e.Summary, says)
	summary, detail := b2.Explain(err)
	if summary != e.Summary || detail != e.Detail || !strings.HasSuffix(detail, ".") {
		t.Errorf("explained as %q, %q", summary, detail)
	}
	if strings.Contains(err.Error(), "Canary") {
		t.Errorf("quotes the key: %v", err)
	}
}

func TestEndpoints(t *testing.T) {
	for endpoint, says := range map[string]string{
		"s3.us-west-004.backblazeb2.com":                     "S3-compatible API",
		"https://s3.us-west-004.backblazeb2.com":             "S3-compatible API",
		"https://photos.s3.eu-central-003.backblazeb2.com/x": "S3-compatible API",
		"https://f004.backblazeb2.com":                       "downloads",
		"prod":                                               `no realm "prod"`,
		"api.backblazeb2.com":                                "not a URL",
		"127.0.0.1:8080":                                     "not a URL",
		"https://":                                           "not a URL",
		" https://api.backblazeb2.com":                       "not a URL",
		"https://api.backblazeb2.com\n":                      "not a URL",
		"ftp://api.backblazeb2.com":                          "not an https URL",
		"http://api.backblazeb2.com":                         "not encrypted",
		"dev":                                                "not encrypted",
		"http://192.168.1.5:8080":                            "not encrypted",
		"https://" + keyID + ":K004Canary@api.example":       "contains credentials",
		"https://api.backblazeb2.com/b2api/v4":               "version of the API",
		"https://api.example/?x=1":                           "after the root URL",
		key:                                                  "not a URL",
	} {
		_, err := b2.New(b2.Options{KeyID: keyID, Key: key, Endpoint: endpoint, Now: time.Now})
		checkUsage(t, err, says)
	}
	for endpoint, want := range map[string]string{
		"":                             "https://api.backblazeb2.com",
		"production":                   "https://api.backblazeb2.com",
		"staging":                      "https://api.backblaze.net",
		"https://b2.example:8443/sub/": "https://b2.example:8443/sub",
		"HTTPS://b2.example":           "https://b2.example",
		"http://localhost:8080":        "http://localhost:8080",
		"http://[::1]:8080/":           "http://[::1]:8080",
	} {
		var asked string
		client, err := b2.New(b2.Options{KeyID: keyID, Key: key, Endpoint: endpoint, Now: time.Now,
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				asked = r.URL.String()
				return nil, http.ErrAbortHandler
			}), Sleep: newClock().Wait})
		if err != nil {
			t.Errorf("%s: %v", endpoint, err)
			continue
		}
		if _, err := client.Authorize(t.Context()); err == nil || asked != want+"/b2api/v4/b2_authorize_account" {
			t.Errorf("%q asked %s", endpoint, asked)
		}
	}
}

func TestMalformedProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://user:K004Canary@proxy:port%zz")
	_, err := b2.New(b2.Options{KeyID: keyID, Key: key, Now: time.Now})
	checkUsage(t, err, "address of the proxy")
}
