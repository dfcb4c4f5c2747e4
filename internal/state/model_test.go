package state

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"b2form/internal/testrun"
)

// This file explores every interleaving of a few runs of the protocol: the moves
// are those of protocol.go, the bucket is a revision and a pointer, and time
// passes between any two steps. A run may stop anywhere for any time, which is
// also what a crash looks like to others; requests and replies get lost, and a
// request that its sender has given up may still arrive.

// A limits is what is explored. Durations are in ticks.
type limits struct {
	runs, commits     int // how many, and of each; of these one may be tried once more
	until             int // when time ends
	restarts, breaks  int // crashed runs that come back; locks broken by hand
	losses            int // replies that are not heard
	orphans           int // of these, how many may be of requests that arrive later
	length, guard     int // of a lease
	ignoreRevision    bool
	forgetTries       bool // a run does not remember a commit whose reply it lost
	exclusive, wanted bool // at most one may act; the search must find no fault
}

// place is what the bucket says: the pointer, small enough to be a key. version
// carries its content: one bit per commit that is in it.
type place struct {
	version uint16 // number of the upload above, content below
	nonce   uint8  // 0: no lease
	expires int8
}

const contentBits = 8

func (p place) content() uint16 { return p.version & (1<<contentBits - 1) }

func tick(n int8) time.Time { return time.Unix(int64(n), 0) }

func versionOf(n uint16) stateAndJournalVersion {
	if n == 0 {
		return stateAndJournalVersion{}
	}
	return stateAndJournalVersion{State: fileVersion{ID: strconv.Itoa(int(n))}}
}

func numberOf(v stateAndJournalVersion) uint16 {
	n, _ := strconv.Atoi(v.State.ID)
	return uint16(n)
}

func (p place) pointer() statePointer {
	out := statePointer{FormatVersion: formatVersion, stateAndJournalVersion: versionOf(p.version)}
	if p.nonce != 0 {
		out.Lease = &lease{Nonce: strconv.Itoa(int(p.nonce)), Expires: tick(p.expires)}
	}
	return out
}

func placeOf(p statePointer) place {
	out := place{version: numberOf(p.stateAndJournalVersion)}
	if p.Lease != nil {
		n, _ := strconv.Atoi(p.Lease.Nonce)
		out.nonce, out.expires = uint8(n), int8(p.Lease.Expires.Unix())
	}
	return out
}

// A request carries the revision that was looked at. All that matters of one is
// whether it still is the bucket's.
type request struct {
	used, current bool
	to            place
}

type operation uint8

const (
	nothing operation = iota
	taking
	renewing
	committing
	releasing
)

// A run is one run of b2form.
type run struct {
	nonce             uint8
	holds, lost, done bool
	looked, fresh     bool
	current           bool // what was looked at is still so
	seen              place
	lag               int8 // of what it knows of B2's time
	op                operation
	target            uint16
	ours              int8 // when it decided
	out               request
	answered, yes     bool
	orphan            request
	known             [3]uint16
	renewed           int8
	commits, uploads  uint8
}

// A world is one state of everything.
type world struct {
	now                      int8
	at                       place
	acknowledged             uint16 // commits that their runs know to have succeeded
	restarts, breaks, losses uint8
	runs                     [3]run
}

func (r *run) claim() leaseClaim {
	c := leaseClaim{nonce: strconv.Itoa(int(r.nonce))}
	for i, v := range r.known {
		if i == 0 || v != 0 {
			c.knownVersions = append(c.knownVersions, versionOf(v))
		}
	}
	return c
}

// mayAct is Store.Check, of a Store that is not being closed.
func (r *run) mayAct(w *world, l limits) bool {
	return r.holds && !r.lost && !r.done && r.op != releasing && int(w.now-r.renewed) < l.length-l.guard
}

// decide is the step of a run that has looked, by the functions of the protocol.
func (r *run) decide(w *world, l limits) (next place, ok bool) {
	service := w.now - r.lag
	expires := tick(service + int8(l.length))
	var to statePointer
	switch r.op {
	case taking:
		var held *lease
		to, held = r.seen.pointer().takeLease(lease{Nonce: strconv.Itoa(int(r.nonce)), Expires: expires}, tick(service))
		ok = held == nil
	case renewing:
		to, ok = r.seen.pointer().renewLease(r.claim(), expires)
	case committing:
		to, ok = r.seen.pointer().commitVersion(r.claim(), versionOf(r.target), expires)
	case releasing:
		to, ok = r.seen.pointer().commitAndReleaseLease(r.claim(), versionOf(r.target))
	}
	return placeOf(to), ok
}

// succeeded completes the operation of a run that knows it was carried out.
func (w *world) succeeded(r *run) {
	r.renewed = r.ours
	switch r.op {
	case taking:
		r.holds, r.known = true, [3]uint16{r.seen.version}
	case committing:
		w.acknowledged |= place{version: r.target}.content()
		r.known = [3]uint16{r.target}
		r.commits++
	case releasing:
		r.done = true
	}
	r.op = nothing
}

// arrive is a request at the bucket.
func (w *world) arrive(q request, l limits) bool {
	if !q.current && !l.ignoreRevision {
		return false
	}
	w.set(q.to)
	return true
}

// set gives the bucket another revision.
func (w *world) set(to place) {
	w.at = to
	for i := range w.runs {
		r := &w.runs[i]
		r.current, r.out.current, r.orphan.current = false, false, false
	}
}

// forget clears what cannot matter any more, so that worlds that differ in
// nothing else are one.
func (r *run) forget() {
	if r.done || r.lost {
		*r = run{nonce: r.nonce, done: r.done, lost: r.lost, orphan: r.orphan, commits: r.commits}
	}
	if !r.looked {
		r.current, r.seen, r.fresh, r.lag = false, place{}, false, 0
	}
	if r.op == nothing {
		r.target = 0
	}
	if !r.out.used {
		r.ours = 0
	}
}

// fault is what must never be; "": all is well.
func (w *world) fault(l limits) string {
	if lacking := w.acknowledged &^ w.at.content(); lacking != 0 {
		return fmt.Sprintf("commits %b are lost", lacking)
	}
	if w.at.nonce != 0 && int(w.at.expires-w.now) > l.length {
		return "a lease outlasts its length"
	}
	acting := 0
	for i := range w.runs {
		if w.runs[i].mayAct(w, l) {
			acting++
		}
	}
	if l.exclusive && acting > 1 {
		return "two runs may act at once"
	}
	return ""
}

// steps are all worlds that one step leads to.
func (w world) steps(l limits, yield func(world)) {
	if int(w.now) < l.until {
		next := w
		next.now++
		yield(next)
	}
	if int(w.breaks) < l.breaks && w.at.nonce != 0 {
		next := w
		next.breaks++
		next.set(place{version: w.at.version})
		yield(next)
	}
	for i := range l.runs {
		w.runSteps(i, l, yield)
	}
}

func (w world) runSteps(i int, l limits, yield func(world)) {
	step := func(f func(*world, *run)) {
		next := w
		f(&next, &next.runs[i])
		next.runs[i].forget()
		yield(next)
	}
	r := &w.runs[i]
	if r.orphan.used {
		step(func(w *world, r *run) { w.arrive(r.orphan, l); r.orphan = request{} })
	}
	if int(w.restarts) < l.restarts && !r.done && r.nonce < 10 {
		step(func(w *world, r *run) {
			w.restarts++
			left := r.orphan
			if r.out.used && !r.answered {
				left = r.out
			}
			*r = run{nonce: r.nonce + 10, orphan: left, commits: r.commits, uploads: r.uploads}
		})
	}
	switch {
	case r.done || r.lost:
	case r.out.used:
		w.outSteps(i, l, step)
	case !r.looked:
		for lag := range int8(2) { // B2's servers do not agree to the tick
			step(func(w *world, r *run) {
				r.looked, r.fresh, r.current, r.seen, r.lag = true, true, true, w.at, lag
			})
		}
	case r.op == nothing:
		for _, op := range r.choices(&w, l) {
			step(func(w *world, r *run) { r.begin(op, i); r.send(w, l) })
		}
	default:
		step(func(w *world, r *run) { r.send(w, l) })
	}
}

func (r *run) choices(w *world, l limits) []operation {
	switch {
	case !r.holds:
		return []operation{taking}
	case int(r.commits) < l.commits && int(r.uploads) <= l.commits:
		if w.now == r.renewed {
			return []operation{committing, releasing}
		}
		return []operation{renewing, committing, releasing}
	}
	return []operation{releasing}
}

// begin uploads what is to be committed: a version of its own each time, on top
// of what the run has read.
func (r *run) begin(op operation, i int) {
	r.op, r.target = op, r.known[0]
	if op == committing {
		r.uploads++
		bit := uint16(1) << (2*i + int(r.commits))
		r.target = place{version: r.known[0]}.content() | bit | uint16(i*16+int(r.uploads))<<contentBits
	}
}

func (r *run) send(w *world, l limits) {
	next, ok := r.decide(w, l)
	switch {
	case ok && next == r.seen:
		r.ours = w.now
		w.succeeded(r)
	case ok:
		r.ours = w.now
		r.out = request{true, r.current, next}
	case !r.fresh:
		r.looked = false
	case r.op == taking:
		r.looked = false // it waits
	default:
		r.lost = true
	}
}

// outSteps are those of a run with a request under way.
func (w *world) outSteps(i int, l limits, step func(func(*world, *run))) {
	r := &w.runs[i]
	end := func(r *run) { r.out, r.answered, r.yes, r.looked, r.fresh = request{}, false, false, false, false }
	if !r.answered {
		step(func(w *world, r *run) {
			r.answered, r.yes = true, w.arrive(r.out, l)
			r.out.current = r.yes // the reply shows the bucket as it is now
		})
	} else {
		step(func(w *world, r *run) { // the reply is read
			yes, q := r.yes, r.out
			end(r)
			if !yes {
				return
			}
			r.looked, r.current, r.seen = true, q.current, q.to
			r.lag = 0
			w.succeeded(r)
		})
	}
	if int(w.losses) < l.losses && (r.answered || int(w.losses) < l.orphans) {
		giveUp := func(w *world, r *run) {
			w.losses++
			if !r.answered {
				r.orphan = r.out
			}
			end(r)
		}
		step(giveUp) // and tries the same again
		step(func(w *world, r *run) {
			giveUp(w, r)
			if r.op == committing && !l.forgetTries {
				r.known[2], r.known[1] = r.known[1], r.target
			}
			if r.op == releasing {
				r.done = true
			}
			r.op = nothing
		})
	}
}

// explore searches breadth first and gives the first fault, with the way to it.
func explore(l limits) (fault string, way []world, states int) {
	start := world{}
	for i := range l.runs {
		start.runs[i].nonce = uint8(i + 1)
	}
	worlds, from := []world{start}, []int{0}
	seen := map[world]struct{}{start: {}}
	for at := 0; at < len(worlds) && fault == ""; at++ {
		worlds[at].steps(l, func(next world) {
			if _, known := seen[next]; known || fault != "" {
				return
			}
			seen[next] = struct{}{}
			worlds, from = append(worlds, next), append(from, at)
			fault = next.fault(l)
		})
	}
	if fault != "" {
		for i := len(worlds) - 1; i != 0; i = from[i] {
			way = append([]world{worlds[i]}, way...)
		}
	}
	return fault, way, len(worlds)
}

func TestModel(t *testing.T) {
	worlds := map[string]limits{
		"two runs":            {runs: 2, commits: 1, until: 3, length: 2, guard: 1, exclusive: true, wanted: true},
		"two commits":         {runs: 2, commits: 2, until: 2, length: 2, guard: 1, exclusive: true, wanted: true},
		"three runs":          {runs: 3, commits: 1, until: 0, length: 1, guard: 1, exclusive: true, wanted: true},
		"lost replies":        {runs: 2, commits: 1, until: 1, length: 1, guard: 1, losses: 1, orphans: 1, exclusive: true, wanted: true},
		"a crash":             {runs: 2, commits: 1, until: 1, length: 1, guard: 1, restarts: 1, exclusive: true, wanted: true},
		"a broken lock":       {runs: 2, commits: 1, until: 1, length: 2, guard: 1, breaks: 1, wanted: true},
		"no guard":            {runs: 2, commits: 1, until: 3, length: 2, guard: 0, exclusive: true},
		"no revisions":        {runs: 2, commits: 1, until: 3, length: 2, guard: 1, ignoreRevision: true},
		"no exclusion at all": {runs: 2, commits: 1, until: 2, length: 2, guard: 1, breaks: 1, exclusive: true},
	}
	for _, name := range testrun.SampleUnlessExhaustive(t, 2, 1, slices.Sorted(maps.Keys(worlds))) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := worlds[name]
			fault, way, states := explore(l)
			t.Logf("%s: %d states", fault, states)
			if l.wanted && fault != "" {
				for _, w := range way {
					t.Logf("%v", w)
				}
				t.Error(fault)
			}
			if !l.wanted && fault == "" {
				t.Error("the search finds no fault where there must be one")
			}
		})
	}
}
