package laws_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"b2form/internal/emulator"
)

// A disturbance spoils the k-th request of a run, from 1.
type disturbance struct {
	name string
	// effect: the request takes effect. For one that only reads it would be the
	// same without.
	effect bool
	set    func(w *world, k int)
}

func disturbances() []disturbance {
	fault := func(f emulator.Fault) func(*world, int) {
		return func(w *world, k int) { f.Nth = k; w.box.Fail(f) }
	}
	return []disturbance{
		{"lost on the way there", false, fault(emulator.Fault{})},
		{"lost on the way back", true, fault(emulator.Fault{After: true})},
		{"503 although done", true, fault(emulator.Fault{After: true, Status: 503, Code: "service_unavailable"})},
		{"B2 gone from there on", false, func(w *world, k int) { w.outage(k, false) }},
		{"B2 gone after it", true, func(w *world, k int) { w.outage(k, true) }},
	}
}

// outage breaks every connection from the n-th request from now on; after lets
// that one take effect.
func (w *world) outage(n int, after bool) {
	start := w.wire.count()
	w.wire.around = func(m int, _ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		switch {
		case m-start < n:
			return send()
		case m-start == n && after:
			r, err := send()
			if err != nil {
				return nil, err
			}
			if err := r.Body.Close(); err != nil {
				return nil, err
			}
		}
		return nil, io.ErrUnexpectedEOF
	}
}

// For every request of every sort of change: whatever becomes of the request,
// further runs bring the account to where an undisturbed run brings it, every
// declared key is live once, and its file holds it.
func TestEveryRequestLost(t *testing.T) {
	for _, l := range tales() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			want, requests := l.undisturbed(t)
			for _, d := range disturbances() {
				for i, r := range requests {
					if d.effect && !r.writes() {
						continue
					}
					t.Run(fmt.Sprintf("%s %d %s", d.name, i+1, r.method), func(t *testing.T) {
						w := l.begin(t)
						defer w.close()
						d.set(w, i+1)
						_, _, err := w.apply(l.mode)
						w.wire.around = nil
						if litter := w.litter(); litter != "[]" {
							t.Errorf("the disturbed run left %s behind", litter)
						}
						l.converge(w, want)
						if t.Failed() {
							t.Logf("the disturbed run said: %v", err)
						}
					})
				}
			}
		})
	}
}
