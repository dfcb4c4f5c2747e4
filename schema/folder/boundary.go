package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// A Boundary is how far the files reach that a configuration may use: its folder, and
// the git work tree around it or what whoever runs b2form names instead. It knows what
// is never read, wherever that lies.
type Boundary struct {
	readableRoot       string // the boundary, without links; "": dir
	configPathFromRoot string // dir, from top
	gitIgnored         *gitIgnores
	forbiddenPaths     []forbiddenPath
	pathsReadSoFar     []string                  // what was read so far, without links; only while the configuration is loaded
	symlinksByDir      map[string]*symlinksInDir // of what was refused; only while the configuration is loaded
	loadingEnded       bool
	ofPolicies         bool
}

// NewPolicyBoundary is that of a folder of policies: nothing outside of it is read.
func NewPolicyBoundary(dir string) *Boundary {
	b, _ := NewBoundary(dir, dir, "") // reading the folder says what is wrong with it
	b.ofPolicies = true
	return b
}

// A forbiddenPath is a path that is never read, absolute and without links.
type forbiddenPath struct {
	path              string
	dottedSuffixesToo bool // nor what is called so, with a period and more behind it
	reason            string
}

// NewBoundary finds the boundary of the configuration in dir. root replaces the work
// tree; "": the work tree counts, unless it is the home folder or that of another user.
// The error says what is wrong with root.
func NewBoundary(dir, rootOverride, home string) (*Boundary, error) {
	b := &Boundary{}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return b, nil // loading the folder says what is wrong
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return b, nil // likewise
	}
	if rootOverride == "" {
		if b.readableRoot = FindGitWorkTree(real, home); b.readableRoot != "" {
			b.gitIgnored = newGitIgnores(b.readableRoot)
		}
	} else if b.readableRoot, err = rootContaining(rootOverride, real); err != nil {
		return b, err
	}
	if b.readableRoot != "" {
		b.configPathFromRoot, _ = filepath.Rel(b.readableRoot, real) // both are absolute, and one holds the other
	}
	return b, nil
}

// rootContaining is root without links, which must hold another.
func rootContaining(root, dir string) (string, error) {
	abs, err := filepath.Abs(root)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return "", fmt.Errorf("the folder %q cannot be found", root)
	}
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return "", fmt.Errorf("%q is no folder", root)
	}
	if !isSameOrBelow(abs, dir) {
		return "", fmt.Errorf("the folder %q does not hold the configuration's folder", root)
	}
	return abs, nil
}

// FindGitWorkTree is the git work tree around a folder, which is an absolute path without links; "": there is none that
// counts. As with git's safe.directory, one that belongs to another user does not, nor does the folder home.
func FindGitWorkTree(dir, home string) string {
	if real, err := filepath.EvalSymlinks(home); err == nil {
		home = real
	}
	for at := dir; ; at = filepath.Dir(at) {
		if at == filepath.Dir(at) {
			return "" // the root of the file system is no work tree
		}
		git, err := os.Lstat(filepath.Join(at, ".git"))
		if err != nil {
			continue
		}
		info, err := os.Lstat(at)
		if err != nil || at == home || !ownedByUs(info) || !ownedByUs(git) {
			return ""
		}
		return at
	}
}

// Refuse says that a path is never read; with companions neither is what is called so
// and a period behind it. It reports whether it was read already.
func (b *Boundary) Refuse(path, why string, dottedSuffixesToo bool) (wasRead bool) {
	real, err := b.cachedWithoutLinks(path)
	if err != nil {
		return false // then no file can be read at all
	}
	r := forbiddenPath{path: real, dottedSuffixesToo: dottedSuffixesToo, reason: why}
	b.forbiddenPaths = append(b.forbiddenPaths, r)
	for _, p := range b.pathsReadSoFar {
		wasRead = wasRead || r.matches(p)
	}
	return wasRead
}

// EndLoading says that the configuration is loaded: all that is refused is known.
func (b *Boundary) EndLoading() { b.loadingEnded, b.pathsReadSoFar, b.symlinksByDir = true, nil, nil }

// A symlinksInDir is one in which something is refused.
type symlinksInDir struct {
	realPath           string              // without links
	lowerCaseLinkNames map[string]struct{} // names of symbolic links in it, in small letters: a file system may take either
	listingFailed      bool                // what is in it cannot be listed
}

func readSymlinkNames(dir string) (*symlinksInDir, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	f := &symlinksInDir{realPath: WithoutLinks(abs)}
	entries, err := os.ReadDir(abs)
	f.listingFailed = err != nil && !errors.Is(err, fs.ErrNotExist)
	for _, e := range entries {
		if e.Type()&fs.ModeSymlink != 0 {
			if f.lowerCaseLinkNames == nil {
				f.lowerCaseLinkNames = map[string]struct{}{}
			}
			f.lowerCaseLinkNames[strings.ToLower(e.Name())] = struct{}{}
		}
	}
	return f, nil
}

// cachedWithoutLinks is WithoutLinks of any path, which looks into each folder and follows its links once.
func (b *Boundary) cachedWithoutLinks(path string) (real string, err error) {
	path = filepath.Clean(path)
	dir, base := filepath.Split(path)
	f := b.symlinksByDir[dir]
	if f == nil {
		if f, err = readSymlinkNames(dir); err != nil {
			return "", err
		}
		if b.symlinksByDir == nil {
			b.symlinksByDir = map[string]*symlinksInDir{}
		}
		b.symlinksByDir[dir] = f
	}
	_, mayBeLink := f.lowerCaseLinkNames[strings.ToLower(base)]
	beyondASCII := strings.ContainsFunc(base, func(r rune) bool { return r >= utf8.RuneSelf }) // a name may be written in several ways
	if mayBeLink || f.listingFailed || base == ".." || beyondASCII {
		abs, err := filepath.Abs(path)
		return WithoutLinks(abs), err
	}
	return filepath.Join(f.realPath, base), nil
}

func (r forbiddenPath) matches(path string) bool {
	return path == r.path || r.dottedSuffixesToo && strings.HasPrefix(path, r.path+".")
}

// WithoutLinks is an absolute path with its symbolic links followed, as far as there is
// something.
func WithoutLinks(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	dir := filepath.Dir(path)
	if dir == path {
		return path
	}
	return filepath.Join(WithoutLinks(dir), filepath.Base(path))
}

// checkAndRecordRead judges a path below a folder that the boundary holds; module is the folder of
// the module that reads it.
func (b *Boundary) checkAndRecordRead(folder, local, moduleDir string) error {
	if b == nil {
		return nil
	}
	folder = WithoutLinks(folder)
	path := filepath.Join(folder, local)
	real := WithoutLinks(path)
	for _, p := range []string{path, real} {
		rel, err := filepath.Rel(folder, p)
		if err != nil || !filepath.IsLocal(rel) {
			return nil // opening it says so
		}
		for name := range strings.SplitSeq(filepath.ToSlash(rel), "/") {
			if lower := strings.ToLower(name); lower == ".git" || lower == ".b2form" || strings.HasPrefix(lower, ".b2form-") {
				return fmt.Errorf("what lies in %s is never read", name)
			}
		}
		for _, r := range b.forbiddenPaths {
			if r.matches(p) {
				return errors.New(r.reason)
			}
		}
		if b.gitIgnored != nil && folder == b.readableRoot && !isSameOrBelow(filepath.Join(b.readableRoot, b.configPathFromRoot), p) &&
			!isSameOrBelow(WithoutLinks(moduleDir), p) &&
			b.gitIgnored.isIgnored(filepath.ToSlash(rel)) {
			return errors.New("git ignores it, and outside of the configuration's folder such files are not read. Whoever runs " +
				"b2form can allow it with -root=" + b.readableRoot)
		}
	}
	if !b.loadingEnded {
		b.pathsReadSoFar = append(b.pathsReadSoFar, real)
	}
	return nil
}

func isSameOrBelow(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}
