package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Boundary is how far the files reach that a configuration may use: its folder, and
// the git work tree around it or what whoever runs b2form names instead. It knows what
// is never read, wherever that lies.
type Boundary struct {
	top     string // the boundary, without links; "": dir
	below   string // dir, from top
	ignored *ignores
	refused []refusal
	read    []string // what was read so far, without links; only while the configuration is loaded
	sealed  bool
}

// A refusal is a path that is never read, absolute and without links.
type refusal struct {
	path       string
	companions bool // nor what is called so, with a period and more behind it
	why        string
}

// NewBoundary finds the boundary of the configuration in dir. root replaces the work
// tree; "": the work tree counts, unless it is the home folder or that of another user.
// The error says what is wrong with root.
func NewBoundary(dir, root, home string) (*Boundary, error) {
	b := &Boundary{}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return b, nil // loading the folder says what is wrong
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return b, nil // likewise
	}
	if root == "" {
		if b.top = workTree(real, home); b.top != "" {
			b.ignored = newIgnores(b.top)
		}
	} else if b.top, err = within(root, real); err != nil {
		return b, err
	}
	if b.top != "" {
		b.below, _ = filepath.Rel(b.top, real) // both are absolute, and one holds the other
	}
	return b, nil
}

// within is a folder without links, which must hold another.
func within(root, dir string) (string, error) {
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
	if !below(abs, dir) {
		return "", fmt.Errorf("the folder %q does not hold the configuration's folder", root)
	}
	return abs, nil
}

// workTree is the git work tree around a folder; "": there is none that counts. As with
// git's safe.directory, one that belongs to another user does not.
func workTree(dir, home string) string {
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
func (b *Boundary) Refuse(path, why string, companions bool) (wasRead bool) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return false // then no file can be read at all
	}
	r := refusal{path: WithoutLinks(abs), companions: companions, why: why}
	b.refused = append(b.refused, r)
	for _, p := range b.read {
		wasRead = wasRead || r.covers(p)
	}
	return wasRead
}

// Seal says that the configuration is loaded: all that is refused is known.
func (b *Boundary) Seal() { b.sealed, b.read = true, nil }

func (r refusal) covers(path string) bool {
	return path == r.path || r.companions && strings.HasPrefix(path, r.path+".")
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

// permits judges a path below a folder that the boundary holds; module is the folder of
// the module that reads it.
func (b *Boundary) permits(folder, local, module string) error {
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
		for _, r := range b.refused {
			if r.covers(p) {
				return errors.New(r.why)
			}
		}
		if b.ignored != nil && folder == b.top && !below(filepath.Join(b.top, b.below), p) && !below(WithoutLinks(module), p) &&
			b.ignored.match(filepath.ToSlash(rel)) {
			return errors.New("git ignores it, and outside of the configuration's folder such files are not read. Whoever runs " +
				"b2form can allow it with -root=" + b.top)
		}
	}
	if !b.sealed {
		b.read = append(b.read, real)
	}
	return nil
}

func below(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}
