package laws_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"b2form/internal/emulator"
	"b2form/internal/testrun"
	"b2form/internal/testrun/engines"
)

// storm answers a share of all requests by 503 or 429, and lets some of those take
// effect that it answers by 503.
func storm(seed uint64, share float64) func(int, *http.Request, func() (*http.Response, error)) (*http.Response, error) {
	var mu sync.Mutex
	dice := rand.New(rand.NewPCG(seed, seed))
	return func(_ int, _ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		mu.Lock()
		hit, late, busy := dice.Float64() < share, dice.IntN(3) == 0, dice.IntN(2) == 0
		mu.Unlock()
		switch {
		case !hit:
			return send()
		case busy:
			return refusal(429, "too_many_requests"), nil
		case late:
			reply, err := send()
			if err != nil {
				return nil, err
			}
			_ = reply.Body.Close()
		}
		return refusal(503, "service_unavailable"), nil
	}
}

// A storm of refusals, some of which are none, ends in one run, and nothing is made
// twice.
func TestOneRunOutlivesAStorm(t *testing.T) {
	for seed := range uint64(testrun.CaseCount(1, 3)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{})
			defer w.close()
			w.configure(`
bucket "b" {
  for_each = toset([for i in range(40) : "acme-${i}"])
  name     = each.key
}
key "k" {
  for_each     = toset([for i in range(80) : "app-${i}"])
  name         = each.key
  capabilities = ["listFiles"]
  buckets      = [bucket.b["acme-1"]]
  deliver "file" { path = "${each.key}.env" }
}
`)
			w.traffic.around = storm(seed+1, 0.3)
			w.done(mode{})
			w.traffic.around = nil
			w.settled(mode{})
			w.usable()
			if n := len(w.live("b2_list_keys", "keys")); n != 80 {
				t.Errorf("%d keys are live, want 80", n)
			}
			if n := len(w.live("b2_list_buckets", "buckets")); n != 40 {
				t.Errorf("%d buckets are live, want 40", n)
			}
		})
	}
}

// A key whose creation was not carried out when it was looked for is made again, and
// what the first attempt makes later is found by the next runs, as long as it may
// appear.
func TestKeyThatAppearsLate(t *testing.T) {
	onEach(t, engines.All(), func(t *testing.T, w *world) {
		w.configure(aKey)
		w.b2.QueueFault(emulator.Fault{Method: "b2_create_key", LateByRequests: 13, Status: 503, Code: "service_unavailable"})
		w.done(mode{})
		first := w.entryID("key.app")
		if open := w.announced(); len(open) != 1 || len(open[0].KnownIDs) != 1 || open[0].KnownIDs[0] != first {
			t.Errorf("announced: %+v, want one that knows %s", open, first)
		}
		if n := len(w.live("b2_list_keys", "keys")); n != 1 {
			t.Fatalf("%d keys are live: the late one is not late", n)
		}
		for range 20 { // of other requests
			w.live("b2_list_buckets", "buckets")
		}
		if n := len(w.live("b2_list_keys", "keys")); n != 2 {
			t.Fatalf("%d keys are live: the late one did not appear", n)
		}
		w.done(mode{})
		if n := len(w.live("b2_list_keys", "keys")); n != 1 || w.entryID("key.app") != first {
			t.Errorf("%d keys are live, and the state has %s, not %s", n, w.entryID("key.app"), first)
		}
		if len(w.announced()) != 1 {
			t.Error("the announcement is closed although another attempt may be late")
		}
		w.settled(mode{})
		w.usable()
	})
}

// lagging hides a bucket from listings, as long as it says so.
func lagging(name string, hidden func() bool) func(int, *http.Request, func() (*http.Response, error)) (*http.Response, error) {
	return func(_ int, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		reply, err := send()
		if err != nil || !strings.HasSuffix(r.URL.Path, "/b2_list_buckets") || !hidden() {
			return reply, err
		}
		text, err := io.ReadAll(reply.Body)
		if err != nil || !strings.Contains(string(text), name) {
			reply.Body = io.NopCloser(strings.NewReader(string(text)))
			return reply, err
		}
		_ = reply.Body.Close()
		reply.Body, reply.ContentLength = io.NopCloser(strings.NewReader(`{"buckets":[]}`)), -1
		reply.Header.Del("Content-Length")
		return reply, nil
	}
}

// The reply to the creation of a bucket is lost, and listings do not show it yet: it
// is looked for with pauses, stays announced, and is taken over when it appears.
func TestBucketThatListingsShowLate(t *testing.T) {
	const photos = `bucket "photos" { name = "acme-photos" }`
	lost := emulator.Fault{Method: "b2_create_bucket", TakesEffect: true, Status: 500, Code: "internal_error"}
	t.Run("within the run", func(t *testing.T) {
		w := newWorld(t, emulator.Options{})
		defer w.close()
		w.configure(photos)
		w.b2.QueueFault(lost)
		start := w.Now()
		w.traffic.around = lagging("acme-photos", func() bool { return w.Now().Sub(start).Seconds() < 6 })
		w.done(mode{})
		if len(w.announced()) > 0 {
			t.Errorf("announced: %v", w.announced())
		}
		w.settled(mode{})
	})
	t.Run("after several runs", func(t *testing.T) {
		w := newWorld(t, emulator.Options{})
		defer w.close()
		w.configure(photos)
		w.b2.QueueFault(lost)
		hidden := true
		w.traffic.around = lagging("acme-photos", func() bool { return hidden })
		for range 3 {
			start := w.Now()
			if _, _, err := w.apply(mode{}); err == nil || !strings.Contains(err.Error(), "It is not known whether the bucket was made") {
				t.Errorf("the run said: %v", err)
			}
			if w.Now().Sub(start).Seconds() < 10 {
				t.Error("there were no pauses between looks")
			}
			if len(w.announced()) != 1 {
				t.Fatalf("announced: %v", w.announced())
			}
		}
		creates := 0
		for _, r := range w.traffic.since(0) {
			if r.method == "b2_create_bucket" {
				creates++
			}
		}
		if creates != 4 {
			t.Errorf("%d creates were sent, want 2 by the first run and 1 by each of the others", creates)
		}
		hidden = false
		a, err := w.plan(mode{})
		w.must(err)
		for _, c := range a.plan.Changes {
			if c.Import {
				t.Errorf("%s needs consent", c.Addr)
			}
		}
		w.settled(mode{})
		if w.entryID("bucket.photos") == "" {
			t.Error("the bucket is not recorded")
		}
	})
}
