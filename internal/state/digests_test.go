package state_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"b2form/internal/state"
	"b2form/schema/addr"
)

// Digests are recorded of the very objects that they were made of, with the time of their update, and nothing else is.
func TestPutDigests(t *testing.T) {
	path := statePath(t)
	s := open(t, path)
	app, web := address(t, "key.app"), address(t, "key.web")
	must(t, s.AnnounceCreates(state.CreateIntent{Addr: app, Identity: "app"}))
	must(t, s.PutEntriesCloseIntents(addr.StateEntry{Addr: app, Identity: "app", ID: "k1", Delivered: true},
		addr.StateEntry{Addr: web, Identity: "web", ID: "k2"}))
	must(t, s.AnnounceCreates(state.CreateIntent{Addr: app, Identity: "app", KnownIDs: []string{"k0"}}))
	const digests = "abcd0123456789ab0123456789cd"
	updated := time.Date(2026, 10, 2, 12, 0, 0, 0, time.UTC)
	must(t, s.PutDigests(addr.StateEntry{Addr: app, ID: "k1", DriftDigests: digests, Updated: updated},
		addr.StateEntry{Addr: web, ID: "another", DriftDigests: digests},
		addr.StateEntry{Addr: address(t, "key.gone"), ID: "k3", DriftDigests: digests}))
	during := read(t, path) // from the journal
	must(t, s.Close())
	want := []addr.StateEntry{{Addr: app, Identity: "app", ID: "k1", Delivered: true, DriftDigests: digests, Updated: updated},
		{Addr: web, Identity: "web", ID: "k2"}}
	for _, got := range []*state.State{during, read(t, path)} {
		if !slices.EqualFunc(want, got.Entries, func(a, b addr.StateEntry) bool { return reflect.DeepEqual(a, b) }) ||
			len(got.OpenIntents) != 1 {
			t.Errorf("%+v", got)
		}
	}
}
