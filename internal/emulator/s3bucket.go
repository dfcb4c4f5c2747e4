package emulator

import (
	"slices"
	"strings"
)

func s3ListBuckets(c *s3Call) error {
	if c.http.Method != "GET" {
		return s3WrongMethodOp.run(c)
	}
	w := &c.replyBody
	w.beginDocument("ListAllMyBucketsResult")
	w.owner("Owner", c.server.account.ID)
	w.begin("Buckets")
	for _, at := range c.tx.scan("N", "N") {
		b, err := c.call.loadBucket(string(at))
		if err != nil {
			return err
		}
		w.begin("Bucket")
		w.text("Name", b.Name)
		w.time("CreationDate", b.CreatedMillis)
		w.end("Bucket")
	}
	w.end("Buckets")
	w.end("ListAllMyBucketsResult")
	return nil
}

func (w *xmlPrinter) owner(element, accountID string) {
	w.begin(element)
	w.text("ID", accountID)
	w.text("DisplayName", accountID)
	w.end(element)
}

func s3HeadBucket(c *s3Call) error {
	c.header.Set("X-Amz-Bucket-Region", c.server.account.Region)
	return nil
}

func s3CreateBucket(c *s3Call) error {
	b := bucket{Name: c.requestBucketName, Type: "allPrivate", Encryption: c.server.defaultEncryption()}
	if c.caller.BucketIDs != nil {
		return s3Denied()
	}
	if err := c.checkLocation(); err != nil {
		return err
	}
	if acl := c.http.Header.Get(aclHeader); acl != "" {
		var err error
		if b.Type, err = bucketTypeOfACL(acl); err != nil {
			return err
		}
	}
	if id := c.tx.get(c.bucketNameStoreKey(c.requestBucketName)); id != nil {
		return newS3Error(409, "BucketAlreadyOwnedByYou",
			"Your previous request to create the named bucket succeeded and you already own it.",
			textElement{"BucketName", c.requestBucketName})
	}
	if err := c.checkNewBucketName(c.requestBucketName); err != nil {
		if e := asS3Error(err); e.code != "InvalidArgument" {
			return e
		}
		return newS3Error(400, "InvalidBucketName", "The specified bucket is not valid.", textElement{"BucketName", c.requestBucketName})
	}
	if err := c.checkBucketCount(); err != nil {
		return err
	}
	if strings.EqualFold(c.http.Header.Get("X-Amz-Bucket-Object-Lock-Enabled"), "true") {
		if !c.may("writeBucketRetentions") {
			return s3Denied()
		}
		b.FileLockEnabled = true
	}
	c.insertBucket(&b)
	c.header.Set("Location", "/"+b.Name)
	return nil
}

// checkLocation refuses to make a bucket elsewhere.
func (c *s3Call) checkLocation() error {
	if len(c.xmlDocument) == 0 {
		return nil
	}
	var in struct{ LocationConstraint string }
	if err := c.parseDocument("CreateBucketConfiguration", &in); err != nil {
		return err
	}
	if l := in.LocationConstraint; l != "" && l != c.server.account.Region {
		return newS3Error(400, "InvalidLocationConstraint", "The specified location-constraint is not valid",
			textElement{"LocationConstraint", l})
	}
	return nil
}

func s3DeleteBucket(c *s3Call) error {
	c.status = 204
	return c.dropEmptyBucket(&c.bucket)
}

func s3GetLocation(c *s3Call) error {
	w := &c.replyBody
	w.beginDocument("LocationConstraint")
	w.escape(c.server.account.Region)
	w.end("LocationConstraint")
	return nil
}

func s3GetVersioning(c *s3Call) error {
	w := &c.replyBody
	w.beginDocument("VersioningConfiguration")
	w.text("Status", "Enabled")
	w.end("VersioningConfiguration")
	return nil
}

// s3PutVersioning takes what is so anyway: versioning cannot be suspended.
func s3PutVersioning(c *s3Call) error {
	var in struct{ Status, MfaDelete string }
	if err := c.parseDocument("VersioningConfiguration", &in); err != nil {
		return err
	}
	switch {
	case in.MfaDelete == "Enabled":
		return s3NotImplemented("MfaDelete")
	case in.Status == "Suspended":
		return s3Invalid("Versioning is always enabled and cannot be suspended.")
	case in.Status != "Enabled":
		return s3Malformed()
	}
	return nil
}

const (
	aclHeader = "X-Amz-Acl"
	allUsers  = "http://acs.amazonaws.com/groups/global/AllUsers"
)

// bucketTypeOfACL is the bucket type that a canned ACL asks for. There are two.
func bucketTypeOfACL(acl string) (string, error) {
	switch acl {
	case "private":
		return "allPrivate", nil
	case "public-read":
		return "allPublic", nil
	}
	return "", s3Invalid("Unsupported value for canned acl '" + acl + "'")
}

// s3GetBucketACL tells the bucket's type as an access control list. Objects have
// that of their bucket.
func s3GetBucketACL(c *s3Call) error {
	w := &c.replyBody
	grant := func(kind, id, uri, permission string) {
		w.begin("Grant")
		w.out = append(w.out, `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="`+kind+`">`...)
		w.textIf("ID", id)
		w.textIf("URI", uri)
		w.end("Grantee")
		w.text("Permission", permission)
		w.end("Grant")
	}
	w.beginDocument("AccessControlPolicy")
	w.owner("Owner", c.server.account.ID)
	w.begin("AccessControlList")
	grant("CanonicalUser", c.server.account.ID, "", "FULL_CONTROL")
	if c.bucket.Type == "allPublic" {
		grant("Group", "", allUsers, "READ")
	}
	w.end("AccessControlList")
	w.end("AccessControlPolicy")
	return nil
}

// requestedBucketType reads the bucket type that the request's ACL means, from the
// header of a canned one or from a document that says the same.
func (c *s3Call) requestedBucketType() (string, error) {
	for name := range c.http.Header {
		if strings.HasPrefix(name, "X-Amz-Grant-") {
			return "", s3NotImplemented(strings.ToLower(name))
		}
	}
	if acl := c.http.Header.Get(aclHeader); acl != "" {
		return bucketTypeOfACL(acl)
	}
	var in struct {
		Grants []struct {
			Grantee    struct{ ID, URI string }
			Permission string
		} `xml:"AccessControlList>Grant"`
	}
	if err := c.parseDocument("AccessControlPolicy", &in); err != nil {
		return "", err
	}
	kind := "allPrivate"
	for _, g := range in.Grants {
		switch {
		case g.Grantee.ID == c.server.account.ID && g.Permission == "FULL_CONTROL":
		case g.Grantee.URI == allUsers && g.Permission == "READ":
			kind = "allPublic"
		default:
			return "", s3Invalid("Only the access control lists of private and public-read are supported.")
		}
	}
	return kind, nil
}

func s3PutBucketACL(c *s3Call) error {
	kind, err := c.requestedBucketType()
	if err != nil {
		return err
	}
	if kind == "allPublic" && kind != c.bucket.Type {
		if err := c.checkPublicBucketsAllowed(); err != nil {
			return err
		}
	}
	c.bucket.Type = kind
	return c.saveNextRevision()
}

// saveNextRevision keeps a change of the bucket's settings, as its next revision.
func (c *s3Call) saveNextRevision() error {
	c.bucket.Revision++
	save(c.tx, "b"+c.bucket.ID, c.bucket)
	return nil
}

// s3GetLogging says that access logs are off: those who want them ask
// Backblaze's sales for them.
func s3GetLogging(c *s3Call) error {
	c.replyBody.beginDocument("BucketLoggingStatus")
	c.replyBody.end("BucketLoggingStatus")
	return nil
}

func s3PutLogging(c *s3Call) error {
	var in struct {
		LoggingEnabled *struct{ TargetBucket string }
	}
	if err := c.parseDocument("BucketLoggingStatus", &in); err != nil {
		return err
	}
	if in.LoggingEnabled != nil {
		return newS3Error(403, "AccessDenied", "Bucket access logs are not enabled for this account.")
	}
	return nil
}

func s3GetEncryption(c *s3Call) error {
	if c.bucket.Encryption == (encryption{}) {
		return newS3Error(404, "ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found",
			textElement{"BucketName", c.requestBucketName})
	}
	w := &c.replyBody
	w.beginDocument("ServerSideEncryptionConfiguration")
	w.begin("Rule")
	w.begin("ApplyServerSideEncryptionByDefault")
	w.text("SSEAlgorithm", c.bucket.Encryption.Algorithm)
	w.end("ApplyServerSideEncryptionByDefault")
	w.flag("BucketKeyEnabled", false)
	w.end("Rule")
	w.end("ServerSideEncryptionConfiguration")
	return nil
}

func s3PutEncryption(c *s3Call) error {
	var in struct {
		Rules []struct {
			Default struct {
				SSEAlgorithm, KMSMasterKeyID string
			} `xml:"ApplyServerSideEncryptionByDefault"`
		} `xml:"Rule"`
	}
	if err := c.parseDocument("ServerSideEncryptionConfiguration", &in); err != nil {
		return err
	}
	if len(in.Rules) != 1 {
		return s3Malformed()
	}
	if d := in.Rules[0].Default; d.SSEAlgorithm != sseB2.Algorithm || d.KMSMasterKeyID != "" {
		return s3Invalid("The encryption algorithm '" + d.SSEAlgorithm + "' is not supported; only AES256 is.")
	}
	c.bucket.Encryption = sseB2
	return c.saveNextRevision()
}

func s3DeleteEncryption(c *s3Call) error {
	c.status = 204
	c.bucket.Encryption = c.server.defaultEncryption()
	return c.saveNextRevision()
}

// The words of S3 for what B2 has in small letters.
var lockModes = []string{"GOVERNANCE", "COMPLIANCE"}

func readLockMode(mode string) (string, error) {
	if !slices.Contains(lockModes, mode) {
		return "", newS3Error(400, "MalformedXML", "The mode of a retention must be GOVERNANCE or COMPLIANCE.")
	}
	return strings.ToLower(mode), nil
}

func s3GetLockConfiguration(c *s3Call) error {
	if !c.bucket.FileLockEnabled {
		return newS3Error(404, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket",
			textElement{"BucketName", c.requestBucketName})
	}
	w := &c.replyBody
	w.beginDocument("ObjectLockConfiguration")
	w.text("ObjectLockEnabled", "Enabled")
	if r := c.bucket.Retention; r.Mode != "" {
		w.begin("Rule")
		w.begin("DefaultRetention")
		w.text("Mode", strings.ToUpper(r.Mode))
		unit := "Days"
		if r.Unit == "years" {
			unit = "Years"
		}
		w.number(unit, r.Duration)
		w.end("DefaultRetention")
		w.end("Rule")
	}
	w.end("ObjectLockConfiguration")
	return nil
}

// s3PutLockConfiguration sets the default retention. Enabling lock on a bucket
// that exists is possible natively only (backblaze-labs/b2-mcp#22).
func s3PutLockConfiguration(c *s3Call) error {
	var in struct {
		ObjectLockEnabled string
		Rule              *struct {
			DefaultRetention struct {
				Mode        string
				Days, Years int64
			}
		}
	}
	if err := c.parseDocument("ObjectLockConfiguration", &in); err != nil {
		return err
	}
	switch {
	case !c.bucket.FileLockEnabled:
		return newS3Error(400, "InvalidBucketState", "Object Lock configuration cannot be enabled on existing buckets")
	case in.ObjectLockEnabled != "Enabled":
		return s3Malformed()
	case in.Rule == nil:
		c.bucket.Retention = defaultRetention{}
		return c.saveNextRevision()
	}
	d := in.Rule.DefaultRetention
	mode, err := readLockMode(d.Mode)
	switch {
	case err != nil:
		return err
	case (d.Days != 0) == (d.Years != 0):
		return s3Malformed()
	}
	r := defaultRetention{Mode: mode, Duration: d.Days, Unit: "days"}
	if d.Years != 0 {
		r.Duration, r.Unit = d.Years, "years"
	}
	if err := r.check(); err != nil {
		return newS3Error(400, "InvalidRetentionPeriod", "Default retention period must be from 1 to 3000 days")
	}
	c.bucket.Retention = r
	return c.saveNextRevision()
}
