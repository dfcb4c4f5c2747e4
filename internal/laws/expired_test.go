package laws_test

import (
	"testing"
	"time"

	"b2form/internal/emulator"
	"b2form/plan"
)

// A key that has expired is gone though B2 goes on to list it: another is made, whatever
// happens to the request, and nobody tries to delete the expired one.
func TestExpiredKeyIsGone(t *testing.T) {
	const listsExpired = 20 // the behaviour of the emulator that expired keys vanish
	for name, fault := range map[string]*emulator.Fault{
		"undisturbed":   nil,
		"reply lost":    {Method: "b2_create_key", TakesEffect: true},
		"never arrived": {Method: "b2_create_key"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{BrokenBehaviours: []int{listsExpired}})
			defer w.close()
			w.configure(`
key "app" {
  name           = "app"
  access         = "read_only"
  valid_duration = "1d"
  deliver "file" {
    path = "app.env"
  }
}`)
			w.done(mode{})
			first := w.entryID("key.app")
			w.settled(mode{})
			w.pass(24 * time.Hour)
			if fault != nil {
				w.b2.QueueFault(*fault)
			}
			start := w.traffic.count()
			a, _ := w.done(mode{})
			if len(a.plan.Changes) != 1 || a.plan.Changes[0].Action != plan.Create || len(a.plan.Changes[0].FurtherDeletes) > 0 {
				t.Errorf("planned %+v", a.plan.Changes)
			}
			if w.entryID("key.app") == first || len(w.live("b2_list_keys", "keys")) != 2 {
				t.Errorf("the state has %s, the account %v", w.entryID("key.app"), w.live("b2_list_keys", "keys"))
			}
			for _, r := range w.traffic.writesSince(start) {
				if r.method == "b2_delete_key" && r.members(t)["applicationKeyId"] == first {
					t.Error("the expired key was deleted")
				}
			}
			w.settled(mode{})
			w.usable()
			w.pass(24 * time.Hour)
			w.done(mode{destroy: true})
			w.settled(mode{destroy: true})
		})
	}
}
