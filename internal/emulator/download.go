package emulator

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxDownloadAuthSeconds is how long a download authorization may last, in seconds.
const maxDownloadAuthSeconds = 7 * 24 * 60 * 60

func getDownloadAuthorization(c *call) error {
	bucketID, prefix := c.in.requiredText("bucketId"), c.in.text("fileNamePrefix")
	c.in.require("fileNamePrefix")
	c.in.require("validDurationInSeconds")
	seconds, _ := c.in.integer("validDurationInSeconds")
	asked, wrong := c.readOverrides()
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if wrong != nil {
		return wrong
	}
	if seconds < 1 || seconds > maxDownloadAuthSeconds {
		return badRequest("validDurationInSeconds must be from 1 to %d: %d", maxDownloadAuthSeconds, seconds)
	}
	if _, err := c.allowedBucketWithValidID(bucketID); err != nil {
		return err
	}
	if !c.mayUseFileName(prefix) {
		return unauthorized()
	}
	until := c.now.Add(time.Duration(seconds) * time.Second)
	grant := downloadAuthorization{issued: c.now, until: until, bucketID: bucketID, prefix: prefix, overrides: asked}
	w := &c.out
	w.begin("", '{')
	w.text("authorizationToken", c.server.downloadAuthorizationToken(grant))
	w.text("bucketId", bucketID)
	w.text("fileNamePrefix", prefix)
	w.end('}')
	return nil
}

// A downloadAuthorization is what a download authorization grants: until a time, the names
// under a prefix, with just these overrides.
type downloadAuthorization struct {
	issued, until    time.Time
	bucketID, prefix string
	overrides        url.Values
}

const downloadAuthTime = "20060102150405"

// downloadAuthorizationToken writes the share down as the documentation shows it: 3_<issued>_
// <bucket>_<40 hex>_000_<until>_<length of the prefix>_dnld.
func (s *Server) downloadAuthorizationToken(g downloadAuthorization) string {
	head := fmt.Sprintf("3_%s_%s_", g.issued.UTC().Format(downloadAuthTime), g.bucketID)
	tail := fmt.Sprintf("_000_%s_%04d_dnld", g.until.UTC().Format(downloadAuthTime), len(g.prefix))
	mac := hmac.New(sha1.New, s.account.derive("share", s.account.masterKey()))
	mac.Write([]byte(head + tail + g.prefix + "\x00" + g.overrides.Encode()))
	return head + hex.EncodeToString(mac.Sum(nil)) + tail
}

var shareForm = regexp.MustCompile(`^3_([0-9]+)_[0-9a-f]+_[0-9a-f]+_000_([0-9]+)_([0-9]+)_dnld$`)

// tokenGrantsDownload reports whether the token grants this download.
func (c *call) tokenGrantsDownload(token string, f file, asked url.Values) bool {
	m := shareForm.FindStringSubmatch(token)
	if m == nil {
		return false
	}
	issued, badIssue := time.Parse(downloadAuthTime, m[1])
	until, badUntil := time.Parse(downloadAuthTime, m[2])
	length, _ := strconv.Atoi(m[3])
	if badIssue != nil || badUntil != nil || !c.now.Before(until) || length > len(f.Name) {
		return false
	}
	g := downloadAuthorization{issued: issued, until: until, bucketID: f.BucketID, prefix: f.Name[:length], overrides: asked}
	return hmac.Equal([]byte(c.server.downloadAuthorizationToken(g)), []byte(token))
}

// downloadByID is b2_download_file_by_id.
func downloadByID(c *call) error {
	id := c.in.requiredText("fileId")
	asked, wrong := c.readOverrides()
	c.in.text("Authorization")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if wrong != nil {
		return wrong
	}
	bucketID, _, _, ok := readFileID(id)
	if !ok {
		return badRequest("Invalid fileId: %s", id)
	}
	f, found, err := loadFile(c.tx, string(c.tx.get("i"+id)))
	if err != nil {
		return err
	}
	if !found {
		f.BucketID = bucketID
	}
	return c.prepareDownload(f, found && f.Action == uploaded, asked)
}

// downloadByName serves /file/BUCKET/NAME, the path of b2_download_file_by_name.
// In a path too a plus stands for a space; see "String Encoding".
func downloadByName(c *call) error {
	bucketName, encoded, _ := strings.Cut(c.pathAfterMethod, "/")
	name, err := url.QueryUnescape(encoded)
	if err != nil {
		return badRequest("The file name is not percent-encoded")
	}
	asked, err := c.readOverrides()
	if err != nil {
		return err
	}
	f := file{BucketID: string(c.tx.get(c.bucketNameStoreKey(bucketName))), Name: name}
	if f.BucketID == "" {
		return refuse(404, "not_found", "Bucket does not exist: %s", bucketName)
	}
	now, found, err := c.findNewestVersion(f.BucketID, name)
	if err != nil {
		return err
	}
	if found {
		f = now
	}
	return c.prepareDownload(f, found && f.Action == uploaded, asked)
}

// prepareDownload decides whether the caller may have the file, and what it sends.
func (c *call) prepareDownload(f file, found bool, asked url.Values) error {
	b, err := c.checkDownloadAllowed(f, asked)
	if err != nil {
		return err
	}
	if !found {
		return refuse(404, "not_found", "File with such name does not exist.")
	}
	if f.CustomerKeyMD5 != "" {
		_, key, err := headerEncryption(c.http.Header)
		if err == nil {
			err = f.checkCustomerKeyMD5(key)
		}
		if err != nil {
			return err
		}
	}
	c.sending = &sending{fileRange: fileRange{file: f, length: f.Length}, status: http.StatusOK}
	h := c.fileHeader(b, f, asked)
	if wanted := c.http.Header.Get("Range"); wanted != "" {
		from, length, err := parseRange(wanted, f.Length)
		if err != nil {
			return err
		}
		c.sending.from, c.sending.length, c.sending.status = from, length, http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, from+length-1, f.Length))
	}
	h.Set("Content-Length", strconv.FormatInt(c.sending.length, 10))
	c.sending.header = h
	return nil
}

// checkDownloadAllowed gives the file's bucket to whoever may have the file. It takes a
// token of either kind from the header or the query, and none for a file in a
// public bucket as it is.
func (c *call) checkDownloadAllowed(f file, asked url.Values) (bucket, error) {
	b, err := c.loadBucket(f.BucketID)
	if err != nil {
		return b, refuse(404, "not_found", "Bucket does not exist")
	}
	token := c.http.Header.Get("Authorization")
	if token == "" {
		token = c.http.URL.Query().Get("Authorization")
	}
	switch {
	case token == "" && b.Type == "allPublic" && len(asked) == 0:
		c.caller = key{}
		return b, nil
	case strings.HasPrefix(token, "3_"):
		if c.tokenGrantsDownload(token, f, asked) {
			return b, nil
		}
		return b, unauthorized()
	case token == "":
		return b, unauthorized()
	}
	if err := c.identify(token, accountTokenPurpose); err != nil {
		return b, err
	}
	allowed := c.may("readFiles") && c.mayUseBucket(f.BucketID) && c.mayUseFileName(f.Name)
	if !allowed && b.Type != "allPublic" {
		return b, unauthorized()
	}
	return b, nil
}

// fileHeader describes a file as downloads do. Info headers keep the case of
// their keys; info that sets another header is not among them.
func (c *call) fileHeader(b bucket, f file, asked url.Values) http.Header {
	h := http.Header{
		"Accept-Ranges":         {"bytes"},
		"Content-Type":          {f.ContentType},
		"X-Bz-File-Id":          {f.ID},
		"X-Bz-File-Name":        {escapeName(f.Name)},
		"X-Bz-Content-Sha1":     {f.SHA1},
		"X-Bz-Upload-Timestamp": {strconv.FormatInt(f.UploadMillis, 10)},
	}
	for _, k := range sortedKeys(f.Info) {
		if !strings.HasPrefix(k, reservedInfo) {
			h["x-bz-info-"+k] = []string{escapeName(f.Info[k])}
		}
	}
	if value := b.Info["cache-control"]; value != "" {
		h.Set("Cache-Control", value)
	}
	for _, o := range overrides {
		if value, ok := f.Info[o.info]; ok {
			h.Set(o.header, value)
		}
		if value := asked.Get(o.parameter); value != "" {
			h.Set(o.header, value)
		}
	}
	if f.ReplicationStatus != "" {
		h.Set("X-Bz-Replication-Status", f.ReplicationStatus)
	}
	if f.CustomerKeyMD5 != "" {
		h.Set("X-Bz-Server-Side-Encryption-Customer-Algorithm", f.Encryption.Algorithm)
		h.Set("X-Bz-Server-Side-Encryption-Customer-Key-Md5", f.CustomerKeyMD5)
	} else if f.Encryption.Algorithm != "" {
		h.Set("X-Bz-Server-Side-Encryption", f.Encryption.Algorithm)
	}
	maps.Copy(h, c.lockHeader(f.Lock))
	return h
}

// lockHeader tells a file's lock to those who may know it, and to the others
// that there may be one.
func (c *call) lockHeader(l fileLock) http.Header {
	h := http.Header{}
	var hidden []string
	if !c.may("readFileRetentions") {
		hidden = append(hidden, "X-Bz-File-Retention-Mode", "X-Bz-File-Retention-Retain-Until-Timestamp")
	} else if l.Mode != "" {
		h.Set("X-Bz-File-Retention-Mode", l.Mode)
		h.Set("X-Bz-File-Retention-Retain-Until-Timestamp", strconv.FormatInt(l.UntilMillis, 10))
	}
	if !c.may("readFileLegalHolds") {
		hidden = append(hidden, "X-Bz-File-Legal-Hold")
	} else if l.Hold != "" {
		h.Set("X-Bz-File-Legal-Hold", l.Hold)
	}
	if hidden != nil {
		h.Set("X-Bz-Client-Unauthorized-To-Read", strings.Join(hidden, ","))
	}
	return h
}

// escapeName percent-encodes a name, except slashes, for a header.
func escapeName(name string) string {
	return strings.ReplaceAll(url.PathEscape(name), "%2F", "/")
}

// parseRange reads "bytes=1-2", "bytes=1-" or "bytes=-2" for a file of that
// size.
func parseRange(header string, size int64) (from, length int64, err error) {
	unsatisfiable := refuse(416, "range_not_satisfiable", "The range cannot be satisfied: %s", header)
	first, last, ok := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	start, startErr := strconv.ParseInt(first, 10, 64)
	end, endErr := strconv.ParseInt(last, 10, 64)
	switch {
	case !ok || !strings.HasPrefix(header, "bytes="):
		return 0, 0, badRequest("Invalid range: %s", header)
	case first == "" && endErr == nil:
		start, end = max(0, size-end), size-1
	case last == "" && startErr == nil:
		end = size - 1
	case startErr != nil || endErr != nil:
		return 0, 0, badRequest("Invalid range: %s", header)
	}
	end = min(end, size-1)
	if start > end {
		return 0, 0, unsatisfiable
	}
	return start, end - start + 1, nil
}

// A sending is the content that a download replies with.
type sending struct {
	fileRange
	status int
	header http.Header
}

// openRange gives the bytes of a source. A large file's pieces are opened as they
// are reached.
func (s *Server) openRange(from fileRange) io.ReadCloser {
	pieces := from.file.LargeFileParts
	if pieces == nil {
		pieces = []largeFilePart{{from.file.ID, from.file.Length}}
	}
	return &pieceReader{content: s.content, pieces: pieces, skip: from.from, left: from.length}
}

type pieceReader struct {
	content contentStore
	pieces  []largeFilePart
	skip    int64 // bytes before the first wanted one
	left    int64 // bytes still wanted
	open    io.ReadSeekCloser
}

func (r *pieceReader) Read(p []byte) (int, error) {
	for r.left > 0 {
		if r.open == nil {
			if err := r.next(); err != nil {
				return 0, err
			}
		}
		n, err := r.open.Read(p[:min(int64(len(p)), r.left)])
		r.left -= int64(n)
		if errors.Is(err, io.EOF) {
			err = r.Close()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.EOF
}

// WriteTo lets the kernel send what is in files, where it can.
func (r *pieceReader) WriteTo(w io.Writer) (written int64, err error) {
	for r.left > 0 {
		if r.open == nil {
			if err := r.next(); err != nil {
				return written, err
			}
		}
		from := io.LimitReader(r.open, r.left)
		if in, ok := r.open.(*heldReader); ok {
			from = in.nextBytesForSendfile(r.left)
		}
		n, err := io.Copy(w, from)
		r.left, written = r.left-n, written+n
		if err = errors.Join(err, r.Close()); err != nil {
			return written, err
		}
	}
	return written, nil
}

// next opens the piece that has the next wanted byte.
func (r *pieceReader) next() error {
	for len(r.pieces) > 0 && r.skip >= r.pieces[0].Length {
		r.skip -= r.pieces[0].Length
		r.pieces = r.pieces[1:]
	}
	if len(r.pieces) == 0 {
		return io.ErrUnexpectedEOF
	}
	in, err := r.content.open(r.pieces[0].ContentID)
	if err != nil {
		return err
	}
	r.open, r.pieces = in, r.pieces[1:]
	_, err = in.Seek(r.skip, io.SeekStart)
	r.skip = 0
	return err
}

func (r *pieceReader) Close() error {
	if r.open == nil {
		return nil
	}
	in := r.open
	r.open = nil
	return in.Close()
}
