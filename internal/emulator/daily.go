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

// A missedDays is the days whose passes are to be made up for.
type missedDays struct{ lastPassDay, today int64 }

// firstMidnightFrom gives the first midnight of the span that is not before due, and
// whether there is one.
func (s missedDays) firstMidnightFrom(due int64) (midnightMillis int64, isWithin bool) {
	day := max((due+millisPerDay-1)/millisPerDay, s.lastPassDay+1)
	return day * millisPerDay, day <= s.today
}

func daysSince1970(t time.Time) int64 { return t.Unix() / (millisPerDay / 1000) }

// loadOrSetLastPassDay remembers today as the day of the last pass, unless a former run
// knows better.
func (s *Server) loadOrSetLastPassDay(t tx) error {
	day := daysSince1970(s.options.Now())
	if record := t.get(dailyKey); record != nil {
		var err error
		if day, err = strconv.ParseInt(string(record), 10, 64); err != nil {
			return fmt.Errorf("the record %q is damaged: %w", dailyKey, err)
		}
	} else {
		t.put(dailyKey, strconv.AppendInt(nil, day, 10))
	}
	s.lastLifecyclePassDay.Store(day)
	return nil
}

// CatchUpLifecycle applies the lifecycle rules for every midnight UTC that has passed
// since they were applied last, or waits until somebody else has done so. A
// request begins with it unless it is under way; whoever moves the clock and
// looks at the account without a request may call it.
func (s *Server) CatchUpLifecycle() error {
	s.lifecycleMu.Lock()
	defer s.lifecycleMu.Unlock()
	if err := s.catchUpLifecycleLocked(s.now()); err != nil {
		return fmt.Errorf("emulator: lifecycle: %w", err)
	}
	return nil
}

// tryCatchUpLifecycle is what a request begins with.
func (s *Server) tryCatchUpLifecycle(now time.Time) error {
	if daysSince1970(now) <= s.lastLifecyclePassDay.Load() || !s.lifecycleMu.TryLock() {
		return nil
	}
	defer s.lifecycleMu.Unlock()
	return s.catchUpLifecycleLocked(now)
}

// catchUpLifecycleLocked is for whoever holds lifecycleMu.
func (s *Server) catchUpLifecycleLocked(now time.Time) error {
	today := daysSince1970(now)
	days := missedDays{s.lastLifecyclePassDay.Load(), today}
	if days.today <= days.lastPassDay {
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
		if err := s.applyLifecycleToBucket(id, days); err != nil {
			return err
		}
	}
	err = s.store.update(func(t tx) error {
		t.put(dailyKey, strconv.AppendInt(nil, today, 10))
		return nil
	})
	if err == nil {
		s.lastLifecyclePassDay.Store(today)
	}
	return err
}

// applyLifecycleToBucket lets the days go over one bucket, a portion at a time.
func (s *Server) applyLifecycleToBucket(id string, days missedDays) error {
	for start := (walk{bucketID: id}).bucketStoreKeyPrefix(); start != ""; {
		c := &call{server: s, version: 4}
		err := s.store.update(func(t tx) (err error) {
			c.tx = t
			start, err = c.applyLifecycleToPortion(id, start, days)
			return err
		})
		if err != nil {
			return err
		}
		for _, f := range c.afterCommit {
			f()
		}
	}
	return nil
}

// versionsPerTransaction is how many versions one transaction goes over, and then to the end
// of their name.
const versionsPerTransaction = 1000

// applyLifecycleToPortion goes over names from the store's key on, and gives the key to go
// on with, "" at the end.
func (c *call) applyLifecycleToPortion(bucketID, startStoreKey string, days missedDays) (nextStoreKey string, err error) {
	var b bucket
	found, err := load(c.tx, "b"+bucketID, &b)
	if err != nil || !found {
		return "", err
	}
	var due []*nameLifecycle
	w := walk{bucketID: bucketID}
	l, seen := c.newNameLifecycle(b, ""), 0
	for f, err := range w.filesFromStoreKey(c.tx, startStoreKey) {
		if err != nil {
			return "", err
		}
		if f.Name != l.name {
			if seen >= versionsPerTransaction {
				nextStoreKey = w.bucketStoreKeyPrefix() + f.Name
				break
			}
			due = l.appendDue(due, days)
			l = c.newNameLifecycle(b, f.Name)
		}
		l.add(f)
		seen++
	}
	due = l.appendDue(due, days)
	for _, l := range due {
		if err := l.runPasses(days); err != nil {
			return "", err
		}
	}
	return nextStoreKey, nil
}

// A nameLifecycle is what lifecycle rules do to the versions of one name.
type nameLifecycle struct {
	call               *call
	name               string
	combinedRule       lifecycleRule // what the rules for the name come to
	removesLoneMarkers bool          // hide markers without a version below them
	versions           []file        // newest first
	unfinished         []file
}

// newNameLifecycle finds out what the bucket's rules mean for a name. Where several
// apply, whichever acts first.
func (c *call) newNameLifecycle(b bucket, name string) *nameLifecycle {
	l := &nameLifecycle{call: c, name: name, removesLoneMarkers: !c.server.options.Switches.OnlyRulesRemoveMarkers}
	sooner := func(a, b int64) int64 {
		if a == 0 || b != 0 && b < a {
			return b
		}
		return a
	}
	for _, r := range b.Lifecycle {
		if strings.HasPrefix(name, r.Prefix) {
			l.removesLoneMarkers = true
			l.combinedRule.HideAfterDays = sooner(l.combinedRule.HideAfterDays, r.HideAfterDays)
			l.combinedRule.DeleteHiddenAfterDays = sooner(l.combinedRule.DeleteHiddenAfterDays, r.DeleteHiddenAfterDays)
			l.combinedRule.CancelUnfinishedAfterDays = sooner(l.combinedRule.CancelUnfinishedAfterDays, r.CancelUnfinishedAfterDays)
		}
	}
	return l
}

func (l *nameLifecycle) add(f file) {
	if f.Action == started {
		l.unfinished = append(l.unfinished, f)
	} else {
		l.versions = append(l.versions, f)
	}
}

// appendDue appends the life if a pass of the days changes it.
func (l *nameLifecycle) appendDue(due []*nameLifecycle, days missedDays) []*nameLifecycle {
	if _, ok := l.nextChangingPassMillis(days); ok {
		return append(due, l)
	}
	return due
}

// nextChangingPassMillis gives the midnight of the first pass that changes something.
func (l *nameLifecycle) nextChangingPassMillis(days missedDays) (first int64, ok bool) {
	consider := func(due int64, is bool) {
		if at, within := days.firstMidnightFrom(due); is && within && (!ok || at < first) {
			first, ok = at, true
		}
	}
	consider(l.hideDue())
	for i := range l.versions {
		consider(l.deleteDue(i))
	}
	for _, f := range l.unfinished {
		consider(l.cancelDue(f))
	}
	consider(0, l.loneMarkersDue())
	return first, ok
}

// hideDue is when the current version is old enough to be hidden.
func (l *nameLifecycle) hideDue() (millis int64, applies bool) {
	if len(l.versions) == 0 || l.versions[0].Action != uploaded || l.combinedRule.HideAfterDays == 0 {
		return 0, false
	}
	return l.versions[0].UploadMillis + l.combinedRule.HideAfterDays*millisPerDay, true
}

// deleteDue is when the i-th version is to be deleted: so many days after the
// next newer one hid or superseded it, and not while it is locked.
func (l *nameLifecycle) deleteDue(i int) (millis int64, applies bool) {
	f := l.versions[i]
	if i == 0 || l.combinedRule.DeleteHiddenAfterDays == 0 || f.Lock.Hold == "on" {
		return 0, false
	}
	since := l.versions[i-1].UploadMillis
	if !l.call.server.keeps(lifecycleRunsDaily) {
		if since = f.UploadMillis; l.versions[0].Action != hidden {
			return 0, false
		}
	}
	return max(since+l.combinedRule.DeleteHiddenAfterDays*millisPerDay, f.Lock.UntilMillis), true
}

func (l *nameLifecycle) cancelDue(f file) (millis int64, applies bool) {
	return f.UploadMillis + l.combinedRule.CancelUnfinishedAfterDays*millisPerDay, l.combinedRule.CancelUnfinishedAfterDays != 0
}

// loneMarkersDue reports whether hide markers are all that is left to go.
func (l *nameLifecycle) loneMarkersDue() bool {
	shown := func(f file) bool { return f.Action != hidden }
	return l.removesLoneMarkers && len(l.versions) > 0 && !slices.ContainsFunc(l.versions, shown)
}

// runPasses makes all passes that change something.
func (l *nameLifecycle) runPasses(days missedDays) error {
	for {
		at, ok := l.nextChangingPassMillis(days)
		if !ok {
			return nil
		}
		if err := l.runPass(at); err != nil {
			return err
		}
		days.lastPassDay = at / millisPerDay
	}
}

// runPass is one pass at that midnight.
func (l *nameLifecycle) runPass(at int64) error {
	c := l.call
	var gone, left []file
	for i, f := range l.versions {
		if due, ok := l.deleteDue(i); ok && due <= at {
			gone = append(gone, f)
		} else {
			left = append(left, f)
		}
	}
	if due, ok := l.hideDue(); ok && due <= at {
		c.now = time.UnixMilli(at)
		marker := c.newHideMarker(l.versions[0].BucketID, l.name)
		c.addFile(marker)
		left = slices.Insert(left, 0, marker)
	}
	if l.versions = left; l.loneMarkersDue() {
		gone = append(gone, left...)
		l.versions = nil
	}
	left = nil
	for _, f := range l.unfinished {
		if due, ok := l.cancelDue(f); ok && due <= at {
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
