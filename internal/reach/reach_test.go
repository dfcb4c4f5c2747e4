package reach_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"b2form/internal/reach"
)

// What keeps an answer away is said in words, without those of Go.
func TestReason(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer plain.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for url, want := range map[string]string{
		gone.URL:   strings.TrimPrefix(gone.URL, "http://") + " refused the connection",
		secure.URL: "the certificate of the server is not trusted",
		plain.URL:  "the connection broke before an answer had come",
		strings.Replace(plain.URL, "http:", "https:", 1): "the server does not speak TLS",
	} {
		_, err := http.Get(url)
		if err == nil {
			t.Fatalf("%s answers", url)
		}
		if got := reach.Diagnose(err).Reason("the server"); !strings.Contains(got, want) || strings.Contains(got, "dial") ||
			strings.Contains(got, "lookup") {
			t.Errorf("%s: %q, not %q", url, got, want)
		}
	}
}
