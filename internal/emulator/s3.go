package emulator

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// S3 gives the account's other face: the S3-compatible API, over the same
// buckets, keys and versions. See "S3-Compatible API" of the documentation; what
// that leaves open is as in Amazon's S3 API reference. Like a Server, it drops a
// connection, if a fault asks for that, by the panic http.ErrAbortHandler.
func (s *Server) S3() http.Handler { return http.HandlerFunc(s.serveS3) }

// An s3Call is one request of the S3 face being answered. It is a call too, so
// that both faces do the same by the same means.
type s3Call struct {
	*call
	op                *s3Operation
	query             url.Values
	requestBucketName string // of the bucket, "" for none
	objectKey         string // of the object, "" for none
	requestID         string // of the request
	bucket            bucket
	requestPayload    *payload
	xmlDocument       []byte // the request's document
	// What goes back. A status of 0 is 200.
	status    int
	header    http.Header
	replyBody xmlPrinter
}

// An s3Operation is one call of the S3 API.
type s3Operation struct {
	name  string
	class byte // of transaction
	// needsAnyOf are the capabilities of which the caller must have one; if there
	// are none, the operation looks itself.
	needsAnyOf []string
	flags      s3OperationFlags
	// beginUploadOrCopy reserves a place for the content that the request brings or copies,
	// before run makes a version of it; see upload.go.
	beginUploadOrCopy, run func(*s3Call) error
}

// A s3OperationFlags is a set of what there is to know of an operation.
type s3OperationFlags int

const (
	s3Writes                  s3OperationFlags = 1 << iota
	s3TakesXML                                 // it brings an XML document, which is read before the transaction
	s3AllowsAnonymous                          // it lets in who has no signature, if the bucket is public
	s3HasWholeObjectChecksums                  // its checksums are of the object that it makes of parts, not of its content
)

func (o *s3Operation) hasAnyFlag(wantedFlags s3OperationFlags) bool { return o.flags&wantedFlags != 0 }

func (s *Server) serveS3(w http.ResponseWriter, r *http.Request) {
	if !wait(r.Context(), s.options.Latency) {
		return
	}
	c := s.newS3Call(r)
	if r.Method == http.MethodOptions {
		c.preflight()
		c.send(w)
		return
	}
	entry := s.log.addCall(LoggedCall{Method: c.op.name, At: c.now})
	fault, faulty := s.faults.countRequest(c.op.name)
	if faulty && !wait(r.Context(), fault.Delay) {
		return
	}
	answered := s.replyS3(c, fault, faulty && !fault.DelayOnly)
	s.runDueCalls()
	if !answered {
		panic(http.ErrAbortHandler)
	}
	s.log.setStatus(entry, cmp.Or(c.status, http.StatusOK))
	c.allowOriginByRule()
	c.send(w)
}

func (s *Server) newS3Call(r *http.Request) *s3Call {
	c := &s3Call{call: &call{server: s, http: r, version: 4, now: s.now()}, header: http.Header{}}
	n := s.s3RequestCount.Add(1)
	c.requestID = hex.EncodeToString(binaryID(n * 0x9e3779b97f4a7c15))
	c.requestBucketName, c.objectKey = s.s3Target(r)
	// What cannot be read is left out, and the signature will not fit.
	c.query, _ = url.ParseQuery(r.URL.RawQuery)
	c.op = c.operationOrRefusingOne()
	return c
}

func binaryID(n uint64) []byte {
	return []byte{byte(n >> 56), byte(n >> 48), byte(n >> 40), byte(n >> 32), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
}

func (c *s3Call) hostID() string {
	return "aMb" + base64.RawStdEncoding.EncodeToString([]byte(c.requestID + c.server.account.ID))[:30]
}

// s3Target finds the bucket in the host's name, or else in the path, and the
// object in the rest of the path.
func (s *Server) s3Target(r *http.Request) (bucketName, key string) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	for _, base := range s.s3Hosts {
		if name, ok := strings.CutSuffix(host, "."+base); ok && name != "" && net.ParseIP(host) == nil {
			return name, path
		}
	}
	bucketName, key, _ = strings.Cut(path, "/")
	return bucketName, key
}

// hostsOfS3 are the names below which every bucket has one of its own.
func (s *Server) hostsOfS3() []string {
	hosts := []string{"s3." + s.account.Region + ".backblazeb2.com", "localhost"}
	if u, err := url.Parse(s.url("s3")); err == nil && u.Hostname() != "" {
		hosts = append(hosts, u.Hostname())
	}
	return hosts
}

// replyS3 answers the request, or lets the fault do it; false is no reply.
func (s *Server) replyS3(c *s3Call, f Fault, faulty bool) (hasReply bool) {
	if !faulty {
		c.answer()
		return true
	}
	switch {
	case f.LateByRequests > 0:
		if s.postponeS3(c, f.LateByRequests+1) != nil { // this request counts too
			return false
		}
	case f.TakesEffect:
		c.answer()
		c.dropContentToSend()
	}
	switch {
	case f.Hang:
		wait(c.http.Context(), maxHang)
		return false
	case f.Status == 0:
		return false
	}
	code := f.Code
	if code == "" || code == codeByStatus[f.Status] {
		code = s3FaultCode(f.Status)
	}
	c.setRefusal(&s3Error{status: f.Status, code: code, message: f.Message, retryAfter: f.RetryAfter})
	return true
}

func (s *Server) postponeS3(c *s3Call, requestCount int) error {
	r, err := detachRequest(c.http)
	if err != nil {
		return err
	}
	s.faults.postpone(requestCount, func() {
		late := s.newS3Call(r)
		late.answer()
		late.dropContentToSend()
	})
	return nil
}

// answer does what is asked, or refuses it. Only refusals and what op.run sets
// is in the reply.
func (c *s3Call) answer() {
	if c.server.closed.Load() {
		c.setRefusal(errClosed)
		return
	}
	err := c.server.tryCatchUpLifecycle(c.now)
	if err == nil {
		err = c.identifyAndRun()
	}
	if err != nil {
		c.dropContentToSend()
		c.setRefusal(err)
		return
	}
	for _, f := range c.afterCommit {
		f()
	}
}

// identifyAndRun identifies the caller and runs the operation's transactions.
func (c *s3Call) identifyAndRun() error {
	if err := c.server.store.view(func(t tx) error {
		c.tx = t
		return c.identify()
	}); err != nil {
		return err
	}
	if c.op.hasAnyFlag(s3TakesXML) {
		if err := c.readXMLDocument(); err != nil {
			return err
		}
	}
	if c.op.beginUploadOrCopy == nil {
		return c.transactOnAllowedBucket(c.op.run)
	}
	if err := c.transactOnAllowedBucket(c.op.beginUploadOrCopy); err != nil {
		return err
	}
	if err := c.receive(); err != nil {
		return err
	}
	return c.transact(method{writes: true}, func() error { return c.op.run(c) })
}

func (c *s3Call) transactOnAllowedBucket(step func(*s3Call) error) error {
	return c.transact(method{writes: c.op.hasAnyFlag(s3Writes)}, func() error {
		if err := c.loadAllowedBucket(); err != nil {
			return err
		}
		m := method{class: c.op.class}
		if err := c.server.usage.checkCap(c.call, m); err != nil {
			return err
		}
		if err := step(c); err != nil {
			return err
		}
		c.server.usage.add(c.call, m)
		return nil
	})
}

// receive keeps the content that the request brings, or that of another object.
func (c *s3Call) receive() error {
	in := c.incoming
	if in.source.file.ID != "" {
		return receiveCopy(c.call)
	}
	err := c.storeIncomingContent(c.requestPayload, c.requestPayload.takeDigestsToFeed()...)
	if wrong := c.requestPayload.readToEndAndVerify(); wrong != nil {
		err = wrong
	}
	if err != nil {
		return c.discardContent(in.contentID, err)
	}
	in.sha1 = unverifiedPrefix + in.sha1
	return nil
}

// identify finds out who signed the request. Only some objects may be read by
// nobody.
func (c *s3Call) identify() error {
	s, err := readSignature(c.http, c.query)
	if err != nil {
		return err
	}
	if s == nil {
		if !c.op.hasAnyFlag(s3AllowsAnonymous) {
			return s3Denied()
		}
		for name := range c.query {
			if strings.HasPrefix(name, "response-") {
				return newS3Error(400, "InvalidRequest", "Request specific response headers cannot be used for anonymous GET requests.")
			}
		}
		return nil
	}
	if err := c.checkRegion(s); err != nil {
		return err
	}
	if !isHex(s.keyID, keyIDLength) {
		return newS3Error(403, "InvalidAccessKeyId", "Malformed Access Key Id", textElement{"AWSAccessKeyId", s.keyID})
	}
	k, found, err := c.server.loadKeyOrMaster(c.tx, s.keyID, c.now)
	if err != nil {
		return err
	}
	if !found {
		return newS3Error(403, "InvalidAccessKeyId", "The key '"+s.keyID+"' is not valid", textElement{"AWSAccessKeyId", s.keyID})
	}
	if err := s.checkTime(c.replyDate()); err != nil {
		return err
	}
	signingKey := s.signingKey(c.server.account.derivedSecret(k.ID))
	if err := s.check(c.http, c.query, signingKey); err != nil {
		return err
	}
	c.caller = k
	c.requestPayload, err = newPayload(c.http, s, signingKey, c.op)
	return err
}

// replyDate is what the Date header says, and what signatures are compared with.
func (c *s3Call) replyDate() time.Time {
	if c.server.options.Switches.RealDateHeader {
		return c.server.options.Now()
	}
	return c.now
}

// checkRegion names the right region, from which clients learn it.
func (c *s3Call) checkRegion(s *signature) error {
	region := c.server.account.Region
	if s.region == region {
		return nil
	}
	message := fmt.Sprintf("the region '%s' is wrong; expecting '%s'", s.region, region)
	if s.presigned {
		return authorizationQueryMalformed("Error parsing the X-Amz-Credential parameter; "+message, textElement{"Region", region})
	}
	return authorizationHeaderMalformed(message, textElement{"Region", region})
}

// mayAny reports whether the caller has one of the capabilities.
func (c *s3Call) mayAny(capabilities ...string) bool { return slices.ContainsFunc(capabilities, c.may) }

// loadAllowedBucket finds the bucket that the request names, and decides whether the
// caller may do there what it asks.
func (c *s3Call) loadAllowedBucket() error {
	signed := c.caller.ID != ""
	if signed && len(c.op.needsAnyOf) > 0 && !c.mayAny(c.op.needsAnyOf...) {
		return s3Denied()
	}
	if c.requestBucketName == "" || c.op.name == "CreateBucket" {
		return nil
	}
	id := string(c.tx.get(c.bucketNameStoreKey(c.requestBucketName)))
	if signed && !c.mayUseBucket(id) {
		return s3Denied()
	}
	if id == "" {
		return s3NoBucket(c.requestBucketName)
	}
	var err error
	if c.bucket, err = c.call.loadBucket(id); err != nil {
		return err
	}
	if !signed && c.bucket.Type != "allPublic" {
		return s3Denied()
	}
	if c.objectKey != "" && !c.mayUseFileName(c.objectKey) {
		return s3Denied()
	}
	return nil
}

// maxDocument bounds the XML of a request, in bytes.
const maxDocument = 4 << 20

// readXMLDocument reads the request's XML document, which may be missing.
func (c *s3Call) readXMLDocument() error {
	body, err := io.ReadAll(io.LimitReader(c.requestPayload, maxDocument+1))
	if len(body) > maxDocument {
		return s3Malformed()
	}
	c.xmlDocument = body
	return cmp.Or(c.requestPayload.readToEndAndVerify(), err)
}

// parseDocument takes the request's document apart.
func (c *s3Call) parseDocument(root string, out any) error { return readXML(c.xmlDocument, root, out) }

func (c *s3Call) setRefusal(err error) {
	e := asS3Error(err)
	c.status = e.status
	c.header = http.Header{"Content-Type": {"application/xml"}}
	maps.Copy(c.header, e.header)
	if e.retryAfter > 0 {
		c.header.Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	if e.status >= 400 && c.http.ContentLength != 0 {
		c.header.Set("Connection", "close") // nobody reads the rest of the content
	}
	c.sending = nil
	c.replyBody.out = nil
	if e.status != http.StatusNotModified {
		c.replyBody.out = e.body(c.http.URL.Path, c.requestID, c.hostID())
	}
}

// dropContentToSend gives up content that was about to be sent.
func (c *s3Call) dropContentToSend() { c.sending = nil }

// send writes the reply.
func (c *s3Call) send(w http.ResponseWriter) {
	h := w.Header()
	h["X-Amz-Request-Id"] = []string{c.requestID}
	h["X-Amz-Id-2"] = []string{c.hostID()}
	h["Date"] = []string{c.replyDate().UTC().Format(http.TimeFormat)}
	if c.sending == nil {
		h["Cache-Control"] = []string{"max-age=0, no-cache, no-store"}
		if len(c.replyBody.out) > 0 {
			h["Content-Type"] = []string{"application/xml"}
		}
		h["Content-Length"] = []string{strconv.Itoa(len(c.replyBody.out))}
	}
	maps.Copy(h, c.header)
	status := cmp.Or(c.status, http.StatusOK)
	if c.sending != nil {
		sendContent(w, c.http, &reply{status: status, content: c.server.openRange(c.sending.fileRange)})
		return
	}
	if status == http.StatusNoContent || status == http.StatusNotModified {
		h.Del("Content-Length")
	}
	w.WriteHeader(status)
	if c.http.Method != http.MethodHead {
		_, _ = io.Copy(w, bytes.NewReader(c.replyBody.out)) // the client may be gone
	}
}
