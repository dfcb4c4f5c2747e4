package emulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Limits of large files; see "Large Files".
const (
	maxParts        = 10_000
	defaultPartPage = 100
	maxPartPage     = 1000
)

func getUploadPartURL(c *call) error {
	id := c.in.requiredText("fileId")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if _, err := c.unfinishedFile(id); err != nil {
		return err
	}
	w := &c.out
	w.begin("", '{')
	w.text("authorizationToken", c.newUploadToken(id))
	w.text("fileId", id)
	w.text("uploadUrl", fmt.Sprintf("%s/b2api/v%d/b2_upload_part/%s/0000", c.server.url("pod"), c.version, id))
	w.end('}')
	return nil
}

// beginPart is the first step of b2_upload_part.
func beginPart(c *call) error {
	id, _, _ := strings.Cut(c.pathAfterMethod, "/")
	if err := c.identifyAndHoldToken(id); err != nil {
		return err
	}
	f, err := c.unfinishedFile(id)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(c.http.Header.Get("X-Bz-Part-Number"))
	if err != nil {
		return badRequest("X-Bz-Part-Number must be a number")
	}
	if err := c.prepareIncomingPart(f, int64(number)); err != nil {
		return err
	}
	_, key, err := headerEncryption(c.http.Header)
	if err != nil {
		return err
	}
	if key != f.CustomerKeyMD5 {
		return badRequest("The customer key is not that of the large file")
	}
	return c.readLengthAndDigest()
}

// prepareIncomingPart prepares incoming for a part of the large file. A part may be
// replaced, so its content has a name of its own.
func (c *call) prepareIncomingPart(f file, number int64) error {
	if number < 1 || number > maxParts {
		return badRequest("partNumber must be from 1 to %d: %d", maxParts, number)
	}
	c.incoming = &incoming{targetFile: f, partNumber: int(number), contentID: fmt.Sprintf("%s.%x", f.ID, nextNumber(c.tx, "part"))}
	return nil
}

// keepPart is the last step of b2_upload_part and b2_copy_part. The large file
// may be finished or cancelled meanwhile.
func keepPart(c *call) error {
	p, err := c.keepPart()
	if err == nil {
		c.out.part(c.incoming.targetFile, p)
	}
	return err
}

func (c *call) keepPart() (part, error) {
	in := c.incoming
	f, err := c.unfinishedFile(in.targetFile.ID)
	if err != nil {
		return part{}, c.discardContent(in.contentID, err)
	}
	p := part{
		Number: in.partNumber, ContentID: in.contentID, Length: in.length, SHA1: in.sha1, MD5: in.md5, UploadMillis: c.now.UnixMilli(),
	}
	at := partStoreKey(f.ID, p.Number)
	var old part
	if replaced, err := load(c.tx, at, &old); err != nil {
		return p, err
	} else if replaced {
		c.dropContentAfterCommit(old.ContentID)
	}
	save(c.tx, at, p)
	return p, nil
}

func (w *jsonPrinter) part(f file, p part) {
	w.begin("", '{')
	w.number("contentLength", p.Length)
	w.text("contentMd5", p.MD5)
	w.text("contentSha1", p.SHA1)
	w.text("fileId", f.ID)
	w.number("partNumber", int64(p.Number))
	w.fileEncryption(f)
	w.number("uploadTimestamp", p.UploadMillis)
	w.end('}')
}

func listParts(c *call) error {
	id := c.in.requiredText("fileId")
	start, _ := c.in.integer("startPartNumber")
	page, _ := c.in.integer("maxPartCount")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if start < 0 || start > maxParts || page < 0 || page > maxPartPage {
		return refuse(400, "out_of_range", "startPartNumber or maxPartCount out of range: %d, %d", start, page)
	}
	if page == 0 {
		page = defaultPartPage
	}
	f, err := c.unfinishedFile(id)
	if err != nil {
		return err
	}
	all, err := c.parts(f)
	if err != nil {
		return err
	}
	c.printParts(f, all, int(start), int(page))
	return nil
}

func (c *call) printParts(f file, all []part, start, pageSize int) {
	for len(all) > 0 && all[0].Number < start {
		all = all[1:]
	}
	next := int64(0)
	if len(all) > pageSize {
		next = int64(all[pageSize].Number)
		all = all[:pageSize]
	}
	w := &c.out
	w.begin("", '{')
	w.numberOrNull("nextPartNumber", next)
	w.begin("parts", '[')
	for _, p := range all {
		// The service lists whole seconds, though it answered uploads in more.
		p.UploadMillis = time.UnixMilli(p.UploadMillis).Truncate(time.Second).UnixMilli()
		w.part(f, p)
	}
	w.end(']')
	w.end('}')
	c.classCTransactionsIfNotOne = transactionsForItems(len(all))
}

func finishLargeFile(c *call) error {
	id := c.in.requiredText("fileId")
	c.in.require("partSha1Array")
	digests, _ := c.in.texts("partSha1Array")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	f, err := c.unfinishedFile(id)
	if err != nil {
		return err
	}
	parts, err := c.parts(f)
	if err != nil {
		return err
	}
	if err := checkParts(parts, digests); err != nil {
		return err
	}
	c.out.file(c, c.finishLarge(f, parts, parts))
	return nil
}

// checkParts compares the parts there are with those the client promises.
func checkParts(parts []part, digests []string) error {
	if len(digests) < 2 {
		return badRequest("large files must have at least 2 parts")
	}
	for i, digest := range digests {
		switch {
		case i >= len(parts) || parts[i].Number != i+1:
			return refuse(400, "missing_part", "Part number %d has not been uploaded", i+1)
		case strings.TrimPrefix(parts[i].SHA1, unverifiedPrefix) != strings.TrimPrefix(digest, unverifiedPrefix):
			return refuse(400, "part_sha1_mismatch", "Part number %d has a different SHA1 checksum", i+1)
		case parts[i].Length < smallestPart && i < len(digests)-1:
			return badRequest("Part number %d is smaller than %d bytes", i+1, smallestPart)
		}
	}
	if len(parts) > len(digests) {
		return badRequest("partSha1Array has %d checksums for %d parts", len(digests), len(parts))
	}
	return nil
}
