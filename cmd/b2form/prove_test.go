package main

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"b2form/internal/emulator"
)

const provenConfig = `
bucket "photos" {
  name = "acme-photos"
}
key "app" {
  name    = "app"
  access  = "read_write"
  buckets = [bucket.photos]
  deliver "file" {
    path = "app.env"
  }
}
`

// TestProveInterrupted stops while a file and a copy of the key are there.
func TestProveInterrupted(t *testing.T) {
	b := newBench(t, provenConfig)
	b.shown(t, 0, "apply", "-auto-approve")
	if err := b.service.hold(nil, []string{"b2_download_file_by_id"}); err != nil {
		t.Fatal(err)
	}
	done := make(chan int)
	go func() { done <- b.run("prove", "key.app") }()
	_ = b.await(nil, nil)
	b.signals <- os.Interrupt
	b.err.await("Gracefully shutting down...")
	b.letGo()
	if code := <-done; code != 1 {
		t.Errorf("exit code %d, not 1", code)
	}
	if out := b.out.String(); !strings.Contains(out, "(interrupted)") || strings.Contains(out, "leaves nothing behind") {
		t.Errorf("it says:\n%s", out)
	}
	if left := b.leftByProve(t); left != "" {
		t.Errorf("something is left behind:\n%s", left)
	}
}

// leftByProve is what prove made of an account and is still there, in JSON; "": nothing.
func (b *bench) leftByProve(t *testing.T) string {
	t.Helper()
	d, err := b.Dump()
	if err != nil {
		t.Fatal(err)
	}
	left, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(left), "b2form-prove") || strings.Contains(string(left), "b2form-mint") {
		return string(left)
	}
	return ""
}

// TestProveUnlistedVersions has B2 list no version of a file that was uploaded just now.
func TestProveUnlistedVersions(t *testing.T) {
	unlisted := func(string) (int, string) { return http.StatusOK, `{"files":[],"nextFileName":null,"nextFileId":null}` }
	newApplied := func(t *testing.T) *bench {
		b := newBench(t, provenConfig)
		b.shown(t, 0, "apply", "-auto-approve")
		return b
	}
	t.Run("their IDs are known", func(t *testing.T) {
		b := newApplied(t)
		b.alter(map[string]altering{"b2_list_file_versions": unlisted})
		b.shown(t, 0, "prove")
		if left := b.leftByProve(t); left != "" {
			t.Errorf("something is left behind:\n%s", left)
		}
	})
	t.Run("they cannot be deleted", func(t *testing.T) {
		b := newApplied(t)
		b.alter(map[string]altering{"b2_list_file_versions": unlisted,
			"b2_delete_file_version": failing(400, "bad_request", "not now")})
		b.shown(t, 1, "prove", "bucket.photos")
		b.wants(t, b.out, "error  leaves nothing behind", `The file "b2form-prove-`, `in bucket "acme-photos" could not be removed`,
			"not now")
	})
	t.Run("they cannot be listed", func(t *testing.T) {
		b := newApplied(t)
		b.alter(map[string]altering{"b2_list_file_versions": failing(400, "bad_request", "not now")})
		b.shown(t, 1, "prove", "bucket.photos")
		b.wants(t, b.out, "error  leaves nothing behind", `What is known of the file "b2form-prove-`, "was deleted", "not now")
		if left := b.leftByProve(t); left != "" {
			t.Errorf("something is left behind:\n%s", left)
		}
	})
	t.Run("no reply named an ID", func(t *testing.T) {
		b := newApplied(t)
		b.alter(map[string]altering{"b2_list_file_versions": unlisted})
		b.QueueFault(emulator.Fault{Method: "b2_upload_file", Nth: 1, Count: 1, TakesEffect: true})
		b.shown(t, 1, "prove", "bucket.photos")
		b.wants(t, b.out, "error  leaves nothing behind", `The file "b2form-prove-`, `may be in bucket "acme-photos"`)
	})
}

// TestProveLostDeletion loses the replies to the deletions of what it made: B2 tells the next attempt that nothing is there.
func TestProveLostDeletion(t *testing.T) {
	b := newBench(t, provenConfig)
	b.shown(t, 0, "apply", "-auto-approve")
	b.QueueFault(emulator.Fault{Method: "b2_delete_file_version", TakesEffect: true})
	if out := b.shown(t, 0, "prove", "key.app"); !strings.Contains(out, "pass   B2: may delete files") {
		t.Errorf("it says:\n%s", out)
	}
	if left := b.leftByProve(t); left != "" {
		t.Errorf("something is left behind:\n%s", left)
	}
}

// TestProveExplains has B2 fail: it is said as plainly as by any other command, and nothing is promised that only a run
// with a state does.
func TestProveExplains(t *testing.T) {
	b := newBench(t, provenConfig)
	b.shown(t, 0, "apply", "-auto-approve")
	b.alter(map[string]altering{"b2_create_key": with(`{"capabilities":["deleteFiles"]}`)})
	out := b.shown(t, 1, "prove", "key.app")
	if !strings.Contains(out, "B2 made another key than was asked for. Its reply differs in capabilities") ||
		strings.Contains(out, "<nil>") {
		t.Errorf("of a key that is another it says:\n%s", out)
	}
	b.alter(lostSightOfDeletedKeys())
	out = b.shown(t, 1, "prove", "key.app")
	if !strings.Contains(out, "The key was not deleted. The key b2form-mint-") || strings.Contains(out, "next run") {
		t.Errorf("of a key that may be left it says:\n%s", out)
	}
}
