//go:build unix

package secret_test

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/internal/secret"
	"b2form/schema/config"
)

// helper, in the environment, makes the test binary play another process.
const helper = "B2FORM_SECRET_TEST_HELPER"

// A disk without room for the content is found out before the key exists. The
// child may write files of 1 KiB only, which a full disk comes down to.
func TestNoRoom(t *testing.T) {
	if dir := os.Getenv(helper); dir != "" {
		signal.Ignore(syscall.SIGXFSZ)
		must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1024, Max: 1024}))
		big := file(filepath.Join(dir, "key.txt"))
		big.RenderContent = func(map[string]cty.Value, config.LiveLookup) (string, hcl.Diagnostics) {
			return strings.Repeat("x", 2000), nil
		}
		_, err := secret.Prepare(t.Context(), before(), []config.Delivery{file(filepath.Join(dir, "key.env")), big},
			secret.DeliveryOptions{LiveLookup: live})
		var e *secret.Error
		if !errors.As(err, &e) || !strings.Contains(e.Detail, "there is no room for "+big.Path) {
			t.Errorf("Prepare = %v", err)
		}
		return
	}
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "key.txt"), []byte("old"), 0o600))
	cmd := exec.Command(os.Args[0], "-test.run=^TestNoRoom$", "-test.count=1")
	cmd.Env = append(os.Environ(), helper+"="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if diff := cmp.Diff(map[string]string{"key.txt": "old"}, files(t, dir)); diff != "" {
		t.Errorf("left behind (-want +got):\n%s", diff)
	}
}
