package state_test

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"testing"

	"b2form/internal/state"
)

// FuzzJournal reads any journal beside any state. What is refused stays as it is; what is
// read can be stored, and says then what it said before.
func FuzzJournal(f *testing.F) {
	f.Add(`{"version":2,"entries":[{"address":"key.app","identity":"app","id":"k1"}]}`,
		`{"version":4,"bind":{"account_id":"a","realm":"r"}}`+"\n"+`{"put":{"address":"key.b","identity":"b","id":"k2"}}`, true)
	f.Add("", `{"begin":[{"address":"bucket.a[\"x\"]","identity":"a"}]}`+"\n"+`{"drop":[{"address":"bucket.a","identity":"a"}]}`, true)
	f.Add(`{"version":4,"entries":[]}`, `{"forget":"key.app"}`+"\n"+`{"applied":{"salt":"x"}}`, true)
	f.Add(`{"version":9}`, `{"version":9}`, true)
	f.Add(`{"version":1,"open":[{"address":"key.a","identity":"a"}]}`, `{"sum":"00000000","do":{}}`, false)
	f.Fuzz(func(t *testing.T, stored, journal string, signed bool) {
		if signed { // else hardly any line is looked at
			var lines strings.Builder
			for do := range strings.Lines(journal) {
				do = strings.TrimSuffix(do, "\n")
				fmt.Fprintf(&lines, "{\"sum\":\"%08x\",\"do\":%s}\n", crc32.ChecksumIEEE([]byte(do)), do)
			}
			journal = lines.String()
		}
		path := statePath(t)
		must(t, os.WriteFile(path, []byte(stored), 0o600))
		must(t, os.WriteFile(path+".journal", []byte(journal), 0o600))
		want, err := state.ReadOrEmpty(path)
		var known *state.Error
		if err != nil && (!errors.As(err, &known) || known.Detail == "") {
			t.Errorf("error is %v", err)
		}
		s, openErr := state.Open(context.Background(), path, options())
		if (err == nil) != (openErr == nil) {
			t.Fatalf("Read: %v, Open: %v", err, openErr)
		}
		if err == nil {
			must(t, s.Close())
			if d := diff(want, read(t, path)); d != "" {
				t.Errorf("stored (-want +got):\n%s", d)
			}
			return
		}
		for name, text := range map[string]string{path: stored, path + ".journal": journal} {
			if got, err := os.ReadFile(name); err != nil || string(got) != text {
				t.Errorf("%s was changed: %v %q", name, err, got)
			}
		}
	})
}
