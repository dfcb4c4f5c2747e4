package emulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Lifecycle rules are applied once a day; see "Lifecycle Rules". Here that is
// at midnight UTC, and seen to when the next request arrives: the emulator
// makes up for every midnight since the last. What becomes of one name does not
// depend on another, so one walk through the account does for any number of
// days. It goes in portions, between which other requests are answered; only
// the one that began it waits for its end.

const millisPerDay = 24 * 60 * 60 * 1000

// dailyKey is where the store has the day of the last pass, from 1970.
const dailyKey = "d"

// A span is the days whose passes are to be made up for.
type span struct{ last, today int64 }

// pass gives the first midnight of the span that is not before due, and
// whether there is one.
func (s span) pass(due int64) (midnightMillis int64, isWithin bool) {
	day := max((due+millisPerDay-1)/millisPerDay, s.last+1)
	return day * millisPerDay, day <= s.today
}

func dayOf(t time.Time) int64 { return t.Unix() / (millisPerDay / 1000) }

// beginDays remembers today as the day of the last pass, unless a former run
// knows better.
func (s *Server) beginDays(t tx) error {
	day := dayOf(s.options.Now())
	if record := t.get(dailyKey); record != nil {
		var err error
		if day, err = strconv.ParseInt(string(record), 10, 64); err != nil {
			return fmt.Errorf("the record %q is damaged: %w", dailyKey, err)
		}
	} else {
		t.put(dailyKey, strconv.AppendInt(nil, day, 10))
	}
	s.lastPass.Store(day)
	return nil
}

// CatchUp applies the lifecycle rules for every midnight UTC that has passed
// since they were applied last, or waits until somebody else has done so. A
// request begins with it unless it is under way; whoever moves the clock and
// looks at the account without a request may call it.
func (s *Server) CatchUp() error {
	s.passing.Lock()
	defer s.passing.Unlock()
	if err := s.catchUp(s.now()); err != nil {
		return fmt.Errorf("emulator: lifecycle: %w", err)
	}
	return nil
}

// catchUpUnlessGoing is what a request begins with.
func (s *Server) catchUpUnlessGoing(now time.Time) error {
	if dayOf(now) <= s.lastPass.Load() || !s.passing.TryLock() {
		return nil
	}
	defer s.passing.Unlock()
	return s.catchUp(now)
}

// catchUp is for whoever holds passing.
func (s *Server) catchUp(now time.Time) error {
	today := dayOf(now)
	days := span{s.lastPass.Load(), today}
	if days.today <= days.last {
		return nil
	}
	var ids []string
	err := s.store.view(func(t tx) error {
		for key := range t.scan("b", "b") {
			ids = append(ids, key[1:])
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.passBucket(id, days); err != nil {
			return err
		}
	}
	err = s.store.update(func(t tx) error {
		t.put(dailyKey, strconv.AppendInt(nil, today, 10))
		return nil
	})
	if err == nil {
		s.lastPass.Store(today)
	}
	return err
}

// passBucket lets the days go over one bucket, a portion at a time.
func (s *Server) passBucket(id string, days span) error {
	for start := (walk{bucketID: id}).root(); start != ""; {
		c := &call{server: s, version: 4}
		err := s.store.update(func(t tx) (err error) {
			c.tx = t
			start, err = c.passPortion(id, start, days)
			return err
		})
		if err != nil {
			return err
		}
		for _, f := range c.after {
			f()
		}
	}
	return nil
}

// portion is how many versions one transaction goes over, and then to the end
// of their name.
const portion = 1000

// passPortion goes over names from the store's key on, and gives the key to go
// on with, "" at the end.
func (c *call) passPortion(bucketID, start string, days span) (next string, err error) {
	var b bucket
	found, err := load(c.tx, "b"+bucketID, &b)
	if err != nil || !found {
		return "", err
	}
	var due []*life
	w := walk{bucketID: bucketID}
	l, seen := c.newLife(b, ""), 0
	for f, err := range w.from(c.tx, start) {
		if err != nil {
			return "", err
		}
		if f.Name != l.name {
			if seen >= portion {
				next = w.root() + f.Name
				break
			}
			due = l.appendDue(due, days)
			l = c.newLife(b, f.Name)
		}
		l.add(f)
		seen++
	}
	due = l.appendDue(due, days)
	for _, l := range due {
		if err := l.live(days); err != nil {
			return "", err
		}
	}
	return next, nil
}

// A life is what lifecycle rules do to the versions of one name.
type life struct {
	call       *call
	name       string
	rule       lifecycleRule // what the rules for the name come to
	markersGo  bool          // hide markers without a version below them
	versions   []file        // newest first
	unfinished []file
}

// newLife finds out what the bucket's rules mean for a name. Where several
// apply, whichever acts first.
func (c *call) newLife(b bucket, name string) *life {
	l := &life{call: c, name: name, markersGo: !c.server.options.Switches.MarkersNeedRules}
	sooner := func(a, b int64) int64 {
		if a == 0 || b != 0 && b < a {
			return b
		}
		return a
	}
	for _, r := range b.Lifecycle {
		if strings.HasPrefix(name, r.Prefix) {
			l.markersGo = true
			l.rule.HideAfter = sooner(l.rule.HideAfter, r.HideAfter)
			l.rule.DropAfter = sooner(l.rule.DropAfter, r.DropAfter)
			l.rule.AbortAfter = sooner(l.rule.AbortAfter, r.AbortAfter)
		}
	}
	return l
}

func (l *life) add(f file) {
	if f.Action == started {
		l.unfinished = append(l.unfinished, f)
	} else {
		l.versions = append(l.versions, f)
	}
}

// appendDue appends the life if a pass of the days changes it.
func (l *life) appendDue(due []*life, days span) []*life {
	if _, ok := l.nextPass(days); ok {
		return append(due, l)
	}
	return due
}

// nextPass gives the midnight of the first pass that changes something.
func (l *life) nextPass(days span) (first int64, ok bool) {
	consider := func(due int64, is bool) {
		if at, within := days.pass(due); is && within && (!ok || at < first) {
			first, ok = at, true
		}
	}
	consider(l.hideDue())
	for i := range l.versions {
		consider(l.dropDue(i))
	}
	for _, f := range l.unfinished {
		consider(l.abortDue(f))
	}
	consider(0, l.orphaned())
	return first, ok
}

// hideDue is when the current version is old enough to be hidden.
func (l *life) hideDue() (millis int64, applies bool) {
	if len(l.versions) == 0 || l.versions[0].Action != uploaded || l.rule.HideAfter == 0 {
		return 0, false
	}
	return l.versions[0].Time + l.rule.HideAfter*millisPerDay, true
}

// dropDue is when the i-th version is to be deleted: so many days after the
// next newer one hid or superseded it, and not while it is locked.
func (l *life) dropDue(i int) (millis int64, applies bool) {
	f := l.versions[i]
	if i == 0 || l.rule.DropAfter == 0 || f.Lock.Hold == "on" {
		return 0, false
	}
	since := l.versions[i-1].Time
	if !l.call.server.keeps(lifecycleRunsDaily) {
		if since = f.Time; l.versions[0].Action != hidden {
			return 0, false
		}
	}
	return max(since+l.rule.DropAfter*millisPerDay, f.Lock.Until), true
}

func (l *life) abortDue(f file) (millis int64, applies bool) {
	return f.Time + l.rule.AbortAfter*millisPerDay, l.rule.AbortAfter != 0
}

// orphaned reports whether hide markers are all that is left to go.
func (l *life) orphaned() bool {
	shown := func(f file) bool { return f.Action != hidden }
	return l.markersGo && len(l.versions) > 0 && !slices.ContainsFunc(l.versions, shown)
}

// live makes all passes that change something.
func (l *life) live(days span) error {
	for {
		at, ok := l.nextPass(days)
		if !ok {
			return nil
		}
		if err := l.pass(at); err != nil {
			return err
		}
		days.last = at / millisPerDay
	}
}

// pass is one pass at that midnight.
func (l *life) pass(at int64) error {
	c := l.call
	var gone, left []file
	for i, f := range l.versions {
		if due, ok := l.dropDue(i); ok && due <= at {
			gone = append(gone, f)
		} else {
			left = append(left, f)
		}
	}
	if due, ok := l.hideDue(); ok && due <= at {
		c.now = time.UnixMilli(at)
		marker := c.newMarker(l.versions[0].Bucket, l.name)
		c.addFile(marker)
		left = slices.Insert(left, 0, marker)
	}
	if l.versions = left; l.orphaned() {
		gone = append(gone, left...)
		l.versions = nil
	}
	left = nil
	for _, f := range l.unfinished {
		if due, ok := l.abortDue(f); ok && due <= at {
			gone = append(gone, f)
		} else {
			left = append(left, f)
		}
	}
	l.unfinished = left
	for _, f := range gone {
		if err := c.removeFile(f); err != nil {
			return err
		}
	}
	return nil
}
