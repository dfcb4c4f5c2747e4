package secret

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"b2form/internal/durable"
)

// assumedContentSize is reserved for a template that cannot be tried in advance.
const assumedContentSize = 4096

// A tempFile is a file that will be made or replaced: a temporary file in its
// folder, with mode 0600 and the space that is needed. It has no name where that is
// possible, which it is not where a file is to be replaced.
type tempFile struct {
	targetPath   string
	file         *os.File         // nil: published or abandoned
	tempPath     string           // path of the temporary file; "": it has no name
	tempFileList *TempFileJournal // of those that have one
	mayReplace   func() bool      // see DeliveryOptions.MayReplace
}

// reserveTempFile proves that path can be written and holds size bytes for it. What is
// at path is not touched before publish.
func reserveTempFile(targetPath string, size int, mayReplace func() bool, list *TempFileJournal) (*tempFile, error) {
	f := &tempFile{targetPath: targetPath, tempFileList: list, mayReplace: mayReplace}
	if err := f.checkReplaceable(); err != nil {
		return nil, err
	}
	f.targetPath = filepath.Clean(targetPath)
	dir := filepath.Dir(targetPath)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder %s cannot be created: %w", dir, errorWithoutPath(err))
	}
	if _, err := os.Lstat(targetPath); errors.Is(err, fs.ErrNotExist) {
		f.file = createUnnamedIfSupported(dir)
	}
	if f.file == nil {
		if err := f.createNamed(filepath.Join(dir, tempPrefix+filepath.Base(targetPath)+tempSuffix)); err != nil {
			return nil, err
		}
	}
	_, err := f.file.Write(make([]byte, size))
	if err == nil {
		err = f.file.Sync() // some file systems find out only now that they are full
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("there is no room for %s: %w", targetPath, errorWithoutPath(err)), f.discard())
	}
	return f, nil
}

func (f *tempFile) createNamed(path string) (err error) {
	if err := f.tempFileList.add(path); err != nil {
		return err
	}
	if f.file, err = recreateTempFile(path); err != nil {
		f.tempFileList.unlist(path)
		return fmt.Errorf("the folder %s cannot be written to: %w", filepath.Dir(path), errorWithoutPath(err))
	}
	f.tempPath = path
	return nil
}

// recreateTempFile makes the file anew, readable by its owner alone. The name is always
// the same, so that what a killed run left, perhaps with a secret, goes with the
// next one.
func recreateTempFile(path string) (*os.File, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

// checkReplaceable refuses what a rename would silently destroy, or could not replace.
func checkReplaceable(path string) error {
	if path == "" || os.IsPathSeparator(path[len(path)-1]) {
		return fmt.Errorf("%q names no file", path)
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%s cannot be used: %w", path, errorWithoutPath(err))
	case info.IsDir():
		return fmt.Errorf("%s is a directory: add a file name", path)
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link: write the path of the file that it points to", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	}
	return nil
}

// checkReplaceable is the function of that name, and refuses a file that may not be replaced.
func (f *tempFile) checkReplaceable() error {
	if err := checkReplaceable(f.targetPath); err != nil {
		return err
	}
	if !f.mayReplace() {
		return fmt.Errorf("%s appeared after the plan was made, and nothing tells that b2form wrote it: move it away, or run again and "+
			"look at the plan", f.targetPath)
	}
	return nil
}

// writeContent writes the content where it is not seen yet, and makes it durable.
func (f *tempFile) writeContent(content string) error {
	_, err := f.file.WriteAt([]byte(content), 0)
	if err == nil {
		err = f.file.Truncate(int64(len(content)))
	}
	if err == nil {
		err = f.file.Sync()
	}
	return errorWithoutPath(err)
}

// publish puts the file into place.
func (f *tempFile) publish() error {
	if err := f.checkReplaceable(); err != nil {
		return err
	}
	if f.tempPath == "" {
		if err := nameFile(f.file, f.targetPath); err != nil {
			return errorWithoutPath(err)
		}
	}
	if err := f.file.Close(); err != nil && f.tempPath != "" { // what has its name was synced before
		return errorWithoutPath(err)
	}
	if f.tempPath != "" {
		if err := os.Rename(f.tempPath, f.targetPath); err != nil {
			return errorWithoutPath(err)
		}
		f.tempFileList.unlist(f.tempPath)
	}
	f.file = nil
	return errorWithoutPath(durable.SyncDir(filepath.Dir(f.targetPath)))
}

// discard removes the temporary file, if it is still there.
func (f *tempFile) discard() error {
	if f.file == nil {
		return nil
	}
	f.file.Close()
	if f.tempPath != "" {
		if err := os.Remove(f.tempPath); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		f.tempFileList.unlist(f.tempPath)
	}
	f.file = nil
	return nil
}

// errorWithoutPath is the operating system's words without the names of temporary files.
func errorWithoutPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}
