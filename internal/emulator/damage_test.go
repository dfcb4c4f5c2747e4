package emulator_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/emulator"
)

// A folder whose machine lost power may have a torn account.db: shorter than it
// was, or with pages that were never written. Opening it says so, unless what is
// missing was free.
func TestTornDatabase(t *testing.T) {
	living := t.TempDir()
	w := open(t, emulator.Options{Dir: living})
	for _, name := range []string{"bucket-one", "bucket-two", "bucket-three"} {
		w.fill(name)
	}
	for range 40 {
		w.call(200, "b2_create_key", `{"keyName":%q,"capabilities":["listFiles"]}`, strings.Repeat("k", 100))
	}
	want := w.dump()
	whole, err := os.ReadFile(filepath.Join(living, "account.db"))
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	torn, damaged := 0, 0
	try := func(what string, at int, db []byte) {
		t.Helper()
		torn++
		dir := filepath.Join(t.TempDir(), "torn")
		if err := os.CopyFS(dir, os.DirFS(living)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "account.db"), db, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := emulator.Open(emulator.Options{Dir: dir, Now: nowNoon})
		if err != nil {
			damaged++
			if !strings.Contains(err.Error(), "account.db is damaged") {
				t.Errorf("%s at %d: %v", what, at, err)
			}
			return
		}
		got, err := s.Dump()
		if err != nil {
			t.Errorf("%s at %d: %v", what, at, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s at %d: another account is there (-want +got):\n%s", what, at, d)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	for at := 0; at < len(whole); at += page {
		try("cut", at, whole[:at])
		try("cut", at+page/2, whole[:at+page/2])
		db := append([]byte{}, whole...)
		clear(db[at : at+page])
		try("a hole", at, db)
		for i := range page {
			db[at+i] = 0xff
		}
		try("noise", at, db)
	}
	if damaged < torn/4 {
		t.Errorf("%d of %d torn files are damaged", damaged, torn)
	}
}

// A database that is torn while it is served ends the service, not the process.
func TestDatabaseTornBeneath(t *testing.T) {
	dir := t.TempDir()
	s, err := emulator.Open(emulator.Options{Dir: dir, Now: nowNoon})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DamageError(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "account.db"), 0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Dump(); err == nil || !strings.Contains(err.Error(), "account.db is damaged") {
			t.Errorf("reading it: %v", err)
		}
	}
	for what, err := range map[string]error{"the damage": s.DamageError(), "closing": s.Close()} {
		if err == nil || !strings.Contains(err.Error(), "account.db is damaged") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
