package laws_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"b2form/internal/emulator"
	"b2form/internal/testrun"
)

const everyShape = `
bucket "full" {
  name              = "acme-full"
  info              = { team = "web" }
  lifecycle_rules   = keep_only_last_version()
  cors_rules        = cors_for_downloads(["https://example.com"])
  file_lock_enabled = true
  default_server_side_encryption { mode = "SSE-B2" }
  default_retention {
    mode     = "governance"
    duration = 3
  }
  replication {
    source {
      key = key.reads
      rules {
        name        = "copy"
        destination = bucket.bare
      }
    }
  }
}
bucket "locked" {
  name              = "acme-locked"
  file_lock_enabled = true
}
bucket "bare" {
  name = "acme-bare"
  replication {
    destination {
      keys {
        source      = key.reads
        destination = key.writes
      }
    }
  }
}
bucket "empty" {
  name = "acme-empty"
}
notification_rules "bare" {
  bucket = bucket.bare
  rules {
    name        = "upload"
    event_types = ["b2:ObjectCreated:*"]
    target_configuration {
      url = "https://example.com/hook"
      custom_headers {
        name  = "X-Team"
        value = "web"
      }
    }
  }
}
file "one" {
  bucket  = bucket.bare
  name    = "one.txt"
  content = "a"
  info    = { team = "web" }
}
key "reads" {
  name    = "reads"
  access  = "read_only"
  buckets = [bucket.full]
}
key "writes" {
  name   = "writes"
  access = "read_write"
}
key "several" {
  name           = "several"
  access         = "read_only"
  buckets        = [bucket.full, bucket.bare]
  valid_duration = "30d"
}
`

// An unknownMember is put into objects of replies.
type unknownMember struct {
	value any
	// alone says that it goes into objects that say nothing, in place of what they hold
	// and of null; else beside what an object holds.
	alone bool
}

func (u unknownMember) String() string { return fmt.Sprintf("%v alone %v", u.value, u.alone) }

func unknownMembers() (all []unknownMember) {
	for _, value := range []any{nil, "new", map[string]any{"mode": "new", "value": "new"}, []any{"new"}} {
		all = append(all, unknownMember{value, false}, unknownMember{value, true})
	}
	return all
}

// nullable are the members of replies that hold an object or null.
func nullable() []string {
	return []string{"asReplicationDestination", "asReplicationSource", "defaultRetention", "period", "value"}
}

// pairs are the objects of replies whose members are data.
func pairs() []string { return []string{"bucketInfo", "fileInfo", "sourceToDestinationKeyMapping"} }

// put gives the reply with the unknown member in every object whose path is wanted. seen
// hears of each path where it fits.
func (u unknownMember) put(v any, at string, wanted func(at string) bool, seen func(at string)) any {
	member := path.Base(at)
	if v == nil && u.alone && slices.Contains(nullable(), member) {
		v = map[string]any{}
	}
	switch v := v.(type) {
	case map[string]any:
		if slices.Contains(pairs(), member) {
			return v
		}
		out := map[string]any{}
		for name, part := range v {
			out[name] = u.put(part, at+"/"+name, wanted, seen)
		}
		if fits := !u.alone || saysNothing(v); fits {
			seen(at)
			if wanted(at) {
				if u.alone {
					clear(out)
				}
				out["newMember"] = u.value
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, part := range v {
			out[i] = u.put(part, at+"/"+strconv.Itoa(i), wanted, seen)
		}
		return out
	}
	return v
}

func saysNothing(m map[string]any) bool {
	for _, v := range m {
		if inner, ok := v.(map[string]any); v != nil && !(ok && saysNothing(inner)) {
			return false
		}
	}
	return true
}

// rewrite puts the member into replies; keep gives the paths where it fits.
func (w *world) rewrite(u unknownMember, wanted func(at string) bool) (fits map[string]bool) {
	fits = map[string]bool{}
	w.traffic.around = func(_ int, r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		reply, err := send()
		if err != nil || reply.StatusCode != http.StatusOK || !strings.HasPrefix(reply.Header.Get("Content-Type"), "application/json") {
			return reply, err
		}
		raw, err := io.ReadAll(reply.Body)
		if err != nil {
			return nil, err
		}
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, err
		}
		version := strings.Split(r.URL.Path, "/")[2]
		v = u.put(v, version+" "+path.Base(r.URL.Path), wanted, func(at string) { fits[at] = true })
		if raw, err = json.Marshal(v); err != nil {
			return nil, err
		}
		reply.Body, reply.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
		reply.Header.Set("Content-Length", strconv.Itoa(len(raw)))
		return reply, nil
	}
	return fits
}

// B2 adds members to its replies. Wherever one stands, and whatever it holds, a plan is
// what it is without.
func TestUnknownMembersChangeNoPlan(t *testing.T) {
	w := newWorld(t, emulator.Options{Switches: emulator.Switches{UnencryptedByDefault: true}})
	defer w.close()
	w.by("b2_create_bucket", `{"bucketName": "acme-others", "bucketType": "allPrivate"}`)
	w.configure(everyShape)
	w.done(mode{})
	w.settled(mode{})
	planned := func() string {
		w.Helper()
		var all []string
		for _, m := range []mode{{}, {destroy: true}} {
			a, err := w.plan(m)
			if err != nil {
				return err.Error()
			}
			all = append(all, fmt.Sprint(a.plan.Counts(), a.plan.Basis, a.plan.Warnings))
		}
		return strings.Join(all, "\n")
	}
	want := planned()
	for n, u := range unknownMembers() {
		fits := w.rewrite(u, func(string) bool { return false })
		if got := planned(); got != want {
			t.Fatalf("the replies were spoilt: %s\nwant %s", got, want)
		}
		places := slices.Sorted(maps.Keys(fits))
		if len(places) < 4 {
			t.Fatalf("%v fits at %v only", u, places)
		}
		for _, place := range testrun.SampleUnlessExhaustive(t, 41, 5*n, places) {
			w.rewrite(u, func(at string) bool { return at == place })
			if got := planned(); got != want {
				t.Errorf("%v at %s: %s\nwant %s", u, place, got, want)
			}
		}
		w.rewrite(u, func(string) bool { return true })
		if got := planned(); got != want {
			t.Errorf("%v everywhere: %s\nwant %s", u, got, want)
		}
	}
}

// An update that sends a list or an object whole warns of the members in it that are lost.
func TestLostUnknownMembersAreNamed(t *testing.T) {
	for _, changed := range [][2]string{{"keep_only_last_version()", `[{ days_from_hiding_to_deleting = 30 }]`},
		{`["https://example.com"]`, `["https://www.example.com"]`}, {"duration = 3", "duration = 4"}, {`"copy"`, `"copies"`},
		{`"upload"`, `"uploads"`}, {`"X-Team"`, `"X-Teams"`}} {
		for place, named := range map[string]bool{"": true, "other": false} {
			t.Run(changed[0]+place, func(t *testing.T) {
				w := newWorld(t, emulator.Options{Switches: emulator.Switches{UnencryptedByDefault: true}})
				defer w.close()
				w.configure(everyShape)
				w.done(mode{})
				w.rewrite(unknownMember{value: "new"}, func(at string) bool { return named && strings.Count(at, "/") > 2 })
				w.configure(strings.Replace(everyShape, changed[0], changed[1], 1))
				a, err := w.plan(mode{})
				w.must(err)
				if n := len(a.plan.Changes); n != 1 {
					t.Fatalf("%d changes", n)
				}
				warned := strings.Contains(fmt.Sprint(a.plan.Warnings), `does not know: "newMember"`)
				if warned != named {
					t.Errorf("of %v it warns: %v", a.plan.Changes[0].Fields, a.plan.Warnings)
				}
				for _, v := range a.plan.Warnings {
					if strings.Contains(v.Detail, "does not know") && v.Subject == nil {
						t.Error("the warning is about no line")
					}
				}
			})
		}
	}
}

// Nor does it spoil what is made, changed or deleted.
func TestUnknownMembersSpoilNoRun(t *testing.T) {
	for _, u := range unknownMembers() {
		t.Run(u.String(), func(t *testing.T) {
			w := newWorld(t, emulator.Options{Switches: emulator.Switches{UnencryptedByDefault: true}})
			defer w.close()
			w.rewrite(u, func(string) bool { return true })
			w.configure(everyShape)
			w.done(mode{})
			w.settled(mode{})
			changed := strings.NewReplacer(`"web"`, `"ops"`, "duration = 3", "duration = 4", `"X-Team"`, `"X-Teams"`, `"a"`, `"b"`,
				`"copy"`, `"copies"`).Replace(everyShape)
			w.configure(strings.Replace(changed, `"acme-empty"`, "\"acme-empty\"\n  force_destroy = true", 1))
			w.done(mode{})
			w.settled(mode{})
			w.configure(strings.Replace(everyShape, "file_lock_enabled = true", "file_lock_enabled = true\n  force_destroy = true", 1))
			w.done(mode{})
		})
	}
}
