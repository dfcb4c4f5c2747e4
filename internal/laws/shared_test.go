package laws_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"b2form/internal/emulator"
	"b2form/internal/state"
)

const delivered = `
key "camera" {
  name         = "camera"
  capabilities = ["listFiles", "readFiles"]

  deliver "stdout" {}
}
`

// sharedRun does what `b2form apply -auto-approve` does with a shared state.
func (w *world) sharedRun() error {
	w.Helper()
	store, err := w.shared().Open(context.Background(), state.Options{Now: w.Now, Operation: "apply", LockOwner: "laws"})
	if err != nil {
		return err
	}
	a, err := w.planFrom(store.State(), mode{})
	if err == nil {
		_, err = w.carryOut(store, a)
	}
	return errors.Join(err, store.Close())
}

// takenOver holds a run up for longer than its lease, while another does all the
// work.
func (w *world) takenOver() {
	w.pass(3 * time.Minute)
	w.must(w.sharedRun())
}

// A run that is held up between the reply that holds a secret and its delivery,
// and goes on when another has the state, delivers nothing, and its key is gone.
func TestHeldUpBeforeDelivery(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	stateBucketMade(w)
	w.configure(delivered)
	w.traffic.around = func(_ int, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		reply, err := send()
		if strings.HasSuffix(r.URL.Path, "/b2_create_key") {
			w.traffic.around = nil
			w.takenOver()
		}
		return reply, err
	}
	err := w.sharedRun()
	if err == nil || !strings.Contains(err.Error(), "ran out") {
		t.Errorf("the run that lost its lease ended with %v", err)
	}
	w.oneKeyLeft(1)
}

// Held up in the very delivery, it cannot be stopped: the secret of a key that
// is gone arrives. The run says so.
func TestHeldUpInDelivery(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	stateBucketMade(w)
	w.configure(delivered)
	w.printing = func() {
		w.printing = nil
		w.takenOver()
	}
	err := w.sharedRun()
	if err == nil || !strings.Contains(err.Error(), "A delivery is not recorded") {
		t.Errorf("the run that lost its lease ended with %v", err)
	}
	w.oneKeyLeft(2)
}

// oneKeyLeft demands that one key lives, that it is recorded, that nothing is
// left to do, and so many deliveries.
func (w *world) oneKeyLeft(deliveries int) {
	w.Helper()
	w.pass(longDoubt)
	w.must(w.sharedRun()) // after which nothing is in doubt
	d, err := w.b2.Dump()
	w.must(err)
	st, err := w.shared().Read(context.Background())
	w.must(err)
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
