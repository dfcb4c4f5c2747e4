package account_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"b2form/internal/account"
	"b2form/schema/addr"
	"b2form/schema/wire"
)

// A waiter notes pauses in place of waiting.
type waiter struct {
	pauses  []time.Duration
	during  func(pause int) error // what happens in the pause; counted from 1
	awaited []string              // addresses, and "end" after the last look
}

func (w *waiter) recent(entries []addr.StateEntry) account.RecentEntries {
	return account.RecentEntries{Made: entries,
		Sleep: func(_ context.Context, d time.Duration) error {
			w.pauses = append(w.pauses, d)
			return w.during(len(w.pauses))
		},
		OnWait: func(missing []addr.Addr) (end func()) {
			w.awaited = append(w.awaited, addr.Strings(missing)...)
			return func() { w.awaited = append(w.awaited, "end") }
		}}
}

func TestRecentEntriesAreLookedForAgain(t *testing.T) {
	const buckets, keys, files = "b2_list_buckets", "b2_list_keys", "b2_list_file_names"
	l := newLab(t, nil)
	photos := l.bucket("acme-photos")
	plain, _ := l.key("v3/b2_create_key", "plain", nil)
	owner := l.who(l.master)
	limited := *owner
	limited.AllowedBuckets = []wire.AllowedBucket{{ID: photos, Name: "acme-photos"}}
	bucket := addr.StateEntry{Addr: address("bucket", "photos"), Identity: "acme-photos", ID: photos}
	key := addr.StateEntry{Addr: address("key", "plain"), Identity: "plain", ID: plain}
	goneBucket := addr.StateEntry{Addr: address("bucket", "gone"), Identity: "acme-gone", ID: "gone"}
	file := addr.StateEntry{Addr: address("file", "late"), Identity: "acme-photos/late", ID: photos + "/late"}
	uploadInSecondPause := func(pause int) error {
		if pause == 2 {
			l.put(photos, "late")
		}
		return nil
	}
	interrupted := func(int) error { return context.Canceled }
	untilFound := []time.Duration{time.Second, 2 * time.Second}
	all := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}
	for _, c := range []struct {
		name    string
		who     *wire.Account
		entries []addr.StateEntry
		during  func(pause int) error
		calls   []string
		pauses  []time.Duration
		awaited []string
		err     error
	}{
		{name: "all is listed", entries: []addr.StateEntry{bucket, key}, calls: []string{buckets, keys}},
		{name: "a bucket that is gone beside a key", entries: []addr.StateEntry{goneBucket, key}, pauses: all,
			calls: []string{buckets, buckets, buckets, buckets, buckets, keys}, awaited: []string{"bucket.gone", "end"}},
		{name: "a file that appears", entries: []addr.StateEntry{bucket, file}, during: uploadInSecondPause, pauses: untilFound,
			calls: []string{buckets, files, files, files}, awaited: []string{"file.late", "end"}},
		{name: "an interrupt", entries: []addr.StateEntry{goneBucket}, during: interrupted, pauses: all[:1], calls: []string{buckets},
			awaited: []string{"bucket.gone", "end"}, err: context.Canceled},
		{name: "a part of a bucket that is not there", calls: []string{buckets},
			entries: []addr.StateEntry{{Addr: address("notification_rules", "gone"), Identity: "acme-gone", ID: "gone"}}},
		{name: "what the credentials do not see", who: &limited, entries: []addr.StateEntry{goneBucket}, calls: []string{buckets}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := waiter{during: c.during}
			if w.during == nil {
				w.during = func(int) error { return nil }
			}
			who := owner
			if c.who != nil {
				who = c.who
			}
			l.server.ResetCalls()
			query := account.QueryFor(l.config(want{}), c.entries, l.kinds)
			_, err := account.ReadSnapshot(t.Context(), l.master, who, l.kinds, query, w.recent(c.entries))
			if !errors.Is(err, c.err) {
				t.Errorf("the error is %v, want %v", err, c.err)
			}
			var calls []string
			for _, call := range l.server.Calls() {
				if strings.HasPrefix(call.Method, "b2_list_") {
					calls = append(calls, call.Method)
				}
			}
			slices.Sort(calls)
			if d := cmp.Diff(c.calls, calls); d != "" {
				t.Errorf("requests (-want +got):\n%s", d)
			}
			if d := cmp.Diff(c.pauses, w.pauses); d != "" {
				t.Errorf("pauses (-want +got):\n%s", d)
			}
			if d := cmp.Diff(c.awaited, w.awaited); d != "" {
				t.Errorf("waited for (-want +got):\n%s", d)
			}
		})
	}
}
