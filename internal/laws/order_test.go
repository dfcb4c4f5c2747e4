package laws_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"pgregory.net/rapid"

	"b2form/internal/emulator"
	"b2form/internal/view"
)

// The order of blocks, their spread over files and the order in which B2 lists
// its objects change no byte of the plan and nothing of its basis.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, emulator.Options{})
		defer w.close()
		w.strangers()
		w.configure(drawConfig(t, w.kinds)...)
		w.done(mode{})
		w.otherHands(t)
		blocks := drawConfig(t, w.kinds)

		w.configure(strings.Join(blocks, "\n"))
		want := w.said()
		files := make([]string, rapid.IntRange(1, 3).Draw(t, "files"))
		for _, b := range rapid.Permutation(blocks).Draw(t, "blocks") {
			files[rapid.IntRange(0, len(files)-1).Draw(t, "file")] += b
		}
		w.configure(files...)
		w.traffic.around = shuffled(t)
		if diff := cmp.Diff(want, w.said()); diff != "" {
			t.Fatalf("another order, another plan (-want +got):\n%s", diff)
		}
	})
}

// otherHands makes a bucket differ from what was applied to it.
func (w *world) otherHands(t *rapid.T) {
	w.Helper()
	for _, b := range w.live("b2_list_buckets", "buckets") {
		if rapid.Bool().Draw(t, "drift") {
			w.by("b2_update_bucket", `{"bucketId":%q,"bucketInfo":{"by":"hand"}}`, b["bucketId"])
		}
	}
}

// said is everything that a plan says, or why there is none, without places in
// files: they move with the blocks.
func (w *world) said() string {
	w.Helper()
	var b strings.Builder
	a, err := w.plan(mode{})
	if diags, ok := errors.AsType[hcl.Diagnostics](err); ok {
		for _, d := range diags {
			b.WriteString(d.Summary + ": " + d.Detail + "\n")
		}
		return b.String()
	}
	w.must(err)
	view.TextUI{Out: &b}.Plan(a.plan, view.Planning)
	for _, d := range a.plan.Warnings {
		b.WriteString(d.Summary + ": " + d.Detail + "\n")
	}
	fmt.Fprintf(&b, "basis %s\nlost %v\nrefreshed %+v\n", a.plan.Basis, a.plan.Undelivered, a.plan.Records)
	for _, s := range a.plan.Steps {
		fmt.Fprintln(&b, a.plan.Changes[s.Change].Addr, s)
	}
	return b.String()
}

// shuffled brings the lists of every listing into another order.
func shuffled(t *rapid.T) func(int, *http.Request, func() (*http.Response, error)) (*http.Response, error) {
	seed := rapid.Uint64().Draw(t, "shuffle")
	return func(_ int, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		reply, err := send()
		if err != nil || !strings.Contains(r.URL.Path, "b2_list_") {
			return reply, err
		}
		var m map[string]any
		if err := json.NewDecoder(reply.Body).Decode(&m); err != nil {
			return nil, err
		}
		if err := reply.Body.Close(); err != nil {
			return nil, err
		}
		for _, member := range []string{"buckets", "keys"} {
			if list, ok := m[member].([]any); ok {
				for i := range list {
					j := int((seed >> (i % 32)) % uint64(i+1))
					list[i], list[j] = list[j], list[i]
				}
			}
		}
		body, err := json.Marshal(m)
		reply.Body, reply.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		reply.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return reply, err
	}
}
