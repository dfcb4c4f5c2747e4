package laws_test

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"b2form/internal/emulator"
)

const contents = `
bucket "site" { name = "acme-site" }
file "text" {
  bucket  = bucket.site
  name    = "text.txt"
  content = "${file("text.secret")} and more"
}
file "source" {
  bucket = bucket.site
  name   = "source.txt"
  source = "source.secret"
}
file "pin" {
  bucket  = bucket.site
  name    = "pin.txt"
  content = sensitive(file("pin.secret"))
}
output "all" {
  value = [file.text, file.source, file.pin.name]
}
`

// What files hold reaches B2, and nothing that a run leaves, says or lets print
// holds it. Of sensitive content not even the SHA-1 is shown.
func TestContentReachesB2Only(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	c := w.watch()
	for round := range 2 { // made, and replaced
		var canaries []string
		for _, name := range []string{"text", "source", "pin"} {
			canary := fmt.Sprintf("%d+canary/of the %s which nobody else says=", round, name)
			w.must(os.WriteFile(w.path(name+".secret"), []byte(canary), 0o600))
			canaries = append(canaries, canary)
		}
		c.keys = append(c.keys, canaries...)
		w.configure(contents)
		start := w.traffic.count()
		a, r, store := w.observed(c)
		sent := fmt.Sprint(w.traffic.writesSince(start))
		for _, canary := range canaries {
			if !strings.Contains(sent, canary) {
				t.Errorf("B2 did not get %q: the search proves nothing", canary)
			}
		}
		w.prints(c, a, r, store)
		said := w.says(a, r)
		open, pin := sha1.Sum([]byte(canaries[1])), sha1.Sum([]byte(canaries[2]))
		if !strings.Contains(said, hex.EncodeToString(open[:])) {
			t.Error("the SHA-1 of what is not sensitive is not shown")
		}
		if strings.Contains(said, hex.EncodeToString(pin[:])) {
			t.Error("the SHA-1 of sensitive content is shown")
		}
		w.must(store.Close())
		w.leaves(c)
	}
}

// A local file that changes after the plan was made is not uploaded, whether it is
// new or another version.
func TestSourceChangedSincePlan(t *testing.T) {
	const config = `
bucket "site" { name = "acme-site" }
file "hello" {
  bucket = bucket.site
  name   = "hello.txt"
  source = "hello.txt"
  info   = { round = "%d" }
}
`
	w := newWorld(t, emulator.Options{})
	defer w.close()
	for round := range 2 {
		for _, meddle := range []func() error{
			func() error { return os.WriteFile(w.path("hello.txt"), []byte("hallo\n"), 0o600) },
			func() error { return os.Remove(w.path("hello.txt")) },
		} {
			w.configure(fmt.Sprintf(config, round))
			store, err := w.lock()
			w.must(err)
			a, err := w.planFrom(store.State(), mode{})
			w.must(err)
			w.must(meddle())
			start := w.traffic.count()
			_, err = w.carryOut(store, a)
			w.must(store.Close())
			if err == nil || !strings.Contains(err.Error(), "hello.txt") || !strings.Contains(err.Error(), "ploaded") {
				t.Errorf("applying says %v", err)
			}
			for _, r := range w.traffic.since(start) {
				if r.method == "b2_upload_file" {
					t.Errorf("%s was sent", r)
				}
			}
		}
		w.configure(fmt.Sprintf(config, round))
		w.done(mode{})
		w.settled(mode{})
	}
}
