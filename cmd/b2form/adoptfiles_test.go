package main

import (
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"
)

// What adopt downloads is bounded, and the error names the bound.
func TestAdoptTooManyFiles(t *testing.T) {
	b := newBench(t, "")
	if _, err := b.call("b2_create_bucket", `{"bucketName":"acme-site","bucketType":"allPrivate"}`); err != nil {
		t.Fatal(err)
	}
	b.uploadEmpty(t, "acme-site", "a/", mostAdoptedFiles+1)
	if code := b.run("adopt", "-files=acme-site/a/"); code != 1 {
		t.Errorf("exit code %d", code)
	}
	b.wants(t, b.err, "Error: Too many files", `More than 1000 files in the bucket "acme-site" have names that begin with "a/"`)
	b.ResetCalls()
	if code := b.run("adopt", "-files=acme-site/a/00", "-exclude=*"); code != 0 {
		t.Errorf("exit code %d", code)
	}
	b.wants(t, b.out, "100 files")
	if entries, err := os.ReadDir("files/acme-site/a"); err != nil || len(entries) != 100 {
		t.Errorf("%d files, %v", len(entries), err)
	}
	for _, call := range b.Calls() {
		if call.Method == "b2_download_file_by_id" {
			t.Error("an empty file was downloaded")
		}
	}
}

// uploadEmpty uploads so many files without content, numbered behind the prefix.
func (b *bench) uploadEmpty(t *testing.T, bucket, prefix string, n int) {
	t.Helper()
	reply, err := b.call("b2_get_upload_url", `{"bucketId":"@`+bucket+`"}`)
	if err != nil {
		t.Fatal(err)
	}
	var to struct{ UploadURL, AuthorizationToken string }
	if err := json.Unmarshal(reply, &to); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		_, err := fetch(http.MethodPost, to.UploadURL, "", func(r *http.Request) {
			r.Header.Set("Authorization", to.AuthorizationToken)
			r.Header.Set("X-Bz-File-Name", fmt.Sprintf("%s%04d", prefix, i))
			r.Header.Set("Content-Type", "text/plain")
			r.Header.Set("X-Bz-Content-Sha1", fmt.Sprintf("%x", sha1.Sum(nil)))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
