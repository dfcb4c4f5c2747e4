// Package apply carries a plan out: needs first, the rest in parallel, each
// step recorded so that a run that was cut off at any point is completed by the
// next one.
package apply

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/secret"
	"b2form/internal/state"
	"b2form/plan"
	"b2form/schema/kind"
)

// Options is what Run works with. Everything up to Now is required.
type Options struct {
	API         kind.API
	Kinds       []*kind.Kind
	Config      *kind.Config
	Snapshot    *kind.Snapshot // what the plan was made from; Run keeps it up to date
	Plan        *plan.Plan
	State       *state.Store
	Secrets     secret.Env
	Parallelism int // steps under way at once, at least 1; those that wait for a key to be confirmed do not count
	Now         func() time.Time
	Events      func(Event) // nil: nobody watches
	// Verify asks B2 what a new key may do, with the key itself; the error is a
	// *kind.Error where B2 refused. It is called from several goroutines. nil: new
	// keys are not tried.
	Verify func(ctx context.Context, keyID string, key secret.Value) (*kind.Account, error)
	// Wait returns after d, or earlier with the context's error. nil: a timer.
	Wait func(ctx context.Context, d time.Duration) error
}

// Run carries out the plan. When ctx is done, or the state no longer locked, no
// further step is begun; steps under way are finished and recorded. What failed
// is told per step, and what does not depend on it is carried out all the same.
//
// API should refuse to send once State.Check fails, also between attempts at one
// request.
func Run(ctx context.Context, o Options) *Result {
	r := newRunner(o)
	r.stop, r.Secrets.Stop = ctx.Done(), ctx.Done()
	err := r.move()
	if err == nil {
		err = r.refresh()
	}
	if err == nil {
		r.schedule(ctx)
		err = r.State.Check()
	}
	if err == nil {
		err = r.settleIntents()
	}
	return r.result(ctx, err)
}

// A runner is one Run.
type runner struct {
	Options
	resources map[kind.Addr]*kind.Resource
	kinds     map[string]*kind.Kind

	mu         sync.Mutex // guards all below, and the snapshot
	entries    map[kind.Addr]kind.Entry
	secrets    map[kind.Addr]Secret
	steps      []Step
	skipped    []kind.Addr
	unfinished []kind.Addr
	open       []state.Intent // what an earlier run left unresolved
	events     sync.Mutex     // one event at a time

	byName   sync.Once
	declared map[reference]kind.Addr // by name, once it was asked for

	waits    chan kind.Addr                // steps that from now on only wait
	halves   map[kind.Addr]Step            // divided changes that lack their last part; only schedule uses it
	stop     <-chan struct{}               // closed when the run is interrupted
	warnings map[kind.Addr]*hcl.Diagnostic // new keys that B2 did not confirm
}

func newRunner(o Options) *runner {
	r := &runner{
		Options:   o,
		resources: make(map[kind.Addr]*kind.Resource, len(o.Config.Resources)),
		kinds:     make(map[string]*kind.Kind, len(o.Kinds)),
		entries:   map[kind.Addr]kind.Entry{},
		secrets:   map[kind.Addr]Secret{},
		warnings:  map[kind.Addr]*hcl.Diagnostic{},
		halves:    map[kind.Addr]Step{},
		waits:     make(chan kind.Addr),
	}
	r.Secrets.Stdout, r.Secrets.Check = secret.OneAtATime(o.Secrets.Stdout), o.State.Check
	for _, res := range o.Config.Resources {
		r.resources[res.Addr] = res
	}
	for _, k := range o.Kinds {
		r.kinds[k.Name] = k
	}
	r.recall()
	return r
}

// recall reads what the state says now.
func (r *runner) recall() {
	s := r.State.State()
	clear(r.entries)
	for _, e := range s.Entries {
		r.entries[e.Addr] = e
	}
	r.open = s.Open
}

// move gives entries the addresses under which their objects are declared now.
func (r *runner) move() error {
	for _, m := range r.Plan.Moves {
		if err := r.State.Move(m.From, m.To); err != nil {
			return err
		}
	}
	r.recall()
	return nil
}

// refresh brings entries up to date whose objects need no change.
func (r *runner) refresh() error {
	entries := slices.Clone(r.Plan.Refreshed)
	for i := range entries {
		if e := &entries[i]; e.Created.IsZero() && e.Adopted.IsZero() {
			e.Created = r.now()
		}
		r.entries[entries[i].Addr] = entries[i]
	}
	return r.State.Put(entries...)
}

// settleIntents drops what earlier runs announced: this run has seen the account
// after them, and its plan dealt with whatever they made.
func (r *runner) settleIntents() error {
	undone := map[kind.Addr]bool{}
	for _, addr := range slices.Concat(r.skipped, r.unfinished) {
		undone[addr] = true
	}
	for _, addr := range r.Plan.LeftOut {
		undone[addr] = true
	}
	for _, s := range r.steps {
		undone[s.Change.Addr] = undone[s.Change.Addr] || s.Err != nil
	}
	for _, intent := range r.open {
		if undone[intent.Addr] {
			continue
		}
		if err := r.State.Drop(intent.Addr, intent.Identity); err != nil {
			return err
		}
	}
	return nil
}

// schedule begins every step as soon as the steps it needs are done. It owns
// the workers and returns when none is left. A step that only waits for a key to
// be confirmed leaves its place to another one.
func (r *runner) schedule(ctx context.Context) {
	q := newQueue(r.Plan.Changes)
	done := make(chan finished)
	working, waiting := 0, map[kind.Addr]bool{}
	for {
		for working < max(1, r.Parallelism) && ctx.Err() == nil && r.State.Check() == nil {
			t := q.next()
			if t == nil {
				break
			}
			working++
			go func() { done <- finished{t, r.step(context.WithoutCancel(ctx), t)} }()
		}
		if working == 0 && len(waiting) == 0 {
			break
		}
		var f finished
		select {
		case addr := <-r.waits:
			waiting[addr] = true
			working--
			continue
		case f = <-done:
		}
		addr := f.task.change.Addr
		if !waiting[addr] {
			working--
		}
		delete(waiting, addr)
		q.finish(f.task, f.step.ID, f.step.Err == nil)
		r.finish(f)
	}
	r.skipped, r.unfinished = q.left()
}

// A finished task is a step, or the first part of one.
type finished struct {
	task *task
	step Step
}

// finish keeps a step. Of a divided change it is whole after the last part, or
// after a failure.
func (r *runner) finish(f finished) {
	addr, s := f.task.change.Addr, f.step
	s.Took += r.halves[addr].Took
	delete(r.halves, addr)
	if !f.task.last && s.Err == nil {
		r.halves[addr] = s
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = append(r.steps, s)
}

func (r *runner) result(ctx context.Context, err error) *Result {
	slices.SortFunc(r.steps, func(a, b Step) int { return a.Change.Addr.Compare(b.Change.Addr) })
	out := &Result{Steps: r.steps, Skipped: r.skipped, Unfinished: r.unfinished, Snapshot: r.Snapshot, Secrets: r.secrets, StateErr: err,
		Interrupted: ctx.Err() != nil}
	for _, e := range r.entries {
		out.Entries = append(out.Entries, e)
	}
	slices.SortFunc(out.Entries, func(a, b kind.Entry) int { return a.Addr.Compare(b.Addr) })
	for _, s := range r.steps {
		warning := r.warnings[s.Change.Addr]
		if warning != nil {
			out.Warnings = append(out.Warnings, warning)
		}
		if s.Err != nil {
			continue
		}
		done := s.Change.Counts()
		if warning != nil {
			done.Destroy = 0 // see replace
		}
		out.Counts = out.Counts.Plus(done)
	}
	for _, s := range r.halves {
		if n := s.Change.Counts(); n.Add > 0 {
			out.Counts.Add++ // it is there, if not as it should be
		}
	}
	return out
}

func (r *runner) put(e kind.Entry) error {
	if err := r.State.Put(e); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries[e.Addr] = e
	return nil
}

func (r *runner) forget(addr kind.Addr) error {
	if err := r.State.Forget(addr); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.entries, addr)
	return nil
}

func (r *runner) entry(addr kind.Addr) (kind.Entry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.entries[addr]
	return e, ok
}

func (r *runner) emit(e Event) {
	if r.Events == nil {
		return
	}
	r.events.Lock()
	defer r.events.Unlock()
	r.Events(e)
}
