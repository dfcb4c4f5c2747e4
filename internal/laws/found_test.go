package laws_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/emulator"
)

// Configurations with which the random tests once found a mistake, as blocks that
// are applied one after the other. A file of rapid's would tell nothing any more
// once the generator draws otherwise.
func foundConfigurations() map[string][][]string {
	return map[string][][]string{
		"settings removed together, as the bucket gets rules": {
			{keeper, manySettings, otherBuckets}, {keeper, fewSettings, keyOfBucket, rulesOfBucket},
		},
		"an empty file": {{keeper, otherBuckets, emptyFile}},
		"an empty file whose type is declared": {{keeper, fewSettings,
			replace(emptyFile, `""`, `""`+"\n"+`content_type = "text/html; charset=utf-8"`)}},
		"an empty file in a bucket with a key": {{keeper, fewSettings, keyOfBucket, rulesOfBucket, emptyFile, fileInSubfolder}},
		"an empty file after one that was not": {{keeper, replace(emptyFile, `""`, `"text"`)}, {keeper, emptyFile}},
		"an empty file in the place of a source": {{keeper, replace(emptyFile, `content = ""`, `source = "hello.txt"`)},
			{keeper, emptyFile}},
	}
}

const (
	manySettings = `bucket "l0" {
  name            = "acme-bucket-0"
  info            = { team = "web" }
  lifecycle_rules = [
    { file_name_prefix = "logs/", days_from_hiding_to_deleting = 30 },
    { file_name_prefix = "raw/", days_from_uploading_to_hiding = 30 },
  ]
  force_destroy = false
}
`
	fewSettings = `bucket "l0" {
  name              = "acme-bucket-0"
  file_lock_enabled = false
  force_destroy     = false
}
`
	otherBuckets = `bucket "l1" {
  name       = "acme-bucket-1"
  type       = "allPrivate"
  cors_rules = []
}
bucket "l2" {
  name            = "acme-bucket-2"
  lifecycle_rules = [{ days_from_uploading_to_hiding = 1, days_from_hiding_to_deleting = 1 }]
  default_server_side_encryption {
    mode      = "SSE-B2"
    algorithm = "AES256"
  }
  file_lock_enabled = false
  force_destroy     = false
}
`
	keyOfBucket = `key "l0" {
  name        = "acme-key-0"
  access      = "read_write"
  buckets     = [bucket.l0]
  name_prefix = "library/"
  deliver "file" { path = "l0.env" }
}
`
	rulesOfBucket = `notification_rules "l0" {
  bucket = "acme-bucket-0"
  rules {
    name               = "thumbnails"
    event_types        = ["b2:ObjectCreated:*"]
    object_name_prefix = ""
    target_configuration {
      url                        = "https://www.example.com/events"
      hmac_sha256_signing_secret = "0123456789abcdefghijABCDEFGHIJxx"
    }
  }
}
`
	emptyFile = `file "l0" {
  bucket  = "acme-kept"
  name    = "index.html"
  content = ""
}
`
	fileInSubfolder = `file "l1" {
  bucket       = bucket.kept
  name         = "css/site one+two.css"
  source       = "hello.txt"
  content_type = "application/json"
}
`
)

// What the random tests found stays mended: it converges and is torn down, its
// plan does not depend on the order of blocks, and it can be written down.
func TestFound(t *testing.T) {
	for name, configurations := range foundConfigurations() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			defer w.close()
			w.strangers()
			before := w.dump()
			for _, blocks := range configurations {
				rendersAgain(t, loaded(t, "", strings.Join(blocks, "\n")), "")
				reversed := slices.Clone(blocks)
				slices.Reverse(reversed)
				w.configure(strings.Join(blocks, "\n"))
				want := w.said()
				w.configure(reversed...)
				if diff := cmp.Diff(want, w.said()); diff != "" {
					t.Errorf("another order, another plan (-want +got):\n%s", diff)
				}
				if !w.step() {
					t.Errorf("the planner refuses\n%s", strings.Join(blocks, "\n"))
				}
			}
			w.teardown(false)
			if diff := cmp.Diff(before, w.dump()); diff != "" {
				t.Errorf("teardown did not leave what was there before (-before +after):\n%s", diff)
			}
		})
	}
}
