package folder

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"
)

// gitIgnores knows what git ignores in a work tree: by the .gitignore files in it and
// .git/info/exclude, as gitignore(5) says. It takes no notice of the index, so that what
// is tracked and matches counts as ignored, nor of the user's own core.excludesFile.
type gitIgnores struct {
	workTree string

	mu             sync.Mutex
	patternsByFile map[string][]ignorePattern // of a folder's .gitignore, by its path from top
}

// An ignorePattern is one line.
type ignorePattern struct {
	glob        string // from the folder of its file
	negated     bool   // it takes back what others ignore
	foldersOnly bool   // it is about folders alone
}

// maxIgnoreFileBytes bounds a .gitignore file; a larger one counts as empty.
const maxIgnoreFileBytes = 1 << 20

func newGitIgnores(top string) *gitIgnores {
	return &gitIgnores{workTree: top, patternsByFile: map[string][]ignorePattern{}}
}

// isIgnored reports whether a file is ignored, by its path from top with slashes. One in a
// folder that is ignored is, whatever is said of it.
func (g *gitIgnores) isIgnored(file string) bool {
	names := strings.Split(file, "/")
	for i := range names {
		if g.isPathExcluded(names[:i+1], i < len(names)-1) {
			return true
		}
	}
	return false
}

// isPathExcluded judges one file or folder: the last pattern that matches decides, and those
// of deeper folders come last.
func (g *gitIgnores) isPathExcluded(names []string, folder bool) bool {
	found := false
	judge := func(patterns []ignorePattern, rel string) {
		for _, p := range patterns {
			if (folder || !p.foldersOnly) && doublestar.MatchUnvalidated(p.glob, rel) {
				found = !p.negated
			}
		}
	}
	judge(g.readPatternFile(".git/info/exclude"), path.Join(names...))
	for i := range names {
		judge(g.readPatternFile(path.Join(append(append([]string{}, names[:i]...), ".gitignore")...)), path.Join(names[i:]...))
	}
	return found
}

// readPatternFile are those of one file; none where there is no such regular file.
func (g *gitIgnores) readPatternFile(file string) []ignorePattern {
	g.mu.Lock()
	defer g.mu.Unlock()
	if known, ok := g.patternsByFile[file]; ok {
		return known
	}
	var out []ignorePattern
	at := filepath.Join(g.workTree, filepath.FromSlash(file))
	if info, err := os.Lstat(at); err == nil && info.Mode().IsRegular() && info.Size() <= maxIgnoreFileBytes {
		if text, err := os.ReadFile(at); err == nil {
			for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
				if p, ok := parseIgnoreLine(strings.TrimRight(line, "\r\n")); ok {
					out = append(out, p)
				}
			}
		}
	}
	g.patternsByFile[file] = out
	return out
}

// parseIgnoreLine reads one line; ok is false where it holds no pattern.
func parseIgnoreLine(line string) (p ignorePattern, ok bool) {
	for strings.HasSuffix(line, " ") && !strings.HasSuffix(line, `\ `) {
		line = strings.TrimSuffix(line, " ")
	}
	if line == "" || line[0] == '#' {
		return p, false
	}
	line, p.negated = strings.CutPrefix(line, "!")
	line, p.foldersOnly = strings.CutSuffix(line, "/")
	anchored := strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return p, false
	}
	if !anchored {
		line = "**/" + line
	}
	if strings.HasSuffix(line, "/**") {
		line += "/*" // what is in the folder, not the folder itself
	}
	// Braces mean nothing to git.
	p.glob = strings.NewReplacer(`\\`, `\\`, `\{`, `\{`, `\}`, `\}`, "{", `\{`, "}", `\}`).Replace(line)
	return p, doublestar.ValidatePattern(p.glob)
}
