package laws_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"b2form/internal/emulator"
)

// The configurations of docs/replication.md do what the page says: one for both
// buckets, and two for two accounts that tell each other IDs.
func TestReplicationPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/replication.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, part := range strings.Split(string(page), "```hcl\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, block)
	}
	if len(blocks) != 3 {
		t.Fatalf("the page has %d configurations", len(blocks))
	}
	worlds := make([]*world, len(blocks))
	for i, block := range blocks {
		worlds[i] = newWorld(t, emulator.Options{Seed: uint64(20 + i)})
		defer worlds[i].close()
		worlds[i].configure(block)
	}
	alone, source, destination := worlds[0], worlds[1], worlds[2]
	alone.done(mode{})
	alone.settled(mode{})

	source.done(mode{})
	source.settled(mode{})
	destination.given("reader_key_id", source.keyIDOf("photos-reader"))
	destination.done(mode{})
	destination.settled(mode{})
	source.given("copy_bucket_id", destination.bucketID("acme-photos-europe"))
	a, _ := source.done(mode{})
	source.settled(mode{})
	if n := a.plan.Counts(); n.Change != 1 || n.Add+n.Destroy != 0 {
		t.Errorf("the last run did %+v", n)
	}
	for text, w := range map[string]*world{destination.bucketID("acme-photos-europe"): source,
		source.keyIDOf("photos-reader"): destination} {
		if !strings.Contains(w.dump(), text) {
			t.Errorf("one side does not name %s of the other", text)
		}
	}
}

// given sets a variable.
func (w *world) given(name, value string) {
	w.Helper()
	w.must(os.WriteFile(w.path("b2form.b2vars.hcl"), fmt.Appendf(nil, "%s = %q\n", name, value), 0o600))
}

func (w *world) keyIDOf(name string) string {
	w.Helper()
	for _, k := range w.live("b2_list_keys", "keys") {
		if k["keyName"] == name {
			return k["applicationKeyId"].(string)
		}
	}
	w.Fatalf("there is no key %s", name)
	return ""
}
