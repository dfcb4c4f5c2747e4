package state_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"b2form/internal/state"
	"b2form/internal/testrun"
	"b2form/internal/testrun/engines"
)

// A place keeps one state. Every machine has a Backend of its own for it.
type place struct {
	machine func(l *engines.NetworkLine) state.Backend
}

// run calls f with a new place of an engine, in fake time where the lock ends by the clock.
func run(t *testing.T, e engines.BackendType, f func(t *testing.T, p place)) {
	switch e.Name {
	case "local":
		path := statePath(t)
		f(t, place{func(*engines.NetworkLine) state.Backend { return state.LocalFile{Path: path} }})
	case "b2":
		inBubble(t, f)
	case "http", "gitlab":
		inServer(t, e.Name == "gitlab", f)
	default:
		s := served(t, e, time.Now)
		f(t, place{func(l *engines.NetworkLine) state.Backend { return connected(t, s, time.Now, l) }})
	}
}

// served is a place that other processes reach.
func served(t *testing.T, e engines.BackendType, now func() time.Time) engines.StateLocation {
	t.Helper()
	s, stop, err := e.Serve(now)
	must(t, err)
	t.Cleanup(func() { must(t, stop()) })
	return s
}

func connected(t *testing.T, s engines.StateLocation, now func() time.Time, l *engines.NetworkLine) state.Backend {
	t.Helper()
	b, err := s.Connect(now, l)
	must(t, err)
	return b
}

func inBubble(t *testing.T, f func(t *testing.T, p place)) {
	inCloud(t, func(t *testing.T, c *cloud) {
		f(t, place{func(l *engines.NetworkLine) state.Backend {
			w := &wire{}
			b := c.shared(w, time.Now)
			_, err := b.Read(t.Context()) // a client that never got a reply gives up early
			must(t, err)
			if l != nil {
				w.NetworkLine = *l
			}
			return b
		}})
		synctest.Wait()
	})
}

func inServer(t *testing.T, gitlab bool, f func(t *testing.T, p place)) {
	synctest.Test(t, func(t *testing.T) {
		s := engines.NewHTTPServer(gitlab)
		f(t, place{func(l *engines.NetworkLine) state.Backend {
			w := &wire{service: s}
			if l != nil {
				w.NetworkLine = *l
			}
			return engines.NewHTTPBackend("https://state.test/states/web", gitlab, w)
		}})
	})
}

// database is a state of its own in the database of this test process.
func database(t *testing.T) state.PostgresBackend {
	t.Helper()
	if !testrun.UsesPostgres() {
		t.Skip("PostgreSQL is not installed")
	}
	all := engines.All()
	e := all[slices.IndexFunc(all, func(e engines.BackendType) bool { return e.Name == "postgres" })]
	return connected(t, served(t, e, nil), nil, nil).(state.PostgresBackend)
}
