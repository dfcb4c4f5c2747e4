package emulator

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A file is one file version, hide marker or unfinished large file; see "File
// Versions".
type file struct {
	ID                string
	BucketID          string
	Name              string
	Action            string
	CreationOrder     uint64 // of creation
	UploadMillis      int64  // milliseconds
	Length            int64
	SHA1              string
	MD5OrETag         string // of a large file what S3 has as its entity tag
	ContentType       string
	Info              map[string]string
	Encryption        encryption
	CustomerKeyMD5    string // MD5 of an SSE-C key
	Lock              fileLock
	ReplicationStatus string // status
	// LargeFileParts are the parts of a large file, whose content stays where it is.
	LargeFileParts []largeFilePart
}

// What a file version is.
const (
	uploaded = "upload"
	hidden   = "hide"
	started  = "start"
	folder   = "folder" // in listings only
)

type largeFilePart struct {
	ContentID string
	Length    int64
}

// A fileLock protects a version from deletion until a time, in milliseconds,
// or while a hold is "on".
type fileLock struct {
	Mode        string
	UntilMillis int64
	Hold        string
}

// Limits of b2_upload_file.
const (
	maxFileName    = 1024 // bytes
	maxNameSegment = 250  // bytes, between slashes
)

const hideMarkerType = "application/x-bz-hide-marker"

// The digests of nothing, which hide markers have.
const (
	emptySHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
	emptyMD5  = "d41d8cd98f00b204e9800998ecf8427e"
)

func (f file) unfinishedStoreKey() string { return unfinishedStoreKey(f.BucketID, f.CreationOrder) }

func unfinishedStoreKey(bucketID string, order uint64) string {
	return fmt.Sprintf("u%s%016x", bucketID, order)
}

// newFile gives a file of this moment its place and ID. Large files have IDs
// of their own kind. The ID tells the order, so that a listing can go on from
// a version that is gone.
func (c *call) newFile(bucketID, name, action string) file {
	at := c.now.UTC().Truncate(time.Second)
	f := file{
		BucketID: bucketID, Name: name, Action: action, UploadMillis: at.UnixMilli(),
		CreationOrder: nextNumber(c.tx, "file"), Encryption: c.server.defaultEncryption(),
	}
	kind := '1'
	if action == started {
		kind = '2'
	}
	noise := c.server.account.derive("file", strconv.FormatUint(f.CreationOrder, 10))
	f.ID = fmt.Sprintf("4_z%s_f%c%05x%010x_d%s_m%s_c%s_v0001000_t%04d", bucketID, kind,
		uint32(noise[0])<<12|uint32(noise[1])<<4|uint32(noise[2])>>4, f.CreationOrder,
		at.Format("20060102"), at.Format("150405"), c.server.account.clusterDigits(), noise[3]%60)
	return f
}

var fileIDForm = regexp.MustCompile(
	`^4_z([0-9a-f]+)_f[12]([0-9a-f]+)_d([0-9]+)_m([0-9]+)_c[0-9]+_v[0-9]+_t[0-9]+$`)

const fileIDLength = 83

// readFileID takes an ID apart.
func readFileID(id string) (bucketID string, millis int64, order uint64, ok bool) {
	m := fileIDForm.FindStringSubmatch(id)
	if m == nil || len(id) != fileIDLength || len(m[1]) != bucketIDLength || len(m[2]) != 15 {
		return "", 0, 0, false
	}
	at, err := time.Parse("20060102150405", m[3]+m[4])
	if err != nil {
		return "", 0, 0, false
	}
	order, _ = strconv.ParseUint(m[2][5:], 16, 64)
	return m[1], at.UnixMilli(), order, true
}

func isFileID(id string) bool {
	_, _, _, ok := readFileID(id)
	return ok
}

// addFile stores a version and what finds it.
func (c *call) addFile(f file) {
	saveFile(c.tx, f)
	c.tx.put("i"+f.ID, []byte(f.storeKey()))
	if f.Action == started {
		c.tx.put(f.unfinishedStoreKey(), []byte(f.storeKey()))
	}
}

// removeFile forgets a version and, once that is certain, its content.
func (c *call) removeFile(f file) error {
	c.tx.remove(f.storeKey())
	c.tx.remove("i" + f.ID)
	c.tx.remove(f.unfinishedStoreKey())
	drop := []string{f.ID}
	for _, p := range f.LargeFileParts {
		drop = append(drop, p.ContentID)
	}
	if f.Action == started {
		parts, err := c.removeParts(f)
		if err != nil {
			return err
		}
		for _, p := range parts {
			drop = append(drop, p.ContentID)
		}
	}
	c.dropContentAfterCommit(drop...)
	return nil
}

// dropContentAfterCommit drops content once the transaction that makes it useless is kept.
func (c *call) dropContentAfterCommit(names ...string) {
	c.afterCommit = append(c.afterCommit, func() {
		for _, name := range names {
			// What stays behind is never found again and only takes room.
			_ = c.server.content.drop(name)
		}
	})
}

// findAllowedFile gives a version, whose ID must at least look like one.
func (c *call) findAllowedFile(id string) (f file, found bool, err error) {
	bucketID, _, _, ok := readFileID(id)
	if !ok {
		return f, false, badRequest("Invalid fileId: %s", id)
	}
	if !c.mayUseBucket(bucketID) {
		return f, false, unauthorized()
	}
	at := c.tx.get("i" + id)
	if at == nil {
		return f, false, nil
	}
	f, found, err = loadFile(c.tx, string(at))
	if err == nil && found && !c.mayUseFileName(f.Name) {
		err = unauthorized()
	}
	return f, found, err
}

// mayUseFileName reports whether the caller's name prefix leaves the file.
func (c *call) mayUseFileName(name string) bool { return strings.HasPrefix(name, c.caller.Prefix) }

// allowedBucketWithValidID gives the bucket of a file call, whose ID must look like one.
func (c *call) allowedBucketWithValidID(id string) (bucket, error) {
	if !isHex(id, bucketIDLength) {
		return bucket{}, refuse(400, "invalid_bucket_id", "Invalid bucketId: %s", id)
	}
	return c.allowedBucket(id)
}

func checkFileName(name string) error {
	longest := 0
	for segment := range strings.SplitSeq(name, "/") {
		longest = max(longest, len(segment))
	}
	isControl := func(r rune) bool { return r < 0x20 || r == 0x7f }
	switch {
	case name == "":
		return badRequest("File names must not be empty")
	case len(name) > maxFileName:
		return badRequest("File names must be no longer than %d bytes", maxFileName)
	case !utf8.ValidString(name):
		return badRequest("File names must be UTF-8")
	case strings.ContainsFunc(name, isControl) || strings.Contains(name, `\`):
		return badRequest("File names must not contain control characters or backslashes")
	case strings.HasPrefix(name, "/") || strings.Contains(name, "//"):
		return badRequest("File names must not start with '/' or contain '//'")
	case longest > maxNameSegment:
		return badRequest("File names must have no more than %d bytes between slashes", maxNameSegment)
	}
	return nil
}

// file prints a version for the caller.
func (w *jsonPrinter) file(c *call, f file) {
	w.begin("", '{')
	w.text("accountId", c.server.account.ID)
	w.text("action", f.Action)
	w.text("bucketId", f.BucketID)
	w.number("contentLength", f.Length)
	if md5, tag, _ := strings.Cut(f.MD5OrETag, "-"); tag == "" {
		w.textOrNull("contentMd5", md5)
	} else {
		w.null("contentMd5")
	}
	w.textOrNull("contentSha1", f.SHA1)
	w.textOrNull("contentType", f.ContentType)
	w.textOrNull("fileId", f.ID)
	w.pairs("fileInfo", f.Info)
	w.text("fileName", f.Name)
	if f.Action != hidden && f.Action != folder {
		c.printWithReadAuthorization("fileRetention", "readFileRetentions", false, func() {
			w.fileRetention("value", f.Lock)
		})
		c.printWithReadAuthorization("legalHold", "readFileLegalHolds", false, func() {
			w.textOrNull("value", f.Lock.Hold)
		})
		if f.ReplicationStatus != "" {
			w.text("replicationStatus", f.ReplicationStatus)
		}
		w.fileEncryption(f)
	}
	if c.version == 1 {
		w.number("size", f.Length)
	}
	w.number("uploadTimestamp", f.UploadMillis)
	w.end('}')
}

func (w *jsonPrinter) fileRetention(name string, l fileLock) {
	w.begin(name, '{')
	w.textOrNull("mode", l.Mode)
	w.numberOrNull("retainUntilTimestamp", l.UntilMillis)
	w.end('}')
}

func (w *jsonPrinter) fileEncryption(f file) {
	w.begin("serverSideEncryption", '{')
	w.textOrNull("algorithm", f.Encryption.Algorithm)
	if f.CustomerKeyMD5 != "" {
		w.text("customerKeyMd5", f.CustomerKeyMD5)
	}
	w.textOrNull("mode", f.Encryption.Mode)
	w.end('}')
}
