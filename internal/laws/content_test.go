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
		start := w.wire.count()
		a, r, store := w.observed(c)
		sent := fmt.Sprint(w.wire.writesSince(start))
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
