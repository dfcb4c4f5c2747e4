package secret

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Names of the temporary files that deliveries are written to.
const (
	tempPrefix = ".b2form-"
	tempSuffix = ".tmp"
)

// checkNotProtectedGitOrTempName refuses a path at which a delivery would destroy what others live from:
// the files at protected, the insides of a Git repository, and the temporary file
// of another delivery. Links in folders are seen through, and names compared as
// file systems do that do not tell cases apart.
func checkNotProtectedGitOrTempName(path string, protected []string) error {
	if isTempName(path) {
		return fmt.Errorf("%s is named like a temporary file of b2form: choose another name", path)
	}
	real, err := resolveFolderLinks(path)
	if err != nil {
		return fmt.Errorf("%s cannot be used: %w", path, errorWithoutPath(err))
	}
	for _, name := range strings.Split(filepath.ToSlash(real), "/") {
		if strings.EqualFold(name, ".git") {
			return fmt.Errorf("%s is inside of a Git repository's own folder: choose a path outside of .git", path)
		}
	}
	if p := FindSameFile(real, protected); p != "" {
		return fmt.Errorf("it would replace %s, which b2form itself needs: choose another path", p)
	}
	return nil
}

// FindSameFile is the first of the files that path leads to, whether or not it exists; "": none. Names are compared
// as file systems do that do not tell cases apart.
func FindSameFile(path string, files []string) string {
	real, err := resolveFolderLinks(path)
	if err != nil {
		return ""
	}
	for _, f := range files {
		other, err := resolveFolderLinks(f)
		if err == nil && (strings.EqualFold(real, other) || isSameFile(real, other)) {
			return f
		}
	}
	return ""
}

// resolveFolderLinks is an absolute path without links in its folders, as far as they exist.
func resolveFolderLinks(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	dir, rest := filepath.Split(path)
	for {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			return filepath.Join(real, rest), nil
		}
		up := filepath.Dir(filepath.Clean(dir))
		if !errors.Is(err, fs.ErrNotExist) || up == filepath.Clean(dir) {
			return "", err
		}
		rest = filepath.Join(filepath.Base(filepath.Clean(dir)), rest)
		dir = up
	}
}

func isSameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}
