package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// The hosts of an account in the region. The emulator has one address for all
// of the native API; behind the proxy it has these.
const (
	apiHost      = "api004.backblazeb2.com"
	downloadHost = "f004.backblazeb2.com"
	s3Host       = "s3." + region + ".backblazeb2.com"
	uploadHost   = "pod-000-1013-02.backblaze.com"
)

// A proxy takes connections to the hosts that it allows, and leads them to the
// emulator of B2_ENDPOINT and B2_S3_ENDPOINT. What the emulator says of its own
// address is said of the account's hosts.
type proxy struct {
	allowed    []string // "*.backblaze.com" is what ends so
	native, s3 *url.URL
	tls        *tls.Config
}

// proxied runs a command that finds its proxy, and the authority to trust, in
// the environment. The hosts to allow are separated by spaces.
func proxied(hosts string, command []string) error {
	native, err := url.Parse(os.Getenv("B2_ENDPOINT"))
	s3, wrong := url.Parse(os.Getenv("B2_S3_ENDPOINT"))
	if err := errors.Join(err, wrong); err != nil {
		return err
	}
	certificate, authority, err := issue()
	if err != nil {
		return err
	}
	p := &proxy{strings.Fields(hosts), native, s3, &tls.Config{Certificates: []tls.Certificate{certificate}}}
	server := httptest.NewServer(p)
	defer server.Close()
	folder, err := os.MkdirTemp("", "proxied")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	trusted := filepath.Join(folder, "authority.pem")
	if err := os.WriteFile(trusted, authority, 0o600); err != nil {
		return err
	}
	program := exec.Command(command[0], command[1:]...)
	program.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "B2_ENDPOINT=") })
	program.Env = append(program.Env, "HTTPS_PROXY="+server.URL, "SSL_CERT_FILE="+trusted)
	program.Stdout, program.Stderr = os.Stdout, os.Stderr
	return program.Run()
}

// ServeHTTP answers CONNECT: it speaks TLS with the client, and passes on what
// that asks.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, port, _ := net.SplitHostPort(r.Host)
	if r.Method != http.MethodConnect || port != "443" || !slices.ContainsFunc(p.allowed, func(a string) bool {
		return a == host || strings.HasPrefix(a, "*") && strings.HasSuffix(host, a[1:])
	}) {
		fmt.Println("the proxy refuses", r.Method, r.Host)
		w.WriteHeader(http.StatusForbidden)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	client := tls.Server(conn, p.tls)
	requests := bufio.NewReader(client)
	for {
		request, err := http.ReadRequest(requests)
		if err != nil || p.pass(client, request, host) != nil {
			return // the client has closed
		}
	}
}

// pass has the emulator answer a request.
func (p *proxy) pass(client io.Writer, r *http.Request, host string) error {
	target := p.native
	if host == s3Host {
		target = p.s3
	}
	if r.Header.Get("Expect") != "" {
		if _, err := io.WriteString(client, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return err
		}
		r.Header.Del("Expect")
	}
	r.URL.Scheme, r.URL.Host = target.Scheme, target.Host
	reply, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if strings.HasPrefix(r.URL.Path, "/b2api/") && strings.HasPrefix(reply.Header.Get("Content-Type"), "application/json") {
		if err := p.rename(reply); err != nil {
			return err
		}
	}
	return reply.Write(client)
}

// rename puts the account's hosts in place of the emulator's addresses.
func (p *proxy) rename(reply *http.Response) error {
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		return err
	}
	for member, host := range map[string]string{
		"apiUrl": apiHost, "downloadUrl": downloadHost, "s3ApiUrl": s3Host, "uploadUrl": uploadHost,
	} {
		for _, own := range []*url.URL{p.native, p.s3} {
			old := fmt.Sprintf("%q: %q", member, own.String())
			body = bytes.ReplaceAll(body, []byte(old[:len(old)-1]), fmt.Appendf(nil, "%q: \"https://%s", member, host))
		}
	}
	reply.Body, reply.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	reply.Header.Del("Content-Length")
	return nil
}
