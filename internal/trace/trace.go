// Package trace records what a run is busy with and for how long: its phases, the steps of
// an apply, and the requests to B2. The record is shown while the run goes on, summed up at its
// end, and written as OpenTelemetry's OTLP JSON. It holds the names of phases, methods and
// addresses, never a value, a name in B2 or a secret.
package trace

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// maxSpans bounds the ended spans that a Recorder keeps; later ones count in the sums only.
const maxSpans = 100_000

// A Recorder records one run. It may be used from several goroutines.
type Recorder struct {
	now func() time.Time

	mu               sync.Mutex
	startedAt        time.Time
	keepSpans        bool
	ended            []Span
	droppedSpanCount int
	open             []*Span // in the order they began
	lastID           uint64
	phases           []PhaseTotal
	methods          map[string]*MethodTotal
	requests         int
	lastPause        Pause
}

// A Span is one thing that the run was busy with.
type Span struct {
	Name       string
	Kind       SpanKind
	Start, End time.Time // End is zero while it goes on
	ErrorCode  string    // why it failed, in one word; "": it did not
	HTTPStatus int       // of a request: the HTTP status; 0: no reply was read
	Attempt    int       // of a request: 1 for the first
	Activity   string    // of a step: what is being done, for people

	id, parentID     uint64
	recorder         *Recorder
	nestedPhasesTime time.Duration // of a phase: spent in phases within
}

// A SpanKind tells the sorts of spans apart.
type SpanKind int

// The sorts of spans.
const (
	Phase   SpanKind = iota // a part of the run; phases follow or contain each other
	Step                    // of an apply; steps overlap
	Request                 // one attempt to call B2
)

// A Pause is one that the client makes before it sends a request again.
type Pause struct {
	Method string
	Reason string // HTTP status and B2's code, or what broke
	Until  time.Time
}

// New starts a record. keepSpans is whether WriteOTLP will be asked for.
func New(now func() time.Time, keepSpans bool) *Recorder {
	return &Recorder{now: now, startedAt: now(), keepSpans: keepSpans, methods: map[string]*MethodTotal{}}
}

// Begin starts a phase or a step, whose parent is the phase that began last. The caller ends it.
func (r *Recorder) Begin(kind SpanKind, name, activity string) *Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &Span{Name: name, Kind: kind, Start: r.now(), Activity: activity, id: r.nextID(), parentID: r.currentPhaseID(), recorder: r}
	r.open = append(r.open, s)
	return s
}

// Finish ends the span; errorCode is "" where it went well. A second call changes nothing.
func (s *Span) Finish(errorCode string) {
	r := s.recorder
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.open, s)
	if i < 0 {
		return
	}
	r.open = slices.Delete(r.open, i, i+1)
	s.End, s.ErrorCode = r.now(), errorCode
	r.keep(*s)
	if s.Kind == Phase {
		took := s.End.Sub(s.Start)
		r.ensurePhaseTotal(s.Name).OwnTime += took - s.nestedPhasesTime
		if outer := r.innermostPhase(); outer != nil {
			outer.nestedPhasesTime += took
		}
	}
}

// SetActivity changes what people are told of an open span.
func (s *Span) SetActivity(text string) {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	s.Activity = text
}

// AddRequest records an attempt that has just ended, and the pause that follows it.
func (r *Recorder) AddRequest(s Span, took, pauseAfter time.Duration, pauseReason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	s.Kind, s.Start, s.End = Request, now.Add(-took), now
	s.id, s.parentID = r.nextID(), r.currentPhaseID()
	r.keep(s)
	r.requests++
	m := r.methods[s.Name]
	if m == nil {
		m = &MethodTotal{Method: s.Name}
		r.methods[s.Name] = m
	}
	m.Requests++
	m.RequestTime += took
	m.Paused += pauseAfter
	if s.Attempt > 1 {
		m.Repeats++
	}
	if p := r.innermostPhase(); p != nil {
		r.ensurePhaseTotal(p.Name).Requests++
	}
	if pauseAfter > 0 {
		r.lastPause = Pause{Method: s.Name, Reason: pauseReason, Until: now.Add(pauseAfter)}
	}
}

func (r *Recorder) nextID() uint64 {
	r.lastID++
	return r.lastID
}

// innermostPhase is the phase that began last; nil: there is none.
func (r *Recorder) innermostPhase() *Span {
	for _, s := range slices.Backward(r.open) {
		if s.Kind == Phase {
			return s
		}
	}
	return nil
}

func (r *Recorder) currentPhaseID() uint64 {
	if p := r.innermostPhase(); p != nil {
		return p.id
	}
	return 0
}

func (r *Recorder) keep(s Span) {
	switch {
	case !r.keepSpans:
	case len(r.ended) == maxSpans:
		r.droppedSpanCount++
	default:
		r.ended = append(r.ended, s)
	}
}

func (r *Recorder) ensurePhaseTotal(name string) *PhaseTotal {
	for i := range r.phases {
		if r.phases[i].Name == name {
			return &r.phases[i]
		}
	}
	r.phases = append(r.phases, PhaseTotal{Name: name})
	return &r.phases[len(r.phases)-1]
}

// A Progress is what a run is busy with at a moment.
type Progress struct {
	Now      time.Time
	Phase    Span   // the innermost; its Name is "" between phases
	Steps    []Span // under way, the oldest first
	Requests int    // so far
	Pause    *Pause // nil: the client does not wait
}

// Progress tells what is under way.
func (r *Recorder) Progress() Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := Progress{Now: r.now(), Requests: r.requests}
	for _, s := range r.open {
		if s.Kind == Step {
			p.Steps = append(p.Steps, *s)
		}
	}
	if phase := r.innermostPhase(); phase != nil {
		p.Phase = *phase
	}
	if pause := r.lastPause; pause.Until.After(p.Now) {
		p.Pause = &pause
	}
	return p
}

// A PhaseTotal is how long a phase took, in all its turns.
type PhaseTotal struct {
	Name     string
	OwnTime  time.Duration // without that of phases within
	Requests int           // that ended in it
}

// A MethodTotal is what the requests of one method took.
type MethodTotal struct {
	Method      string
	Requests    int // repeats included
	Repeats     int
	RequestTime time.Duration // of all requests; they may have overlapped
	Paused      time.Duration // between requests and their repeats
}

// Totals sums a run up.
type Totals struct {
	Elapsed time.Duration // since the record started
	Phases  []PhaseTotal  // in the order in which they ended first
	Methods []MethodTotal // the one that took longest first
}

// Totals is the sum of what has ended.
func (r *Recorder) Totals() Totals {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := Totals{Elapsed: r.now().Sub(r.startedAt), Phases: slices.Clone(r.phases)}
	for _, m := range r.methods {
		t.Methods = append(t.Methods, *m)
	}
	slices.SortFunc(t.Methods, func(a, b MethodTotal) int {
		return cmp.Or(cmp.Compare(b.RequestTime, a.RequestTime), cmp.Compare(a.Method, b.Method))
	})
	return t
}
