package emulator

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// An upload or copy is answered in three steps, so that no transaction waits
// for content: begin checks the request and reserves an ID, receive stores the
// content and compares digests, and the method itself makes the content a file.
// What they hand on is incoming.
type incoming struct {
	targetFile file      // to be, or the large file that the part belongs to
	partNumber int       // its number
	contentID  string    // the name of the content to be
	source     fileRange // of a copy
	length     int64     // of the content
	// sha1 and md5 are known after the second step.
	sha1, md5 string
	// What an upload promises: a SHA-1, or "" for none; that it comes after
	// the content; and that nobody vouches for it.
	promisedSHA1          string
	sha1AtEnd, unverified bool
}

// maxUpload is the size of the largest file in one request, in bytes.
const maxUpload = 5_000_000_000

func getUploadURL(c *call) error {
	id := c.in.requiredText("bucketId")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if _, err := c.allowedBucketWithValidID(id); err != nil {
		return err
	}
	w := &c.out
	w.begin("", '{')
	w.text("authorizationToken", c.newUploadToken(id))
	w.text("bucketId", id)
	w.text("uploadUrl", fmt.Sprintf("%s/b2api/v%d/b2_upload_file/%s/c%s_v0001000_t0000",
		c.server.url("pod"), c.version, id, c.server.account.clusterDigits()))
	w.end('}')
	return nil
}

// beginUpload is the first step of b2_upload_file.
func beginUpload(c *call) error {
	bucketID, _, _ := strings.Cut(c.pathAfterMethod, "/")
	if err := c.identifyAndHoldToken(bucketID); err != nil {
		return err
	}
	b, err := c.allowedBucketWithValidID(bucketID)
	if err != nil {
		return err
	}
	f, err := c.fileFromUploadHeaders(b)
	if err != nil {
		return err
	}
	c.incoming = &incoming{targetFile: f, contentID: f.ID}
	return c.readLengthAndDigest()
}

// fileFromUploadHeaders makes a file of the headers of b2_upload_file.
func (c *call) fileFromUploadHeaders(b bucket) (file, error) {
	h := c.http.Header
	for _, name := range refusedUploadHeaders {
		if h.Values(name) != nil {
			return file{}, badRequest("An upload must not have the header %s", name)
		}
	}
	name, err := url.QueryUnescape(h.Get("X-Bz-File-Name"))
	if err != nil {
		return file{}, badRequest("X-Bz-File-Name is not percent-encoded")
	}
	if err := checkFileName(name); err != nil {
		return file{}, err
	}
	if !c.mayUseFileName(name) {
		return file{}, unauthorized()
	}
	f := c.newFile(b.ID, name, uploaded)
	if f.ContentType = contentType(h.Get("Content-Type"), name); f.ContentType == "" {
		return file{}, badRequest("required header Content-Type is missing")
	}
	if f.Info, err = headerInfo(h); err != nil {
		return file{}, err
	}
	if custom := h.Get("X-Bz-Custom-Upload-Timestamp"); custom != "" {
		if f.UploadMillis, err = strconv.ParseInt(custom, 10, 64); err != nil || f.UploadMillis < 0 {
			return file{}, badRequest("X-Bz-Custom-Upload-Timestamp must be milliseconds: %s", custom)
		}
	}
	wanted, customerKey, err := headerEncryption(h)
	if err != nil {
		return file{}, err
	}
	f.Encryption, f.CustomerKeyMD5 = cmp.Or(wanted, c.server.defaultFileEncryption(b)), customerKey
	lock := lockRequest{Mode: h.Get("X-Bz-File-Retention-Mode"), Hold: h.Get("X-Bz-File-Legal-Hold")}
	if until := h.Get("X-Bz-File-Retention-Retain-Until-Timestamp"); until != "" {
		if lock.UntilMillis, err = strconv.ParseInt(until, 10, 64); err != nil {
			return file{}, badRequest("X-Bz-File-Retention-Retain-Until-Timestamp must be milliseconds: %s", until)
		}
	}
	f.ReplicationStatus = b.initialReplicationStatus(f)
	if f.Lock, err = c.newLock(b, lock); err != nil {
		return file{}, err
	}
	return f, f.checkInfoSize(b.FileLockEnabled || wanted != encryption{})
}

// refusedUploadHeaders describe content in ways that b2_upload_file does not take.
var refusedUploadHeaders = []string{
	"Content-Disposition", "Content-Encoding", "Content-Language", "Content-Location", "Content-Range", "Expires",
}

// contentType resolves the type that asks the service to guess.
func contentType(given, name string) string {
	if given != "b2/x-auto" {
		return given
	}
	guess, _, _ := strings.Cut(mime.TypeByExtension(path.Ext(name)), ";")
	if guess == "" {
		return "application/octet-stream"
	}
	return guess
}

const infoHeader = "X-Bz-Info-"

// headerInfo reads file info from headers. Header names have no case, and the
// service keeps the lower one.
func headerInfo(h http.Header) (map[string]string, error) {
	info := map[string]string{}
	for _, name := range sortedKeys(h) {
		if !strings.HasPrefix(name, infoHeader) {
			continue
		}
		value, err := url.QueryUnescape(h.Get(name))
		if err != nil {
			return nil, badRequest("%s is not percent-encoded", name)
		}
		info[strings.ToLower(name[len(infoHeader):])] = value
	}
	return info, checkFileInfo(info)
}

// headerEncryption reads how an upload is to be encrypted: by the service's
// key, or by the customer's, of which only the digest is kept, or without a
// word of it.
func headerEncryption(h http.Header) (e encryption, customerKeyMD5 string, err error) {
	const customer = "X-Bz-Server-Side-Encryption-Customer-"
	switch managed, algorithm := h.Get("X-Bz-Server-Side-Encryption"), h.Get(customer+"Algorithm"); {
	case managed == "" && algorithm == "":
		return encryption{}, "", nil
	case managed == "AES256" && algorithm == "":
		return sseB2, "", nil
	case managed == "" && algorithm == "AES256":
		return checkCustomerEncryption(h.Get(customer+"Key"), h.Get(customer+"Key-Md5"))
	}
	return encryption{}, "", badRequest("Invalid server-side encryption headers")
}

func isSHA1(s string) bool { return isHex(s, sha1.Size*2) }

// readLengthAndDigest reads how long the content is and which digest it has.
func (c *call) readLengthAndDigest() error {
	in, claim := c.incoming, strings.ToLower(c.http.Header.Get("X-Bz-Content-Sha1"))
	in.length = c.http.ContentLength
	switch unverified, isUnverified := strings.CutPrefix(claim, unverifiedPrefix); {
	case claim == "":
		return badRequest("required header X-Bz-Content-Sha1 is missing")
	case claim == "hex_digits_at_end":
		in.sha1AtEnd = true
		in.length -= sha1.Size * 2
	case claim == "do_not_verify":
		in.unverified = true
	case isUnverified && isSHA1(unverified):
		in.promisedSHA1, in.unverified = unverified, true
	case isSHA1(claim):
		in.promisedSHA1 = claim
	default:
		return badRequest("Invalid X-Bz-Content-Sha1 header")
	}
	switch {
	case c.http.ContentLength < 0:
		return badRequest("Content-Length header is required")
	case in.length < 0:
		return badRequest("the content is too short for the SHA1 checksum at its end")
	case in.length > maxUpload:
		return badRequest("the content is larger than %d bytes", int64(maxUpload))
	}
	return nil
}

// unverifiedPrefix marks a SHA-1 that the client did not vouch for.
const unverifiedPrefix = "unverified:"

// receiveUploadContent is the second step of an upload.
func receiveUploadContent(c *call) error {
	in := c.incoming
	if err := c.storeIncomingContent(c.http.Body); err != nil {
		return c.discardContent(in.contentID, err)
	}
	if in.sha1AtEnd {
		end, err := io.ReadAll(io.LimitReader(c.http.Body, sha1.Size*2))
		if in.promisedSHA1 = string(bytes.ToLower(end)); err != nil || !isSHA1(in.promisedSHA1) {
			return c.discardContent(in.contentID, badRequest("the content does not end with its SHA1 checksum"))
		}
	}
	if in.promisedSHA1 != "" && in.promisedSHA1 != in.sha1 {
		return c.discardContent(in.contentID, badRequest("Sha1 did not match data received"))
	}
	if in.unverified {
		in.sha1 = unverifiedPrefix + in.sha1
	}
	return nil
}

// storeIncomingContent keeps so many bytes of r as the incoming content, and makes other digests
// of it too.
func (c *call) storeIncomingContent(r io.Reader, others ...hash.Hash) error {
	in := c.incoming
	d := newDigests(others)
	err := c.server.content.put(in.contentID, r, in.length, d)
	in.sha1, in.md5 = d.sums()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return badRequest("the content ended early")
	}
	return err
}

func (c *call) discardContent(name string, why error) error {
	return errors.Join(why, c.server.content.drop(name))
}

// completedFile is the incoming file with what its content turned out to be.
func (in *incoming) completedFile() file {
	f := in.targetFile
	f.Length, f.SHA1, f.MD5OrETag = in.length, in.sha1, in.md5
	return f
}

// commitUpload is the last step of b2_upload_file. The bucket may have gone
// meanwhile.
func commitUpload(c *call) error {
	f := c.incoming.completedFile()
	if _, err := c.loadBucket(f.BucketID); err != nil {
		return c.discardContent(f.ID, err)
	}
	c.addFile(f)
	c.out.file(c, f)
	return nil
}
