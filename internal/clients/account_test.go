package clients_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"b2form/internal/emulator"
	"b2form/internal/testrun"
)

// build makes the program whose keys the clients use.
func build(t *testing.T) string {
	t.Helper()
	bin, err := testrun.BuildProgram()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// configuration gives every variant of the job's key a bucket: "whole" has all
// the capabilities, and each "no-..." one less.
func configuration(name string, capabilities []string, j job) string {
	list, err := json.Marshal(capabilities)
	if err != nil {
		panic("a list of strings always encodes")
	}
	more := j.key
	if !j.account {
		more += "\n  buckets = [bucket.job[each.key]]"
	}
	return fmt.Sprintf(`locals {
  all  = %s
  keys = merge({ whole = local.all }, { for c in local.all : "no-${c}" => [for o in local.all : o if o != c] })
}

bucket "job" {
  for_each = local.keys
  name     = lower("%[2]s-${each.key}")
  %[3]s
}

key "job" {
  for_each     = local.keys
  name         = "%[2]s-${each.key}"
  capabilities = each.value
  %[4]s

  deliver "file" {
    path   = "${each.key}.json"
    format = "json"
  }
  deliver "file" {
    path   = "${each.key}.conf"
    format = "rclone"
  }
}
`, list, name, j.bucket, more)
}

// An account is emulated, and provisioned by b2form.
type account struct {
	*emulator.Server
	recorder
	url    string
	s3     string // where the S3 face is
	folder string // of the configuration and of the delivered keys
}

// A key is what b2form delivers in the format "json". Remote is the file of the
// format "rclone".
type key struct {
	Name   string `json:"name"`
	ID     string `json:"application_key_id"`
	Secret string `json:"application_key"`
	Remote string `json:"-"`
}

// apply has b2form make what the configuration wants in an account of its own.
func apply(t *testing.T, bin, config string, vars ...string) *account {
	t.Helper()
	a := &account{folder: t.TempDir()}
	server := httptest.NewUnstartedServer(nil)
	a.url = "http://" + server.Listener.Addr().String()
	s3 := httptest.NewUnstartedServer(nil)
	a.s3 = "http://" + s3.Listener.Addr().String()
	e, err := emulator.Open(emulator.Options{
		Now: time.Now, URL: a.url, S3URL: a.s3,
	})
	if err != nil {
		t.Fatal(err)
	}
	a.Server = e
	server.Config.Handler = a.record(e)
	server.Start()
	s3.Config.Handler = a.recordS3(e.S3())
	s3.Start()
	t.Cleanup(func() {
		server.Close()
		s3.Close()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(a.folder, "main.b2.hcl"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, append([]string{"-chdir=" + a.folder, "apply", "-auto-approve", "-allow=irreversible"}, vars...)...)
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "B2_ENDPOINT="+a.url, "B2_APPLICATION_KEY_ID="+e.MasterKeyID(),
		"B2_APPLICATION_KEY="+e.MasterKey())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("b2form apply: %v\n%s", err, out)
	}
	return a
}

// site gives the place for a job with one of the keys.
func (a *account) site(t *testing.T, variant string) site {
	t.Helper()
	k := key{Remote: filepath.Join(a.folder, variant+".conf")}
	data, err := os.ReadFile(filepath.Join(a.folder, variant+".json"))
	if err := errors.Join(err, json.Unmarshal(data, &k)); err != nil {
		t.Fatal(err)
	}
	return site{endpoint: a.url, s3: a.s3, bucket: strings.ToLower(k.Name), key: k, dir: t.TempDir()}
}
