package emulator

import (
	"cmp"
	"fmt"
	"maps"
)

// A part is a piece of a large file that is not finished.
type part struct {
	Number       int    `json:"number"`
	ContentID    string `json:"content"`
	Length       int64  `json:"length"`
	SHA1         string `json:"sha1"`
	MD5          string `json:"md5"`
	UploadMillis int64  `json:"time"`
}

func partStoreKey(fileID string, number int) string { return fmt.Sprintf("p%s%05d", fileID, number) }

// startLargeFile is b2_start_large_file.
func startLargeFile(c *call) error {
	bucketID, name := c.in.requiredText("bucketId"), c.in.requiredText("fileName")
	kind := c.in.requiredText("contentType")
	info, _ := c.in.pairs("fileInfo")
	custom, hasCustom := c.in.integer("uploadTimestamp")
	wish := c.readLockRequest()
	encrypted, customerKey, wrong := c.readFileEncryption("serverSideEncryption", encryption{})
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if wrong != nil {
		return wrong
	}
	b, err := c.allowedBucketWithValidID(bucketID)
	if err != nil {
		return err
	}
	if err := checkFileName(name); err != nil {
		return err
	}
	if !c.mayUseFileName(name) {
		return unauthorized()
	}
	if err := checkFileInfo(info); err != nil {
		return err
	}
	f := c.newFile(bucketID, name, started)
	if f.Lock, err = c.newLock(b, wish); err != nil {
		return err
	}
	f.SHA1, f.ContentType, f.Info = "none", contentType(kind, name), maps.Clone(info)
	if err := f.checkInfoSize(b.FileLockEnabled || encrypted != encryption{}); err != nil {
		return err
	}
	f.Encryption, f.CustomerKeyMD5 = cmp.Or(encrypted, c.server.defaultFileEncryption(b)), customerKey
	f.ReplicationStatus = b.initialReplicationStatus(f)
	if hasCustom {
		f.UploadMillis = custom
	}
	c.addFile(f)
	c.out.file(c, f)
	return nil
}

// unfinishedFile gives the large file with the ID as long as it is not
// finished.
func (c *call) unfinishedFile(id string) (file, error) {
	f, found, err := c.findAllowedFile(id)
	if err == nil && (!found || f.Action != started) {
		err = badRequest("No active upload for: %s", id)
	}
	return f, err
}

// cancelLargeFile is b2_cancel_large_file.
func cancelLargeFile(c *call) error {
	id := c.in.requiredText("fileId")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	f, err := c.unfinishedFile(id)
	if err != nil {
		return err
	}
	if err := c.removeFile(f); err != nil {
		return err
	}
	w := &c.out
	w.begin("", '{')
	w.text("accountId", c.server.account.ID)
	w.text("bucketId", f.BucketID)
	w.text("fileId", f.ID)
	w.text("fileName", f.Name)
	w.end('}')
	return nil
}

// parts gives the parts of an unfinished large file in the order of their
// numbers.
func (c *call) parts(f file) (all []part, err error) {
	prefix := "p" + f.ID
	for at, data := range c.tx.scan(prefix, prefix) {
		var p part
		if err := decode(at, data, &p); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// removeParts forgets the parts of a file and gives what they were.
func (c *call) removeParts(f file) ([]part, error) {
	all, err := c.parts(f)
	for _, p := range all {
		c.tx.remove(partStoreKey(f.ID, p.Number))
	}
	return all, err
}
