package b2

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// newTransport is the way to B2 for those who bring none of their own.
func newTransport(parallelism int) (*http.Transport, error) {
	env := httpproxy.FromEnvironment()
	if isMalformedProxy(env.HTTPSProxy) || isMalformedProxy(env.HTTPProxy) {
		return nil, &InvalidOptionsError{"The address of the proxy is malformed",
			"Correct HTTPS_PROXY or HTTP_PROXY: it has the form http://user:password@host:port."}
	}
	proxy := env.ProxyFunc()
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy:                  func(r *http.Request) (*url.URL, error) { return proxy(r.URL) },
		OnProxyConnectResponse: checkProxyConnect,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           2 * parallelism,
		MaxIdleConnsPerHost:    2 * parallelism, // see Client.WithCredentials
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    20 * time.Second,
	}, nil
}

// isMalformedProxy reports whether the proxy would be ignored without a word, and the
// request sent around it.
func isMalformedProxy(proxy string) bool {
	_, asURL := url.Parse(proxy)
	_, asHost := url.Parse("http://" + proxy)
	return asURL != nil && asHost != nil
}

// A proxyRefusal is a proxy's refusal to open a tunnel.
type proxyRefusal struct{ status int }

func (e *proxyRefusal) Error() string {
	return fmt.Sprintf("the proxy answered %d %s", e.status, http.StatusText(e.status))
}

func checkProxyConnect(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return &proxyRefusal{resp.StatusCode}
	}
	return nil
}
