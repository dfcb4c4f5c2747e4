package laws_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

const delivered = `
key "camera" {
  name         = "camera"
  capabilities = ["listFiles", "readFiles"]

  deliver "stdout" {}
}
`

// takenOver holds a run up for so long that another takes the lock, and does all the work.
func (w *world) takenOver() {
	w.pass(3 * time.Minute)
	if !w.engine.LockExpires {
		_, err := w.backend().BreakLock(context.Background())
		w.must(err)
	}
	w.done(mode{})
}

// lostState is what a run says that finds out that another one has the state.
var lostState = regexp.MustCompile("its lock on the state ran out|Another run has the state")

// A run that is held up between the reply that holds a secret and its delivery,
// and goes on when another has the state, delivers nothing, and its key is gone.
func TestHeldUpBeforeDelivery(t *testing.T) {
	onEach(t, remotes(), func(t *testing.T, w *world) {
		w.configure(delivered)
		w.traffic.around = func(_ int, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			reply, err := send()
			if strings.HasSuffix(r.URL.Path, "/b2_create_key") {
				w.traffic.around = nil
				w.takenOver()
			}
			return reply, err
		}
		_, _, err := w.apply(mode{})
		if err == nil || !lostState.MatchString(err.Error()) {
			t.Errorf("the run that lost its lock ended with %v", err)
		}
		w.oneKeyLeft(1)
	})
}

// Held up in the very delivery, it cannot be stopped: the secret of a key that
// is gone arrives. The run says so.
func TestHeldUpInDelivery(t *testing.T) {
	onEach(t, remotes(), func(t *testing.T, w *world) {
		w.configure(delivered)
		w.printing = func() {
			w.printing = nil
			w.takenOver()
		}
		_, _, err := w.apply(mode{})
		if err == nil || !strings.Contains(err.Error(), "A delivery is not recorded") {
			t.Errorf("the run that lost its lock ended with %v", err)
		}
		w.oneKeyLeft(2)
	})
}

// oneKeyLeft demands that one key lives, that it is recorded, that nothing is
// left to do, and so many deliveries.
func (w *world) oneKeyLeft(deliveries int) {
	w.Helper()
	w.pass(longDoubt)
	w.done(mode{}) // after which nothing is in doubt
	d, err := w.b2.Dump()
	w.must(err)
	st := w.stored()
	if len(d.Keys) != 1 || len(st.Entries) != 1 || st.Entries[0].ID != d.Keys[0]["applicationKeyId"] || len(st.OpenIntents) != 0 {
		w.Errorf("there are keys %v, and the state says %+v, %+v", d.Keys, st.Entries, st.OpenIntents)
	}
	if n := strings.Count(w.printed.String(), "B2_APPLICATION_KEY="); n != deliveries {
		w.Errorf("%d deliveries, want %d", n, deliveries)
	}
	a, err := w.planFrom(st, mode{})
	w.must(err)
	if !a.idle() {
		w.Errorf("there is something left to do: %v", a.plan.Changes)
	}
}
