package emulator

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A multipart upload is B2's large file: the same parts, seen from S3. Its upload
// ID is the file's ID.

func s3CreateUpload(c *s3Call) error {
	if err := c.checkNewObjectRequest(); err != nil {
		return err
	}
	f, err := c.newFileFromHeaders(started)
	if err != nil {
		return err
	}
	f.SHA1 = "none"
	c.addFile(f)
	setEncryptionHeaders(c.header, f)
	for _, name := range []string{checksumHeader + "Algorithm", checksumHeader + "Type"} {
		if value := c.http.Header.Get(name); value != "" {
			c.header.Set(name, value)
		}
	}
	w := &c.replyBody
	w.beginDocument("InitiateMultipartUploadResult")
	w.text("Bucket", c.bucket.Name)
	w.text("Key", c.objectKey)
	w.text("UploadId", f.ID)
	w.end("InitiateMultipartUploadResult")
	return nil
}

// findUpload finds the unfinished upload that the request names.
func (c *s3Call) findUpload() (file, error) {
	missing := newS3Error(404, "NoSuchUpload", "The specified multipart upload does not exist. The upload ID may be invalid, "+
		"or the upload may have been aborted or completed.", textElement{"UploadId", c.query.Get("uploadId")})
	id := c.query.Get("uploadId")
	if bucketID, _, _, ok := readFileID(id); !ok || bucketID != c.bucket.ID {
		return file{}, missing
	}
	f, found, err := c.findAllowedFile(id)
	if err == nil && (!found || f.Action != started || f.Name != c.objectKey) {
		err = missing
	}
	return f, err
}

func (c *s3Call) partNumber() (int64, error) {
	n, err := strconv.ParseInt(c.query.Get("partNumber"), 10, 64)
	if err != nil || n < 1 || n > maxParts {
		return 0, newS3Error(400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive",
			textElement{"ArgumentName", "partNumber"}, textElement{"ArgumentValue", c.query.Get("partNumber")})
	}
	return n, nil
}

// s3BeginPart is the first step of UploadPart.
func s3BeginPart(c *s3Call) error {
	n, err := c.partNumber()
	if err != nil {
		return err
	}
	f, err := c.findUpload()
	if err != nil {
		return err
	}
	switch {
	case c.requestPayload.bytesLeft < 0:
		return newS3Error(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	case c.requestPayload.bytesLeft > maxUpload:
		return newS3Error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	if err := checkPartCustomerKey(c.http.Header, f); err != nil {
		return err
	}
	if err := c.prepareIncomingPart(f, n); err != nil {
		return err
	}
	c.incoming.length = c.requestPayload.bytesLeft
	return nil
}

// checkPartCustomerKey demands that parts are encrypted as the upload was begun.
func checkPartCustomerKey(h http.Header, f file) error {
	given := ""
	if h.Get(sseCHeader+"Algorithm")+h.Get(sseCHeader+"Key") != "" {
		var err error
		if _, given, err = readRequiredCustomerKey(h, sseCHeader); err != nil {
			return err
		}
	}
	if given != f.CustomerKeyMD5 {
		return newS3Error(400, "InvalidRequest", "The multipart upload initiate requested encryption with a customer key. "+
			"Subsequent part requests must include the same encryption parameters.")
	}
	return nil
}

// s3BeginPartCopy is the first step of UploadPartCopy.
func s3BeginPartCopy(c *s3Call) error {
	n, err := c.partNumber()
	if err != nil {
		return err
	}
	f, err := c.findUpload()
	if err != nil {
		return err
	}
	if err := checkPartCustomerKey(c.http.Header, f); err != nil {
		return err
	}
	from, err := c.readCopySource()
	if err != nil {
		return err
	}
	s := fileRange{file: from, length: from.Length}
	if wanted := c.http.Header.Get(copySource + "-Range"); wanted != "" {
		s.from, s.length, err = parseRange(wanted, from.Length)
		_, last, _ := strings.Cut(wanted, "-")
		end, endErr := strconv.ParseInt(last, 10, 64)
		if err != nil || endErr != nil || end >= from.Length {
			return s3Invalid("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the " +
				"zero-based offsets of the first and last bytes to copy")
		}
	}
	if s.length > maxCopy {
		return s3TooLargeSource()
	}
	if err := c.prepareIncomingPart(f, n); err != nil {
		return err
	}
	c.header.Set("X-Amz-Copy-Source-Version-Id", from.ID)
	c.incoming.source, c.incoming.length = s, s.length
	return nil
}

// s3KeepPart is the last step of UploadPart.
func s3KeepPart(c *s3Call) error {
	p, err := c.keepPartOfUpload()
	if err != nil {
		return err
	}
	c.header.Set("Etag", `"`+p.MD5+`"`)
	setEncryptionHeaders(c.header, c.incoming.targetFile)
	c.requestPayload.setChecksumHeaders(c.header)
	return nil
}

// keepPartOfUpload makes the incoming content a part. The upload may be finished
// or aborted meanwhile.
func (c *s3Call) keepPartOfUpload() (part, error) {
	if _, err := c.findUpload(); err != nil {
		return part{}, c.discardContent(c.incoming.contentID, err)
	}
	return c.keepPart()
}

func s3KeepPartCopy(c *s3Call) error {
	p, err := c.keepPartOfUpload()
	if err != nil {
		return err
	}
	setEncryptionHeaders(c.header, c.incoming.targetFile)
	c.replyBody.copyResult("CopyPartResult", `"`+p.MD5+`"`, p.UploadMillis)
	return nil
}

// s3CompleteUpload makes the parts that the request lists a version.
func s3CompleteUpload(c *s3Call) error {
	for _, name := range []string{"If-None-Match", "If-Match"} {
		if c.http.Header.Get(name) != "" {
			return s3NotImplemented(name)
		}
	}
	var in struct {
		Parts []namedPart `xml:"Part"`
	}
	if err := c.parseDocument("CompleteMultipartUpload", &in); err != nil {
		return err
	}
	f, err := c.findUpload()
	if err != nil {
		return err
	}
	there, err := c.parts(f)
	if err != nil {
		return err
	}
	chosen, err := choose(there, in.Parts)
	if err != nil {
		return err
	}
	f = c.finishLarge(f, there, chosen)
	c.setWriteReplyHeaders(f)
	w := &c.replyBody
	w.beginDocument("CompleteMultipartUploadResult")
	w.text("Location", c.server.url("s3")+"/"+c.bucket.Name+"/"+uriEncode(c.objectKey, true))
	w.text("Bucket", c.bucket.Name)
	w.text("Key", c.objectKey)
	w.text("ETag", f.etag())
	w.end("CompleteMultipartUploadResult")
	return nil
}

// A namedPart is one that a client wants to be in its object.
type namedPart struct {
	PartNumber int
	ETag       string
}

// choose finds the parts that a client names.
func choose(there []part, wanted []namedPart) (chosen []part, err error) {
	if len(wanted) == 0 {
		return nil, s3Malformed()
	}
	if !slices.IsSortedFunc(wanted, func(a, b namedPart) int { return cmp.Compare(a.PartNumber, b.PartNumber) }) {
		return nil, newS3Error(400, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part "+
			"number.")
	}
	for i, w := range wanted {
		at, found := slices.BinarySearchFunc(there, w.PartNumber, func(p part, n int) int { return cmp.Compare(p.Number, n) })
		if !found || there[at].MD5 != strings.Trim(w.ETag, `"`) || i > 0 && wanted[i-1].PartNumber == w.PartNumber {
			return nil, newS3Error(400, "InvalidPart", "One or more of the specified parts could not be found. The part may not have been "+
				"uploaded, or the specified entity tag may not match the part's entity tag.",
				textElement{"PartNumber", strconv.Itoa(w.PartNumber)})
		}
		if p := there[at]; p.Length < smallestPart && i < len(wanted)-1 {
			return nil, newS3Error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size",
				textElement{"ProposedSize", strconv.FormatInt(p.Length, 10)}, textElement{"MinSizeAllowed", strconv.Itoa(smallestPart)},
				textElement{"PartNumber", strconv.Itoa(p.Number)}, textElement{"ETag", p.MD5})
		}
		chosen = append(chosen, there[at])
	}
	return chosen, nil
}

// finishLarge makes a large file of the chosen ones of its parts.
func (c *call) finishLarge(f file, there, chosen []part) file {
	digests, kept := md5.New(), map[int]bool{}
	for _, p := range chosen {
		kept[p.Number] = true
		f.LargeFileParts = append(f.LargeFileParts, largeFilePart{p.ContentID, p.Length})
		f.Length += p.Length
		if sum, err := hex.DecodeString(p.MD5); err == nil {
			digests.Write(sum)
		}
	}
	for _, p := range there {
		c.tx.remove(partStoreKey(f.ID, p.Number))
		if !kept[p.Number] {
			c.dropContentAfterCommit(p.ContentID)
		}
	}
	c.tx.remove(f.unfinishedStoreKey())
	f.Action = uploaded
	f.MD5OrETag = hex.EncodeToString(digests.Sum(nil)) + "-" + strconv.Itoa(len(chosen))
	c.addFile(f)
	return f
}

func s3AbortUpload(c *s3Call) error {
	c.status = http.StatusNoContent
	f, err := c.findUpload()
	if err != nil {
		return err
	}
	return c.removeFile(f)
}

func s3ListParts(c *s3Call) error {
	l, err := c.readPageSizeAndEncoding("max-parts")
	if err != nil {
		return err
	}
	marker := 0
	if text := c.query.Get("part-number-marker"); text != "" {
		if marker, err = strconv.Atoi(text); err != nil || marker < 0 {
			return s3Invalid("Argument part-number-marker must be an integer between 0 and 2147483647")
		}
	}
	f, err := c.findUpload()
	if err != nil {
		return err
	}
	all, err := c.parts(f)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(p part) bool { return p.Number <= marker })
	more := len(all) > l.pageSize
	all = all[:min(len(all), l.pageSize)]
	w := &c.replyBody
	w.beginDocument("ListPartsResult")
	w.text("Bucket", c.bucket.Name)
	l.printKey(w, "Key", c.objectKey)
	w.text("UploadId", f.ID)
	w.owner("Initiator", c.server.account.ID)
	w.owner("Owner", c.server.account.ID)
	w.text("StorageClass", "STANDARD")
	w.number("PartNumberMarker", int64(marker))
	if len(all) > 0 {
		w.number("NextPartNumberMarker", int64(all[len(all)-1].Number))
	}
	w.number("MaxParts", int64(l.pageSize))
	w.flag("IsTruncated", more)
	for _, p := range all {
		w.begin("Part")
		w.number("PartNumber", int64(p.Number))
		w.time("LastModified", p.UploadMillis)
		w.text("ETag", `"`+p.MD5+`"`)
		w.number("Size", p.Length)
		w.end("Part")
	}
	w.end("ListPartsResult")
	c.classCTransactionsIfNotOne = transactionsForItems(len(all))
	return nil
}
