package emulator

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// s3Overrides are the response headers that a query may ask for.
var s3Overrides = []struct{ parameter, header string }{
	{"response-cache-control", "Cache-Control"},
	{"response-content-disposition", "Content-Disposition"},
	{"response-content-encoding", "Content-Encoding"},
	{"response-content-language", "Content-Language"},
	{"response-content-type", "Content-Type"},
	{"response-expires", "Expires"},
}

// findVersionByID gives a version of that name, which may be a marker.
func (c *s3Call) findVersionByID(key, versionID string) (f file, found bool, err error) {
	bucketID, _, _, ok := readFileID(versionID)
	switch {
	case versionID == "null": // what objects without versions have elsewhere
		return f, false, nil
	case !ok:
		return f, false, newS3Error(400, "InvalidArgument", "Invalid version id specified",
			textElement{"ArgumentName", "versionId"}, textElement{"ArgumentValue", versionID})
	case bucketID != c.bucket.ID:
		return f, false, nil
	}
	f, found, err = c.findAllowedFile(versionID)
	if err != nil || f.Name != key || f.Action == started {
		return file{}, false, err
	}
	return f, found, nil
}

// requestedVersion finds the version that the request names.
func (c *s3Call) requestedVersion() (file, error) {
	id := c.query.Get("versionId")
	if !c.query.Has("versionId") {
		f, found, err := c.findNewestVersion(c.bucket.ID, c.objectKey)
		if err == nil && (!found || f.Action == hidden) {
			err = c.missingObjectError("NoSuchKey", "The specified key does not exist.", f, found)
		}
		return f, err
	}
	f, found, err := c.findVersionByID(c.objectKey, id)
	switch {
	case err != nil:
		return f, err
	case !found:
		return f, c.missingObjectError("NoSuchVersion", "The specified version does not exist.", f, false)
	case f.Action == hidden:
		e := newS3Error(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
		e.header = deleteMarkerHeader(f)
		return f, e
	}
	return f, nil
}

func deleteMarkerHeader(f file) http.Header {
	return http.Header{"X-Amz-Delete-Marker": {"true"}, "X-Amz-Version-Id": {f.ID}}
}

// missingObjectError says that an object is not there, and to those who may not list
// buckets only that they may not have it (kopia#5329).
func (c *s3Call) missingObjectError(code, message string, marker file, hasMarker bool) error {
	if !c.may("listBuckets") {
		return s3Denied()
	}
	e := newS3Error(404, code, message, textElement{"Key", c.objectKey})
	if hasMarker {
		e.header = deleteMarkerHeader(marker)
	}
	return e
}

// s3GetOrHeadObject is GetObject and HeadObject.
func s3GetOrHeadObject(c *s3Call) error {
	f, err := c.requestedVersion()
	if err != nil {
		return err
	}
	if err := checkConditions(c.http.Header, "", f, false); err != nil {
		return err
	}
	if err := checkCustomerKey(c.http.Header, sseCHeader, f); err != nil {
		return err
	}
	c.setObjectHeaders(f)
	d := &sending{fileRange: fileRange{file: f, length: f.Length}}
	if err := c.narrowToRangeOrPart(d); err != nil {
		return err
	}
	c.header.Set("Content-Length", strconv.FormatInt(d.length, 10))
	c.sending = d
	return nil
}

// narrowToRangeOrPart narrows what is sent to the range or part that the request wants.
func (c *s3Call) narrowToRangeOrPart(d *sending) error {
	size := d.file.Length
	wanted := c.http.Header.Get("Range")
	if c.query.Has("partNumber") {
		if wanted != "" {
			return newS3Error(400, "InvalidRequest", "Cannot specify both Range header and partNumber query parameter.")
		}
		return c.narrowToRequestedPart(d)
	}
	if wanted == "" || !c.ifRangeMatches(d.file) {
		return nil
	}
	from, length, err := parseRange(wanted, size)
	var r *refusal
	switch {
	case errors.As(err, &r) && r.status == http.StatusRequestedRangeNotSatisfiable:
		e := newS3Error(416, "InvalidRange", "The requested range is not satisfiable",
			textElement{"RangeRequested", wanted}, textElement{"ActualObjectSize", strconv.FormatInt(size, 10)})
		e.header = http.Header{"Content-Range": {"bytes */" + strconv.FormatInt(size, 10)}}
		return e
	case err != nil:
		return nil // S3 sends everything where it does not understand
	}
	c.setPartialContent(d, from, length)
	return nil
}

func (c *s3Call) setPartialContent(d *sending, from, length int64) {
	d.from, d.length = from, length
	c.status = http.StatusPartialContent
	c.header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, from+length-1, d.file.Length))
}

// ifRangeMatches reports whether If-Range, if there is one, is about this version.
func (c *s3Call) ifRangeMatches(f file) bool {
	condition := c.http.Header.Get("If-Range")
	if condition == "" || condition == f.etag() {
		return true
	}
	at, err := http.ParseTime(condition)
	return err == nil && !f.modified().After(at)
}

func (c *s3Call) narrowToRequestedPart(d *sending) error {
	pieces := d.file.LargeFileParts
	if pieces == nil {
		pieces = []largeFilePart{{d.file.ID, d.file.Length}}
	}
	n, err := strconv.Atoi(c.query.Get("partNumber"))
	if err != nil || n < 1 || n > maxParts {
		return s3Invalid("Part number must be an integer between 1 and 10000, inclusive")
	}
	if n > len(pieces) {
		return newS3Error(416, "InvalidPartNumber", "The requested partnumber is not satisfiable")
	}
	from := int64(0)
	for _, p := range pieces[:n-1] {
		from += p.Length
	}
	if d.file.LargeFileParts != nil {
		c.header.Set("X-Amz-Mp-Parts-Count", strconv.Itoa(len(pieces)))
	}
	if d.file.Length > 0 {
		c.setPartialContent(d, from, pieces[n-1].Length)
	}
	return nil
}

// modified is a version's time as headers say it.
func (f file) modified() time.Time { return time.UnixMilli(f.UploadMillis).UTC().Truncate(time.Second) }

// setObjectHeaders sets the headers that tell about an object. Metadata keeps the case
// that B2 stores, which is the lower one.
func (c *s3Call) setObjectHeaders(f file) {
	h := c.header
	h["Accept-Ranges"] = []string{"bytes"}
	h["Content-Type"] = []string{f.ContentType}
	h["Etag"] = []string{f.etag()}
	h["Last-Modified"] = []string{f.modified().Format(http.TimeFormat)}
	h["X-Amz-Version-Id"] = []string{f.ID}
	for k, value := range f.Info {
		if i := storedHeaderIndex(k); i >= 0 {
			h.Set(storedHeaders[i].header, value)
			continue
		}
		h["x-amz-meta-"+k] = []string{value}
	}
	for _, o := range s3Overrides {
		if value := c.query.Get(o.parameter); value != "" {
			h.Set(o.header, value)
		}
	}
	if f.ReplicationStatus != "" {
		h.Set("X-Amz-Replication-Status", strings.ToUpper(f.ReplicationStatus))
	}
	setEncryptionHeaders(h, f)
	maps.Copy(h, c.readableLockHeaders(f.Lock))
}

func storedHeaderIndex(infoKey string) int {
	for i, s := range storedHeaders {
		if s.info == infoKey {
			return i
		}
	}
	return -1
}

// readableLockHeaders tells a lock to those who may know it.
func (c *s3Call) readableLockHeaders(l fileLock) http.Header {
	h := http.Header{}
	if l.Mode != "" && c.may("readFileRetentions") {
		h.Set(lockHeader+"Mode", strings.ToUpper(l.Mode))
		h.Set(lockHeader+"Retain-Until-Date", time.UnixMilli(l.UntilMillis).UTC().Format(s3Time))
	}
	if l.Hold != "" && c.may("readFileLegalHolds") {
		h.Set(lockHeader+"Legal-Hold", strings.ToUpper(l.Hold))
	}
	return h
}

// checkConditions compares an object with what If-Match and its kin say of it,
// after a prefix. A copy has no use for "not modified" and fails instead.
func checkConditions(h http.Header, prefix string, f file, copying bool) error {
	failed := func(name string) error {
		return newS3Error(http.StatusPreconditionFailed, "PreconditionFailed",
			"At least one of the pre-conditions you specified did not hold",
			textElement{"Condition", name})
	}
	notModified := func(name string) error {
		if copying {
			return failed(name)
		}
		e := newS3Error(http.StatusNotModified, "NotModified", "Not Modified")
		e.header = http.Header{
			"Etag": {f.etag()}, "Last-Modified": {f.modified().Format(http.TimeFormat)}, "X-Amz-Version-Id": {f.ID},
		}
		return e
	}
	match, noneMatch := h.Get(prefix+"If-Match"), h.Get(prefix+"If-None-Match")
	since, sinceErr := http.ParseTime(h.Get(prefix + "If-Modified-Since"))
	until, untilErr := http.ParseTime(h.Get(prefix + "If-Unmodified-Since"))
	switch {
	case match != "" && !matchesETagList(match, f):
		return failed("If-Match")
	case match == "" && untilErr == nil && f.modified().After(until):
		return failed("If-Unmodified-Since")
	case noneMatch != "" && matchesETagList(noneMatch, f):
		return notModified("If-None-Match")
	case noneMatch == "" && sinceErr == nil && !f.modified().After(since):
		return notModified("If-Modified-Since")
	}
	return nil
}

// matchesETagList reports whether a list of entity tags names the object's. Some
// clients leave out the quotes.
func matchesETagList(list string, f file) bool {
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || strings.Trim(tag, `"`) == strings.Trim(f.etag(), `"`) {
			return true
		}
	}
	return false
}

// s3GetObjectACL answers with the list of the bucket, which holds for all in it.
func s3GetObjectACL(c *s3Call) error {
	if _, err := c.requestedVersion(); err != nil {
		return err
	}
	return s3GetBucketACL(c)
}

// s3PutObjectACL takes only what is so anyway.
func s3PutObjectACL(c *s3Call) error {
	if _, err := c.requestedVersion(); err != nil {
		return err
	}
	kind, err := c.requestedBucketType()
	if err == nil && kind != c.bucket.Type {
		err = s3Invalid("The ACL of an object must be that of its bucket.")
	}
	return err
}

// s3GetTagging answers an empty set: objects have no tags.
func s3GetTagging(c *s3Call) error {
	f, err := c.requestedVersion()
	if err != nil {
		return err
	}
	c.header.Set("X-Amz-Version-Id", f.ID)
	w := &c.replyBody
	w.beginDocument("Tagging")
	w.begin("TagSet")
	w.end("TagSet")
	w.end("Tagging")
	return nil
}

// objectInLockableBucket finds an object in a bucket that has Object Lock.
func (c *s3Call) objectInLockableBucket() (file, error) {
	f, err := c.requestedVersion()
	if err == nil && !c.bucket.FileLockEnabled {
		err = fileLockDisabledError()
	}
	return f, err
}

func s3NoLockError() *s3Error {
	return newS3Error(404, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
}

func s3GetRetention(c *s3Call) error {
	f, err := c.objectInLockableBucket()
	if err != nil {
		return err
	}
	if f.Lock.Mode == "" {
		return s3NoLockError()
	}
	w := &c.replyBody
	w.beginDocument("Retention")
	w.text("Mode", strings.ToUpper(f.Lock.Mode))
	w.time("RetainUntilDate", f.Lock.UntilMillis)
	w.end("Retention")
	return nil
}

func s3PutRetention(c *s3Call) error {
	var in struct{ Mode, RetainUntilDate string }
	if err := c.parseDocument("Retention", &in); err != nil {
		return err
	}
	f, err := c.objectInLockableBucket()
	if err != nil {
		return err
	}
	var wish lockRequest
	if in.Mode+in.RetainUntilDate != "" { // else the retention is to go
		if wish.Mode, err = readLockMode(in.Mode); err != nil {
			return err
		}
		until, err := time.Parse(time.RFC3339, in.RetainUntilDate)
		if err != nil {
			return s3Malformed()
		}
		wish.UntilMillis = until.UnixMilli()
	}
	bypass := strings.EqualFold(c.http.Header.Get("X-Amz-Bypass-Governance-Retention"), "true")
	if err := c.checkRetentionChange(f.Lock, wish, bypass); err != nil {
		return err
	}
	f.Lock.Mode, f.Lock.UntilMillis = wish.Mode, wish.UntilMillis
	saveFile(c.tx, f)
	return nil
}

func s3GetHold(c *s3Call) error {
	f, err := c.objectInLockableBucket()
	if err != nil {
		return err
	}
	if f.Lock.Hold == "" {
		return s3NoLockError()
	}
	w := &c.replyBody
	w.beginDocument("LegalHold")
	w.text("Status", strings.ToUpper(f.Lock.Hold))
	w.end("LegalHold")
	return nil
}

func s3PutHold(c *s3Call) error {
	var in struct{ Status string }
	if err := c.parseDocument("LegalHold", &in); err != nil {
		return err
	}
	f, err := c.objectInLockableBucket()
	if err != nil {
		return err
	}
	if in.Status != "ON" && in.Status != "OFF" {
		return s3Malformed()
	}
	f.Lock.Hold = strings.ToLower(in.Status)
	saveFile(c.tx, f)
	return nil
}
