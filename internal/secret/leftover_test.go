package secret_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"b2form/internal/secret"
	"b2form/schema/config"
)

// A new file has no name before it is complete, so a run that is killed leaves
// nothing. Where one is replaced, the next run removes what the killed one left.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	list, old, fresh := filepath.Join(dir, "list"), filepath.Join(dir, "old.env"), filepath.Join(dir, "new.env")
	must(t, os.WriteFile(old, []byte("old"), 0o600))
	env := func() secret.DeliveryOptions {
		return secret.DeliveryOptions{TempFiles: secret.NewTempFileJournal(list)}
	}
	left := ".b2form-old.env.tmp"

	_, err := secret.Prepare(t.Context(), before(), []config.Delivery{file(old), file(fresh)}, env())
	must(t, err) // and now the run is killed
	if _, there := files(t, dir)[left]; !there {
		t.Fatal("no file was made beside the old one: the test tests nothing")
	}
	if _, there := files(t, dir)[".b2form-new.env.tmp"]; there && runtime.GOOS == "linux" {
		t.Error("a new file has a name before it is complete")
	}
	next := secret.NewTempFileJournal(list)
	if !next.HasLeftovers() {
		t.Error("nothing is listed")
	}
	must(t, next.RemoveLeftovers())
	if got := files(t, dir); runtime.GOOS == "linux" && len(got) != 1 || got["old.env"] != "old" || got[left] != "" {
		t.Errorf("after the next run: %v", got)
	}
	must(t, next.RemoveLeftovers())

	slots, err := secret.Prepare(t.Context(), before(), []config.Delivery{file(old), file(fresh)}, env())
	must(t, err)
	_, err = slots.Deliver(after(), nil)
	must(t, err)
	if got := files(t, dir); len(got) != 2 || got["old.env"] != asEnv || got["new.env"] != asEnv {
		t.Errorf("after a delivery: %v", got)
	}
	slots, err = secret.Prepare(t.Context(), before(), []config.Delivery{file(old)}, env())
	must(t, err)
	must(t, slots.Abandon())
	if got := files(t, dir); len(got) != 2 {
		t.Errorf("after one was given up: %v", got)
	}
}

// Whoever writes the list can have nothing removed but temporary files.
func TestHostileLeftovers(t *testing.T) {
	dir := t.TempDir()
	precious, list := filepath.Join(dir, "precious"), filepath.Join(dir, "list")
	folder := filepath.Join(dir, ".b2form-folder.tmp")
	must(t, os.WriteFile(precious, nil, 0o600))
	must(t, os.Mkdir(folder, 0o700))
	must(t, os.WriteFile(list, fmt.Appendf(nil, "%q\n%q\n%q\n\"cut off", precious, folder, folder+"/../precious"), 0o600))
	must(t, secret.NewTempFileJournal(list).RemoveLeftovers())
	if got := files(t, dir); len(got) != 2 {
		t.Errorf("left: %v", got)
	}
	must(t, os.Symlink(precious, list))
	if err := secret.NewTempFileJournal(list).RemoveLeftovers(); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a link as the list: %v", err)
	}
	_, err := secret.Prepare(t.Context(), before(), []config.Delivery{file(precious)},
		secret.DeliveryOptions{TempFiles: secret.NewTempFileJournal(list)})
	if err == nil {
		t.Error("the list was written through a link")
	}
}
