// Package laws_test holds the product to its laws: the loader, the client, the
// reader, the planner and the runner together, over HTTP against the emulator.
package laws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"b2form/apply"
	"b2form/internal/account"
	"b2form/internal/b2"
	"b2form/internal/emulator"
	"b2form/internal/secret"
	"b2form/internal/state"
	"b2form/internal/testrun/engines"
	"b2form/plan"
	"b2form/schema"
	"b2form/schema/addr"
	"b2form/schema/config"
	"b2form/schema/kind"
	"b2form/schema/wire"
)

// A judge hears of what is wrong: a *testing.T, a *rapid.T, or the verdict on a
// broken emulator.
type judge interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// noon is when every world begins.
var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// A clock moves only when somebody waits.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) wait(ctx context.Context, d time.Duration) error {
	c.pass(d)
	return ctx.Err()
}

// A world is an account in an emulator, a folder with a configuration, and the
// state beside it.
type world struct {
	judge
	b2      *emulator.Server // nil in a process that shares another's account
	http    *httptest.Server
	traffic *traffic
	*clock
	skew  time.Duration // by which the clock of those who run b2form is wrong
	dir   string
	kinds []*kind.Kind

	remote   state.Backend         // has the state; nil: it is in the folder
	engine   engines.BackendType   // that serves remote
	site     engines.StateLocation // where it does so
	stopSite func() error
	before   []map[string]any // the keys that are live when a story may be disturbed

	alone bool // nobody else changes what is ours

	keyID, key  string // credentials in use
	parallelism int
	events      []apply.Event
	onEvent     func(apply.Event) // hears of them; may be nil
	printed     strings.Builder   // standard output: deliveries
	printing    func()            // called when something is delivered there; may be nil
	log         []b2.AttemptEvent
	verify      func(ctx context.Context, keyID string, key secret.Value) (*wire.Account, error) // nil: new keys are not tried
	logged      sync.Mutex
}

// newWorld makes an empty account and an empty folder. It must be closed.
func newWorld(j judge, o emulator.Options) *world {
	j.Helper()
	w := &world{judge: j, clock: &clock{now: noon}, kinds: schema.Kinds(), parallelism: 1}
	o.Now = w.Now
	if o.Seed == 0 {
		o.Seed = 11 // its first secrets hold both / and +
	}
	var err error
	if w.b2, err = emulator.Open(o); err != nil {
		j.Fatalf("%v", err)
	}
	if w.dir, err = os.MkdirTemp("", "laws-"); err != nil {
		j.Fatalf("%v", err)
	}
	w.http = httptest.NewServer(w.b2)
	w.traffic = newTraffic(w.http.Listener.Addr().String())
	w.keyID, w.key = w.b2.MasterKeyID(), w.b2.MasterKey()
	return w
}

func (w *world) close() {
	w.traffic.next.CloseIdleConnections()
	w.http.Close()
	err := errors.Join(w.b2.Close(), os.RemoveAll(w.dir))
	if w.stopSite != nil {
		err = errors.Join(err, w.stopSite())
	}
	if err != nil {
		w.Errorf("%v", err)
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%v", err)
	}
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) statePath() string { return w.path("b2form.state.json") }

// configure replaces the configuration by files of these texts.
func (w *world) configure(files ...string) {
	w.Helper()
	old, err := filepath.Glob(w.path("*.b2.hcl"))
	w.must(err)
	for _, name := range old {
		w.must(os.Remove(name))
	}
	if len(files) == 0 {
		files = []string{"# nothing is wanted\n"}
	}
	for i, text := range files {
		w.must(os.WriteFile(w.path(fmt.Sprintf("f%02d.b2.hcl", i)), []byte(text), 0o600))
	}
	w.must(writeSources(w.dir))
}

// writeSources puts the local files into a folder that descriptors use as samples.
func writeSources(dir string) error {
	return os.WriteFile(filepath.Join(dir, "hello.txt"), []byte("hello\n"), 0o600)
}

// here is what the clock says where b2form runs.
func (w *world) here() time.Time { return w.Now().Add(w.skew) }

// serviceTime is what a client takes B2's clock to show.
func (w *world) serviceTime(c *b2.Client) time.Time { return w.here().Add(c.ProvenServiceClockAhead()) }

// A mode is what a run is asked for.
type mode struct {
	destroy bool
	replace []addr.Addr
	rotate  []addr.Addr
	save    bool // keep what the basis is made from
}

// An attempt is a run up to its plan.
type attempt struct {
	client   *b2.Client
	config   *config.Config
	snapshot *kind.Snapshot
	open     []state.CreateIntent
	began    time.Time
	plan     *plan.Plan
}

// idle reports whether a run would have nothing to do, not even in the state.
func (a *attempt) idle() bool {
	return a.plan.HasNoResourceChanges() && len(a.plan.Records) == 0 && len(a.open) == 0
}

func (w *world) connect() *b2.Client {
	w.Helper()
	c, err := b2.New(b2.Options{
		KeyID: w.keyID, Key: w.key, Transport: w.traffic, Parallelism: w.parallelism, Now: w.here, Sleep: w.wait,
		OnAttempt: func(e b2.AttemptEvent) {
			w.logged.Lock()
			defer w.logged.Unlock()
			w.log = append(w.log, e)
		},
	})
	w.must(err)
	return c
}

// plan does what `b2form plan` does.
func (w *world) plan(m mode) (*attempt, error) {
	return w.planFrom(w.stored(), m)
}

func (w *world) load() *config.Config {
	w.Helper()
	config, diags := schema.Load(schema.Options{Dir: w.dir, Kinds: w.kinds})
	if diags.HasErrors() {
		w.Fatalf("the configuration is wrong: %v", diags)
	}
	return config
}

// planFrom may fail because B2 did (a *wire.Error) or because the planner
// refuses (hcl.Diagnostics).
func (w *world) planFrom(st *state.State, m mode) (*attempt, error) {
	w.Helper()
	a := &attempt{client: w.connect(), config: w.load(), open: st.OpenIntents}
	owner, err := a.client.Authorize(context.Background())
	if err != nil {
		return nil, err
	}
	known := slices.Clone(st.Entries)
	for _, i := range st.OpenIntents {
		known = append(known, addr.StateEntry{Addr: i.Addr, Identity: i.Identity})
	}
	want := account.QueryFor(a.config, known, w.kinds)
	for _, i := range st.OpenIntents {
		if i.MultiBucket {
			want.AddMultiBucket(i.Addr.Kind)
		}
	}
	recent := account.RecentEntries{Sleep: w.wait, OnWait: func([]addr.Addr) func() { return func() {} }}
	now := w.serviceTime(a.client)
	for _, e := range st.Entries {
		if e.MayBeUnlisted(now) {
			recent.Made = append(recent.Made, e)
		}
	}
	recent.NotAsLeft = func(live *kind.Snapshot) []addr.StateEntry {
		return plan.MaybeShownAsBefore(stateSalt, a.config, live, st.Entries, now)
	}
	if a.snapshot, err = account.ReadSnapshot(context.Background(), a.client, owner, w.kinds, want, recent); err != nil {
		return nil, err
	}
	a.began = w.serviceTime(a.client)
	a.snapshot.DropExpired(a.began)
	r := plan.Request{Config: a.config, Kinds: w.kinds, Snapshot: a.snapshot, Entries: st.Entries, Destroy: m.destroy, Replace: m.replace,
		Rotate: m.rotate, Now: a.began, LocalClockTime: w.here(), FillSavedForm: m.save, Applied: plan.LastApply{Salt: stateSalt}}
	for _, i := range st.OpenIntents {
		r.Announced = append(r.Announced, plan.AnnouncedCreate{Addr: i.Addr, Identity: i.Identity, IDsBeforeCreate: i.KnownIDs,
			MultiBucket: i.MultiBucket, LaterAttemptID: i.LaterAttemptObjectID, AnnouncedAt: i.AnnouncedAt})
	}
	made, diags := plan.Make(r)
	if diags.HasErrors() {
		return nil, diags
	}
	a.plan = made
	w.checkClaims(made)
	return a, nil
}

func (w *world) lock() (*state.Store, error) {
	o := state.Options{Now: w.here, Operation: "apply", LockOwner: "laws"}
	if w.engine.Remote {
		o.LockTimeout = time.Minute // until the server learns that the last run was killed
	}
	return w.backend().Open(context.Background(), o)
}

// apply does what `b2form apply -auto-approve` does with every hazard allowed.
// The result is nil where nothing was to be done or the plan failed.
func (w *world) apply(m mode) (a *attempt, result *apply.Result, err error) {
	w.Helper()
	store, err := w.lock()
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if a, err = w.planFrom(store.State(), m); err != nil {
		return a, nil, err
	}
	if a.idle() {
		return a, nil, store.PutDigests(a.outdated(store.State().Entries, m)...)
	}
	result, err = w.carryOut(store, a)
	return a, result, err
}

// carryOut applies a plan; the error is everything that failed.
func (w *world) carryOut(store *state.Store, a *attempt) (*apply.Result, error) {
	return w.carryOutIn(context.Background(), store, a)
}

func (w *world) carryOutIn(ctx context.Context, store *state.Store, a *attempt) (*apply.Result, error) {
	if err := store.BindAccount(a.snapshot.Account.ID, a.snapshot.Account.Realm); err != nil {
		return nil, err
	}
	r := apply.Run(ctx, apply.Options{
		API: a.client, Kinds: w.kinds, Config: a.config, Snapshot: a.snapshot, Plan: a.plan, State: store,
		Delivery: secret.DeliveryOptions{Stdout: printer{w}}, Parallelism: w.parallelism, RunStart: a.began,
		Now:     func() time.Time { return w.serviceTime(a.client) },
		OnEvent: w.event, VerifyKey: w.verify, Sleep: w.wait, DigestSalt: stateSalt,
	})
	errs := []error{r.StateErr}
	for _, c := range r.BegunChanges {
		if c.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.Change.Addr, c.Err))
		}
	}
	err := errors.Join(errs...)
	if err == nil && r.Incomplete() {
		err = fmt.Errorf("not begun: %v, not finished: %v", r.Skipped, r.PartlySkipped)
	}
	return r, err
}

func (w *world) event(e apply.Event) {
	w.events = append(w.events, e)
	if w.onEvent != nil {
		w.onEvent(e)
	}
}

// A printer is the standard output of a world.
type printer struct{ *world }

func (p printer) Write(text []byte) (int, error) {
	if p.printing != nil {
		p.printing()
	}
	return p.printed.Write(text)
}

// done applies and demands success.
func (w *world) done(m mode) (*attempt, *apply.Result) {
	w.Helper()
	a, r, err := w.apply(m)
	if err != nil {
		w.Fatalf("apply: %v", err)
	}
	return a, r
}

// longDoubt is how long a create of unknown outcome may take effect, and more: a
// clock may be wrong.
const longDoubt = 30 * time.Minute

// settled demands that nothing is left to do, when what was in doubt must have
// appeared.
func (w *world) settled(m mode) {
	w.Helper()
	if len(w.announced()) > 0 {
		w.pass(longDoubt)
		w.done(m)
	}
	a, err := w.plan(m)
	if err != nil {
		w.Fatalf("plan after apply: %v", err)
	}
	for _, c := range a.plan.Changes {
		w.Errorf("after apply, %s still plans %s %v (%s)", c.Addr, c.Action, c.Fields, c.Reason)
		for _, f := range c.Fields {
			if !c.Before.IsNull() {
				w.Errorf("  %s is %#v, wanted %#v", f, c.Before.GetAttr(f), c.After.GetAttr(f))
			}
		}
	}
	if len(a.plan.Records) > 0 || len(a.open) > 0 {
		w.Errorf("after apply, the state is not settled: %+v, open %+v", a.plan.Records, a.open)
	}
}

// by lets somebody else call B2 with the master key; no client sees it.
func (w *world) by(method, body string, args ...any) map[string]any {
	w.Helper()
	status, reply := w.ask("POST", "/b2api/v4/"+method, fmt.Sprintf(body, args...), w.token())
	if status != 200 {
		w.Fatalf("%s by hand: %d %v", method, status, reply)
	}
	return reply
}

func (w *world) token() string {
	w.Helper()
	_, reply := w.authorize(4, w.b2.MasterKeyID(), w.b2.MasterKey())
	token, _ := reply["authorizationToken"].(string)
	return token
}

// authorize says how a version of the API answers to a key.
func (w *world) authorize(version int, id, key string) (status int, reply map[string]any) {
	w.Helper()
	r := httptest.NewRequest("POST", fmt.Sprintf("/b2api/v%d/b2_authorize_account", version), strings.NewReader("{}"))
	r.SetBasicAuth(id, key)
	return w.send(r)
}

// ask sends a request with a token, as a client of any sort may.
func (w *world) ask(verb, path, body, token string) (status int, reply map[string]any) {
	w.Helper()
	switch filepath.Base(path) {
	case "b2_create_bucket", "b2_update_bucket", "b2_delete_bucket", "b2_list_buckets", "b2_create_key", "b2_list_keys":
		m := map[string]any{}
		w.must(json.Unmarshal([]byte(body), &m))
		m["accountId"] = w.b2.AccountID()
		body = indented(w, m)
	}
	r := httptest.NewRequest(verb, path, strings.NewReader(body))
	r.Header.Set("Authorization", token)
	return w.send(r)
}

// dump is the whole account as JSON, IDs and all.
func (w *world) dump() string {
	w.Helper()
	a, err := w.b2.Dump()
	w.must(err)
	return indented(w, a)
}

// account is what the account holds up to IDs, revisions and times: they differ
// between any two runs. An expiry is kept in hours from the world's beginning,
// the time in a rotating key's name not at all.
func (w *world) account() string {
	w.Helper()
	a, err := w.b2.Dump()
	w.must(err)
	names := map[any]any{}
	mentions := keyNames(a.Keys)
	for _, b := range a.Buckets {
		names[b["bucketId"]] = b["bucketName"]
		mentions = append(mentions, fmt.Sprint(b["bucketId"]), fmt.Sprint(b["bucketName"]))
		delete(b, "bucketId")
		delete(b, "revision")
	}
	for _, f := range a.FileVersions {
		f["bucketId"] = names[f["bucketId"]]
		delete(f, "fileId")
		delete(f, "uploadTimestamp")
	}
	for _, k := range a.Keys {
		delete(k, "applicationKeyId")
		if name, _, ok := kind.ParseTimestampedName(fmt.Sprint(k["keyName"])); ok {
			k["keyName"] = name + "-(time)"
		}
		if ms, ok := k["expirationTimestamp"].(float64); ok {
			k["expirationTimestamp"] = time.UnixMilli(int64(ms)).Sub(noon).Round(time.Hour).String()
		}
		ids, _ := k["bucketIds"].([]any)
		for i := range ids {
			ids[i] = names[ids[i]]
		}
	}
	text := make(map[string]string, len(a.Keys))
	for _, k := range a.Keys {
		text[fmt.Sprintf("%s %d", k["keyName"], len(text))] = indented(w, k)
	}
	a.Keys = nil
	out := strings.NewReplacer(mentions...).Replace(indented(w, a)) + "\n"
	for _, name := range slices.Sorted(maps.Keys(text)) {
		out += text[name] + "\n"
	}
	return out
}

// keyNames pairs the IDs of keys with names, by which replications mention them:
// how many younger ones of the name there are tells keys of one rotation apart.
func keyNames(keys []map[string]any) []string {
	var pairs []string
	younger := map[string]int{}
	byAge := slices.SortedFunc(slices.Values(keys), func(a, b map[string]any) int {
		return strings.Compare(fmt.Sprint(b["applicationKeyId"]), fmt.Sprint(a["applicationKeyId"]))
	})
	for _, k := range byAge {
		name, _, _ := kind.ParseTimestampedName(fmt.Sprint(k["keyName"]))
		pairs = append(pairs, fmt.Sprint(k["applicationKeyId"]), fmt.Sprintf("%s %d", name, younger[name]))
		younger[name]++
	}
	return pairs
}

func indented(j judge, v any) string {
	j.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		j.Fatalf("%v", err)
	}
	return string(b)
}
