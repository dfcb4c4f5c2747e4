package laws_test

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/emulator"
)

const oneOfEach = `
bucket "photos" {
  name = "acme-photos"
}
key "camera" {
  name         = "camera"
  capabilities = ["readFiles"]
  buckets      = [bucket.photos]
  deliver "file" { path = "camera.env" }
}
`

const severalBuckets = oneOfEach + `
key "both" {
  name         = "both"
  capabilities = ["readFiles"]
  buckets      = ["acme-photos", "foreign-files"]
  deliver "file" { path = "both.env" }
}
`

// A plan that finds nothing to do asks authorize once, lists the buckets once
// and the keys by pages of ten thousand, side by side, however much there is.
func TestReadBudget(t *testing.T) {
	for _, b := range []struct {
		name, config         string
		buckets, keys        int // in the account, beside ours
		listKeys, roundTrips int
	}{
		{"no key is declared or owned", `bucket "photos" { name = "acme-photos" }`, 5, 12, 0, 2},
		{"one of each in a crowd", oneOfEach, 90, 120, 1, 2},
		{"a key for several buckets", severalBuckets, 0, 12, 2, 2},
	} {
		t.Run(b.name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			defer w.close()
			w.strangers()
			w.configure(b.config)
			w.done(mode{})
			for i := range b.buckets {
				w.by("b2_create_bucket", `{"bucketName":"crowd-%d","bucketType":"allPrivate"}`, i)
			}
			w.crowd(b.keys)
			w.spends(b.listKeys, b.roundTrips)
		})
	}
}

// A hundred files take a hundred uploads and few upload URLs; looking whether they
// are as declared takes one listing.
func TestFilesBudget(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	w.parallelism = 10
	w.configure(`
bucket "site" {
  name = "acme-site"
}
file "page" {
  for_each = toset([for i in range(100) : "pages/${i}.html"])
  bucket   = bucket.site
  name     = each.key
  content  = each.key
}
`)
	w.done(mode{})
	spent := map[string]int{}
	for _, r := range w.traffic.since(0) {
		spent[r.method]++
	}
	if urls := spent["b2_get_upload_url"]; urls > 10 {
		t.Errorf("%d upload URLs were asked for, want at most 10", urls)
	}
	delete(spent, "b2_get_upload_url")
	want := map[string]int{"b2_authorize_account": 1, "b2_list_buckets": 1, "b2_create_bucket": 1, "b2_upload_file": 100}
	if diff := cmp.Diff(want, spent); diff != "" {
		t.Errorf("requests (-budget +spent):\n%s", diff)
	}
	a, err := w.plan(mode{})
	w.must(err)
	want = map[string]int{"b2_authorize_account": 1, "b2_list_buckets": 1, "b2_list_file_names": 1}
	if diff := cmp.Diff(want, a.client.Stats().RequestsByMethod); diff != "" || !a.idle() {
		t.Errorf("a plan with nothing to do (-budget +spent):\n%s", diff)
	}
}

// Creates that are ready together are announced together, before the first of them
// is sent.
func TestCreatesAreAnnouncedTogether(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	w.configure(`
bucket "b" {
  for_each = toset([for i in range(30) : "acme-${i}"])
  name     = each.key
}
`)
	announced := -1
	w.traffic.around = func(_ int, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if announced < 0 && strings.Contains(r.URL.Path, "b2_create_bucket") {
			st := w.stored()
			announced = len(st.OpenIntents)
		}
		return send()
	}
	w.done(mode{})
	if announced != 30 {
		t.Errorf("%d creates were announced when the first was sent, want 30", announced)
	}
	w.settled(mode{})
}

// fullPages plans on exactly one page of keys, and on one key more.
func fullPages(w *world) {
	w.Helper()
	const page = 10_000
	w.configure(oneOfEach)
	w.done(mode{})
	w.crowd(page - 1)
	w.spends(1, 2)
	w.crowd(1)
	w.spends(2, 3)
}

// crowd makes n keys of somebody else's.
func (w *world) crowd(n int) {
	w.Helper()
	token := w.token()
	for range n {
		status, reply := w.ask("POST", "/b2api/v4/b2_create_key", `{"keyName":"crowd","capabilities":["readFiles"]}`, token)
		if status != 200 {
			w.Fatalf("%v", reply)
		}
	}
}

// spends demands that a plan has nothing to do and costs no more than this.
func (w *world) spends(listKeys, roundTrips int) {
	w.Helper()
	w.parallelism = 10
	w.traffic.around = together(1+listKeys-(roundTrips-2), "b2_list_")
	a, err := w.plan(mode{})
	w.traffic.around = nil
	w.must(err)
	if !a.idle() {
		w.Errorf("there is something to do: %v", a.plan.Changes)
	}
	want := map[string]int{"b2_authorize_account": 1, "b2_list_buckets": 1, "b2_list_keys": listKeys}
	maps.DeleteFunc(want, func(_ string, n int) bool { return n == 0 })
	stats := a.client.Stats()
	if diff := cmp.Diff(want, stats.RequestsByMethod); diff != "" {
		w.Errorf("requests (-budget +spent):\n%s", diff)
	}
	if stats.SequentialRoundTrips > roundTrips {
		w.Errorf("%d round trips, want %d", stats.SequentialRoundTrips, roundTrips)
	}
}

// What is part of buckets is looked for at once, whatever it is and wherever.
func TestPartsAreReadAtOnce(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	w.configure(told, site, `
file "told" {
  bucket  = bucket.told
  name    = "index.html"
  content = "x"
}
`)
	w.done(mode{})
	w.parallelism = 10
	w.traffic.around = together(3, "b2_list_file_names", "b2_get_bucket_notification_rules")
	a, err := w.plan(mode{})
	w.must(err)
	want := map[string]int{"b2_authorize_account": 1, "b2_list_buckets": 1, "b2_list_file_names": 2, "b2_get_bucket_notification_rules": 1}
	stats := a.client.Stats()
	if diff := cmp.Diff(want, stats.RequestsByMethod); diff != "" || stats.SequentialRoundTrips > 3 || !a.idle() {
		t.Errorf("%d round trips, want 3 (-budget +spent):\n%s", stats.SequentialRoundTrips, diff)
	}
}

// together holds the first n requests of some sorts until all of them are under
// way, so that what is sent side by side counts as one round trip however slow the
// machine is. Requests that wait for one another end in a time-out.
func together(n int, sorts ...string) func(int, *http.Request, func() (*http.Response, error)) (*http.Response, error) {
	var arrived sync.WaitGroup
	arrived.Add(n)
	var count atomic.Int32
	return func(_ int, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		isOne := func(sort string) bool { return strings.Contains(r.URL.Path, sort) }
		if !slices.ContainsFunc(sorts, isOne) || int(count.Add(1)) > n {
			return send()
		}
		arrived.Done()
		all := make(chan struct{})
		go func() { arrived.Wait(); close(all) }()
		select {
		case <-all:
			return send()
		case <-time.After(time.Minute):
			return nil, errors.New("the requests are not under way at once")
		}
	}
}
