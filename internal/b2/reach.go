package b2

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// errSilent stands for the deadline of an attempt, so that nobody takes it for
// the end of the caller's context.
var errSilent = errors.New("no complete answer within " + attemptTimeout.Round(time.Minute).String())

// A transportProblem is what went wrong between here and B2.
type transportProblem struct {
	summary   string // a clause without a capital and without a period
	detail    string // what to do
	permanent bool   // the next attempt would meet it again
}

const checkNetwork = "Check the network connection and, if one is set, the endpoint (B2_ENDPOINT), then run again."

// diagnose puts an error of the transport into words.
func diagnose(cause error) transportProblem {
	for _, look := range []func(error) (transportProblem, bool){
		proxyTrouble, cancelOrTimeoutTrouble, certificateTrouble, hostTrouble, connectionTrouble} {
		if t, ok := look(cause); ok {
			return t
		}
	}
	return transportProblem{summary: "the request failed on its way to B2", detail: checkNetwork}
}

func cancelOrTimeoutTrouble(cause error) (transportProblem, bool) {
	switch {
	case errors.Is(cause, context.Canceled):
		return transportProblem{summary: "the run was cancelled before B2 had answered", detail: "Run again to carry on.", permanent: true},
			true
	case errors.Is(cause, errSilent), errors.Is(cause, errTrickle), isTimeout(cause):
		return transportProblem{summary: "B2 did not answer in time",
			detail: "A slow or filtered network, or a service in trouble. " + checkNetwork}, true
	}
	return transportProblem{}, false
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout() // true of context.DeadlineExceeded too
}

func proxyTrouble(cause error) (transportProblem, bool) {
	if e, ok := errors.AsType[*proxyError](cause); ok {
		detail := "Ask whoever runs the proxy to allow api.backblazeb2.com and the other hosts under backblazeb2.com."
		if e.status == http.StatusProxyAuthRequired {
			detail = "Put the user and password into HTTPS_PROXY: http://user:password@host:port."
		}
		return transportProblem{summary: e.Error() + " instead of opening the way to B2", detail: detail, permanent: e.status/100 == 4},
			true
	}
	if e, ok := errors.AsType[*net.OpError](cause); ok && e.Op == "proxyconnect" {
		return transportProblem{summary: "the proxy cannot be reached",
			detail: "Check HTTPS_PROXY, or name the endpoint's host in NO_PROXY to go without the proxy."}, true
	}
	return transportProblem{}, false
}

func certificateTrouble(cause error) (transportProblem, bool) {
	_, badHost := errors.AsType[x509.HostnameError](cause)
	_, badCertificate := errors.AsType[*tls.CertificateVerificationError](cause)
	_, unknownCA := errors.AsType[x509.UnknownAuthorityError](cause)
	_, notTLS := errors.AsType[tls.RecordHeaderError](cause)
	switch {
	case badHost:
		return transportProblem{summary: "the certificate of the endpoint belongs to another host", permanent: true,
			detail: "Check the endpoint (B2_ENDPOINT) and whether a proxy or a login page of the network answers in its place."}, true
	case badCertificate || unknownCA:
		return transportProblem{summary: "the certificate of the endpoint is not trusted", permanent: true,
			detail: "If a proxy inspects the traffic, put its CA certificate into a file and name the file in SSL_CERT_FILE. Check the " +
				"clock of this machine too."}, true
	case notTLS:
		return transportProblem{summary: "the endpoint does not speak TLS", permanent: true,
			detail: "Something on the way answers in plain text: check the endpoint (B2_ENDPOINT), its port and the proxy."}, true
	}
	return transportProblem{}, false
}

func hostTrouble(cause error) (transportProblem, bool) {
	e, ok := errors.AsType[*net.DNSError](cause)
	switch {
	case !ok:
		return transportProblem{}, false
	case e.IsNotFound:
		return transportProblem{summary: fmt.Sprintf("the host %s is not known", e.Name),
			detail: "The name cannot be resolved: check the endpoint (B2_ENDPOINT), DNS and the network connection. Behind a proxy, set " +
				"HTTPS_PROXY."}, true
	}
	return transportProblem{summary: fmt.Sprintf("the name %s could not be looked up", e.Name),
		detail: "The DNS server failed: check the network connection and run again."}, true
}

func connectionTrouble(cause error) (transportProblem, bool) {
	where := "the endpoint"
	if e, ok := errors.AsType[*net.OpError](cause); ok && e.Addr != nil {
		where = e.Addr.String()
	}
	switch {
	case errors.Is(cause, syscall.ECONNREFUSED):
		return transportProblem{summary: where + " refused the connection",
				detail: "Nothing listens there, or a firewall refuses: check the endpoint (B2_ENDPOINT). Behind a proxy, set HTTPS_PROXY."},
			true
	case errors.Is(cause, syscall.ENETUNREACH), errors.Is(cause, syscall.EHOSTUNREACH):
		return transportProblem{summary: "there is no route to " + where, detail: checkNetwork}, true
	case errors.Is(cause, io.EOF), errors.Is(cause, io.ErrUnexpectedEOF),
		errors.Is(cause, syscall.ECONNRESET), errors.Is(cause, syscall.EPIPE):
		return transportProblem{summary: "the connection broke before B2 had answered", detail: checkNetwork}, true
	}
	return transportProblem{}, false
}
