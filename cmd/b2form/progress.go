package main

import (
	"slices"
	"sync"
	"time"

	"b2form/apply"
	"b2form/internal/view"
	"b2form/schema/addr"
)

const (
	reminder = 10 * time.Second // how often to say what is still under way
	counting = time.Second      // how often to say how many files are removed
)

// A progress shows the progress of a run.
type progress struct {
	*program
	mu         sync.Mutex
	running    map[addr.Addr]running
	stopTicker func()
}

type running struct {
	event      apply.Event
	since      time.Time
	countShown time.Time // when files were counted last
}

func (p *program) newProgress() *progress {
	w := &progress{program: p, running: map[addr.Addr]running{}}
	w.stopTicker = p.every(reminder, w.remind)
	return w
}

func (w *progress) event(e apply.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	switch e.Stage {
	case apply.Started, apply.Verifying:
		w.running[e.Addr] = running{event: e, since: now, countShown: now}
	case apply.Done, apply.Failed, apply.Verified:
		delete(w.running, e.Addr)
	case apply.Emptying: // comes with every file
		r := w.running[e.Addr]
		if now.Sub(r.countShown) < counting {
			return
		}
		r.countShown = now
		w.running[e.Addr] = r
	}
	w.ui.Event(e)
}

func (w *progress) remind() {
	w.mu.Lock()
	defer w.mu.Unlock()
	var addrs []addr.Addr
	for addr := range w.running {
		addrs = append(addrs, addr)
	}
	slices.SortFunc(addrs, addr.Addr.Compare)
	for _, addr := range addrs {
		r := w.running[addr]
		r.event.Took = w.now().Sub(r.since)
		if r.event.Took >= reminder {
			w.ui.Still(r.event)
		}
	}
}

func (w *progress) stop() { w.stopTicker() }

// newSecrets are the keys that a run made: where they went, and those that are
// shown once. That is those that went nowhere, on a terminal, and all with
// -show-secrets.
func (s *session) newSecrets(r *apply.Result) []view.Secret {
	var out []view.Secret
	for addr, made := range r.Secrets {
		v := view.Secret{Addr: addr, KeyID: made.KeyID, DeliveredTo: made.DeliveredTo}
		if s.isDisclosed(made) {
			v.Key = made.Key
		}
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b view.Secret) int { return a.Addr.Compare(b.Addr) })
	return out
}

func (s *session) isDisclosed(made apply.Secret) bool {
	return s.opts.showSecrets || len(made.DeliveredTo) == 0 && s.stdoutTerminal && !s.json
}
