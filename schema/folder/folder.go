// Package folder reads the files that a configuration may use: those below its own
// folder and below its module's, in the git work tree around it, and no others.
package folder

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"

	"b2form/internal/words"
	"b2form/schema/wire"
)

// A Folder is where a configuration's files are read. Nothing outside of Dir, ModuleDir
// and Within is, symbolic links included, so that what a configuration depends on can
// be seen. Paths are relative to Dir, or absolute. Errors name the path, and are
// written for whoever wrote it.
type Folder struct {
	Dir           string    // the configuration's
	ModuleDir     string    // that of the module; Dir for the configuration itself
	WiderBoundary *Boundary // of the configuration; nil: Dir and ModuleDir alone
	RecordedReads Reads     // what Read, ReadText, FileExists and GlobPermittedFiles find; nil: nothing does
}

// Reads are what was found in a folder: by what was looked for, a digest of the answer. An error is none.
type Reads map[string]string

func (r Reads) record(path, what string, answer []byte) {
	if r != nil {
		r[what+" "+path] = fmt.Sprintf("%x", sha256.Sum256(answer))
	}
}

// Read is the content of a file.
func (d Folder) Read(path string) ([]byte, error) {
	content, err := d.readWithinLimit(path, math.MaxInt64)
	if err != nil {
		return nil, d.unreadableError(path, err)
	}
	d.RecordedReads.record(path, "file", content)
	return content, nil
}

// ReadConfigFile is the content of a file of the configuration itself: one that was
// found in ModuleDir and not named by anybody, by its path below that. A link is
// followed as far as it stays below ModuleDir or Dir. The error is [ErrOutside],
// [ErrIrregular], [ErrTooLarge] or the operating system's.
func (d Folder) ReadConfigFile(name string) ([]byte, error) {
	content, err := Folder{Dir: d.ModuleDir}.readWithinLimit(name, mostConfigBytes)
	if !errors.Is(err, ErrOutside) || d.ModuleDir == d.Dir {
		return content, err
	}
	rel, relErr := filepath.Rel(d.Dir, filepath.Join(d.ModuleDir, name))
	if relErr != nil || !filepath.IsLocal(rel) {
		return nil, err
	}
	return Folder{Dir: d.Dir}.readWithinLimit(rel, mostConfigBytes)
}

// mostConfigBytes is how large a file of the configuration itself may be.
const mostConfigBytes = 256 << 20

func (d Folder) readWithinLimit(path string, most int64) ([]byte, error) {
	f, err := d.open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > most {
		return nil, ErrTooLarge
	}
	return io.ReadAll(io.LimitReader(f, most))
}

// ReadText is the content of a file that must be text in UTF-8.
func (d Folder) ReadText(path string) (string, error) {
	content, err := d.Read(path)
	if err == nil && !utf8.Valid(content) {
		return "", fmt.Errorf("%q is not text in UTF-8; use filebase64(), or source in a file block", path)
	}
	return string(content), err
}

// FileExists reports whether there is a regular file. That there is something else is an
// error.
func (d Folder) FileExists(path string) (bool, error) {
	found, other := false, ""
	err := d.withReadableRoot(path, func(root *os.Root, path string) error {
		info, err := root.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err == nil && info.IsDir():
			other = "a folder"
		case err == nil && !info.Mode().IsRegular():
			other = "no regular file"
		}
		found = true
		return err
	})
	switch {
	case err != nil:
		return false, d.unreadableError(path, err)
	case other != "":
		return false, fmt.Errorf("%q is %s, and only files are looked for", path, other)
	}
	d.RecordedReads.record(path, "is there", strconv.AppendBool(nil, found))
	return found, nil
}

// GlobPermittedFiles lists the files below a folder whose paths, relative to it, match a pattern
// in which ** stands for any folders. The pattern must be valid.
func (d Folder) GlobPermittedFiles(dir, pattern string) (pathsFromDir []string, _ error) {
	var found []string
	err := d.withReadableRoot(dir, func(root *os.Root, path string) error {
		sub, err := fs.Sub(root.FS(), filepath.ToSlash(path))
		if err != nil {
			return err
		}
		all, err := doublestar.Glob(sub, pattern, doublestar.WithFilesOnly())
		for _, name := range all {
			if d.WiderBoundary.checkAndRecordRead(root.Name(), filepath.Join(path, name), d.ModuleDir) == nil {
				found = append(found, name)
			}
		}
		return err
	})
	if err != nil {
		return nil, d.unreadableError(dir, err)
	}
	d.RecordedReads.record(dir, "files "+pattern+" in", []byte(strings.Join(found, "\x00")))
	return found, nil
}

// FileSize is that of a regular file; anything else is an error.
func (d Folder) FileSize(path string) (int64, error) {
	var size int64
	err := d.withReadableRoot(path, func(root *os.Root, local string) error {
		info, err := root.Stat(local)
		if err != nil {
			return err
		}
		size = info.Size()
		switch {
		case info.IsDir():
			return errors.New("it is a folder; for all files in one, use for_each = fileset(…)")
		case !info.Mode().IsRegular():
			return ErrIrregular
		}
		return nil
	})
	if err != nil {
		return 0, d.unreadableError(path, err)
	}
	return size, nil
}

// ReadPayload reads a file, and opens it again when it is uploaded.
func (d Folder) ReadPayload(path string) (*wire.Payload, error) {
	p := &wire.Payload{SourcePath: path, Open: func() (io.ReadCloser, error) { return d.open(path) }}
	content, err := p.Open()
	if err != nil {
		return nil, d.unreadableError(path, err)
	}
	defer content.Close()
	if p.Size, p.SHA1, err = wire.SizeAndSHA1(content); err != nil {
		return nil, d.unreadableError(path, err)
	}
	return p, nil
}

// open opens a regular file. A pipe is not even opened, since that waits for its
// writer.
func (d Folder) open(path string) (f *os.File, err error) {
	err = d.withReadableRoot(path, func(root *os.Root, path string) error {
		info, err := root.Stat(path)
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeType&^fs.ModeDir != 0 {
			return ErrIrregular
		}
		f, err = root.Open(path)
		return err
	})
	return f, err
}

// withReadableRoot runs f on the folder that holds a path, with the path made relative to it.
func (d Folder) withReadableRoot(path string, f func(root *os.Root, path string) error) error {
	within, local, err := d.findReadableRoot(path)
	if err != nil {
		return err
	}
	if err := d.WiderBoundary.checkAndRecordRead(within, local, d.ModuleDir); err != nil {
		return err
	}
	root, err := os.OpenRoot(within)
	if err != nil {
		return errors.New(words.ErrorWithoutPath(err))
	}
	defer root.Close()
	err = f(root, local)
	if err != nil && leadsOutByLink(root, local) {
		return ErrOutside
	}
	return err
}

// findReadableRoot finds the widest folder that holds a path and may be read.
func (d Folder) findReadableRoot(path string) (within, local string, err error) {
	dir, err := filepath.Abs(d.Dir)
	if err != nil {
		return "", "", errors.New(words.ErrorWithoutPath(err))
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	if b := d.WiderBoundary; b != nil && b.readableRoot != "" {
		if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(filepath.Join(b.configPathFromRoot, rel)) {
			return b.readableRoot, filepath.Join(b.configPathFromRoot, rel), nil
		}
		if rel, err := filepath.Rel(b.readableRoot, path); err == nil && filepath.IsLocal(rel) {
			return b.readableRoot, rel, nil
		}
	}
	for _, folder := range []string{d.Dir, d.ModuleDir} {
		abs, err := filepath.Abs(folder)
		if err != nil {
			continue
		}
		if rel, err := filepath.Rel(abs, path); err == nil && filepath.IsLocal(rel) {
			return folder, rel, nil
		}
	}
	return "", "", ErrOutside
}

// leadsOutByLink reports whether a path leadsOut out of a folder by a symbolic link.
func leadsOutByLink(root *os.Root, path string) bool {
	if _, err := root.Stat(path); err == nil {
		return false
	}
	_, err := os.Stat(filepath.Join(root.Name(), path))
	return err == nil
}

// What is wrong with a file that is there.
var (
	ErrOutside = errors.New("it is outside of the configuration's folder and of the git work tree around it, and nothing else is " +
		"read. Whoever runs b2form can say how far files may reach, with -root=DIR")
	ErrIrregular = errors.New("it is no regular file")
	ErrTooLarge  = fmt.Errorf("has more than %d MiB", mostConfigBytes>>20)
)

func (d Folder) unreadableError(path string, err error) error {
	ofPolicies := d.WiderBoundary != nil && d.WiderBoundary.ofPolicies
	if ofPolicies && errors.Is(err, ErrOutside) {
		return fmt.Errorf("%q cannot be read: it is outside of the folder of the policies, which read nothing else", path)
	}
	if ofPolicies && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no file %q in the folder of the policies", path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		hint := ""
		if filepath.IsLocal(path) && d.ModuleDir != d.Dir {
			if _, err := os.Stat(filepath.Join(d.ModuleDir, path)); err == nil {
				hint = fmt.Sprintf("; for that in the module's folder write \"${path.module}/%s\"", path)
			}
		}
		return fmt.Errorf("there is no file %q in the configuration's folder%s", path, hint)
	}
	return fmt.Errorf("%q cannot be read: %s", path, words.ErrorWithoutPath(err))
}
