package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
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
	d, err := b.Dump()
	if err != nil {
		t.Fatal(err)
	}
	left, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(left), "b2form-prove") || strings.Contains(string(left), "b2form-mint") {
		t.Errorf("something is left behind:\n%s", left)
	}
}
