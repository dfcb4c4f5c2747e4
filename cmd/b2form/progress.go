package main

import (
	"slices"
	"sync"
	"time"

	"b2form/apply"
	"b2form/internal/trace"
	"b2form/internal/view"
	"b2form/schema/addr"
)

const (
	reminderPeriod    = 10 * time.Second // how often to say what is still under way
	fileCountInterval = time.Second      // how often to say how many files are removed
)

// A progressReporter shows the progress of a run.
type progressReporter struct {
	*program
	mu         sync.Mutex
	running    map[addr.Addr]runningAction
	stopTicker func()
}

type runningAction struct {
	span             *trace.Span
	lastEvent        apply.Event
	startedAt        time.Time
	fileCountShownAt time.Time // when files were counted last
}

func (p *program) newProgressReporter() *progressReporter {
	w := &progressReporter{program: p, running: map[addr.Addr]runningAction{}}
	if every := p.reminderInterval(); every > 0 {
		w.stopTicker = p.repeatEvery(every, w.showLongRunning)
	}
	return w
}

// reminderInterval is how often to say what is still under way; 0: never. A status line says it all
// the time, and a pipe is read when all is over.
func (p *program) reminderInterval() time.Duration {
	switch {
	case p.json || p.jsonFile != nil:
		return reminderPeriod
	case p.inCI():
		return ciProgressInterval
	case p.stderrTerminal && p.status == nil:
		return reminderPeriod
	}
	return 0
}

func (w *progressReporter) handleEvent(e apply.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	switch e.Stage {
	case apply.Started, apply.KeyNotYetAccepted:
		w.finishSpan(e.Addr, "")
		span := w.trace.Begin(trace.Step, string(e.Action)+" "+e.Addr.String(), view.EventText(e))
		w.running[e.Addr] = runningAction{span: span, lastEvent: e, startedAt: now, fileCountShownAt: now}
	case apply.Failed:
		w.finishSpan(e.Addr, "failed")
	case apply.Done, apply.VerifyEnded:
		w.finishSpan(e.Addr, "")
	case apply.Emptying: // comes with every file
		r, ok := w.running[e.Addr]
		if !ok || now.Sub(r.fileCountShownAt) < fileCountInterval {
			return
		}
		r.fileCountShownAt = now
		r.span.SetActivity(view.EventText(e))
		w.running[e.Addr] = r
	}
	w.ui.Event(e)
}

// finishSpan ends the step that works on an address, if there is one.
func (w *progressReporter) finishSpan(addr addr.Addr, errorCode string) {
	if r, ok := w.running[addr]; ok {
		r.span.Finish(errorCode)
		delete(w.running, addr)
	}
}

func (w *progressReporter) showLongRunning() {
	w.mu.Lock()
	defer w.mu.Unlock()
	var addrs []addr.Addr
	for addr := range w.running {
		addrs = append(addrs, addr)
	}
	slices.SortFunc(addrs, addr.Addr.Compare)
	for _, addr := range addrs {
		r := w.running[addr]
		r.lastEvent.Elapsed = w.now().Sub(r.startedAt)
		if r.lastEvent.Elapsed >= reminderPeriod {
			w.ui.Still(r.lastEvent)
		}
	}
}

func (w *progressReporter) stop() {
	if w.stopTicker != nil {
		w.stopTicker()
	}
}

// newKeysWithDestination tells where the keys went that a run made.
func newKeysWithDestination(r *apply.Result) []view.NewKey {
	var out []view.NewKey
	for addr, made := range r.UsableNewKeys {
		out = append(out, view.NewKey{Addr: addr, KeyID: made.KeyID, DeliveredTo: made.DeliveredTo})
	}
	slices.SortFunc(out, func(a, b view.NewKey) int { return a.Addr.Compare(b.Addr) })
	return out
}

// showKeyIfAllowed shows the secret of a new key, once: of one that went nowhere, on a terminal, and
// of any with -show-secrets.
func (s *session) showKeyIfAllowed(a addr.Addr, made apply.NewKey) (shown bool, err error) {
	if !s.mayShowSecret(made) {
		return false, nil
	}
	s.printMaskLine(made.Key)
	return true, s.ui.ShowSecret(view.NewKey{Addr: a, KeyID: made.KeyID, Key: made.Key})
}

func (s *session) mayShowSecret(made apply.NewKey) bool {
	return s.runOptions.showSecrets || len(made.DeliveredTo) == 0 && s.stdoutTerminal && !s.json
}
