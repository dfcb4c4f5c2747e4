// Package apply carries a plan out: its steps in the order that the plan demands,
// in parallel, each recorded so that a run that was cut off at any point is
// completed by the next one.
package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/secret"
	"b2form/internal/state"
	"b2form/internal/words"
	"b2form/plan"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// Options is what Run works with. Everything up to RunStart is required.
type Options struct {
	API         wire.API
	Kinds       []*kind.Kind
	Config      *config.Config
	Snapshot    *kind.Snapshot // what the plan was made from; Run keeps it up to date
	Plan        *plan.Plan
	State       *state.Store
	Delivery    secret.DeliveryOptions
	Parallelism int // steps under way at once, at least 1; those that try a key, or wait for the state to be written, do not count
	Now         func() time.Time
	RunStart    time.Time   // when the run began: before it read the snapshot
	OnEvent     func(Event) // nil: nobody watches
	// VerifyKey asks B2 what a new key may do, with the key itself; the error is a
	// *wire.Error where B2 refused. It is called from several goroutines. nil: new
	// keys are not tried.
	VerifyKey func(ctx context.Context, keyID string, key secret.Value) (*wire.Account, error)
	// ShowKey shows the secret of a new key, where it is to be shown, after the deliveries and before the key is recorded; calls
	// follow each other. shown says that it was to be. On an error a key that was delivered nowhere is deleted again. nil: none is shown.
	ShowKey func(a addr.Addr, made NewKey) (shown bool, err error)
	// Sleep returns after d, or earlier with the context's error. nil: a timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// DigestSalt is that of the digests that the state is to have of what was carried out; "": it gets none.
	DigestSalt string
	// LiveDigestsOnly says that the plan is about what is live, so that digests of configurations stay.
	LiveDigestsOnly bool
}

// Run carries out the plan. When ctx is done, or the state no longer locked, no
// further step is begun; steps under way are finished and recorded. What failed
// is told per change, and what does not depend on it is carried out all the same.
//
// API should refuse to send once State.Check fails, also between attempts at one
// request.
func Run(ctx context.Context, o Options) *Result {
	r := newRunner(o)
	r.interrupted, r.Delivery.Stop = ctx.Done(), ctx.Done()
	if err := r.writeInitialEntries(); err != nil {
		return &Result{Skipped: r.changeAddrs(), Snapshot: r.Snapshot, StateErr: err, Interrupted: ctx.Err() != nil,
			Entries: r.State.State().Entries}
	}
	r.openIntents = r.State.State().OpenIntents
	outcomes := r.runSteps(ctx)
	return r.buildResult(ctx, outcomes, errors.Join(r.State.CheckLocked(), r.announceCreatesErr, r.dropStaleIntents(outcomes),
		r.renewDigests(outcomes)))
}

// A runner is one Run.
type runner struct {
	Options
	resources          map[addr.Addr]*config.Resource
	kinds              map[string]*kind.Kind
	changeTasks        []*changeTask        // one for each change of the plan
	openIntents        []state.CreateIntent // what earlier runs left unresolved
	announceCreatesErr error                // why creates could not be announced
	interrupted        <-chan struct{}
	// droppedIntentWarnings are about what may still appear and is noted no more.
	droppedIntentWarnings hcl.Diagnostics

	liveMu             sync.Mutex                    // guards the snapshot's changes and all below
	unverifiedWarnings map[addr.Addr]*hcl.Diagnostic // of new keys that B2 did not confirm
	eventsMu           sync.Mutex                    // one event at a time

	indexOnce     sync.Once
	identityIndex config.IdentityIndex // once it was asked for
}

// A changeTask is a change while it is carried out. Steps of one change that write to it
// never run at the same time, but for deletes, which write to errs and took alone.
type changeTask struct {
	*plan.Change                 // a rotating object's has the name under which that will live, once it is announced
	objectID            string   // of the live object; of the new one once it is made
	deferredAttrs       []string // attributes that a later update sets
	idsBeforeCreate     []string // IDs that carried the identity before the create was announced
	unresolvedAttempts  int      // attempts at the create that may have taken effect, and whose object nobody has seen
	announced           bool     // by this run
	announcedBefore     bool     // an earlier run's announcement of the same create is still open
	newKey              NewKey   // what a create made
	postconditionFailed bool     // all that was sent took effect, and a postcondition does not hold
	mu                  sync.Mutex
	errs                []error
	took                time.Duration
	updatedAt           time.Time // when B2 said that an update was carried out; zero: there was none
}

func newRunner(o Options) *runner {
	r := &runner{
		Options:            o,
		resources:          o.Config.ResourcesByAddr(),
		kinds:              make(map[string]*kind.Kind, len(o.Kinds)),
		changeTasks:        make([]*changeTask, len(o.Plan.Changes)),
		unverifiedWarnings: map[addr.Addr]*hcl.Diagnostic{},
	}
	r.Delivery.Stdout, r.Delivery.CheckBeforeEachEffect = secret.OneAtATime(o.Delivery.Stdout), o.State.ConfirmLocked
	for _, k := range o.Kinds {
		r.kinds[k.Name] = k
	}
	for i := range o.Plan.Changes {
		c := &o.Plan.Changes[i]
		r.changeTasks[i] = &changeTask{Change: c, objectID: c.RemoteID}
	}
	r.setTaskFieldsFromSteps()
	return r
}

// setTaskFieldsFromSteps tells the tasks what their steps say of them.
func (r *runner) setTaskFieldsFromSteps() {
	begins := make([]bool, len(r.changeTasks))
	for i := range r.Plan.Steps {
		s := &r.Plan.Steps[i]
		t := r.changeTasks[s.Change]
		switch {
		case s.Op == plan.OpCreate:
			begins[s.Change], t.objectID = true, ""
		case s.Op == plan.OpUpdate && begins[s.Change]:
			t.deferredAttrs = s.Fields
		case s.Op == plan.OpUpdate:
			begins[s.Change] = true
		}
	}
}

func (r *runner) changeAddrs() []addr.Addr {
	var all []addr.Addr
	for _, t := range r.changeTasks {
		all = append(all, t.Addr)
	}
	return all
}

// writeInitialEntries writes what is to be recorded before the first step.
func (r *runner) writeInitialEntries() error {
	moves := make([]state.EntryMove, len(r.Plan.Moves))
	for i, m := range r.Plan.Moves {
		moves[i] = state.EntryMove(m)
	}
	imported := map[addr.Addr]bool{}
	for i := range r.Plan.Changes {
		if c := &r.Plan.Changes[i]; c.Import {
			imported[c.Addr] = true
		}
	}
	records := make([]addr.StateEntry, len(r.Plan.Records))
	for i, e := range r.Plan.Records {
		switch {
		case imported[e.Addr]:
			e.Adopted = r.nowToTheSecond()
		case e.Created.IsZero() && e.Adopted.IsZero():
			e.Created = r.nowToTheSecond()
		}
		records[i] = e
	}
	return r.State.MoveAndPut(moves, records)
}

// runSteps carries out the steps.
func (r *runner) runSteps(ctx context.Context) []stepStatus {
	working := context.WithoutCancel(ctx)
	e := executor{
		steps:       r.Plan.Steps,
		parallelism: r.Parallelism,
		announce:    r.announceCreates,
		doStep:      func(step int, freeSlot func()) stepStatus { return r.doStep(working, &r.Plan.Steps[step], freeSlot) },
		mayBegin: func(op plan.Op) bool {
			// An entry whose object is deleted is dropped also after an interrupt: that is
			// part of recording what was done.
			return (ctx.Err() == nil || op == plan.OpForget) && r.State.CheckLocked() == nil
		},
	}
	return e.run()
}

// renewDigests records what the run left of all objects that are as they were planned to be.
func (r *runner) renewDigests(outcomes []stepStatus) error {
	skip, updated := map[addr.Addr]bool{}, map[addr.Addr]time.Time{}
	for _, a := range r.Plan.LeftOut {
		skip[a] = true
	}
	for i, o := range outcomes {
		s := &r.Plan.Steps[i]
		t := r.changeTasks[s.Change]
		if o != done && !t.postconditionFailed && writesObject(s) {
			skip[t.Addr] = true
		}
		if !t.updatedAt.IsZero() {
			updated[t.Addr] = t.updatedAt
		}
	}
	renewal := plan.DigestRenewal{Salt: r.DigestSalt, Config: r.Config, Snapshot: r.Snapshot, Entries: r.State.State().Entries,
		NotAsDeclared: skip, LiveDigestsOnly: r.LiveDigestsOnly}
	renewed := renewal.RenewedEntries()
	for i := range renewed {
		if at, ok := updated[renewed[i].Addr]; ok {
			renewed[i].Updated = at
		}
	}
	return r.State.PutDigests(renewed...)
}

// writesObject reports whether a step makes an object or changes one.
func writesObject(s *plan.Step) bool { return s.Op == plan.OpCreate || s.Op == plan.OpUpdate }

// dropStaleIntents drops what was announced and never begun, and what earlier runs
// announced long ago: this run has seen the account after them, and its plan dealt
// with whatever they made. What they announced a short time ago may still appear; where a removed
// block ended the address it is dropped all the same, with a warning.
func (r *runner) dropStaleIntents(outcomes []stepStatus) error {
	var closed []state.CreateIntent
	undone, removed := map[addr.Addr]bool{}, map[addr.Addr]bool{}
	for _, addr := range r.Plan.LeftOut {
		undone[addr] = true
	}
	for i, o := range outcomes {
		s := &r.Plan.Steps[i]
		t := r.changeTasks[s.Change]
		_, isRecorded := r.State.Entry(t.Addr)
		if o != done && (o != held || !isRecorded) {
			undone[t.Addr] = true
		}
		if s.Op == plan.OpCreate && o == notBegun && t.announced && !t.announcedBefore {
			closed = append(closed, state.CreateIntent{Addr: t.Addr, Identity: t.Identity})
		}
		removed[t.Addr] = removed[t.Addr] || s.Op == plan.OpForget && r.Config.FindRemoval(t.Addr) != nil
	}
	for _, intent := range r.openIntents {
		now, mayAppear := r.movedIntentAddr(intent), r.mayStillAppear(&intent)
		if undone[now] || mayAppear && !removed[now] {
			continue
		}
		closed = append(closed, intent)
		if mayAppear {
			r.warnMayAppearUnnoticed(&intent)
		}
	}
	return r.State.DropIntents(closed...)
}

// warnMayAppearUnnoticed tells of an announced create that has made nothing yet and is noted no more.
func (r *runner) warnMayAppearUnnoticed(i *state.CreateIntent) {
	k := r.kinds[i.Addr.Kind]
	for _, o := range r.Snapshot.ByIdentity(k, k.NormalizeIdentity(i.Identity)) {
		if !slices.Contains(i.KnownIDs, o.ID) {
			return // the plan dealt with it
		}
	}
	r.droppedIntentWarnings = append(r.droppedIntentWarnings, &hcl.Diagnostic{Severity: hcl.DiagWarning,
		Summary: words.CapitalizeUnlessName(k.Name) + " may still appear", Extra: i.Addr,
		Detail: fmt.Sprintf("A run that was interrupted on %s may have asked B2 for the %s %q, which is not there yet. %s is removed, "+
			"so the state keeps no note of it. Look in ten minutes whether B2 has made it, and delete it by hand if so.",
			words.ReadableTime(i.AnnouncedAt), k.Name, i.Identity, i.Addr)})
}

// movedIntentAddr is the address that the plan has an earlier run's announcement count
// for.
func (r *runner) movedIntentAddr(i state.CreateIntent) addr.Addr {
	for _, moved := range r.Plan.MovedIntents {
		if moved.From == i.Addr {
			return moved.To
		}
	}
	return i.Addr
}

func (r *runner) emit(e Event) {
	if r.OnEvent == nil {
		return
	}
	r.eventsMu.Lock()
	defer r.eventsMu.Unlock()
	r.OnEvent(e)
}

// nowToTheSecond is the time in the precision that the state keeps.
func (r *runner) nowToTheSecond() time.Time { return r.Now().UTC().Truncate(time.Second) }
