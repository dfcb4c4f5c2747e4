package emulator

import (
	"cmp"
	"encoding/base64"
	"iter"
	"slices"
	"strconv"
	"strings"
)

const s3Page = 1000

// A listingRequest is what all listings of the S3 face have in common.
type listingRequest struct {
	prefix, delimiter  string
	pageSize           int
	percentEncodesKeys bool // keys in the reply are percent-encoded
}

// readListing reads the parameters that listings share; limit is the name of
// the one with the size of a page. A key with a name prefix must ask for no
// more than that.
func (c *s3Call) readListing(limitParameter string) (listingRequest, error) {
	l, err := c.readPageSizeAndEncoding(limitParameter)
	l.prefix, l.delimiter = c.query.Get("prefix"), c.query.Get("delimiter")
	switch {
	case err != nil:
		return l, err
	case strings.Contains(l.prefix, "\x00"):
		return l, s3Invalid("The prefix must not have control characters.")
	case !c.mayUseFileName(l.prefix):
		return l, s3Denied()
	}
	return l, nil
}

// readPageSizeAndEncoding reads how much of a listing is wanted, and in which encoding.
func (c *s3Call) readPageSizeAndEncoding(limitParameter string) (listingRequest, error) {
	l := listingRequest{pageSize: s3Page}
	switch encoding := c.query.Get("encoding-type"); encoding {
	case "":
	case "url":
		l.percentEncodesKeys = true
	default:
		return l, s3Invalid("Invalid Encoding Method specified in Request")
	}
	if text := c.query.Get(limitParameter); text != "" {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 0 {
			return l, s3Invalid("Argument " + limitParameter + " must be an integer between 0 and 2147483647")
		}
		l.pageSize = int(min(n, s3Page))
	}
	return l, nil
}

// printKey prints a key, or a part of one.
func (l listingRequest) printKey(w *xmlPrinter, element, key string) {
	if l.percentEncodesKeys {
		key = uriEncode(key, true)
	}
	w.text(element, key)
}

// printHead prints what the request asked for.
func (l listingRequest) printHead(c *s3Call, limitElement string) {
	w := &c.replyBody
	w.text("Name", c.bucket.Name)
	l.printKey(w, "Prefix", l.prefix)
	if l.delimiter != "" {
		l.printKey(w, "Delimiter", l.delimiter)
	}
	w.number(limitElement, int64(l.pageSize))
	if l.percentEncodesKeys {
		w.text("EncodingType", "url")
	}
}

func (l listingRequest) printFolders(w *xmlPrinter, names []string) {
	for _, name := range names {
		w.begin("CommonPrefixes")
		l.printKey(w, "Prefix", name)
		w.end("CommonPrefixes")
	}
}

// storeKeyAfter is the key of the store behind a name and, if it stands for a folder,
// behind everything inside.
func (w walk) storeKeyAfter(name string) string {
	if name == "" || name < w.prefix {
		return w.bucketStoreKeyPrefix() + w.prefix
	}
	if strings.HasPrefix(name, w.prefix) && w.listedFolderIfAny(name) == name {
		return w.storeKeyPastFolder(name)
	}
	return w.bucketStoreKeyPrefix() + name + "\x01"
}

// takePage gives a page of files, and whether there are more.
func takePage(files iter.Seq2[file, error], pageSize int) (taken []file, more bool, err error) {
	if pageSize == 0 {
		return nil, false, nil
	}
	for f, err := range files {
		if err != nil {
			return nil, false, err
		}
		if len(taken) == pageSize {
			return taken, true, nil
		}
		taken = append(taken, f)
	}
	return taken, false, nil
}

// listObjects prints a page of current versions that come after a name, and
// gives its last name if there are more.
func (c *s3Call) listObjects(l listingRequest, after string, withOwner bool, printHead func(shown int, last string, more bool)) error {
	w := walk{bucketID: c.bucket.ID, prefix: l.prefix, delimiter: l.delimiter, currentOnly: true}
	files, more, err := takePage(w.filesFromStoreKey(c.tx, w.storeKeyAfter(after)), l.pageSize)
	if err != nil {
		return err
	}
	last := ""
	if more {
		last = files[len(files)-1].Name
	}
	c.replyBody.beginDocument("ListBucketResult")
	printHead(len(files), last, more)
	var folders []string
	for _, f := range files {
		if f.Action == folder {
			folders = append(folders, f.Name)
			continue
		}
		c.printObject(l, f, withOwner)
	}
	l.printFolders(&c.replyBody, folders)
	c.replyBody.end("ListBucketResult")
	c.classCTransactionsIfNotOne = transactionsForItems(len(files))
	return nil
}

func (c *s3Call) printObject(l listingRequest, f file, withOwner bool) {
	w := &c.replyBody
	w.begin("Contents")
	l.printKey(w, "Key", f.Name)
	w.time("LastModified", f.UploadMillis)
	w.text("ETag", f.etag())
	w.number("Size", f.Length)
	if withOwner {
		w.owner("Owner", c.server.account.ID)
	}
	w.text("StorageClass", "STANDARD")
	w.end("Contents")
}

func s3ListObjects(c *s3Call) error {
	l, err := c.readListing("max-keys")
	if err != nil {
		return err
	}
	marker := c.query.Get("marker")
	return c.listObjects(l, marker, true, func(_ int, last string, more bool) {
		w := &c.replyBody
		l.printHead(c, "MaxKeys")
		l.printKey(w, "Marker", marker)
		if more && l.delimiter != "" {
			l.printKey(w, "NextMarker", last)
		}
		w.flag("IsTruncated", more)
	})
}

func s3ListObjectsV2(c *s3Call) error {
	if c.query.Get("list-type") != "2" {
		return s3Invalid("Invalid list-type")
	}
	l, err := c.readListing("max-keys")
	if err != nil {
		return err
	}
	startAfter, token := c.query.Get("start-after"), c.query.Get("continuation-token")
	after := startAfter
	if c.query.Has("continuation-token") {
		name, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || len(name) == 0 {
			return s3Invalid("The continuation token provided is incorrect")
		}
		after = string(name)
	}
	return c.listObjects(l, after, c.query.Get("fetch-owner") == "true", func(shown int, last string, more bool) {
		w := &c.replyBody
		l.printHead(c, "MaxKeys")
		w.number("KeyCount", int64(shown))
		if startAfter != "" {
			l.printKey(w, "StartAfter", startAfter)
		}
		w.textIf("ContinuationToken", token)
		w.flag("IsTruncated", more)
		if more {
			w.text("NextContinuationToken", base64.RawURLEncoding.EncodeToString([]byte(last)))
		}
	})
}

func s3ListVersions(c *s3Call) error {
	l, err := c.readListing("max-keys")
	if err != nil {
		return err
	}
	keyMarker, idMarker := c.query.Get("key-marker"), c.query.Get("version-id-marker")
	w := walk{bucketID: c.bucket.ID, prefix: l.prefix, delimiter: l.delimiter}
	start, err := c.storeKeyAfterVersion(w, keyMarker, idMarker)
	if err != nil {
		return err
	}
	finished := func(yield func(file, error) bool) {
		for f, err := range w.filesFromStoreKey(c.tx, start) {
			if err == nil && f.Action == started {
				continue
			}
			if !yield(f, err) {
				return
			}
		}
	}
	files, more, err := takePage(finished, l.pageSize)
	if err != nil {
		return err
	}
	out := &c.replyBody
	out.beginDocument("ListVersionsResult")
	l.printHead(c, "MaxKeys")
	l.printKey(out, "KeyMarker", keyMarker)
	out.text("VersionIdMarker", idMarker)
	out.flag("IsTruncated", more)
	if more {
		last := files[len(files)-1]
		l.printKey(out, "NextKeyMarker", last.Name)
		out.textIf("NextVersionIdMarker", last.ID)
	}
	if idMarker == "" {
		keyMarker = ""
	}
	c.printVersions(l, files, keyMarker)
	out.end("ListVersionsResult")
	c.classCTransactionsIfNotOne = transactionsForItems(len(files))
	return nil
}

// storeKeyAfterVersion is the key of the store to go on with.
func (c *s3Call) storeKeyAfterVersion(w walk, name, id string) (string, error) {
	if id == "" {
		return w.storeKeyAfter(name), nil
	}
	if name == "" {
		return "", s3Invalid("A version-id marker cannot be specified without a key marker.")
	}
	at, err := c.versionStartStoreKey(w, name, id)
	if err != nil {
		return "", s3Invalid("Invalid version id specified")
	}
	return at + "\x00", nil
}

// printVersions prints versions and markers; begun is the name of which the
// page before had the newest.
func (c *s3Call) printVersions(l listingRequest, files []file, previousName string) {
	w := &c.replyBody
	var folders []string
	for _, f := range files {
		element := "Version"
		switch f.Action {
		case folder:
			folders = append(folders, f.Name)
			continue
		case hidden:
			element = "DeleteMarker"
		}
		w.begin(element)
		l.printKey(w, "Key", f.Name)
		w.text("VersionId", f.ID)
		w.flag("IsLatest", f.Name != previousName)
		w.time("LastModified", f.UploadMillis)
		if f.Action == uploaded {
			w.text("ETag", f.etag())
			w.number("Size", f.Length)
			w.text("StorageClass", "STANDARD")
		}
		w.owner("Owner", c.server.account.ID)
		w.end(element)
		previousName = f.Name
	}
	l.printFolders(w, folders)
}

// s3ListUploads lists what b2_list_unfinished_large_files does, by name.
func s3ListUploads(c *s3Call) error {
	l, err := c.readListing("max-uploads")
	if err != nil {
		return err
	}
	var all []file
	for f, err := range c.unfinishedFilesFrom(c.bucket.ID, "u"+c.bucket.ID, l.prefix) {
		if err != nil {
			return err
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b file) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.CreationOrder, b.CreationOrder))
	})
	keyMarker, idMarker := c.query.Get("key-marker"), c.query.Get("upload-id-marker")
	_, _, order, _ := readFileID(idMarker)
	w := walk{bucketID: c.bucket.ID, prefix: l.prefix, delimiter: l.delimiter}
	uploads, more, err := takePage(func(yield func(file, error) bool) {
		inside := ""
		for _, f := range all {
			in := w.listedFolderIfAny(f.Name)
			name := cmp.Or(in, f.Name)
			seen := name < keyMarker || name == keyMarker && (in != "" || idMarker == "" || f.CreationOrder <= order)
			if seen || in != "" && in == inside {
				continue
			}
			if inside = in; in != "" {
				f = file{Action: folder, Name: in}
			}
			if !yield(f, nil) {
				return
			}
		}
	}, l.pageSize)
	if err != nil {
		return err
	}
	c.printUploads(l, uploads, more)
	c.classCTransactionsIfNotOne = transactionsForItems(len(uploads))
	return nil
}

func (c *s3Call) printUploads(l listingRequest, uploads []file, more bool) {
	w := &c.replyBody
	w.beginDocument("ListMultipartUploadsResult")
	w.text("Bucket", c.bucket.Name)
	l.printKey(w, "KeyMarker", c.query.Get("key-marker"))
	w.text("UploadIdMarker", c.query.Get("upload-id-marker"))
	if more {
		last := uploads[len(uploads)-1]
		l.printKey(w, "NextKeyMarker", last.Name)
		w.textIf("NextUploadIdMarker", last.ID)
	}
	l.printKey(w, "Prefix", l.prefix)
	if l.delimiter != "" {
		l.printKey(w, "Delimiter", l.delimiter)
	}
	if l.percentEncodesKeys {
		w.text("EncodingType", "url")
	}
	w.number("MaxUploads", int64(l.pageSize))
	w.flag("IsTruncated", more)
	var folders []string
	for _, f := range uploads {
		if f.Action == folder {
			folders = append(folders, f.Name)
			continue
		}
		w.begin("Upload")
		l.printKey(w, "Key", f.Name)
		w.text("UploadId", f.ID)
		w.owner("Initiator", c.server.account.ID)
		w.owner("Owner", c.server.account.ID)
		w.text("StorageClass", "STANDARD")
		w.time("Initiated", f.UploadMillis)
		w.end("Upload")
	}
	l.printFolders(w, folders)
	w.end("ListMultipartUploadsResult")
}
