package emulator

// current gives the newest finished version of a name or its hide marker.
func (c *call) current(bucketID, name string) (f file, found bool, err error) {
	prefix := "f" + bucketID + "/" + name + "\x00"
	for at, data := range c.tx.scan(prefix, prefix) {
		if err := decode(at, data, &f); err != nil {
			return f, false, err
		}
		if f.Action != started {
			return f, true, nil
		}
		f = file{}
	}
	return f, false, nil
}

func hideFile(c *call) error {
	bucketID, name := c.in.requiredText("bucketId"), c.in.requiredText("fileName")
	if err := c.in.finish(c.strict()); err != nil {
		return err
	}
	if _, err := c.fileBucket(bucketID); err != nil {
		return err
	}
	if !c.mayName(name) {
		return unauthorized()
	}
	f, found, err := c.current(bucketID, name)
	switch {
	case err != nil:
		return err
	case !found:
		return refuse(400, "no_such_file", "File not present: %s", name)
	case f.Action == hidden:
		return refuse(400, "already_hidden", "File already hidden: %s", name)
	}
	f = c.newFile(bucketID, name, hidden)
	f.ContentType, f.SHA1, f.MD5 = hideMarkerType, emptySHA1, emptyMD5
	c.addFile(f)
	c.out.file(c, f)
	return nil
}

func deleteFileVersion(c *call) error {
	name, id := c.in.requiredText("fileName"), c.in.requiredText("fileId")
	bypass, _ := c.in.flag("bypassGovernance")
	if err := c.in.finish(c.strict()); err != nil {
		return err
	}
	f, found, err := c.findFile(id)
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
	retained := f.Lock.Until > c.now.UnixMilli() && !(bypass && f.Lock.Mode == "governance")
	if retained || f.Lock.Hold == "on" {
		return refuse(401, "access_denied", "Access Denied")
	}
	return nil
}
