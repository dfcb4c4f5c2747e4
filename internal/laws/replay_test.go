package laws_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"b2form/schema"
)

// Replies as the service was recorded or documented to give them, byte for byte,
// through the real client, reader and planner. Each fixture holds a
// configuration, a reply per path, and what the plan must come to: what is live
// is as declared, however it is spelled.
func TestRecordedReplies(t *testing.T) {
	files, err := filepath.Glob("testdata/replay/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar"), func(t *testing.T) {
			fixture, err := txtar.ParseFile(f)
			if err != nil {
				t.Fatal(err)
			}
			w, want := replayed(t, fixture)
			a, err := w.plan(mode{})
			w.must(err)
			if diff := cmp.Diff(want, a.outcome()); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

// The same for the replies to creations: what they say is what was planned, and
// the secret in them reaches its file as it came.
func TestRecordedCreations(t *testing.T) {
	for _, name := range []string{"bucket", "key", "key-several"} {
		t.Run(name, func(t *testing.T) {
			fixture, err := txtar.ParseFile("testdata/created/" + name + ".txtar")
			if err != nil {
				t.Fatal(err)
			}
			w, want := replayed(t, fixture)
			w.done(mode{})
			delivered, err := os.ReadFile(w.path("delivered"))
			if diff := cmp.Diff(want, string(delivered)); diff != "" || err != nil && want != "" {
				t.Errorf("delivered (-want +got): %v\n%s", err, diff)
			}
		})
	}
}

// replayed is a world whose service knows the fixture's replies and nothing
// else.
func replayed(t *testing.T, fixture *txtar.Archive) (w *world, want string) {
	w = &world{judge: t, clock: &clock{now: noon}, kinds: schema.Kinds(), parallelism: 1, dir: t.TempDir(),
		keyID: "002d2e6b27577ea0000000002", key: "K0029r3hpMfUhncpS7uLYuIkg3FCMlo"}
	replies := map[string][]byte{}
	for _, f := range fixture.Files {
		switch {
		case strings.HasPrefix(f.Name, "/"):
			replies[f.Name] = f.Data
		case f.Name == "want":
			want = string(f.Data)
		default:
			w.must(os.WriteFile(w.path(f.Name), f.Data, 0o600))
		}
	}
	w.http = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, ok := replies[r.URL.Path]
		if !ok {
			t.Errorf("the fixture has no reply to %s", r.URL.Path)
			body = []byte("{}")
		}
		out.Header().Set("Content-Type", "application/json;charset=UTF-8")
		out.Header().Set("Cache-Control", "max-age=0, no-cache, no-store")
		out.Header().Set("Date", w.clock.Now().UTC().Format(http.TimeFormat))
		_, _ = out.Write(body) // the client may be gone
	}))
	t.Cleanup(w.http.Close)
	w.traffic = newTraffic(w.http.Listener.Addr().String())
	t.Cleanup(w.traffic.next.CloseIdleConnections)
	return w, want
}

// outcome is a plan in a few words.
func (a *attempt) outcome() string {
	var b strings.Builder
	for _, c := range a.plan.Changes {
		fmt.Fprintf(&b, "%s %s", c.Action, c.Addr)
		if c.Import {
			b.WriteString(", imported")
		}
		if len(c.Fields) > 0 {
			fmt.Fprintf(&b, ": %s", strings.Join(c.Fields, ", "))
		}
		b.WriteString("\n")
	}
	for _, d := range a.plan.Warnings {
		b.WriteString(d.Summary + ": " + d.Detail + "\n")
	}
	return b.String()
}
