package laws_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"b2form/apply"
	"b2form/internal/b2"
	"b2form/internal/emulator"
	"b2form/internal/state"
	"b2form/internal/view"
)

// canaries are the secrets of a world: the application key in use, every token,
// and every key that is made. They are read off the wire.
type canaries struct {
	mu   sync.Mutex
	keys []string
	// The disguises of those that were looked for.
	disguises map[string]map[string]string
}

// watch remembers every secret that B2 sends from now on.
func (w *world) watch() *canaries {
	c := &canaries{keys: []string{w.key}}
	w.traffic.around = func(_ int, _ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
		reply, err := send()
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(reply.Body)
		reply.Body = io.NopCloser(bytes.NewReader(body))
		var m struct{ ApplicationKey, AuthorizationToken string }
		if json.Unmarshal(body, &m) == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			for _, s := range []string{m.ApplicationKey, m.AuthorizationToken} {
				if s != "" {
					c.keys = append(c.keys, s)
				}
			}
		}
		return reply, err
	}
	return c
}

// in names the canaries that a text holds, in whatever form.
func (c *canaries) in(text string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []string
	for i, key := range c.keys {
		if c.disguises[key] == nil {
			if c.disguises == nil {
				c.disguises = map[string]map[string]string{}
			}
			c.disguises[key] = disguises(key)
		}
		for form, sought := range c.disguises[key] {
			if strings.Contains(text, sought) {
				found = append(found, fmt.Sprintf("canary %d, %s", i, form))
			}
		}
	}
	slices.Sort(found)
	return found
}

// disguises are the forms in which a secret may hide.
func disguises(s string) map[string]string {
	quoted, _ := json.Marshal(s) // strings always encode
	out := map[string]string{
		"plain":             s,
		"half of it":        s[:len(s)/2],
		"the other half":    s[len(s)/2:],
		"percent-encoded":   url.QueryEscape(s),
		"in a URL's path":   url.PathEscape(s),
		"JSON":              strings.Trim(string(quoted), `"`),
		"JSON with escapes": strings.ReplaceAll(s, "/", `\/`),
		"hex":               hex.EncodeToString([]byte(s)),
		"bytes":             strings.Trim(fmt.Sprint([]byte(s)), "[]"),
	}
	for shift := range 3 { // wherever it stands in a longer text
		inner := s[shift : shift+(len(s)-shift)/3*3]
		out[fmt.Sprintf("base64 %d", shift)] = base64.StdEncoding.EncodeToString([]byte(inner))
		out[fmt.Sprintf("base64url %d", shift)] = base64.URLEncoding.EncodeToString([]byte(inner))
	}
	return out
}

// nowhere demands that the text holds no canary.
func (c *canaries) nowhere(j judge, where, text string) {
	j.Helper()
	for _, found := range c.in(text) {
		j.Errorf("%s holds a secret: %s", where, found)
	}
}

const deliveries = `
bucket "photos" { name = "acme-photos" }
key "env" {
  name         = "env"
  capabilities = ["readFiles"]
  buckets      = [bucket.photos]
  deliver "file" { path = "env.secret" }
}
key "formats" {
  name         = "formats"
  capabilities = ["readFiles"]
  deliver "file" {
    path   = "json.secret"
    format = "json"
  }
  deliver "file" {
    path   = "rclone.secret"
    format = "rclone"
  }
  deliver "file" {
    path   = "aws.secret"
    format = "aws"
  }
  deliver "stdout" {}
}
key "template" {
  name         = "template"
  capabilities = ["readFiles"]
  deliver "file" {
    path    = "template.secret"
    content = "b2://${self.application_key_id}:${urlencode(self.application_key)}@api.backblazeb2.com/"
  }
}
output "basic" {
  value     = base64encode("${key.env.application_key_id}:${key.env.application_key}")
  sensitive = true
}
`

// Secrets reach their destinations, and nothing else that a run leaves, says or
// lets print ever holds one.
func TestSecretsReachTheirDestinationOnly(t *testing.T) {
	w := newWorld(t, emulator.Options{})
	defer w.close()
	c := w.watch()
	w.configure(deliveries)
	for range 2 { // made, and replaced
		a, r, store := w.observed(c)
		w.reached(c)
		w.prints(c, a, r, store)
		w.must(store.Close())
		w.leaves(c)
		w.configure(strings.ReplaceAll(deliveries, `["readFiles"]`, `["listFiles"]`))
	}
}

// observed applies, looking at the folder and at every event on the way. The
// store is still open, with its journal.
func (w *world) observed(c *canaries) (*attempt, *apply.Result, *state.Store) {
	w.Helper()
	store, err := w.lock()
	w.must(err)
	a, err := w.planFrom(store.State(), mode{})
	w.must(err)
	r, err := w.carryOut(store, a)
	w.must(err)
	w.leaves(c)
	return a, r, store
}

// reached proves that the canaries sing where they should.
func (w *world) reached(c *canaries) {
	w.Helper()
	for _, file := range []string{"env.secret", "json.secret", "rclone.secret", "aws.secret", "template.secret"} {
		text, err := os.ReadFile(w.path(file))
		w.must(err)
		if c.in(string(text)) == nil {
			w.Errorf("%s does not hold the secret: the search proves nothing", file)
		}
	}
	if c.in(w.printed.String()) == nil {
		w.Errorf("standard output does not hold the secret")
	}
	w.holds("env.secret", w.entryID("key.env"))
}

func (w *world) entryID(addr string) string {
	w.Helper()
	st := w.stored()
	for _, e := range st.Entries {
		if e.Addr.String() == addr {
			return e.ID
		}
	}
	return ""
}

// leaves searches every file but the destinations.
func (w *world) leaves(c *canaries) {
	w.Helper()
	w.must(filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".secret") {
			return err
		}
		text, err := os.ReadFile(path)
		c.nowhere(w, filepath.Base(path), string(text))
		return err
	}))
}

// prints searches everything that can be printed of a run.
func (w *world) prints(c *canaries, a *attempt, r *apply.Result, store *state.Store) {
	w.Helper()
	things := map[string]any{
		"the configuration": a.config, "the client": a.client, "the options": b2.Options{KeyID: w.keyID, Key: w.key},
		"the snapshot": a.snapshot, "the snapshot afterwards": r.Snapshot, "the plan": a.plan, "the changes": a.plan.Changes,
		"the result": r, "the secrets": r.UsableNewKeys, "the entries": r.Entries, "the state": store.State(), "the store": store,
		"the events": w.events, "the log": w.log, "the emulator's log": w.b2.Calls(),
	}
	for _, o := range slices.Concat(a.snapshot.AllRead(w.kinds[0]), r.Snapshot.AllRead(w.kinds[1])) {
		things["object "+o.ID] = *o
		c.nowhere(w, "object "+o.ID, string(o.Raw))
	}
	for _, name := range slices.Sorted(maps.Keys(things)) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			c.nowhere(w, name+" as "+verb, fmt.Sprintf(verb, things[name]))
		}
		if b, err := json.Marshal(things[name]); err == nil {
			c.nowhere(w, name+" as JSON", string(b))
		}
		if name != "the options" { // New takes them apart
			c.scan(w, name, things[name])
		}
	}
	for addr, made := range r.UsableNewKeys {
		shown := view.NewKey{Addr: addr, KeyID: made.KeyID, Key: made.Key}
		out := view.Output{Name: "basic", Value: cty.StringVal(made.Key.Reveal())}
		c.nowhere(w, "what is about to be shown", fmt.Sprintf("%+v %+v %#v %#v", shown, out, shown, out))
	}
	c.nowhere(w, "what a run says", w.says(a, r))
}

// says is the run in both faces.
func (w *world) says(a *attempt, r *apply.Result) string {
	var b strings.Builder
	text := view.TextUI{Out: &b, Err: &b}
	lines := view.JSONUI{Out: &b, Now: w.Now}
	for _, m := range []view.PlanPurpose{view.Planning, view.Destroying} {
		text.Plan(a.plan, m)
		lines.Plan(a.plan, m)
		text.Done(r, m)
		lines.Done(r, m)
	}
	for _, e := range w.events {
		text.Event(e)
		lines.Event(e)
	}
	text.Diagnostics(a.plan.Warnings, a.config.Files)
	lines.Diagnostics(a.plan.Warnings, a.config.Files)
	return b.String()
}

// Whatever fails, and even where B2 quotes the credentials, no error, event or
// file holds a secret.
func TestErrorsHoldNoSecret(t *testing.T) {
	// A template that suits what stands for a key before there is one, and no key.
	const failing = `
bucket "photos" { name = "acme-photos" }
key "unfit" {
  name         = "unfit"
  capabilities = ["readFiles"]
  deliver "file" {
    path    = "unfit.secret"
    content = can(regex("(00000|/////)", self.application_key)) ? "" : tostring(tonumber(self.application_key))
  }
}
key "good" {
  name         = "good"
  capabilities = ["readFiles"]
  deliver "file" { path = "good.secret" }
}
`
	faults := map[string]emulator.Fault{
		"nothing":    {Method: "no such call"},
		"a refusal":  {Method: "b2_create_key", Status: 400, Code: "bad_request", Count: 9},
		"trouble":    {Method: "b2_create_key", Status: 500, Code: "internal_error", TakesEffect: true, Count: 9},
		"no reply":   {Method: "b2_create_key", TakesEffect: true, Count: 9},
		"unreadable": {Method: "b2_create_bucket", Status: 401, Code: "unauthorized"},
	}
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, emulator.Options{})
			defer w.close()
			c := w.watch()
			w.configure(failing)
			f := faults[name]
			f.Message = fmt.Sprintf("the key %s is bad, so is the token %s", w.key, w.token())
			w.b2.QueueFault(f)
			_, r, err := w.apply(mode{})
			if err == nil {
				t.Fatal("nothing failed")
			}
			c.nowhere(t, "the error", fmt.Sprintf("%v %+v %#v", err, err, err))
			for _, done := range r.BegunChanges {
				c.explained(t, done.Err)
			}
			c.nowhere(t, "the events", fmt.Sprintf("%+v", w.events))
			c.nowhere(t, "the log", fmt.Sprintf("%+v", w.log))
			w.leaves(c)
		})
	}
}

// explained searches all that an error, and all errors in it, can be made to say.
func (c *canaries) explained(j judge, err error) {
	j.Helper()
	if err == nil {
		return
	}
	summary, detail := b2.Explain(err)
	c.nowhere(j, "the explanation", summary+detail)
	c.nowhere(j, "the error", fmt.Sprintf("%v %+v %#v", err, err, err))
	if diags, ok := errors.AsType[hcl.Diagnostics](err); ok {
		var b strings.Builder
		view.TextUI{Out: &b, Err: &b}.Diagnostics(diags, nil)
		c.nowhere(j, "the diagnostics", b.String())
	}
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			c.explained(j, inner)
		}
	case interface{ Unwrap() error }:
		c.explained(j, e.Unwrap())
	}
}
