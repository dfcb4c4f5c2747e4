// Package reach says in words why no answer came from a server.
package reach

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

// Reason is why a request got no answer, as a clause: "127.0.0.1:8080 refused the
// connection". Of an error that it does not know it gives the text.
func Reason(err error) string {
	where := "the server"
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Addr != nil {
		where = e.Addr.String()
	}
	name, isName := errors.AsType[*net.DNSError](err)
	timeout, isNet := errors.AsType[net.Error](err)
	_, badHost := errors.AsType[x509.HostnameError](err)
	_, badCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, notTLS := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case isName && name.IsNotFound:
		return fmt.Sprintf("the host %s is not known", name.Name)
	case isName:
		return fmt.Sprintf("the name %s could not be looked up", name.Name)
	case isNet && timeout.Timeout():
		return "no answer came in time"
	case badHost:
		return "its certificate belongs to another host"
	case badCertificate:
		return "its certificate is not trusted"
	case notTLS, errors.Is(err, http.ErrSchemeMismatch):
		return "it does not speak TLS"
	case errors.Is(err, syscall.ECONNREFUSED):
		return where + " refused the connection"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "there is no route to " + where
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection broke before an answer had come"
	}
	return err.Error()
}
