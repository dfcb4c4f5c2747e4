package clients_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// A tunnel brings programs that know the service by its name only to the
// emulator: as their proxy, which they trust by the certificate. What authorize
// answers leads them to the emulator itself.
type tunnel struct {
	proxy       string // a URL
	certificate string // a file
}

const serviceHost = "api.backblazeb2.com"

func newTunnel(t *testing.T, s site) tunnel {
	t.Helper()
	target, err := url.Parse(s.endpoint)
	if err != nil {
		t.Fatal(err)
	}
	certificate := selfSigned(t)
	end := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
	end.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	end.StartTLS()
	t.Cleanup(end.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.URL.Hostname() != serviceHost {
			http.Error(w, "this way leads to "+serviceHost+" only", http.StatusForbidden)
			return
		}
		connect(t, w, end.Listener.Addr().String())
	}))
	t.Cleanup(proxy.Close)
	path := filepath.Join(s.dir, "certificate.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})
	if err := os.WriteFile(path, block, 0o666); err != nil {
		t.Fatal(err)
	}
	return tunnel{proxy.URL, path}
}

// connect answers the request and then carries bytes both ways.
func connect(t *testing.T, w http.ResponseWriter, address string) {
	there, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	if _, err := io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		t.Error(err)
	}
	var both sync.WaitGroup
	carry := func(to, from net.Conn) {
		// Either end may close first, which closes the other.
		_, _ = io.Copy(to, from)
		_ = to.Close()
	}
	both.Go(func() { carry(here, there) })
	both.Go(func() { carry(there, here) })
	both.Wait()
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: serviceHost}, DNSNames: []string{serviceHost},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
