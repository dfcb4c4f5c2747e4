package emulator

import (
	"errors"
	"time"
)

// now is the account's time: the clock of Options, moved by so much.
func (s *Server) now() time.Time {
	return s.options.Now().Add(time.Duration(s.clockAheadNanos.Load()))
}

// Now is what time it is in the account.
func (s *Server) Now() time.Time { return s.now() }

// CheckClock refuses a time that the account's clock cannot show.
func CheckClock(t time.Time) error {
	if year := t.UTC().Year(); year < 2000 || year > 2199 {
		return errors.New("the clock shows the years 2000 to 2199")
	}
	return nil
}

// StartClockAt makes it t now in the account. Its time then goes on as the clock of
// Options does. Lifecycle rules are applied for the midnights in between when
// the next request arrives; back in time nothing is undone.
func (s *Server) StartClockAt(t time.Time) { s.clockAheadNanos.Store(int64(t.Sub(s.options.Now()))) }

// Advance moves the account's time on, or back if d is negative, as SetClock
// does.
func (s *Server) Advance(d time.Duration) { s.clockAheadNanos.Add(int64(d)) }
