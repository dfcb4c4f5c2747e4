package trace_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"b2form/internal/trace"
)

// A clock that stands still until it is moved.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func (c *clock) move(d time.Duration) { c.now = c.now.Add(d) }

func newClock() *clock { return &clock{time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)} }

// A phase within another takes its time from that.
func TestPhasesWithin(t *testing.T) {
	c := newClock()
	r := trace.New(c.read, false)
	outer := r.Begin(trace.Phase, "outer", "Outer")
	c.move(time.Second)
	inner := r.Begin(trace.Phase, "inner", "")
	c.move(3 * time.Second)
	if p := r.Progress(); p.Phase.Name != "inner" {
		t.Errorf("busy with %q", p.Phase.Name)
	}
	inner.Finish("")
	inner.Finish("")
	c.move(time.Second)
	outer.Finish("")
	got := r.Totals()
	want := []trace.PhaseTotal{{Name: "inner", OwnTime: 3 * time.Second}, {Name: "outer", OwnTime: 2 * time.Second}}
	if got.Elapsed != 5*time.Second || len(got.Phases) != 2 || got.Phases[0] != want[0] || got.Phases[1] != want[1] {
		t.Errorf("got %+v", got)
	}
}

// A pause is told of until it is over.
func TestPause(t *testing.T) {
	c := newClock()
	r := trace.New(c.read, false)
	r.AddRequest(trace.Span{Name: "b2_list_keys", HTTPStatus: 503, Attempt: 1}, time.Second, 4*time.Second, "503 service_unavailable")
	c.move(3 * time.Second)
	if p := r.Progress(); p.Pause == nil || p.Pause.Reason != "503 service_unavailable" || p.Requests != 1 {
		t.Errorf("got %+v", p)
	}
	c.move(time.Second)
	if p := r.Progress(); p.Pause != nil {
		t.Errorf("still %+v", p.Pause)
	}
	r.AddRequest(trace.Span{Name: "b2_list_keys", HTTPStatus: 200, Attempt: 2}, time.Second, 0, "")
	want := trace.MethodTotal{Method: "b2_list_keys", Requests: 2, Repeats: 1, RequestTime: 2 * time.Second, Paused: 4 * time.Second}
	if got := r.Totals().Methods; len(got) != 1 || got[0] != want {
		t.Errorf("got %+v", got)
	}
}

// Each span stands below one that is there, in the form that OTLP asks for.
func TestOTLP(t *testing.T) {
	c := newClock()
	r := trace.New(c.read, true)
	phase := r.Begin(trace.Phase, "apply", "Applying")
	step := r.Begin(trace.Step, "create bucket.photos", "")
	c.move(time.Second)
	r.AddRequest(trace.Span{Name: "b2_create_bucket", HTTPStatus: 400, Attempt: 2, ErrorCode: "bad_request"}, time.Second, 0, "")
	step.Finish("failed")
	phase.Finish("")
	var out bytes.Buffer
	if err := r.WriteOTLP(&out, "b2form apply", "1.0", ""); err != nil {
		t.Fatal(err)
	}
	type span struct {
		TraceID, SpanID, ParentSpanID, Name, StartTimeUnixNano, EndTimeUnixNano string
		Kind                                                                    int
		Status                                                                  struct{ Code int }
	}
	var doc struct {
		ResourceSpans []struct{ ScopeSpans []struct{ Spans []span } }
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	spans := doc.ResourceSpans[0].ScopeSpans[0].Spans
	byID := map[string]span{}
	for _, s := range spans {
		byID[s.SpanID] = s
		if len(s.TraceID) != 32 || len(s.SpanID) != 16 || s.TraceID != spans[0].TraceID || s.StartTimeUnixNano > s.EndTimeUnixNano {
			t.Errorf("not well formed: %+v", s)
		}
	}
	for name, parent := range map[string]string{"apply": "b2form apply", "create bucket.photos": "apply", "b2_create_bucket": "apply"} {
		for _, s := range spans {
			if s.Name == name && byID[s.ParentSpanID].Name != parent {
				t.Errorf("%s stands below %q", name, byID[s.ParentSpanID].Name)
			}
		}
	}
	if len(byID) != 4 {
		t.Errorf("%d spans:\n%s", len(byID), out.Bytes())
	}
}
