package main

import (
	"fmt"
	"strings"
	"testing"

	"b2form/schema/wire"
)

// One request tells that a bucket is not empty; how much goes with one that is emptied is counted.
func TestContentsAreCountedWhereShown(t *testing.T) {
	const configuration = `bucket "site" {
  name          = "acme-site"
  force_destroy = %t
}
`
	b := newBench(t, fmt.Sprintf(configuration, false))
	if code := b.run("apply", "-auto-approve"); code != 0 {
		t.Fatal(b.err)
	}
	b.uploadEmpty(t, "acme-site", "", wire.VersionsPerPage+1)
	for _, c := range []struct {
		force    bool
		requests int
		says     string
	}{
		{false, 1, "The bucket holds more than 1000 versions, so"},
		{true, 2, "1001 versions with 0 bytes"},
	} {
		writeConfig(t, fmt.Sprintf(configuration, c.force))
		b.ResetCalls()
		if code := b.run("plan", "-destroy"); code != 0 {
			t.Fatal(b.err)
		}
		requests := 0
		for _, call := range b.Calls() {
			if call.Method == "b2_list_file_versions" {
				requests++
			}
		}
		if said := b.out.String() + b.err.String(); requests != c.requests || !strings.Contains(said, c.says) {
			t.Errorf("force_destroy = %t: %d requests, want %d, and %q in this:\n%s", c.force, requests, c.requests, c.says, said)
		}
	}
}
