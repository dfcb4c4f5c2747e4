package laws_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"b2form/internal/emulator"
	"b2form/schema/addr"
)

// wrongest is by how much the clocks of machines are wrong at most: what is decided by B2's
// clock does not suffer. That is known to the second, and slack is what the waits of a run
// take at most.
const (
	wrongest = 72 * time.Hour
	known    = 3 * time.Second
	slack    = 5 * time.Minute
)

// A regime is how a key rotates.
type regime struct {
	every, overlap, lasts time.Duration
	lines                 string // in its block
}

func regimes() []regime {
	const hour, day = time.Hour, 24 * time.Hour
	return []regime{
		{90 * day, 7 * day, 0, "rotate {\n    every   = \"90d\"\n    overlap = \"7d\"\n  }\n"},
		{2 * day, 6 * hour, 0, "rotate {\n    every   = \"2d\"\n    overlap = \"6h\"\n  }\n"},
		{2 * day, 0, 0, "rotate {\n    every   = \"2d\"\n    overlap = \"0\"\n  }\n"},
		{4 * day, day, 5 * day, "valid_duration = \"5d\"\n  rotate {\n    overlap = \"1d\"\n  }\n"},
	}
}

// A caretaker watches over one rotating key by B2's clock.
type caretaker struct {
	*world
	regime
	current string               // ID of the key in the file; "": there is no file yet
	made    map[string]time.Time // when a key was first seen
	given   map[string]bool      // it was in the file
	until   map[string]time.Time // when it was superseded: another key came into the file
	longest map[string]time.Time // the same, for a key that was kept the next delivery after it
	narrow  bool                 // which of two sets of capabilities is declared
	kept    map[string]bool      // it may live on until the next delivery
}

// Whatever the schedule of runs, with requests that are lost, states that are
// lost and clocks that are wrong: once there is a key, the file holds one that
// works; whoever was given a key can use it for the overlap after the next one
// was delivered; and then it is gone.
func TestRotationUnderAnySchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, emulator.Options{})
		defer w.close()
		c := &caretaker{world: w, regime: rapid.SampledFrom(regimes()).Draw(t, "regime"),
			made: map[string]time.Time{}, given: map[string]bool{}, until: map[string]time.Time{},
			longest: map[string]time.Time{}, kept: map[string]bool{}}
		c.declare()
		for range rapid.IntRange(1, 9).Draw(t, "steps") {
			c.step(t)
		}
		w.done(mode{})
		c.observe(true)
		w.settled(mode{})
		w.pass(c.overlap + known + slack)
		w.done(mode{})
		c.observe(true)
	})
}

func (c *caretaker) declare() {
	capabilities := `["listBuckets"]`
	if c.narrow {
		capabilities = `["listFiles"]`
	}
	c.configure(fmt.Sprintf("key \"robot\" {\n  name         = \"robot\"\n  capabilities = %s\n  %s  deliver \"file\" { path = "+
		"\"robot.env\" }\n}\n",
		capabilities, c.lines))
}

func (c *caretaker) step(t *rapid.T) {
	robot := mode{rotate: []addr.Addr{{Kind: "key", Label: "robot"}}}
	switch rapid.SampledFrom([]string{"wait", "wait", "run", "run", "rotate", "crash", "lose the state", "skew", "change"}).Draw(t,
		"step") {
	case "wait":
		c.pass(rapid.SampledFrom([]time.Duration{
			time.Minute, c.overlap / 2, c.overlap, c.every - c.overlap, c.every, 3 * c.every,
		}).Draw(t, "for"))
	case "run":
		c.done(mode{})
		c.observe(true)
	case "rotate":
		if c.current != "" {
			c.done(robot)
			c.observe(true)
		}
	case "crash":
		c.outage(rapid.IntRange(2, 8).Draw(t, "at"), rapid.Bool().Draw(t, "after it took effect"))
		_, _, err := c.apply(rapid.SampledFrom([]mode{{}, robot}).Draw(t, "run"))
		c.traffic.around = nil
		c.observe(false)
		t.Logf("it ended with %v", err)
	case "lose the state":
		c.lose()
	case "skew":
		c.skew = time.Duration(rapid.IntRange(int(-wrongest/time.Minute), int(wrongest/time.Minute)).Draw(t, "minutes")) * time.Minute
	case "change":
		c.narrow = !c.narrow
		c.declare()
	}
}

// lose takes the state away. Of several keys that nobody was given and that are
// recorded nowhere, nobody can know.
func (c *caretaker) lose() {
	c.Helper()
	var youngest string
	orphans := 0
	for _, k := range c.live("b2_list_keys", "keys") {
		id := k["applicationKeyId"].(string)
		_, superseded := c.until[id]
		switch {
		case !superseded && id != c.current:
			orphans++
		case superseded && (youngest == "" || !c.made[id].Before(c.made[youngest])):
			youngest = id
		}
	}
	if orphans <= 1 {
		c.must(os.RemoveAll(c.statePath()))
		c.kept[youngest] = true
	}
}

// observe looks at what there is after a run.
func (c *caretaker) observe(succeeded bool) {
	c.Helper()
	now, live := c.Now(), map[string]bool{}
	for _, k := range c.live("b2_list_keys", "keys") {
		live[k["applicationKeyId"].(string)] = true
	}
	if _, err := os.Stat(c.path("robot.env")); err == nil {
		if id, _ := c.delivered("robot.env"); id != c.current {
			for old := range c.made {
				_, is := c.until[old]
				if !is {
					c.until[old] = now
				}
				if !is || c.kept[old] {
					c.longest[old] = now
				}
			}
			clear(c.kept)
			c.current = id
			c.made[id], c.given[id] = now, true
		}
	}
	for id := range live {
		if _, seen := c.made[id]; !seen {
			c.made[id] = now
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.made)) {
		c.judge(id, live[id], succeeded)
	}
}

// judge says whether a key may be live, or may be gone.
func (c *caretaker) judge(id string, live, succeeded bool) {
	c.Helper()
	now := c.Now()
	expired := c.lasts > 0 && now.After(c.made[id].Add(c.lasts-slack))
	until, superseded := c.until[id]
	switch {
	case !live && expired:
	case !live && id == c.current:
		c.Fatalf("the key in the file is gone")
	case !live && c.given[id] && superseded && now.Before(until.Add(c.overlap-known-slack)):
		c.Fatalf("%s was superseded on %v, and it is gone before the overlap of %v has ended", id, until, c.overlap)
	case live && succeeded && superseded && !c.kept[id] && now.After(c.longest[id].Add(c.overlap+known+slack)):
		c.Fatalf("%s was superseded on %v, and it lives although the overlap of %v has ended", id, c.longest[id], c.overlap)
	}
}

// The overlap is the time that users have to fetch the new key, so it begins
// when they can.
func TestOverlapBeginsWithDelivery(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	w.configure(replace(rotating, "\n  deliver", "\n  deliver \"stdout\" {}\n  deliver"))
	w.done(mode{})
	w.pass(91 * 24 * time.Hour)
	w.printing = func() { w.pass(5 * time.Hour) } // a slow reader
	w.done(mode{})
	w.pass(7*24*time.Hour - time.Hour)
	w.settled(mode{})
	w.pass(time.Hour)
	if a, err := w.plan(mode{}); err != nil || a.idle() {
		t.Errorf("the overlap does not end: %v", err)
	}
}

// A successor that nobody was given looks current once the state is lost. The
// key that is in use lives on all the same, until one is delivered again.
func TestKeyInUseOutlivesLostState(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	w.configure(rotating)
	w.done(mode{})
	w.pass(91 * 24 * time.Hour)
	w.outage(4, true) // the new key is made, and that is the end of it
	if _, _, err := w.apply(mode{}); err == nil {
		t.Fatal("the run was not disturbed")
	}
	w.traffic.around = nil
	w.must(os.RemoveAll(w.statePath()))
	for range 5 { // in 120 days
		w.done(mode{})
		id, _ := w.delivered("robot.env")
		w.holds("robot.env", id)
		w.pass(30 * 24 * time.Hour)
	}
	if n := len(w.live("b2_list_keys", "keys")); n != 1 {
		t.Errorf("%d keys live, want 1", n)
	}
}
