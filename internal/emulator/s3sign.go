package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A signature is what a request says of itself in AWS Signature Version 4, in
// its header or, presigned, in its query; see "Authenticating Requests" of
// Amazon's S3 API reference.
type signature struct {
	keyID, date, region string   // the credential
	madeAt              string   // when it was made, as 20130524T000000Z
	signedHeaderNames   []string // that are signed
	value               string   // in hex
	contentSHA256       string   // the SHA-256 of the content, or a word of s3body.go
	presigned           bool
	expires             time.Duration // of a presigned request
}

const (
	signAlgorithm = "AWS4-HMAC-SHA256"
	signTime      = "20060102T150405Z"
	maxSkew       = 15 * time.Minute
	maxPresign    = 7 * 24 * time.Hour
	emptySHA256   = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

func authorizationHeaderMalformed(message string, members ...textElement) *s3Error {
	return newS3Error(400, "AuthorizationHeaderMalformed", "The authorization header is malformed; "+message, members...)
}

func authorizationQueryMalformed(message string, members ...textElement) *s3Error {
	return newS3Error(400, "AuthorizationQueryParametersError", message, members...)
}

// readSignature gives the request's signature, or nil if it has none.
func readSignature(r *http.Request, query url.Values) (*signature, error) {
	header := r.Header.Get("Authorization")
	switch {
	case header != "" && query.Has("X-Amz-Algorithm"):
		return nil, newS3Error(400, "InvalidRequest", "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "+
			"Signature query string parameter or the Authorization header should be specified")
	case query.Has("X-Amz-Algorithm") || query.Has("X-Amz-Signature") || query.Has("X-Amz-Credential"):
		return presignedSignature(r, query)
	case strings.HasPrefix(header, "AWS ") || query.Has("AWSAccessKeyId"):
		return nil, newS3Error(400, "InvalidRequest", "The V2 signature authorization mechanism is not supported. Please use "+
			"AWS4-HMAC-SHA256.")
	case header != "":
		return headerSignature(r, header)
	}
	return nil, nil
}

func headerSignature(r *http.Request, header string) (*signature, error) {
	rest, ok := strings.CutPrefix(header, signAlgorithm)
	if !ok {
		return nil, s3Invalid("Unsupported Authorization Type")
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if parts[name] == "" {
			return nil, authorizationHeaderMalformed("it must have Credential, SignedHeaders and Signature.")
		}
	}
	s := &signature{value: parts["Signature"], signedHeaderNames: strings.Split(parts["SignedHeaders"], ";")}
	if !s.readCredential(parts["Credential"]) {
		return nil, authorizationHeaderMalformed(fmt.Sprintf("the authorization component %q is malformed.", parts["Credential"]))
	}
	if s.madeAt = r.Header.Get("X-Amz-Date"); s.madeAt == "" {
		if date, err := http.ParseTime(r.Header.Get("Date")); err == nil {
			s.madeAt = date.UTC().Format(signTime)
		}
	}
	if _, err := time.Parse(signTime, s.madeAt); err != nil {
		return nil, newS3Error(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
	}
	if s.contentSHA256 = r.Header.Get("X-Amz-Content-Sha256"); s.contentSHA256 == "" {
		return nil, newS3Error(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
	}
	return s, s.checkRequiredHeadersSigned(r)
}

func presignedSignature(r *http.Request, query url.Values) (*signature, error) {
	for _, name := range []string{
		"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires",
	} {
		if query.Get(name) == "" {
			return nil,
				authorizationQueryMalformed("Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, " +
					"X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
		}
	}
	s := &signature{
		presigned: true, madeAt: query.Get("X-Amz-Date"), value: query.Get("X-Amz-Signature"),
		signedHeaderNames: strings.Split(query.Get("X-Amz-SignedHeaders"), ";"), contentSHA256: unsignedPayload,
	}
	seconds, err := strconv.ParseInt(query.Get("X-Amz-Expires"), 10, 64)
	s.expires = time.Duration(seconds) * time.Second
	_, badTime := time.Parse(signTime, s.madeAt)
	switch {
	case query.Get("X-Amz-Algorithm") != signAlgorithm:
		return nil, authorizationQueryMalformed(`X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"`)
	case !s.readCredential(query.Get("X-Amz-Credential")):
		return nil, authorizationQueryMalformed("Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; " +
			`expecting "<YOUR-AKID>/YYYYMMDD/REGION/s3/aws4_request".`)
	case badTime != nil:
		return nil, authorizationQueryMalformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
	case err != nil || seconds < 0:
		return nil, authorizationQueryMalformed("X-Amz-Expires should be a number that is not negative")
	case seconds > int64(maxPresign/time.Second):
		return nil, authorizationQueryMalformed("X-Amz-Expires must be less than a week (in seconds); " +
			"that is, the given X-Amz-Expires must be less than 604800 seconds")
	}
	if slices.Contains(s.signedHeaderNames, "x-amz-content-sha256") {
		s.contentSHA256 = r.Header.Get("X-Amz-Content-Sha256")
	}
	return s, s.checkRequiredHeadersSigned(r)
}

// readCredential takes KEY/DATE/REGION/s3/aws4_request apart.
func (s *signature) readCredential(text string) (wellFormed bool) {
	parts := strings.Split(text, "/")
	if len(parts) != 5 || parts[0] == "" || parts[2] == "" || parts[3] != "s3" || parts[4] != "aws4_request" {
		return false
	}
	s.keyID, s.date, s.region = parts[0], parts[1], parts[2]
	_, err := time.Parse("20060102", s.date)
	return err == nil
}

// checkRequiredHeadersSigned demands that the host and every x-amz- header are signed, lest
// somebody adds one on the way.
func (s *signature) checkRequiredHeadersSigned(r *http.Request) error {
	var unsigned []string
	if !slices.Contains(s.signedHeaderNames, "host") {
		unsigned = append(unsigned, "host")
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(s.signedHeaderNames, name) && name != "x-amz-content-sha256" {
			unsigned = append(unsigned, name)
		}
	}
	if unsigned == nil {
		return nil
	}
	slices.Sort(unsigned)
	return newS3Error(403, "AccessDenied", "There were headers present in the request which were not signed",
		textElement{"HeadersNotSigned", strings.Join(unsigned, ", ")})
}

func (s *signature) scope() string { return s.date + "/" + s.region + "/s3/aws4_request" }

// canonicalRequest is the request in the form that is signed.
func (s *signature) canonicalRequest(r *http.Request, query url.Values) string {
	var b strings.Builder
	b.WriteString(r.Method)
	b.WriteByte('\n')
	b.WriteString(uriEncode(r.URL.Path, true))
	b.WriteByte('\n')
	separator := ""
	for _, name := range sortedKeys(query) {
		if name == "X-Amz-Signature" {
			continue
		}
		for _, value := range slices.Sorted(slices.Values(query[name])) {
			b.WriteString(separator + uriEncode(name, false) + "=" + uriEncode(value, false))
			separator = "&"
		}
	}
	b.WriteByte('\n')
	for _, name := range s.signedHeaderNames {
		b.WriteString(name)
		b.WriteByte(':')
		b.WriteString(signedHeaderValue(r, name))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.WriteString(strings.Join(s.signedHeaderNames, ";"))
	b.WriteByte('\n')
	b.WriteString(s.contentSHA256)
	return b.String()
}

// signedHeaderValue gives a header as clients sign it. Go keeps some apart.
func signedHeaderValue(r *http.Request, name string) string {
	values := r.Header[http.CanonicalHeaderKey(name)]
	switch {
	case name == "host":
		return r.Host
	case name == "content-length" && values == nil && r.ContentLength >= 0:
		return strconv.FormatInt(r.ContentLength, 10)
	case name == "transfer-encoding":
		return strings.Join(r.TransferEncoding, ",")
	}
	trimmed := make([]string, len(values))
	for i, v := range values {
		trimmed[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(trimmed, ",")
}

// stringToSign is the text whose HMAC is the signature.
func (s *signature) stringToSign(canonical string) string {
	digest := sha256.Sum256([]byte(canonical))
	return signAlgorithm + "\n" + s.madeAt + "\n" + s.scope() + "\n" + hex.EncodeToString(digest[:])
}

// signingKey derives the key of a day, region and service from a secret.
func (s *signature) signingKey(secret string) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, "s3", "aws4_request"} {
		key = hmacSHA256(key, part)
	}
	return key
}

func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// check compares the signature with the one that the signing key makes.
func (s *signature) check(r *http.Request, query url.Values, key []byte) error {
	canonical := s.canonicalRequest(r, query)
	toSign := s.stringToSign(canonical)
	if want := hex.EncodeToString(hmacSHA256(key, toSign)); hmac.Equal([]byte(want), []byte(s.value)) {
		return nil
	}
	return newS3Error(403, "SignatureDoesNotMatch", "Signature validation failed",
		textElement{"AWSAccessKeyId", s.keyID}, textElement{"StringToSign", toSign}, textElement{"SignatureProvided", s.value},
		textElement{"StringToSignBytes", hexBytes(toSign)}, textElement{"CanonicalRequest", canonical},
		textElement{"CanonicalRequestBytes", hexBytes(canonical)})
}

// hexBytes writes text as S3 does for those who look for an odd byte.
func hexBytes(text string) string {
	b := make([]byte, 0, 3*len(text))
	for i := range len(text) {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, hexDigits[text[i]>>4], hexDigits[text[i]&15])
	}
	return string(b)
}

// checkTime refuses signatures of another time than now.
func (s *signature) checkTime(now time.Time) error {
	at, err := time.Parse(signTime, s.madeAt)
	if err != nil || s.madeAt[:8] != s.date {
		return newS3Error(403, "SignatureDoesNotMatch", "Credential date does not match the request's date")
	}
	server := textElement{"ServerTime", now.UTC().Format(time.RFC3339)}
	switch {
	case s.presigned && at.After(now.Add(maxSkew)):
		return newS3Error(403, "AccessDenied", "Request is not valid yet", server)
	case s.presigned && now.After(at.Add(s.expires)):
		return newS3Error(403, "AccessDenied", "Request has expired", textElement{"X-Amz-Expires",
			strconv.Itoa(int(s.expires / time.Second))},
			textElement{"Expires", at.Add(s.expires).Format(time.RFC3339)}, server)
	case !s.presigned && now.Sub(at).Abs() > maxSkew:
		return newS3Error(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.",
			textElement{"RequestTime", s.madeAt}, server, textElement{"MaxAllowedSkewMilliseconds",
				strconv.FormatInt(maxSkew.Milliseconds(), 10)})
	}
	return nil
}

// uriEncode escapes as Signature Version 4 demands: all but A-Z, a-z, 0-9, '-',
// '.', '_', '~' and, in a path, '/'.
func uriEncode(s string, path bool) string {
	plain := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			c == '-' || c == '.' || c == '_' || c == '~' || path && c == '/'
	}
	odd := 0
	for i := range len(s) {
		if !plain(s[i]) {
			odd++
		}
	}
	if odd == 0 {
		return s
	}
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+2*odd)
	for i := range len(s) {
		if c := s[i]; plain(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(b)
}
