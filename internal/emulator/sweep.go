package emulator

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// removeOrphanedContent removes contents that belong to no file: what a killed process was
// about to store or to drop.
func (s *Server) removeOrphanedContent(folder folderContentStore) error {
	return s.store.view(func(t tx) error {
		o := contentOwners{call: &call{server: s, tx: t}}
		root := filepath.Join(string(folder), contentDirName)
		return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if path == root && errors.Is(err, fs.ErrNotExist) {
				return fs.SkipAll
			}
			if err != nil || d.IsDir() {
				return err
			}
			owned, err := o.hasOwner(d.Name())
			if err != nil || owned {
				return err
			}
			return os.Remove(path)
		})
	})
}

// contentOwners finds out to which files contents belong. It remembers the file it met
// last, since the pieces of large files come one after another.
type contentOwners struct {
	call           *call
	lastFileID     string
	lastContentIDs map[string]bool // of the last file
}

// hasOwner reports whether a file has the content.
func (o *contentOwners) hasOwner(contentID string) (bool, error) {
	id, _, _ := strings.Cut(contentID, ".")
	if id != o.lastFileID {
		f, _, err := loadFile(o.call.tx, string(o.call.tx.get("i"+id)))
		if err != nil {
			return false, err
		}
		if f.Action == uploaded && f.LargeFileParts == nil {
			return id == contentID, nil
		}
		parts, err := o.call.parts(f)
		if err != nil {
			return false, err
		}
		o.lastFileID, o.lastContentIDs = id, map[string]bool{}
		for _, p := range f.LargeFileParts {
			o.lastContentIDs[p.ContentID] = true
		}
		for _, p := range parts {
			o.lastContentIDs[p.ContentID] = true
		}
	}
	return o.lastContentIDs[contentID], nil
}
