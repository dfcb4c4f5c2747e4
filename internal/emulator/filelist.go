package emulator

import (
	"iter"
	"strings"
)

// Page sizes of the file listings.
const (
	defaultFilePage   = 100
	maxFilePage       = 10_000
	maxUnfinishedPage = 100
)

// readFilePageSize reads how many files a listing wants.
func (c *call) readFilePageSize(largest int64) (int, error) {
	n, _ := c.in.integer("maxFileCount")
	if n < 0 || n > largest {
		return 0, refuse(400, "out_of_range", "maxFileCount out of range: %d", n)
	}
	if n == 0 {
		n = defaultFilePage
	}
	return int(n), nil
}

// A walk goes through the versions of one bucket.
type walk struct {
	bucketID, prefix, delimiter string
	// currentOnly visits only what b2_list_file_names shows: of each name the
	// current version, unless that hides it.
	currentOnly bool
}

func (w walk) bucketStoreKeyPrefix() string { return "f" + w.bucketID + "/" }

// listedFolderIfAny gives the folder that stands for the file in the listing, or "".
func (w walk) listedFolderIfAny(name string) string {
	if w.delimiter == "" {
		return ""
	}
	before, _, inFolder := strings.Cut(name[len(w.prefix):], w.delimiter)
	if !inFolder {
		return ""
	}
	return w.prefix + before + w.delimiter
}

// filesFromStoreKey visits the files from the store's key on, in order. After a folder it
// jumps over what is inside, and after a name over its other versions, so that
// a page costs what it shows.
func (w walk) filesFromStoreKey(t tx, start string) iter.Seq2[file, error] {
	return func(yield func(file, error) bool) {
		for start != "" {
			var ok bool
			if start, ok = w.visitUntilJump(t, start, yield); !ok {
				return
			}
		}
	}
}

// visitUntilJump visits files until it is better to jump, and gives the key to jump to,
// "" at the end. Its second result is false when the visitor has enough.
func (w walk) visitUntilJump(t tx, start string, yield func(file, error) bool) (nextKey string, goOn bool) {
	for key, data := range t.scan(start, w.bucketStoreKeyPrefix()+w.prefix) {
		name, _, _ := strings.Cut(key[len(w.bucketStoreKeyPrefix()):], "\x00")
		in := w.listedFolderIfAny(name)
		if in != "" && !w.currentOnly {
			return w.storeKeyPastFolder(in), yield(file{Action: folder, BucketID: w.bucketID, Name: in}, nil)
		}
		f, err := readFile(key, data)
		if err != nil {
			return "", yield(file{}, err)
		}
		switch {
		case !w.currentOnly:
			if !yield(f, nil) {
				return "", false
			}
		case f.Action == started:
		case f.Action == hidden:
			return w.bucketStoreKeyPrefix() + name + "\x01", true
		case in != "":
			return w.storeKeyPastFolder(in), yield(file{Action: folder, BucketID: w.bucketID, Name: in}, nil)
		default:
			return w.bucketStoreKeyPrefix() + name + "\x01", yield(f, nil)
		}
	}
	return "", true
}

// storeKeyPastFolder is a key after everything in the folder: no name holds the byte 0xff.
func (w walk) storeKeyPastFolder(folder string) string {
	return w.bucketStoreKeyPrefix() + folder + "\xff"
}

// readWalk reads the members that both listings share.
func (c *call) readWalk(currentOnly bool) (request walk, startFileName string) {
	w := walk{
		bucketID: c.in.requiredText("bucketId"), prefix: c.in.text("prefix"),
		delimiter: c.in.text("delimiter"), currentOnly: currentOnly,
	}
	return w, c.in.text("startFileName")
}

// checkWalk finds the bucket and enforces the caller's restrictions: a key
// with a name prefix must ask for no more than that. No file has a NUL in its
// name, and the store's keys mean something else by it.
func (c *call) checkWalk(w walk) error {
	if strings.Contains(w.prefix, "\x00") {
		return badRequest("File names must not contain control characters or backslashes")
	}
	if _, err := c.allowedBucketWithValidID(w.bucketID); err != nil {
		return err
	}
	if !c.mayUseFileName(w.prefix) {
		return unauthorized()
	}
	return nil
}

func listFileNames(c *call) error {
	w, startName := c.readWalk(true)
	page, wrong := c.readFilePageSize(maxFilePage)
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if wrong != nil {
		return wrong
	}
	if err := c.checkWalk(w); err != nil {
		return err
	}
	next, err := c.printFilesUnclosed(w.filesFromStoreKey(c.tx, w.bucketStoreKeyPrefix()+max(startName, w.prefix)), page)
	if err != nil {
		return err
	}
	c.out.textOrNull("nextFileName", next.Name)
	c.out.end('}')
	return nil
}

func listFileVersions(c *call) error {
	w, startName := c.readWalk(false)
	startID := c.in.text("startFileId")
	page, wrong := c.readFilePageSize(maxFilePage)
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if wrong != nil {
		return wrong
	}
	if startID != "" && startName == "" {
		return badRequest("startFileName must be specified if startFileId is specified")
	}
	if err := c.checkWalk(w); err != nil {
		return err
	}
	start, err := c.versionStartStoreKey(w, startName, startID)
	if err != nil {
		return err
	}
	next, err := c.printFilesUnclosed(w.filesFromStoreKey(c.tx, start), page)
	if err != nil {
		return err
	}
	c.out.textOrNull("nextFileId", next.ID)
	c.out.textOrNull("nextFileName", next.Name)
	c.out.end('}')
	return nil
}

// versionStartStoreKey is the key of the version to begin with, or where it would be
// were it not gone.
func (c *call) versionStartStoreKey(w walk, name, id string) (string, error) {
	if id == "" {
		return w.bucketStoreKeyPrefix() + max(name, w.prefix), nil
	}
	bucketID, millis, order, ok := readFileID(id)
	if !ok || bucketID != w.bucketID {
		return "", badRequest("Invalid startFileId: %s", id)
	}
	if at := c.tx.get("i" + id); at != nil {
		return string(at), nil
	}
	return versionStoreKey(w.bucketID, name, millis, order), nil
}

// printFilesUnclosed prints one page and leaves the object open. next is the file that
// the page after it begins with.
func (c *call) printFilesUnclosed(files iter.Seq2[file, error], pageSize int) (next file, err error) {
	w := &c.out
	listed := 0
	w.begin("", '{')
	w.begin("files", '[')
	for f, err := range files {
		if err != nil {
			return file{}, err
		}
		if listed == pageSize {
			next = f
			break
		}
		w.file(c, f)
		listed++
	}
	w.end(']')
	c.classCTransactionsIfNotOne = transactionsForItems(listed)
	return next, nil
}

func listUnfinishedLargeFiles(c *call) error {
	bucketID, prefix := c.in.requiredText("bucketId"), c.in.text("namePrefix")
	startID := c.in.text("startFileId")
	page, wrong := c.readFilePageSize(maxUnfinishedPage)
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if wrong != nil {
		return wrong
	}
	if err := c.checkWalk(walk{bucketID: bucketID, prefix: prefix}); err != nil {
		return err
	}
	start := "u" + bucketID
	if startID != "" {
		inBucket, _, order, ok := readFileID(startID)
		if !ok || inBucket != bucketID {
			return badRequest("Invalid startFileId: %s", startID)
		}
		start = unfinishedStoreKey(bucketID, order)
	}
	next, err := c.printFilesUnclosed(c.unfinishedFilesFrom(bucketID, start, prefix), page)
	if err != nil {
		return err
	}
	c.out.textOrNull("nextFileId", next.ID)
	c.out.textOrNull("nextFileName", next.Name)
	c.out.end('}')
	return nil
}

// unfinishedFilesFrom visits the bucket's unfinished large files in the order of their
// start.
func (c *call) unfinishedFilesFrom(bucketID, startStoreKey, namePrefix string) iter.Seq2[file, error] {
	return func(yield func(file, error) bool) {
		for _, at := range c.tx.scan(startStoreKey, "u"+bucketID) {
			f, _, err := loadFile(c.tx, string(at))
			if !strings.HasPrefix(f.Name, namePrefix) {
				continue
			}
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}
