package laws_test

import (
	"strings"
	"testing"
	"time"

	"b2form/internal/emulator"
)

// The clock of the machine is days ahead or behind: what rotates, when an overlap ends and
// what has expired is decided by B2's clock, and the plan warns.
func TestWrongClockDecidesNothing(t *testing.T) {
	const day = 24 * time.Hour
	for _, skew := range []time.Duration{2 * day, -2 * day, 30 * day} {
		w := newWorld(t, emulator.Options{})
		w.configure(`
key "robot" {
  name   = "robot"
  access = "read_only"
  rotate {
    every   = "10d"
    overlap = "1d"
  }
  deliver "file" { path = "robot.env" }
}
key "short" {
  name           = "short"
  access         = "read_only"
  valid_duration = "20d"
  deliver "file" { path = "short.env" }
}`)
		live := func() int { return len(w.live("b2_list_keys", "keys")) }
		run := func(when string, keys int) {
			t.Helper()
			a, _ := w.done(mode{})
			if live() != keys {
				t.Errorf("%s, %s off: %d keys live, want %d", when, skew, live(), keys)
			}
			warned := false
			for _, d := range a.plan.Warnings {
				warned = warned || d.Summary == "The clock of this machine is wrong" && strings.Contains(d.Detail, "days")
			}
			if warned != (w.skew != 0) {
				t.Errorf("%s, %s off: warned %v", when, w.skew, warned)
			}
		}
		run("new", 2)
		w.skew = skew
		run("at once", 2)
		w.pass(9 * day)
		run("before it is due", 2)
		w.pass(day + time.Minute)
		run("when it is due", 3)
		w.skew = 0
		run("in the overlap, by a right clock", 3)
		w.skew = skew
		w.pass(20 * time.Hour)
		run("in the overlap", 3)
		w.pass(4*time.Hour + time.Minute)
		run("after the overlap", 2)
		w.pass(8 * day)
		first := w.entryID("key.short")
		run("before one expires", 2)
		if w.entryID("key.short") != first {
			t.Errorf("%s off: a key that has not expired was made anew", skew)
		}
		w.close()
	}
}
