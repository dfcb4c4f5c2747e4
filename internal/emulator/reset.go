package emulator

import (
	"fmt"
	"strconv"
)

// Reset empties the account, in one transaction, and forgets calls, faults, what
// was spent today and how far the clock was moved. The account stays who it is,
// with its master key, and is else as it was when it was opened first: the same
// requests get the same IDs and secrets again.
func (s *Server) Reset() error {
	c := &call{server: s}
	s.lifecycleMu.Lock()
	defer s.lifecycleMu.Unlock()
	err := s.store.update(func(t tx) error {
		c.tx = t
		return c.removeEverything()
	})
	if err != nil {
		return fmt.Errorf("emulator: reset: %w", err)
	}
	for _, f := range c.afterCommit {
		f()
	}
	s.clockAheadNanos.Store(0)
	s.lastLifecyclePassDay.Store(daysSince1970(s.now()))
	s.ClearFaults()
	s.ResetCalls()
	s.usage.reset()
	s.uploads.resetCount()
	return nil
}

// removeEverything removes what the account holds.
func (c *call) removeEverything() error {
	var files []file
	for at, data := range c.tx.scan("f", "f") {
		f, err := readFile(at, data)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	for _, f := range files {
		if err := c.removeFile(f); err != nil {
			return err
		}
	}
	var rest []string
	for at := range c.tx.scan("", "") {
		if at != metaKey && at != openKey {
			rest = append(rest, at)
		}
	}
	for _, at := range rest {
		c.tx.remove(at)
	}
	c.tx.put(dailyKey, strconv.AppendInt(nil, daysSince1970(c.server.options.Now()), 10))
	return nil
}
