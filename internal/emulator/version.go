package emulator

// findNewestVersion gives the newest finished version of a name or its hide marker.
func (c *call) findNewestVersion(bucketID, name string) (f file, found bool, err error) {
	prefix := "f" + bucketID + "/" + name + "\x00"
	for at, data := range c.tx.scan(prefix, prefix) {
		f, err := readFile(at, data)
		if err != nil {
			return f, false, err
		}
		if f.Action != started {
			return f, true, nil
		}
	}
	return f, false, nil
}

func hideFile(c *call) error {
	bucketID, name := c.in.requiredText("bucketId"), c.in.requiredText("fileName")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if _, err := c.allowedBucketWithValidID(bucketID); err != nil {
		return err
	}
	if !c.mayUseFileName(name) {
		return unauthorized()
	}
	f, found, err := c.findNewestVersion(bucketID, name)
	switch {
	case err != nil:
		return err
	case !found:
		return refuse(400, "no_such_file", "File not present: %s", name)
	case f.Action == hidden:
		return refuse(400, "already_hidden", "File already hidden: %s", name)
	}
	f = c.newHideMarker(bucketID, name)
	c.addFile(f)
	c.out.file(c, f)
	return nil
}

// newHideMarker gives a hide marker of this moment.
func (c *call) newHideMarker(bucketID, name string) file {
	f := c.newFile(bucketID, name, hidden)
	f.ContentType, f.SHA1, f.MD5OrETag = hideMarkerType, emptySHA1, emptyMD5
	return f
}

func deleteFileVersion(c *call) error {
	name, id := c.in.requiredText("fileName"), c.in.requiredText("fileId")
	bypass, _ := c.in.flag("bypassGovernance")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	f, found, err := c.findAllowedFile(id)
	if err != nil {
		return err
	}
	if !found || f.Name != name {
		return refuse(400, "file_not_present", "File not present: %s %s", name, id)
	}
	if err := c.checkLock(f, bypass); err != nil {
		return err
	}
	if err := c.removeFile(f); err != nil {
		return err
	}
	w := &c.out
	w.begin("", '{')
	w.text("fileId", id)
	w.text("fileName", name)
	w.end('}')
	return nil
}

// checkLock refuses to touch a version under Object Lock. Whoever asks to
// bypass governance must have the capability even where nothing is locked.
func (c *call) checkLock(f file, bypass bool) error {
	if bypass && !c.may("bypassGovernance") {
		return unauthorized()
	}
	retained := f.Lock.UntilMillis > c.now.UnixMilli() && !(bypass && f.Lock.Mode == "governance")
	if retained || f.Lock.Hold == "on" {
		return refuse(401, "access_denied", "Access Denied")
	}
	return nil
}

func getFileInfo(c *call) error {
	id := c.in.requiredText("fileId")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if !isFileID(id) {
		// Clients take a text that begins so for a missing file.
		return badRequest("Bad fileId: %s", id)
	}
	f, found, err := c.findAllowedFile(id)
	if err != nil {
		return err
	}
	if !found {
		return refuse(404, "not_found", "file_state_none")
	}
	c.out.file(c, f)
	return nil
}

func updateLegalHold(c *call) error {
	name, id, hold := c.in.requiredText("fileName"), c.in.requiredText("fileId"), c.in.requiredText("legalHold")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	f, err := c.lockableFile(name, id)
	if err != nil {
		return err
	}
	if hold != "on" && hold != "off" {
		return badRequest("legalHold must be on or off: '%s'", hold)
	}
	f.Lock.Hold = hold
	saveFile(c.tx, f)
	w := &c.out
	w.begin("", '{')
	w.text("fileId", id)
	w.text("fileName", name)
	w.text("legalHold", hold)
	w.end('}')
	return nil
}

func updateRetention(c *call) error {
	name, id := c.in.requiredText("fileName"), c.in.requiredText("fileId")
	c.in.require("fileRetention")
	var wish lockRequest
	if in := c.in.object("fileRetention"); in != nil {
		wish.Mode = in.text("mode")
		wish.UntilMillis, _ = in.integer("retainUntilTimestamp")
	}
	bypass, _ := c.in.flag("bypassGovernance")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	f, err := c.lockableFile(name, id)
	if err != nil {
		return err
	}
	if err := c.checkRetentionChange(f.Lock, wish, bypass); err != nil {
		return err
	}
	f.Lock.Mode, f.Lock.UntilMillis = wish.Mode, wish.UntilMillis
	saveFile(c.tx, f)
	w := &c.out
	w.begin("", '{')
	w.text("fileId", id)
	w.text("fileName", name)
	w.fileRetention("fileRetention", f.Lock)
	w.end('}')
	return nil
}

// lockableFile gives a version whose bucket has Object Lock.
func (c *call) lockableFile(name, id string) (file, error) {
	f, found, err := c.findAllowedFile(id)
	if err != nil {
		return f, err
	}
	if !found || f.Name != name || f.Action == hidden {
		if b, err := c.loadBucket(f.BucketID); err == nil && !b.FileLockEnabled {
			return f, fileLockDisabledError()
		}
		return f, refuse(400, "file_not_present", "File not present: %s %s", name, id)
	}
	b, err := c.loadBucket(f.BucketID)
	if err == nil && !b.FileLockEnabled {
		err = fileLockDisabledError()
	}
	return f, err
}

// checkRetentionChange lets a retention grow, and shrink or go only with a bypass of
// governance.
func (c *call) checkRetentionChange(old fileLock, wish lockRequest, bypass bool) error {
	if bypass && !c.may("bypassGovernance") {
		return accessDenied()
	}
	if wish.Mode != "" || wish.UntilMillis != 0 {
		if err := c.checkRetention(wish.Mode, wish.UntilMillis); err != nil {
			return err
		}
	}
	weaker := wish.UntilMillis < old.UntilMillis || wish.Mode != old.Mode && wish.Mode != "compliance"
	active := old.UntilMillis > c.now.UnixMilli()
	if active && weaker && !(bypass && old.Mode == "governance") {
		return accessDenied()
	}
	return nil
}
