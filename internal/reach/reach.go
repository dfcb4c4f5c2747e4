// Package reach says in words why no answer came from a server.
package reach

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

// A NoAnswerCause is what keeps an answer away.
type NoAnswerCause int

// The causes.
const (
	Unknown NoAnswerCause = iota
	UnknownHost
	FailedLookup
	Late
	ForeignCertificate
	UntrustedCertificate
	NotTLS
	ConnectionRefused
	NoRouteToHost
	Broken
)

// A ConnectionFailure is why a request got no answer.
type ConnectionFailure struct {
	Cause NoAnswerCause
	// Subject is the host of UnknownHost and FailedLookup, the address of ConnectionRefused and NoRouteToHost, and of
	// Unknown the text of the error; "": it is not known, or not to be shown.
	Subject string
}

// Diagnose finds out why a request got no answer.
func Diagnose(err error) ConnectionFailure {
	address := ""
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Addr != nil {
		address = e.Addr.String()
	}
	name, isName := errors.AsType[*net.DNSError](err)
	timeout, isNet := errors.AsType[net.Error](err) // context.DeadlineExceeded is one too
	_, badHost := errors.AsType[x509.HostnameError](err)
	_, badCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknownCA := errors.AsType[x509.UnknownAuthorityError](err)
	_, notTLS := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case isName && name.IsNotFound:
		return ConnectionFailure{UnknownHost, name.Name}
	case isName:
		return ConnectionFailure{FailedLookup, name.Name}
	case isNet && timeout.Timeout():
		return ConnectionFailure{Cause: Late}
	case badHost:
		return ConnectionFailure{Cause: ForeignCertificate}
	case badCertificate, unknownCA:
		return ConnectionFailure{Cause: UntrustedCertificate}
	case notTLS, errors.Is(err, http.ErrSchemeMismatch):
		return ConnectionFailure{Cause: NotTLS}
	case errors.Is(err, syscall.ECONNREFUSED):
		return ConnectionFailure{ConnectionRefused, address}
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return ConnectionFailure{NoRouteToHost, address}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return ConnectionFailure{Cause: Broken}
	}
	return ConnectionFailure{Unknown, err.Error()}
}

// Reason words the failure as a clause: "127.0.0.1:8080 refused the connection". server is what
// the server is called where no address is known: "the endpoint".
func (f ConnectionFailure) Reason(server string) string {
	subject := cmp.Or(f.Subject, server)
	switch f.Cause {
	case UnknownHost:
		return fmt.Sprintf("the host %s is not known", cmp.Or(f.Subject, "of "+server))
	case FailedLookup:
		return fmt.Sprintf("the name %s could not be looked up", cmp.Or(f.Subject, "of "+server))
	case Late:
		return "no answer came in time"
	case ForeignCertificate:
		return "the certificate of " + server + " belongs to another host"
	case UntrustedCertificate:
		return "the certificate of " + server + " is not trusted"
	case NotTLS:
		return server + " does not speak TLS"
	case ConnectionRefused:
		return subject + " refused the connection"
	case NoRouteToHost:
		return "there is no route to " + subject
	case Broken:
		return "the connection broke before an answer had come"
	}
	return cmp.Or(f.Subject, "the connection failed")
}
