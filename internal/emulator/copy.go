package emulator

import (
	"cmp"
	"io"
)

// maxCopy is the largest source of one copy, in bytes.
const maxCopy = 5_000_000_000

// A fileRange is what a copy reads: a file, and of it a range of bytes.
type fileRange struct {
	file         file
	from, length int64
}

// allowedCopySource finds the file that a copy names, which the caller must be able
// to read, and the range it wants.
func (c *call) allowedCopySource(id, byteRange string) (fileRange, error) {
	f, found, err := c.findAllowedFile(id)
	if err != nil {
		return fileRange{}, err
	}
	if !found || f.Action != uploaded {
		return fileRange{}, refuse(404, "not_found", "file_state_none")
	}
	b, err := c.loadBucket(f.BucketID)
	if err != nil {
		return fileRange{}, err
	}
	if b.Type != "allPublic" && !c.may("readFiles") {
		return fileRange{}, unauthorized()
	}
	s := fileRange{file: f, length: f.Length}
	if byteRange != "" {
		if s.from, s.length, err = parseRange(byteRange, f.Length); err != nil {
			return fileRange{}, err
		}
	}
	if s.length > maxCopy {
		return fileRange{}, refuse(400, "source_too_large", "Copy source too big: %d", s.length)
	}
	return s, nil
}

// checkSourceCustomerKey checks the key of a source that its customer encrypted.
func (c *call) checkSourceCustomerKey(f file) error {
	e, key, err := c.readFileEncryption("sourceServerSideEncryption", f.Encryption)
	switch {
	case err != nil:
		return err
	case f.CustomerKeyMD5 == "" && e != f.Encryption:
		return badRequest("sourceServerSideEncryption is not that of the source")
	}
	return f.checkCustomerKeyMD5(key)
}

// beginCopy is the first step of b2_copy_file.
func beginCopy(c *call) error {
	sourceID, name := c.in.requiredText("sourceFileId"), c.in.requiredText("fileName")
	bucketID, byteRange := c.in.text("destinationBucketId"), c.in.text("range")
	directive, kind := c.in.text("metadataDirective"), c.in.text("contentType")
	info, hasInfo := c.in.pairs("fileInfo")
	wish := c.readLockRequest()
	s, missing := c.allowedCopySource(sourceID, byteRange)
	wrongKey := c.checkSourceCustomerKey(s.file)
	encrypted, customerKey, wrong := c.readFileEncryption("destinationServerSideEncryption", encryption{})
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	for _, err := range []error{missing, wrongKey, wrong, checkFileName(name), checkFileInfo(info)} {
		if err != nil {
			return err
		}
	}
	if bucketID == "" {
		bucketID = s.file.BucketID
	}
	b, err := c.allowedBucketWithValidID(bucketID)
	if err != nil {
		return err
	}
	if !c.mayUseFileName(name) {
		return unauthorized()
	}
	f := c.newFile(b.ID, name, uploaded)
	f.Encryption, f.CustomerKeyMD5 = cmp.Or(encrypted, c.server.defaultFileEncryption(b)), customerKey
	switch {
	case directive == "REPLACE" && kind != "":
		f.ContentType, f.Info = contentType(kind, name), info
	case (directive == "" || directive == "COPY") && kind == "" && !hasInfo:
		f.ContentType, f.Info = s.file.ContentType, s.file.Info
	default:
		return badRequest("metadataDirective COPY takes no contentType and fileInfo, REPLACE needs a contentType: '%s'", directive)
	}
	f.ReplicationStatus = b.initialReplicationStatus(f)
	if f.Lock, err = c.newLock(b, wish); err != nil {
		return err
	}
	if err := f.checkInfoSize(b.FileLockEnabled || encrypted != encryption{}); err != nil {
		return err
	}
	c.incoming = &incoming{targetFile: f, contentID: f.ID, source: s, length: s.length}
	return nil
}

// finishCopy is the last step of b2_copy_file.
func finishCopy(c *call) error {
	f := c.incoming.completedFile()
	if _, err := c.loadBucket(f.BucketID); err != nil {
		return c.discardContent(f.ID, err)
	}
	c.addFile(f)
	f.Action = "copy" // in this reply only
	c.out.file(c, f)
	return nil
}

// beginCopyPart is the first step of b2_copy_part.
func beginCopyPart(c *call) error {
	sourceID, largeID := c.in.requiredText("sourceFileId"), c.in.requiredText("largeFileId")
	c.in.require("partNumber")
	number, _ := c.in.integer("partNumber")
	s, missing := c.allowedCopySource(sourceID, c.in.text("range"))
	wrongKey := c.checkSourceCustomerKey(s.file)
	_, customerKey, wrong := c.readFileEncryption("destinationServerSideEncryption", encryption{})
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	for _, err := range []error{missing, wrongKey, wrong} {
		if err != nil {
			return err
		}
	}
	f, err := c.unfinishedFile(largeID)
	if err != nil {
		return err
	}
	if customerKey != f.CustomerKeyMD5 {
		return badRequest("The customer key is not that of the large file")
	}
	if err := c.prepareIncomingPart(f, number); err != nil {
		return err
	}
	c.incoming.source, c.incoming.length = s, s.length
	return nil
}

// receiveCopy is the second step of both copies.
func receiveCopy(c *call) error {
	in := c.incoming
	r := c.server.openRange(in.source)
	if err := c.storeIncomingContent(r); err != nil {
		return c.discardContent(in.contentID, closeAfterError(r, err))
	}
	return r.Close()
}

func closeAfterError(r io.Closer, err error) error {
	// What went wrong first is what matters.
	_ = r.Close()
	return err
}
