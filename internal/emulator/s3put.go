package emulator

import (
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	metaHeader = "X-Amz-Meta-"
	sseHeader  = "X-Amz-Server-Side-Encryption"
	sseCHeader = sseHeader + "-Customer-"
	// sourceSSEHeader begins the headers with the key of a copy's source.
	sourceSSEHeader = "X-Amz-Copy-Source-Server-Side-Encryption-Customer-"
)

// storedHeaders are the headers of an object that file info keeps.
var storedHeaders = []struct{ header, info string }{
	{"Cache-Control", "b2-cache-control"},
	{"Content-Disposition", "b2-content-disposition"},
	{"Content-Encoding", "b2-content-encoding"},
	{"Content-Language", "b2-content-language"},
	{"Expires", "b2-expires"},
}

// s3BeginPut is the first step of PutObject.
func s3BeginPut(c *s3Call) error {
	if err := c.checkNewObjectRequest(); err != nil {
		return err
	}
	if c.requestPayload.bytesLeft < 0 {
		return newS3Error(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	if c.requestPayload.bytesLeft > maxUpload {
		return newS3Error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")
	}
	f, err := c.newFileFromHeaders(uploaded)
	if err != nil {
		return err
	}
	c.incoming = &incoming{targetFile: f, contentID: f.ID, length: c.requestPayload.bytesLeft}
	return nil
}

// checkNewObjectRequest refuses what Backblaze has no answer to, on calls that make
// objects. Conditions on writes are the most missed of it.
func (c *s3Call) checkNewObjectRequest() error {
	h := c.http.Header
	for _, name := range []string{"If-None-Match", "If-Match"} {
		if h.Get(name) != "" {
			return s3NotImplemented(name)
		}
	}
	for _, name := range []string{
		"X-Amz-Tagging", "X-Amz-Website-Redirect-Location", sseHeader + "-Aws-Kms-Key-Id", sseHeader + "-Context",
		"X-Amz-Write-Offset-Bytes",
	} {
		if _, there := h[name]; there {
			return s3Invalid("Unsupported header '" + strings.ToLower(name) + "' received for this API call.")
		}
	}
	if class := h.Get("X-Amz-Storage-Class"); class != "" && class != "STANDARD" {
		return newS3Error(400, "InvalidStorageClass", "The storage class you specified is not valid",
			textElement{"StorageClassRequested", class})
	}
	for name := range h {
		if strings.HasPrefix(name, "X-Amz-Grant-") {
			return s3Invalid("Unsupported header '" + strings.ToLower(name) + "' received for this API call.")
		}
	}
	if acl := h.Get(aclHeader); acl != "" {
		if _, err := bucketTypeOfACL(acl); err != nil {
			return err
		}
	}
	return c.checkObjectKey()
}

func (c *s3Call) checkObjectKey() error {
	if len(c.objectKey) > maxFileName {
		return newS3Error(400, "KeyTooLongError", "Your key is too long", textElement{"MaxSizeAllowed", "1024"})
	}
	return checkFileName(c.objectKey)
}

// newFileFromHeaders makes a file of the headers of PutObject and its kin.
func (c *s3Call) newFileFromHeaders(action string) (file, error) {
	h := c.http.Header
	f := c.newFile(c.bucket.ID, c.objectKey, action)
	f.ContentType = h.Get("Content-Type")
	if f.ContentType == "" {
		f.ContentType = "application/octet-stream"
	}
	var err error
	if f.Info, err = c.fileInfoFromHeaders(); err != nil {
		return f, err
	}
	if err := c.setEncryptionLockReplication(&f); err != nil {
		return f, err
	}
	return f, c.checkMetadataSize(f)
}

// checkMetadataSize refuses metadata for which the object has no room.
func (c *s3Call) checkMetadataSize(f file) error {
	h := c.http.Header
	asked := h.Get(sseHeader) + h.Get(sseCHeader+"Algorithm")
	return asMetadataTooLarge(f.checkInfoSize(c.bucket.FileLockEnabled || asked != ""))
}

func asMetadataTooLarge(err error) error {
	if err == nil {
		return nil
	}
	return newS3Error(400, "MetadataTooLarge", "Your metadata headers exceed what Backblaze B2 keeps: "+asS3Error(err).message)
}

// fileInfoFromHeaders reads file info from headers: the object's metadata, and the
// headers that downloads are to have.
func (c *s3Call) fileInfoFromHeaders() (map[string]string, error) {
	info := map[string]string{}
	for _, name := range sortedKeys(c.http.Header) {
		if key, isMeta := strings.CutPrefix(name, metaHeader); isMeta {
			info[strings.ToLower(key)] = strings.Join(c.http.Header[name], ",")
		}
	}
	for _, s := range storedHeaders {
		value := c.http.Header.Get(s.header)
		if s.header == "Content-Encoding" {
			value = withoutChunked(value)
		}
		if value != "" {
			info[s.info] = value
		}
	}
	return info, asMetadataTooLarge(checkFileInfo(info))
}

// withoutChunked takes out of a Content-Encoding what was only for the way.
func withoutChunked(value string) string {
	var kept []string
	for coding := range strings.SplitSeq(value, ",") {
		if coding = strings.TrimSpace(coding); coding != "" && coding != "aws-chunked" {
			kept = append(kept, coding)
		}
	}
	return strings.Join(kept, ",")
}

// setEncryptionLockReplication sets a new file's encryption, lock and replication as headers and
// bucket say.
func (c *s3Call) setEncryptionLockReplication(f *file) (err error) {
	h := c.http.Header
	customer := h.Get(sseCHeader+"Algorithm")+h.Get(sseCHeader+"Key") != ""
	f.Encryption = c.server.defaultFileEncryption(c.bucket)
	switch algorithm := h.Get(sseHeader); {
	case customer && algorithm != "":
		return s3Invalid("Server Side Encryption with Customer provided key is incompatible with the encryption method specified")
	case customer:
		if f.Encryption, f.CustomerKeyMD5, err = readRequiredCustomerKey(h, sseCHeader); err != nil {
			return err
		}
	case algorithm == sseB2.Algorithm:
		f.Encryption = sseB2
	case algorithm != "":
		return s3Invalid("The encryption method specified is not supported")
	}
	wish := lockRequest{Hold: strings.ToLower(h.Get(lockHeader + "Legal-Hold"))}
	if mode := h.Get(lockHeader + "Mode"); mode != "" {
		if wish.Mode, err = readLockMode(mode); err != nil {
			return s3Invalid("Unknown wormMode directive.")
		}
	}
	if until := h.Get(lockHeader + "Retain-Until-Date"); until != "" {
		at, err := time.Parse(time.RFC3339, until)
		if err != nil {
			return s3Invalid("The retain until date must be provided in ISO 8601 format")
		}
		wish.UntilMillis = at.UnixMilli()
	}
	if (wish.Mode == "") != (wish.UntilMillis == 0) {
		return s3Invalid("x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
	}
	f.ReplicationStatus = c.bucket.initialReplicationStatus(*f)
	f.Lock, err = c.newLock(c.bucket, wish)
	return err
}

const lockHeader = "X-Amz-Object-Lock-"

// readRequiredCustomerKey reads the three headers of a customer's key, of which only the
// digest is kept.
func readRequiredCustomerKey(h http.Header, prefix string) (_ encryption, keyMD5 string, err error) {
	if h.Get(prefix+"Algorithm") != sseB2.Algorithm {
		return encryption{}, "", newS3Error(400, "InvalidEncryptionAlgorithmError",
			"The encryption request you specified is not valid. Supported value: AES256.")
	}
	e, digest, err := checkCustomerEncryption(h.Get(prefix+"Key"), h.Get(prefix+"Key-Md5"))
	if err != nil {
		return encryption{}, "", s3Invalid("The calculated MD5 hash of the key did not match the hash that was provided, " +
			"or the secret key was invalid for the specified algorithm.")
	}
	return e, digest, nil
}

// checkCustomerKey demands the key with which an object is encrypted.
func checkCustomerKey(h http.Header, prefix string, f file) error {
	given := h.Get(prefix+"Algorithm")+h.Get(prefix+"Key")+h.Get(prefix+"Key-Md5") != ""
	if f.CustomerKeyMD5 == "" {
		if given {
			return newS3Error(400, "InvalidRequest", "The encryption parameters are not applicable to this object.")
		}
		return nil
	}
	if !given {
		return newS3Error(400, "InvalidRequest", "The object was stored using a form of Server Side Encryption. "+
			"The correct parameters must be provided to retrieve the object.")
	}
	_, digest, err := readRequiredCustomerKey(h, prefix)
	if err == nil && digest != f.CustomerKeyMD5 {
		err = s3Denied()
	}
	return err
}

// s3KeepPut is the last step of PutObject.
func s3KeepPut(c *s3Call) error {
	f, err := c.keepObject()
	if err != nil {
		return err
	}
	c.header.Set("Etag", f.etag())
	c.requestPayload.setChecksumHeaders(c.header)
	return nil
}

// keepObject makes the incoming content a version. The bucket may have gone.
func (c *s3Call) keepObject() (file, error) {
	f := c.incoming.completedFile()
	if _, err := c.call.loadBucket(f.BucketID); err != nil {
		return f, c.discardContent(f.ID, err)
	}
	c.addFile(f)
	c.setWriteReplyHeaders(f)
	return f, nil
}

// setWriteReplyHeaders sets the headers that all calls which make objects answer.
func (c *s3Call) setWriteReplyHeaders(f file) {
	c.header.Set("X-Amz-Version-Id", f.ID)
	setEncryptionHeaders(c.header, f)
}

func setEncryptionHeaders(h http.Header, f file) {
	switch {
	case f.CustomerKeyMD5 != "":
		h.Set(sseCHeader+"Algorithm", f.Encryption.Algorithm)
		h.Set(sseCHeader+"Key-Md5", f.CustomerKeyMD5)
	case f.Encryption.Algorithm != "":
		h.Set(sseHeader, f.Encryption.Algorithm)
	}
}

// etag is the object's entity tag. Files that were made natively of parts have
// one too: MD5 says how it is made.
func (f file) etag() string {
	if f.MD5OrETag == "" {
		return `"` + hex.EncodeToString([]byte(f.ID)[:16]) + `"`
	}
	return `"` + f.MD5OrETag + `"`
}

// readCopySource finds the object that a copy names, which the caller must be
// able to read.
func (c *s3Call) readCopySource() (file, error) {
	path, query, _ := strings.Cut(c.http.Header.Get(copySource), "?")
	path, err := url.PathUnescape(path)
	bucketName, key, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if err != nil || !ok || bucketName == "" || key == "" {
		return file{}, s3Invalid("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	values, _ := url.ParseQuery(query)
	source := &s3Call{call: c.call, requestBucketName: bucketName, objectKey: key, query: values, op: &s3Operation{name: "GetObject"}}
	if err := source.loadAllowedBucket(); err != nil {
		return file{}, err
	}
	if source.bucket.Type != "allPublic" && !c.may("readFiles") {
		return file{}, s3Denied()
	}
	f, err := source.requestedVersion()
	if err != nil {
		return file{}, err
	}
	if err := checkConditions(c.http.Header, "X-Amz-Copy-Source-", f, true); err != nil {
		return file{}, err
	}
	return f, checkCustomerKey(c.http.Header, sourceSSEHeader, f)
}

func s3TooLargeSource() *s3Error {
	return newS3Error(400, "InvalidRequest", fmt.Sprintf("The specified copy source is larger than the maximum allowable size for a copy "+
		"source: %d", maxCopy))
}

// s3BeginCopy is the first step of CopyObject.
func s3BeginCopy(c *s3Call) error {
	if err := c.checkNewObjectRequest(); err != nil {
		return err
	}
	from, err := c.readCopySource()
	if err != nil {
		return err
	}
	if from.Length > maxCopy {
		return s3TooLargeSource()
	}
	f, err := c.newFileFromHeaders(uploaded)
	if err != nil {
		return err
	}
	switch directive := c.http.Header.Get("X-Amz-Metadata-Directive"); directive {
	case "", "COPY":
		h := c.http.Header
		same := from.BucketID == f.BucketID && from.Name == f.Name && !strings.Contains(h.Get(copySource), "versionId=")
		if same && h.Get(sseHeader)+h.Get(sseCHeader+"Algorithm") == "" {
			return newS3Error(400, "InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself "+
				"without changing the object's metadata, storage class, website redirect location or encryption attributes.")
		}
		f.ContentType, f.Info = from.ContentType, from.Info
	case "REPLACE":
	default:
		return s3Invalid("Unknown metadata directive.")
	}
	if err := c.checkMetadataSize(f); err != nil {
		return err
	}
	c.header.Set("X-Amz-Copy-Source-Version-Id", from.ID)
	c.incoming = &incoming{targetFile: f, contentID: f.ID, source: fileRange{file: from, length: from.Length}, length: from.Length}
	return nil
}

func s3KeepCopy(c *s3Call) error {
	c.incoming.sha1 = unverifiedPrefix + strings.TrimPrefix(c.incoming.sha1, unverifiedPrefix)
	f, err := c.keepObject()
	if err != nil {
		return err
	}
	c.replyBody.copyResult("CopyObjectResult", f.etag(), f.UploadMillis)
	return nil
}

func (w *xmlPrinter) copyResult(root, etag string, millis int64) {
	w.beginDocument(root)
	w.time("LastModified", millis)
	w.text("ETag", etag)
	w.end(root)
}

// s3DeleteObject hides an object or, given a version, deletes that.
func s3DeleteObject(c *s3Call) error {
	c.status = http.StatusNoContent
	done, err := c.deleteVersionOrHide(c.objectKey, c.query.Get("versionId"), c.query.Has("versionId"))
	if err != nil {
		return err
	}
	if done.versionID != "" {
		c.header.Set("X-Amz-Version-Id", done.versionID)
	}
	if done.isHideMarker {
		c.header.Set("X-Amz-Delete-Marker", "true")
	}
	return nil
}

// A removal is what a delete did: the version that it made or deleted, and
// whether that is a hide marker.
type removalResult struct {
	versionID    string
	isHideMarker bool
}

func (c *s3Call) deleteVersionOrHide(key, versionID string, hasVersionID bool) (removalResult, error) {
	if !hasVersionID {
		return c.hide(key)
	}
	if !c.may("deleteFiles") || !c.mayUseFileName(key) {
		return removalResult{}, s3Denied()
	}
	f, found, err := c.findVersionByID(key, versionID)
	if err != nil || !found {
		return removalResult{versionID: versionID}, err
	}
	bypass := strings.EqualFold(c.http.Header.Get("X-Amz-Bypass-Governance-Retention"), "true")
	if err := c.checkLock(f, bypass); err != nil {
		return removalResult{}, err
	}
	return removalResult{f.ID, f.Action == hidden}, c.removeFile(f)
}

// hide makes a marker, unless there is nothing to hide.
func (c *s3Call) hide(key string) (removalResult, error) {
	if !c.may("writeFiles") || !c.mayUseFileName(key) {
		return removalResult{}, s3Denied()
	}
	f, found, err := c.findNewestVersion(c.bucket.ID, key)
	if err != nil || !found {
		return removalResult{}, err
	}
	if f.Action != hidden {
		f = c.newHideMarker(c.bucket.ID, key)
		c.addFile(f)
	}
	return removalResult{f.ID, true}, nil
}

const maxDeletes = 1000

func s3DeleteObjects(c *s3Call) error {
	var in struct {
		XMLName xml.Name
		Quiet   bool
		Objects []struct {
			Key       string
			VersionID *string `xml:"VersionId"`
		} `xml:"Object"`
	}
	if err := c.parseDocument("Delete", &in); err != nil {
		return err
	}
	if len(in.Objects) == 0 || len(in.Objects) > maxDeletes {
		return s3Malformed()
	}
	if !c.mayAny("writeFiles", "deleteFiles") {
		return s3Denied()
	}
	w := &c.replyBody
	w.beginDocument("DeleteResult")
	for _, o := range in.Objects {
		id := ""
		if o.VersionID != nil {
			id = *o.VersionID
		}
		done, err := c.deleteVersionOrHide(o.Key, id, id != "")
		switch {
		case err != nil:
			e := asS3Error(err)
			w.begin("Error")
			w.text("Key", o.Key)
			w.textIf("VersionId", id)
			w.text("Code", e.code)
			w.text("Message", e.message)
			w.end("Error")
		case !in.Quiet:
			w.deleted(o.Key, id, done)
		}
	}
	w.end("DeleteResult")
	return nil
}

func (w *xmlPrinter) deleted(key, versionID string, done removalResult) {
	w.begin("Deleted")
	w.text("Key", key)
	w.textIf("VersionId", versionID)
	if done.isHideMarker {
		w.flag("DeleteMarker", true)
		w.text("DeleteMarkerVersionId", done.versionID)
	}
	w.end("Deleted")
}
