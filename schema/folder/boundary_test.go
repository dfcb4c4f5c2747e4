package folder_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"b2form/schema/folder"
)

// tree is a git work tree with a configuration in its folder "site".
func tree(t *testing.T) (top string) {
	t.Helper()
	outer := t.TempDir()
	top = filepath.Join(outer, "work")
	for name, text := range map[string]string{
		"outside": "hunter2", "work/.git/config": "hunter2", "work/.git/info/exclude": "excluded\n", "work/.gitignore": "*.log\n/build/\n",
		"work/dist/app.zip": "app", "work/a.log": "hunter2", "work/build/b": "hunter2", "work/excluded": "hunter2",
		"work/.b2form/x": "hunter2",
		"work/site/main": "main", "work/site/own.log": "own", "work/site/b2form.state.json": "hunter2",
		"work/site/b2form.state.json.journal": "hunter2", "work/site/.b2form/emulator/x": "hunter2", "work/site/.b2form-1.tmp": "hunter2",
		"work/site/key.env": "hunter2", "work/parts/logo": "logo", "work/parts/x.log": "module",
	} {
		path := filepath.Join(outer, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"site/up": "../dist/app.zip", "site/out": "../../outside", "site/git": "../.git/config",
		"site/state": "b2form.state.json", "site/away": "../..", "dist/git": "../.git"} {
		if err := os.Symlink(to, filepath.Join(top, name)); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

func bounded(t *testing.T, top, root, home string) folder.Folder {
	t.Helper()
	site := filepath.Join(top, "site")
	b, err := folder.NewBoundary(site, root, home)
	if err != nil {
		t.Fatal(err)
	}
	b.Refuse(filepath.Join(site, "b2form.state.json"), "it belongs to the state", true)
	b.Refuse(filepath.Join(site, "key.env"), "a deliver block writes it", false)
	return folder.Folder{Dir: site, ModuleDir: filepath.Join(top, "parts"), WiderBoundary: b}
}

// wantFiles reads every path in every way: "" stands for an error that says why, and
// nothing is said of what the file holds.
func wantFiles(t *testing.T, d folder.Folder, want map[string]string) {
	t.Helper()
	for path, text := range want {
		got, err := d.Read(path)
		if readable := !strings.HasPrefix(text, "! "); readable && (err != nil || string(got) != text) {
			t.Errorf("%s: %q, %v", path, got, err)
		} else if !readable && (err == nil || !strings.Contains(err.Error(), text[2:]) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: %q, %v; want an error: %s", path, got, err, text[2:])
		}
		_, sizeErr := d.FileSize(path)
		_, payloadErr := d.ReadPayload(path)
		if (sizeErr == nil) != (err == nil) || (payloadErr == nil) != (err == nil) {
			t.Errorf("%s: read %v, size %v, payload %v", path, err, sizeErr, payloadErr)
		}
	}
}

func TestWorkTree(t *testing.T) {
	top := tree(t)
	d := bounded(t, top, "", "/nowhere")
	wantFiles(t, d, map[string]string{
		"main": "main", "own.log": "own", "../dist/app.zip": "app", filepath.Join(top, "dist/app.zip"): "app", "up": "app",
		"away/work/dist/app.zip": "! outside of", "../parts/logo": "logo", "../parts/x.log": "module",
		"../../outside": "! outside of", "out": "! outside of", filepath.Join(top, "../outside"): "! outside of",
		"../.git/config": "! .git", "git": "! .git", "../dist/git/config": "! .git", "../.GIT/config": "! .GIT",
		"../a.log": "! git ignores it", "../build/b": "! git ignores it", "../excluded": "! git ignores it", "../.b2form/x": "! .b2form",
		".b2form/emulator/x": "! .b2form", ".b2form-1.tmp": "! .b2form-1.tmp", "b2form.state.json": "! state", "state": "! state",
		"b2form.state.json.journal": "! state", "../site/b2form.state.json": "! state", "key.env": "! deliver",
		"../none": "! there is no file",
	})
	found, err := d.GlobPermittedFiles("..", "**")
	if want := []string{"dist/app.zip", "parts/logo", "parts/x.log", "site/main", "site/own.log"}; err != nil ||
		slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(found, w) }) ||
		slices.ContainsFunc(found, func(f string) bool {
			return strings.Contains(f, ".git/") || strings.Contains(f, "b2form") || f == "a.log"
		}) {
		t.Errorf("%q, %v", found, err)
	}
	if _, err := d.FileExists("../.git/config"); err == nil {
		t.Error("what lies in .git is told of")
	}
}

// A work tree does not count that is the home folder or another user's; nor does the root.
func TestNoWorkTree(t *testing.T) {
	top := tree(t)
	only := map[string]string{"main": "main", "../dist/app.zip": "! outside of", "up": "! outside of", "../parts/logo": "logo",
		".b2form/emulator/x": "! .b2form"}
	wantFiles(t, bounded(t, top, "", top), only)
	if os.Geteuid() == 0 { // only root can give files away
		if err := os.Lchown(filepath.Join(top, ".git"), 12345, 12345); err != nil {
			t.Fatal(err)
		}
		wantFiles(t, bounded(t, top, "", ""), only)
	}
	if err := os.Rename(filepath.Join(top, ".git"), filepath.Join(top, "git")); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, bounded(t, top, "", ""), only)
}

// Who runs b2form says where the boundary is: nothing of git counts then, but what is
// never read is not read.
func TestRoot(t *testing.T) {
	top := tree(t)
	wantFiles(t, bounded(t, top, top, ""), map[string]string{"../a.log": "hunter2", "../dist/app.zip": "app",
		"../../outside":  "! outside of",
		"../.git/config": "! .git", "out": "! outside of", "b2form.state.json": "! state"})
	wantFiles(t, bounded(t, top, filepath.Dir(top), ""), map[string]string{"../../outside": "hunter2", "out": "hunter2"})
	wantFiles(t, bounded(t, top, filepath.Join(top, "site"), ""), map[string]string{"../dist/app.zip": "! outside of", "main": "main"})
	for root, want := range map[string]string{filepath.Join(top, "dist"): "does not hold", filepath.Join(top, "none"): "cannot be found",
		filepath.Join(top, "site", "main"): "is no folder"} {
		if _, err := folder.NewBoundary(filepath.Join(top, "site"), root, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", root, err, want)
		}
	}
}

func TestRefuseSaysWhatWasRead(t *testing.T) {
	top := tree(t)
	d := bounded(t, top, "", "")
	if _, err := d.Read("own.log"); err != nil {
		t.Fatal(err)
	}
	if !d.WiderBoundary.Refuse(filepath.Join(d.Dir, "own.log"), "it is written", false) ||
		d.WiderBoundary.Refuse(filepath.Join(d.Dir, "main"), "it is", false) {
		t.Error("what was read is known")
	}
	wantFiles(t, d, map[string]string{"own.log": "! it is written"})
}

// TestIgnored holds what git check-ignore says.
func TestIgnored(t *testing.T) {
	for _, c := range []struct{ ignore, ignored, kept string }{
		{"*.log", "a.log d/a.log d/e/b.log", "a.txt"},
		{"/a", "a", "d/a"},
		{"d/a", "d/a", "x/d/a a"},
		{"d/", "d/a d/e/b x/d/a", "e/d"},
		{"**/x", "x d/x d/e/x", "y"},
		{"d/**", "d/a d/e/b", "e/d/a"},
		{"d/**/x", "d/x d/e/x d/e/f/x", "x"},
		{"*\n!a", "b", "a"},
		{"d/*\n!d/a", "d/b", "d/a"},
		{"d/\n!d/a", "d/a d/b", ""},
		{"d/**\n!d/a", "d/b", "d/a"},
		{"# a\n\\#b\n\\!c", "#b !c", "a"},
		{"a  \nb\\ ", "a", "b"},
		{"{a,b}", "{a,b}", "a b"},
		{"[ab]x\n[!a]y", "ax bx by", "cx ay"},
		{"a?c", "abc", "ac"},
		{"a**b", "axxb", "a/x/b"},
		{"[", "", "a"},
		{"/", "", "a"},
	} {
		top := t.TempDir()
		put := func(name, text string) {
			path := filepath.Join(top, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		put("site/main", "")
		put(".git/config", "")
		put(".gitignore", c.ignore+"\n")
		b, err := folder.NewBoundary(filepath.Join(top, "site"), "", "")
		if err != nil {
			t.Fatal(err)
		}
		d := folder.Folder{Dir: filepath.Join(top, "site"), ModuleDir: filepath.Join(top, "site"), WiderBoundary: b}
		for _, name := range strings.Fields(c.ignored) {
			if _, err := d.FileSize("../" + name); err == nil || !strings.Contains(err.Error(), "git ignores it") {
				t.Errorf("%q: %s is ignored: %v", c.ignore, name, err)
			}
		}
		for _, name := range strings.Fields(c.kept) {
			if _, err := d.FileSize("../" + name); err != nil && strings.Contains(err.Error(), "git ignores it") {
				t.Errorf("%q: %s is not ignored: %v", c.ignore, name, err)
			}
		}
	}
}
