package emulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// What web pages of other origins may do with a bucket, its CORS rules say; see
// "Cross-Origin Resource Sharing Rules". A browser asks before it sends what a
// form could not, by an OPTIONS request, and shows a reply to the page only if
// that names the page's origin. Of several rules that fit the first counts.

const (
	originHeader     = "Origin"
	corsHeader       = "Access-Control-"
	corsAskedMethod  = corsHeader + "Request-Method"
	corsAskedHeaders = corsHeader + "Request-Headers"
)

// findCORSRule gives the bucket's rule for a page of that origin, which asks for an
// operation with headers, or nil.
func (b bucket) findCORSRule(origin, operation string, headers []string) *corsRule {
	for i, r := range b.CORS {
		fits := slices.ContainsFunc(r.Origins, func(pattern string) bool { return matchesOrigin(pattern, origin) })
		if fits && slices.Contains(r.Operations, operation) && !slices.ContainsFunc(headers, r.refusesHeader) {
			return &b.CORS[i]
		}
	}
	return nil
}

// matchesOrigin compares an origin with one that a rule allows: any, all of a
// scheme, or one in which a star stands for a part of the host's name.
func matchesOrigin(pattern, origin string) bool {
	scheme, _, isURL := strings.Cut(origin, "://")
	switch {
	case pattern == "*":
		return true
	case !isURL:
		return false
	case !strings.Contains(pattern, ":"):
		return strings.EqualFold(pattern, scheme)
	}
	pattern, origin = normalizeOrigin(pattern), normalizeOrigin(origin)
	before, after, hasStar := strings.Cut(pattern, "*")
	if !hasStar {
		return pattern == origin
	}
	rest, ok := strings.CutPrefix(origin, before)
	if !ok {
		return false
	}
	middle, ok := strings.CutSuffix(rest, after)
	return ok && middle != "" && !strings.ContainsAny(middle, ":/")
}

// normalizeOrigin leaves out the port that an origin has anyway.
func normalizeOrigin(origin string) string {
	origin = strings.ToLower(origin)
	switch scheme, _, _ := strings.Cut(origin, "://"); scheme {
	case "https":
		return strings.TrimSuffix(origin, ":443")
	case "http":
		return strings.TrimSuffix(origin, ":80")
	}
	return origin
}

func (r corsRule) refusesHeader(lowerName string) bool {
	return !slices.ContainsFunc(r.Headers, func(pattern string) bool {
		pattern = strings.ToLower(pattern)
		if start, ok := strings.CutSuffix(pattern, "*"); ok {
			return strings.HasPrefix(lowerName, start)
		}
		return lowerName == pattern
	})
}

// preflightRequestHeaders are the headers, in small letters, that a browser wants to send.
func preflightRequestHeaders(r *http.Request) (names []string) {
	for name := range strings.SplitSeq(strings.ToLower(strings.Join(r.Header[corsAskedHeaders], ",")), ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// setHeaders tells a page's browser what the rule allows it: before a request, if
// asked is its verb, or with the reply.
func (r corsRule) setHeaders(h http.Header, origin, preflightVerb string, preflightHeaders []string) {
	h.Set(corsHeader+"Allow-Origin", origin)
	h.Add("Vary", originHeader)
	if len(r.Expose) > 0 {
		h.Set(corsHeader+"Expose-Headers", strings.Join(r.Expose, ", "))
	}
	if preflightVerb == "" {
		return
	}
	h.Set(corsHeader+"Allow-Methods", preflightVerb)
	if len(preflightHeaders) > 0 {
		h.Set(corsHeader+"Allow-Headers", strings.Join(preflightHeaders, ", "))
	}
	h.Set(corsHeader+"Max-Age", strconv.FormatInt(r.MaxAge, 10))
	h.Add("Vary", corsAskedMethod+", "+corsAskedHeaders)
}

// findCORSBucketID is the ID of the bucket that a call is about which pages may make,
// "" if it is none of these.
func (c *call) findCORSBucketID(t tx) string {
	first, _, _ := strings.Cut(c.pathAfterMethod, "/")
	var fileID string
	switch c.method {
	case byName:
		return string(t.get(c.bucketNameStoreKey(first)))
	case "b2_upload_file":
		return first
	case "b2_upload_part":
		fileID = first
	case "b2_download_file_by_id":
		fileID = c.http.URL.Query().Get("fileId")
	}
	bucketID, _, _, _ := readFileID(fileID)
	return bucketID
}

// corsRule gives the rule for the page that makes the call, or nil.
func (c *call) corsRule(headers []string) (found *corsRule) {
	origin := c.http.Header.Get(originHeader)
	if origin == "" {
		return nil
	}
	// Who cannot read the bucket gets no rule, and no browser's help.
	_ = c.server.store.view(func(t tx) error {
		var b bucket
		_, err := load(t, "b"+c.findCORSBucketID(t), &b)
		found = b.findCORSRule(origin, c.method, headers)
		return err
	})
	return found
}

// replyToPreflight answers a browser that asks before a page's request, and gives nil
// for a call that pages cannot make.
func (c *call) replyToPreflight() *reply {
	var verbs []string
	switch c.method {
	case byName, "b2_download_file_by_id":
		verbs = []string{"GET", "HEAD"}
	case "b2_upload_file", "b2_upload_part":
		verbs = []string{"POST"}
	default:
		return nil
	}
	h, asked, headers := http.Header{}, c.http.Header.Get(corsAskedMethod), preflightRequestHeaders(c.http)
	rule := c.corsRule(headers)
	if rule == nil || !slices.Contains(verbs, asked) {
		return refusedReply(refuse(403, "access_denied", "No CORS rule of the bucket allows this request"))
	}
	rule.setHeaders(h, c.http.Header.Get(originHeader), asked, headers)
	return &reply{status: http.StatusOK, header: h}
}

// allowOriginByRule lets the page read the reply, if a rule does.
func (c *call) allowOriginByRule(out *reply) {
	if rule := c.corsRule(nil); rule != nil {
		if out.header == nil {
			out.header = http.Header{}
		}
		rule.setHeaders(out.header, c.http.Header.Get(originHeader), "", nil)
	}
}

// corsRule gives the rule for the page that makes the S3 request of that verb,
// or nil.
func (c *s3Call) corsRule(verb string, headers []string) (found *corsRule) {
	origin, operation := c.http.Header.Get(originHeader), corsOperationIfAny(verb)
	if origin == "" || operation == "" {
		return nil
	}
	_ = c.server.store.view(func(t tx) error {
		var b bucket
		_, err := load(t, "b"+string(t.get(c.bucketNameStoreKey(c.requestBucketName))), &b)
		found = b.findCORSRule(origin, operation, headers)
		return err
	})
	return found
}

// preflight answers a browser that asks before a page's request.
func (c *s3Call) preflight() {
	origin, asked, headers := c.http.Header.Get(originHeader), c.http.Header.Get(corsAskedMethod), preflightRequestHeaders(c.http)
	if origin == "" || asked == "" {
		c.setRefusal(newS3Error(400, "BadRequest", "Insufficient information. Origin and Access-Control-Request-Method headers needed."))
		return
	}
	rule := c.corsRule(asked, headers)
	if rule == nil {
		c.setRefusal(newS3Error(403, "AccessForbidden", "CORSResponse: This CORS request is not allowed.",
			textElement{"Method", asked}, textElement{"ResourceType", "OBJECT"}))
		return
	}
	rule.setHeaders(c.header, origin, asked, headers)
}

// allowOriginByRule lets the page read the reply, if a rule does.
func (c *s3Call) allowOriginByRule() {
	if rule := c.corsRule(c.http.Method, nil); rule != nil {
		rule.setHeaders(c.header, c.http.Header.Get(originHeader), "", nil)
	}
}
