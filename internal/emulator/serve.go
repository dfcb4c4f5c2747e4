package emulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A call is one native API request being answered.
type call struct {
	server          *Server
	http            *http.Request
	version         int
	method          string
	pathAfterMethod string // what the path has after the method's name
	now             time.Time
	in              *params
	tx              tx
	caller          key
	out             jsonPrinter
	// incoming is what the steps of an upload or copy hand on.
	incoming *incoming
	// sending is set by a download, which prints nothing.
	sending *sending
	// classCTransactionsIfNotOne is how many class C transactions the call costs if not one.
	classCTransactionsIfNotOne int
	// heldUploadToken is the token that an upload has to itself.
	heldUploadToken string
	// afterCommit runs once the transaction is kept.
	afterCommit []func()
}

func (c *call) refusesUnknownMembers() bool { return !c.server.options.Switches.IgnoreUnknownMembers }

// A reply is what goes back over the wire.
type reply struct {
	status int
	header http.Header
	body   []byte
	// content, if not nil, goes out instead of body.
	content io.ReadCloser
}

// maxBody bounds a request's JSON body, in bytes.
const maxBody = 4 << 20

var callPath = regexp.MustCompile(`^/b2api/v([1-4])/(b2_[a-z0-9_]+)(?:/(.*))?$`)

// byName is the call whose path is /file/BUCKET/NAME.
const byName = "b2_download_file_by_name"

// ServeHTTP answers one request of the native API. A dropped connection, which
// is a fault that can be asked for, is the panic http.ErrAbortHandler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !wait(r.Context(), s.options.Latency) {
		return
	}
	if r.Body == nil {
		// A client's request, handed over without a network, and not ours.
		r = r.WithContext(r.Context())
		r.Body = http.NoBody
	}
	c := &call{server: s, http: r, now: s.now()}
	if buffer, ok := s.replyBuffers.Get().(*[]byte); ok {
		c.out.out = *buffer
	}
	if m := callPath.FindStringSubmatch(r.URL.Path); m != nil {
		c.version, _ = strconv.Atoi(m[1])
		c.method, c.pathAfterMethod = m[2], m[3]
	} else if target, ok := strings.CutPrefix(r.URL.EscapedPath(), "/file/"); ok {
		c.version, c.method, c.pathAfterMethod = 4, byName, target
	}
	if r.Method == http.MethodOptions {
		if out := c.replyToPreflight(); out != nil {
			s.send(w, r, c, out)
			return
		}
	}
	body, err := c.readBodyUnlessUpload()
	entry := s.log.addCall(c.loggedCall(body))
	fault, faulty := s.faults.countRequest(c.method)
	if faulty && !wait(r.Context(), fault.Delay) {
		return
	}
	out := s.reply(c, body, err, fault, faulty && !fault.DelayOnly)
	s.runDueCalls()
	if out == nil {
		panic(http.ErrAbortHandler)
	}
	s.log.setStatus(entry, out.status)
	c.allowOriginByRule(out)
	s.send(w, r, c, out)
	buffer := c.out.out[:0]
	s.replyBuffers.Put(&buffer)
}

// reply gives the answer of the method or of the fault that hits the request;
// nil is none at all.
func (s *Server) reply(c *call, body []byte, bodyErr error, f Fault, faulty bool) *reply {
	switch {
	case !faulty && bodyErr != nil:
		return refusedReply(bodyErr)
	case !faulty:
		return s.answer(c, body)
	case bodyErr != nil:
	case f.LateByRequests > 0:
		if s.postpone(c, body, f.LateByRequests+1) != nil { // this request counts too
			return nil
		}
	case f.TakesEffect:
		s.answer(c, body)
	}
	return f.replyOrNil(c.http.Context())
}

// wait lets the latency pass and reports whether the client is still there.
func wait(ctx context.Context, delay time.Duration) (clientIsThere bool) {
	if delay <= 0 {
		return true
	}
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// readBodyUnlessUpload reads a JSON request; the content of an upload stays unread.
func (c *call) readBodyUnlessUpload() ([]byte, error) {
	if methods[c.method].upload {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(c.http.Body, maxBody+1))
	if err != nil {
		return nil, refuse(400, "bad_request", "the request body ended early")
	}
	if len(body) > maxBody {
		return nil, badRequest("the request body is larger than %d bytes", maxBody)
	}
	return body, nil
}

// answer runs the call in one transaction.
func (s *Server) answer(c *call, body []byte) *reply {
	m, known := methods[c.method]
	if !known {
		return refusedReply(badRequest("unknown API call: %s", c.http.URL.Path))
	}
	if err := c.parseRequest(m, body); err != nil {
		return refusedReply(err)
	}
	if err := s.tryCatchUpLifecycle(c.now); err != nil {
		return refusedReply(err)
	}
	if err := c.runInTransactions(m); err != nil {
		return refusedReply(err)
	}
	for _, f := range c.afterCommit {
		f()
	}
	if d := c.sending; d != nil {
		return &reply{status: d.status, header: d.header, content: s.openRange(d.fileRange)}
	}
	c.out.out = append(c.out.out, '\n')
	return &reply{status: http.StatusOK, body: c.out.out}
}

// runInTransactions runs the method's transaction or, for an upload or copy, both of them
// with the content in between.
func (c *call) runInTransactions(m method) error {
	if m.beginUploadOrCopy == nil {
		return c.transact(m, func() error { return c.authorizeAndRun(m, m.run) })
	}
	defer c.releaseUploadToken()
	if err := c.transact(m, func() error { return c.authorizeAndRun(m, m.beginUploadOrCopy) }); err != nil {
		return err
	}
	if err := m.receive(c); err != nil {
		return err
	}
	return c.transact(m, func() error { return m.run(c) })
}

func (c *call) transact(m method, f func() error) error {
	transact := c.server.store.view
	if m.writes {
		transact = c.server.store.update
	}
	return transact(func(t tx) error {
		c.tx = t
		return f()
	})
}

func (c *call) parseRequest(m method, body []byte) (err error) {
	get := c.http.Method == http.MethodGet || c.http.Method == http.MethodHead
	switch {
	case get && (!c.server.keeps(wireIsPrettyJSON) || m.upload), !get && c.http.Method != http.MethodPost:
		return refuse(405, "method_not_allowed", "%s does not take %s", c.method, c.http.Method)
	case m.upload:
		return nil
	case get:
		c.in = parseQuery(c.http.URL.Query())
		return nil
	}
	c.in, err = parseBody(body)
	return err
}

// authorizeAndRun checks who calls before it takes the method's step.
func (c *call) authorizeAndRun(m method, step func(*call) error) error {
	if err := c.testModeError(); err != nil {
		return err
	}
	if !m.takesOtherCredentials {
		if err := c.identify(c.http.Header.Get("Authorization"), accountTokenPurpose); err != nil {
			return err
		}
		switch {
		case m.neededCapability == "" || c.may(m.neededCapability):
		case m.deniesWith403:
			return accessDenied()
		default:
			return unauthorized()
		}
	}
	if err := c.server.usage.checkCap(c, m); err != nil {
		return err
	}
	if err := step(c); err != nil {
		return err
	}
	c.server.usage.add(c, m)
	return nil
}

func refusedReply(err error) *reply {
	var r *refusal
	if !errors.As(err, &r) {
		r = refuse(500, "internal_error", "%v", err)
	}
	header := http.Header{}
	if r.asksForBasicAuth {
		header.Set("WWW-Authenticate", `BASIC realm="authorize_account"`)
	}
	if r.retryAfter > 0 {
		header.Set("Retry-After", fmt.Sprint(r.retryAfter))
	}
	if r.status == http.StatusBadRequest {
		header.Set("Connection", "close")
	}
	return &reply{status: r.status, header: header, body: r.body()}
}

// send writes the reply with the service's headers, whose spelling differs
// between success and failure.
func (s *Server) send(w http.ResponseWriter, r *http.Request, c *call, out *reply) {
	h := w.Header()
	if out.content == nil {
		h.Set("Cache-Control", "max-age=0, no-cache, no-store")
	}
	h.Set("Content-Type", "application/json;charset=UTF-8")
	if out.status >= 300 {
		h.Set("Content-Type", "application/json;charset=utf-8")
	}
	date := c.now
	if s.options.Switches.RealDateHeader {
		date = s.options.Now()
	}
	h.Set("Date", date.UTC().Format(http.TimeFormat))
	maps.Copy(h, out.header)
	if out.content != nil {
		sendContent(w, r, out)
		return
	}
	body := out.body
	if !s.keeps(wireIsPrettyJSON) {
		var compact bytes.Buffer
		if json.Compact(&compact, body) == nil {
			body = compact.Bytes()
		}
		h.Set("Content-Type", "application/json")
		h["Date"] = nil
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(out.status)
	if r.Method != http.MethodHead {
		// The client may be gone; nobody else wants to know.
		_, _ = io.Copy(w, bytes.NewReader(body))
	}
}

func sendContent(w http.ResponseWriter, r *http.Request, out *reply) {
	w.WriteHeader(out.status)
	var err error
	if r.Method != http.MethodHead {
		_, err = io.Copy(w, out.content)
	}
	if err = errors.Join(err, out.content.Close()); err != nil {
		// The reply promised more bytes than will come.
		panic(http.ErrAbortHandler)
	}
}

// testModeError obeys the header with which clients ask for the service's trouble;
// see the "Integration Checklist".
func (c *call) testModeError() error {
	switch mode := strings.TrimSpace(c.http.Header.Get("X-Bz-Test-Mode")); {
	case mode == "force_cap_exceeded" && methods[c.method].upload:
		return refuse(403, "storage_cap_exceeded", "Cannot upload files, storage cap exceeded.")
	case mode == "force_cap_exceeded" && methods[c.method].class == 'C':
		return refuse(403, "transaction_cap_exceeded", "Transaction cap exceeded.")
	case mode == "expire_some_account_authorization_tokens" && !methods[c.method].takesOtherCredentials &&
		c.server.faults.countTestModeRequest():
		return refuse(401, "expired_auth_token", "")
	case mode == "fail_some_uploads" && methods[c.method].upload && c.server.faults.countTestModeRequest():
		return refuse(503, "service_unavailable", "")
	}
	return nil
}
