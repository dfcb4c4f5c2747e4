package emulator

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// tokenLife is how long an authorization token is good for; see
// b2_authorize_account.
const tokenLife = 24 * time.Hour

// allCapabilities is what the master key may do: every name that b2_create_key
// takes.
var allCapabilities = []string{
	"bypassGovernance", "deleteBuckets", "deleteFiles", "deleteKeys",
	"listAllBucketNames", "listBuckets", "listFiles", "listKeys",
	"readBucketEncryption", "readBucketLifecycleRules", "readBucketLogging",
	"readBucketNotifications", "readBucketReplications", "readBucketRetentions",
	"readBuckets", "readFileLegalHolds", "readFileRetentions", "readFiles",
	"shareFiles", "writeBucketEncryption", "writeBucketLifecycleRules",
	"writeBucketLogging", "writeBucketNotifications", "writeBucketReplications",
	"writeBucketRetentions", "writeBuckets", "writeFileLegalHolds",
	"writeFileRetentions", "writeFiles", "writeKeys",
}

// master is the account's first key as if it were one of the others.
func (s *Server) master() key {
	return key{ID: s.account.ID, Capabilities: allCapabilities}
}

// loadKeyOrMaster gives a key that exists and has not expired.
func (s *Server) loadKeyOrMaster(t tx, id string, now time.Time) (keyOrZero key, isUsable bool, err error) {
	if id == s.account.ID {
		return s.master(), true, nil
	}
	k, found, err := loadKeyEvenIfDeleted(t, id)
	return k, found && !k.Deleted && !k.expired(now), err
}

// checkBasicCredentials checks Basic credentials. Whatever is wrong with them, the reply is
// the same.
func (s *Server) checkBasicCredentials(t tx, r *http.Request, now time.Time) (key, error) {
	refused := &refusal{status: 401, code: "bad_auth_token", asksForBasicAuth: true}
	if !s.keeps(authCodesHaveMeaning) {
		refused.code = "unauthorized"
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		return key{}, refused
	}
	k, found, err := s.loadKeyOrMaster(t, id, now)
	if err != nil {
		return key{}, err
	}
	want := s.account.derivedSecret(id)
	if id == s.account.ID {
		want = s.account.masterKey()
	}
	if !found || subtle.ConstantTimeCompare([]byte(secret), []byte(want)) != 1 {
		return key{}, refused
	}
	return k, nil
}

// A token is 77 characters: 4_<key ID>_<when, 8 hex>_<6 hex>_acct_<28 of
// base64>. It needs no record here: the last part proves the others, and what
// the token is for: "acct", or "upld" with what may be uploaded to.
const tokenForm = "4_%s_%08x_%s%x_%s_"

const accountTokenPurpose = "acct"

func (s *Server) token(keyID, purpose string, version int, now time.Time) string {
	return s.markedToken(keyID, purpose, hex.EncodeToString(s.account.derive("mark", keyID))[:5], version, now)
}

// markedToken tells tokens of the same key, purpose and second apart by a mark
// of 5 hex digits.
func (s *Server) markedToken(keyID, purpose, mark string, version int, now time.Time) string {
	if keyID == s.account.ID {
		keyID = s.account.keyID(0)
	}
	head := fmt.Sprintf(tokenForm, keyID, uint32(now.Unix()), mark, version, purpose[:4])
	return head + s.tokenMAC(head, purpose)
}

func (s *Server) tokenMAC(head, purpose string) string {
	mac := hmac.New(sha1.New, s.account.derive("token", s.account.masterKey(), purpose))
	mac.Write([]byte(head))
	return base64.URLEncoding.EncodeToString(mac.Sum(nil))
}

// readToken takes a token apart; ok is false unless this account made it for
// the purpose.
func (s *Server) readToken(token, purpose string) (keyID string, issued time.Time, version int, ok bool) {
	const headLength = 49
	if len(token) != 77 || !hmac.Equal([]byte(s.tokenMAC(token[:headLength], purpose)), []byte(token[headLength:])) {
		return "", time.Time{}, 0, false
	}
	keyID = token[2 : 2+keyIDLength]
	if keyID == s.account.keyID(0) {
		keyID = s.account.ID
	}
	seconds, _ := strconv.ParseInt(token[28:36], 16, 64)
	return keyID, time.Unix(seconds, 0), int(token[42] - '0'), true
}

// identify finds the key behind a request's authorization token.
func (c *call) identify(token, purpose string) error {
	s := c.server
	code := func(code string) error {
		if !s.keeps(authCodesHaveMeaning) {
			code = "unauthorized"
		}
		return refuse(401, code, "")
	}
	if token == "" {
		return code("missing_auth_token")
	}
	id, issued, version, ok := s.readToken(token, purpose)
	if !ok || !s.keeps(tokensCrossVersions) && version != c.version {
		return code("bad_auth_token")
	}
	if c.now.Sub(issued) >= tokenLife {
		return code("expired_auth_token")
	}
	k, found, err := s.loadKeyOrMaster(c.tx, id, c.now)
	switch {
	case err != nil:
		return err
	case found, k.Deleted:
	case k.ID != "":
		return code("expired_auth_token")
	default:
		return code("bad_auth_token")
	}
	c.caller = k
	return nil
}

// may reports whether the caller has the capability.
func (c *call) may(capability string) bool {
	return slices.Contains(c.caller.Capabilities, capability)
}

// mayUseBucket reports whether the caller's bucket restriction leaves the bucket.
func (c *call) mayUseBucket(bucketID string) bool {
	return c.caller.BucketIDs == nil || slices.Contains(c.caller.BucketIDs, bucketID)
}

// checkAccount refuses an account ID that is not the caller's.
func (c *call) checkAccount(id string) error {
	switch {
	case id == c.server.account.ID:
		return nil
	case !isHex(id, accountIDLength):
		return badRequest("accountId invalid")
	}
	return unauthorized()
}

// authorizeAccount is b2_authorize_account.
func authorizeAccount(c *call) error {
	k, err := c.server.checkBasicCredentials(c.tx, c.http, c.now)
	if err != nil {
		return err
	}
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if k.IsMultiBucket && c.version < 4 && c.server.keeps(multiBucketNeedsV4) {
		return c.unsupportedVersionError()
	}
	c.caller = k
	token := c.server.token(k.ID, accountTokenPurpose, c.version, c.now)
	switch {
	case c.version == 4 || !c.server.keeps(authorizeShapesDiffer):
		return c.printV4(token)
	case c.version == 3:
		return c.printV3(token)
	}
	return c.printV1AndV2(token)
}

// unsupportedVersionError refuses a Multi-Bucket Application Key before version 4.
func (c *call) unsupportedVersionError() error {
	return badRequest("This request is not currently supported on API version number %d", c.version)
}

const (
	smallestPart    = 5_000_000
	recommendedPart = 100_000_000
)

func (c *call) printV4(token string) error {
	w, k := &c.out, c.caller
	w.begin("", '{')
	w.text("accountId", c.server.account.ID)
	w.begin("apiInfo", '{')
	w.begin("storageApi", '{')
	w.number("absoluteMinimumPartSize", smallestPart)
	w.begin("allowed", '{')
	if k.BucketIDs == nil {
		w.null("buckets")
	} else if err := c.printAllowedBuckets(); err != nil {
		return err
	}
	w.texts("capabilities", k.Capabilities)
	w.textOrNull("namePrefix", k.Prefix)
	w.end('}')
	w.text("apiUrl", c.server.url("api"))
	w.text("downloadUrl", c.server.url("f"))
	w.number("recommendedPartSize", recommendedPart)
	w.text("s3ApiUrl", c.server.url("s3"))
	if c.server.options.URL != "" {
		// B2 has no such member: its S3 host names the region, ours cannot.
		w.text("s3Region", c.server.account.Region)
	}
	w.end('}')
	w.end('}')
	w.numberOrNull("applicationKeyExpirationTimestamp", k.ExpiresMillis)
	w.text("authorizationToken", token)
	w.end('}')
	return nil
}

func (c *call) printAllowedBuckets() error {
	w := &c.out
	w.begin("buckets", '[')
	for _, id := range c.caller.BucketIDs {
		name, err := c.bucketNameIfAny(id)
		if err != nil {
			return err
		}
		w.begin("", '{')
		w.text("id", id)
		w.textOrNull("name", name)
		w.end('}')
	}
	w.end(']')
	return nil
}

func (c *call) printV3(token string) error {
	w := &c.out
	w.begin("", '{')
	w.text("accountId", c.server.account.ID)
	w.begin("apiInfo", '{')
	w.begin("storageApi", '{')
	w.number("absoluteMinimumPartSize", smallestPart)
	w.text("apiUrl", c.server.url("api"))
	if err := c.printRestriction(func() {
		w.text("downloadUrl", c.server.url("f"))
		w.text("infoType", "storageApi")
	}); err != nil {
		return err
	}
	w.number("recommendedPartSize", recommendedPart)
	w.text("s3ApiUrl", c.server.url("s3"))
	w.end('}')
	w.end('}')
	w.numberOrNull("applicationKeyExpirationTimestamp", c.caller.ExpiresMillis)
	w.text("authorizationToken", token)
	w.end('}')
	return nil
}

// printV1AndV2 answers versions 1 and 2. Version 1 has one more name for the
// recommended part size.
func (c *call) printV1AndV2(token string) error {
	w := &c.out
	w.begin("", '{')
	w.number("absoluteMinimumPartSize", smallestPart)
	w.text("accountId", c.server.account.ID)
	w.begin("allowed", '{')
	if err := c.printRestriction(func() {}); err != nil {
		return err
	}
	w.end('}')
	w.text("apiUrl", c.server.url("api"))
	w.text("authorizationToken", token)
	w.text("downloadUrl", c.server.url("f"))
	if c.version == 1 {
		w.number("minimumPartSize", recommendedPart)
	}
	w.number("recommendedPartSize", recommendedPart)
	w.text("s3ApiUrl", c.server.url("s3"))
	w.end('}')
	return nil
}

// printRestriction prints what the key is limited to as versions 1 to 3 do,
// with the members that version 3 mixes in before namePrefix.
func (c *call) printRestriction(mixIn func()) error {
	w, k := &c.out, c.caller
	id, name := "", ""
	if len(k.BucketIDs) > 0 {
		var err error
		id = k.BucketIDs[0]
		if name, err = c.bucketNameIfAny(id); err != nil {
			return err
		}
	}
	w.textOrNull("bucketId", id)
	w.textOrNull("bucketName", name)
	w.texts("capabilities", k.Capabilities)
	mixIn()
	w.textOrNull("namePrefix", k.Prefix)
	return nil
}

// url gives the base URL for a service: "api", "f" (downloads), "s3" or "pod"
// (uploads).
func (s *Server) url(service string) string {
	switch o := s.options; {
	case service == "s3" && o.S3URL != "":
		return o.S3URL
	case o.URL != "":
		return o.URL
	}
	switch cluster := s.account.clusterDigits(); service {
	case "s3":
		return "https://s3." + s.account.Region + ".backblazeb2.com"
	case "pod":
		return "https://pod-" + cluster + "-1000-00.backblaze.com"
	default:
		return "https://" + service + cluster + ".backblazeb2.com"
	}
}
