package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"b2form/internal/secret"
	"b2form/internal/state"
	"b2form/internal/visible"
)

// gitlabState is the address of a state that GitLab manages.
var gitlabState = regexp.MustCompile(`/api/v4/projects/[^/]+/terraform/state/[^/]+$`)

// newHTTPBackend is the backend that a block with these arguments, and the environment, describe.
func (p *program) newHTTPBackend(args map[string]string) (state.HTTPBackend, error) {
	h := state.HTTPBackend{
		Address:        cmp.Or(args["address"], p.getenv("TF_HTTP_ADDRESS")),
		UpdateMethod:   cmp.Or(args["update_method"], p.getenv("TF_HTTP_UPDATE_METHOD"), "POST"),
		LockAddress:    cmp.Or(args["lock_address"], p.getenv("TF_HTTP_LOCK_ADDRESS")),
		LockMethod:     cmp.Or(args["lock_method"], p.getenv("TF_HTTP_LOCK_METHOD")),
		UnlockAddress:  cmp.Or(args["unlock_address"], p.getenv("TF_HTTP_UNLOCK_ADDRESS")),
		UnlockMethod:   cmp.Or(args["unlock_method"], p.getenv("TF_HTTP_UNLOCK_METHOD")),
		Username:       cmp.Or(args["username"], p.getenv("TF_HTTP_USERNAME")),
		ProgramVersion: version,
	}
	if u, err := url.Parse(h.Address); err == nil && gitlabState.MatchString(u.Path) {
		if h.LockAddress == "" || h.LockAddress == h.Address {
			u.Path, u.RawPath = u.Path+"/lock", ""
			h.LockAddress = u.String()
		}
		h.LockMethod, h.UnlockMethod = cmp.Or(h.LockMethod, http.MethodPost), cmp.Or(h.UnlockMethod, http.MethodDelete)
	}
	h.LockMethod, h.UnlockMethod = cmp.Or(h.LockMethod, "LOCK"), cmp.Or(h.UnlockMethod, "UNLOCK")
	h.UnlockAddress = cmp.Or(h.UnlockAddress, h.LockAddress)
	for _, at := range []struct{ argument, address string }{
		{"address", h.Address}, {"lock_address", h.LockAddress}, {"unlock_address", h.UnlockAddress},
	} {
		if err := checkStateURL(at.argument, at.address); err != nil {
			return h, err
		}
	}
	p.setHTTPCredentials(&h)
	if err := p.setHTTPRetries(&h); err != nil {
		return h, err
	}
	transport, err := p.newHTTPBackendTransport()
	h.Transport = transport
	return h, err
}

// checkStateURL judges an address that an argument of the block, or the variable of that name, gives.
func checkStateURL(argument, address string) error {
	u, err := url.Parse(address)
	given := fmt.Sprintf("%s of the backend \"http\", or TF_HTTP_%s,", argument, strings.ToUpper(argument))
	switch {
	case address == "" && argument != "address":
		return nil // there is no lock
	case address == "":
		return failf("The address of the state is missing", "Set address in the backend \"http\" block, or TF_HTTP_ADDRESS.")
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return failf("Invalid "+argument+" of the state", "What %s says is not of the form https://example.com/states/web.", given)
	case u.User != nil:
		return failf("Credentials in the "+argument+" of the state", "Take the part before @%s out of what %s says, and set "+
			"TF_HTTP_USERNAME and TF_HTTP_PASSWORD in its place: addresses are shown.", visible.EscapeLine(u.Host), given)
	}
	return nil
}

// setHTTPCredentials sets the password: the one in the environment or, in a job of GitLab, its
// token, which is given to the API of that GitLab alone.
func (p *program) setHTTPCredentials(h *state.HTTPBackend) {
	if password := p.getenv("TF_HTTP_PASSWORD"); password != "" {
		h.Password = secret.New(password)
		return
	}
	api, token := p.getenv("CI_API_V4_URL"), p.getenv("CI_JOB_TOKEN")
	if token == "" || api == "" || h.Username != "" && h.Username != gitlabTokenUser {
		return
	}
	for _, address := range []string{h.Address, h.LockAddress, h.UnlockAddress} {
		if !strings.HasPrefix(address, strings.TrimSuffix(api, "/")+"/") {
			return
		}
	}
	h.Username, h.Password = gitlabTokenUser, secret.New(token)
}

const gitlabTokenUser = "gitlab-ci-token"

// environWithoutStateToken is the environment for programs that others wrote: without the token of a job of
// GitLab where that is the password of the state.
func (s *session) environWithoutStateToken() []string {
	h, ok := s.backend().(state.HTTPBackend)
	return slices.DeleteFunc(slices.Clone(s.environ()), func(pair string) bool {
		return ok && h.Username == gitlabTokenUser && strings.HasPrefix(pair, "CI_JOB_TOKEN=")
	})
}

// setHTTPRetries sets how often a request is repeated, with Terraform's defaults.
func (p *program) setHTTPRetries(h *state.HTTPBackend) error {
	retries, err := parseEnvironmentNumber("TF_HTTP_RETRY_MAX", p.getenv("TF_HTTP_RETRY_MAX"), 2)
	if err != nil {
		return err
	}
	least, err := parseEnvironmentNumber("TF_HTTP_RETRY_WAIT_MIN", p.getenv("TF_HTTP_RETRY_WAIT_MIN"), 1)
	if err != nil {
		return err
	}
	most, err := parseEnvironmentNumber("TF_HTTP_RETRY_WAIT_MAX", p.getenv("TF_HTTP_RETRY_WAIT_MAX"), 30)
	h.Retries, h.FirstRetryWait, h.MaxRetryWait = retries, time.Duration(least)*time.Second, time.Duration(most)*time.Second
	return err
}

// parseEnvironmentNumber reads the value of a variable of the environment.
func parseEnvironmentNumber(variable, text string, defaultValue int) (int, error) {
	if text == "" {
		return defaultValue, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 3600 {
		return 0, failf("Invalid "+variable, "%s is %q; it needs a whole number from 0 to 3600.", variable, text)
	}
	return n, nil
}

// newHTTPBackendTransport is the way to the server, with the certificates that the environment names.
func (p *program) newHTTPBackendTransport() (http.RoundTripper, error) {
	authorities := p.getenv("TF_HTTP_CLIENT_CA_CERTIFICATE_PEM")
	certificate, key := p.getenv("TF_HTTP_CLIENT_CERTIFICATE_PEM"), p.getenv("TF_HTTP_CLIENT_PRIVATE_KEY_PEM")
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 20 * time.Second,
		TLSClientConfig: &tls.Config{}}
	if authorities != "" {
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM([]byte(authorities)) {
			return nil, failf("Invalid TF_HTTP_CLIENT_CA_CERTIFICATE_PEM", "It holds no certificate. Set it to the text of a file that "+
				"begins with -----BEGIN CERTIFICATE-----.")
		}
	}
	if certificate != "" || key != "" {
		pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
		if err != nil {
			return nil, failf("Invalid client certificate",
				"TF_HTTP_CLIENT_CERTIFICATE_PEM and TF_HTTP_CLIENT_PRIVATE_KEY_PEM are not the "+
					"texts of a certificate and of its key. Set both, or none.")
		}
		t.TLSClientConfig.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// tryStateServer does with the server what every run does, and says what it cannot promise.
func (s *session) tryStateServer(ctx context.Context, h state.HTTPBackend) error {
	st, err := h.Read(ctx)
	if err != nil {
		return err
	}
	where := visible.EscapeLine(fmt.Sprint(h))
	if h.LockAddress == "" {
		s.printResult("%s answers, and holds a state with %s. The backend names no lock_address: there is no lock, and only runs "+
			"with -lock=false change anything.", where, objectCountText(st))
		return nil
	}
	works := "keeps what it is given, takes and gives back its lock"
	if err := h.CheckServerByTrial(ctx, s.lockOptions("state init")); err != nil {
		if _, locked := errors.AsType[*state.LockedError](err); !locked {
			return err
		}
		works = "is locked at present, so no more was tried"
	}
	s.printResult("%s answers, %s, and holds a state with %s.\n\n%s", where, works, objectCountText(st), httpLimits)
	return nil
}

// httpLimits is what a user should know before relying on a server of the protocol.
const httpLimits = "What the protocol cannot promise: a server stores what comes last, and does not compare it with what was there. " +
	"b2form looks before and after it stores, and a run whose lock was broken stops at the latest two seconds later; two runs that " +
	"store within the same moment, both sure of the lock, can still undo each other's record. GitLab compares the lock, so there it is " +
	"refused. A lock does not end with its run: after a kill use `b2form lock -break`."
