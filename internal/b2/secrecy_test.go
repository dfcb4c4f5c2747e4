package b2_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"b2form/internal/b2"
)

// TestNoSecretLeaves lets everything go wrong that can quote a secret, then
// looks for the secrets in whatever the package gives out.
func TestNoSecretLeaves(t *testing.T) {
	const minted = "K004MintedCanaryMintedCanary/+1"
	echo := answer{status: 400, code: "bad_request", message: "who is " + token + " with " + key + "?"}
	s := serve(t, map[string][]answer{
		"b2_create_key": {
			ok(fmt.Sprintf(`{"applicationKey": %q}`, minted)),
			ok(fmt.Sprintf(`{"applicationKey": %q, "keyName": 7}`, minted)),
			ok(fmt.Sprintf(`{"applicationKey": %q `, minted)),
			ok(minted), {status: 500, body: minted}, {status: 403, body: token, media: token},
			echo, {status: 400, code: "x" + b64(keyID+":"+key), message: "Basic " + b64(keyID+":"+key)},
			{status: 400, code: "bad_request", message: url.QueryEscape(token) + " " + b64(token) + " " + b64("token="+token) +
				fmt.Sprintf(" %x", token)},
			{status: 400, code: "bad_request", message: "not this time: " + minted + ", " + url.QueryEscape(minted)},
			{status: 400, code: minted, message: strings.Repeat("x", 990) + minted},
			refuse(401, "unauthorized"), refuse(401, "bad_auth_token"), refuse(401, "bad_auth_token"), {},
		},
	})
	var events log
	var seen strings.Builder
	options := b2.Options{KeyID: keyID, Key: key, Endpoint: s.URL, Now: newClock().Now, Sleep: newClock().Wait, OnAttempt: events.add}
	client, err := b2.New(options)
	if err != nil {
		t.Fatal(err)
	}
	type made struct{ ApplicationKey, KeyName string }
	var first made
	if err := client.Call(t.Context(), "v3/b2_create_key", nil, &first); err != nil || first.ApplicationKey != minted {
		t.Fatalf("the key did not arrive: %v", err)
	}
	for s.pending("b2_create_key") > 0 {
		err := client.Call(t.Context(), "v3/b2_create_key", nil, &made{})
		if err == nil {
			t.Fatal("a broken reply went unnoticed")
		}
		summary, detail := b2.Explain(err)
		fmt.Fprintf(&seen, "%v %+v %#v %+v %s %s\n", err, err, err, kindError(t, err), summary, detail)
	}
	holder := struct{ c *b2.Client }{client}
	fmt.Fprintf(&seen, "%+v %+v\n", events.events, client.Stats())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&seen, verb+verb+verb+verb+"\n", client, options, &options, holder)
	}
	for _, secret := range []string{key, token, minted} {
		for _, form := range disguises(t, secret) {
			if strings.Contains(seen.String(), form) {
				t.Errorf("%q came out:\n%s", form, seen.String())
			}
		}
	}
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// What a server says is shown as far as people read it.
func TestRefusalsAreCut(t *testing.T) {
	long := strings.Repeat("a long \x1b[8m word ", 1200)
	body, err := json.Marshal(map[string]string{"code": strings.ReplaceAll(long, " ", "_"), "message": long})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, map[string][]answer{"b2_list_buckets": {{status: 400, body: string(body)}}})
	client, err := b2.New(b2.Options{KeyID: keyID, Key: key, Endpoint: s.URL, Now: newClock().Now, Sleep: newClock().Wait})
	if err != nil {
		t.Fatal(err)
	}
	err = client.Call(t.Context(), "b2_list_buckets", nil, nil)
	summary, detail := b2.Explain(err)
	for _, text := range []string{err.Error(), summary, detail} {
		if len(text) > 3000 || strings.Contains(text, "\x1b") {
			t.Errorf("%d bytes: %.300q", len(text), text)
		}
	}
	if !strings.Contains(summary, "…") {
		t.Errorf("nothing says that the message is cut: %s", summary)
	}
}

// pending is how many scripted answers are left.
func (s *service) pending(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.script[method])
}

func disguises(t *testing.T, secret string) []string {
	inJSON, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(string(inJSON), `"`),
		base64.StdEncoding.EncodeToString([]byte(secret)), fmt.Sprintf("%x", secret),
		base64.StdEncoding.EncodeToString([]byte(keyID + ":" + secret)),
	}
}

func TestTheTokenDoesNotFollowARedirect(t *testing.T) {
	strangers := 0
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strangers++ }))
	defer stranger.Close()
	s := serve(t, nil)
	client, _ := connect(t, s, nil)
	if _, err := client.Authorize(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Config.Handler = http.RedirectHandler(stranger.URL, http.StatusTemporaryRedirect)
	e := kindError(t, client.Call(t.Context(), "b2_list_keys", nil, nil))
	if strangers > 0 || e.Status != http.StatusTemporaryRedirect {
		t.Errorf("got %v; the stranger was asked %d times", e, strangers)
	}
}

func TestAnUntrustedCertificate(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	defer s.Close()
	c := newClock()
	client, err := b2.New(b2.Options{KeyID: keyID, Key: key, Endpoint: s.URL, Now: c.Now, Sleep: c.Wait})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Authorize(t.Context())
	summary, detail := b2.Explain(err)
	wantContains(t, "summary", summary, "not trusted")
	wantContains(t, "detail", detail, "SSL_CERT_FILE")
	if len(c.waits) > 0 {
		t.Errorf("tried again after %v", c.waits)
	}
}

func TestThroughAProxyThatRefuses(t *testing.T) {
	for status, says := range map[int]string{407: "user:password", 403: "backblazeb2.com"} {
		asked := ""
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.Method + " " + r.Host
			w.WriteHeader(status)
		}))
		defer proxy.Close()
		t.Setenv("HTTPS_PROXY", proxy.URL)
		t.Setenv("NO_PROXY", "")
		c := newClock()
		client, err := b2.New(b2.Options{KeyID: keyID, Key: key, Now: c.Now, Sleep: c.Wait})
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Authorize(t.Context())
		summary, detail := b2.Explain(err)
		wantContains(t, "summary", summary, fmt.Sprintf("the proxy answered %d", status))
		wantContains(t, "detail", detail, says)
		if asked != "CONNECT api.backblazeb2.com:443" || len(c.waits) > 0 {
			t.Errorf("asked %q, waited %v", asked, c.waits)
		}
	}
}
