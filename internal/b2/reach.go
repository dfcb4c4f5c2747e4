package b2

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"b2form/internal/reach"
)

// errAttemptTimeout stands for the deadline of an attempt, so that nobody takes it for
// the end of the caller's context.
var errAttemptTimeout = fmt.Errorf("no complete answer within %s: %w", attemptTimeout.Round(time.Minute), os.ErrDeadlineExceeded)

const checkNetwork = "Check the network connection and, if one is set, the endpoint (B2_ENDPOINT), then run again."

// diagnose puts an error of the transport into words: why B2 did not answer, a clause without a
// capital and without a period, and what to do. permanent: the next attempt would meet it again.
func diagnose(cause error) (a explanation, permanent bool) {
	if e, ok := errors.AsType[*proxyRefusal](cause); ok {
		a = explanation{e.Error() + " instead of opening the way to B2",
			"Ask whoever runs the proxy to allow api.backblazeb2.com and the other hosts under backblazeb2.com."}
		if e.status == http.StatusProxyAuthRequired {
			a.detail = "Put the user and password into HTTPS_PROXY: http://user:password@host:port."
		}
		return a, e.status/100 == 4
	}
	if e, ok := errors.AsType[*net.OpError](cause); ok && e.Op == "proxyconnect" {
		return explanation{"the proxy cannot be reached",
			"Check HTTPS_PROXY, or name the endpoint's host in NO_PROXY to go without the proxy."}, false
	}
	if errors.Is(cause, context.Canceled) {
		return explanation{"the run was cancelled before B2 had answered", "Run again to carry on."}, true
	}
	f := reach.Diagnose(cause)
	a = explanation{f.Reason("the endpoint"), checkNetwork}
	switch f.Cause {
	case reach.Unknown:
		a.summary = "the request failed on its way to B2"
	case reach.Late:
		a.detail = "A slow or filtered network, or a service in trouble. " + checkNetwork
	case reach.UnknownHost:
		a.detail = "The name cannot be resolved: check the endpoint (B2_ENDPOINT), DNS and the network connection. Behind a proxy, set " +
			"HTTPS_PROXY."
	case reach.FailedLookup:
		a.detail = "The DNS server failed: check the network connection and run again."
	case reach.ForeignCertificate:
		a.detail = "Check the endpoint (B2_ENDPOINT) and whether a proxy or a login page of the network answers in its place."
	case reach.UntrustedCertificate:
		a.detail = "If a proxy inspects the traffic, put its CA certificate into a file and name the file in SSL_CERT_FILE. Check the " +
			"clock of this machine too."
	case reach.NotTLS:
		a.detail = "Something on the way answers in plain text: check the endpoint (B2_ENDPOINT), its port and the proxy."
	case reach.ConnectionRefused:
		a.detail = "Nothing listens there, or a firewall refuses: check the endpoint (B2_ENDPOINT). Behind a proxy, set HTTPS_PROXY."
	}
	return a, f.Cause == reach.ForeignCertificate || f.Cause == reach.UntrustedCertificate || f.Cause == reach.NotTLS
}
