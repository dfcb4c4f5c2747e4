package folder_test

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"b2form/schema/folder"
)

// sites is a configuration's folder "site" with a module "parts" beside it, and a
// file that belongs to neither.
func sites(t *testing.T) folder.Folder {
	t.Helper()
	top := t.TempDir()
	for name, text := range map[string]string{"site/page": "hello", "site/css/main": "x", "parts/logo": "logo", "secret": "hunter2",
		"site/bytes": "\xff"} {
		path := filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder.Folder{Dir: filepath.Join(top, "site"), ModuleDir: filepath.Join(top, "parts")}
}

func TestPathsBelowTheFolders(t *testing.T) {
	d := sites(t)
	for path, want := range map[string]string{
		"page":                             "hello",
		"css/../page":                      "hello",
		filepath.Join(d.Dir, "page"):       "hello",
		"../parts/logo":                    "logo",
		filepath.Join(d.ModuleDir, "logo"): "logo",
	} {
		p, err := d.ReadPayload(path)
		if err != nil {
			t.Error(err)
			continue
		}
		r, err := p.Open()
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := io.ReadAll(r)
		if r.Close(); err != nil || string(got) != want || p.Size != int64(len(want)) || p.SourcePath != path {
			t.Errorf("%s: %q, %+v, %v", path, got, p, err)
		}
		if size, err := d.FileSize(path); err != nil || size != int64(len(want)) {
			t.Errorf("%s: size %d, %v", path, size, err)
		}
	}
}

// What is read is noted by its path as it was asked for, and by what was found; nothing else is.
func TestRecordedReads(t *testing.T) {
	d := sites(t)
	d.RecordedReads = folder.Reads{}
	notes := func() folder.Reads {
		for _, read := range []func() error{
			func() error { _, err := d.Read("page"); return err },
			func() error { _, err := d.ReadText("css/main"); return err },
			func() error { _, err := d.FileExists("later"); return err },
			func() error { _, err := d.GlobPermittedFiles(".", "*"); return err },
		} {
			if err := read(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.Read("missing"); err == nil {
			t.Error("a file that is missing is read")
		}
		return maps.Clone(d.RecordedReads)
	}
	before := notes()
	for path, text := range map[string]string{"page": "hullo", "later": ""} {
		if err := os.WriteFile(filepath.Join(d.Dir, path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	after := notes()
	if len(before) != 4 || len(after) != 4 {
		t.Errorf("noted are %v, then %v", before, after)
	}
	for what, answer := range before {
		if same := after[what] == answer; same != (what == "file css/main") {
			t.Errorf("%s: the same is noted: %v", what, same)
		}
	}
}

// What is no readable file of the folders is an error that says why, and never what
// the file holds.
func TestUnreadable(t *testing.T) {
	d := sites(t)
	if err := os.Symlink("../secret", filepath.Join(d.Dir, "link")); err != nil {
		t.Skip(err)
	}
	const outside = "outside of the configuration's folder"
	for path, want := range map[string]string{
		"link":      outside,
		"../secret": outside,
		filepath.Join(filepath.Dir(d.Dir), "secret"): outside,
		"missing": `there is no file "missing" in the configuration's folder`,
		"logo":    `write "${path.module}/logo"`,
	} {
		for name, method := range map[string]func() error{
			"Read":    func() error { _, err := d.Read(path); return err },
			"Size":    func() error { _, err := d.FileSize(path); return err },
			"Payload": func() error { _, err := d.ReadPayload(path); return err },
		} {
			if err := method(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s(%s): %v, want %q", name, path, err, want)
			}
		}
	}
	if _, err := d.FileSize("css"); err == nil || !strings.Contains(err.Error(), "it is a folder") {
		t.Errorf("the size of a folder: %v", err)
	}
	if _, err := d.ReadText("bytes"); err == nil || !strings.Contains(err.Error(), "not text in UTF-8") {
		t.Errorf("bytes as text: %v", err)
	}
}
